"""Lost sales with orders on their way: the least cost between bounds, and rules' exact costs.

Each period begins with the delivery of the order of L periods ago; then the shop orders,
then customers come.  What they want and do not find is lost.  A state is x = (x_0, ...,
x_{L-1}): what is on hand after the delivery, and what comes in 1, ..., L - 1 periods.
The order z leads from x to ((x_0 - D)^+ + x_1, x_2, ..., x_{L-1}, z).
"""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse import linalg as sparse_linalg

from lectures_helpers import checks, precision, sharding, value_iteration
from lectures_helpers.optimal import periodic

__all__ = [
    "Best",
    "Bounds",
    "Parameters",
    "Size",
    "Table",
    "backup",
    "base_stock",
    "best_base_stock",
    "best_capped_base_stock",
    "best_constant_order",
    "box",
    "by_table",
    "check_size",
    "constant_order_cost",
    "create_parameters",
    "dual_balancing",
    "lead_time_quantile",
    "myopic",
    "optimum",
    "orders",
    "rule_cost",
    "size",
    "table",
]

ARRAYS = 8  # of states that the solver holds at its peak, measured
MOST_BYTES = 2**34  # of them, by default
MOST_OPERATIONS = 1e14  # of a backup, by default
MOST_NUMBERS = 10**8  # of a table
MOST_DIGITS = 100  # of a number of states
MOST_STATES = 500_000  # that a rule may reach
MOST_STOCK = 2_000  # under a rule
MOST_QUEUE = 20_000  # under a constant order


class Parameters(NamedTuple):
    """A shop that loses the sales it cannot make; made by `create_parameters`."""

    holding_cost: float  #: h, money a unit on hand at a period's end
    lost_sale_cost: float  #: p, money a unit of demand that is not met
    demand_pmf: np.ndarray  #: (N,) P(D = 0), ..., P(D = N - 1), of a period
    lead_time: int  #: L, periods from the order to its arrival, >= 1


class Table(NamedTuple):
    """What `backup` needs of a shop, on a box of states; made by `table`."""

    costs: np.ndarray  #: (A,) expected cost of a period that begins with x_0 on hand
    law: np.ndarray  #: (A, Z, A) law of (x_0 - D)^+ + u, for each x_0 and u


class Bounds(NamedTuple):
    """The long-run average cost, money a period."""

    lower: float
    upper: float
    states: int  #: that it was computed on


class Size(NamedTuple):
    """What a shop takes to solve."""

    states: int
    bytes: int  #: at the peak of `optimum`: eight arrays of states in float32
    operations: float  #: multiplications and additions of a backup


class Best(NamedTuple):
    """The best parameters of a rule, and what it costs."""

    levels: tuple[int, ...]  #: as `base_stock` takes them, units
    cost: float  #: long-run average, money a period


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

    Raises:
        ValueError: a bad argument; more than 100,000 units of demand in all periods.
    """
    params, periods = _checked(params), checks.integer("periods", periods, 1)
    if (units := params.demand_pmf.size * periods) > periodic.MOST_UNITS:
        raise ValueError(
            f"periods must be fewer: {units:,} units of demand, where"
            f" {periodic.MOST_UNITS:,} are the most, got {periods:,}"
        )
    pmf = periodic.demand_of_periods(params.demand_pmf, periods)
    return periodic.quantile(pmf, params.holding_cost, params.lost_sale_cost)


def box(params: Parameters) -> tuple[int, ...]:
    """Find a box of states that is large enough for an optimal rule.

    Returns:
        The number of values of x_0, ..., x_{L-1}.  No order lifts stock and orders
        together above the newsvendor's level for L + 1 periods, and none is larger than
        his level for one period.

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
    orders = shape[min(1, len(shape) - 1)]
    if (numbers := orders * shape[0] ** 2) > MOST_NUMBERS:
        raise ValueError(
            f"demand_pmf must have less mass far out: its law takes {numbers:,} numbers"
            f" in a box of {shape}, where {MOST_NUMBERS:,} are the most"
        )
    law = np.zeros((shape[0], orders, shape[0]))
    for u in range(orders):  # what passes the box is not kept; no order leads there
        to = np.minimum(np.arange(shape[0]) + u, shape[0] - 1)
        np.add.at(law[:, u].T, to, left.T)
    return Table(costs, law)


