"""Periodic review with a fixed cost an order: the best (s, S), and the proof that it is.

Each period begins with an order, or none; what is ordered comes a lead time of whole
periods later; customers whose demand is not met wait.  The cost of a period is that of
the stock after its last demand: h a unit on hand, p a unit that waits.  The inventory
position y after ordering decides the expected cost of the period that the order comes
in, G(y); so the lead time enters through G alone.

All arithmetic of `cost` and `optimal_policy` is NumPy's in float64.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import ArrayLike

from lectures_helpers import checks

__all__ = [
    "Parameters", "Policy", "Table", "backup", "convexity", "cost", "create_parameters",
    "demand_of_periods", "one_period_cost", "optimal_policy", "renewal", "table",
]  # fmt: skip

LEAST, MOST = 1e-9, 1e12  # costs: beyond, sums lose their digits
MOST_LEVELS = 200_000  # of a search
MOST_UNITS = 100_000  # of demand in a lead time: its law takes some seconds
MOST_POSITIONS = 5_000  # of a table


class Parameters(NamedTuple):
    """A shop that reviews its stock every period; made by `create_parameters`."""

    setup_cost: float  #: K, money an order
    holding_cost: float  #: h, money a unit on hand at a period's end
    backorder_cost: float  #: p, money a unit that waits at a period's end
    demand_pmf: np.ndarray  #: (N,) P(D = 0), ..., P(D = N - 1), of a period
    lead_time: int  #: L, periods from the order to its arrival, >= 0


class Policy(NamedTuple):
    """Order up to S when the inventory position is s or less."""

    s: int  #: reorder point, units
    S: int  #: order-up-to level, units
    cost: float  #: long-run average, money a period


def create_parameters(
    setup_cost: float,
    holding_cost: float,
    backorder_cost: float,
    demand_pmf: ArrayLike,
    lead_time: int = 0,
) -> Parameters:
    """Check the numbers of a shop and put them together.

    Args:
        setup_cost: what an order costs [K], money, >= 0.
        holding_cost: cost of a unit on hand at the end of a period [h], money, > 0.
        backorder_cost: cost of a unit that waits there [p], money, > 0.
        demand_pmf: (N,) probabilities of a demand of 0, ..., N - 1 units in a period,
            >= 0, with sum 1 (scaled to it if it misses it by rounding), not all at 0.
        lead_time: periods from an order to its arrival [L], an integer >= 0.

    Raises:
        ValueError: what is out of range, by its name and bound.

    >>> create_parameters(5.0, 1.0, 4.0, [0.2, 0.5, 0.3]).lead_time
    0
    """
    costs = {
        "setup_cost": checks.within("setup_cost", setup_cost, 0.0, MOST),
        "holding_cost": checks.within("holding_cost", holding_cost, LEAST, MOST),
        "backorder_cost": checks.within("backorder_cost", backorder_cost, LEAST, MOST),
    }
    pmf = checks.demand_law("demand_pmf", demand_pmf)
    lead_time = checks.integer("lead_time", lead_time, 0)
    if (units := pmf.size * (lead_time + 1)) > MOST_UNITS:
        raise ValueError(
            f"lead_time must be shorter, or demand_pmf: {units:,} units of demand over a"
            f" lead time, where {MOST_UNITS:,} are the most, got lead_time = {lead_time}"
        )
    K, h, p = (checks.concrete(*named) for named in costs.items())
    return Parameters(K, h, p, pmf, lead_time)


def _checked(params):
    """The parameters, also where they were put together by hand."""
    return create_parameters(*checks.made_by("params", params, Parameters))


def one_period_cost(params: Parameters, y: ArrayLike) -> np.ndarray:
    """Find the expected cost of the period in which an order arrives [G(y)].

    Args:
        params: the shop.
        y: inventory position after ordering, whole units: a number or a vector.

    Returns:
        h E[(y - D)^+] + p E[(D - y)^+], D the demand of L + 1 periods; money.

    Raises:
        ValueError: a bad argument.
    """
    params = _checked(params)
    checks.not_traced("y", y)
    return period_cost(params)(np.asarray(checks.integers("y", y)))


def demand_of_periods(demand_pmf: np.ndarray, periods: int) -> np.ndarray:
    """Compute the law of what some periods ask for together.

    Args:
        demand_pmf: (n,) probabilities of a period's demand 0, 1, ..., n - 1.
        periods: how many independent periods, >= 0.

    Returns:
        (periods * (n - 1) + 1,) probabilities of their sum.
    """
    law = np.ones(1)
    for _ in range(periods):
        law = np.convolve(law, demand_pmf)
    return law


def at_least(pmf):
    """P(D >= 0), P(D >= 1), ...: sums from the far end, which lose no digits."""
    return np.cumsum(pmf[::-1])[::-1]


def quantile(pmf, holding_cost, backorder_cost):
    """The least y with P(D <= y) >= p / (p + h).

    It is the least with h P(D <= y) >= p P(D > y), whose sides are sums of what is not
    negative: one is next to 0 where the other is next to 1, and has its digits.
    """
    more = np.append(at_least(pmf)[1:], 0.0)
    enough = holding_cost * np.cumsum(pmf) * (1 + 1e-12) >= backorder_cost * more
    return int(np.argmax(enough))


def period_cost(params):
    """G, with what it needs computed once."""
    pmf = demand_of_periods(params.demand_pmf, params.lead_time + 1)
    # E (y - D)^+ and E (D - y)^+ for y = 0, 1, ...: sums of P(D <= u) over u < y, and of
    # P(D > u) over u >= y, none of which is a difference; beyond them, lines.
    left = np.append(0.0, np.cumsum(np.cumsum(pmf)))
    missed = np.append(at_least(at_least(pmf)[1:]), [0.0, 0.0])

    def G(y):
        within = np.clip(y, 0, pmf.size)
        surplus = left[within] + np.maximum(y - pmf.size, 0)
        short = missed[within] + np.maximum(-y, 0)
        return params.holding_cost * surplus + params.backorder_cost * short

    return G


def renewal(params: Parameters, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute how often stock passes through each level in a cycle.

    Args:
        params: the shop.
        size: levels below S, >= 1 and <= 200,000.

    Returns:
        m, (size,): expected periods of a cycle with the position j below S; and
        M, (size + 1,): M(n) is the expected length of a cycle with S - s = n, periods.

    Raises:
        ValueError: a bad argument.
    """
    params, size = _checked(params), checks.integer("size", size, 1)
    if size > MOST_LEVELS:
        raise ValueError(
            f"size must be <= {MOST_LEVELS:,} levels from S down to s, got {size:,}"
        )
    pmf, m = params.demand_pmf, np.zeros(size)
    m[0] = 1 / (1 - pmf[0])
    for j in range(1, size):
        reach = min(j, pmf.size - 1)
        m[j] = m[0] * (pmf[1 : reach + 1] @ m[j - reach : j][::-1])
    return m, np.append(0.0, np.cumsum(m))


