"""Exhaustive search: every (z, q) in every state.  The definition, and so the oracle.

It takes k^m states, up to m (k - 1) + 1 depletions, k orders and d_max + 1 demands:
m k^(m+2) d_max look-ups in all.  For small models, and for single states of large ones.

Source: eq:expiry-bellman of the lecture on the model.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from lectures_helpers.expiry.model import next_stock
from lectures_helpers.expiry.periods import Decision, Period

__all__ = ["action_value", "backup", "best_actions", "best_order"]

LookUp = Callable[[jax.Array], jax.Array]  # from states (..., m) to their values, (...)


@partial(jax.jit, static_argnames="decide")
def backup(
    values: jax.Array, period: Period, *, decide: str | None = None
) -> tuple[jax.Array, Decision | None]:
    """Move values back by one period; as `tensor.backup`."""
    m, k = values.ndim, values.shape[0]
    made = best_actions(look_up(values), all_states(m, k), period, decide or "int32")
    best, decision = jax.tree.map(lambda a: a.reshape(values.shape), made)
    return best, decision if decide else None


def best_actions(
    later: LookUp, x: jax.Array, period: Period, decide: str = "int32"
) -> tuple[jax.Array, Decision]:
    """Try every (z, q) in the states x, (n, m); return values (n,) and a `Decision`.

    `later` maps states (..., m) to their V_{t+1}, (...); `look_up` makes it.
    """
    k, m = period.waste.size, x.shape[-1]

    def with_depletion(z):
        return best_order(later, x, z, period, decide)

    depletions = jnp.arange(m * (k - 1) + 1)
    at_best, order = jax.lax.map(with_depletion, depletions)  # (z, n)
    possible = depletions[:, None] <= x.sum(-1)[None]
    at_best = jnp.where(possible, at_best, -jnp.inf)
    best = at_best.max(0)
    depletion = jnp.argmax(
        at_best >= best[None] - period.tie, axis=0
    )  # the first such z
    order = jnp.take_along_axis(order, depletion[None], axis=0)[0]
    return best, Decision(depletion.astype(decide), order)


def best_order(
    later: LookUp,
    x: jax.Array,
    z: jax.Array,
    period: Period,
    decide: str = "int32",
) -> tuple[jax.Array, jax.Array]:
    """Value of selling off z units, a number, in the states x, (n, m), at the best order,
    and the smallest such order: both (n,)."""
    q = jnp.arange(period.waste.size)
    value = action_value(later, x[:, None], z, q[None], period)
    best = value.max(1)
    order = jnp.argmax(value >= best[:, None] - period.tie, axis=1)
    return best, order.astype(decide)


def action_value(
    later: LookUp, x: jax.Array, z: jax.Array, q: jax.Array, period: Period
) -> jax.Array:
    """E[reward + α V(next)], by its definition.

    Args:
        later: function from states (..., m) to V_{t+1}, (...).
        x: states, (..., m).
        z, q: units sold off and ordered; shapes that broadcast with (...).
        period: the period's demand and prices.
    """
    dtype = period.pmf.dtype
    left = x.sum(-1) - z

    def add_demand(total, xs):
        d, probability = xs
        sold = jnp.minimum(d, left + q).astype(dtype)
        expired = jnp.maximum(x[..., 0] - z - d, 0).astype(dtype)
        gain = (
            period.price * sold
            - period.disposal_cost * expired
            + later(next_stock(x, z, q, d))
        )
        return total + probability * gain, None

    shape = jnp.broadcast_shapes(x.shape[:-1], z.shape, q.shape)
    demands = jnp.arange(period.pmf.size), period.pmf
    mean, _ = jax.lax.scan(add_demand, jnp.zeros(shape, dtype), demands)
    z, left, q = (a.astype(dtype) for a in (z, left, q))
    return (
        period.salvage * z
        - period.holding_cost * left
        + period.discount * (mean - period.unit_cost * q)
    )


def look_up(values: jax.Array) -> LookUp:
    """The function from states (..., m) to their values, (...)."""
    flat, k = values.ravel(), values.shape[0]
    return lambda x: flat[number(x, k)]


def number(x: jax.Array, num_levels: int) -> jax.Array:
    """State numbers of x, (..., m), inside a kernel: unchecked."""
    index = x[..., 0]
    for i in range(1, x.shape[-1]):
        index = index * num_levels + x[..., i]
    return index


def all_states(num_ages: int, num_levels: int) -> jax.Array:
    """All states, (k^m, m), in the order of their numbers."""
    m, k = num_ages, num_levels
    return jnp.indices((k,) * m).reshape(m, k**m).T