def _shape(params, shape):
    """The box of states, checked."""
    needed = box(params)
    if shape is None:
        return needed
    checks.not_traced("shape", shape)
    given = np.asarray(checks.integers("shape", shape))
    most = np.maximum(needed, 1000)
    if given.shape != (len(needed),) or (given < needed).any() or (given > most).any():
        raise ValueError(
            f"shape must be {len(needed)} numbers from {needed} for this law to 1,000, "
            f"got {shape}"
        )
    if (given[1:] != given[-1]).any():
        raise ValueError(
            f"shape must have one number for all orders, from its second on, got {shape}"
        )
    return tuple(given.tolist())


def _period(params, size):
    """Expected cost of a period, and the law of what it leaves, by the stock before it."""
    pmf, stock = params.demand_pmf, np.arange(size)
    left = np.zeros((size, size))
    for x in stock:
        sold = pmf[:x]
        left[x, x - np.arange(sold.size)] = sold
        left[x, 0] += pmf[x:].sum()
    at_once = periodic.Parameters(0.0, *params[:3], 0)
    return periodic.period_cost(at_once)(stock), left


def backup(table: Table, V: jax.Array) -> jax.Array:
    """Take the values of all states back by one period, at the best order.

    An order may lift stock and orders together to the box's end, A - 1, and no further:
    so no unit ever passes it, and none is lost there.

    Args:
        table: a shop's `table`.
        V: values of the box of states, (A, Z, ..., Z), money.

    Returns:
        Values one period earlier, in V's type.

    Source: (eq:lost-sales-bellman) of the lecture on lost sales.
    """
    costs, law = (jnp.asarray(some, jnp.result_type(V, float)) for some in table)
    expected = partial(jnp.tensordot, law, axes=1, precision="highest")
    if V.ndim == 1:  # the order is the next to come
        x, z = jnp.indices((len(V), len(V)), sparse=True)
        return costs + expected(V).min(axis=1, where=x + z < len(V), initial=jnp.inf)
    position = sum(jnp.indices(V.shape, jnp.int32, sparse=True))

    def order(best, z):
        W = lax.dynamic_index_in_dim(V, z, V.ndim - 1, keepdims=False)
        better = jnp.minimum(best, expected(W))
        return jnp.where(position + z < len(V), better, best), None

    orders = jnp.arange(1, V.shape[-1], dtype=jnp.int32)
    best, _ = lax.scan(order, expected(V[..., 0]), orders)
    return jnp.expand_dims(costs, range(1, V.ndim)) + best


def orders(table: Table, V: jax.Array) -> jax.Array:
    """Find the best order in every state, if V is what the states after it are worth.

    Args:
        table, V: as in `backup`.

    Returns:
        Units, of V's shape; the least of the orders that cost the same, to ten times V's
        rounding.  None leads beyond the box, as in `backup`.

    Raises:
        ValueError: V of another shape than the box, or with what is not finite.
    """
    stock, most, _ = table.law.shape
    if V.shape != (stock, *[most] * (V.ndim - 1)) or (V.ndim == 1 and most != stock):
        raise ValueError(
            f"V must have {stock} entries along its first axis and {most} along others,"
            f" got the shape {V.shape}"
        )
    checks.finite("V", V)
    law = jnp.asarray(table.law, V.dtype)
    expected = partial(jnp.tensordot, law, axes=1, precision="highest")
    slack = 10 * jnp.finfo(V.dtype).eps * jnp.abs(V).max()
    if V.ndim == 1:
        x, z = jnp.indices((len(V), len(V)), sparse=True)
        values = jnp.where(x + z < len(V), expected(V), jnp.inf)
        return jnp.argmax(values <= values.min(axis=1, keepdims=True) + slack, axis=1)
    position = sum(jnp.indices(V.shape, sparse=True))

    def order(state, z):
        best, least = state
        W = lax.dynamic_index_in_dim(V, z, V.ndim - 1, keepdims=False)
        value = expected(W)
        better = (value < best - slack) & (position + z < len(V))
        return (jnp.where(better, value, best), jnp.where(better, z, least)), None

    start = expected(V[..., 0]), jnp.zeros(V.shape, int)
    return lax.scan(order, start, jnp.arange(1, V.shape[-1]))[0][1]


