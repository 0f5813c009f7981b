// The exact law of s–S inventory: that of X_t, of its long run, and of the number of restocks, as
// lectures_helpers.dynamics.ss_exact has them, by a chain of 200 cells from s to S.
//
// Between two restocks stock only falls. So all follows from F_k(v) = P(D_1 + ... + D_k <= v), the
// chance that k demands take no more than v units, by renewal: F_k(v) = E F_{k-1}(v - D), where
// F_{k-1} is a cubic between the points of a grid and the mean over demand is exact.
//
// For S from 60 to 120, μ = 1 and σ from 0.3 to 1.2 that is off by 1e-3 at most in a probability
// (if all start within two cells of s, at date 2; else by 1e-4 or less), by 5e-4 S in a moment, 2 %
// of the highest density in a density, and 3e-5 in the law of counts
// (tests/test_explorers_dynamics.py compares).
import { last } from "./numbers.js";
import { normalCdf, normalPdf } from "./probability.js";

const CELLS = 200;
const BEYOND = 2; // points of the grid past its end, for slopes there
const ENDS = [95 / 288, 317 / 240, 23 / 30, 793 / 720, 157 / 160]; // Gregory's weights at an end
const [NEVER, TINY] = [1e-10, 1e-13]; // chances that are not carried on, in all and at a point
const [FAR, NODES] = [6, 96]; // standard deviations and steps of Simpson's rule over log demand

// P(D >= u), the density at u, and E [Dⁿ; D <= u].
const survival = ({ μ, σ }, u) => (u > 0 ? normalCdf((μ - Math.log(u)) / σ) : 1);
const pdf = ({ μ, σ }, u) => (u > 0 ? normalPdf((Math.log(u) - μ) / σ) / (u * σ) : 0);
const moment = ({ μ, σ }, u, n) =>
  u > 0 ? Math.exp(n * μ + 0.5 * (n * σ) ** 2) * normalCdf((Math.log(u) - μ) / σ - n * σ) : 0;

// Lagrange's polynomials of the nodes -1, 0, 1, 2, and of 0, 1, 2, 3: their coefficients.
const INSIDE = [
  [0, -1 / 3, 1 / 2, -1 / 6], [1, -1 / 2, -1, 1 / 2], [0, 1, 1 / 2, -1 / 2], [0, -1 / 6, 0, 1 / 6],
];
const AT_END = [
  [1, -11 / 6, 1, -1 / 6], [0, 3, -5 / 2, 1 / 2], [0, -3 / 2, 2, -1 / 2], [0, 1 / 3, -1 / 2, 1 / 6],
];

// What demand does to a function on the grid: its mean is a sum with these weights.
function kernel(params, step, count) {
  const weights = new Float64Array(count + 4);
  let before = [0, 0, 0, 0];
  for (let j = 0; j <= count; j++) {
    const now = [0, 1, 2, 3].map((n) => moment(params, (j + 1) * step, n));
    const [m0, m1, m2, m3] = now.map((m, n) => (m - before[n]) / step ** n);
    // Moments of D / step - j while that is in its cell.
    const inside = [
      m0, m1 - j * m0, m2 - 2 * j * m1 + j * j * m0,
      m3 - 3 * j * m2 + 3 * j * j * m1 - j ** 3 * m0,
    ];
    (j ? INSIDE : AT_END).forEach((polynomial, node) => {
      const weight = polynomial.reduce((total, c, n) => total + c * inside[n], 0);
      weights[j + node - (j ? 1 : 0)] += weight;
    });
    before = now;
  }
  return weights;
}

// What is the same for all starts: the grid of stocks, from S down to s; tables `sold`[k] = F_k at
// the units that they are below S, and `slopes` of these; and `teeth`[k], the chance that a tooth
// lasts k periods.
const chain = last((s, S, μ, σ) => {
  const params = { s, S, μ, σ };
  const step = (S - s) / CELLS;
  const size = CELLS + 1 + BEYOND;
  const weights = kernel(params, step, size);
  let reach = size - 1;
  while (Math.abs(weights[reach]) < TINY) reach -= 1;
  const one = Float64Array.from({ length: size }, (_, i) => 1 - survival(params, i * step));
  const sold = [new Float64Array(size).fill(1), one];
  for (let least = 1; sold.at(-1)[CELLS] > NEVER;) {
    const before = sold.at(-1);
    const after = new Float64Array(size);
    while (before[least] < TINY) least += 1;
    for (let i = least; i < size; i++) {
      const last = Math.min(reach, i - least);
      let total = 0;
      for (let j = 0; j <= last; j++) total += weights[j] * before[i - j];
      after[i] = total;
    }
    sold.push(after);
  }
  const slopes = sold.map((F, k) => Float64Array.from({ length: CELLS + 1 }, (_, i) => {
    if (k < 2) return k * pdf(params, i * step);
    const [a, b] = [F[i - 2] ?? 0, F[i - 1] ?? 0];
    return (a - 8 * b + 8 * F[i + 1] - F[i + 2]) / (12 * step);
  }));
  const stocks = Float64Array.from({ length: CELLS + 1 }, (_, i) => S - i * step);
  const ends = Float64Array.from(stocks, (_, i) => step * (ENDS[i] ?? ENDS[CELLS - i] ?? 1));
  return { params, step, sold, slopes, stocks, ends, teeth: lengths(sold.map((F) => F[CELLS])) };
});
const chainOf = ({ s, S, μ, σ }) => chain(s, S, μ, σ);

