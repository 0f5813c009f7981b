// Lecture "Where s and S come from": the cost of all pairs of levels.
import { fixed, percent } from "./numbers.js";
import { flows, landscape, meanDemand } from "./ss_exact.js";

const ABOVE = [1, 2, 5, 10, 20, 50, 100]; // per cent above the least cost
const PARTS = [["restocks", "setup"], ["holding", "holding"], ["lost sales", "backorder"]];
const EVERY = 4; // columns of the landscape from one that is drawn to the next

let known = {}; // the flows of all pairs, which do not depend on costs
function flowsOfAll({ μ, σ, rows, columns, unit }) {
  const what = JSON.stringify([μ, σ, rows, columns, unit]);
  if (known.what !== what) known = { what, ...landscape({ μ, σ }, rows, columns, unit) };
  return known;
}

const partsOf = ({ K, h, p }, { restocks, onHand, lost }) => [K * restocks, h * onHand, p * lost];
const total = ([restocks, holding, lost]) => restocks + holding + lost;
const plain = (x) => String(Number(x.toFixed(2)));

// Costs of all pairs, with a row for each s of `rows` and a column for each S of `columns`; the
// best S for each s; and the best pair.
export function best({ K, h, p }, given) {
  const { rows, columns } = given;
  const { restocks, onHand, lost } = flowsOfAll(given);
  const costs = lost.map((l, i) => K * restocks[i] + h * onHand[i] + p * l);
  const floor = rows.map((_, row) => {
    let at = row * columns.length;
    for (let i = at; i < (row + 1) * columns.length; i++) if (costs[i] < costs[at]) at = i;
    return at;
  });
  const at = (i) => ({
    s: rows[Math.floor(i / columns.length)], S: columns[i % columns.length],
    restocks: restocks[i], onHand: onHand[i], lost: lost[i],
  });
  const least = floor.reduce((a, b) => (costs[b] < costs[a] ? b : a));
  return { least: at(least), floor: floor.map(at), costs };
}

export const levels = {
  // s stays below S: the one that is not being moved gives way.
  mend: ({ s, S }, moved) => (s < S ? {} : moved.includes("S") ? { s: S - 1 } : { S: s + 1 }),

  draw(plot, p, given) {
    const { μ, σ, rows, columns } = given;
    const { costs, floor, least } = best(p, given);
    const lot = Math.sqrt((2 * p.K * meanDemand(given)) / p.h);
    const mine = [p.S, p.s + lot].map((S) => flows({ s: p.s, S, μ, σ }));
    const firms = [...mine, least].map((some) => partsOf(p, some));
    const [yours, withLot, lowest] = firms.map(total);

    const [map, bars] = plot.begin({ count: 2, ratio: 0.95 });
    map.axes({
      x: { domain: given.S_axis, label: "Order-up-to level S (units)" },
      y: { domain: given.s_axis, label: "Restock point s (units)" },
    });
    const shown = columns.map((_, i) => i)
      .filter((i) => i % EVERY === 0 || i === columns.length - 1);
    const heights = rows.flatMap((_, row) =>
      shown.map((i) => 100 * (costs[row * columns.length + i] / lowest - 1)));
    map.contours(shown.map((i) => columns[i]), rows, heights, ABOVE, "neutral", {
      format: (level) => `${level} %`, from: [least.S, Math.max(least.s, 0.05 * given.s_axis[1])],
    });
    map.line(floor.map(({ s, S }) => [S, s]), "holding", { dash: "5 4" });
    map.line(given.s_axis.map((s) => [s + lot, s]), "production", { dash: "1 4" });
    map.dots([given.note], "backorder");
    map.text(...given.note, "the note", "backorder", { dx: 10, dy: 18 });
    map.dots([[least.S, least.s]], "setup", { radius: 5 });
    map.text(least.S, least.s, "best", "setup", { anchor: "middle", dx: 0, dy: -10 });
    plot.handle(map, {
      id: "pair", label: "restock point s and order-up-to level S",
      x: p.S, y: p.s, moves: { x: "S", y: "s" },
    });
    drawParts(bars, firms, lowest);

    const more = (cost) => `${percent(Math.max(cost / lowest - 1, 0))} more`;
    const closed = p.p * meanDemand(given);
    return `(${plain(p.s)}, ${plain(p.S)}) costs ${fixed(yours, 2)} € a period, ${more(yours)} ` +
      `than the best pair, (${plain(least.s)}, ${plain(least.S)}) at ${fixed(lowest, 2)} €. ` +
      `The EOQ's lot of ${fixed(lot)} above the same s costs ${more(withLot)}.` +
      (closed < lowest ? ` A closed shop would lose only ${fixed(closed, 2)} €.` : "");
  },
};

// What the three firms pay, and for what.
function drawParts(panel, firms, lowest) {
  const highest = 1.7 * lowest;
  panel.axes({
    x: {
      domain: [-0.5, 3.2], values: [0, 1, 2], label: "Levels",
      format: (i) => ["yours", "EOQ's lot", "best"][i],
    },
    y: { domain: [0, highest], label: "Cost (€ a period)" },
  });
  firms.forEach((parts, i) => {
    let base = 0;
    parts.forEach((part, j) => {
      const top = Math.min(base + part, highest);
      panel.bars([[i - 0.35, i + 0.35, top, base]], PARTS[j][1]);
      base = top;
    });
    panel.text(i, base, fixed(total(parts), 2), "total", { anchor: "middle", dx: 0 });
  });
  // Each part's name beside the last bar, one above the other.
  let [base, free] = [0, Infinity];
  firms[2].forEach((part, j) => {
    const y = Math.min(panel.y(base + part / 2), free);
    panel.text(2.4, panel.y.invert(y), PARTS[j][0], PARTS[j][1], { dx: 0, dy: 4 });
    [base, free] = [base + part, y - 16];
  });
}
