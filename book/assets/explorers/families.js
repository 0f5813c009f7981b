// Lecture "The newsvendor": what one order earns for laws of demand with one mean and one SCV.
import { createDistribution } from "./demand.js";
import { expectedProfit, optimalQuantity } from "./newsvendor.js";
import { fixed, linspace, roundUp } from "./numbers.js";
import { costBelowPrice } from "./order.js";

const COLORS = ["inventory", "demand", "setup", "fill-rate", "backorder", "holding"];
const DASHES = [null, "6 3", "8 3 2 3", "2 3", "8 2 2 2 2 2", "2 2"];

// Where a number is least and where it is largest; the first of equals.
const ends = (lines, name) => [-1, 1].map((way) =>
  lines.reduce((best, line) => (way * line[name] > way * best[name] ? line : best)));

export const families = {
  mend: costBelowPrice,

  draw(plot, p, { families, mean }) {
    const params = { ...p, salvage: 0 };
    const Q = p.quantity;
    const lines = families.map((family, i) => {
      const law = createDistribution(family, mean, p.scv);
      const best = optimalQuantity(params, law);
      const most = expectedProfit(params, law, best);
      const missed = most - expectedProfit(params, law, Q);
      return { family, law, best, most, missed, color: COLORS[i % 6], dash: DASHES[i % 6] };
    });
    const high = roundUp(Math.max(1, ...lines.map(({ most }) => most)));
    const [panel] = plot.begin();
    panel.axes({
      x: { domain: [0, 600], label: "Quantity Q (units)" },
      y: { domain: [-0.8 * high, 1.05 * high], label: "Expected profit (€)" },
    });
    panel.rule({ y: 0 }, "neutral", { dash: null, width: 0.8 });
    panel.rule({ x: Q }, "neutral");
    for (const { law, best, most, color, dash } of lines) {
      const curve = linspace(0, 600, 121).map((q) => [q, expectedProfit(params, law, q)]);
      panel.line(curve, color, { dash });
      panel.dots([[best, most]], color, { radius: 5 });
    }
    panel.legend(lines.map(({ family, best, color, dash }) => ({
      words: plot.narrow ? family : `${family}, Q* = ${fixed(best)}`, color, dash,
    })), { corner: "bottom left", columns: 2 });
    panel.text(Q, 1.05 * high, `Q = ${fixed(Q)}`, "neutral", { dy: 8 });
    plot.handle(panel, {
      id: "quantity", label: "Quantity Q", x: Q, y: 0, moves: { x: "quantity" }, along: "x",
    });
    const [smallest, largest] = ends(lines, "best");
    const [least, worst] = ends(lines, "missed");
    return `Q* goes from ${fixed(smallest.best)} (${smallest.family}) to ${fixed(largest.best)} ` +
      `units (${largest.family}). An order of ${fixed(Q)} misses ${fixed(least.missed)} € of the ` +
      `best profit if demand is ${least.family}, and ${fixed(worst.missed)} € if it is ` +
      `${worst.family}.`;
  },
};
