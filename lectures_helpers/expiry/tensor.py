"""The tensor backup: exact for every model, without a search over z and without gathers.

Call the stock after depletion y.  It goes into the period as y_1 older units in front
of u = (y_2, ..., y_m, q), and demand leaves dep(u, (D - y_1)^+).  With n units in front,
the mean of what follows is::

    G(n; u) = E V(dep(u, (D - n)^+))

Let u' = dep_one(u) be u less its oldest unit.  Seen from u, one unit more in front and
one less behind are the same but for the demand that does not reach behind the front::

    G(n; u) = G(n + 1; u') + P(D <= n) (V(u) - V(u'))                     (front)

So each G is one multiply-add away from another one.  With V' = V(0, ·) and n units in
front, the same holds for the classes behind an empty first one; and because n + u_1 does
not change along the way, neither do the mean sales, ``r E min(D, n + |u|)``.  They are put in
at the start of each chain and travel along.

Depletion needs no search either: V(x) is the better of keeping x and selling its oldest
unit, V(x) = max(W(x), s + V(dep_one(x))), which is a running maximum along each axis.

One period takes k^(m+1) comparisons, one for each pair of a state and an order, and twice
as many multiply-adds, where the exhaustive search takes some m k^(m+2) d_max look-ups.

Arrays of classes behind the front have the newest class, the order q, as their first
axis: u_m, u_2, ..., u_{m-1}, so that the best order is found by comparing whole arrays.

Source: derived in the lecture on the tensor backup (eq:tensor-front, thm-front).
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from numpy.typing import DTypeLike

from lectures_helpers.expiry.periods import Decision, Period, total_stock

__all__ = [
    "CACHE", "after_order", "along_oldest", "backup", "best_order", "block_size", "fronts",
    "running_maximum", "to_parents", "value_in_columns", "value_of_keeping",
]  # fmt: skip

CACHE = 2**23  # bytes of chains in a block: what a core's share of a CPU's cache holds
# Turns of a loop that a GPU takes in one launch; more of them compile slowly.
UNROLLED = 16


@partial(jax.jit, static_argnames="decide")
def backup(
    values: jax.Array, period: Period, *, decide: str | None = None
) -> tuple[jax.Array, Decision | None]:
    """Move values back by one period.

    Args:
        values: V_{t+1}, (k,) * m.
        period: the period's demand and prices, in the same precision.
        decide: integer type of the decisions, or None for values alone.

    Returns:
        V_t, (k,) * m, and its `Decision`, or None.
    """
    kept, order = value_of_keeping(values, period, decide)
    if order is None:
        return running_maximum(kept, period.salvage), None
    return running_decision(kept, order, period)


def value_of_keeping(
    values: jax.Array, period: Period, decide: str | None
) -> tuple[jax.Array, jax.Array | None]:
    """W(y), the value of going on with stock y at the best order, and that order."""
    k = values.shape[0]
    if values.ndim == 1:  # the order is all there is behind the front
        best, order = best_order(fronts(values, period)[:k], period, decide)
        return after_order(best, jnp.arange(k), period), order
    if _unrolled(k) >= k:
        chains = _fronts_at_once(values[0], period)[: 2 * k - 1]
    else:
        chains = fronts(values[0], period)
    chains = chains.reshape(2 * k - 1, k, -1)
    between = total_stock(values.shape[2:], values.dtype).reshape(1, -1)
    behind = values.reshape(k, -1, k)
    results = in_blocks(behind, chains, between, period, decide)
    return jax.tree.map(lambda a: a.reshape(values.shape), results)


def in_blocks(
    behind: jax.Array,
    chains: jax.Array,
    between: jax.Array,
    period: Period,
    decide: str | None,
) -> tuple[jax.Array, jax.Array | None]:
    """`value_in_columns`, a block of columns at a time: no column needs another."""
    k, columns, _ = behind.shape
    size = block_size(k, columns, behind.dtype)
    if size == columns:
        return value_in_columns(behind, chains, between, period, decide)

    def fill(i, filled):
        block = (
            jax.lax.dynamic_slice_in_dim(array, i * size, size, axis)
            for array, axis in ((behind, 1), (chains, 2), (between, 1))
        )
        return jax.tree.map(
            lambda whole, part: jax.lax.dynamic_update_slice_in_dim(
                whole, part, i * size, 2
            ),
            filled,
            value_in_columns(*block, period, decide),
        )

    kept = jnp.zeros((k, k, columns), behind.dtype)
    order = None if decide is None else jnp.zeros(kept.shape, decide)
    return jax.lax.fori_loop(0, columns // size, fill, (kept, order))


def value_in_columns(
    behind: jax.Array,
    chains: jax.Array,
    between: jax.Array,
    period: Period,
    decide: str | None,
) -> tuple[jax.Array, jax.Array | None]:
    """W and the best order for some columns (u_2, ..., u_{m-1}).

    Args:
        behind: V, (k, columns, k): u_1, column, q.
        chains: what follows a front with nothing in the first class, from `fronts`,
            (2 k - 1, k, columns): n, q, column.
        between: u_2 + ... + u_{m-1}, (1, columns).
        period: the period's demand and prices.
        decide: integer type of the orders, or None for values alone.

    Returns:
        (k, k, columns): y_1, y_2 = u_1, column; both results.
    """
    k = len(behind)
    behind = jnp.moveaxis(behind, 2, 1)
    front = jnp.arange(k)
    reached_from = jnp.pad(period.cdf[: 2 * k - 1], (k, 0))  # P(D <= n), n = -k, ...

    def with_first_class(chains, u_1):
        """From u_1 - 1 units in the first class to u_1, for all n: n + u_1 is the chain."""
        this, last = (
            jax.lax.dynamic_index_in_dim(behind, u, keepdims=False)
            for u in (u_1, jnp.maximum(u_1 - 1, 0))
        )
        reached = jax.lax.dynamic_slice_in_dim(reached_from, k - u_1, 2 * k - 1)
        chains = chains + reached[:, None, None] * (this - last)[None]
        options = jax.lax.dynamic_slice_in_dim(chains, u_1, k)  # n, q, column
        best, order = best_order(options, period, decide)
        held = (front + u_1).astype(best.dtype)[:, None] + between
        return chains, (after_order(best, held, period), order)

    _, results = jax.lax.scan(with_first_class, chains, front)
    return jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), results)


def block_size(num_levels: int, columns: int, dtype: DTypeLike) -> int:
    """Columns worked on at once, columns over a power of k: as many as a cache holds.

    On a CPU the chains of a block are to stay in its cache (measured: 40 % faster at 43
    million states, and half the memory); a GPU wants all columns at once.
    """
    k, most = num_levels, CACHE if jax.default_backend() == "cpu" else 2**40
    size = columns
    while size % k == 0 and size * k * (2 * k - 1) * jnp.dtype(dtype).itemsize > most:
        size //= k
    return size


def _unrolled(turns: int) -> int:
    """How many turns of a loop to write out: a GPU makes one launch of them."""
    return 1 if jax.default_backend() == "cpu" else min(turns, UNROLLED)


def fronts(
    values: jax.Array,
    period: Period,
    columns: Callable[[jax.Array], jax.Array] = lambda table: table,
) -> jax.Array:
    """Mean of what follows a front of n = 0, ..., 2 k - 2 units, for stock u behind it.

    Args:
        values: V where the first class is empty: one axis for each class behind it.
        period: the period's demand and prices.
        columns: which columns of the table (q, u_2, ..., u_{m-1}) to return; default all.

    Returns:
        (2 k - 1, q, u_2, ..., u_{m-1}): ``G(n; u) + r E min(D, n + |u|) - c q``.
    """
    k = values.shape[-1]
    behind = jnp.moveaxis(values, -1, 0)
    rise = behind - to_parents(behind)
    root = (0,) * behind.ndim
    only_fresh = (slice(1, None), *root[1:])  # where the oldest unit is of the order

    def one_less_in_front(table, n):
        table = to_parents(table) + period.cdf[n] * rise
        table = table.at[only_fresh].add(-period.unit_cost)
        table = table.at[root].set(behind[root] + period.price * period.sales[n])
        return table

    # Behind S >= d_max units nothing happens, and all demand is sold.
    size = period.cdf.size
    q = jnp.arange(k, dtype=values.dtype).reshape((k,) + (1,) * (behind.ndim - 1))
    table = behind + period.price * period.sales[size] - period.unit_cost * q
    table = jax.lax.fori_loop(
        0, size - (2 * k - 1), lambda i, t: one_less_in_front(t, size - 1 - i), table
    )

    def step(table, n):
        table = one_less_in_front(table, n)
        return table, columns(table)

    return jax.lax.scan(step, table, jnp.arange(2 * k - 1), reverse=True)[1]


def _fronts_at_once(values, period):
    """`fronts` for n = 0, ..., S, class by class: more arithmetic, and fewer launches.

    With one unit more of the oldest class behind the front, G(n) follows from G(n + 1).
    """
    k, num_ages = values.shape[-1], values.ndim
    if num_ages == 1:  # the order is all there is
        q, cost, behind = jnp.arange(k, dtype=values.dtype), period.unit_cost, values
        tables = [values[0] + period.price * period.sales]
    else:
        q = jnp.arange(k, dtype=values.dtype).reshape((k,) + (1,) * (num_ages - 2))
        cost, behind = 0, jnp.moveaxis(values, -1, 1)
        tables = [_fronts_at_once(values[0], period)]
    reached = period.cdf.reshape((-1,) + (1,) * (num_ages - 1))
    for j in range(1, k):
        table = tables[-1][1:] + reached * (behind[j] - behind[j - 1])[None] - cost
        # Behind S >= d_max units nothing happens, and all demand is sold.
        last = behind[j] + period.price * period.sales[-1]
        last = last - period.unit_cost * (q[j] if num_ages == 1 else q)
        tables.append(jnp.concatenate([table, last[None]]))
    return jnp.stack(tables, 1 if num_ages == 1 else 2)


def to_parents(table: jax.Array) -> jax.Array:
    """table[dep_one(u)] for all u; the root, the empty stock, stays where it is.

    Axes: the newest class first, then the others from the oldest on.
    """
    if table.ndim == 1:
        return jnp.concatenate([table[:1], table[:-1]])
    first = to_parents(table[:, 0])  # the oldest class is empty: look behind it
    return jnp.concatenate([first[:, None], table[:, :-1]], axis=1)


def best_order(
    options: jax.Array, period: Period, decide: str | None
) -> tuple[jax.Array, jax.Array | None]:
    """The best over q, the second axis; and the smallest q that is as good."""
    best = options.max(1)
    if decide is None:
        return best, None
    good = period.discount * options >= period.discount * best[:, None] - period.tie
    k = options.shape[1]
    q = jnp.arange(k, dtype=decide).reshape((1, k) + (1,) * (options.ndim - 2))
    return best, jnp.where(good, q, jnp.asarray(k, decide)).min(1)


def after_order(best: jax.Array, held: jax.Array, period: Period) -> jax.Array:
    """W from the best over orders: discount, holding cost, disposal.  First axis: y_1."""
    waste = period.waste.reshape((-1,) + (1,) * (best.ndim - 1))
    held = held.astype(best.dtype)
    return (
        period.discount * (best - period.disposal_cost * waste)
        - period.holding_cost * held
    )


def running_maximum(kept: jax.Array, salvage: jax.Array) -> jax.Array:
    """V(x) = max(W(x), s + V(dep_one(x))), the newest class first, the oldest last."""
    first = kept[0] if kept.ndim == 1 else running_maximum(kept[0], salvage)
    return along_oldest(first, kept, salvage)


def along_oldest(first: jax.Array, kept: jax.Array, salvage: jax.Array) -> jax.Array:
    """The running maximum along the oldest class; `first`, where it is empty, is done."""
    gain = jnp.where(
        jnp.arange(len(kept)) > 0, salvage, 0
    )  # max(W, V + 0) = V in the first

    def step(parent, xs):
        kept, gain = xs
        best = jnp.maximum(kept, parent + gain)
        return best, best

    return jax.lax.scan(step, first, (kept, gain), unroll=_unrolled(len(kept)))[1]


def running_decision(
    kept: jax.Array, order: jax.Array, period: Period
) -> tuple[jax.Array, Decision]:
    """The same with decisions: sell one more than the parent, order what it orders."""
    first = kept[0], Decision(jnp.zeros_like(order[0]), order[0])
    if kept.ndim > 1:
        first = running_decision(kept[0], order[0], period)
    return decide_along_oldest(first, kept, order, period)


def decide_along_oldest(
    first: tuple[jax.Array, Decision],
    kept: jax.Array,
    order: jax.Array,
    period: Period,
) -> tuple[jax.Array, Decision]:
    """`along_oldest` with decisions."""

    def step(parent, xs):
        kept, order = xs
        value, decision = parent
        best = jnp.maximum(kept, value + period.salvage)
        keep = kept >= best - period.tie
        one_more = Decision(decision.depletion + 1, decision.order)
        stay = Decision(jnp.zeros_like(one_more.depletion), order)
        decision = jax.tree.map(partial(jnp.where, keep), stay, one_more)
        return (best, decision), (best, decision)

    unroll = min(
        _unrolled(len(kept)), 3
    )  # of more of them XLA makes minutes of compiling
    _, rest = jax.lax.scan(step, first, (kept[1:], order[1:]), unroll=unroll)
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, rest)
