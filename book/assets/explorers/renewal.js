// Demand over a lead time, and what follows for a policy, where demand is Poisson.
// As lectures_helpers.classical.renewal, but for the last 1e-12, which its tables leave out.

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
