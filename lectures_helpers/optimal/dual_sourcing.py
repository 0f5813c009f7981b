"""Two suppliers: a slow one that is cheap, a fast one that is dear, and four rules.

Each period begins with what the regular supplier delivers, and x units are there (or
-x customers wait).  The shop orders e units by air, which come at once, and z units by
ship, which come l periods later; then demand D comes, and what is short waits.  State:
x and the l - 1 orders on the way, q_1 (due next period) to q_{l-1}.

All demand is served in the end, so that the ship's price is paid for every unit of it;
what can be saved is the premium of the aeroplane, holding and waiting.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.tree_util import Partial
from numpy.typing import ArrayLike

from lectures_helpers import checks, precision, value_iteration
from lectures_helpers.optimal import periodic

__all__ = [
    "Best", "Parameters", "Table", "backup", "best_capped_dual_index",
    "best_dual_index", "best_single_index", "best_tailored_base_surge", "box_bounds",
    "capped_dual_index", "check_box", "create_parameters", "dual_index", "follow",
    "inside", "optimum", "orders", "overshoot", "positions", "rule_cost",
    "single_index", "table", "tailored_base_surge",
    "to_come",
]  # fmt: skip

MOST_UNITS = 10_000  # of demand in l + 1 periods
MOST_STATES = 200_000  # of the chain of a rule
MOST_GAP = 1_000  # units between its levels
MOST_STEPS = 100_000  # of its law
MOST_BOX = 100_000_000  # states


class Parameters(NamedTuple):
    """A shop with two suppliers; made by `create_parameters`."""

    regular_cost: float  #: c_r, money a unit by ship
    express_cost: float  #: c_e, money a unit by air
    holding_cost: float  #: h, money a unit on hand at a period's end
    backorder_cost: float  #: b, money a unit that waits at a period's end
    demand_pmf: np.ndarray  #: (N,) P(D = 0), ..., P(D = N - 1), of a period
    lead_time: int  #: l, periods from a regular order to its arrival, >= 1


def create_parameters(
    regular_cost: float,
    express_cost: float,
    holding_cost: float,
    backorder_cost: float,
    demand_pmf: ArrayLike,
    lead_time: int,
) -> Parameters:
    """Check the numbers of a shop and put them together.

    Args:
        regular_cost: what a unit by ship costs [c_r], money, >= 0.
        express_cost: what a unit by air costs [c_e], money; more than by ship, but the
            premium is at most `backorder_cost`: else customers had better wait.
        holding_cost: cost of a unit on hand at the end of a period [h], money, > 0.
        backorder_cost: cost of a unit that waits there [b], money, > 0.
        demand_pmf: (N,) probabilities of a demand of 0, ..., N - 1 units in a period,
            >= 0, with sum 1 (scaled to it if it misses it by rounding), not all at 0.
        lead_time: periods from a regular order to its arrival [l], an integer >= 1.

    Raises:
        ValueError: what is out of range, by its name and bound.

    >>> create_parameters(100.0, 105.0, 5.0, 495.0, np.full(5, 0.2), 2).lead_time
    2
    """
    lead_time = checks.integer("lead_time", lead_time, 1)
    review = periodic.create_parameters(
        0.0, holding_cost, backorder_cost, demand_pmf, lead_time
    )
    _, h, b, pmf, _ = review
    costs = {
        "regular_cost": checks.within("regular_cost", regular_cost, 0.0, periodic.MOST),
        "express_cost": checks.within(
            "express_cost", express_cost, periodic.LEAST, periodic.MOST
        ),
    }
    c_r, c_e = (checks.concrete(*named) for named in costs.items())
    if not (c_e - c_r >= periodic.LEAST and c_e <= c_r + b):
        raise ValueError(
            f"express_cost must be above regular_cost = {c_r:g}, by at least"
            f" {periodic.LEAST:g} (else no ship is needed), and at most regular_cost +"
            f" backorder_cost = {c_r + b:g} (else customers had better wait), got {c_e:g}"
        )
    if (units := pmf.size * (lead_time + 1)) > MOST_UNITS:
        raise ValueError(
            f"lead_time must be shorter, or demand_pmf: {units:,} units of demand in"
            f" lead_time + 1 periods, where {MOST_UNITS:,} are the most, got lead_time ="
            f" {lead_time}"
        )
    return Parameters(c_r, c_e, h, b, pmf, lead_time)


def _checked(params):
    """The parameters, also where they were put together by hand."""
    return create_parameters(*checks.made_by("params", params, Parameters))


def _newsvendor(params, law, low=0):
    """Best level S against a demand with P(low), P(low + 1), ... = law, and its cost."""
    h, b = params.holding_cost, params.backorder_cost
    i = periodic.quantile(law, h, b)
    left = i - np.arange(law.size)
    return low + i, float(law @ np.where(left > 0, h * left, -b * left))


def box_bounds(params: Parameters) -> tuple[int, int]:
    """Find a stock and a regular order that no good rule goes beyond: the box.

    A unit by ship that lifts the position after ordering above the b / (b + h) quantile
    of the demand of l + 1 periods had better be ordered a period later: it is more
    likely to be left over when it comes than to be missed.  So is a unit by air above
    that quantile of one period's demand.  With no customer waiting after the aeroplane,
    the first bounds each order and their sum; stock stays below the sum of both.

    Args:
        params: the shop.

    Returns:
        The highest stock and the largest regular order, units.

    Source: the argument is that of Zipkin (2008) for lost sales.
    """
    params = _checked(params)
    later = periodic.demand_of_periods(params.demand_pmf, params.lead_time + 1)
    by_ship = max(_newsvendor(params, later)[0], 1)
    return by_ship + _newsvendor(params, params.demand_pmf)[0], by_ship


class Table(NamedTuple):
    """What `backup` needs of a shop, on a box of states; made by `table`."""

    premium: float  #: c_e - c_r, money a unit
    period_costs: (
        np.ndarray
    )  #: (X,) c_r E D + h E (y - D)^+ + b E (D - y)^+, y = 0, 1, ...
    transitions: (
        np.ndarray
    )  #: (X + Q, X) law of max(u - D, 0), u = 0, 1, ...; top: X - 1
    lifts: np.ndarray  #: (X + Q,) E (D - u)^+, units that must fly to come up to 0
    waiting: np.ndarray  #: (l - 1,) zeros: one entry an order on the way


def table(params: Parameters, top: int | None = None, most: int | None = None) -> Table:
    """Tabulate a shop on a box: x = 0, ..., `top` and regular orders of 0, ..., `most`.

    Where x falls below 0, the customers who wait are served by air at the start of the
    next period; `check_box` proves that nothing is lost by that.  No order may lift stock
    and all orders together above `top`, so that no unit ever passes it.  With the
    defaults a best rule lifts them no higher; with less it costs as much or more.

    Args:
        params: the shop.
        top: highest x, units; by default, and at the least, that of `box_bounds`.
        most: largest regular order, units; by default that of `box_bounds`, at the
            least mean demand.

    Raises:
        ValueError: a box that is too small for the law, or too large: 100 million
            states take 0.8 GB, and an iteration holds several such arrays.
    """
    params = _checked(params)
    pmf, (bound, by_ship) = params.demand_pmf, box_bounds(params)
    mean = float(pmf @ np.arange(pmf.size))
    top = bound if top is None else checks.integer("top", top, 0)
    if top < bound:
        ratio = params.backorder_cost / (params.backorder_cost + params.holding_cost)
        raise ValueError(
            f"top must be >= {bound}, the {ratio:.3g} quantile of the demand of"
            f" {params.lead_time + 1} periods and that of one, got {top}"
        )
    most = by_ship if most is None else checks.integer("most", most, 1)
    if most < mean:
        raise ValueError(f"most must be >= {mean:g}, the mean of demand, got {most}")
    states = (top + 1) * (most + 1) ** (params.lead_time - 1)
    if states > MOST_BOX:
        raise ValueError(
            f"top, most or lead_time must be smaller: {states:,} states, where"
            f" {MOST_BOX:,} are the most ({8 * states / 1e9:.3g} GB an array, where"
            f" {8 * MOST_BOX / 1e9:.3g} GB are), got top = {top}, most = {most},"
            f" lead_time = {params.lead_time}"
        )
    left = np.arange(top + most + 1)[:, None] - np.arange(pmf.size)  # u - D
    u, to = np.indices(left.shape)[0], np.clip(left, 0, top)
    transitions = np.zeros((top + most + 1, top + 1))
    np.add.at(transitions, (u, to), np.broadcast_to(pmf, left.shape))
    lifts, stock = np.maximum(-left, 0) @ pmf, np.maximum(left, 0) @ pmf
    costs = params.holding_cost * stock + params.backorder_cost * lifts
    return Table(
        params.express_cost - params.regular_cost,
        (params.regular_cost * mean + costs)[: top + 1],
        transitions,
        lifts,
        np.zeros(params.lead_time - 1),
    )


def _shape(table):
    rows, columns = table.transitions.shape
    return (columns, *[rows - columns + 1] * len(table.waiting))


def to_come(table: Table, V: jax.Array) -> jax.Array:
    """Find what is to be expected from the next period on.

    Args:
        table: a shop's `table`.
        V: values of all states, one axis each for x, q_1, ..., q_{l-1}; money.

    Returns:
        By u, which is stock after the aeroplane and what the ship brings next, and the
        orders behind it, q_2, ..., q_{l-1} and z; with l = 1, u counts z.
    """
    P = jnp.asarray(table.transitions, V.dtype)
    lifts = jnp.asarray(table.premium * table.lifts, V.dtype)
    return jnp.tensordot(P, V, 1) + jnp.expand_dims(lifts, range(1, V.ndim))


def inside(table: Table, costs: jax.Array) -> jax.Array:
    """Let no order lead beyond the box: stock and all orders together end at its top.

    So no unit ever passes the top, and none is lost there.

    Args:
        table: a shop's `table`.
        costs: by numbers of units whose sum is stock and all orders on the way.

    Returns:
        Costs of the same shape, infinite where that sum is above the top.
    """
    position = sum(jnp.indices(costs.shape, jnp.int32, sparse=True))
    return jnp.where(position < len(table.period_costs), costs, jnp.inf)


def backup(table: Table, V: jax.Array) -> jax.Array:
    """Take the values of all states back by one period, at the best two orders.

    Args:
        table: a shop's `table`.
        V: values of all states, one axis each for x, q_1, ..., q_{l-1}; money.

    Returns:
        The values one period earlier, in V's shape and type.

    Source: (eq:dual-bellman) of the lecture on two suppliers.
    """
    U = to_come(table, V)
    y, ship = jnp.indices((len(V), len(U) - len(V) + 1))
    if V.ndim > 1:  # the best ship or none: it depends on u and what follows alone
        H = jnp.minimum(U[..., 0], inside(table, U).min(axis=-1))[y + ship]
    else:
        H = inside(table, U)[y + ship].min(axis=-1)
    G = jnp.expand_dims(jnp.asarray(table.period_costs, V.dtype), range(1, V.ndim))
    fare = table.premium * jnp.indices(V.shape, V.dtype)[0]
    stay = G + H + fare
    fly = lax.cummin(inside(table, stay), reverse=True)  # the best y >= x
    return jnp.minimum(stay, fly) - fare


def _going_on(table, V):
    """Cost of the period and of what follows, by y, q_1, ..., q_{l-1} and z."""
    U = to_come(table, V)
    y, ship = jnp.indices((len(V), len(U) - len(V) + 1))
    H, G = U[y + ship], jnp.asarray(table.period_costs, V.dtype)
    return H + jnp.expand_dims(G, range(1, H.ndim))


def orders(table: Table, V: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Find the best two orders of each state, if V is what the future costs.

    Args:
        table: a shop's `table`.
        V: values of all states, as for `backup`.

    Returns:
        Express and regular order, units, integers of V's shape; the smaller of equals.

    Raises:
        ValueError: V of another shape than the box, or with what is not finite.
    """
    if V.shape != _shape(table):
        raise ValueError(
            f"V must have the box's shape {_shape(table)}, got the shape {V.shape}"
        )
    checks.finite("V", V)
    y, *ships = jnp.indices(V.shape)
    H = _going_on(table, V)
    # Equal but for rounding, of what orders change and of what they do not.
    near = 1e-9 * jnp.ptp(H) + 4 * jnp.finfo(H.dtype).eps * jnp.abs(H).max()
    H = inside(table, H).at[..., 0].set(H[..., 0])
    z = jnp.argmax(H <= H.min(axis=-1, keepdims=True) + near, axis=-1)
    stay = H.min(axis=-1) + table.premium * y.astype(V.dtype)
    stops = stay <= lax.cummin(inside(table, stay), reverse=True) + near
    y_best = lax.cummin(jnp.where(stops, y, len(V)), reverse=True)  # the next stop
    return y_best - y, z[(y_best, *ships)]


