"""(Q, r): order a lot of Q units whenever the inventory position falls to r.

Demand comes one unit at a time and waits if the shelf is empty.  The inventory
position, on hand + on order - backorders, moves over r + 1, ..., r + Q: each
demand takes one off, and at r a lot is ordered at once, which comes after a
lead time.  The reorder point may be negative, down to r = -Q: then customers
must wait before an order is worth its setup.

Exact results are in 64 bits on the host; simulated ones follow JAX's precision.

Source: Hopp and Spearman (2011), chapter 2; Federgruen and Zheng (1992);
derived in the lecture on (Q, r).
"""

from bisect import bisect_left
from math import ceil, floor
from typing import NamedTuple

import jax
import numpy as np
from jax.typing import ArrayLike
from scipy import stats

from lectures_helpers import checks, demand
from lectures_helpers.classical import base_stock, eoq, matching, renewal
from lectures_helpers.classical.matching import Run
from lectures_helpers.classical.shop import Performance, Shop, checked

__all__ = [
    "Policy", "Run", "approximate_policy", "create_parameters", "exact", "optimal_policy",
    "position_cost", "simulate",
]  # fmt: skip


#: Beyond so many, inventory positions are no longer exact in 64 bits.
MOST_POSITIONS = 2**53


class Policy(NamedTuple):
    """The policy of least cost, and what certifies it."""

    quantity: int  #: lot size Q, units
    reorder_point: int  #: reorder point r, units
    cost: float  #: money per satisfied demand, production included


def create_parameters(
    demand_rate: float = 140.0,
    unit_cost: float = 120.0,
    setup_cost: float = 50.0,
    holding_cost: float = 30.0,
    backorder_cost: float = 100.0,
    lead_time: float = 1.5 / 12,
) -> Shop:
    """Make the parameters of the (Q, r) model, checked.

    Args:
        demand_rate: demands per year, > 0.
        unit_cost: money per unit, >= 0.
        setup_cost: money per order, >= 0.
        holding_cost: money per unit on hand and year, >= 0.
        backorder_cost: money per waiting demand and year, >= 0.
        lead_time: mean lead time, years, > 0.

    Raises:
        ValueError: a number is not finite, or below its bound.

    >>> create_parameters(setup_cost=-50.0)
    Traceback (most recent call last):
        ...
    ValueError: setup_cost must be >= 0, got -50
    """
    money = unit_cost, setup_cost, holding_cost, backorder_cost
    return checked(Shop(demand_rate, *money, lead_time))


# -------------------------------------------------------------- exact results


def exact(
    params: Shop,
    quantity: ArrayLike,
    reorder_point: ArrayLike,
    interarrival: demand.Distribution | None = None,
) -> Performance:
    """Compute the exact long-run performance of (Q, r) policies.

    Args:
        params: the model.
        quantity: lot size Q, units: an integer >= 1, or a vector of them.
        reorder_point: reorder point r, units: an integer >= -Q, or a vector of them.
        interarrival: law of the times between demands, years; None for Poisson
            demand.  The lead time is deterministic: unlike base stock, (Q, r) has no
            way round its law, since lots are ordered in step with demand.

    Returns:
        Performance of shape (quantities, reorder points), without an axis where
        one integer is given; the backorder PMF has one more axis, long enough that
        less than 1e-12 of the time lies beyond.

    Raises:
        ValueError: bad input, or a law whose sums cannot be computed to 1e-9.

    Source: eq:qr-exact of the lecture on (Q, r).

    >>> exact(create_parameters(), 26, 11).costs.total.round(4).item()
    124.3692
    """
    checks.not_traced("quantity", quantity)
    checks.not_traced("reorder_point", reorder_point)
    Q, r = _policies(quantity=quantity, reorder_point=reorder_point)
    params, N = renewal.lead_time_demand_of(params, interarrival)
    return renewal.long_run(params, N, r + 1, Q.reshape(Q.shape + (1,) * r.ndim))


def position_cost(params: Shop, y: np.ndarray) -> np.ndarray:
    """Compute the yearly cost of holding and backorders at a position, Poisson demand [g(y)].

    Args:
        params: the model.
        y: inventory positions, whole numbers of any shape.

    Returns:
        Money a year, of y's shape, in 64 bits.

    Source: eq:qr-position-cost of the lecture on (Q, r).
    """
    m = params.demand_rate * params.lead_time
    short = (m - y) * stats.poisson.sf(y, m) + m * stats.poisson.pmf(y, m)
    return params.holding_cost * (y - m + short) + params.backorder_cost * short


