"""What a backup needs to know of one period: the demand law, summed up, and the prices.

A backup is the step from V_{t+1} to V_t.  Every method makes it through one function
with the same arguments (values, period, tie, ...) and the same results.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lectures_helpers.expiry.model import Model

#: A difference of values that counts as none, in units of ``max(1, max |V|)``.
TIES = {"float32": 1e-5, "float64": 1e-10}


class Period(NamedTuple):
    """One period's demand and the prices, in the precision of the values."""

    pmf: (
        jax.Array
    )  #: (d + 1,) P(D = n); all demand that clears the shelves is in the last entry
    cdf: jax.Array  #: (S,) P(D <= n)
    sales: jax.Array  #: (S + 1,) E min(D, n): mean sales from n units
    waste: jax.Array  #: (k,) E (n - D)^+: units that expire out of n
    units: jax.Array  #: (k,) 0, ..., k - 1: what a class may hold
    s: jax.Array
    h: jax.Array
    c: jax.Array
    r: jax.Array
    θ: jax.Array
    α: jax.Array


class Decision(NamedTuple):
    """What to do in each state, (k,) * m integers each."""

    depletion: jax.Array  #: units to sell off z
    order: jax.Array  #: units to order q


def periods(model: Model, dtype) -> list[Period]:
    """Sum up the demand law of every period: one for all, or one for each.

    Demand beyond (m + 1)(k - 1), all that the shelves can hold, clears them whatever
    it is: it is put into one entry.  The sums reach up to S = max(2 k - 1, d) units.
    """
    m, k = model.m, model.k
    pmf = np.atleast_2d(model.demand_pmf)
    full = (m + 1) * (k - 1)
    if pmf.shape[1] > full + 1:
        rest = pmf[:, full:].sum(1, keepdims=True)
        pmf = np.concatenate([pmf[:, :full], rest], axis=1)
    size = max(2 * k - 1, pmf.shape[1] - 1)
    # From the right, where the numbers are small: 1 - P(D > n) keeps all digits.
    above = np.flip(np.cumsum(np.flip(pmf, 1), 1), 1)[:, 1:]
    above = np.pad(above, ((0, 0), (0, size + m * k - above.shape[1])))
    cdf = 1 - above
    sales = np.pad(np.cumsum(above, axis=1), ((0, 0), (1, 0)))
    waste = np.arange(k) - sales[:, :k]

    def number(value):
        return jnp.asarray(value, dtype)

    prices = [number(p) for p in (model.s, model.h, model.c, model.r, model.θ, model.α)]
    return [
        Period(
            number(pmf[t]),
            number(cdf[t, :size]),
            number(sales[t, : size + 1]),
            number(waste[t]),
            number(np.arange(k)),
            *prices,
        )
        for t in range(len(pmf))
    ]


def total_stock(num_ages, units):
    """``|x|`` in every state, (k,) * m, from what a class may hold, (k,).

    Inside a compiled function `units` must be one of its arguments: XLA would work out
    a sum of constants while it compiles, slowly.
    """
    k = units.size
    total = jnp.zeros((k,) * num_ages, units.dtype)
    for axis in range(num_ages):
        total = total + units.reshape((1,) * axis + (k,) + (1,) * (num_ages - 1 - axis))
    return total


def terminal_values(model: Model, dtype):
    """``V_T = s |x|``: what is left is sold off."""
    units = jnp.arange(model.k).astype(dtype)
    return salvage_values(jnp.asarray(model.s, dtype), units, model.m)


@partial(jax.jit, static_argnames="num_ages")
def salvage_values(s, units, num_ages):
    """``s |x|``, compiled: one array is made, and not one for each axis."""
    return s * total_stock(num_ages, units)


def tie_of(values):
    """The tolerance for ties among values of this size and precision."""
    scale = jnp.maximum(jnp.max(jnp.abs(values)), 1)
    return scale * jnp.asarray(TIES[values.dtype.name], values.dtype)


def decision_dtype(model: Model):
    """The smallest integers that hold every decision."""
    return "int16" if model.m * model.k < 2**15 else "int32"
