"""The law of X_2 by one integral over one of two demands: an oracle for the exact law's error.

It shares no code with the package. A firm that does not restock at date 1 has X_2 <= x when
D_1 + D_2 >= w = start - x. The smaller of the two demands is integrated over, so that the
integrand, a survival function at w - D with D <= w / 2, is smooth in z = (log D - μ) / σ.
"""

import numpy as np
from scipy.special import ndtr

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(20)


def _integral(f, low, high, panels=48):
    """∫ φ(z) f(z) dz over [low, high], arrays, cut off at 12 standard deviations."""
    borders = np.linspace(np.clip(low, -12, 12), np.clip(high, -12, 12), panels + 1)
    half = np.diff(borders, axis=0)[..., None] / 2
    z = borders[:-1, :, None] + half * (POINTS + 1)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.sum(half * WEIGHTS * density * f(z), axis=(0, 2))


def cdf(params, x_init, x):
    """P(X_2 <= x) for x of shape (n,)."""
    s, S, μ, σ = params
    start = S if x_init <= s else x_init
    w, reach = np.maximum(start - np.asarray(x), 0.0), start - s

    def z_of(u):
        return (np.log(np.maximum(u, 1e-300)) - μ) / σ

    def H(u):
        return ndtr(-z_of(u))

    half = np.minimum(w / 2, reach)
    # D_1 below half and D_2 >= w - D_1
    first = _integral(
        lambda z: H(w[:, None] - np.exp(μ + σ * z)), np.full_like(w, -12.0), z_of(half)
    )
    # D_1 from half to `reach`: any with D_2 >= w - half, else from w - D_2 on
    between = np.maximum(H(half) - H(reach), 0.0) * H(w - half)
    from_reach = np.minimum(np.maximum(w - reach, 0.0), half)
    second = _integral(
        lambda z: np.maximum(H(w[:, None] - np.exp(μ + σ * z)) - H(reach), 0.0),
        z_of(from_reach),
        np.where(half < reach, z_of(half), z_of(from_reach)),
    )
    restocked = H(reach) * H(S - x)
    not_restocked = np.where(w > 0, first + between + second, 1 - H(reach))
    return restocked + not_restocked
