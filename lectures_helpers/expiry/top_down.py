"""Top-down: walk the tree of states from the empty stock, and let children reuse parents.

The parent of x is dep_one(x), x less one unit of its oldest non-empty class; the root is
the empty stock.  Where h >= 0, r >= 0 and -θ <= s <= r, for any other numbers,

- if it is best to sell z > 0 units at the parent, it is best to sell z + 1 at the child,
  and to order the same: V(child) = s + V(parent), and there is nothing to compute;
- if it is best to sell none at the parent, it is best to sell none or one at the child.

States are filled in rows.  A row holds the states in which the l-th newest class has b
units, older classes are empty and newer ones are arbitrary.  Its k^(l-1) states have
consecutive numbers, and their parents are the block before it.

Source: the lecture on structure (thm-tree).
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from lectures_helpers.expiry.exhaustive import all_states, best_order, look_up
from lectures_helpers.expiry.periods import Decision, Period

__all__ = ["backup", "rows_of_class"]


@partial(jax.jit, static_argnames="decide")
def backup(
    values: jax.Array, period: Period, *, decide: str | None = None
) -> tuple[jax.Array, Decision | None]:
    """Move values back by one period; as `tensor.backup`, where the structure holds."""
    return class_by_class(rows_of_class, values, period, decide)


def class_by_class(
    fill: Callable, values: jax.Array, period: Period, decide: str | None
) -> tuple[jax.Array, Decision | None]:
    """Fill the states of one class after another, the newest first, as `rows_of_class`.

    It begins with the empty stock: an order, nothing to sell.
    """
    kind = decide or "int32"
    empty = jnp.zeros((1, values.ndim), int)
    best, order = best_order(look_up(values), empty, jnp.asarray(0), period, kind)
    filled = best, Decision(jnp.zeros(1, kind), order)
    for newer in range(values.ndim):  # classes that are newer than the row's
        filled = fill(values, filled, newer, period, kind)
    best, decision = jax.tree.map(lambda a: a.reshape(values.shape), filled)
    return best, decision if decide else None


def rows_of_class(
    values: jax.Array,
    first: tuple[jax.Array, Decision],
    newer: int,
    period: Period,
    decide: str,
) -> tuple[jax.Array, Decision]:
    """Fill the rows b = 1, ..., k - 1 of a class, each from the one before.

    Args:
        values: V_{t+1}, (k,) * m.
        first: values and decisions where the class is empty, (k^newer,).
        newer: number of newer classes.
        period: the period's demand and prices.
        decide: integer type of the decisions.

    Returns:
        Values and decisions for 0, ..., k - 1 units, (k^(newer + 1),), by state number.
    """
    m, k, later = values.ndim, values.shape[0], look_up(values)

    def row(parents, b):
        best, decision = parents
        x = row_states(m, k, newer, b)
        kept, order = best_order(later, x, jnp.asarray(0), period, decide)
        follow = decision.depletion > 0
        one_more = best + period.salvage
        keep = ~follow & (kept >= one_more - period.tie)
        value = jnp.where(follow, one_more, jnp.maximum(kept, one_more))
        depletion = jnp.where(keep, 0, decision.depletion + 1).astype(decide)
        made = value, Decision(depletion, jnp.where(keep, order, decision.order))
        return made, made

    _, rows = jax.lax.scan(row, first, jnp.arange(1, k))
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b.ravel()]), first, rows)


def row_states(num_ages: int, num_levels: int, newer: int, b: ArrayLike) -> jax.Array:
    """States of a row, (k^newer, m): b units before the newer classes, none in older ones."""
    older = jnp.zeros((num_levels**newer, num_ages - newer - 1), int)
    this = jnp.full((num_levels**newer, 1), b)
    return jnp.concatenate([older, this, all_states(newer, num_levels)], axis=1)
