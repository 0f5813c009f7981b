// Lecture "When nobody waits": how far the rules lie above the least cost.
import { count, fixed, linspace, percent, roundUp } from "./numbers.js";

const LOOKS = {
  "base stock": { color: "backorder", dash: "6 3" },
  capped: { color: "setup" },
  constant: { color: "neutral", dash: "6 3 1 3" },
  myopic: { color: "holding", dash: "2 3" },
  "myopic-2": { color: "demand", dash: "4 2" },
  "dual balancing": { color: "fill-rate", dash: "8 3 2 3" },
};
const WORDS = {
  capped: "base stock with a cap", constant: "the constant order", myopic: "the myopic rule",
};

// Of tables of costs, {least, rules}, each with a list over lead times 1, 2, ... for each of
// `prices`: how far each rule lies above the least cost.
export function gaps({ prices, least, rules }, law, p) {
  const row = prices.indexOf(p);
  return Object.fromEntries(Object.entries(rules).map(([name, costs]) =>
    [name, costs[law][row].map((cost, i) => Math.max(cost / least[law][row][i] - 1, 0))]));
}

export const lostRules = {
  draw(plot, { p, law, L }, given) {
    const above = gaps(given, law, p);
    const times = above["base stock"].length;
    const at = Math.min(L, times) - 1;
    const most = given.times;
    const [panel] = plot.begin();
    panel.axes({
      x: {
        domain: [0.8, most + 0.2], label: "Lead time L (weeks)", values: linspace(1, most, most),
      },
      y: {
        domain: [0, roundUp((plot.narrow ? 300 : 250) * Math.max(...above["base stock"], 0.001))],
        label: "Above the least cost (%)",
      },
    });
    panel.rule({ x: L }, "neutral");
    for (const [name, look] of Object.entries(LOOKS)) {
      const points = above[name].map((gap, i) => [i + 1, 100 * gap]);
      panel.line(points, look.color, { dash: look.dash ?? null });
      panel.dots(points, look.color, { radius: 3 });
    }
    panel.legend(Object.entries(LOOKS).map(([name, look]) => ({ words: name, ...look })), {
      columns: plot.narrow ? 2 : 3, corner: "top left", ground: true,
    });
    plot.handle(panel, {
      id: "L", label: "lead time L", x: L, y: 0, moves: { x: "L" }, along: "x", color: "neutral",
    });
    const order = Object.keys(LOOKS).sort((a, b) => above[a][at] - above[b][at]);
    const closest = order[0];
    const others = ["base stock", "constant"].filter((name) => name !== closest)
      .map((name) => `${WORDS[name] ?? name} ${percent(above[name][at])}`);
    return (L > times ? `No table is longer than ${count(times, "week")} here. ` : "") +
      `Where orders take ${count(at + 1, "week")}, no rule costs less than ` +
      `${fixed(given.least[law][given.prices.indexOf(p)][at], 2)} € a week; closest is ` +
      `${WORDS[closest] ?? closest}, ${percent(above[closest][at])} above; ${others.join(", ")}.`;
  },
};
