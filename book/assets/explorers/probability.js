// Laws of demand: distribution functions and quantiles, from the special functions of vendor/.
import { erfc, erfcinv, gammaln, gammapinv, lowRegGamma } from "./vendor/special.js";

export const normalCdf = (z) => 0.5 * erfc(-z / Math.SQRT2);
export const normalPdf = (z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
export const normalQuantile = (u) => -Math.SQRT2 * erfcinv(2 * u);

export const lognormalCdf = (x, μ, σ) => (x > 0 ? normalCdf((Math.log(x) - μ) / σ) : 0);

export const gammaCdf = (x, shape, scale) => (x > 0 ? lowRegGamma(shape, x / scale) : 0);
export const gammaQuantile = (u, shape, scale) => gammapinv(u, shape) * scale;

export const poissonPmf = (k, mean) =>
  k < 0 ? 0 : mean === 0 ? Number(k === 0) : Math.exp(k * Math.log(mean) - mean - gammaln(k + 1));