// From the chances that k demands take no more than there is: that the k-th is the first that does.
const lengths = (sold) => sold.map((F, k) => (k ? sold[k - 1] - F : 0));

// A function on the grid that is 0 up to 0, at v: a cubic between four points.
function at(values, step, v) {
  if (v <= 0) return 0;
  const i = Math.min(Math.floor(v / step), values.length - 3);
  const θ = v / step - i;
  const [a, b, c, d] = [values[i - 1] ?? 0, values[i], values[i + 1], values[i + 2]];
  const [one, two, three] = [c - a / 3 - b / 2 - d / 6, (a + c) / 2 - b, (b - c) / 2 + (d - a) / 6];
  return b + θ * (one + θ * (two + θ * three));
}

// F_k(v), and its slope, from their tables.
const soldBy = ({ params, step }, F, k, v) =>
  k === 0 ? 1 : k === 1 ? 1 - survival(params, v) : at(F[k], step, v);
const slopeBy = ({ params, step }, f, k, v) => (k === 1 ? pdf(params, v) : at(f[k], step, v));

// The chances of the lengths of the first tooth, from a stock above s.
const firstTooth = (of, stock) =>
  lengths(of.sold.map((_, k) => soldBy(of, of.sold, k, stock - of.params.s)));

// P(X_t <= s), the share of firms that restock, at dates 0 to T, if all start at x_init <= S.
export function restocking(params, x_init, T) {
  const { s, S } = params;
  const of = chainOf(params);
  const first = firstTooth(of, x_init <= s ? S : x_init);
  const waiting = new Float64Array(T + 1);
  waiting[0] = Number(x_init <= s);
  for (let t = 1; t <= T; t++) {
    let total = first[t] ?? 0;
    for (let k = 1; k < Math.min(t, of.teeth.length); k++) total += of.teeth[k] * waiting[t - k];
    waiting[t] = total;
  }
  return waiting;
}
const waitingOf = last((of, x_init, T) => restocking(of.params, x_init, T));

// The same firms, with what all their laws need; `waiting` reaches to date t or beyond.
function run(params, x_init, t) {
  const of = chainOf(params);
  const waiting = waitingOf(of, x_init, 128 * Math.ceil((t + 1) / 128));
  return { of, waiting, start: x_init <= params.s ? params.S : x_init };
}

// P(X_t >= y) at every `every`th stock y of the grid; or, from slopes, the density there.
function above({ of, start, waiting }, t, table, by, every = 1) {
  const values = new Float64Array(Math.floor(CELLS / every) + 1);
  const most = Math.min(t, table.length);
  for (let i = 0; i < values.length; i++) {
    const v = i * every;
    let total = t < table.length ? by(of, table, t, start - of.stocks[v]) : 0;
    for (let k = 1; k < most; k++) total += table[k][v] * waiting[t - k];
    values[i] = total;
  }
  return values;
}
const tables = (firms, t) => ({
  standing: above(firms, t, firms.of.sold, soldBy),
  density: above(firms, t, firms.of.slopes, slopeBy),
});

// The highest density above s at date t, of every eighth stock.
export function peak(params, x_init, t) {
  const firms = run(params, x_init, t);
  return Math.max(...above(firms, t, firms.of.slopes, slopeBy, 8));
}

// The law of X_t for t >= 1, of firms that start at x_init <= S.
export function marginal(params, x_init, t) {
  const firms = run(params, x_init, t);
  const { of, start, waiting } = firms;
  const nobody = new Float64Array(CELLS + 1);
  const before = t === 1
    ? { standing: nobody, density: nobody, place: start, mass: 1 }
    : { ...tables(firms, t - 1), place: params.S, mass: waiting[t - 1] };
  return law(of, { ...tables(firms, t), waiting: waiting[t] }, before);
}

export function stationary(params) {
  const of = chainOf(params);
  const waiting = 1 / of.teeth.reduce((total, q, k) => total + k * q, 0);
  const [standing, density] = [of.sold, of.slopes].map((table) => of.stocks.map((_, i) =>
    waiting * table.reduce((total, F, k) => total + (k ? F[i] : 0), 0)));
  const now = { standing, density, waiting };
  return law(of, now, { ...now, place: params.S, mass: waiting });
}