def on_mesh(table, V, *, mesh):
    """`backup` of what is cut along axis 1: it comes out cut along 2, and is cut again."""
    TV = backup(table, V)
    for axis in (2, 1):
        cut = sharding.spread(mesh, axis, V.ndim)
        TV = lax.with_sharding_constraint(TV, cut)
    return TV


@cache
def _step(mesh):
    """What is iterated: one function for each mesh, so that it is compiled once."""
    return jax.jit(partial(on_mesh, mesh=mesh) if mesh else backup)


def size(params: Parameters, shape: tuple[int, ...] | None = None) -> Size:
    """Find how much a shop takes to solve, before it is solved.

    Args:
        params: the shop.
        shape: the box of states, as in `table`.

    Raises:
        ValueError: a bad argument; more than 1e100 states.

    >>> size(create_parameters(1.0, 4.0, [0.2, 0.5, 0.3], 2)).states
    15
    """
    params = _checked(params)
    shape = _shape(params, shape)
    orders = shape[min(1, len(shape) - 1)]
    if len(shape) * np.log10(orders) > MOST_DIGITS:
        raise ValueError(
            f"lead_time must be shorter: the box has more than 10^{MOST_DIGITS} states,"
            f" got {params.lead_time}"
        )
    states = math.prod(shape)
    return Size(states, ARRAYS * 4 * states, 2.0 * shape[0] * orders * states)


def check_size(
    params: Parameters,
    shape: tuple[int, ...] | None = None,
    *,
    most_bytes: float = MOST_BYTES,
    most_operations: float = MOST_OPERATIONS,
) -> Size:
    """Return what a shop takes to solve, or say that it is too much.

    Args:
        params, shape: as in `size`.
        most_bytes: of memory, > 0.
        most_operations: of a backup, > 0; a core does some 10^10 a second.

    Raises:
        ValueError: it takes more.
    """
    found = size(params, shape)
    limits = (
        ("bytes", found.bytes, "most_bytes", most_bytes),
        ("operations a backup", found.operations, "most_operations", most_operations),
    )
    for what, takes, name, most in limits:
        most = checks.concrete(name, checks.positive(name, most))
        if takes > most:
            raise ValueError(
                f"lead_time must be shorter, demand_pmf narrower, or {name} larger:"
                f" {found.states:,} states take {takes:,.0f} {what}, got"
                f" lead_time = {params.lead_time} and {name} = {most:,.0f}"
            )
    return found


def optimum(
    params: Parameters,
    *,
    tol: float = 5e-4,
    shape: tuple[int, ...] | None = None,
    mesh: Mesh | None = None,
    most_bytes: float = MOST_BYTES,
) -> Bounds:
    """Enclose the least long-run cost, over all rules of any kind.

    Values are iterated in 32 bits; the bounds are those of one more backup of them, in
    64 bits, and are moved outwards by what that may round.

    Args:
        params: the shop.
        tol: how close the bounds shall come, > 0, in units of the smaller of h and p.
            Where p is many times h, 32 bits end before that: the bounds then hold, but
            stay farther apart.
        shape: the box of states, as in `table`.
        mesh: devices that share the states, cut along what comes next, x_1: so L >= 3,
            and their number divides that axis. A period moves every axis but the first
            up by one, so each backup sends every value once from device to device.
        most_bytes: that it may take, of each device.

    Raises:
        ValueError: a bad argument; more states than `most_bytes` hold.

    >>> from scipy import stats
    >>> pmf = stats.poisson(5).pmf(np.arange(40))
    >>> found = optimum(create_parameters(1.0, 4.0, pmf, 2))  # Zipkin (2008): 4.40
    >>> round(found.upper, 2)
    4.4
    """
    params, tol = _checked(params), checks.concrete("tol", checks.positive("tol", tol))
    shape, mesh = _shape(params, shape), sharding.checked_mesh(mesh)
    if mesh and params.lead_time < 3:
        raise ValueError(
            "mesh must be None for lead times below 3, which have no axis to cut, got"
            f" lead_time = {params.lead_time}"
        )
    if mesh:
        sharding.checked_share("shape[1]", shape[1], mesh)
    devices = mesh.size if mesh else 1
    checks.positive("most_bytes", most_bytes)
    states = check_size(params, shape, most_bytes=most_bytes * devices).states
    start = sharding.place(jnp.zeros(shape, jnp.float32), mesh, 1)
    of_shop = table(params, shape)
    found = value_iteration.solve(
        jax.tree_util.Partial(_step(mesh), jax.tree.map(jnp.float32, of_shop)),
        start,
        tol=tol * _unit(params),
        max_iterations=100_000,
    )
    with precision.enable_x64(True):
        lower, upper = _enclosure(mesh)(of_shop, found.values)
        return Bounds(float(lower), float(upper), states)


