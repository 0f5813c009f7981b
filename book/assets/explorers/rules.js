// Lecture "Rules of thumb": what five rules leave on the table, over all stocks and by their size.
import { createModel, cutPoisson, grid, solve } from "./expiry.js";
import { count, last, percent, sum } from "./numbers.js";
import {
  evaluate, fluidPolicy, greedy, laterValues, newsvendorLevel, newsvendorPolicy, relativeGap,
  worthHolding,
} from "./policies.js";

const MOST = 9; // units of a class
const OLDEST = 4; // classes, at most
const LOOKS = {
  "fluid": { color: "holding", dash: null },
  "fluid, worth holding": { color: "demand", dash: "7 3" },
  "full shelf": { color: "backorder", dash: null },
  "critical ratio": { color: "inventory", dash: "9 3 2 3" },
  "critical ratio, greedy": { color: "setup", dash: "2 3" },
};

// The relative gap of each rule in every state of a shop, over some periods.
export function ruleGaps(model, periods) {
  const ratio = newsvendorPolicy(model, newsvendorLevel(model));
  const policies = {
    "fluid": fluidPolicy(model),
    "fluid, worth holding": fluidPolicy(model, Math.max(worthHolding(model), 1e-6)),
    "full shelf": newsvendorPolicy(model, model.k - 1),
    "critical ratio": ratio,
  };
  // Rules that order alike are worth the same once nothing is sold off.
  const known = [];
  const after = ({ later }) => {
    const same = known.find(({ order }) => order.every((q, x) => q === later[x]));
    if (same) return same.values;
    known.push({ order: later, values: laterValues(model, later, periods) });
    return known[known.length - 1].values;
  };
  const best = solve(model, periods).values;
  const worth = Object.entries(policies).map(([name, policy]) =>
    [name, evaluate(model, policy, periods, after(policy))]);
  worth.push(["critical ratio, greedy", greedy(model, ratio, periods, after(ratio)).values]);
  return Object.fromEntries(worth.map(([name, values]) => [name, relativeGap(best, values)]));
}

// A gap's mean over all stocks, its largest, and its means over the stocks of each size.
function sumUp(gap, totals) {
  const most = totals[totals.length - 1];
  const [sums, counts] = [new Float64Array(most + 1), new Float64Array(most + 1)];
  let largest = 0;
  for (let x = 0; x < gap.length; x++) {
    sums[totals[x]] += gap[x];
    counts[totals[x]]++;
    largest = Math.max(largest, gap[x]);
  }
  const bySize = [...sums.map((total, n) => total / counts[n])];
  return { mean: sum([...sums]) / gap.length, largest, bySize };
}

// Every rule's gaps, summed up: the shop stays as it is while the units in stock are dragged.
const summedUp = last((m, mean, s, θ, r, periods) => {
  const model = createModel({ m, k: MOST + 1, pmf: cutPoisson(mean, 19), s, θ, r });
  return Object.entries(ruleGaps(model, periods)).map(([name, gap]) =>
    ({ name, ...LOOKS[name], ...sumUp(gap, grid(model).totals) }));
});

// The end of an axis: 20 %, or twice as much as often as it takes.
const endOf = (most) => 20 * 2 ** Math.max(0, Math.ceil(Math.log2((100 * most) / 20)));

export const rules = {
  extra: (given) => {
    const values = Array.from({ length: OLDEST * MOST + 1 }, (_, i) => i);
    return [{ name: "units", values, texts: values.map(String), start: given.units }];
  },

  // A shelf of fewer classes holds less.
  mend: ({ m, units }) => (units > m * MOST ? { units: m * MOST } : {}),

  draw(plot, p, given) {
    const found = summedUp(p.m, p.mean, p.salvage, p.disposal, p.price, given.num_periods);
    const [above, below] = plot.begin({ count: 2, ratio: [0.42, 0.48], stacked: true });

    const end = endOf(Math.max(...found.map(({ largest }) => largest)));
    above.axes({
      x: { domain: [0, end], label: "Relative gap (%): mean (dot), largest (bar)" },
      y: { domain: [-0.4, found.length - 0.1], label: "", values: [] },
    });
    found.forEach(({ name, color, dash, mean, largest }, i) => {
      const y = found.length - 1 - i;
      above.line([[100 * mean, y], [100 * largest, y]], "neutral", { width: 1 });
      above.line([[0, y], [100 * mean, y]], color, { dash, width: 2.4 });
      above.line([[100 * largest, y - 0.22], [100 * largest, y + 0.22]], color, { width: 3 });
      above.dots([[100 * mean, y]], color, { radius: 5 });
      above.text(0, y, name, color, { dx: 4, dy: -8, free: true });
    });

    const highest = endOf(Math.max(...found.flatMap(({ bySize }) => bySize)));
    below.axes({
      x: { domain: [0, OLDEST * MOST], label: "Units in stock |x|" },
      y: { domain: [0, highest], label: "Mean relative gap (%)" },
    });
    below.rule({ x: p.units }, "neutral");
    for (const { color, dash, bySize } of found)
      below.line(bySize.map((gap, n) => [n, 100 * gap]), color, { dash, width: 2.2 });
    const there = found.map(({ bySize }) => [p.units, 100 * bySize[p.units]]);
    below.dots(there, "total", { radius: 2.5 });
    plot.handle(below, {
      id: "units", label: "units in stock", x: p.units, y: highest, moves: { x: "units" },
      along: "x", color: "neutral",
    });

    const by = Object.fromEntries(found.map((rule) => [rule.name, rule]));
    const best = found.reduce((one, other) => (other.mean < one.mean ? other : one));
    const at = (name) => percent(by[name].bySize[p.units]);
    return `Mean gap: full shelf ${percent(by["full shelf"].mean)}, fluid ` +
      `${percent(by.fluid.mean)}, the best of the five ${percent(best.mean)} (${best.name}). ` +
      `On mornings with ${count(p.units, "unit")}: full shelf ${at("full shelf")}, ` +
      `fluid ${at("fluid")}.`;
  },
};
