"""What a backup needs to know of one period: the demand law, summed up, and the prices.

A backup is the step from V_{t+1} to V_t.  Every method makes it through one function,
`backup`, with the same arguments (values, period, decide) and the same results.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import DTypeLike

from lectures_helpers import checks
from lectures_helpers.expiry.model import Model

__all__ = ["Decision", "Period", "create_periods", "terminal_values"]

#: A difference of values that counts as none, as a share of the numbers that are added up.
TIES = {"float32": 1e-5, "float64": 1e-10}


class Period(NamedTuple):
    """One period's demand and the prices, in the precision of the values."""

    pmf: jax.Array  #: (d + 1,) P(D = n); the last: all demand that clears the shelves
    cdf: jax.Array  #: (S,) P(D <= n)
    sales: jax.Array  #: (S + 1,) E min(D, n): mean sales from n units
    waste: jax.Array  #: (k,) E (n - D)^+: units that expire out of n
    salvage: jax.Array  #: s
    holding_cost: jax.Array  #: h
    unit_cost: jax.Array  #: c
    price: jax.Array  #: r
    disposal_cost: jax.Array  #: θ
    discount: jax.Array  #: α
    tie: jax.Array  #: a difference of values that counts as none, money


class Decision(NamedTuple):
    """What to do in each state, (k,) * m integers each."""

    depletion: jax.Array  #: units to sell off z
    order: jax.Array  #: units to order q


def create_periods(model: Model, dtype: str) -> list[Period]:
    """Sum up the demand law of every period: one for all, or one for each.

    Demand beyond (m + 1)(k - 1), all that the shelves can hold, clears them whatever
    it is: it is put into one entry.  The sums reach up to S = max(2 k - 1, d) units.

    Args:
        model: the model.
        dtype: ``"float32"`` or ``"float64"``; the latter needs JAX's 64-bit mode.

    Returns:
        One `Period` if demand has the same law in all periods, else one for each, so that
        ``laws[t % len(laws)]`` is that of period t.  Ties are those of what a period
        earns; `with_ties` adds those of the values after it.
    """
    m, k, pmf, *prices = model
    s, h, c, r, θ, _ = np.abs(prices)
    pmf = np.atleast_2d(pmf)
    full = (m + 1) * (k - 1)
    if pmf.shape[1] > full + 1:
        rest = pmf[:, full:].sum(1, keepdims=True)
        pmf = np.concatenate([pmf[:, :full], rest], axis=1)
    size = max(2 * k - 1, pmf.shape[1] - 1)
    # From the right, where the numbers are small: 1 - P(D > n) keeps all digits.
    above = np.flip(np.cumsum(np.flip(pmf, 1), 1), 1)[:, 1:]
    above = np.pad(above, ((0, 0), (0, size - above.shape[1])))
    cdf = 1 - above
    sales = np.pad(np.cumsum(above, axis=1), ((0, 0), (1, 0)))
    waste = np.arange(k) - sales[:, :k]
    # No period earns or costs more than mean sales, and all shelves full, make of the prices.
    ties = TIES[dtype] * (r * sales[:, -1] + (k - 1) * (c + θ + m * (h + s)))
    return [
        Period(*(jnp.asarray(a, dtype) for a in (*law, *prices, tie)))
        for *law, tie in zip(pmf, cdf, sales, waste, ties, strict=True)
    ]


def with_ties(period: Period, size: float) -> Period:
    """The period where values after it are at most `size`, money, in absolute terms."""
    dtype = period.tie.dtype
    return period._replace(tie=period.tie + jnp.asarray(TIES[dtype.name] * size, dtype))


@jax.jit
def relative(values: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Values less that of the empty stock; that one; and the largest absolute one.

    A backup moves a constant added to all values through as it is, but for discounting.
    Without it numbers stay as small as differences between stocks, however long the
    horizon, and so does their rounding.  Padding along the second axis becomes zero.
    """
    empty = values[(0,) * values.ndim]
    axis = min(1, values.ndim - 1)
    inside = jax.lax.broadcasted_iota(int, values.shape, axis) < len(values)
    values = jnp.where(inside, values - empty, 0)
    return values, empty, jnp.max(jnp.abs(values))


def checked_dtype(dtype: DTypeLike | None) -> str:
    """The name of a floating-point type that the solver works in."""
    if dtype is None:
        return jnp.result_type(float).name
    checks.not_traced("dtype", dtype)
    try:
        name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    except TypeError:
        name = ""
    if name not in TIES:
        raise ValueError(f"dtype must be one of {list(TIES)}, got {dtype!r}")
    return name


def total_stock(shape: tuple[int, ...], dtype: np.dtype) -> jax.Array:
    """``|x|`` in every state of a grid of this shape, an axis for each class."""
    classes = (jax.lax.broadcasted_iota(dtype, shape, i) for i in range(len(shape)))
    return sum(classes, start=jnp.zeros(shape, dtype))


def terminal_values(model: Model, dtype: str) -> jax.Array:
    """``V_T = s |x|``, (k,) * m: what is left is sold off."""
    shape = (model.num_levels,) * model.num_ages
    return salvage_values(jnp.asarray(model.salvage, dtype), shape)


@partial(jax.jit, static_argnames="shape")
def salvage_values(salvage: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """``s |x|``, compiled: one array is made, and not one for each axis."""
    return salvage * total_stock(shape, salvage.dtype)


def decision_dtype(model: Model) -> str:
    """The smallest integers that hold every decision."""
    return "int16" if model.num_ages * model.num_levels < 2**15 else "int32"
