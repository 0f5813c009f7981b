// Lecture "The newsvendor": one order, what it earns on average, and the law of its profit.
import { createDistribution } from "./demand.js";
import {
  expectedProfit, goodQuantities, lossProbability, optimalQuantity, profitCdf,
} from "./newsvendor.js";
import { clamp, count, fixed, linspace, number, percent, roundUp } from "./numbers.js";

// Salvage value below cost below price, by half a euro: what is not being moved gives way.
export function inOrder({ unit_cost, price, salvage }, moved) {
  if (moved.includes("price")) {
    unit_cost = Math.min(unit_cost, price - 0.5);
    salvage = Math.min(salvage, unit_cost - 0.5);
  } else if (moved.includes("salvage")) {
    unit_cost = Math.max(unit_cost, salvage + 0.5);
    price = Math.max(price, unit_cost + 0.5);
  } else {
    price = Math.max(price, unit_cost + 0.5);
    salvage = Math.min(salvage, unit_cost - 0.5);
  }
  return { unit_cost, price, salvage };
}

// The same where nothing is salvaged.
export const costBelowPrice = ({ unit_cost, price }, moved) => (unit_cost < price ? {} :
  moved.includes("price") ? { unit_cost: price - 0.5 } : { price: unit_cost + 0.5 });

// The distribution function of profit as a line, from nobody comes to the shelf is sold out.
export function profitLaw(params, law, Q) {
  const lowest = -(params.unit_cost - params.salvage) * Q;
  const highest = (params.price - params.unit_cost) * Q;
  const x = [...linspace(lowest, highest, 161).slice(0, -1), 0].sort((a, b) => a - b);
  const points = x.map((at) => [at, profitCdf(params, law, Q, at)]);
  const soldOut = 1 - profitCdf(params, law, Q, highest - 1e-9 * (highest - lowest));
  points.push([highest, 1 - soldOut], [highest, 1]);
  return { lowest, highest, soldOut, points: [[lowest, 0], ...points] };
}

export const order = {
  mend: inOrder,

  draw(plot, p, { share }) {
    const Q = p.quantity;
    const law = createDistribution(p.family, p.mean, p.scv);
    const best = optimalQuantity(p, law);
    const [earned, most] = [Q, best].map((q) => expectedProfit(p, law, q));
    const [loss, leastLoss] = [Q, best].map((q) => lossProbability(p, law, q));
    const good = goodQuantities(p, law, share);
    const [left, right] = plot.begin({ count: 2, ratio: 0.95 });
    const high = roundUp(Math.max(most, 1));
    const low = -0.6 * high;
    left.axes({
      x: { domain: [0, 500], label: "Quantity Q (units)" },
      y: { domain: [low, 1.1 * high], label: "Expected profit (€)" },
    });
    if (good && best >= 0.5) {
      left.area(good.map((q) => [q, low, 1.1 * high]), "inventory", { opacity: 0.14 });
      const words = `${percent(share, 0)} of the best`;
      left.text(Math.min(good[1], 500), low, words, "inventory", { dy: -26 });
    }
    left.rule({ y: 0 }, "neutral", { dash: null, width: 0.8 });
    left.line(linspace(0, 500, 251).map((q) => [q, expectedProfit(p, law, q)]), "total");
    left.dots([[best, most]], "inventory", { radius: 5 });
    const name = `Q* = ${fixed(best)}`;
    if (best > 500) left.text(500, most, `${name} →`, "inventory", { anchor: "end" });
    else left.text(best, most, name, "inventory", { anchor: "middle", dx: 0, dy: -10 });
    left.rule({ x: Q }, "neutral");
    left.text(Q, low, `Q = ${fixed(Q)}`, "neutral", { dy: -8 });
    plot.handle(left, {
      id: "quantity", label: "Quantity Q", x: Q, y: clamp(earned, low, 1.1 * high),
      moves: { x: "quantity" }, along: "x",
    });
    right.axes({
      x: {
        domain: [-roundUp(500 * (p.unit_cost - p.salvage)), roundUp(500 * (p.price - p.unit_cost))],
        label: "Profit of a season x (€)",
      },
      y: { domain: [0, 1.04], label: "P(profit ≤ x)" },
    });
    right.line(profitLaw(p, law, best).points, "inventory", { dash: "5 3", width: 1.4 });
    const { points, highest, soldOut } = profitLaw(p, law, Q);
    right.line(points.filter(([x]) => x <= 0), "backorder", { width: 2.4 });
    right.line(points.filter(([x]) => x >= 0), "total");
    right.rule({ x: earned }, "total", { dash: "1 4" });
    right.dots([[0, loss]], "backorder");
    right.text(0, loss, `loss ${percent(loss)}`, "backorder", { dx: 9, dy: loss < 0.1 ? -8 : 16 });
    if (Q > 0) {
      const side = right.x(highest) + 62 > right.right + 14 ? { anchor: "end", dx: -6 } : {};
      right.text(highest, 1 - soldOut / 2, "sold out", "total", { ...side, dy: -2 });
      right.text(highest, 1 - soldOut / 2, percent(soldOut), "total", { ...side, dy: 14 });
    }
    right.legend([
      { words: `Q = ${fixed(Q)}`, color: "total" },
      { words: "Q*", color: "inventory", dash: "5 3" },
    ], { corner: "top left" });
    const here = Q === 0
      ? "No order earns nothing and loses nothing"
      : `An order of ${count(Q, "unit")} earns ${number(earned)} € on average and loses money in ` +
        `${percent(loss)} of seasons`;
    return here + (best < 0.5
      ? "; the best is to order nothing, or next to it."
      : `; the best, ${fixed(best)}, earns ${number(most)} € and loses in ${percent(leastLoss)}.`);
  },
};