// A law from that of the stock Y that demand met: firms above s, and a `mass` of them at one place.
function law({ params, step, stocks, ends }, now, before) {
  const { s, S, μ, σ } = params;
  const { place, mass } = before;
  const known = mass < 1 ? s : Infinity; // from here on stocks stand in the tables
  const alive = before.standing[CELLS];
  // E g(Y), by parts for firms above s, from g and its slope.
  const mean = (g, slope) => before.standing.reduce(
    (total, U, i) => total - (alive - U) * ends[i] * slope(stocks[i]),
    mass * g(place) + alive * g(S),
  );
  const left = (y) => y * moment(params, y, 0) - moment(params, y, 1);
  const square = (y) => y * (left(y) - moment(params, y, 1)) + moment(params, y, 2);
  const first = mean(left, (y) => moment(params, y, 0));
  const second = mean(square, (y) => 2 * left(y));
  // E [g(S - x - D); x + D > s] for a stock x of at most s.
  const through = (x, g) => {
    const from = Math.max(-FAR, (Math.log(Math.max(s - x, 0)) - μ) / σ);
    const h = Math.max(FAR - from, 0) / NODES;
    let total = 0;
    for (let i = 0; i <= NODES; i++) {
      const weight = i % NODES ? (i % 2 ? 4 : 2) : 1;
      total += weight * normalPdf(from + i * h) * g(S - x - Math.exp(μ + σ * (from + i * h)));
    }
    return (total * h) / 3;
  };
  return {
    mean: first,
    std: Math.sqrt(Math.max(second - first * first, 0)),
    waiting: now.waiting,
    above: Array.from(stocks, (x, i) => [x, now.density[i]]).reverse(), // [stock, density], from s
    // The density at a stock x > 0, and P(X <= x).
    density: (x) => (x >= known ? at(now.density, step, S - x) :
      mass * pdf(params, place - x) + through(x, (v) => at(before.density, step, v))),
    cdf: (x) => (x >= known ? 1 - at(now.standing, step, S - x) :
      mass * survival(params, place - x) + through(x, (v) => alive - at(before.standing, step, v))),
  };
}

// What a law, of a date or of the long run (t = null), says at some stocks.
export function tabulate(params, x_init, t, stocks) {
  const { cdf, density, ...known } = t === null ? stationary(params) : marginal(params, x_init, t);
  return { ...known, cdf: stocks.map(cdf), density: stocks.map(density) };
}

// A cross-section at date t, drawn by uniform numbers in increasing order: how many firms are in
// each of `bins` from 0 to S, their mean and their standard deviation. The distribution function is
// taken for straight within a quarter of a bin.
export function crossSection(params, x_init, t, uniforms, bins) {
  const { cdf } = marginal(params, x_init, t);
  const step = params.S / (4 * bins);
  const F = Float64Array.from({ length: 4 * bins + 1 }, (_, i) => cdf(i * step));
  F[4 * bins] = 1;
  const counts = new Float64Array(bins);
  let [part, total, squares] = [0, 0, 0];
  for (const u of uniforms) {
    while (u > F[part + 1]) part += 1;
    const x = u <= F[0] ? 0 : step * (part + (u - F[part]) / (F[part + 1] - F[part]));
    counts[Math.floor(part / 4)] += 1;
    total += x;
    squares += x * x;
  }
  const mean = total / uniforms.length;
  return { counts, mean, std: Math.sqrt(Math.max(squares / uniforms.length - mean * mean, 0)) };
}

// The chances of 0, 1, ..., T restocks in the periods 0 to T - 1.
export function restockPmf(params, x_init, T) {
  const of = chainOf(params);
  const { teeth } = of;
  const first = x_init <= params.s ? [1] : firstTooth(of, x_init);
  let dates = Float64Array.from({ length: T }, (_, t) => first[t] ?? 0); // of the next restock
  const pmf = new Float64Array(T + 1);
  for (let n = 0, before = 1; n <= T && before > NEVER; n++) {
    const now = dates.reduce((total, q) => total + q, 0);
    pmf[n] = Math.max(before - now, 0);
    before = now;
    const next = new Float64Array(T);
    for (let k = 1; k < Math.min(teeth.length, T); k++)
      for (let t = 0; t + k < T; t++) next[t + k] += teeth[k] * dates[t];
    dates = next;
  }
  return pmf;
}

// P(N >= least) for the number N of restocks in the periods 0 to T - 1, from each of some stocks.
export function atLeast(params, stocks, T, least) {
  if (least === 0) return stocks.map(() => 1);
  const of = chainOf(params);
  const { teeth } = of;
  // chance[t]: that least - 1 teeth end at date T - 1 or before, from a restock at date t.
  let chance = new Float64Array(T).fill(1);
  for (let n = 1; n < least; n++) {
    const after = chance;
    chance = chance.map((_, t) => {
      let total = 0;
      for (let k = 1; k < Math.min(teeth.length, T - t); k++) total += teeth[k] * after[t + k];
      return total;
    });
  }
  return stocks.map((x) => (x <= params.s ? chance[0] :
    firstTooth(of, x).reduce((total, q, t) => total + q * (chance[t] ?? 0), 0)));
}
