"""Random quantities by family, mean and SCV: demands, interarrival times, lead times.

The squared coefficient of variation, SCV = variance / mean², says how variable
a quantity is, whatever its unit.  Demands and durations cannot be negative: the
uniform, triangular and normal laws are truncated at zero, max(Y, 0), which puts
an atom there and changes the mean and the SCV (`mean` and `scv` of a
`Distribution` are those *before* truncation; `moments` gives those after).

Sampling is JAX and follows the precision that is set there.  `cdf`, `quantile`,
`expected_min`, `expected_min_square` and `moments` are exact, in 64 bits on the host.

Source: derived in the lecture on the newsvendor; laws by mean and SCV as in
Hopp and Spearman (2011).
"""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import special, stats

from lectures_helpers import checks

#: Families that are known, and the SCV up to which truncation leaves each alone.
FAMILIES = {
    "deterministic": np.inf,
    "exponential": np.inf,
    "uniform": 1 / 3,
    "triangular": 1 / 6,
    "gamma": np.inf,
    "lognormal": np.inf,
    "normal": 0.0,
}

#: The SCV of families that have no choice.
FIXED_SCV = {"deterministic": 0.0, "exponential": 1.0}


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["mean", "scv"],
    meta_fields=["family"],
)
@dataclasses.dataclass(frozen=True)
class Distribution:
    """A law by family, mean and SCV (make it with `create_distribution`).

    JAX sees `mean` and `scv` as data, so that a sweep over either can be
    vectorised, and `family` as part of the program.
    """

    family: str  #: one of `FAMILIES`
    mean: Any  #: mean before truncation at zero, or None if it is left to the model
    scv: Any  #: variance / mean² before truncation at zero


def create_distribution(family, mean, scv=None) -> Distribution:
    """Make a distribution from its mean and SCV, checked.

    Args:
        family: "deterministic", "exponential", "uniform", "triangular"
            (symmetric), "gamma", "lognormal" or "normal".
        mean: mean before truncation at zero, > 0, in the quantity's unit; None
            leaves it to the model that the distribution is handed to.
        scv: variance / mean² before truncation at zero, > 0.  Not needed for
            the deterministic (0) and the exponential family (1).

    Raises:
        ValueError: the family is unknown; the mean is not finite or <= 0; the
            SCV is missing, not finite, <= 0, or another than the family's own.

    >>> create_distribution("gamma", 225.0, 0.8)
    Distribution(family='gamma', mean=225.0, scv=0.8)
    >>> create_distribution("exponential", 225.0, 2.0)
    Traceback (most recent call last):
        ...
    ValueError: scv of an exponential distribution is 1, got 2
    """
    if not isinstance(family, str) or family not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ValueError(f"family must be one of {known}; got {family!r}")
    if mean is not None:
        checks.positive("mean", mean)
    if family in FIXED_SCV:
        own = FIXED_SCV[family]
        article = "an" if family == "exponential" else "a"
        if scv is None:
            return Distribution(family, mean, own)
        checks.finite("scv", scv)
        if not checks.is_traced(scv):
            others = np.asarray(scv)[np.asarray(scv) != own]
            if others.size:
                raise ValueError(
                    f"scv of {article} {family} distribution is {own:g}, got {others[0]:g}"
                )
        return Distribution(family, mean, scv)
    if scv is None:
        raise ValueError(f"scv must be given for the {family} family, got None")
    checks.positive("scv", scv, hint="; for SCV 0 use the deterministic family")
    return Distribution(family, mean, scv)


def with_mean(dist: Distribution, mean) -> Distribution:
    """Return `dist`, with `mean` as its mean if its own was left open."""
    _check(dist)
    return dist if dist.mean is not None else dataclasses.replace(dist, mean=mean)


