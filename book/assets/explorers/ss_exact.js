// What an s–S firm holds and loses in a period of the long run, and how often it restocks: the
// numbers of lectures_helpers.dynamics.ss_exact.flows, by the renewal of a cycle.
//
// What a cycle has sold so far moves in steps D. Its renewal density m solves
// m(u) = f(u) + ∫ f(u - v) m(v) dv, with f that of demand. On a grid the trapezoidal rule does:
// f, and so m, vanish at 0 with all their derivatives, so that only the other end of an integral
// needs a correction. With σ = 0.5, the page's, flows are right to 1e-6; for σ from 0.3 to 0.8 to
// 1e-4 (tests/test_explorers_optimal.py compares).
import { normalCdf } from "./probability.js";

const FINE = 0.12; // steps of the grid, in units of the spread that demand has near its mode
const [LEAST, MOST] = [64, 3000]; // of them in a cycle

export const meanDemand = ({ μ, σ }) => Math.exp(μ + 0.5 * σ * σ);

function demandPdf({ μ, σ }, u) {
  if (u <= 0) return 0;
  const z = (Math.log(u) - μ) / σ;
  return Math.exp(-0.5 * z * z) / (u * σ * Math.sqrt(2 * Math.PI));
}

// Of y units before a period's demand: E (y - D)^+ is left, E (D - y)^+ is short.
const left = (law, y) => partial(law, y, 1);
const short = (law, y) => (y > 0 ? partial(law, y, -1) : meanDemand(law) - y);
function partial(law, y, sign) {
  if (y <= 0) return 0;
  const z = (Math.log(y) - law.μ) / law.σ;
  return sign * (y * normalCdf(sign * z) - meanDemand(law) * normalCdf(sign * (z - law.σ)));
}

// Step times the renewal density at 0, step, ..., count * step.
function renewal(law, step, count) {
  const f = Float64Array.from({ length: count + 1 }, (_, i) => step * demandPdf(law, i * step));
  const m = new Float64Array(count + 1);
  for (let i = 1; i <= count; i++) {
    let total = f[i];
    for (let j = 1; j < i; j++) total += f[i - j] * m[j];
    m[i] = total;
  }
  return m;
}

// The longest step that divides `unit` and resolves the law over a `length`, if not too long.
function stepOf({ μ, σ }, unit, length) {
  const fine = Math.min(FINE * σ * Math.exp(μ - σ * σ), length / LEAST);
  return unit / Math.ceil(unit / Math.max(fine, length / MOST));
}

// The integral of m times g over a cycle from S down by `count` steps, and g at its start: what g
// adds up to in a cycle. `sum` is that of m g over the steps 1, ..., count - 1.
function whole(m, g, count, sum) {
  const [before, end, after] = [-1, 0, 1].map((i) => m[count + i] * g(count + i));
  return g(0) + sum + end / 2 - (after - before) / 24;
}

// In a period of the long run, for one pair of levels.
export function flows({ s, S, μ, σ }) {
  const law = { μ, σ };
  const step = stepOf(law, S - s, S - s);
  const count = Math.round((S - s) / step);
  const m = renewal(law, step, count + 1);
  const total = (g) => {
    let sum = 0;
    for (let i = 1; i < count; i++) sum += m[i] * g(i);
    return whole(m, g, count, sum);
  };
  const periods = total(() => 1);
  return {
    restocks: 1 / periods,
    onHand: total((i) => left(law, S - i * step)) / periods,
    lost: total((i) => short(law, S - i * step)) / periods,
  };
}

// The same for all pairs of `rows` (s) and `columns` (S), increasing numbers that are multiples of
// `unit` apart: arrays with a row for each s. A pair with s >= S has no cycle, and infinite flows.
export function landscape({ μ, σ }, rows, columns, unit) {
  const law = { μ, σ };
  const highest = columns[columns.length - 1];
  const step = stepOf(law, unit, highest - rows[0]);
  const most = Math.round((highest - rows[0]) / step) + 1;
  const m = renewal(law, step, most);
  const [leftOf, shortOf] = [left, short].map((of) =>
    Float64Array.from({ length: most + 1 }, (_, i) => of(law, highest - i * step)));
  const size = rows.length * columns.length;
  const [restocks, onHand, lost] = [0, 1, 2].map(() => new Float64Array(size).fill(Infinity));
  columns.forEach((S, column) => {
    const shift = Math.round((highest - S) / step);
    const [one, its, lacks] = [() => 1, (i) => leftOf[i + shift], (i) => shortOf[i + shift]];
    const sums = [0, 0, 0];
    let i = 1;
    for (let row = rows.length - 1; row >= 0; row--) {
      const count = Math.round((S - rows[row]) / step);
      if (count < 1) continue;
      for (; i < count; i++) {
        sums[0] += m[i];
        sums[1] += m[i] * its(i);
        sums[2] += m[i] * lacks(i);
      }
      const at = row * columns.length + column;
      const periods = whole(m, one, count, sums[0]);
      restocks[at] = 1 / periods;
      onHand[at] = whole(m, its, count, sums[1]) / periods;
      lost[at] = whole(m, lacks, count, sums[2]) / periods;
    }
  });
  return { restocks, onHand, lost };
}
