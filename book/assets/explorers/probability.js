// Laws of demand: distribution functions and quantiles, from the special functions of vendor/.
import { erfc, erfcinv, gammapinv } from "./vendor/special.js";

export const normalCdf = (z) => 0.5 * erfc(-z / Math.SQRT2);
export const normalPdf = (z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
export const normalQuantile = (u) => -Math.SQRT2 * erfcinv(2 * u);

export const lognormalCdf = (x, μ, σ) => (x > 0 ? normalCdf((Math.log(x) - μ) / σ) : 0);

export const gammaCdf = (x, shape, scale) => (x > 0 ? gammaTails(shape, x / scale)[0] : 0);
export const gammaQuantile = (u, shape, scale) => gammapinv(u, shape) * scale;

export const poissonPmf = (k, mean) =>
  k < 0 ? 0 : mean === 0 ? Number(k === 0) : Math.exp(k * Math.log(mean) - mean - logGamma(k + 1));

// ln Γ(x) for x > 0, by Stirling's series from 12 on and by Γ(x + 1) = x Γ(x) below.
export function logGamma(x) {
  let product = 1;
  for (; x < 12; x++) product *= x;
  const y = 1 / (x * x);
  const series = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}

// [P(X <= x), P(X > x)] of a gamma with this shape and scale 1: the smaller one by its series, or
// by its continued fraction (Lentz's way), to a relative 1e-11; the other is the rest.
export function gammaTails(shape, x) {
  if (!(x > 0)) return [0, 1];
  if (x === Infinity) return [1, 0];
  const factor = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  if (x < shape + 1) {
    let term = 1 / shape;
    let total = term;
    for (let n = 1; term > 1e-17 * total; n++) total += term *= x / (shape + n);
    return [factor * total, 1 - factor * total];
  }
  let b = x + 1 - shape;
  let c = 1e300;
  let d = 1 / b;
  let total = d;
  for (let n = 1, change = 0; Math.abs(change - 1) > 1e-16 && n < 1e5; n++) {
    const a = n * (shape - n);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    change = c * d;
    total *= change;
  }
  return [1 - factor * total, factor * total];
}
