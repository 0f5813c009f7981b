// Laws of demand: distribution functions and quantiles, from the special functions of vendor/.
import { erfc, erfcinv } from "./vendor/special.js";

export const normalCdf = (z) => 0.5 * erfc(-z / Math.SQRT2);
export const normalPdf = (z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
export const normalQuantile = (u) => -Math.SQRT2 * erfcinv(2 * u);

export const lognormalCdf = (x, μ, σ) => (x > 0 ? normalCdf((Math.log(x) - μ) / σ) : 0);

export const gammaCdf = (x, shape, scale) => (x > 0 ? gammaTails(shape, x / scale)[0] : 0);

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
export function gammaTails(shape, x, logOfGamma = logGamma(shape)) {
  if (!(x > 0)) return [0, 1];
  if (x === Infinity) return [1, 0];
  const factor = Math.exp(shape * Math.log(x) - x - logOfGamma);
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

// The smallest x with P(X <= x) >= u: by Halley's steps from the guesses of Numerical Recipes
// (Press, Teukolsky, Vetterling and Flannery, 2007, section 6.2.1).
export function gammaQuantile(u, shape, scale) {
  if (!(u > 0)) return 0;
  if (u >= 1) return Infinity;
  const logOfGamma = logGamma(shape);
  let x;
  if (shape > 1) {
    const z = normalQuantile(u);
    x = shape * Math.max(1e-3, 1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape))) ** 3;
  } else {
    const least = 1 - shape * (0.253 + 0.12 * shape);
    x = u < least ? (u / least) ** (1 / shape) : 1 - Math.log((1 - u) / (1 - least));
  }
  for (let i = 0; i < 50; i++) {
    const [below, above] = gammaTails(shape, x, logOfGamma);
    const density = Math.exp((shape - 1) * Math.log(x) - x - logOfGamma);
    const step = (u < 0.5 ? below - u : 1 - u - above) / density;
    const change = step / (1 - 0.5 * Math.min(1, step * ((shape - 1) / x - 1)));
    x = change < x ? x - change : x / 2;
    if (Math.abs(change) < 1e-9 * x) break; // the next one is 1e-18 or less
  }
  return x * scale;
}