def cost(params: Parameters, s: ArrayLike, S: ArrayLike) -> np.ndarray:
    """Find the long-run cost of (s, S) policies, by a cycle's cost over its length.

    Args:
        params: the shop.
        s: order if the position is at or below it, whole units, below S.
        S: order up to it, whole units, of a shape that broadcasts with s.

    Returns:
        Money a period, of the common shape.

    Raises:
        ValueError: a bad argument; s that is not below S, or more than 200,000 below.

    Source: Veinott and Wagner (1965); (eq:periodic-cost) of the lecture on where s and
    S come from.

    >>> fair = create_parameters(2.0, 1.0, 1.0, [0.5, 0.5])
    >>> float(cost(fair, -1, 1))  # half a unit a period, an order every four
    1.0
    """
    params = _checked(params)
    checks.not_traced("s, S", s, S)
    s, S = np.asarray(checks.integers("s", s)), np.asarray(checks.integers("S", S))
    checks.common_shape(s=s, S=S)
    s, S = np.broadcast_arrays(s, S)
    if not (s < S).all():
        raise ValueError(f"s must be below S, got s = {s} and S = {S}")
    G, (m, M) = period_cost(params), renewal(params, int((S - s).max()))
    costs = np.empty(s.shape)
    for place, n in np.ndenumerate(S - s):
        periods = m[:n] @ G(S[place] - np.arange(n))
        costs[place] = (params.setup_cost + periods) / M[n]
    return costs