def follow(table: Table, e: jax.Array, z: jax.Array, V: jax.Array) -> jax.Array:
    """Take the values back by one period under a rule: its cost, by the same solver.

    Args:
        table: a shop's `table`.
        e: express order in each state, units; x + e is at most the box's top.
        z: regular order there, units, at most the box's most.  What passes the top is
            not kept: `rule_cost` looks whether anything does.
        V: values of all states, as for `backup`.
    """
    x, *ships = jnp.indices(V.shape)
    flown = jnp.asarray(e, V.dtype)
    return table.premium * flown + _going_on(table, V)[(x + e, *ships, z)]


def optimum(
    params: Parameters,
    top: int | None = None,
    most: int | None = None,
    tol: float = 1e-9,
) -> value_iteration.Solution:
    """Find the least average cost of any rule, between bounds.

    Args:
        params: the shop.
        top: as for `table`.
        most: as for `table`; by default the box is proved to be large enough.
        tol: how close the bounds shall come, > 0, in units of the smaller of h and b;
            `converged` says whether they do, or rounding keeps them apart.

    Raises:
        ValueError: a bad argument; a box that `table` or `check_box` refuses.

    >>> shop = create_parameters(100.0, 105.0, 5.0, 495.0, np.full(5, 0.2), 2)
    >>> solution = optimum(shop)
    >>> print(f"{solution.lower:.6f} to {solution.upper:.6f} a period")
    216.769802 to 216.769802 a period
    """
    params, tol = _checked(params), checks.concrete("tol", checks.positive("tol", tol))
    tol = tol * min(params.holding_cost, params.backorder_cost)
    with precision.enable_x64(True):
        box = table(params, top, most)
        start = jnp.zeros(_shape(box))
        solution = value_iteration.solve(Partial(backup, box), start, tol=tol)
    check_box(params, solution.values)
    return _on_the_host(solution)


