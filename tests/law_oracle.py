"""Expectations under the laws of `demand` by quadrature of textbook densities: an oracle.

It shares no code with the package. Each law is a density w(u) of a variable u and a map from u
to the quantity; u is chosen so that neither singularity nor heavy tail is left.
"""

import itertools
import math

import numpy as np
from scipy import integrate


def density(family, mean, scv):
    """Return (quantity as a function of u, density of u, u of a quantity, range of u)."""
    std = mean * math.sqrt(scv)
    if family in ("exponential", "gamma"):
        k, scale = 1 / scv, mean * scv
        if k < 1:  # u = x^k takes the singularity at zero away
            constant = k * math.gamma(k) * scale**k
            return (
                lambda u: u ** (1 / k),
                lambda u: math.exp(-(u ** (1 / k)) / scale) / constant,
                lambda x: max(x, 0.0) ** k,
                (0.0, (80 * scale) ** k),
            )
        constant = math.lgamma(k) + k * math.log(scale)
        return (
            lambda u: u,
            lambda u: (
                math.exp((k - 1) * math.log(u) - u / scale - constant) if u > 0 else 0.0
            ),
            lambda x: max(x, 0.0),
            (max(mean - 15 * std, 0.0), mean + 15 * std + 80 * scale),
        )
    if family == "lognormal":  # u = log x is normal
        variance = math.log(1 + scv)
        middle, spread = math.log(mean) - variance / 2, math.sqrt(variance)
        return (
            math.exp,
            lambda u: _normal((u - middle) / spread) / spread,
            lambda x: math.log(x) if x > 0 else -math.inf,
            (middle - 12 * spread, middle + 12 * spread + 2 * variance),
        )
    if family == "uniform":
        half = math.sqrt(3) * std
        return _shifted(lambda u: 1 / (2 * half), mean, half)
    if family == "triangular":
        half = math.sqrt(6) * std
        return _shifted(lambda u: (half - abs(u - mean)) / half**2, mean, half)
    assert family == "normal", f"give {family} a density here"
    return _shifted(lambda u: _normal((u - mean) / std) / std, mean, 13 * std)


def _shifted(weight, mean, half):
    return lambda u: u, weight, lambda x: x, (mean - half, mean + half)


def _normal(z):
    return math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def expectation(family, mean, scv, g, kinks=(), truncated=True):
    """E g(D), g being smooth but at the `kinks`; D is truncated at zero unless told otherwise."""
    if family == "deterministic":
        return g(mean)
    x, weight, u_of, (low, high) = density(family, mean, scv)

    def integrand(u):
        quantity = x(u)
        return g(max(quantity, 0.0) if truncated else quantity) * weight(u)

    splits = [u_of(mean), *(u_of(kink) for kink in (0.0, *kinks))]
    grid = np.linspace(low, high, 25)
    splits = np.clip(splits, low, high)
    near = np.abs(grid[:, None] - splits).min(axis=1) < 1e-9 * (high - low)
    near[[0, -1]] = False
    grid = np.union1d(grid[~near], splits)
    # An integral may be zero: its error is then measured against the function's size.
    size = 1e-14 * max(abs(g(at)) for at in (mean, abs(x(low)), abs(x(high))))
    return math.fsum(
        integrate.quad(integrand, a, b, epsabs=size, epsrel=1e-12, limit=200)[0]
        for a, b in itertools.pairwise(grid)
    )
