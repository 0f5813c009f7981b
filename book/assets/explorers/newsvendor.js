// The newsvendor, exact, as lectures_helpers.classical.newsvendor: parameters are {unit_cost,
// price, salvage}, a law of demand is one of demand.js.
import { cdf, expectedMin, quantile } from "./demand.js";

const TIE = 1e-13; // amounts that differ by less than this share are one: prices are rounded

export const criticalRatio = ({ unit_cost: c, price: p, salvage: v }) => (p - c) / (p - v);

export const optimalQuantity = (params, law) => quantile(law, criticalRatio(params));

const earned = ({ unit_cost: c, price: p, salvage: v }, Q, sold) => (p - v) * sold - (c - v) * Q;

export const expectedProfit = (params, law, Q) => earned(params, Q, expectedMin(law, Q));

export function lossProbability({ unit_cost: c, price: p, salvage: v }, law, Q) {
  const even = ((c - v) / (p - v)) * Q;
  return even > 0 ? cdf(law, even * (1 - TIE)) : 0;
}

export function profitCdf(params, law, Q, x) {
  const { unit_cost: c, price: p, salvage: v } = params;
  const slack = TIE * (Math.abs(x) + (c - v) * Q);
  if (x + slack >= earned(params, Q, Q)) return 1;
  const revenue = x + (c - v) * Q;
  return cdf(law, (revenue < 0 ? Math.min(revenue + slack, 0) : revenue) / (p - v));
}

// The profit at the same quantile of demand.
export const profitQuantile = (params, law, Q, u) =>
  earned(params, Q, Math.min(quantile(law, u), Q));

// The smallest and the largest quantity that earn `share` of the best expected profit; null where
// nothing is best. Expected profit is concave, so that halving finds each on its side of the best.
export function goodQuantities(params, law, share) {
  const best = optimalQuantity(params, law);
  const least = share * expectedProfit(params, law, best);
  if (!(least > 0)) return null;
  const good = (Q) => expectedProfit(params, law, Q) >= least;
  let beyond = 2 * best;
  while (good(beyond)) beyond *= 2;
  return [0, beyond].map((bad) => {
    let inside = best;
    for (let i = 0; i < 40; i++) {
      const middle = 0.5 * (bad + inside);
      if (good(middle)) inside = middle;
      else bad = middle;
    }
    return inside;
  });
}
