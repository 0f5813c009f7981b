// Lecture "The newsvendor's risk": where the best order goes as demand spreads.
import { createDistribution } from "./demand.js";
import { criticalRatio, optimalQuantity } from "./newsvendor.js";
import { fixed, linspace, roundUp } from "./numbers.js";
import { costBelowPrice } from "./order.js";

const LINES = [
  ["gamma", "fill-rate", "2 3"],
  ["lognormal", "backorder", "8 2 2 2 2 2"],
  ["normal", "holding", "2 2"],
];
const SCVS = linspace(Math.log(1e-3), Math.log(4), 121).map(Math.exp);

export const spread = {
  mend: costBelowPrice,

  draw(plot, p, { mean }) {
    const params = { ...p, salvage: 0 };
    const order = (family, scv) => optimalQuantity(params, createDistribution(family, mean, scv));
    const curves = LINES.map(([family]) => SCVS.map((scv) => [scv, order(family, scv)]));
    const high = roundUp(Math.max(1.05 * mean, ...curves.flat().map(([, Q]) => Q)));
    const [panel] = plot.begin();
    panel.axes({
      x: {
        domain: [1e-3, 4], log: true, label: "SCV of demand", values: [0.001, 0.01, 0.1, 1],
        format: String,
      },
      y: { domain: [0, 1.05 * high], label: "Best order Q* (units)" },
    });
    panel.rule({ y: mean }, "neutral");
    panel.rule({ x: p.scv }, "neutral", { dash: "1 4" });
    const orders = LINES.map(([family, color, dash], i) => {
      const most = curves[i].reduce((best, point) => (point[1] > best[1] ? point : best));
      panel.line(curves[i], color, { dash });
      const turns = most !== curves[i][0] && most !== curves[i].at(-1);
      if (turns) panel.dots([most], color, { hollow: true });
      const Q = order(family, p.scv);
      panel.dots([[p.scv, Q]], color);
      return `${fixed(Q)} (${family})`;
    });
    const items = LINES.map(([words, color, dash]) => ({ words, color, dash }));
    panel.legend(items, { corner: "bottom left" });
    plot.handle(panel, {
      id: "scv", label: "SCV of demand", x: p.scv, y: 0, moves: { x: "scv" }, along: "x",
    });
    return `Critical ratio ${fixed(criticalRatio(params), 3)}. At an SCV of ${p.scv} the best ` +
      `order is ${orders.join(", ")} units; mean demand is ${fixed(mean)}.`;
  },
};
