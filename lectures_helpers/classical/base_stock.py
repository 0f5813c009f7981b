"""Base stock: order one unit whenever one is demanded, up to the level R.

Demand comes one unit at a time and waits if the shelf is empty; every demand
sends an order for one unit, which comes after a lead time.  So on hand + on
order - backorders, the inventory position, is R at all times.

Exact results are in 64 bits on the host; simulated ones follow JAX's precision.

Source: Hopp and Spearman (2011), chapter 2; Zipkin (2000), chapter 6; derived
in the lecture on base stock.
"""

import jax
import numpy as np
from jax.typing import ArrayLike

from lectures_helpers import checks, demand
from lectures_helpers.classical import matching, renewal
from lectures_helpers.classical.matching import Run
from lectures_helpers.classical.shop import Performance, Shop, checked, concrete

__all__ = [
    "Run", "approximate_level", "create_parameters", "exact", "optimal_level", "simulate",
]  # fmt: skip


def create_parameters(
    demand_rate: float = 120.0,
    unit_cost: float = 720.0,
    holding_cost: float = 180.0,
    backorder_cost: float = 300.0,
    lead_time: float = 1 / 12,
) -> Shop:
    """Make the parameters of the base-stock model, checked.

    Args:
        demand_rate: demands per year, > 0.
        unit_cost: money per unit, >= 0.
        holding_cost: money per unit on hand and year, >= 0.
        backorder_cost: money per waiting demand and year, >= 0.
        lead_time: mean lead time, years, > 0.

    Returns:
        A shop that pays nothing for an order.

    Raises:
        ValueError: a number is not finite, or below its bound.

    >>> create_parameters(demand_rate=-1.0)
    Traceback (most recent call last):
        ...
    ValueError: demand_rate must be > 0, got -1
    """
    money = unit_cost, 0.0, holding_cost, backorder_cost
    return checked(Shop(demand_rate, *money, lead_time))


# -------------------------------------------------------------- exact results


def exact(
    params: Shop, level: ArrayLike, interarrival: demand.Distribution | None = None
) -> Performance:
    """Compute the exact long-run performance of base-stock levels.

    Args:
        params: the model.
        level: base-stock level R, units: an integer >= 0, or a vector of them.
        interarrival: law of the times between demands, years, for a
            deterministic lead time; None for Poisson demand, where the result
            holds for every law of independent lead times with that mean.

    Returns:
        Performance of the shape of `level`, in 64 bits; the backorder PMF has one
        more axis, long enough that less than 1e-12 of the time lies beyond.

    Raises:
        ValueError: bad input, or a law whose sums cannot be computed to 1e-9.

    Source: eq:bs-exact, thm-matching and thm-palm of the lecture on base stock.

    >>> exact(create_parameters(), 11).costs.total.round(4).item()
    724.8366
    """
    checks.not_traced("level", level)
    level = checks.integers("level", level, 0)
    return renewal.long_run(*renewal.lead_time_demand_of(params, interarrival), level)


def optimal_level(params: Shop, interarrival: demand.Distribution | None = None) -> int:
    """Find the base-stock level of least cost, exactly.

    The cost is convex in R: one more unit adds holding cost in the time when it
    is not needed, and saves backorder cost in the time when it is.  So the best
    level is the smallest one at which the demand over a lead time exceeds R no
    more often than H / (B + H) of the time.

    Args:
        params: the model, with H > 0.
        interarrival: as in `exact`.

    Returns:
        The smallest optimal level R, units.

    Raises:
        ValueError: bad input; H = 0, where more stock is always better.

    Source: thm-base-stock of the lecture on base stock.

    >>> optimal_level(create_parameters())
    11
    """
    return renewal.cheapest_position(*renewal.lead_time_demand_of(params, interarrival))


def approximate_level(
    params: Shop, family: str = "gamma", scv: float | None = None
) -> float:
    """Evaluate the textbook's formula for the optimal level, not rounded.

    R = F⁻¹(B / (B + H)), where F stands in for the law of demand over a lead
    time: the *interarrival* family with mean D L and the *interarrival* SCV.
    That is an approximation, and the lecture shows what it costs.

    Args:
        params: the model, with H > 0.
        family: family of the law, as in `demand.create_distribution`.
        scv: its SCV; None for 1, or for 0 if the family is deterministic.

    Raises:
        ValueError: bad input.

    Source: the quantile, Hopp and Spearman (2011), chapter 2; the law that is put in
    for F, the MATLAB library.

    >>> round(approximate_level(create_parameters()), 3)
    9.808
    """
    params = concrete(params)
    mean = params.demand_rate * params.lead_time
    if scv is None and isinstance(family, str):
        scv = demand.FIXED_SCV.get(family, 1.0)
    if scv is not None:
        checks.concrete("scv", scv)
    law = demand.create_distribution(family, mean, scv)
    checks.positive("holding_cost", params.holding_cost)
    ratio = params.backorder_cost / (params.backorder_cost + params.holding_cost)
    return float(demand.quantile(law, ratio))


# ----------------------------------------------------------------- simulation


def simulate(
    params: Shop,
    interarrival: demand.Distribution | None,
    lead_time: demand.Distribution | None,
    levels: ArrayLike,
    *,
    key: jax.Array,
    run: Run = Run(),  # noqa: B008 (a tuple: never changed)
) -> Performance:
    """Simulate a sweep over base-stock levels, all on the same demands.

    Every replication starts with a full shelf, R units, which makes the first
    demands luckier than later ones; a warm-up leaves them out.

    Costs and averages over time may be differentiated with respect to prices, rates and
    means (thm-bs-ipa of the lecture).  The fill rate is a count: its derivative is 0 on
    every path, and estimates nothing.

    Args:
        params: the model; holds numbers, or what JAX traces.
        interarrival: law of the times between demands, years; its mean may be
            None for 1 / demand_rate.  None for Poisson demand.
        lead_time: law of the lead times, years; its mean may be None for that of
            `params`.  None for a deterministic one.
        levels: base-stock levels R, units: an integer >= 0, or a vector of them.
        key: random key.
        run: replications, their lengths, and warm-up.

    Returns:
        Performance with arrays (levels, num_replications), or (num_replications,)
        if `levels` is one integer; its `standard_error` is over replications.  If
        orders cross further than a run looks ahead, which can happen only where JAX
        traces rates or means, the backorder costs are NaN.

    Raises:
        ValueError: bad input.

    Source: thm-matching of the lecture on base stock.
    """
    points = checks.integers("levels", levels, 0) - 1
    return matching.simulate(
        checked(params), interarrival, lead_time, np.array(1), points, key=key, run=run
    )
