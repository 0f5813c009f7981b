"""Thresholds: for each class, how much of it is kept, given the newer stock.

Where h >= 0, r >= 0 and -θ <= s <= r, there is for class i a threshold that depends on
newer stock only, z̄_i(x_{i+1}, ..., x_m): reading from the newest class to the oldest, at
the first class with x_i > z̄_i, deplete it down to z̄_i and everything older to nothing.

So each class has a level below which values are those of keeping, and above which each
unit adds s.  The first need an expectation, the others none: the search goes up class by
class, for all newer stocks at once, and stops when the last of them has met its threshold.

Source: the lecture on structure (thm-thresholds).
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from lectures_helpers.expiry.exhaustive import best_order, look_up
from lectures_helpers.expiry.periods import Decision, Period
from lectures_helpers.expiry.top_down import class_by_class, row_states

__all__ = ["backup"]


@partial(jax.jit, static_argnames="decide")
def backup(
    values: jax.Array, period: Period, *, decide: str | None = None
) -> tuple[jax.Array, Decision | None]:
    """Move values back by one period; as `tensor.backup`, where the structure holds."""
    return class_by_class(_levels_of_class, values, period, decide)


def _levels_of_class(values, first, newer, period, decide):
    """Values and decisions with 0, ..., k - 1 units in a class; as `top_down.rows_of_class`.

    `first` holds them for no units there, (k^newer,): for all stocks of the newer classes.
    """
    m, k, later = values.ndim, values.shape[0], look_up(values)
    best, (sold_off, order) = first
    # Where the newer stock itself is sold off, nothing of this class is kept.
    open_ended = sold_off == 0
    levels = [jnp.zeros((k, a.size), a.dtype).at[0].set(a) for a in (best, order)]
    threshold = jnp.zeros(best.shape, int)

    def some_go_on(state):
        b, _, open_ended, _ = state
        return (b < k) & open_ended.any()

    def next_level(state):
        b, (values, orders), open_ended, threshold = state
        x = row_states(m, k, newer, b)
        kept, order = best_order(later, x, jnp.asarray(0), period, decide)
        one_more = values[b - 1] + period.salvage
        keep = open_ended & (kept >= one_more - period.tie)
        value = jnp.where(keep, jnp.maximum(kept, one_more), 0)
        levels = [values.at[b].set(value), orders.at[b].set(order)]
        return b + 1, levels, keep, jnp.where(keep, b, threshold)

    _, levels, _, threshold = jax.lax.while_loop(
        some_go_on, next_level, (jnp.asarray(1), levels, open_ended, threshold)
    )
    # Beyond the threshold: as many units as are too many, at s each, and what is best there.
    b = jnp.arange(k)[:, None]
    too_many = jnp.maximum(b - threshold[None], 0)
    value, order = (jnp.take_along_axis(a, b - too_many, axis=0) for a in levels)
    value = value + period.salvage * too_many.astype(values.dtype)
    made = value, Decision(sold_off[None] + too_many.astype(decide), order)
    return jax.tree.map(jnp.ravel, made)


def read_off(depletion: ArrayLike) -> list[np.ndarray]:
    """Thresholds from the units depleted in every state, (k,) * m; one array per class.

    Raises:
        ValueError: the depletion is not of the threshold form; a state shows it.
    """
    depletion = np.asarray(depletion).astype(np.int64)
    found = []
    for i in range(depletion.ndim):
        keeps = depletion[(0,) * i] == 0  # classes i, ..., m - 1; older ones are empty
        found.append(np.where(keeps[0], keeps.cumprod(axis=0).sum(axis=0) - 1, 0))
    stock = np.indices(depletion.shape)
    older = stock.cumsum(axis=0) - stock
    rule = np.zeros_like(depletion)
    for i, most in enumerate(found):  # the newest class that holds too much decides
        rule = np.where(stock[i] > most, stock[i] - most + older[i], rule)
    if (rule != depletion).any():
        x = tuple(int(n) for n in np.argwhere(rule != depletion)[0])
        raise ValueError(
            f"the depletion must be of the threshold form, but in state {x} it is "
            f"{depletion[x]} and the thresholds give {rule[x]}"
        )
    return found