def optimal_policy(
    params: Shop, interarrival: demand.Distribution | None = None
) -> Policy:
    """Find the policy of least cost, exactly, over all Q >= 1 and all r >= -Q.

    Let g(y) be the yearly cost of holding and backorders of an inventory position
    y; it is convex.  The policy costs (A D + the sum of g over the Q positions) / Q
    a year.  The best Q positions are the Q cheapest, and they are neighbours.  The best
    lot has all that cost less than its own average: we begin with too high an average,
    take the positions below it, whose average is lower, and go on until none falls out.

    Args:
        params: the model, with H > 0 and B > 0.
        interarrival: as in `exact`.

    Returns:
        (Q, r, cost): the smallest optimal lot size, its reorder point, and the
        cost per satisfied demand.

    Raises:
        ValueError: bad input; H = 0 or B = 0, where there is no best policy; setups so
            dear that positions can no longer be told apart.

    Source: Federgruen and Zheng (1992); thm-qr of the lecture on (Q, r).

    >>> optimal_policy(create_parameters())[:2]
    (26, 11)
    """
    params, N = renewal.lead_time_demand_of(params, interarrival)
    checks.positive("backorder_cost", params.backorder_cost)
    H, B, setups = (
        params.holding_cost,
        params.backorder_cost,
        params.setup_cost * N.rate,
    )
    best = renewal.cheapest_position(params, N)

    def cost(lowest: int, quantity: int = 1) -> float:
        """Yearly cost of so many neighbours, averaged."""
        on_hand, backorders = renewal.stocks(N, np.array(lowest), np.array(quantity))
        return float(H * on_hand + B * backorders)

    average = setups + cost(best)
    if average / min(H, B) > MOST_POSITIONS:
        raise ValueError(
            f"setup_cost must be <= {MOST_POSITIONS * min(H, B) / N.rate:g} at these "
            f"prices and rates, got {params.setup_cost:g}: lots would be too large"
        )
    lowest, quantity = best, MOST_POSITIONS
    while True:
        # Those that cost less than the average: by Jensen's inequality, none lies beyond.
        left = range(floor(N.mean - average / B), best)
        right = range(best + 1, ceil(N.mean + average / H) + 1)
        low = left.start + bisect_left(left, True, key=lambda y: cost(y) < average)
        high = right.start + bisect_left(right, True, key=lambda y: cost(y) >= average)
        if high - low >= quantity:
            return Policy(quantity, lowest - 1, params.unit_cost + average / N.rate)
        lowest, quantity = low, high - low
        average = setups / quantity + cost(lowest, quantity)


def approximate_policy(
    params: Shop, family: str = "gamma", scv: float | None = None
) -> tuple[int, int]:
    """Follow the textbook's recipe: Q from the EOQ formula, r from base stock; rounded.

    Args:
        params: the model, with H > 0.
        family: family that stands in for the law of demand over a lead time.
        scv: its SCV, that of the interarrival times; None for 1, or for 0 if the
            family is deterministic.

    Returns:
        (Q, r), units.

    Raises:
        ValueError: bad input.

    Source: Hopp and Spearman (2011), chapter 2, as the MATLAB library applies it.

    >>> approximate_policy(create_parameters())
    (22, 26)
    """
    level = base_stock.approximate_level(params, family, scv)
    # To the nearest integer, halves up.
    return max(1, floor(eoq.optimal_quantity(params) + 0.5)), floor(level + 0.5)


# ----------------------------------------------------------------- simulation


def simulate(
    params: Shop,
    interarrival: demand.Distribution | None,
    lead_time: demand.Distribution | None,
    quantities: ArrayLike,
    reorder_points: ArrayLike,
    *,
    key: jax.Array,
    run: Run = Run(),  # noqa: B008 (a tuple: never changed)
) -> Performance:
    """Simulate a sweep over lot sizes and reorder points, all on the same demands.

    Every replication starts at a random place of its cycle, with nothing on order: the
    inventory position is uniform on r + 1, ..., r + Q, its stationary law.  A warm-up of
    r + Q demands or more leaves out those that the starting stock serves; over the
    others, costs per demand and fill rate have the long run's mean if the lead time is
    deterministic.  A satisfied demand pays its share A / Q of its lot.

    Costs may be differentiated with respect to prices, rates and means; the fill rate is
    a count, and its derivative is 0 on every path: it estimates nothing.

    Args:
        params: the model; holds numbers, or what JAX traces.
        interarrival: law of the times between demands, years; its mean may be
            None for 1 / demand_rate.  None for Poisson demand.
        lead_time: law of the lead times, years; its mean may be None for that of
            `params`.  None for a deterministic one.
        quantities: lot sizes Q, units: an integer >= 1, or a vector of them.
        reorder_points: reorder points r, units: an integer, or a vector of them,
            all >= -Q for every Q.
        key: random key.
        run: replications, their lengths, and warm-up.

    Returns:
        Performance with arrays (quantities, reorder points, num_replications),
        without an axis where one integer is given; its `standard_error` is over
        replications.  Backorder costs may be NaN as in `base_stock.simulate`, or where
        JAX traces reorder points below -100 and below a tenth of the demands that count.

    Raises:
        ValueError: bad input.

    Source: thm-matching of the lecture on base stock.
    """
    sizes, points = _policies(quantities=quantities, reorder_points=reorder_points)
    return matching.simulate(
        checked(params), interarrival, lead_time, sizes, points, key=key, run=run,
        random_phase=True,
    )  # fmt: skip


def _policies(**both):
    """The lot sizes and the reorder points by name, as arrays, checked one against the other."""
    (sizes_name, sizes), (points_name, points) = both.items()
    sizes = checks.integers(sizes_name, sizes, 1)
    points = checks.integers(points_name, points)
    if not checks.any_traced(sizes, points) and points.min() < -sizes.min():
        raise ValueError(
            f"{points_name} must be >= -{sizes_name} = {-sizes.min()}, got {points.min()}"
        )
    return sizes, points
