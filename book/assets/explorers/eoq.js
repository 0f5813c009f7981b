// Lots that come at once: demand D a year, A € a lot, H € a unit and year, lots of Q units.
// As lectures_helpers.classical.eoq; costs in € per unit sold, without the unit's price.
import { gammaQuantile } from "./probability.js";
import { uniform } from "./random.js";

export const optimalQuantity = ({ D, A, H }) => Math.sqrt((2 * A * D) / H);

// The smallest whole Q with Q (Q + 1) >= 2 A D / H.
export function optimalUnitQuantity({ D, A, H }) {
  const square = (2 * A * D) / H;
  let Q = Math.max(1, Math.floor(Math.sqrt(square + 0.25) - 0.5) - 1);
  while (Q * (Q + 1) < square * (1 - 1e-14)) Q++;
  return Q;
}

// Units sold one at a time, so that Q + 1 halves are in stock on average.
export function unitDemandCost({ D, A, H }, Q) {
  const setup = A / Q;
  const holding = (H * ((Q + 1) / 2)) / D;
  return { setup, holding, relevant: setup + holding };
}

// Stock that starts at Q, at dates: the start, and each of `count` sales. Times between them are
// gamma with mean 1 / D: quantiles of a key's uniforms, each taken in the middle of its step.
export function stockPath({ scv, Q, D }, of, count) {
  const dates = new Float64Array(count + 1);
  gaps(scv, of, count).forEach((gap, j) => (dates[j + 1] = dates[j] + gap / D));
  return { dates, stock: Float64Array.from(dates, (_, j) => Q - (j % Q)) };
}

// Of the last law and key only: Q and D move without asking for quantiles again.
let last = {};
function gaps(scv, of, count) {
  const asked = [scv, count, ...of].join();
  if (last.asked !== asked) {
    const some = uniform(of, count).map((u) => gammaQuantile(u + 2 ** -24, 1 / scv, scv));
    last = { asked, some };
  }
  return last.some;
}

// Over the whole lots of a path: their number, the mean stock, and the share of time that the
// stock is in each tenth of the shelf, from the lowest. Q is a multiple of 10.
export function shelfTimes({ dates, stock }, Q) {
  const lots = Math.floor((dates.length - 1) / Q);
  const end = dates[lots * Q];
  const shares = new Float64Array(10);
  let mean = 0;
  for (let j = 0; j < lots * Q; j++) {
    const share = (dates[j + 1] - dates[j]) / end;
    shares[Math.ceil((10 * stock[j]) / Q) - 1] += share;
    mean += stock[j] * share;
  }
  return { lots, mean, shares };
}
