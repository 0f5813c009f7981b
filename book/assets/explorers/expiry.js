// A stock that expires: the model and its dynamic program, as lectures_helpers.expiry (model,
// periods, solver, threshold). A state (x_1, ..., x_m) is a number in base k, the oldest class its
// first digit.
import { poissonPmf } from "./probability.js";

const TIE = 1e-10; // periods.TIES["float64"]: a difference of values that counts as none

// The law of a Poisson demand cut off above `most`.
export function cutPoisson(mean, most) {
  const law = Float64Array.from({ length: most + 1 }, (_, d) => poissonPmf(d, mean));
  const total = law.reduce((a, b) => a + b);
  return law.map((share) => share / total);
}

// The shop of the lectures, with some things changed: {m, k} ages and levels, {pmf} law of demand,
// {s, h, c, r, θ} salvage value, holding and unit cost, price, disposal cost, {α} discount.
export const createModel = (changes = {}) => ({
  m: 4, k: 10, pmf: changes.pmf ?? cutPoisson(8, 19), s: 1, h: 0.5, c: 3, r: 5, θ: 2, α: 0.95,
  ...changes,
});

// Of every state: {parents}, the state without its oldest unit (the empty one is its own), and
// {totals}, how many units it has; and room that `fronts` works in again and again.
const grids = new Map();
export function grid({ m, k }) {
  const name = `${m} ${k}`;
  if (!grids.has(name)) {
    const size = k ** m;
    const parents = new Int32Array(size);
    const totals = new Int32Array(size);
    for (let x = 1, unit = 1; x < size; x++) {
      if (x === unit * k) unit = x; // the place of the oldest class that has any
      parents[x] = x - unit;
      totals[x] = totals[x - unit] + 1;
    }
    const [rise, table, found] = [size, size, k * size].map((n) => new Float64Array(n));
    grids.set(name, { parents, totals, rise, table, found });
  }
  return grids.get(name);
}

// The law of demand D, summed up: {cdf}, {sales} mean of min(D, n), {waste} mean of (n - D)^+.
export function createPeriod({ m, k, pmf }) {
  const size = Math.max((m + 1) * (k - 1), pmf.length - 1);
  const above = new Float64Array(size + 1); // P(D > n), from the right, where it is small
  for (let n = pmf.length - 2; n >= 0; n--) above[n] = above[n + 1] + pmf[n + 1];
  const sales = new Float64Array(size + 1);
  for (let n = 0; n < size; n++) sales[n + 1] = sales[n] + above[n];
  return { cdf: above.map((a) => 1 - a), sales, waste: sales.map((sold, n) => n - sold) };
}

// E V(dep(u, (D - n)^+)) for n = 0, ..., k - 1 units in front of every stock u, at n k^m + u: what
// follows stock y, all of it kept, and an order of q units stands at k y + q. With n + 1 units in
// front of u less its oldest one, the same follows but for demand of n at most (expiry.tensor,
// equation "front").
export function fronts(values, { m, k, pmf }, { cdf }) {
  const size = values.length;
  const { parents, rise, table, found } = grid({ m, k });
  for (let u = 0; u < size; u++) rise[u] = values[u] - values[parents[u]];
  table.set(values); // behind all demand nothing happens
  for (let n = Math.max(pmf.length, k) - 1; n >= 0; n--) {
    const reached = cdf[n];
    if (n < pmf.length - 1)
      for (let unit = size / k; unit >= 1; unit /= k) // the oldest class that has any
        for (let u = unit * k - 1; u >= unit; u--) table[u] = table[u - unit] + reached * rise[u];
    if (n < k) found.set(table, n * size);
  }
  return found; // until the next call
}

// Room for what a period of the dynamic program finds.
const room = (size) => ({
  values: new Float64Array(size), kept: new Float64Array(size),
  depletion: new Int32Array(size), order: new Int32Array(size),
});

