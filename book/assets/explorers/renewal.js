// Demand over a lead time, and what follows for a policy, where demand is Poisson, or the times
// between demands are gamma. As lectures_helpers.classical.renewal, but for the last 1e-12, which
// its tables leave out.
import { gammaTails, logGamma } from "./probability.js";

// The law of the demand N over a lead time: `tail` P(N > n), `backorders` E (N - n)⁺ and `filled`
// P(N < n), for n = 0, 1, .... Probabilities come one from the other, from the most likely number
// on, and are sums of positive numbers: all are exact to a few last digits.
export function leadTimeDemand(rate, leadTime) {
  const mean = rate * leadTime;
  const mode = Math.floor(mean);
  const size = Math.floor(mean + 12 * Math.sqrt(mean) + 40);
  const pmf = new Float64Array(size);
  pmf[mode] = 1;
  for (let n = mode + 1; n < size; n++) pmf[n] = (pmf[n - 1] * mean) / n;
  for (let n = mode; n > 0; n--) pmf[n - 1] = (pmf[n] * n) / mean;
  let total = 0;
  for (const p of pmf) total += p;
  const [tail, backorders, filled] = [0, 1, 2].map(() => new Float64Array(size));
  for (let n = size - 2; n >= 0; n--) tail[n] = tail[n + 1] + pmf[n + 1] / total;
  for (let n = size - 2; n >= 0; n--) backorders[n] = backorders[n + 1] + tail[n];
  for (let n = 1; n < size; n++) filled[n] = filled[n - 1] + pmf[n - 1] / total;
  return { rate, mean, tail, backorders, filled };
}

// The same where times between demands are gamma with an SCV: from P(S >= L) and E (L - S)⁺ of
// their sums S, which are gamma, too.
export function gammaLeadTimeDemand(rate, leadTime, scv) {
  const mean = rate * leadTime;
  const x = mean / scv; // the lead time in units of the sums' scale
  const [tail, backorders, filled] = [[], [], []];
  for (let n = 0, waiting = mean; waiting > 0; n++) {
    const [, above] = n ? gammaTails(n / scv, x) : [1, 0];
    const next = waitingFor((n + 1) / scv, x) * scv;
    tail.push(Math.min(waiting - next, tail[n - 1] ?? 1));
    backorders.push(waiting);
    filled.push(above);
    waiting = next;
  }
  for (const table of [tail, backorders]) table.push(0);
  filled.push(1);
  return { rate, mean, tail, backorders, filled };
}

// E (x - S)⁺ of a gamma sum S with a scale of 1; 0 where it is no more than rounding.
function waitingFor(shape, x) {
  const [below] = gammaTails(shape, x);
  const density = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  const value = (x - shape) * below + density;
  return value > 1e-13 * x ? value : 0;
}

// The standard deviation of N.
export const deviation = (N) =>
  Math.sqrt(N.tail.reduce((total, share, n) => total + (2 * n + 1) * share, 0) - N.mean ** 2);

// P(N > n) and E (N - n)⁺ for any integer n.
export const exceeds = (N, n) => (n < 0 ? 1 : N.tail[n] ?? 0);
export const short = (N, n) => (n < 0 ? N.mean - n : N.backorders[n] ?? 0);

// Mean stock on hand and mean backorders over the positions lowest, ..., lowest + lot - 1.
export function stocks(N, lowest, lot) {
  let backorders = 0;
  for (let y = lowest; y < lowest + lot; y++) backorders += short(N, y);
  backorders /= lot;
  return [Math.max(lowest + (lot - 1) / 2 - N.mean + backorders, 0), backorders];
}

// The smallest position that demand exceeds no more often than H / (B + H).
export const cheapestPosition = ({ H, B }, N) => N.tail.findIndex((tail) => tail <= H / (B + H));