def _on_the_host(solution):
    """NumPy arrays, so that 64 bits stay 64 bits in any setting of JAX."""
    return value_iteration.Solution(*map(np.asarray, solution))


def check_box(params: Parameters, V: ArrayLike) -> float:
    """Prove that customers who wait had better be served by air at once.

    The box ends at x = 0.  To leave one more customer waiting saves a premium and costs
    b; it pays only if a unit more in stock would cost V the difference.

    Args:
        params: the shop.
        V: values of all states, from `optimum`.

    Returns:
        How far V's steepest rise from x to x + 1 stays below b - (c_e - c_r), money.

    Raises:
        ValueError: it does not, so that the box should reach below 0.
    """
    params = _checked(params)
    V = checks.numbers("V", V)
    top, _ = box_bounds(params)
    if V.ndim != params.lead_time or len(V) <= top:
        raise ValueError(
            f"V must have lead_time = {params.lead_time} axes, the first of {top + 1}"
            f" entries or more, got the shape {V.shape}"
        )
    above = sum(np.indices(V[1:].shape)) + 1  # position of the upper of two states
    rise = np.diff(V, axis=0)[above <= top].max(initial=0.0)
    slack = params.backorder_cost - (params.express_cost - params.regular_cost) - rise
    if not slack >= 0:
        raise ValueError(
            f"backorder_cost must be >= {params.backorder_cost - slack:g}, the premium and"
            f" what a unit more can cost later ({rise:.3g}); below it, it may pay to let"
            f" customers wait, beyond the box; got {params.backorder_cost:g}"
        )
    return float(slack)