def _unit(params):
    """What costs are measured in, money: they are never far below it, if any is sold."""
    return min(params.holding_cost, params.lost_sale_cost)


@cache
def _enclosure(mesh):
    """Bounds from one backup in 64 bits; a sum of A products rounds A times at most."""

    @jax.jit
    def enclose(table, values):
        V = values.astype("float64")
        change = _step(mesh)(table, V) - V
        largest = jnp.abs(V).max() + table.costs.max()
        rounding = (len(V) + 8) * jnp.finfo(V.dtype).eps * largest
        return change.min() - rounding, change.max() + rounding

    return enclose


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
        tol: how close the bounds shall come, > 0, in units of the smaller of h and p;
            they stay as far apart as rounding keeps them.

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
    on_hand, chain = _reached(params, rule)
    costs = _period(params, on_hand.max() + 1)[0][on_hand]
    V, tol = np.zeros(on_hand.size), tol * _unit(params)
    for _ in range(100_000):
        change = costs + chain @ V - V
        rounding = 1e-14 * (np.abs(V).max() + costs.max())
        if np.ptp(change) <= max(tol, rounding):
            lower, upper = change.min() - rounding, change.max() + rounding
            return Bounds(float(lower), float(upper), V.size)
        V += 0.9 * change  # less than all of it: no period
        V -= V[0]
    raise ValueError(
        "rule must have one cost from wherever it starts, and settle within 100,000"
        f" periods, got bounds that stay {np.ptp(change):g} apart, and tol = {tol:g}"
    )


def _reached(params, rule):
    """What is on hand in each state that a rule reaches from none, and their chain."""
    new = np.zeros((1, params.lead_time), int)
    known, moves, on_hand = _keys(new), [], []
    while new.size:
        z = np.asarray(rule(new.copy()))
        if z.shape != new.shape[:1] or z.dtype.kind not in "iu" or z.min() < 0:
            raise ValueError(
                f"rule must return {len(new)} orders for as many states, whole units >= 0,"
                f" got {z}"
            )
        _keep_low(z.max())
        left = _period(params, new[:, 0].max() + 1)[1]
        row, remains = np.nonzero(left[new[:, 0]])
        after = np.column_stack([new, z.astype(int)])[row, 1:]
        after[:, 0] += remains
        _keep_low(after.max())
        key = _keys(after)
        before = sum(map(len, on_hand))
        moves.append((row + before, key, left[new[row, 0], remains]))
        on_hand.append(new[:, 0])
        fresh = np.setdiff1d(key, known)
        known = np.append(known, fresh)
        new = fresh.view(">u2").reshape(-1, params.lead_time).astype(int)
        if known.size > MOST_STATES:
            raise ValueError(
                f"lead_time must be shorter than {params.lead_time}, or demand smaller: the "
                f"rule reaches more than {MOST_STATES:,} states"
            )
    rows, keys, chances = map(np.concatenate, zip(*moves, strict=True))
    by_key = np.argsort(known)
    columns = by_key[np.searchsorted(known, keys, sorter=by_key)]
    chain = sparse.csr_array((chances, (rows, columns)), (known.size, known.size))
    return np.concatenate(on_hand), chain