@partial(jax.jit, static_argnames=("shape", "dtype"))
def _sample(dist, shape, key, dtype):
    mean = jnp.broadcast_to(jnp.asarray(dist.mean, dtype), shape)
    scv = jnp.broadcast_to(jnp.asarray(dist.scv, dtype), shape)
    if dist.family == "deterministic":
        return mean
    if dist.family == "exponential":
        return mean * jax.random.exponential(key, shape, dtype)
    if dist.family == "gamma":
        return mean * scv * jax.random.gamma(key, 1 / scv, shape, dtype)
    if dist.family == "lognormal":
        variance = jnp.log1p(scv)
        Z = jax.random.normal(key, shape, dtype)
        return mean * jnp.exp(jnp.sqrt(variance) * Z - variance / 2)
    if dist.family == "uniform":
        standard = jax.random.uniform(key, shape, dtype, -(3**0.5), 3**0.5)
    elif dist.family == "triangular":
        # Two keys, so that a longer sample begins with the shorter one.
        one, other = jax.random.split(key)
        width = 1.5**0.5
        standard = jax.random.uniform(one, shape, dtype, -width, width)
        standard = standard + jax.random.uniform(other, shape, dtype, -width, width)
    else:
        standard = jax.random.normal(key, shape, dtype)
    return jnp.maximum(mean * (1 + jnp.sqrt(scv) * standard), 0)


def sample(dist: Distribution, shape, *, key, dtype=None) -> jax.Array:
    """Draw from a distribution.

    Args:
        dist: the law; its mean and SCV are numbers, or arrays that broadcast to `shape`.
        shape: shape of the result, a tuple of integers >= 0 or one such integer.
        key: random key.
        dtype: floating-point type; by default JAX's own.

    Returns:
        Draws >= 0 of that shape, in the unit of the mean.

    Raises:
        ValueError: bad input; the mean was left open.
    """
    checks.random_key(key)
    _check_with_mean(dist)
    shape = shape if isinstance(shape, (tuple, list)) else (shape,)
    shape = tuple(checks.integer("shape", size, 0) for size in shape)
    dtype = jnp.zeros((), dtype if dtype is not None else float).dtype
    for name, value in (("mean", dist.mean), ("scv", dist.scv)):
        if not checks.is_traced(value) and dist.family != "deterministic":
            _in_range(name, value, dtype)
    return _sample(dist, shape, key, dtype)


def _in_range(name, value, dtype):
    """Refuse what is zero or infinite in the precision of the draws: they would be NaN."""
    with np.errstate(over="ignore", under="ignore"):
        number = np.asarray(value).astype(dtype)
    tiny = jnp.finfo(dtype).tiny
    if not ((number >= tiny) & (number <= 1 / tiny)).all():
        raise ValueError(
            f"{name} must lie between {tiny:.0e} and {1 / tiny:.0e} in {dtype}, got {value}"
        )


# ------------------------------------------------------------- exact, on the host


def cdf(dist: Distribution, x):
    """Probability that the quantity is at most x.

    Args:
        dist: the law.
        x: number or array, in the unit of the mean; not NaN.

    Returns:
        P(D <= x) in [0, 1], of the shape to which x, mean and SCV broadcast.

    Raises:
        ValueError: bad input; the mean was left open.

    >>> float(cdf(create_distribution("exponential", 2.0), 2.0).round(6))
    0.632121
    """
    mean, scv, x = _on_host(dist, x)
    return np.where(x < 0, 0.0, _cdf(dist.family, mean, scv, x))[()]


def quantile(dist: Distribution, p):
    """Smallest x with P(D <= x) >= p.

    Args:
        dist: the law.
        p: number or array in [0, 1].

    Returns:
        Quantiles >= 0, in the unit of the mean; the law's lower end at p = 0, and
        infinite at p = 1 where the law has no upper end.

    Raises:
        ValueError: bad input; the mean was left open.

    >>> float(quantile(create_distribution("uniform", 10.0, 1 / 12), 0.25))
    7.5
    """
    mean, scv, p = _on_host(dist, p, "p")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p must lie in [0, 1], got {p[~((p >= 0) & (p <= 1))][0]:g}")
    std = mean * np.sqrt(scv)
    if dist.family == "deterministic":
        x = mean
    elif dist.family == "exponential":
        with np.errstate(divide="ignore"):
            x = -mean * np.log1p(-p)
    elif dist.family == "gamma":
        x = stats.gamma.ppf(p, 1 / scv, scale=mean * scv)
    elif dist.family == "lognormal":
        x = np.exp(
            np.sqrt(np.log1p(scv)) * special.ndtri(p) + np.log(mean) - np.log1p(scv) / 2
        )
    elif dist.family == "uniform":
        x = mean + std * np.sqrt(3) * (2 * p - 1)
    elif dist.family == "triangular":
        side = 1 - np.sqrt(2 * np.minimum(p, 1 - p))
        x = mean + std * np.sqrt(6) * np.where(p < 0.5, -side, side)
    else:
        x = mean + std * special.ndtri(p)
    return np.maximum(x, 0.0)[()]