def optimal_policy(params: Parameters) -> Policy:
    """Find the best (s, S), by the algorithm of Zheng and Federgruen.

    Args:
        params: the shop.

    Returns:
        The policy and its cost; no rule of any other kind costs less.

    Raises:
        ValueError: a bad argument; a search that would pass 200,000 levels.

    Source: Zheng and Federgruen (1991).

    >>> from scipy import stats
    >>> pmf = stats.poisson(6).pmf(np.arange(60))  # Snyder and Shen (2019), example 4.7
    >>> s, S, cost = optimal_policy(create_parameters(5.0, 1.0, 4.0, pmf))
    >>> s, S, round(cost, 5)
    (4, 10, 8.03411)
    """
    params = _checked(params)
    K, G, size = params.setup_cost, period_cost(params), 64
    # G is lowest at the newsvendor's level.  From there down, the first s with G(s) as
    # high as the pair's cost is the best one for that S.
    law = demand_of_periods(params.demand_pmf, params.lead_time + 1)
    S = quantile(law, params.holding_cost, params.backorder_cost)
    while True:
        m, M = renewal(params, size)
        below = S - np.arange(size)
        costs = (K + np.cumsum(m * G(below))) / M[1:]
        if (enough := costs <= G(below - 1)).any():
            break
        if size == MOST_LEVELS:
            raise ValueError(
                f"setup_cost must be smaller: an order would last for more than"
                f" {MOST_LEVELS:,} levels, got {K:g}"
            )
        size = min(4 * size, MOST_LEVELS)
    n = 1 + int(enough.argmax())
    best = Policy(S - n, S, float(costs[n - 1]))

    def cost_of(s, S):
        nonlocal m, M
        if (n := S - s) >= m.size:
            m, M = renewal(params, max(n, min(4 * n, MOST_LEVELS)))
        return float((K + m[:n] @ G(S - np.arange(n))) / M[n])

    while G(S := S + 1) <= best.cost:
        if (found := cost_of(best.s, S)) < best.cost:
            s = best.s
            while found <= G(s + 1):
                s, found = s + 1, cost_of(s + 1, S)
            best = Policy(s, S, found)
    return best


class Table(NamedTuple):
    """What `backup` needs of a shop, on a range of positions; made by `table`."""

    setup_cost: float  #: K, money
    period_costs: np.ndarray  #: (n,) G of the positions, money
    transitions: np.ndarray  #: (n, n) law of the next position, a row for each


def table(params: Parameters, low: int, high: int) -> Table:
    """Tabulate a shop for `backup`.

    Args:
        params: the shop.
        low: lowest inventory position, a whole number; demand that would lead below it
            leads to it.  So it lies where an order is placed anyway; or at 0, where
            demand that is not met is lost and there is no lead time.
        high: highest position, a whole number > low, so high that no order goes beyond.

    Raises:
        ValueError: no whole numbers; no position, or more than 5,000 (the law of the
            next one takes 200 MB then).
    """
    params = _checked(params)
    low, high = (
        checks.integer("low", low, -MOST_LEVELS),
        checks.integer("high", high, low),
    )
    if not low < high < low + MOST_POSITIONS:
        raise ValueError(
            f"high must be in {low + 1}, ..., {low + MOST_POSITIONS - 1}, got {high}"
        )
    n, pmf = high - low + 1, params.demand_pmf
    transitions = np.zeros((n, n))
    for i in range(n):
        falls = pmf[:i]
        transitions[i, i - np.arange(falls.size)] = falls
        transitions[i, 0] += pmf[i:].sum()
    G = one_period_cost(params, np.arange(low, high + 1))
    return Table(params.setup_cost, G, transitions)


def backup(table: Table, V: jax.Array) -> jax.Array:
    """Take the values of all positions back by one period, at the best order.

    Args:
        table: a shop's `table` from `low` to `high`.
        V: (n,) values of its positions, money.

    Returns:
        (n,) values one period earlier, in V's type.

    Source: (eq:periodic-bellman) of the lecture on where s and S come from.
    """
    K, G, P = (jnp.asarray(some, jnp.result_type(V, float)) for some in table)
    H = G + P @ V  # the cost of going on from each position, without an order
    return jnp.minimum(H, K + lax.cummin(H, reverse=True))  # the least over y >= x


def convexity(values: ArrayLike) -> float:
    """Find the least K for which a function is K-convex.

    Args:
        values: (n,) of the function at consecutive whole numbers, at most 5,000 of them.

    Returns:
        K >= 0, in the unit of the values; 0 for a convex function.

    Raises:
        ValueError: not such a vector; a value beyond ±1e12.

    Source: (def-k-convex) of the lecture on where s and S come from.  The point at y lies
    on or below the line from x to z, lifted by K there, if K is at least H(y) - H(z) and
    z - y times the slope from x to y; so of all x the steepest slope matters.

    >>> convexity([4.0, 1.0, 0.0, 1.0]), convexity([4.0, 1.0, 3.0, 0.0])
    (0.0, 5.0)
    """
    checks.not_traced("values", values)
    H = np.atleast_1d(checks.numbers("values", values))
    checks.within("values", H, -MOST, MOST)
    if H.ndim != 1 or H.size > MOST_POSITIONS:
        raise ValueError(
            f"values must be a vector of at most {MOST_POSITIONS:,} numbers, got the"
            f" shape {H.shape}"
        )
    least, place = 0.0, np.arange(H.size)
    for y in range(1, H.size - 1):
        steepest = ((H[y] - H[:y]) / (y - place[:y])).max()
        least = max(least, (H[y] - H[y:] + (place[y:] - y) * steepest).max())
    return float(least)
