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

from typing import NamedTuple

import jax
import numpy as np
from jax.typing import ArrayLike

from lectures_helpers import checks, demand
from lectures_helpers.classical import base_stock, eoq, matching, renewal
from lectures_helpers.classical.matching import Run
from lectures_helpers.classical.shop import Performance, Shop, checked

__all__ = [
    "Policy", "Run", "approximate_policy", "create_parameters", "exact", "optimal_policy",
    "simulate",
]  # fmt: skip


class Policy(NamedTuple):
    """The policy of least cost, and what certifies it."""

    quantity: int  #: lot size Q, units
    reorder_point: int  #: reorder point r, units
    cost: float  #: money per satisfied demand, production included


def create_parameters(
    demand_rate: float = 140.0,
    unit_cost: float = 1.0,
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
    5.3692
    """
    quantities, points = _policies(quantity, reorder_point)
    params, N = renewal.lead_time_demand_of(params, interarrival)
    rows = [renewal.long_run(params, N, points + 1, int(Q)) for Q in quantities.flat]
    shape = quantities.shape
    return jax.tree.map(lambda *x: np.stack(x).reshape(shape + x[0].shape), *rows)


def optimal_policy(
    params: Shop, interarrival: demand.Distribution | None = None
) -> Policy:
    """Find the policy of least cost, exactly, over all Q >= 1 and all r >= -Q.

    Let g(y) be the yearly cost of holding and backorders of an inventory position
    y; it is convex.  The policy costs (A D + the sum of g over the Q positions) / Q
    a year.  The best Q positions are the Q cheapest, and they are neighbours; so
    positions are added, the cheaper neighbour first, as long as the next one costs
    less than the average so far.  Once it does not, no larger lot is better.

    Args:
        params: the model, with H > 0 and B > 0.
        interarrival: as in `exact`.

    Returns:
        (Q, r, cost): the smallest optimal lot size, its reorder point, and the
        cost per satisfied demand.

    Raises:
        ValueError: bad input; H = 0 or B = 0, where there is no best policy.

    Source: Federgruen and Zheng (1992); thm-qr of the lecture on (Q, r).

    >>> optimal_policy(create_parameters())[:2]
    (26, 11)
    """
    params, N = renewal.lead_time_demand_of(params, interarrival)
    checks.positive("backorder_cost", params.backorder_cost)
    g = renewal.position_cost(params, N)
    best = renewal.cheapest_position(params, N)
    rate = N.rate
    total = params.setup_cost * rate + g(best)
    quantity, low, high = 1, best - 1, best + 1
    below, above = g(low), g(high)
    while min(below, above) < total / quantity:
        if below < above:
            total, low = total + below, low - 1
            below = g(low)
        else:
            total, high = total + above, high + 1
            above = g(high)
        quantity += 1
    cost = params.unit_cost + total / quantity / rate
    return Policy(quantity, low, float(cost))


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
    return max(1, _round(eoq.optimal_quantity(params))), _round(level)


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

    Every replication starts with r + Q units on the shelf; a warm-up leaves the
    first demands out.  A satisfied demand pays its share A / Q of its lot.

    Args:
        params: the model; holds numbers, or what JAX traces.
        interarrival: law of the times between demands, years; its mean may be
            None for 1 / demand_rate.  None for Poisson demand.
        lead_time: law of the lead times, years; its mean may be None for that of
            `params`.  None for a deterministic one.
        quantities: lot sizes Q, units: an integer >= 1, or a vector of them.
        reorder_points: reorder points r, units: an integer, or a vector of them,
            all >= -Q for every Q; >= 0 where JAX traces them.
        key: random key.
        run: replications, their lengths, warm-up, and devices.

    Returns:
        Performance with arrays (quantities, reorder points, num_replications),
        without an axis where one integer is given; its `standard_error` is over
        replications.  Backorder costs may be NaN as in `base_stock.simulate`.

    Raises:
        ValueError: bad input.

    Source: thm-matching of the lecture on base stock.
    """
    sizes, points = _policies(quantities, reorder_points)
    return matching.simulate(
        checked(params), interarrival, lead_time, sizes, points, key=key, run=run
    )


def _policies(quantities, reorder_points):
    """Both as arrays, checked, one against the other too."""
    sizes = checks.integers("quantity", quantities, 1)
    points = checks.integers("reorder_point", reorder_points)
    if not checks.any_traced(sizes, points) and points.min() < -sizes.min():
        raise ValueError(
            f"reorder_point must be >= -quantity = {-sizes.min()}, got {points.min()}"
        )
    return sizes, points


def _round(x):
    """To the nearest integer, halves up."""
    return int(np.floor(x + 0.5))