def positions(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Give the stock x and the sum of all orders on the way, in each state of a box."""
    checks.made_by("table", table, Table, "table")
    x, *ships = np.indices(_shape(table))
    return x, sum(ships, np.zeros_like(x))


def single_index(
    x: np.ndarray, waiting: np.ndarray, express_level: int, regular_level: int
) -> tuple[np.ndarray, np.ndarray]:
    """Order up to two levels, and count all that is on its way for both."""
    e = np.maximum(express_level - (x + waiting), 0)
    return e, np.maximum(regular_level - (x + waiting + e), 0)


def dual_index(
    x: np.ndarray, waiting: np.ndarray, express_level: int, regular_level: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fly up to one level of stock; ship up to another of stock and orders."""
    e = np.maximum(express_level - x, 0)
    return e, np.maximum(regular_level - (x + waiting + e), 0)


def capped_dual_index(
    x: np.ndarray, waiting: np.ndarray, express_level: int, regular_level: int, cap: int
) -> tuple[np.ndarray, np.ndarray]:
    """Do as `dual_index` says, but ship at most `cap` units."""
    e, z = dual_index(x, waiting, express_level, regular_level)
    return e, np.minimum(z, cap)


def tailored_base_surge(
    x: np.ndarray, waiting: np.ndarray, express_level: int, base: int
) -> tuple[np.ndarray, np.ndarray]:
    """Ship the same number every period, and fly up to a level of stock."""
    e = np.maximum(express_level - x, 0)
    return e, np.full(np.shape(e), base)


def rule_cost(
    table: Table, e: ArrayLike, z: ArrayLike, tol: float = 1e-8
) -> value_iteration.Solution:
    """Find the average cost of any rule on a box, between bounds.

    Args:
        table: a shop's `table`.
        e: express order in each state, units, of the box's shape, >= 0.
        z: regular order there, units, >= 0.
        tol: how close the bounds shall come, > 0, money a period.

    Raises:
        ValueError: orders of another shape, or that lead out of the box; that they never
            do so is looked up in all states that follow the empty one.
    """
    table = checks.made_by("table", table, Table, "table")
    checks.not_traced("e, z", e, z)
    e, z = np.asarray(e), np.asarray(z)
    shape, (rows, columns) = _shape(table), table.transitions.shape
    for name, order, end in (("e", e, columns - 1 - positions(table)[0]),
                             ("z", z, rows - columns)):  # fmt: skip
        if order.shape != shape or order.dtype.kind not in "iu":
            raise ValueError(
                f"{name} must be integers of the box's shape {shape}, got {order.dtype}"
                f" of shape {order.shape}"
            )
        if order.min() < 0 or (order > end).any():
            raise ValueError(
                f"{name} must be >= 0 and stay in the box: at most {np.max(end)}, got"
                f" {order.min()} to {order.max()}"
            )
    if (most := _most_stock(table, e, z)) > columns - 1:
        raise ValueError(
            f"e and z must keep stock in the box, at most {columns - 1}, got orders that"
            f" lead to {most}; with a larger top they may stay in it"
        )
    with precision.enable_x64(True):
        rule = Partial(follow, table, jnp.asarray(e), jnp.asarray(z))
        return _on_the_host(value_iteration.solve(rule, jnp.zeros(shape), tol=tol))


def _most_stock(table, e, z):
    """The highest stock that follows the empty state under a rule, up to the first
    that is above the box's top."""
    top = len(table.period_costs) - 1
    may = table.transitions > 0
    least = top - int(np.flatnonzero(may[top])[-1])  # demand of a period
    seen, most = np.zeros(_shape(table), bool), 0
    fresh = (np.zeros(1, int),) * seen.ndim
    while fresh[0].size and most <= top:
        seen[fresh] = True
        ships = [*fresh[1:], z[fresh]]
        u = fresh[0] + e[fresh] + ships[0]
        most = max(most, int(u.max()) - least)
        state, after = np.nonzero(may[u])
        reached = np.zeros_like(seen)
        reached[(after, *(q[state] for q in ships[1:]))] = True
        fresh = np.nonzero(reached & ~seen)
    return most


class Best(NamedTuple):
    """The best parameters of a rule, and what it costs."""

    levels: tuple[int, ...]  #: as the rule takes them, units
    cost: float  #: long-run average, money a period


def _cost_of(params, flown, period_cost):
    """What a rule decides: the premium of what flies, holding and waiting."""
    return (params.express_cost - params.regular_cost) * flown + period_cost


def _first_of_the_best(params, found):
    """The first that costs least, but for rounding, with the ship's price of all demand."""
    costs = np.array([best.cost for best in found])
    best = found[int(np.argmax(costs <= costs.min() * (1 + 1e-10)))]
    mean = params.demand_pmf @ np.arange(params.demand_pmf.size)
    return best._replace(cost=float(params.regular_cost * mean + best.cost))


def best_single_index(params: Parameters) -> Best:
    """Find the best single-index rule: (express_level, regular_level).

    With a gap between its levels of g, it ships min(D, g) after a demand of D and flies
    the rest: what is on the way is l independent numbers of that kind.  So the levels
    are those of a newsvendor for each g, and a g above all demands changes nothing.

    Args:
        params: the shop.

    Source: Scheller-Wolf, Veeraraghavan and van Houtum (2007).
    """
    params = _checked(params)
    pmf, found = params.demand_pmf, []
    for gap in range(pmf.size):
        shipped = np.append(pmf[:gap], pmf[gap:].sum())
        law = np.convolve(periodic.demand_of_periods(shipped, params.lead_time), pmf)
        level, cost = _newsvendor(params, law)
        flown = np.maximum(np.arange(pmf.size) - gap, 0) @ pmf
        found.append(Best((level - gap, level), _cost_of(params, flown, cost)))
    return _first_of_the_best(params, found)


def overshoot(params: Parameters, gap: int, cap: int) -> tuple[np.ndarray, float]:
    """Find how far stock lies above the express level, under a capped dual index.

    The excess O = (x - S_e)^+ and the orders on the way do not depend on S_e, only on
    the gap S_r - S_e: one chain serves all pairs of levels with that gap.

    Args:
        params: the shop.
        gap: S_r - S_e, units, >= 0.
        cap: largest regular order, units, >= 0.

    Returns:
        (gap + 1,) long-run law of the excess, and the mean of the express order, units.

    Raises:
        ValueError: a bad argument; a chain of more than 200,000 states.

    Source: Veeraraghavan and Scheller-Wolf (2008), Sun and Van Mieghem (2019).
    """
    params = _checked(params)
    gap, cap = checks.integer("gap", gap, 0), checks.integer("cap", cap, 0)
    pmf, cap = params.demand_pmf, min(cap, gap, params.demand_pmf.size - 1)
    shape = (gap + 1, *[cap + 1] * (params.lead_time - 1))
    states = (gap + 1) * (cap + 1) ** (params.lead_time - 1)
    if gap > MOST_GAP or states > MOST_STATES:
        raise ValueError(
            f"gap must be smaller, or cap: {states:,} states, where {MOST_STATES:,} are"
            f" the most and {MOST_GAP:,} the largest gap, got gap = {gap}, cap = {cap}"
        )
    excess, *ships = np.indices(shape)
    z = np.clip(gap - excess - sum(ships), 0, cap)
    first, *rest = [*ships, z]  # `first` comes after this period's demand
    u = np.arange(gap + cap + 1)  # excess and what comes, less demand: the next excess
    to = np.ravel_multi_index((excess + first, *rest), (u.size, *shape[1:])).ravel()
    left = u[:, None] - np.arange(pmf.size)
    falls = np.zeros((u.size, gap + 1))
    at = np.indices(left.shape)[0], np.clip(left, 0, gap)
    np.add.at(falls, at, np.broadcast_to(pmf, left.shape))
    if params.lead_time == 1:  # a small chain, which may be slow: its power of 2^40
        P = (np.eye(to.size) + falls[to]) / 2
        for _ in range(40):
            P = P @ P
            P = P / P.sum(axis=1, keepdims=True)
        return P[0], float(np.maximum(-left, 0)[to] @ pmf @ P[0])
    law = np.eye(1, to.size)[0]
    for _ in range(MOST_STEPS):
        arrived = np.bincount(to, law, u.size * to.size // (gap + 1))
        arrived = arrived.reshape(u.size, -1)
        after = (falls.T @ arrived).ravel()
        if np.abs(after - law).sum() < 1e-13:
            break
        law = (law + after) / 2  # half a step: no period
    else:
        raise ValueError(
            f"cap must not be so close to mean demand: after {MOST_STEPS:,} periods the"
            f" law still changes, got cap = {cap}"
        )
    flown = np.maximum(-left, 0) @ pmf
    return law.reshape(gap + 1, -1).sum(axis=1), float(flown @ arrived.sum(axis=1))


def _best_levels(params, gap, cap):
    """The best S_e for a gap and a cap, and its cost: a newsvendor's."""
    law, flown = overshoot(params, gap, cap)
    net = np.convolve(params.demand_pmf, law[::-1])  # D - O, from -gap up
    level, cost = _newsvendor(params, net, -gap)
    return level, _cost_of(params, flown, cost)


def best_capped_dual_index(
    params: Parameters, most_gap: int | None = None, caps: ArrayLike | None = None
) -> Best:
    """Find the best capped dual index: (express_level, regular_level, cap).

    Args:
        params: the shop.
        most_gap: largest gap between the levels that is tried, units; by default l times
            the largest demand.
        caps: those that are tried, units; by default all up to the largest demand,
            beyond which a cap changes nothing.

    Raises:
        ValueError: a bad argument; a chain that is too large, as in `overshoot`.

    Source: Sun and Van Mieghem (2019).
    """
    params = _checked(params)
    largest = params.demand_pmf.size - 1
    if most_gap is None:
        most_gap = params.lead_time * largest
    most_gap = checks.integer("most_gap", most_gap, 0)
    checks.not_traced("caps", caps)
    caps = np.arange(largest + 1) if caps is None else checks.integers("caps", caps, 0)
    found = []
    for gap in range(most_gap + 1):
        for cap in np.atleast_1d(caps):
            level, cost = _best_levels(params, gap, int(cap))
            found.append(Best((level, level + gap, int(cap)), cost))
    return _first_of_the_best(params, found)


def best_dual_index(params: Parameters) -> Best:
    """Find the best dual index: (express_level, regular_level).

    A gap of l times the largest demand or more means that nothing ever flies.

    Args:
        params: the shop.

    Raises:
        ValueError: bad parameters; a chain that is too large, as in `overshoot`.

    Source: Veeraraghavan and Scheller-Wolf (2008).
    """
    params = _checked(params)
    best = best_capped_dual_index(params, caps=params.demand_pmf.size - 1)
    return Best(best.levels[:2], best.cost)


def best_tailored_base_surge(params: Parameters) -> Best:
    """Find the best tailored base-surge rule: (express_level, base).

    Its excess is a queue with `base` as arrivals and demand as service, one number
    whatever the lead time; it is stable for a base below mean demand.

    Args:
        params: the shop.

    Raises:
        ValueError: bad parameters; too many sizes of demand, or a mean so close above a whole
            number that what is shipped piles up.

    Source: Allon and Van Mieghem (2010).
    """
    params = _checked(params)
    pmf, found = params.demand_pmf, []
    if 8 * pmf.size > MOST_GAP:
        raise ValueError(
            f"demand_pmf must have at most {MOST_GAP // 8} entries here, got {pmf.size}"
        )
    # What comes each period may come from anywhere.
    at_once = params._replace(lead_time=1)
    # A whole mean is one, however its sum is rounded.
    mean = pmf @ np.arange(pmf.size)
    for base in range(max(int(np.ceil(mean - 1e-12 * pmf.size)), 1)):
        gap = 8 * pmf.size
        while overshoot(at_once, gap, base)[0][-base - 1 :].sum() > 1e-12 and base:
            if (gap := 2 * gap) > MOST_GAP:
                raise ValueError(
                    f"demand_pmf must not have a mean so close above {base}: shipping"
                    f" that many would pile up more than {MOST_GAP:,} units"
                )
        level, cost = _best_levels(at_once, gap, base)
        found.append(Best((level, base), cost))
    return _first_of_the_best(params, found)
