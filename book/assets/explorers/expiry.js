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
// {totals}, how many units it has.
const grids = new Map();
export function grid({ m, k }) {
  const name = `${m} ${k}`;
  if (!grids.has(name)) {
    const parents = new Int32Array(k ** m);
    const totals = new Int32Array(k ** m);
    for (let x = 1, unit = 1; x < k ** m; x++) {
      if (x === unit * k) unit = x; // the place of the oldest class that has any
      parents[x] = x - unit;
      totals[x] = totals[x - unit] + 1;
    }
    grids.set(name, { parents, totals });
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
  const { parents } = grid({ m, k });
  const rise = values.map((value, u) => value - values[parents[u]]);
  const table = Float64Array.from(values); // behind all demand nothing happens
  const found = new Float64Array(k * size);
  for (let n = Math.max(pmf.length, k) - 1; n >= 0; n--) {
    if (n < pmf.length - 1)
      for (let unit = size / k; unit >= 1; unit /= k) // the oldest class that has any
        for (let u = unit * k - 1; u >= unit; u--) table[u] = table[u - unit] + cdf[n] * rise[u];
    if (n < k) found.set(table, n * size);
  }
  return found;
}

// A period of the dynamic program, from V of the next one: in every state {values} of the best
// decision, {depletion} z and {order} q, and {kept}, the value of keeping all with the best order.
export function backup(values, model, period, tie) {
  const { k, s, h, c, r, θ, α } = model;
  const { parents, totals } = grid(model);
  const size = values.length;
  const after = fronts(values, model, period);
  const kept = new Float64Array(size);
  const best = new Float64Array(size);
  const depletion = new Int32Array(size);
  const order = new Int32Array(size);
  const options = new Float64Array(k);
  for (let y = 0; y < size; y++) {
    let most = -Infinity;
    for (let q = 0; q < k; q++) {
      options[q] = after[y * k + q] + r * period.sales[totals[y] + q] - c * q;
      if (options[q] > most) most = options[q];
    }
    let q = 0;
    while (α * options[q] < α * most - tie) q++;
    kept[y] = α * (most - θ * period.waste[Math.floor((y * k) / size)]) - h * totals[y];
    const parent = parents[y];
    best[y] = y ? Math.max(kept[y], best[parent] + s) : kept[y];
    const keeps = y === 0 || kept[y] >= best[y] - tie;
    depletion[y] = keeps ? 0 : depletion[parent] + 1;
    order[y] = keeps ? q : order[parent];
  }
  return { values: best, depletion, order, kept };
}

// Values less that of the empty stock, and that one.
export const relative = (values) =>
  ({ values: values.map((value) => value - values[0]), empty: values[0] });

// What counts as a tie where `values`, relative ones, follow a period.
export function tieOf({ m, k, s, h, c, r, θ }, { sales }, values) {
  const [S, H, C, R, Θ] = [s, h, c, r, θ].map(Math.abs);
  const size = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return TIE * (R * sales[sales.length - 1] + (k - 1) * (C + Θ + m * (H + S)) + size);
}

// What is left at the end is sold off.
export const terminalValues = (model) => Float64Array.from(grid(model).totals, (n) => model.s * n);

// Values of the first of some periods, decisions, and the value of keeping all, in every state.
export function solve(model, periods) {
  const period = createPeriod(model);
  let values = terminalValues(model);
  let found = { values, depletion: values.map(() => 0), order: values.map(() => 0), kept: values };
  let lowered = 0;
  for (let t = periods; t > 0; t--) {
    found = backup(values, model, period, tieOf(model, period, values));
    const { values: next, empty } = relative(found.values);
    values = next;
    lowered = (t > 1 ? empty : 0) + model.α * lowered;
  }
  const whole = (some) => some.map((v) => v + lowered);
  return { ...found, values: whole(found.values), kept: whole(found.kept) };
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
