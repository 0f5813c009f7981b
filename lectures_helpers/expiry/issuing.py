"""Goods that perish, as the literature has them: orders on their way, customers who choose.

A state is x = (x_1, ..., x_m, q_1, ..., q_{L-1}): x_i units expire in i periods, x_1 the
oldest, and q_j units arrive in j periods.  A period goes as follows::

    q units are ordered, which arrive at the end of the L-th period, this one counted
    demand D takes the oldest units first, or the newest; what is unmet is lost
    what is left of x_1 expires, everything ages by one, and q_1 (q, if L = 1) arrives

A unit ordered costs c, one of demand that is not met p, one that expires θ, one that is
kept h.  What demand leaves of a class behind n other units is a product with one small
matrix, and what it leaves of the classes behind that one is the same question again:
`behind` answers it class by class, without a list of next states.

Source: De Moor, Gijsbrechts and Boute (2022); derived in the lecture on issuing.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import ArrayLike
from scipy import sparse, stats

from lectures_helpers import checks, precision, value_iteration
from lectures_helpers.expiry import memory

__all__ = [
    "ISSUING", "Best", "Chain", "Optimum", "Parameters", "Return", "Table", "backup",
    "base_stock", "behind", "best_base_stock", "by_table", "chain",
    "create_parameters", "gamma_pmf", "newest_first",
    "oldest_first", "optimum", "orders", "propagate", "required_memory",
    "rule_return", "table",
]  # fmt: skip

ISSUING = ("FIFO", "LIFO")
MOST_AXES = 16  # of a state
MOST_ORDER = 1_000
MOST_DEMAND = 10_000  # entries of a law
MOST_PRICE = 1e9
MOST_DAYS = 100_000
MOST_REACHED = 1_000_000  # states of a chain
ARRAYS = 6  # of states, that the solver holds at its peak
SOON = 60  # backups, after which steps are shortened
ROWS = 4_096  # states whose next ones are listed at once


class Parameters(NamedTuple):
    """A shop with goods that perish; made by `create_parameters`."""

    num_ages: int  #: m, classes of stock: a unit can be sold in m periods
    lead_time: int  #: L, periods: an order arrives at the end of the L-th
    issuing: str  #: "FIFO", the oldest units are sold first, or "LIFO", the newest
    most_order: int  #: units that an order may have, and so a class
    demand_pmf: np.ndarray  #: (N,) P(D = 0), ..., P(D = N - 1), of a period
    unit_cost: float  #: c, money a unit ordered
    lost_sale_cost: float  #: p, money a unit of demand that is not met
    disposal_cost: float  #: θ, money a unit that expires
    holding_cost: float  #: h, money a unit that is kept, and period
    discount: float  #: α, of a period; 1: the average cost counts


class Table(NamedTuple):
    """What a backup needs of a shop, arrays of NumPy or JAX; made by `table`."""

    costs: Any  #: (k,) * m, expected cost of a period, orders apart; k = most_order + 1
    law: Any  #: (N, k, k): what a class holds after demand, behind n other units
    unit_costs: Any  #: (k,)
    discount: Any  #: ()


class Optimum(NamedTuple):
    """The least cost between bounds, and orders that attain it."""

    orders: Any  #: (k,) * (m + L - 1), units, in every state
    lower: float  #: from the empty shop for ever, discounted; or average, a period
    upper: float  #: no state's cost under `orders` is above what this says of it
    iterations: int  #: backups done


class Chain(NamedTuple):
    """The states that a rule reaches from the empty shop, which is the first of them."""

    states: np.ndarray  #: (n, m + L - 1)
    moves: sparse.csr_array  #: (n, n) probabilities
    costs: np.ndarray  #: (n,) expected cost of a period
    squares: np.ndarray  #: (n,) expected square of it
    weighted: sparse.csr_array  #: (n, n) probabilities times the cost on the way


class Return(NamedTuple):
    """What a run of days earns: minus its cost, discounted to its first day."""

    mean: float
    std: float  #: from run to run
    states: int  #: that the rule reaches


class Best(NamedTuple):
    """The best level to order up to, and what it earns."""

    level: int
    earned: Return


def gamma_pmf(mean: float = 4.0, cv: float = 0.5) -> np.ndarray:
    """Compute a gamma law rounded to whole units, P(D = d) = F(d + 1/2) - F(d - 1/2).

    Args:
        mean: of the gamma law, units, from 0.01 to 1,000.
        cv: its standard deviation over its mean, from 0.01 to 3.

    Returns:
        (N,) probabilities of 0, ..., N - 1 units, cut where 1e-15 of the law is left and
        scaled to sum to 1.

    Raises:
        ValueError: a bad argument.

    >>> gamma_pmf()[:3].round(4)
    array([0.0018, 0.0639, 0.1768])
    """
    mean = checks.concrete("mean", checks.within("mean", mean, 0.01, 1_000.0))
    cv = checks.concrete("cv", checks.within("cv", cv, 0.01, 3.0))
    law = stats.gamma(cv**-2, scale=mean * cv**2)
    if (most := math.ceil(law.isf(1e-15))) >= MOST_DEMAND:
        raise ValueError(
            f"mean or cv must be smaller: the law takes {most + 1:,} entries, where"
            f" {MOST_DEMAND:,} are the most, got mean = {mean:g} and cv = {cv:g}"
        )
    edges = np.append(0.0, np.arange(most + 1) + 0.5)
    pmf = np.diff(law.cdf(edges))
    return pmf / pmf.sum()


def create_parameters(
    num_ages: int = 2,
    lead_time: int = 1,
    issuing: str = "FIFO",
    *,
    most_order: int = 10,
    demand_pmf: ArrayLike | None = None,
    unit_cost: float = 3.0,
    lost_sale_cost: float = 5.0,
    disposal_cost: float = 7.0,
    holding_cost: float = 1.0,
    discount: float = 0.99,
) -> Parameters:
    """Check the numbers of a shop and put them together.

    Args:
        num_ages: classes of stock [m], an integer >= 1.
        lead_time: periods from an order to its arrival [L], an integer >= 1; with
            `num_ages` at most 17.
        issuing: "FIFO", customers get the oldest units first, or "LIFO", the newest.
        most_order: units that an order may have, an integer from 1 to 1,000.
        demand_pmf: (N,) probabilities of a demand of 0, ..., N - 1 units in a period,
            >= 0, with sum 1 (scaled to it if it misses it by rounding), not all at 0.
            Default the law of De Moor et al. (2022), `gamma_pmf` with its defaults.
        unit_cost: cost of a unit ordered [c], money, >= 0.
        lost_sale_cost: cost of a unit of demand that is not met [p], money, >= 0.
        disposal_cost: cost of a unit that expires [θ], money, >= 0.
        holding_cost: cost of a unit that is kept to the next period [h], money, >= 0.
        discount: discount factor of a period [α], in (0, 1]; 1 for the average cost.

    Raises:
        ValueError: what is out of range, by its name and bound.

    >>> create_parameters(3, 2, "LIFO").disposal_cost
    7.0
    """
    num_ages = checks.integer("num_ages", num_ages, 1, MOST_AXES)
    lead_time = checks.integer("lead_time", lead_time, 1, MOST_AXES + 1 - num_ages)
    if not isinstance(issuing, str) or issuing not in ISSUING:
        raise ValueError(f"issuing must be FIFO or LIFO, got {issuing!r}")
    most_order = checks.integer("most_order", most_order, 1, MOST_ORDER)
    prices = {
        "unit_cost": unit_cost,
        "lost_sale_cost": lost_sale_cost,
        "disposal_cost": disposal_cost,
        "holding_cost": holding_cost,
    }
    c, p, θ, h = (
        checks.concrete(name, checks.within(name, price, 0.0, MOST_PRICE))
        for name, price in prices.items()
    )
    discount = checks.concrete("discount", discount)
    if not 0 < discount <= 1:
        raise ValueError(f"discount must be in (0, 1], got {discount:g}")
    pmf = _checked_pmf(gamma_pmf() if demand_pmf is None else demand_pmf)
    return Parameters(
        num_ages, lead_time, issuing, most_order, pmf, c, p, θ, h, discount
    )


def _checked_pmf(pmf):
    pmf = checks.demand_law("demand_pmf", pmf)
    if pmf.size > MOST_DEMAND:
        raise ValueError(
            f"demand_pmf must have at most {MOST_DEMAND:,} entries, got {pmf.size:,}"
        )
    return pmf


def _checked(params):
    """The parameters, also where they were put together by hand."""
    given = checks.made_by("params", params, Parameters)
    if given.demand_pmf is None:
        raise ValueError("demand_pmf must be an array, got None")
    return create_parameters(**given._asdict())


def _shape(params):
    """Of an array of all states."""
    return (params.most_order + 1,) * (params.num_ages + params.lead_time - 1)


# ------------------------------------------------------------------------- the backup


def table(params: Parameters) -> Table:
    """Tabulate a shop for its backup.

    Args:
        params: the shop.

    Raises:
        ValueError: bad parameters.
    """
    params = _checked(params)
    m, k, pmf = params.num_ages, params.most_order + 1, params.demand_pmf
    reach = (m + 1) * k  # no more units are ever in front of a class, or on the shelf
    what = f"num_ages = {m} and most_order = {k - 1}: costs of {k**m:,} stocks"
    memory.check_fits(what, 8 * (4 * k**m + reach * k**2))
    cdf = np.append(np.cumsum(pmf), np.ones(reach))[:reach]
    left = np.append(0.0, np.cumsum(cdf))  # E (n - D)^+
    missed = pmf @ np.arange(pmf.size) - np.arange(reach + 1) + left  # E (D - n)^+
    total = sum(np.indices((k,) * m, sparse=True))
    oldest = np.arange(k).reshape((k,) + (1,) * (m - 1))
    if params.issuing == "FIFO":
        waste = left[oldest]
    else:  # what is left of all, less what would be left of the newer classes
        waste = left[total] - left[total - oldest]
    θ, h = params.disposal_cost, params.holding_cost
    costs = (
        params.lost_sale_cost * np.maximum(missed[total], 0.0)
        + h * (left[total] - waste)
        + θ * waste
    )
    return Table(
        costs,
        _law(cdf, k),
        params.unit_cost * np.arange(k),
        np.asarray(params.discount),
    )


def _law(cdf, k):
    """law[n, u, j]: that behind n units u become j; j = 0 is also what is taken through.

    Behind n, nothing is taken with probability P(D <= n), and j = u - 1, u - 2, ... are
    left with P(D = n + 1), P(D = n + 2), ...  Where none is left, demand goes on to the
    classes behind: that is counted there, for n + u units in front, and here it is taken
    off what is counted there though some of u is left.
    """
    n, u, j = np.ogrid[: cdf.size - k + 1, :k, :k]
    before = np.append(0.0, cdf)  # P(D < n)
    at = np.clip(n + u - j, 0, cdf.size - 1)
    kept = (1 <= j) & (j <= u)
    passed = (0 <= j) & (j < u)
    return np.where(kept, cdf[at], 0.0) - np.where(passed, before[at], 0.0)


def behind(law: jax.Array, V: jax.Array, ages: int, most: int) -> jax.Array:
    """Average V over what demand leaves of classes that wait behind other units.

    Args:
        law: of a `Table`.
        V: values by what is left of each class, the first to be sold on the first axis,
            and of anything else on the axes after these: (k,) * ages + (...).
        ages: how many classes there are, >= 0.
        most: the largest number of units in front of them.

    Returns:
        (most + 1,) + V's shape: by units in front, and what the classes held before.

    Source: (eq:issuing-behind) of the lecture on issuing.
    """
    if ages == 0:
        return jnp.broadcast_to(V, (most + 1, *V.shape))
    k = V.shape[0]
    through = behind(law, V[0], ages - 1, most + k - 1)  # the first class is sold out
    front = jnp.arange(most + 1)[:, None] + jnp.arange(k)[None]
    return jnp.tensordot(law[: most + 1], V, 1, precision="highest") + through[front]


def newest_first(table: Table, V: jax.Array, best: Callable = jnp.min) -> jax.Array:
    """Find the best of all orders, and what it leads to, the newest units sold first.

    Args:
        table: the shop's.
        V: cost of an order and of all that follows it, (k,) * m: by what demand leaves of
            x_2, ..., x_m, and by the order.
        best: of the values of all orders, along an axis.

    Returns:
        (k,) * m: by x_1, ..., x_m.  The oldest units make no difference.

    Source: (eq:issuing-bellman) of the lecture on issuing.
    """
    turned = (*reversed(range(V.ndim - 1)), V.ndim - 1)
    options = behind(table.law, V.transpose(turned), V.ndim - 1, 0)[0]
    chosen = best(options.transpose(turned), axis=-1)
    return jnp.broadcast_to(chosen, V.shape)


def oldest_first(table: Table, V: jax.Array, best: Callable = jnp.min) -> jax.Array:
    """Find the best of all orders, and what it leads to, the oldest units sold first.

    Args:
        table, V, best: as in `newest_first`.

    Returns:
        (k,) * m: by x_1, ..., x_m, for one x_1 after the other.

    Source: (eq:issuing-bellman) of the lecture on issuing.
    """
    k = len(V)
    if V.ndim == 1:  # nothing is kept
        return jnp.broadcast_to(best(V, axis=0), V.shape)
    # The order comes second, so that the best is found by comparing whole rows.
    through = jnp.moveaxis(behind(table.law, V[0], V.ndim - 2, 2 * k - 2), -1, 1)
    V = jnp.moveaxis(V, -1, 1)

    def with_oldest(x_1):
        options = jnp.tensordot(table.law[x_1], V, 1, precision="highest")
        return best(options + lax.dynamic_slice_in_dim(through, x_1, k), axis=1)

    return lax.map(with_oldest, jnp.arange(k))


def _for_pipelines(
    chosen: Callable, table: Table, V: jax.Array, best: Callable = jnp.min
) -> jax.Array:
    """Take the values of all states back by one period, or find the best orders there.

    What is on its way is a list of its own for each q_1, ..., q_{L-1}: no demand touches
    it, and so they are done one after the other.

    Args:
        chosen: `newest_first` or `oldest_first`.
        table: the shop's.
        V: values, (k,) * (m + L - 1), money: x_1, ..., x_m, q_1, ..., q_{L-1}.
        best: as in `newest_first`; what is not ``jnp.min`` finds orders.

    Returns:
        Values one period earlier, or orders, of V's shape.

    Source: (eq:issuing-bellman) of the lecture on issuing.
    """
    table = Table(*[jnp.asarray(a, V.dtype) for a in table])
    m, k = table.costs.ndim, len(table.costs)
    after = table.discount * V + jnp.expand_dims(table.unit_costs, range(V.ndim - 1))
    after = after.reshape((k,) * (m - 1) + (-1, k))
    lists = jnp.moveaxis(after, m - 1, 0)
    found = lax.map(lambda V: chosen(table, V, best), lists)
    if best is jnp.min:
        found = found + table.costs[None]
    return jnp.moveaxis(found, 0, -1).reshape(V.shape)


def backup(params: Parameters) -> Callable[[jax.Array], jax.Array]:
    """Make the function that takes values back by one period.

    Args:
        params: the shop.

    Returns:
        V -> TV, of arrays (k,) * (m + L - 1); compiled once for all shops of a shape.

    Raises:
        ValueError: bad parameters.
    """
    params = _checked(params)
    function = _oldest_first if params.issuing == "FIFO" else _newest_first
    return jax.tree_util.Partial(function, table(params))


def _oldest_first(table, V, best=jnp.min):
    return _for_pipelines(oldest_first, table, V, best)


def _newest_first(table, V, best=jnp.min):
    return _for_pipelines(newest_first, table, V, best)


def _least(options, axis):
    """The smallest order that costs no more than the best, but for rounding."""
    best = options.min(axis=axis, keepdims=True)
    slack = 100 * jnp.finfo(options.dtype).eps * jnp.abs(best).max()
    return jnp.argmax(options <= best + slack, axis=axis)


@jax.jit
def _orders(backup, V):
    return backup(V, best=_least)


def orders(params: Parameters, V: ArrayLike) -> np.ndarray:
    """Find the best order in every state, if V is what the states after it cost.

    Args:
        params: the shop.
        V: values of all states, (k,) * (m + L - 1), money.

    Returns:
        Units, of V's shape: the least of the orders that cost the same, to 100 times V's
        rounding.

    Raises:
        ValueError: a bad argument.
    """
    params = _checked(params)
    checks.not_traced("V", V)
    given = checks.finite("V", V)
    if np.shape(given) != _shape(params):
        raise ValueError(
            f"V must have the shape {_shape(params)}, a number for each state, got the"
            f" shape {np.shape(given)}"
        )
    with precision.enable_x64(True):
        return np.asarray(_orders(backup(params), jnp.asarray(given, float)))


def required_memory(params: Parameters) -> int:
    """Tell how many bytes `optimum` takes at its peak, about.

    Args:
        params: the shop.

    Raises:
        ValueError: bad parameters.

    >>> required_memory(create_parameters(2, 1)) < 2**20
    True
    """
    params = _checked(params)
    return 8 * ARRAYS * math.prod(_shape(params))


def _part_way(backup, step, V):
    """A part of the way from V to TV: it has the same fixed point, and swings less."""
    return V + step * (backup(V) - V)


def _solved(params, V, tol):
    """Values between bounds, and the number of backups.

    Orders may all but alternate from day to day, and values with them: what does not settle
    soon takes shorter steps.  With steps τ the discount factor is 1 - τ (1 - α).
    """
    α, done = params.discount, 0
    for step, most in ((1.0, SOON), (2 / 3, 100_000)) if α < 1 else ((1.0, 100_000),):
        found = value_iteration.solve(
            jax.tree_util.Partial(_part_way, backup(params), jnp.asarray(step)),
            V,
            discount=1 - step * (1 - α),
            tol=tol,
            max_iterations=most,
        )
        V, done = found.values, done + int(found.iterations)
        if found.converged:
            break
    return found, done


def optimum(params: Parameters, *, tol: float = 1e-6) -> Optimum:
    """Enclose the least cost over all rules, and find orders that attain it.

    Args:
        params: the shop.
        tol: how close the bounds shall come, > 0, money.

    Raises:
        ValueError: a bad argument; more memory than there is.

    >>> found = optimum(create_parameters(2, 1, "LIFO"))
    >>> found.orders[0, :6].tolist()  # De Moor et al. (2022), figure 3
    [3, 3, 3, 2, 1, 0]
    """
    params, tol = _checked(params), checks.concrete("tol", checks.positive("tol", tol))
    shape = _shape(params)
    what = (
        f"num_ages = {params.num_ages}, lead_time = {params.lead_time} and most_order ="
        f" {params.most_order}: {math.prod(shape):,} states"
    )
    memory.check_fits(what, required_memory(params))
    with precision.enable_x64(True):
        found, iterations = _solved(params, jnp.zeros(shape), tol)
        lower, upper = (float(np.ravel(a)[0]) for a in (found.lower, found.upper))
        best = orders(params, found.values)
    return Optimum(best, lower, upper, iterations)


# ---------------------------------------------------------------------- a rule's cost


def base_stock(level: int, most_order: int = 10) -> Callable[[np.ndarray], np.ndarray]:
    """Order up to a level of all stock and orders together, whatever the age.

    Args:
        level: units, an integer >= 0.
        most_order: units that an order may have, an integer >= 1.

    Returns:
        The rule: (n, m + L - 1) states -> (n,) orders.

    Raises:
        ValueError: a bad argument.

    >>> base_stock(7)(np.array([[3, 2], [9, 1]]))
    array([2, 0])
    """
    level = checks.integer("level", level, 0)
    most_order = checks.integer("most_order", most_order, 1)
    return lambda x: np.clip(level - x.sum(axis=-1), 0, most_order)


def by_table(orders: ArrayLike) -> Callable[[np.ndarray], np.ndarray]:
    """Look the order up.

    Args:
        orders: of every state, units, whole numbers from 0 to 1,000.

    Returns:
        The rule: (n, m + L - 1) states -> (n,) orders.

    Raises:
        ValueError: a bad argument; from the rule, a state that the table does not have.

    >>> by_table([2, 1, 0])(np.array([[1], [2]]))
    array([1, 0])
    """
    found = checks.whole_units("orders", orders, MOST_ORDER)

    def rule(x):
        if x.shape[-1] != found.ndim or (x >= found.shape).any():
            raise ValueError(
                "orders must have an entry for each state that the rule reaches, got the"
                f" shape {found.shape}"
            )
        return found[tuple(x.T)]

    return rule


def chain(params: Parameters, rule: Callable[[np.ndarray], ArrayLike]) -> Chain:
    """List the states that a rule reaches from the empty shop, and how it moves there.

    Args:
        params: the shop.
        rule: (n, m + L - 1) states -> (n,) orders, whole units from 0 to `most_order`.

    Raises:
        ValueError: a bad argument; orders out of bounds; more than a million states.
    """
    params = _checked(params)
    if not callable(rule):
        raise ValueError(f"rule must be a function of states, got {rule!r}")
    shape = _shape(params)
    known, new, parts = np.zeros(1, int), np.zeros(1, int), []
    while new.size:
        steps = [
            _step(params, rule, np.stack(np.unravel_index(codes, shape), -1))
            for codes in np.array_split(new, math.ceil(new.size / ROWS))
        ]
        after = np.unique(np.concatenate([np.unique(step[0]) for step in steps]))
        new = np.setdiff1d(after, known, assume_unique=True)
        known = np.append(known, new)
        if known.size > MOST_REACHED:
            raise ValueError(
                f"rule must reach at most {MOST_REACHED:,} states, got {known.size:,}"
            )
        order = np.argsort(known)
        for numbers, costs in steps:
            columns = order[np.searchsorted(known, numbers, sorter=order)]
            parts.append(_part(params.demand_pmf, columns, costs))
    moves, weighted, costs, squares = zip(*parts, strict=True)
    n = known.size
    return Chain(
        np.stack(np.unravel_index(known, shape), axis=-1),
        _stacked(moves, n),
        np.concatenate(costs),
        np.concatenate(squares),
        _stacked(weighted, n),
    )


def _part(pmf, columns, costs):
    """Some rows of a chain: moves, those with costs, mean costs, and mean squares."""
    found, top = [], columns.shape[1] - 1  # all demands from there on lead to one state
    ends = np.arange(0, columns.size + 1, top + 1)
    for chances in (np.broadcast_to(pmf, costs.shape), pmf * costs):
        beyond = chances[:, top:].sum(axis=1, keepdims=True)
        given = np.hstack([chances[:, :top], beyond]).ravel(), columns.ravel(), ends
        shape = len(columns), columns.max() + 1
        rows = sparse.csr_array(given, shape, copy=True)
        rows.sum_duplicates()
        found.append(rows)
    return *found, costs @ pmf, costs**2 @ pmf


def _stacked(parts, n):
    """The rows of a chain of n states, one below the other."""
    for part in parts:
        part.resize(part.shape[0], n)
    return sparse.vstack(parts, format="csr")


def _step(params, rule, x):
    """Numbers of the states after demands of 0, 1, ..., and costs of all demands, (n, N)."""
    m, a = params.num_ages, np.asarray(rule(x.copy()))
    whole = a.shape == (len(x),) and a.dtype.kind in "iu"
    if not whole or a.min() < 0 or a.max() > params.most_order:
        raise ValueError(
            f"rule must return {len(x)} orders for as many states, whole units from 0 to"
            f" most_order = {params.most_order}, got {a}"
        )
    stock, demand = x[:, :m].astype(np.int32), np.arange(params.demand_pmf.size)
    if params.issuing == "LIFO":
        until = np.cumsum(stock[:, ::-1], axis=1)[:, ::-1]
    else:
        until = np.cumsum(stock, axis=1)
    # Of a class is left what demand does not reach: (class, state, demand).
    left = [np.clip(until[:, i, None] - demand, 0, stock[:, i, None]) for i in range(m)]
    costs = (
        params.unit_cost * a[:, None]
        + params.lost_sale_cost * np.maximum(demand - stock.sum(axis=1)[:, None], 0)
        + params.disposal_cost * left[0]
        + params.holding_cost * sum(left[1:], np.zeros_like(left[0]))
    )
    top = min(stock.sum(axis=1).max(), demand[-1])  # more leaves nothing, too
    entering = np.column_stack([x[:, m:], a])
    number = np.zeros((len(x), 1), np.int64)
    for part in [*(some[:, : top + 1] for some in left[1:]), *entering.T[:, :, None]]:
        number = number * (params.most_order + 1) + part
    return np.broadcast_to(number, (len(x), top + 1)), costs


def propagate(chain: Chain, law: ArrayLike, num_days: int) -> np.ndarray:
    """Move a law of states on by some days.

    Args:
        chain: of a rule.
        law: (n,) probabilities of its states.
        num_days: an integer >= 0.

    Returns:
        (n,) probabilities after so many days.

    Raises:
        ValueError: a bad argument.
    """
    checks.not_traced("chain", chain)
    chain = checks.made_by("chain", chain, Chain, "chain")
    size = np.shape(chain.costs)
    if len(size) != 1 or np.shape(chain.moves) != size * 2:
        raise ValueError(
            f"chain must come from chain, whole, got costs {chain.costs!r}"
        )
    checks.not_traced("law", law)
    now = checks.numbers("law", checks.at_least("law", law, 0.0))
    if now.shape != size or not abs(now.sum() - 1) <= 1e-6:
        raise ValueError(
            f"law must have a probability for each of {size[0]:,} states, with sum 1, got"
            f" the shape {now.shape} and the sum {now.sum():g}"
        )
    for _ in range(checks.integer("num_days", num_days, 0, MOST_DAYS)):
        now = now @ chain.moves
    return now


def rule_return(
    params: Parameters,
    rule: Callable[[np.ndarray], ArrayLike],
    *,
    warm_up: int = 100,
    num_days: int = 365,
) -> Return:
    """Compute what a rule earns, exactly: minus its discounted cost over some days.

    Args:
        params: the shop.
        rule: as in `chain`.
        warm_up: days from the empty shop to the first that counts, an integer >= 0.
        num_days: days that count, an integer >= 1.

    Returns:
        Mean and standard deviation of the return over all courses of demand: of the mean
        the law of states is moved on day by day, of the square the values back.

    Raises:
        ValueError: a bad argument.

    Source: the measure of Farrington et al. (2025), table 3.

    >>> shop = create_parameters(2, 1, "LIFO")
    >>> round(rule_return(shop, by_table(optimum(shop).orders)).mean, 2)  # print: -1553
    -1552.99
    """
    params = _checked(params)
    warm_up = checks.integer("warm_up", warm_up, 0, MOST_DAYS)
    num_days = checks.integer("num_days", num_days, 1, MOST_DAYS)
    return _return(chain(params, rule), params.discount, warm_up, num_days)


def _mean(found, α, warm_up, num_days):
    """The law of states when days begin to count, and the mean cost of those days."""
    start = np.eye(1, found.costs.size)[0]
    for _ in range(warm_up):
        start = start @ found.moves
    law, mean, factor = start, 0.0, 1.0
    for _ in range(num_days):
        mean, factor = mean + factor * (law @ found.costs), factor * α
        law = law @ found.moves
    return start, mean


def _return(found, α, warm_up, num_days):
    """Mean and spread: E R², R = cost + α R', by what is still to come."""
    start, mean = _mean(found, α, warm_up, num_days)
    first, second = np.zeros_like(start), np.zeros_like(start)
    for _ in range(num_days):
        on_the_way = 2 * α * (found.weighted @ first)
        second = found.squares + on_the_way + α**2 * (found.moves @ second)
        first = found.costs + α * (found.moves @ first)
    variance = max(start @ second - mean**2, 0.0)
    return Return(-float(mean), math.sqrt(variance), start.size)


def best_base_stock(
    params: Parameters, *, warm_up: int = 100, num_days: int = 365
) -> Best:
    """Find the level whose neighbours both earn less, from the best of four starts.

    Above `most_order` the cost can fall once more, where goods keep for a day.

    Args:
        params: the shop.
        warm_up, num_days: as in `rule_return`.

    Raises:
        ValueError: a bad argument.
    """
    params = _checked(params)
    warm_up = checks.integer("warm_up", warm_up, 0, MOST_DAYS)
    days = params.discount, warm_up, checks.integer("num_days", num_days, 1, MOST_DAYS)
    known: dict[int, float] = {}

    def chain_of(level):
        return chain(params, base_stock(level, params.most_order))

    def cost(level):
        if level not in known:
            known[level] = _mean(chain_of(level), *days)[1]
        return known[level]

    mean = params.demand_pmf @ np.arange(params.demand_pmf.size)
    usual = mean * (params.lead_time + 0.5)
    level = min((math.ceil(part * usual) for part in (1, 0.5, 0.25, 0)), key=cost)
    while True:
        near = [level, level + 1, *([level - 1] if level else [])]
        better = min(near, key=cost)
        if cost(better) >= cost(level):
            return Best(level, _return(chain_of(level), *days))
        level = better
