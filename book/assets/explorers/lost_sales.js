// Lost sales with orders on their way, as lectures_helpers.optimal.lost_sales. A state is
// [x_0, ..., x_{L-1}]: what is on hand, and what comes in 1, ..., L - 1 periods; `pmf` is the law
// of a period's demand.
import { clamp, sum } from "./numbers.js";

// The law of (X - D)^+ for X of a law.
function leftOver(law, pmf) {
  const left = new Float64Array(law.length);
  law.forEach((chance, stock) => {
    let more = 0; // P(D < stock), what does not empty the shelf
    for (let d = 0; d < Math.min(stock, pmf.length); d++) {
      left[stock - d] += chance * pmf[d];
      more += pmf[d];
    }
    left[0] += chance * (1 - more);
  });
  return left;
}

// The law of the stock that an order of now meets when it arrives.
export function beforeArrival(x, pmf) {
  const size = sum(x) + 1;
  let law = new Float64Array(size);
  law[x[0]] = 1;
  for (const arrives of x.slice(1)) {
    const left = leftOver(law, pmf);
    law = left.map((_, stock) => left[stock - arrives] ?? 0);
  }
  return leftOver(law, pmf);
}

// The least z that serves the period of its arrival with probability p / (p + h), that is
// h P(served) >= p P(not): both are sums, and neither is a difference.
export function myopic(x, { h, p, pmf }) {
  const law = [...beforeArrival(x, pmf)];
  const demand = (keep) => sum(pmf.filter((_, d) => keep(d)));
  const served = pmf.map((_, stock) => demand((d) => d <= stock));
  const more = pmf.map((_, stock) => demand((d) => d > stock));
  const reach = (chances, beyond, z) =>
    sum(law.map((chance, stock) => chance * (chances[stock + z] ?? beyond)));
  let z = 0;
  while (h * reach(served, 1, z) * (1 + 1e-12) < p * reach(more, 0, z)) z++;
  return z;
}

export const baseStock = (x, level, most = level) => clamp(level - sum(x), 0, most);

// The order of a table that has, for each of x_1, ..., x_{L-1}, the last one changing fastest, how
// many of the first stocks x_0 = 0, 1, ... call for at least 1, 2, ... units. A best order never
// rises with x_0 (Zipkin 2008).
export function byTable(x, { sizes, table }) {
  const [onHand, ...coming] = x.map((units, i) => Math.min(units, sizes[i] - 1));
  const place = coming.reduce((at, units, i) => at * sizes[i + 1] + units, 0);
  return table[place].filter((stocks) => onHand < stocks).length;
}
