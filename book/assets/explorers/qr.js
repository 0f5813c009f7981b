// (Q, r): a lot of Q whenever the inventory position falls to r. As lectures_helpers.classical.qr,
// with Poisson demand: parameters are {D, L, A, H, B}, and costs are without the units' price.
import { cheapestPosition, exceeds, leadTimeDemand, short, stocks } from "./renewal.js";

export const law = ({ D, L }) => leadTimeDemand(D, L);

// Money a year for holding and backorders at an inventory position [g(y)].
export function positionCost({ H, B }, y, N) {
  const waiting = short(N, y);
  return H * Math.max(y - N.mean + waiting, 0) + B * waiting;
}

// Costs of a demand, share of demands filled at once, and means over time.
export function exact(p, Q, r, N = law(p)) {
  const [onHand, backorders] = stocks(N, r + 1, Q);
  const setup = p.A / Q;
  const [holding, backorder] = [(p.H * onHand) / p.D, (p.B * backorders) / p.D];
  let filled = 0;
  for (let y = Math.max(r + 1, 0); y <= r + Q; y++) filled += N.filled[y] ?? 1;
  return {
    setup, holding, backorder, relevant: setup + holding + backorder,
    fillRate: filled / Q, meanOnHand: onHand, meanBackorders: backorders,
  };
}

// Share of time with a net inventory of x.
export const netInventoryPmf = (Q, r, x, N) => (exceeds(N, r - x) - exceeds(N, r + Q - x)) / Q;

// Share of time with at least b customers waiting, b >= 1.
export function waitingTail(Q, r, b, N) {
  let share = 0;
  for (let y = r + 1; y <= r + Q; y++) share += exceeds(N, y + b - 1);
  return share / Q;
}

// The cheapest positions, one more at a time, until `enough` of {low, high, average, next}: their
// ends, what the lot that they make costs a year, and the cost of the next position. Of two that
// cost the same the lower one comes first.
export function cheapestLot(p, N, enough) {
  const cost = (y) => positionCost(p, y, N);
  let low = cheapestPosition(p, N);
  let high = low;
  let average = p.A * p.D + cost(low);
  for (let Q = 1; ; Q++) {
    const [below, above] = [cost(low - 1), cost(high + 1)];
    const lot = { low, high, average, next: Math.min(below, above) };
    if (enough(lot)) return lot;
    average = (Q * average + lot.next) / (Q + 1);
    if (below <= above) low -= 1;
    else high += 1;
  }
}

// The pair of least cost, with the smallest lot: {quantity, reorderPoint, cost of a demand}.
export function optimalPolicy(p, N = law(p)) {
  const { low, high } = cheapestLot(p, N, ({ average, next }) => next >= average);
  const quantity = high - low + 1;
  return { quantity, reorderPoint: low - 1, cost: exact(p, quantity, low - 1, N).relevant };
}

// The best reorder points for lots of 1, ..., most.
export function bestPoints(p, most, N = law(p)) {
  const points = [];
  cheapestLot(p, N, ({ low }) => points.push(low - 1) === most);
  return points;
}

// The textbook's recipe, [Q, r]: Q from the EOQ formula, r from base stock with an exponential law
// of the demand over a lead time; rounded to the nearest integer, halves up.
export function approximatePolicy({ D, L, A, H, B }) {
  const level = D * L * Math.log1p(B / H);
  return [Math.max(1, Math.floor(Math.sqrt((2 * A * D) / H) + 0.5)), Math.floor(level + 0.5)];
}

// Costs a year of all pairs of a map, a row for each lot: sums of neighbours' costs are differences
// of sums from the map's left end on.
export function landscape(p, quantities, points, N = law(p)) {
  const first = points[0] + 1;
  const last = points[points.length - 1] + quantities[quantities.length - 1];
  const sums = [0];
  for (let y = first; y <= last; y++) sums.push(sums[y - first] + positionCost(p, y, N));
  return quantities.flatMap((Q) => points.map((r) =>
    (p.A * p.D + sums[r + Q + 1 - first] - sums[r + 1 - first]) / Q));
}

// How many may wait, so that no more do for `share` of the time.
export function linesNeeded(Q, r, share, N) {
  let b = 0;
  while (waitingTail(Q, r, b + 1, N) > 1 - share) b += 1;
  return b;
}
