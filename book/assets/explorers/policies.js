// Rules of thumb for a stock that expires, and what they are worth in every state: as
// lectures_helpers.expiry.policies and the lecture on them.
import {
  backup, createPeriod, fronts, grid, lower, terminalValues, tieOf,
} from "./expiry.js";

// A shop that faces one period orders up to the smallest level that reaches the critical ratio.
export function newsvendorLevel({ pmf, s, c, r }) {
  const ratio = (r - c) / (r - s);
  let below = 0;
  return pmf.findIndex((share) => (below += share) >= ratio - 1e-12);
}

// Periods of demand that are worth holding, at most m (equation "policies-keep").
export function worthHolding({ m, s, h, c, α }) {
  let periods = 0;
  for (let i = 0, held = 0; i < m; i++) {
    held += h * α ** i;
    if (held <= α ** (i + 1) * c - s) periods++;
  }
  return periods;
}

// To the nearest integer, halves up; a half that is missed in its last digits counts as a half.
const rounded = (x) => Math.floor(Math.round(x * 1e9) / 1e9 + 0.5);

// The rule that plans as if demand were its mean: {z, q} of the first period and, where nothing
// is sold off, the {later} order, in every state.
export function fluidPolicy(model, maxHold = null) {
  const { m, k, pmf } = model;
  const { totals } = grid(model);
  const mean = pmf.reduce((total, share, d) => total + d * share, 0);
  const held = maxHold === null ? Infinity : maxHold * mean;
  const upToMean = (stock) => Math.min(rounded(Math.max(mean - stock, 0)), k - 1);
  const z = totals.map((total, x) => {
    let perish = 0;
    for (let i = 1, unit = totals.length / k, due = 0; i <= m; i++, unit /= k) {
      due += Math.floor(x / unit) % k;
      perish = Math.max(perish, due - i * mean);
    }
    return rounded(perish + Math.max(total - perish - held, 0));
  });
  return { z, q: totals.map((total, x) => upToMean(total - z[x])), later: totals.map(upToMean) };
}

// The rule that orders up to a level and sells off nothing.
export function newsvendorPolicy(model, level) {
  const q = grid(model).totals.map((total) => Math.min(Math.max(level - total, 0), model.k - 1));
  return { z: q.map(() => 0), q, later: q };
}

// A period under a rule, from V of the next one: E[reward + α V(next)] at its z, or where nothing
// is sold off (null), and its q.
export function evaluatePeriod(later, model, period, z, q, into = later.slice()) {
  const { k, s, h, c, r, θ, α } = model;
  const { sales, waste } = period;
  const { parents, totals } = grid(model);
  const after = fronts(later, model, period);
  const size = later.length;
  for (let x = 0; x < size; x++) {
    const sold = z === null ? 0 : z[x];
    let y = x;
    for (let i = 0; i < sold; i++) y = parents[y];
    const earned = r * sales[totals[y] + q[x]] - c * q[x] + after[y * k + q[x]];
    const expired = waste[Math.floor((y * k) / size)];
    into[x] = s * sold - h * totals[y] + α * (earned - θ * expired);
  }
  return into;
}

// V of the second of some periods where nothing is sold off and this is ordered.
export function laterValues(model, order, periods) {
  const period = createPeriod(model);
  const values = terminalValues(model);
  for (let t = 1; t < periods; t++) evaluatePeriod(values, model, period, null, order, values);
  return values;
}

// What a rule is worth over some periods, in every state; `after`: from the second one on.
export const evaluate = (model, { z, q, later }, periods,
  after = laterValues(model, later, periods)) =>
  evaluatePeriod(after, model, createPeriod(model), z, q);

// The same, and decisions, where the first period is the best one if the rule follows.
export function greedy(model, { later }, periods, after = laterValues(model, later, periods)) {
  const period = createPeriod(model);
  const values = after.slice();
  const empty = lower(values);
  const found = backup(values, model, period, tieOf(model, period, values));
  return { ...found, values: found.values.map((value) => value + model.α * empty) };
}

// What is lost of the best earnings, in every state: a share of them where they stay above a
// twentieth of the largest, else of that.
export function relativeGap(best, worth) {
  let [least, largest] = [Infinity, 0];
  for (const value of best) {
    least = Math.min(least, value);
    largest = Math.max(largest, Math.abs(value));
  }
  const isFair = least > largest / 20;
  const floor = Math.max(largest, 1e-9);
  return best.map((value, x) => (value - worth[x]) / (isFair ? value : floor));
}