def _keys(states):
    """Each state as one text, two bytes a number."""
    return states.astype(">u2").view(f"S{2 * states.shape[1]}")[:, 0]


def _keep_low(stock):
    if stock >= MOST_STOCK:
        raise ValueError(f"rule must keep stock below {MOST_STOCK:,}, got {stock:,}")


def base_stock(
    level: int, most: int | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """Order up to a level, and with `most` never more than that.

    Args:
        level: of stock and orders together, units, >= 0.
        most: the cap of an order, units, >= 0; none by default.

    Returns:
        The rule: (n, L) states -> (n,) orders.

    Raises:
        ValueError: a bad argument.

    >>> base_stock(9, most=4)(np.array([[3, 2], [9, 1]]))
    array([4, 0])
    """
    level = checks.integer("level", level, 0)
    most = level if most is None else checks.integer("most", most, 0)
    return lambda x: np.clip(level - x.sum(axis=-1), 0, most)


def by_table(orders: ArrayLike) -> Callable[[np.ndarray], np.ndarray]:
    """Look the order up.

    Args:
        orders: of each state of a box, units; a state beyond it counts as its end.

    Returns:
        The rule: (n, L) states -> (n,) orders.

    Raises:
        ValueError: a bad argument; from the rule, states of another number of axes.

    >>> by_table([2, 1, 0])(np.array([[1], [7]]))
    array([1, 0])
    """
    found = checks.whole_units("orders", orders, MOST_STOCK)

    def rule(x):
        if x.shape[-1] != found.ndim:
            raise ValueError(
                f"orders must have an axis for each of the {x.shape[-1]} numbers of a"
                f" state, got the shape {found.shape}"
            )
        return found[tuple(np.minimum(x, np.subtract(found.shape, 1)).T)]

    return rule


def best_base_stock(params: Parameters) -> Best:
    """Find the best level to order up to; the cost is convex in it.

    Args:
        params: the shop.

    Source: Janakiraman and Roundy (2004).
    """
    params = _checked(params)

    def cost(levels):
        return rule_cost(params, base_stock(*levels)).upper

    start = (lead_time_quantile(params, params.lead_time + 1),)
    return _descend(cost, start, [(-1,)], 1e-7 * _unit(params))


def best_capped_base_stock(params: Parameters) -> Best:
    """Find the level and the cap of an order that no neighbour is better than.

    Args:
        params: the shop.

    Source: Xin (2021).
    """
    params = _checked(params)

    def cost(levels):
        return rule_cost(params, base_stock(*levels)).upper

    start = best_base_stock(params).levels[0], lead_time_quantile(params, 1)
    steps = [(0, -1), (1, 0), (-1, 0), (1, -1), (-1, 1), (0, 1)]
    return _descend(cost, start, steps, 1e-7 * _unit(params))


def _descend(cost, levels, steps, least):
    """From some levels on, as long as a step saves more than `least`."""
    best, known = Best(levels, cost(levels)), {levels}
    while True:
        for step in steps:
            levels = tuple(a + b for a, b in zip(best.levels, step, strict=True))
            if min(levels) < 0 or levels in known:
                continue
            known.add(levels)
            if (found := cost(levels)) < best.cost - least:
                best = Best(levels, found)
                break
        else:
            return best


def constant_order_cost(params: Parameters, order: int) -> float:
    """Find the long-run cost of the same order every period, whatever the lead time.

    Args:
        params: the shop.
        order: units a period, an integer >= 0 and below the mean demand, or stock grows
            for ever.

    Returns:
        Money a period.  Stock moves as a queue of work does: its law is computed where
        it lies with all but 1e-12 of its mass.

    Raises:
        ValueError: a bad argument; stock that grows for ever, or piles up too high.

    Source: Reiman (2004); the queue's recursion is Lindley's.
    """
    params, order = _checked(params), checks.integer("order", order, 0)
    pmf = params.demand_pmf
    if not order < (mean := pmf @ np.arange(pmf.size)):
        raise ValueError(
            f"order must be below the mean demand of {mean:g}, got {order}"
        )
    size = 256
    while (law := _left_over(pmf, order, size))[-1] > 1e-13:
        if (size := 4 * size) > MOST_QUEUE:
            raise ValueError(
                f"order must be further below the mean demand of {mean:g}, or stock piles"
                f" up beyond {MOST_QUEUE:,} units, got {order}"
            )
    left = law @ np.arange(size)
    return float(
        params.holding_cost * left + params.lost_sale_cost * (mean - order)
    )  # what comes is sold: the rest of demand is lost


def best_constant_order(params: Parameters) -> Best:
    """Find the best of all orders that are the same every period: (order,).

    What is left is the highest of all sums of past orders less demands, so that its mean
    is convex in the order: the first rise ends the search.

    Args:
        params: the shop.

    Raises:
        ValueError: as `constant_order_cost`.
    """
    params = _checked(params)
    size = params.demand_pmf.size
    mean = params.demand_pmf @ np.arange(size)
    best = Best((0,), constant_order_cost(params, 0))
    # A whole mean is one, however its sum is rounded.
    for order in range(1, int(np.ceil(mean - 1e-12 * size))):
        if (cost := constant_order_cost(params, order)) >= best.cost:
            break
        best = Best((order,), cost)
    return best


def _left_over(pmf, order, size):
    """Law of what is left at a period's end, under the same order every period."""
    stock = np.arange(size)[:, None]
    to = np.clip(stock + order - np.arange(pmf.size), 0, size - 1)
    moves = (
        np.broadcast_to(pmf, to.shape).ravel(),
        (to.ravel(), stock.repeat(pmf.size)),
    )
    equations = (sparse.csr_array(moves) - sparse.eye_array(size)).tolil()
    equations[0] = np.ones(size)  # one of them says nothing new; the law sums to 1
    return sparse_linalg.spsolve(equations.tocsc(), np.eye(size, 1)[:, 0])


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
    h, p = params.holding_cost, params.lost_sale_cost

    def rule(x):
        law = _before_arrival(params, x)
        stock = np.arange(law.shape[1])
        reach = stock[:, None] + np.arange(pmf.size)  # with an order of 0, 1, ...
        served = np.append(np.cumsum(pmf), np.ones(stock.size))
        more = np.append(periodic.at_least(pmf)[1:], np.zeros(stock.size + 1))
        enough = h * (law @ served[reach]) * (1 + 1e-12) >= p * (law @ more[reach])
        return np.argmax(enough, axis=1)

    return rule


def dual_balancing(params: Parameters) -> Callable[[np.ndarray], np.ndarray]:
    """Order so that what the order will cost to hold is what it leaves short.

    Args:
        params: the shop.

    Returns:
        The rule: the z where the two are closest.  The units of an order are sold after
        those before it, so that what holding them costs does not depend on later orders;
        what is short is counted in the period in which the order arrives.

    Source: Levi, Janakiraman and Nagarajan (2008).
    """
    params = _checked(params)
    pmf = params.demand_pmf
    review = periodic.create_parameters(0.0, 1.0, 1.0, pmf)

    def rule(x):
        law = _before_arrival(params, x)
        stock, z = np.arange(law.shape[1]), np.arange(pmf.size)
        # The n-th unit on hand is there at the end of M(n) - 1 periods.
        ends = periodic.renewal(review, stock.size + z.size)[1] - 1
        held = np.cumsum(np.maximum(ends, 0))
        costs = _period(params._replace(holding_cost=0.0), stock.size + z.size)[0]
        held = params.holding_cost * (
            law @ (held[stock[:, None] + z] - held[stock, None])
        )
        short = law @ costs[stock[:, None] + z]
        return np.argmin(np.abs(held - short), axis=1)

    return rule


def _before_arrival(params, x):
    """Law of the stock that an order meets when it arrives, a row for each state."""
    left = _period(params, int(x.sum(axis=-1).max()) + 1)[1]
    law = np.eye(len(left))[x[:, 0]]
    for arrives in x.T[1:]:
        law = _moved(law @ left, arrives)
    return law @ left


def _moved(law, by):
    """Each row's law, moved up."""
    columns = np.arange(law.shape[1]) - by[:, None]
    return np.where(columns >= 0, np.take_along_axis(law, columns % law.shape[1], 1), 0)
