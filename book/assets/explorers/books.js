// Lecture "The newsvendor's risk": the law of a season's profit, as bars and as a curve.
import { createDistribution } from "./demand.js";
import { expectedProfit, lossProbability, profitCdf, profitQuantile } from "./newsvendor.js";
import { fixed, number, roundUp } from "./numbers.js";
import { profitLaw } from "./order.js";

export const books = {
  draw(plot, p, { unit_cost, mean }) {
    const Q = p.quantity;
    const params = { unit_cost, price: p.price, salvage: 0 };
    const law = createDistribution(p.family, mean, (p.std / mean) ** 2);
    const { lowest, highest, soldOut, points } = profitLaw(params, law, Q);
    const [from, to] = [-roundUp(500 * unit_cost), roundUp(500 * (p.price - unit_cost))];
    const width = roundUp((to - from) / 50);
    const bars = [];
    for (let at = Math.floor(lowest / width) * width; at < highest; at += width) {
      const before = at > lowest ? profitCdf(params, law, Q, at) : 0;
      const end = Math.min(at + width, highest);
      const until = end < highest ? profitCdf(params, law, Q, end) : 1 - soldOut;
      bars.push([at, at + width, until - before]);
    }
    const earned = expectedProfit(params, law, Q);
    const loss = lossProbability(params, law, Q);
    const x = { domain: [from, to], label: "Profit x (€)" };
    const [top, bottom] = plot.begin({ count: 2, stacked: true, ratio: 0.34 });
    const high = roundUp(Math.max(soldOut, ...bars.map(([, , share]) => share)));
    top.axes({ x, y: { domain: [0, 1.06 * high], label: "Share of seasons" } });
    top.bars(bars.filter(([at]) => at < 0), "backorder");
    top.bars(bars.filter(([at]) => at >= 0), "total", { opacity: 0.5 });
    top.bars([[highest, highest + width, soldOut]], "total", { opacity: 0.9 });
    top.text(highest, soldOut, "sold out", "total", { anchor: "end", dx: -6, dy: 12 });
    bottom.axes({ x, y: { domain: [0, 1.04], label: "P(profit ≤ x)" } });
    bottom.line(points.filter(([x]) => x <= 0), "backorder", { width: 2.4 });
    bottom.line(points.filter(([x]) => x >= 0), "total");
    bottom.dots([[0, loss]], "backorder");
    bottom.text(0, loss, `P(loss) = ${fixed(loss, 3)}`, "backorder", { dx: 9, dy: loss < 0.1 ? -8 : 16 });
    for (const panel of [top, bottom]) panel.rule({ x: earned }, "total", { dash: "1 4" });
    plot.handle(bottom, {
      id: "quantity", label: "Quantity Q, by the profit of a sold-out season",
      x: highest, y: 1 - soldOut / 2, moves: { x: "quantity" }, along: "x",
      means: { x: (profit) => profit / (p.price - unit_cost) },
    });
    return `At Q = ${fixed(Q)} a loss has probability ${fixed(loss, 3)}, a sold-out season ` +
      `${fixed(soldOut, 3)}; expected profit (dotted) is ${number(earned)} €, the median ` +
      `${number(profitQuantile(params, law, Q, 0.5))} €.`;
  },
};
