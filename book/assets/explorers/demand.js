// Random quantities by family, mean and SCV, as lectures_helpers.demand has them: a law is
// {family, mean, scv}, and the uniform, triangular and normal ones are truncated at zero.
import {
  gammaCdf, gammaQuantile, lognormalCdf, normalCdf, normalPdf, normalQuantile,
} from "./probability.js";

// E Dⁿ of a law that is not truncated, for n = 1 and 2.
const moment = ({ mean, scv }, n) => (n === 1 ? mean : mean ** 2 * (1 + scv));

// q of probability P, and nothing of none: an infinite stock is never sold out.
const times = (q, P) => (P === 0 ? 0 : q * P);

const gamma = {
  cdf: (x, { mean, scv }) => gammaCdf(x, 1 / scv, mean * scv),
  quantile: (u, { mean, scv }) => gammaQuantile(u, 1 / scv, mean * scv),
  expectedMin(q, law, n) {
    const [shape, scale] = [1 / law.scv, law.mean * law.scv];
    const below = q === Infinity ? 1 : gammaCdf(q, shape + n, scale);
    const above = q === Infinity ? 0 : 1 - gammaCdf(q, shape, scale);
    return moment(law, n) * below + times(q ** n, above);
  },
};

const lognormal = {
  of({ mean, scv }) {
    const σ = Math.sqrt(Math.log1p(scv));
    return [Math.log(mean) - (σ * σ) / 2, σ];
  },
  cdf: (x, law) => lognormalCdf(x, ...lognormal.of(law)),
  quantile(u, law) {
    const [μ, σ] = lognormal.of(law);
    return Math.exp(μ + σ * normalQuantile(u));
  },
  expectedMin(q, law, n) {
    const [μ, σ] = lognormal.of(law);
    const z = (Math.log(q) - μ) / σ;
    return moment(law, n) * normalCdf(z - n * σ) + times(q ** n, normalCdf(-z));
  },
};

// D = Y⁺ for Y = mean + std Z and Z symmetric with mean 0 and variance 1, of which are known the
// distribution function, quantiles, and tail(z, n) = E[((Z - z)⁺)ⁿ] for z >= 0.
function truncated(cdf, quantile, tail) {
  const std = ({ mean, scv }) => mean * Math.sqrt(scv);
  const excess = (z, n) => {
    const beyond = tail(Math.abs(z), n);
    return z >= 0 ? beyond : n === 1 ? beyond - z : 1 + z * z - beyond;
  };
  return {
    cdf: (x, law) => cdf((x - law.mean) / std(law)),
    quantile: (u, law) => Math.max(law.mean + std(law) * quantile(u), 0),
    expectedMin(q, law, n) {
      const [s, z] = [std(law), (q - law.mean) / std(law)];
      let above = q === Infinity ? 0 : s ** n * excess(z, n);
      if (n === 2 && q !== Infinity) above += 2 * q * s * excess(z, 1);
      return Math.max(s ** n * excess(-law.mean / s, n) - above, 0);
    },
  };
}

const [ROOT3, ROOT6] = [Math.sqrt(3), Math.sqrt(6)];
const inside = (u) => Math.min(Math.max(u, 0), 1);

const uniform = truncated(
  (z) => inside(0.5 + z / (2 * ROOT3)),
  (u) => ROOT3 * (2 * u - 1),
  (z, n) => Math.max(ROOT3 - z, 0) ** (n + 1) / (2 * ROOT3 * (n + 1)),
);

const triangular = truncated(
  (z) => {
    const tail = Math.max(ROOT6 - Math.abs(z), 0) ** 2 / 12;
    return z < 0 ? tail : 1 - tail;
  },
  (u) => Math.sign(u - 0.5) * ROOT6 * (1 - Math.sqrt(2 * Math.min(u, 1 - u))),
  (z, n) => Math.max(ROOT6 - z, 0) ** (n + 2) / (6 * (n + 1) * (n + 2)),
);

const normal = truncated(normalCdf, normalQuantile, (z, n) => {
  const [above, density] = [normalCdf(-z), normalPdf(z)];
  return n === 1 ? density - z * above : (1 + z * z) * above - z * density;
});

const FAMILIES = { exponential: gamma, uniform, triangular, gamma, lognormal, normal };

// A law; an exponential one is a gamma law of SCV 1, whatever SCV is asked for.
export const createDistribution = (family, mean, scv) =>
  ({ family, mean, scv: family === "exponential" ? 1 : scv });

export const cdf = (law, x) => (x < 0 ? 0 : FAMILIES[law.family].cdf(x, law));
export const quantile = (law, u) => FAMILIES[law.family].quantile(u, law);
// E min(q, D) and E min(q, D)².
export const expectedMin = (law, q) => FAMILIES[law.family].expectedMin(q, law, 1);
export const expectedMinSquare = (law, q) => FAMILIES[law.family].expectedMin(q, law, 2);
