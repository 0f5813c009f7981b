"""Random quantities by family, mean and SCV: demands, interarrival times, lead times.

The squared coefficient of variation, SCV = variance / mean², says how variable
a quantity is, whatever its unit.  Demands and durations cannot be negative: the
uniform, triangular and normal laws are truncated at zero, max(Y, 0), which puts
an atom there and changes the mean and the SCV (`mean` and `scv` of a
`Distribution` are those *before* truncation; `moments` gives those after).

All that is known about a family is one record in `FAMILIES`, and a new family is
one more.  Sampling is JAX and follows the precision that is set there.  `cdf`,
`quantile`, `expected_min`, `expected_min_square` and `moments` are exact, in 64 bits
on the host.

Source: derived in the lecture on the newsvendor; laws by mean and SCV as in
Hopp and Spearman (2011).
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from scipy import special, stats

from lectures_helpers import checks

__all__ = [
    "FAMILIES", "Distribution", "cdf", "create_distribution", "expected_min",
    "expected_min_square", "moments", "prob_zero", "quantile", "sample",
]  # fmt: skip

# -------------------------------------------------------------------- the families


class Family(NamedTuple):
    """What is known about a family: how it follows from mean and SCV before truncation."""

    draw: Callable  #: (mean, scv, key) -> D, drawn by JAX, an array as `mean` is one
    law: Callable  #: (mean, scv) -> SciPy's law before truncation, and its arguments
    quantile: (
        Callable  #: (p, *arguments of that law) -> its quantile, as SciPy rounds it
    )
    expected_min: Callable  #: (q, mean, scv, n) -> E min(q, D)ⁿ for n = 1 and 2
    scv: float | None = None  #: the family's SCV, if it has no choice


#: A law with all its mass at one point, which SciPy has not.
_POINT = SimpleNamespace(cdf=lambda x, point: np.where(x >= point, 1.0, 0.0))


def _point_quantile(p, point):
    return np.broadcast_arrays(point, p)[0]


def _draw_exponential(mean, scv, key):
    return mean * jax.random.exponential(key, mean.shape, mean.dtype)


def _draw_gamma(mean, scv, key):
    return mean * scv * jax.random.gamma(key, 1 / scv, mean.shape, mean.dtype)


def _gamma_law(mean, scv):
    return stats.gamma, 1 / scv, 0.0, mean * scv


def _gamma_quantile(p, shape, start, scale):
    return special.gammaincinv(shape, p) * scale + start


def _gamma_min(q, mean, scv, n):  # an exponential is a gamma of SCV 1
    shape, x = 1 / scv, q / (mean * scv)
    below = _moment(mean, scv, n) * special.gammainc(shape + n, x)
    return below + _times(q**n, special.gammaincc(shape, x))


def _draw_lognormal(mean, scv, key):
    variance = jnp.log1p(scv)
    Z = jax.random.normal(key, mean.shape, mean.dtype)
    return mean * jnp.exp(jnp.sqrt(variance) * Z - variance / 2)


def _lognormal_law(mean, scv):
    return stats.lognorm, np.sqrt(np.log1p(scv)), 0.0, mean / np.sqrt(1 + scv)


def _lognormal_quantile(p, sigma, start, median):
    return np.exp(sigma * special.ndtri(p)) * median + start


def _lognormal_min(q, mean, scv, n):
    sigma = np.sqrt(np.log1p(scv))
    with np.errstate(divide="ignore"):
        z = (np.log(q) - np.log(mean)) / sigma + sigma / 2
    below = _moment(mean, scv, n) * special.ndtr(z - n * sigma)
    return below + _times(q**n, special.ndtr(-z))


def _moment(mean, scv, n):
    """E Dⁿ for n = 1 and 2."""
    return mean if n == 1 else mean**2 * (1 + scv)


def _times(x, p):
    """x p, and 0 where p is 0: an infinite stock is never sold out."""
    return np.where(p == 0, 0.0, x) * p


def _truncated(
    draw_standard: Callable, law: Callable, quantile: Callable, tail: Callable
) -> Family:
    """A family that is truncated at zero: D = Y⁺ and Y = mean + std Z, Z symmetric.

    Args:
        draw_standard: (key, shape, dtype) -> draws of Z.
        law: (mean, std) -> SciPy's law of Y, and its arguments.
        quantile: (p, *arguments) -> quantile of Y.
        tail: (z, n) -> E[((Z - z)⁺)ⁿ] for z >= 0, n = 1 and 2.
    """

    def draw(mean, scv, key):
        Z = draw_standard(key, mean.shape, mean.dtype)
        return jnp.maximum(mean * (1 + jnp.sqrt(scv) * Z), 0)

    def excess(z, n):
        # Z = -Z in law: E (Z - z)⁺ - E (Z + z)⁺ = -z, and the squares add up to 1 + z².
        beyond = tail(np.abs(z), n)
        return np.where(z < 0, -z + beyond if n == 1 else 1 + z**2 - beyond, beyond)

    def expected_min(q, mean, scv, n):
        std = mean * np.sqrt(scv)
        z = (q - mean) / std
        # What exceeds q, of Y⁺ or (y² = (y - q)² + 2q(y - q) + q²) of its square.
        above = std**n * excess(z, n)
        if n == 2:
            above = above + 2 * _times(q, std * excess(z, 1))
        # Rounding may take more than there is.
        return np.maximum(std**n * excess(-mean / std, n) - above, 0.0)

    return Family(
        draw,
        lambda mean, scv: law(mean, mean * np.sqrt(scv)),
        quantile,
        expected_min,
    )


def _draw_uniform(key, shape, dtype):
    return jax.random.uniform(key, shape, dtype, -(3**0.5), 3**0.5)


def _uniform_law(mean, std):
    return stats.uniform, mean - 3**0.5 * std, 2 * 3**0.5 * std


def _uniform_quantile(p, start, width):
    return p * width + start


def _uniform_tail(z, n):
    return np.maximum(3**0.5 - z, 0) ** (n + 1) / (2 * 3**0.5 * (n + 1))


def _draw_triangular(key, shape, dtype):
    # Two keys, so that a longer sample begins with the shorter one.
    one, other = jax.random.split(key)
    width = 1.5**0.5
    Z = jax.random.uniform(one, shape, dtype, -width, width)
    return Z + jax.random.uniform(other, shape, dtype, -width, width)


def _triangular_law(mean, std):
    return stats.triang, 0.5, mean - 6**0.5 * std, 2 * 6**0.5 * std


def _triangular_quantile(p, mode, start, width):
    rising, falling = np.sqrt(mode * p), 1 - np.sqrt((1 - mode) * (1 - p))
    return np.where(p < mode, rising, falling) * width + start


def _triangular_tail(z, n):
    return np.maximum(6**0.5 - z, 0) ** (n + 2) / (6 * (n + 1) * (n + 2))


def _normal_law(mean, std):
    return stats.norm, mean, std


def _normal_quantile(p, mean, std):
    return special.ndtri(p) * std + mean


def _normal_tail(z, n):
    above, density = special.ndtr(-z), np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    if n == 1:
        return density - _times(z, above)
    return _times(1 + z**2, above) - _times(z, density)


#: The families that are known, each one record.  SciPy's laws are called with their
#: arguments, not frozen: to freeze one takes ten times as long as to evaluate it.  Their
#: quantiles stand here, since SciPy looks at its arguments twenty times as long as it computes.
FAMILIES: dict[str, Family] = {
    "deterministic": Family(
        draw=lambda mean, scv, key: mean,
        law=lambda mean, scv: (_POINT, mean),
        quantile=_point_quantile,
        expected_min=lambda q, mean, scv, n: np.minimum(q, mean) ** n,
        scv=0.0,
    ),
    "exponential": Family(
        _draw_exponential, _gamma_law, _gamma_quantile, _gamma_min, scv=1.0
    ),
    "uniform": _truncated(
        _draw_uniform, _uniform_law, _uniform_quantile, _uniform_tail
    ),
    "triangular": _truncated(
        _draw_triangular, _triangular_law, _triangular_quantile, _triangular_tail
    ),
    "gamma": Family(_draw_gamma, _gamma_law, _gamma_quantile, _gamma_min),
    "lognormal": Family(
        _draw_lognormal, _lognormal_law, _lognormal_quantile, _lognormal_min
    ),
    "normal": _truncated(
        jax.random.normal, _normal_law, _normal_quantile, _normal_tail
    ),
}

#: The SCV of families that have no choice.
FIXED_SCV = {
    name: family.scv for name, family in FAMILIES.items() if family.scv is not None
}

#: Smallest and largest mean and SCV: beyond, draws in single precision are 0 or infinite,
#: or all alike.
MEANS, SCVS = (1e-30, 1e30), (1e-12, 1e6)

# --------------------------------------------------------------------------- a law


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


def create_distribution(
    family: str, mean: ArrayLike | None, scv: ArrayLike | None = None
) -> Distribution:
    """Make a distribution from its mean and SCV, checked.

    Args:
        family: "deterministic", "exponential", "uniform", "triangular"
            (symmetric), "gamma", "lognormal" or "normal".
        mean: mean before truncation at zero, in the quantity's unit, from 1e-30 to
            1e30; None leaves it to the model that the distribution is handed to.
        scv: variance / mean² before truncation at zero, from 1e-12 to 1e6.  Not
            needed for the deterministic (0) and the exponential family (1).

    Raises:
        ValueError: the family is unknown; the mean or the SCV is out of these bounds
            (where draws in single precision would all be alike, zero or infinite); the
            SCV is missing, or another than the family's own.

    >>> create_distribution("gamma", 225.0, 0.8)
    Distribution(family='gamma', mean=225.0, scv=0.8)
    >>> create_distribution("exponential", 225.0, 2.0)
    Traceback (most recent call last):
        ...
    ValueError: scv of the exponential family is 1, got 2
    """
    if not isinstance(family, str) or family not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ValueError(f"family must be one of {known}; got {family!r}")
    if mean is not None:
        checks.within("mean", checks.positive("mean", mean), *MEANS)
    own = FAMILIES[family].scv
    if own is None:
        if scv is None:
            raise ValueError(f"scv must be given for the {family} family, got None")
        checks.positive("scv", scv, hint="; for SCV 0 use the deterministic family")
        checks.within("scv", scv, *SCVS)
    elif scv is None:
        scv = own
    elif not checks.is_traced(scv):
        others = np.asarray(checks.finite("scv", scv))
        others = others[others != own]
        if others.size:
            raise ValueError(
                f"scv of the {family} family is {own:g}, got {others[0]:g}"
            )
    return Distribution(family, mean, scv)


@partial(jax.jit, static_argnames="shape")
def _sample(dist, shape, key):
    numbers = (jnp.asarray(number, float) for number in (dist.mean, dist.scv))
    mean, scv = (jnp.broadcast_to(number, shape) for number in numbers)
    return FAMILIES[dist.family].draw(mean, scv, key)


def sample(
    dist: Distribution, shape: int | Sequence[int], *, key: jax.Array
) -> jax.Array:
    """Draw from a distribution.

    Args:
        dist: the law; its mean and SCV are numbers, or arrays that broadcast to `shape`.
        shape: shape of the result, a sequence of integers >= 0 or one such integer.
        key: random key.

    Returns:
        Draws >= 0 of that shape, in the unit of the mean and JAX's own precision.

    Raises:
        ValueError: bad input; the mean was left open.
    """
    dist = checked(dist)
    sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
    sizes = tuple(checks.integer("shape", size, 0) for size in sizes)
    filled = np.broadcast_to(0.0, sizes)
    if checks.common_shape(mean=dist.mean, scv=dist.scv, shape=filled) != sizes:
        raise ValueError(f"shape must have room for mean and scv, got {sizes}")
    return _sample(dist, sizes, checks.random_key(key))


# ------------------------------------------------------------- exact, on the host


def cdf(dist: Distribution, x: ArrayLike) -> np.ndarray:
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
    mean, scv, at = _on_host(dist, x)
    return np.where(at < 0, 0.0, _cdf(dist.family, mean, scv, at))[()]


def quantile(dist: Distribution, p: ArrayLike) -> np.ndarray:
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
    mean, scv, prob = _on_host(dist, p, "p", 0.0, 1.0)
    family = FAMILIES[dist.family]
    _, *arguments = family.law(mean, scv)
    return np.maximum(family.quantile(prob, *arguments), 0.0)[()]


def expected_min(dist: Distribution, q: ArrayLike) -> np.ndarray:
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
    mean, scv, stock = _on_host(dist, q, "q", 0.0)
    return FAMILIES[dist.family].expected_min(stock, mean, scv, 1)[()]


def expected_min_square(dist: Distribution, q: ArrayLike) -> np.ndarray:
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
    mean, scv, stock = _on_host(dist, q, "q", 0.0)
    with np.errstate(over="ignore"):  # of a stock that is never sold out
        return FAMILIES[dist.family].expected_min(stock, mean, scv, 2)[()]


def moments(dist: Distribution) -> tuple[np.ndarray, np.ndarray]:
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
    mean, scv, zero = _on_host(dist, 0.0)
    # Where nothing is cut off, the difference of the moments would only be rounding.
    whole = _cdf(dist.family, mean, scv, zero) == 0
    if whole.all():
        return mean[()], scv[()]
    sold = partial(FAMILIES[dist.family].expected_min, np.inf, mean, scv)
    with np.errstate(over="ignore"):
        first = sold(1)
        after = sold(2) / first**2 - 1
    return np.where(whole, mean, first)[()], np.where(whole, scv, after)[()]


def prob_zero(dist: Distribution) -> np.ndarray:
    """Probability that the quantity is zero: the atom that truncation makes.

    Args:
        dist: the law.

    Raises:
        ValueError: bad input; the mean was left open.
    """
    return cdf(dist, 0.0)


def _cdf(family, mean, scv, x):
    """That of the law before truncation."""
    law, *arguments = FAMILIES[family].law(mean, scv)
    return law.cdf(x, *arguments)


# ------------------------------------------------------------------------- checks


def _on_host(dist, x, name="x", least=-np.inf, most=np.inf):
    """Mean, SCV and x, which lies between two bounds, in 64 bits and of one shape."""
    dist = checked(dist)
    numbers = dist.mean, dist.scv, x
    if all(map(checks.is_plain, numbers)) and least <= x <= most:
        return map(np.float64, numbers)
    checks.not_traced(f"dist and {name}", dist, x)
    at = checks.numbers(name, x)
    if not (right := (at >= least) & (at <= most)).all():  # NaN is neither
        wrong = at[~right][0]
        raise ValueError(f"{name} must be from {least:g} to {most:g}, got {wrong:g}")
    checks.common_shape(mean=dist.mean, scv=dist.scv, **{name: at})
    return np.broadcast_arrays(
        np.asarray(dist.mean, dtype=float), np.asarray(dist.scv, dtype=float), at
    )


def checked(dist: Distribution) -> Distribution:
    """Return `dist` if it is a distribution with a mean; it may have been made by hand."""
    checks.made_by("dist", dist, Distribution, "create_distribution")
    if dist.mean is None:
        raise ValueError("dist must have a mean here, got mean = None")
    return create_distribution(dist.family, dist.mean, dist.scv)


# -------------------------------------------------- laws that a model leaves open


def law(name: str, dist: Distribution | None, family: str, mean: Any) -> Distribution:
    """Return a law of times whose mean is known, checked.

    Args:
        name: of the argument, for errors.
        dist: the law, with a mean of its own or an open one; or None.
        family: the family that None stands for.
        mean: the mean for None, and for a law whose mean is open.

    Raises:
        ValueError: `dist` is something else.
    """
    if dist is None:
        return Distribution(family, mean, FIXED_SCV[family])
    checks.made_by(name, dist, Distribution, "demand.create_distribution")
    # Checked again: a law, and what stands in for its mean, can be put together by hand.
    if dist.mean is not None:
        mean = checks.one_number(name, dist.mean, "have one mean")
    scv = checks.one_number(name, dist.scv, "have one scv")
    return create_distribution(dist.family, mean, scv)