// A period of the dynamic program, from V of the next one: in every state {values} of the best
// decision, {depletion} z and {order} q, and {kept}, the value of keeping all with the best order.
export function backup(later, model, period, tie, into = room(later.length)) {
  const { k, s, h, c, r, θ, α } = model;
  const { parents, totals } = grid(model);
  const { values, kept, depletion, order } = into;
  const size = later.length;
  const after = fronts(later, model, period);
  const gains = period.sales.map((sold, n) => r * sold - c * n);
  for (let y = 0; y < size; y++) {
    const total = totals[y];
    const at = y * k;
    let most = after[at] + gains[total];
    for (let q = 1; q < k; q++) {
      const option = after[at + q] + gains[total + q];
      if (option > most) most = option;
    }
    let q = 0;
    while (α * (after[at + q] + gains[total + q]) < α * most - tie) q++;
    const waste = period.waste[Math.floor(at / size)];
    kept[y] = α * (most + c * total - θ * waste) - h * total;
    const parent = parents[y];
    values[y] = y ? Math.max(kept[y], values[parent] + s) : kept[y];
    const keeps = y === 0 || kept[y] >= values[y] - tie;
    depletion[y] = keeps ? 0 : depletion[parent] + 1;
    order[y] = keeps ? q : order[parent];
  }
  return into;
}

// Lower values by that of the empty stock, and return it (periods.relative).
export function lower(values) {
  const empty = values[0];
  for (let x = 0; x < values.length; x++) values[x] -= empty;
  return empty;
}

// What counts as a tie where `values`, that have been lowered, follow a period.
export function tieOf({ m, k, s, h, c, r, θ }, { sales }, values) {
  const [S, H, C, R, Θ] = [s, h, c, r, θ].map(Math.abs);
  let size = 0;
  for (let x = 0; x < values.length; x++) size = Math.max(size, Math.abs(values[x]));
  return TIE * (R * sales[sales.length - 1] + (k - 1) * (C + Θ + m * (H + S)) + size);
}

// What is left at the end is sold off.
export function terminalValues(model) {
  const values = new Float64Array(grid(model).totals);
  for (let x = 0; x < values.length; x++) values[x] *= model.s;
  return values;
}

// Values of the first of some periods, decisions, and the value of keeping all, in every state.
export function solve(model, periods) {
  const period = createPeriod(model);
  let values = terminalValues(model);
  const rooms = [room(values.length), room(values.length)];
  let found = { ...rooms[0], values, kept: values.slice() };
  let lowered = 0;
  for (let t = periods; t > 0; t--) {
    lowered = model.α * lowered;
    found = backup(values, model, period, tieOf(model, period, values), rooms[t % 2]);
    values = found.values;
    if (t > 1) lowered += lower(values);
  }
  for (const some of [found.values, found.kept])
    for (let x = 0; x < some.length; x++) some[x] += lowered;
  return found;
}

// Thresholds from what is depleted in every state: {cards}, for each class, the oldest first, how
// many units of it are kept given the newer classes; and {wrong}, the first state where depletion
// is not of this form, with what it {is} there and what the cards {give}, or null.
export function readOff(depletion, { m, k }) {
  const cards = [];
  for (let unit = k ** (m - 1); unit >= 1; unit /= k) {
    cards.push(Int32Array.from({ length: unit }, (_, newer) => {
      let kept = 0;
      while (kept + 1 < k && depletion[newer] === 0 && depletion[(kept + 1) * unit + newer] === 0)
        kept++;
      return kept;
    }));
  }
  const give = (x) => {
    // The newest class that holds too much decides; all that is older goes too.
    for (let i = m - 1, unit = 1; i >= 0; i--, unit *= k) {
      const units = Math.floor(x / unit) % k;
      const most = cards[i][x % unit];
      if (units > most) return units - most + grid({ m, k }).totals[Math.floor(x / (unit * k))];
    }
    return 0;
  };
  const x = depletion.findIndex((z, x) => z !== give(x));
  const wrong = x < 0 ? null : { x, is: depletion[x], give: give(x) };
  return { cards, wrong };
}
