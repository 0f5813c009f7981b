// Base stock: one unit is ordered whenever one is demanded, up to the level R. As
// lectures_helpers.classical.base_stock, with the law N of demand over a lead time from renewal.js;
// costs are per demand, without the unit's price.
import { gammaQuantile } from "./probability.js";
import { cheapestPosition, exceeds, stocks } from "./renewal.js";

// Long-run performance of a level, with holding cost H and backorder cost B a unit and year.
export function exact({ H, B }, N, R) {
  const [onHand, backorders] = stocks(N, R, 1);
  const holding = (H * onHand) / N.rate;
  const backorder = (B * backorders) / N.rate;
  return {
    holding, backorder, relevant: holding + backorder, onHand, backorders,
    fillRate: N.filled[R] ?? 1,
    readyRate: 1 - exceeds(N, R - 1),
  };
}

// The derivative of the cost with respect to the lead time, a year of it, with Poisson demand.
export const leadTimeSlope = ({ H, B }, N, R) => {
  const { fillRate } = exact({ H, B }, N, R);
  return -H * fillRate + B * (1 - fillRate);
};

// Share of time with 0, 1, ..., most customers waiting.
export const backorderPmf = (N, R, most) => Float64Array.from({ length: most + 1 }, (_, b) =>
  b === 0 ? 1 - exceeds(N, R) : exceeds(N, R + b - 1) - exceeds(N, R + b));

// The smallest level of least cost.
export const optimalLevel = cheapestPosition;

// The textbook's formula, not rounded: gamma times between demands stand in for the demand.
export function approximateLevel({ H, B }, N, scv = 1) {
  const ratio = B / (B + H);
  return scv === 1 ? -N.mean * Math.log1p(-ratio) : gammaQuantile(ratio, 1 / scv, N.mean * scv);
}
