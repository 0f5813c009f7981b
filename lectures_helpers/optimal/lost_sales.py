"""Lost sales with orders on their way: the least cost between bounds, and rules' exact costs.

Each period begins with the delivery of the order of L periods ago; then the shop orders,
then customers come.  What they want and do not find is lost.  A state is x = (x_0, ...,
x_{L-1}): what is on hand after the delivery, and what comes in 1, ..., L - 1 periods.
The order z leads from x to ((x_0 - D)^+ + x_1, x_2, ..., x_{L-1}, z).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import ArrayLike
from scipy import sparse

from lectures_helpers import checks, value_iteration
from lectures_helpers.optimal import periodic

__all__ = [
    "Bounds", "Parameters", "Table", "backup", "base_stock", "box", "constant_order_cost",
    "create_parameters", "lead_time_quantile", "myopic", "optimum", "rule_cost", "table",
]  # fmt: skip

MOST_BYTES = 2**34  # three arrays of states
MOST_STATES = 500_000  # that a rule may reach
MOST_STOCK = 2_000  # under a constant order


class Parameters(NamedTuple):
    """A shop that loses the sales it cannot make; made by `create_parameters`."""

    holding_cost: float  #: h, money a unit on hand at a period's end
    lost_sale_cost: float  #: p, money a unit of demand that is not met
    demand_pmf: np.ndarray  #: (N,) P(D = 0), ..., P(D = N - 1), of a period
    lead_time: int  #: L, periods from the order to its arrival, >= 1


class Table(NamedTuple):
    """What `backup` needs of a shop, on a box of states; made by `table`."""

    costs: jax.Array  #: (A,) expected cost of a period that begins with x_0 on hand
    left: jax.Array  #: (A, A) law of what is left of x_0, a row for each
    orders: jax.Array  #: (Z,) 0, ..., Z - 1


class Bounds(NamedTuple):
    """The long-run average cost, money a period."""

    lower: float
    upper: float
    states: int  #: that it was computed on


def create_parameters(
    holding_cost: float,
    lost_sale_cost: float,
    demand_pmf: ArrayLike,
    lead_time: int,
) -> Parameters:
    """Check the numbers of a shop and put them together.

    Args:
        holding_cost: cost of a unit on hand at the end of a period [h], money, > 0.
        lost_sale_cost: cost of a unit of demand that is not met [p], money, > 0.
        demand_pmf: (N,) probabilities of a demand of 0, ..., N - 1 units in a period,
            >= 0, with sum 1 (scaled to it if it misses it by rounding), not all at 0.
        lead_time: periods from an order to its arrival [L], an integer >= 1.

    Raises:
        ValueError: what is out of range, by its name and bound.

    >>> create_parameters(1.0, 4.0, [0.2, 0.5, 0.3], 2).lead_time
    2
    """
    lost_sale_cost = checks.concrete(
        "lost_sale_cost",
        checks.within("lost_sale_cost", lost_sale_cost, periodic.LEAST, periodic.MOST),
    )
    lead_time = checks.integer("lead_time", lead_time, 1)
    shop = periodic.create_parameters(
        0.0, holding_cost, lost_sale_cost, demand_pmf, lead_time
    )
    return Parameters(shop.holding_cost, lost_sale_cost, shop.demand_pmf, lead_time)


def _checked(params):
    """The parameters, also where they were put together by hand."""
    return create_parameters(*checks.made_by("params", params, Parameters))


def lead_time_quantile(params: Parameters, periods: int) -> int:
    """Find the newsvendor's level for the demand of some periods.

    Args:
        params: the shop.
        periods: how many, an integer >= 1.

    Returns:
        The least y with P(D_1 + ... + D_periods <= y) >= p / (p + h), units.
    """
    params, periods = _checked(params), checks.integer("periods", periods, 1)
    pmf = params.demand_pmf
    for _ in range(periods - 1):
        pmf = np.convolve(pmf, params.demand_pmf)
    ratio = params.lost_sale_cost / (params.lost_sale_cost + params.holding_cost)
    return int(np.argmax(np.cumsum(pmf) >= ratio * (1 - 1e-15)))


def box(params: Parameters) -> tuple[int, ...]:
    """Find a box of states that is large enough for an optimal rule.

    Returns:
        The number of values of x_0, ..., x_{L-1}.  With stock and orders together at or
        above the newsvendor's level for L + 1 periods nothing is ordered, and never more
        than his level for one period.

    Source: Zipkin (2008), "Old and new methods for lost-sales inventory systems".

    >>> box(create_parameters(1.0, 4.0, [0.2, 0.5, 0.3], 2))
    (5, 3)
    """
    params = _checked(params)
    most = lead_time_quantile(params, params.lead_time + 1)
    return most + 1, *[lead_time_quantile(params, 1) + 1] * (params.lead_time - 1)


def table(params: Parameters, shape: tuple[int, ...] | None = None) -> Table:
    """Tabulate a shop for `backup`.

    Args:
        params: the shop.
        shape: the box of states; by default `box`.  Shops of one lead time share a
            program if they share a box.

    Raises:
        ValueError: a box of another dimension, or too small for the law.
    """
    params = _checked(params)
    shape = _shape(params, shape)
    costs, left = _period(params, shape[0])
    num_orders = shape[1] if len(shape) > 1 else lead_time_quantile(params, 1) + 1
    return Table(jnp.asarray(costs), jnp.asarray(left), jnp.arange(num_orders))


def _shape(params, shape):
    """The box of states, checked."""
    needed = box(params)
    if shape is None:
        return needed
    checks.not_traced("shape", shape)
    given = np.asarray(checks.integers("shape", shape))
    if given.shape != (len(needed),) or (given < needed).any() or (given > 1000).any():
        raise ValueError(
            f"shape must be {len(needed)} numbers from {needed} for this law to 1,000, "
            f"got {shape}"
        )
    return tuple(given.tolist())


def _period(params, size):
    """Expected cost of a period, and the law of what it leaves, by the stock before it."""
    pmf, stock = params.demand_pmf, np.arange(size)
    left = np.zeros((size, size))
    for x in stock:
        sold = pmf[:x]
        left[x, x - np.arange(sold.size)] = sold
        left[x, 0] += 1 - sold.sum()
    remains = left @ stock
    short = pmf @ np.arange(pmf.size) - stock + remains
    return params.holding_cost * remains + params.lost_sale_cost * short, left


def backup(table: Table, V: jax.Array) -> jax.Array:
    """Take the values of all states back by one period, at the best order.

    Args:
        table: a shop's `table`.
        V: values of the box of states, (A, Z, ..., Z), money.

    Returns:
        Values one period earlier, in V's type.  Three arrays of states are held, and none
        over orders.  On a mesh cut any axis but the first and the last: they stay local.

    Source: (eq:lost-sales-bellman) of the lecture on lost sales.
    """
    left, size = table.left.astype(V.dtype), V.shape[0]

    def after(
        W, arrives
    ):  # E W((x_0 - D)^+ + arrives), what passes the box is not kept
        rows = jnp.minimum(jnp.arange(size) + arrives, size - 1)
        return jnp.tensordot(left, W[rows], 1)

    def order(best, z):
        if V.ndim == 1:
            value = after(V, z)
        else:
            W = lax.dynamic_index_in_dim(V, z, V.ndim - 1, keepdims=False)
            arrives = jnp.arange(V.shape[1])
            value = jax.vmap(after, (None, 0), 1)(W, arrives)
        return jnp.minimum(best, value), None

    best, _ = lax.scan(order, jnp.full_like(V, jnp.inf), table.orders)
    costs = table.costs.astype(V.dtype)
    return costs.reshape(-1, *[1] * (V.ndim - 1)) + best


_backup = jax.jit(backup)


def optimum(
    params: Parameters, *, tol: float = 5e-4, shape: tuple[int, ...] | None = None
) -> Bounds:
    """Enclose the least long-run cost, over all rules of any kind.

    Args:
        params: the shop.
        tol: how close the bounds shall come, > 0, money; float32 ends near 1e-6 of V.
        shape: the box of states, as in `table`.

    Raises:
        ValueError: a bad argument; more states than memory holds.

    >>> from scipy import stats
    >>> pmf = stats.poisson(5).pmf(np.arange(40))
    >>> found = optimum(create_parameters(1.0, 4.0, pmf, 2))  # Zipkin (2008): 4.40
    >>> round(found.upper, 2)
    4.4
    """
    of_states = table(params, shape)
    shape = _shape(params, shape)
    states = int(np.prod([float(n) for n in shape]))
    if (needed := 3 * 4 * states) > MOST_BYTES:
        raise ValueError(
            f"lead_time must be shorter: {states:,} states take {needed:,} bytes, where"
            f" {MOST_BYTES:,} are the most, got lead_time = {params.lead_time}"
        )
    step = jax.tree_util.Partial(_backup, of_states)
    found = value_iteration.solve(step, jnp.zeros(shape, jnp.float32), tol=tol)
    return Bounds(float(found.lower), float(found.upper), states)


def rule_cost(
    params: Parameters,
    rule: Callable[[np.ndarray], ArrayLike],
    *,
    tol: float = 1e-6,
) -> Bounds:
    """Enclose the long-run cost of a rule, on the states that it reaches from none.

    Args:
        params: the shop.
        rule: (n, L) states -> (n,) orders, whole units >= 0.
        tol: how close the bounds shall come, > 0, money.

    Raises:
        ValueError: a bad argument; orders that are no whole units; more than 500,000
            states; bounds that stay apart, since the rule's cost depends on the start.

    >>> shop = create_parameters(1.0, 1.0, [0.5, 0.5], 1)  # nothing is ever in stock
    >>> round(rule_cost(shop, base_stock(0)).upper, 6)
    0.5
    """
    params, tol = _checked(params), checks.concrete("tol", checks.positive("tol", tol))
    if not callable(rule):
        raise ValueError(f"rule must be a function of states, got {rule!r}")
    pmf, L = params.demand_pmf, params.lead_time
    seen = np.zeros((1, L), int)
    orders, moves, new = np.zeros(0, int), [], seen
    keys = {tuple(seen[0]): 0}
    while new.size:
        z = np.asarray(checks.integers("rule", np.asarray(rule(new))))
        checks.at_least("rule", z, 0)
        orders = np.append(orders, z)
        fresh = []
        for x, order in zip(new.tolist(), z.tolist(), strict=True):
            on_the_way, row = [*x[1:], order], keys[tuple(x)]
            for d in range(min(x[0], pmf.size - 1) + 1):
                chance = pmf[d] if d < x[0] else pmf[d:].sum()
                state = (x[0] - d + on_the_way[0], *on_the_way[1:])
                if chance and state not in keys:
                    keys[state] = len(keys)
                    fresh.append(state)
                if chance:
                    moves.append((row, keys[state], chance))
        if len(keys) > MOST_STATES:
            raise ValueError(
                f"rule must reach at most {MOST_STATES:,} states, got {len(keys):,}"
            )
        new = np.array(fresh, int).reshape(-1, L)
    rows, columns, chances = map(np.array, zip(*moves, strict=True))
    on_hand = np.array([state[0] for state in keys])
    costs = _period(params, on_hand.max() + 1)[0][on_hand]
    chain = sparse.csr_array((chances, (rows, columns)), (len(keys), len(keys)))
    V = np.zeros(len(keys))
    for _ in range(100_000):
        change = costs + chain @ V - V
        if np.ptp(change) <= tol:
            return Bounds(float(change.min()), float(change.max()), len(keys))
        V += 0.9 * change  # less than all of it: no period
        V -= V[0]
    raise ValueError(
        f"tol must be larger: the bounds stay {np.ptp(change):g} apart, got {tol:g}"
    )


def base_stock(
    level: int, most: int | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """Order up to a level, and with `most` never more than that.

    Args:
        level: of stock and orders together, units, >= 0.
        most: the cap of an order, units, >= 0; none by default.

    >>> base_stock(9, most=4)(np.array([[3, 2], [9, 1]]))
    array([4, 0])
    """
    level = checks.integer("level", level, 0)
    most = level if most is None else checks.integer("most", most, 0)
    return lambda x: np.clip(level - x.sum(axis=-1), 0, most)


def constant_order_cost(params: Parameters, order: int) -> float:
    """Find the long-run cost of the same order every period, whatever the lead time.

    Args:
        params: the shop.
        order: units a period, an integer >= 0 and below the mean demand, or stock grows
            for ever.

    Returns:
        Money a period.  Stock moves as a queue of work does: its law is computed where
        it lies with all but 1e-12 of its mass.

    Source: Reiman (2004); the queue's recursion is Lindley's.
    """
    params, order = _checked(params), checks.integer("order", order, 0)
    pmf = params.demand_pmf
    if not order < (mean := pmf @ np.arange(pmf.size)):
        raise ValueError(
            f"order must be below the mean demand of {mean:g}, got {order}"
        )
    size = 64
    while True:  # the law of (x - D)^+ + z, its mass above the end put at the end
        costs, left = _period(params, size)
        chain = np.zeros((size, size))
        np.add.at(chain.T, np.minimum(np.arange(size) + order, size - 1), left.T)
        equations = np.vstack([chain.T - np.eye(size), np.ones(size)])
        law = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
        if law[-1 - order :].sum() < 1e-12 or size > MOST_STOCK:
            return float(costs @ law)
        size *= 2


def myopic(params: Parameters) -> Callable[[np.ndarray], np.ndarray]:
    """Order what is cheapest for the period in which it arrives, and look no further.

    Args:
        params: the shop.

    Returns:
        The rule: the least z with P(stock left then + z >= demand then) >= p / (p + h).

    >>> shop = create_parameters(1.0, 4.0, [0.2, 0.5, 0.3], 1)
    >>> myopic(shop)(np.array([[0], [3]]))
    array([2, 0])
    """
    params = _checked(params)
    pmf = params.demand_pmf
    ratio = params.lost_sale_cost / (params.lost_sale_cost + params.holding_cost)

    def rule(x):
        size = int(x.sum(axis=-1).max()) + 1
        left = _period(params, size)[1]
        law = np.zeros((x.shape[0], size))
        law[np.arange(x.shape[0]), x[:, 0]] = 1
        for arrives in x.T[1:]:
            law = _moved(law @ left, arrives)
        law = law @ left  # before the order comes
        served = np.append(np.cumsum(pmf), np.ones(size))
        z = np.arange(pmf.size)
        reach = law @ served[np.arange(size)[:, None] + z]
        return np.argmax(reach >= ratio * (1 - 1e-12), axis=1)

    return rule


def _moved(law, by):
    """Each row's law, moved up."""
    columns = np.arange(law.shape[1]) - by[:, None]
    return np.where(columns >= 0, np.take_along_axis(law, columns % law.shape[1], 1), 0)
