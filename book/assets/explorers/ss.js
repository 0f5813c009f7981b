// The firm of Part I: s–S inventory with lognormal demand, lost sales and no lead time.
// As lectures_helpers.dynamics.ss and ss_exact.
import { clamp } from "./numbers.js";
import { lognormalCdf, normalCdf } from "./probability.js";
import { foldIn, normal } from "./random.js";

export const update = ({ s, S }, X, D) => Math.max((X <= s ? S : X) - D, 0);

// Inventories at dates 0 to T, with the customers of a key: those of ss.sample_path, in double
// precision.
export function samplePath(p, start, periods, key) {
  const path = [start];
  for (let t = 0; t < periods; t++) {
    const Z = normal(foldIn(key, t), 1)[0];
    path.push(update(p, path[t], Math.exp(p.μ + p.σ * Z)));
  }
  return path;
}

// Long-run shares by the renewal of a cycle from restock to restock. The demands that a cycle has
// seen are a renewal process, whose renewal function H is found on a grid by Xie's midpoint rule
// (1989), in steps of a part of the demand's spread: {restocks} in a period, {empty} share of dates
// with nothing on the shelf, {stock} mean.
export function longRun({ s, S, μ, σ }) {
  if (σ === 0) return certain({ s, S, μ });
  const span = S - s;
  const cells = Math.round(clamp((16 * span) / (Math.exp(μ) * Math.min(σ, 1)), 400, 2000));
  const h = span / cells;
  const F = (x) => lognormalCdf(x, μ, σ);
  const mid = Float64Array.from({ length: cells + 1 }, (_, i) => F((i - 0.5) * h));
  const H = new Float64Array(cells + 1);
  for (let i = 1; i <= cells; i++) {
    let total = F(i * h) - mid[1] * H[i - 1];
    for (let j = 1; j < i; j++) total += mid[i - j + 1] * (H[j] - H[j - 1]);
    H[i] = total / (1 - mid[1]);
  }
  // Of a demand D of at least `least`: what it leaves of `stock`, and the chance that nothing.
  const mean = Math.exp(μ + 0.5 * σ * σ);
  const below = (x) => (x > 0 ? normalCdf((Math.log(x) - μ) / σ - σ) : 0);
  const left = (stock, least) =>
    stock * (F(stock) - F(least)) - mean * (below(stock) - below(least));
  const dates = 1 + H[cells];
  let stock = left(S, span);
  let empty = 1 - F(S);
  for (let i = 1; i <= cells; i++) {
    const visits = H[i] - H[i - 1];
    const x = (i - 0.5) * h; // sold so far in this cycle
    stock += visits * (S - x + left(S - x, span - x));
    empty += visits * (1 - F(S - x));
  }
  return { restocks: 1 / dates, empty: empty / dates, stock: stock / dates };
}

// The same where every period's demand is e^μ.
function certain({ s, S, μ }) {
  const path = [S];
  do path.push(update({ s, S }, path[path.length - 1], Math.exp(μ)));
  while (path[path.length - 1] > s);
  const dates = path.slice(1);
  return {
    restocks: 1 / dates.length,
    empty: dates.filter((X) => X === 0).length / dates.length,
    stock: dates.reduce((total, X) => total + X, 0) / dates.length,
  };
}