def expected_min(dist: Distribution, q):
    """Mean of min(q, D): the sales from a stock of q.

    Args:
        dist: the law.
        q: number or array, in the unit of the mean, >= 0; infinity gives the mean.

    Returns:
        E min(q, D) = ∫ P(D > x) dx over x from 0 to q.

    Raises:
        ValueError: bad input; the mean was left open.

    >>> float(expected_min(create_distribution("exponential", 2.0), 2.0).round(6))
    1.264241
    """
    mean, scv, q = _on_host(dist, q, "q")
    if (q < 0).any():
        raise ValueError(f"q must be >= 0, got {q[q < 0][0]:g}")
    if dist.family == "deterministic":
        return np.minimum(q, mean)[()]
    if dist.family == "exponential":
        return (-mean * np.expm1(-q / mean))[()]
    if dist.family == "gamma":
        shape, scale = 1 / scv, mean * scv
        below = mean * special.gammainc(shape + 1, q / scale)
        return (below + _times(q, special.gammaincc(shape, q / scale)))[()]
    if dist.family == "lognormal":
        sigma = np.sqrt(np.log1p(scv))
        with np.errstate(divide="ignore"):
            z = (np.log(q) - np.log(mean)) / sigma + sigma / 2
        return (mean * special.ndtr(z - sigma) + _times(q, special.ndtr(-z)))[()]
    # Before truncation, Y = mean + std Z. E min(q, Y⁺) = ∫_0^q P(Y > x) dx.
    std = mean * np.sqrt(scv)
    _, _, excess = STANDARD[dist.family]
    sales = std * (excess(-mean / std) - excess((q - mean) / std))
    return np.maximum(sales, 0.0)[()]  # rounding may take more than there is


def expected_min_square(dist: Distribution, q):
    """Mean of min(q, D)²: with `expected_min`, the variance of the sales.

    Args:
        dist: the law.
        q: number or array, in the unit of the mean, >= 0; infinity gives E D².

    Returns:
        E min(q, D)² = ∫ 2x P(D > x) dx over x from 0 to q.

    Raises:
        ValueError: bad input; the mean was left open.

    >>> float(expected_min_square(create_distribution("exponential", 1.0), np.inf))
    2.0
    """
    mean, scv, q = _on_host(dist, q, "q")
    if (q < 0).any():
        raise ValueError(f"q must be >= 0, got {q[q < 0][0]:g}")
    if dist.family == "deterministic":
        return (np.minimum(q, mean) ** 2)[()]
    if dist.family in ("exponential", "gamma"):  # an exponential is a gamma of SCV 1
        shape, scale = 1 / scv, mean * scv
        below = mean**2 * (1 + scv) * special.gammainc(shape + 2, q / scale)
        return (below + _times(q, special.gammaincc(shape, q / scale), 2))[()]
    if dist.family == "lognormal":
        sigma = np.sqrt(np.log1p(scv))
        with np.errstate(divide="ignore"):
            z = (np.log(q) - np.log(mean)) / sigma + sigma / 2
        below = mean**2 * (1 + scv) * special.ndtr(z - 2 * sigma)
        return (below + _times(q, special.ndtr(-z), 2))[()]
    # y² = (y - q)² + 2q(y - q) + q²: what exceeds q² of the square of Y⁺.
    std = mean * np.sqrt(scv)
    _, second, excess = STANDARD[dist.family]
    z = (q - mean) / std
    above = std**2 * second(z) + 2 * _times(q, std * excess(z))
    return np.maximum(std**2 * second(-mean / std) - above, 0.0)[()]


def moments(dist: Distribution):
    """Mean and SCV after truncation at zero.

    Args:
        dist: the law.

    Returns:
        Two numbers (or arrays): E D, and Var D / (E D)².

    Raises:
        ValueError: bad input; the mean was left open.

    >>> [round(float(m), 4) for m in moments(create_distribution("normal", 1.0, 0.8))]
    [1.0592, 0.5632]
    """
    mean, scv, _ = _on_host(dist, 0.0)
    if dist.family not in STANDARD:
        return mean[()], scv[()]
    std = mean * np.sqrt(scv)
    _, second, excess = STANDARD[dist.family]
    with np.errstate(over="ignore"):
        first = std * excess(-mean / std)
        square = std**2 * second(-mean / std)
        after = square / first**2 - 1
    # Where nothing is cut off, the difference of the moments would only be rounding.
    whole = _cdf(dist.family, mean, scv, np.zeros_like(mean)) == 0
    return np.where(whole, mean, first)[()], np.where(whole, scv, after)[()]


