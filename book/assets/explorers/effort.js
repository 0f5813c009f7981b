// Lectures "The tensor backup" and "How large a shop": what solving takes, by age classes.
import { count, fixed, number, range } from "./numbers.js";
import { eachDevice, operations, seconds } from "./work.js";

const LOOKS = {
  "definition": { color: "backorder", dash: null },
  "tree, at most": { color: "setup", dash: "7 3" },
  "matrices": { color: "inventory", dash: "9 3 2 3" },
  "chains": { color: "holding", dash: null, width: 2.6 },
  "floor": { color: "neutral", dash: "2 3" },
};

// Powers of ten from one exponent to another, as an axis takes them, and which of them it shows.
const powers = (from, to, shown = range(from, to)) => ({
  log: true,
  domain: [10 ** from, 10 ** to],
  values: shown.map((power) => 10 ** power),
  format: (v) => `10${[...String(Math.round(Math.log10(v)))].map((c) =>
    "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`,
});

// The number of age classes at which the figure is read: a line that handles move.
const movedAges = (from, to, start) => {
  const values = range(from, to);
  return [{ name: "m", values, texts: values.map(String), start: values.indexOf(start) }];
};

function readAt(plot, panel, m, top, moves = true) {
  panel.rule({ x: m }, "neutral");
  if (moves)
    plot.handle(panel, {
      id: "m", label: "number of age classes", x: m, y: top, moves: { x: "m" }, along: "x",
      color: "neutral",
    });
}

export const counts = {
  extra: ({ m }) => movedAges(2, 8, m),

  draw(plot, { k, d_max: dMax, m }) {
    const ages = range(2, 8);
    const [panel] = plot.begin();
    panel.axes({
      x: { domain: [1.8, 8.2], label: "Number of age classes m", values: ages },
      y: { ...powers(0, 7), label: "Operations for each state" },
    });
    const all = ages.map((age) => operations(age, k, dMax));
    for (const [name, look] of Object.entries(LOOKS))
      panel.line(ages.map((age, i) => [age, all[i][name] / k ** age]), look.color, look);
    const items = Object.entries(LOOKS).map(([words, look]) => ({ words, ...look }));
    panel.legend(items, { corner: "top left", columns: plot.narrow ? 1 : 2 });
    readAt(plot, panel, m, 1.6);
    const now = all[m - 2];
    return `With m = ${m}, ${fixed(k ** m)} states: definition ${number(now.definition, 2)}, ` +
      `matrices ${number(now.matrices, 2)}, chains ${number(now.chains, 2)} operations; the ` +
      `definition takes ${number(now.definition / now.chains, 2)} times as many as the chains.`;
  },
};

export const limits = {
  extra: ({ m }) => movedAges(3, 12, m),

  draw(plot, { k, n, m }, given) {
    const ages = range(3, 12);
    const x = { domain: [2.7, 12.3], label: "Number of age classes m", values: ages };
    const [above, below] = plot.begin({ count: 2, ratio: 0.45, stacked: true });
    const bytes = ages.map((age) => eachDevice(age, k, n, given));
    const inBytes = powers(-6, 7, [-6, -4, -2, 0, 2, 4, 6]);
    above.axes({ x, y: { ...inBytes, label: "Memory of each (GiB)" } });
    given.names.forEach((name, i) => {
      const height = given.limits[i] / 2 ** 30;
      above.rule({ y: height }, "neutral", { dash: ["7 3", "2 3", "9 3 2 3"][i] });
    });
    const memory = ages.map((age, i) => [age, bytes[i] / 2 ** 30]);
    above.line(memory, "inventory").dots(memory, "inventory");
    const names = given.names.map((words, i) =>
      ({ words, color: "neutral", dash: ["7 3", "2 3", "9 3 2 3"][i] }));
    above.legend(names, { corner: "top left" });
    readAt(plot, above, m, 1e-6, false);

    const inSeconds = powers(-5, 8, [-4, -2, 0, 2, 4, 6, 8]);
    below.axes({ x, y: { ...inSeconds, label: "Time of one period (s)" } });
    for (const [height, words] of [[1, "a second"], [3600, "an hour"]]) {
      below.rule({ y: height }, "neutral", { dash: null, width: 1 });
      below.text(2.7, height, words);
    }
    const time = ages.map((age) => [age, seconds(age, k, n, given)]);
    below.line(time, "holding").dots(time, "holding");
    readAt(plot, below, m, 1e-5);

    const fits = given.limits.map((limit, i) =>
      `${bytes.filter((some) => some <= limit).length + ages[0] - 1} on the ${given.names[i]}`);
    return `${count(n, "device")}, k = ${k}: at most m = ${fits.join(", ")}. ` +
      `With m = ${m}: ${number(memory[m - 3][1], 2)} GiB each, and ` +
      `${number(time[m - 3][1], 2)} s a period.`;
  },
};
