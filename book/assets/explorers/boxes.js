// Lecture "The newsvendor's risk": box plots of a season's profit, for laws of demand that spread.
import { createDistribution } from "./demand.js";
import { expectedProfit, lossProbability, optimalQuantity, profitQuantile } from "./newsvendor.js";
import { clamp, fixed, number, percent, roundUp } from "./numbers.js";
import { costBelowPrice } from "./order.js";

export const boxes = {
  mend: costBelowPrice,

  draw(plot, p, { mean, probs, scvs }) {
    const params = { ...p, salvage: 0 };
    const all = scvs.map((scv) => {
      const law = createDistribution(p.family, mean, scv);
      const Q = p.share * optimalQuantity(params, law);
      return { law, Q, mean: expectedProfit(params, law, Q),
        quantiles: probs.map((u) => profitQuantile(params, law, Q, u)) };
    });
    const [least, most] = [0, 4].map((i) => all.map(({ quantiles }) => quantiles[i]));
    const low = Math.min(...least);
    const high = roundUp(Math.max(1, ...most));
    const [panel] = plot.begin();
    panel.axes({
      x: {
        domain: [-0.6, scvs.length - 0.4], label: "SCV of demand (before truncation)",
        values: scvs.map((_, i) => i).filter((i) => !plot.narrow || i % 2 === 0),
        format: (i) => String(scvs[i]),
      },
      y: { domain: [low < 0 ? -roundUp(-low) : 0, 1.05 * high], label: "Profit (€)" },
    });
    panel.rule({ y: 0 }, "neutral", { dash: null, width: 0.8 });
    const scale = panel.y.domain()[1] - panel.y.domain()[0];
    all.forEach(({ mean, quantiles: [bottom, q1, median, q3, top] }, i) => {
      const [left, right] = [i - 0.25, i + 0.25];
      const box = [[left, q1], [right, q1], [right, q3], [left, q3], [left, q1]];
      panel.line(box, "total", { width: 1.4 });
      for (const [end, edge] of [[bottom, q1], [top, q3]]) {
        panel.line([[i, edge], [i, end]], "total", { width: 1.4 });
        panel.line([[i - 0.12, end], [i + 0.12, end]], "total", { width: 1.4 });
      }
      panel.line([[left, median], [right, median]], "backorder", { width: 2 });
      const [wide, tall] = [0.1, 0.018 * scale];
      panel.area([[i - wide, mean, mean], [i, mean - tall, mean + tall], [i + wide, mean, mean]],
        "inventory", { opacity: 1 });
    });
    const i = scvs.indexOf(p.scv);
    plot.handle(panel, {
      id: "scv", label: "SCV of demand", x: i, y: panel.y.domain()[0], moves: { x: "scv" },
      along: "x", means: { x: (at) => scvs[clamp(Math.round(at), 0, scvs.length - 1)] },
    });
    const { law, Q, mean: earned } = all[i];
    const whose = p.share === 1 ? "Q* =" : `${percent(p.share, 0)} of Q* are`;
    return `At an SCV of ${p.scv}, ${whose} ${fixed(Q)} units, expected profit ` +
      `${number(earned)} €, probability of a loss ${fixed(lossProbability(params, law, Q), 3)}.`;
  },
};