def prob_zero(dist: Distribution):
    """Probability that the quantity is zero: the atom that truncation makes."""
    return cdf(dist, 0.0)


def _cdf(family, mean, scv, x):
    std = mean * np.sqrt(scv)
    positive = np.maximum(x, 0.0)
    if family == "deterministic":
        return np.where(x >= mean, 1.0, 0.0)
    if family == "exponential":
        return -np.expm1(-positive / mean)
    if family == "gamma":
        return special.gammainc(1 / scv, positive / (mean * scv))
    if family == "lognormal":
        sigma = np.sqrt(np.log1p(scv))
        with np.errstate(divide="ignore"):
            return special.ndtr((np.log(positive) - np.log(mean)) / sigma + sigma / 2)
    distribution, _, _ = STANDARD[family]
    return distribution((x - mean) / std)


# The truncated families are a mean plus a standard variable Z times a standard deviation.
# Of each Z: P(Z <= z), E[((Z - z)⁺)²] and E (Z - z)⁺.


def _uniform_cdf(z):
    return np.clip((z / 3**0.5 + 1) / 2, 0, 1)


def _uniform_excess(z):
    inside = np.clip(3**0.5 - z, 0, 2 * 3**0.5) ** 2 / (4 * 3**0.5)
    return inside + np.maximum(-(3**0.5) - z, 0)


def _uniform_excess_square(z):
    inside = np.clip(3**0.5 - z, 0, None) ** 3 / (6 * 3**0.5)
    return np.where(z < -(3**0.5), 1 + z**2, inside)


def _triangular_cdf(z):
    side = np.clip(1 - np.abs(z) / 6**0.5, 0, 1) ** 2 / 2
    return np.where(z < 0, side, 1 - side)


def _triangular_excess(z):
    # E (Z - z)⁺ for z >= 0; below, E (Z - z)⁺ = -z + E (Z + z)⁺ by symmetry.
    w = 6**0.5
    return np.clip(w - np.abs(z), 0, None) ** 3 / (6 * w**2) + np.maximum(-z, 0)


def _triangular_excess_square(z):
    # E[((Z - z)⁺)²] + E[((-Z + z)⁺)²] = 1 + z², and by symmetry the second is the first at -z.
    w = 6**0.5
    side = np.clip(w - np.abs(z), 0, None) ** 4 / (12 * w**2)
    return np.where(z < 0, 1 + z**2 - side, side)


def _normal_excess(z):
    return stats.norm.pdf(z) - _times(z, special.ndtr(-z))


def _normal_excess_square(z):
    return _times(1 + z**2, special.ndtr(-z)) - _times(z, stats.norm.pdf(z))


STANDARD = {
    "uniform": (_uniform_cdf, _uniform_excess_square, _uniform_excess),
    "triangular": (_triangular_cdf, _triangular_excess_square, _triangular_excess),
    "normal": (special.ndtr, _normal_excess_square, _normal_excess),
}


def _times(x, p, power=1):
    """x p (or x² p), and 0 where p is 0: an infinite stock is never sold out."""
    return np.where(p == 0, 0.0, x) ** power * p


def _on_host(dist, x, name="x"):
    _check_with_mean(dist)
    if checks.is_traced(dist.mean) or checks.is_traced(dist.scv) or checks.is_traced(x):
        raise ValueError(
            f"dist and {name} must hold numbers here: exact results are not traceable"
        )
    try:
        numbers = np.asarray(x)
        if numbers.dtype.kind in "OSUb":
            raise TypeError
        numbers = numbers.astype(float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, got {x!r}") from None
    if np.isnan(numbers).any():
        raise ValueError(f"{name} must be a number, got nan")
    return np.broadcast_arrays(
        np.asarray(dist.mean, dtype=float), np.asarray(dist.scv, dtype=float), numbers
    )


def _check(dist):
    if not isinstance(dist, Distribution):
        raise ValueError(f"dist must come from create_distribution, got {dist!r}")


def _check_with_mean(dist):
    _check(dist)
    if dist.mean is None:
        raise ValueError("dist must have a mean here, got mean = None")
