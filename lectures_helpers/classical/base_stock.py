"""Base stock: order one unit whenever one is demanded, up to the level R.

Demand comes one unit at a time and waits if the shelf is empty; every demand
sends an order for one unit, which comes after a lead time.  So on hand + on
order - backorders, the inventory position, is R at all times.

Exact results are in 64 bits on the host; simulated ones follow JAX's precision.

Source: Hopp and Spearman (2011), chapter 2; Zipkin (2000), chapter 6; derived
in the lecture on base stock.
"""

from typing import NamedTuple

import jax
import numpy as np

from lectures_helpers import checks, demand
from lectures_helpers.classical import matching, renewal
from lectures_helpers.classical.performance import Performance


class Parameters(NamedTuple):
    """Parameters of the base-stock model (make them with `create_parameters`)."""

    demand_rate: float  #: D, demands per year
    unit_cost: float  #: C, money per unit
    holding_cost: float  #: H, money per unit on hand and year
    backorder_cost: float  #: B, money per waiting demand and year
    lead_time: float  #: L, mean lead time, years


def create_parameters(
    demand_rate=120.0,
    unit_cost=1.0,
    holding_cost=180.0,
    backorder_cost=300.0,
    lead_time=1 / 12,
) -> Parameters:
    """Make the parameters of the base-stock model, checked.

    Args:
        demand_rate: demands per year, > 0.
        unit_cost: money per unit, >= 0.
        holding_cost: money per unit on hand and year, >= 0.
        backorder_cost: money per waiting demand and year, >= 0.
        lead_time: mean lead time, years, > 0.

    Raises:
        ValueError: a number is not finite, or below its bound.

    >>> create_parameters(demand_rate=-1.0)
    Traceback (most recent call last):
        ...
    ValueError: demand_rate must be > 0, got -1
    """
    checks.positive("demand_rate", demand_rate)
    checks.positive("lead_time", lead_time)
    return Parameters(
        *matching.numbers(
            demand_rate=demand_rate,
            unit_cost=unit_cost,
            holding_cost=holding_cost,
            backorder_cost=backorder_cost,
            lead_time=lead_time,
        )
    )


# -------------------------------------------------------------- exact results


def exact(params: Parameters, level, interarrival=None) -> Performance:
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
    5.8366
    """
    params = _on_host(params)
    levels = matching.integers("level", level, 0)
    count = renewal.lead_time_demand(interarrival, params.demand_rate, params.lead_time)
    return renewal.performance(_prices(params), count, levels.reshape(np.shape(level)))


def optimal_level(params: Parameters, interarrival=None) -> int:
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
    params = _on_host(params)
    count = renewal.lead_time_demand(interarrival, params.demand_rate, params.lead_time)
    return renewal.cheapest_position(params, count)


def approximate_level(params: Parameters, family="gamma", scv=None) -> float:
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
    params = _on_host(params)
    mean = params.demand_rate * params.lead_time
    law = matching.stand_in(family, mean, scv)
    return float(demand.quantile(law, renewal.critical_ratio(params)))


# ----------------------------------------------------------------- simulation


def simulate(
    params: Parameters,
    interarrival,
    lead_time,
    levels,
    *,
    key,
    num_replications=10,
    min_demands=2000,
    num_demands=None,
    warmup=0,
    cooldown=None,
    max_backorders=20,
    mesh=None,
) -> Performance:
    """Simulate a sweep over base-stock levels, all on the same demands.

    Every replication starts with a full shelf, R units, which makes the first
    demands luckier than later ones; `warmup` leaves them out.  Its number of
    demands is random on purpose, max(n + round(n U / 5), D + round(D U')) with
    n = `min_demands`, D the yearly demand and U, U' uniform, or fixed if
    `num_demands` is given.

    Args:
        params: the model; holds numbers, or what JAX traces.
        interarrival: law of the times between demands, years; its mean may be
            None for 1 / demand_rate.  None for Poisson demand.
        lead_time: law of the lead times, years; its mean may be None for that of
            `params`.  None for a deterministic one.
        levels: base-stock levels R, units: an integer >= 0, or a vector of them.
        key: random key.
        num_replications: number of replications, >= 1.
        min_demands: fewest demands that count in a replication, >= 1.
        num_demands: exact number of demands that count, >= 1, or None.  Needed
            where JAX traces the demand rate.
        warmup: demands that come first and do not count, >= 0.
        cooldown: demands drawn after the last one that counts, >= 0: orders may
            cross, and one of theirs may come first.  None for enough of them; give it
            where JAX traces the demand rate or a random lead time.
        max_backorders: the PMF tells 0, ..., max_backorders - 1 backorders apart,
            and its last entry is for so many or more.
        mesh: devices that share the replications, from `sharding.create_mesh`; default one.

    Returns:
        Performance with arrays (levels, num_replications), or (num_replications,)
        if `levels` is one integer; its `standard_error` is over replications.  The
        backorder costs are NaN if the cooldown was too short to know them.

    Raises:
        ValueError: bad input.

    Source: thm-matching of the lecture on base stock.
    """
    params = _checked(params)
    points = matching.integers("levels", levels, 0) - 1
    performance = matching.simulate(
        _prices(params),
        params.demand_rate,
        interarrival,
        params.lead_time,
        lead_time,
        np.ones(1, int),
        points,
        key=key,
        num_replications=num_replications,
        min_demands=min_demands,
        num_demands=num_demands,
        warmup=warmup,
        cooldown=cooldown,
        max_backorders=max_backorders,
        mesh=mesh,
    )
    return jax.tree.map(
        lambda x: x.reshape(np.shape(levels) + x.shape[2:]), performance
    )


def _prices(params):
    return matching.Prices(
        params.unit_cost, 0.0, params.holding_cost, params.backorder_cost
    )


def _checked(params):
    if not isinstance(params, Parameters):
        raise ValueError(
            f"params must come from base_stock.create_parameters, got {params!r}"
        )
    return create_parameters(*params)


def _on_host(params):
    return Parameters(*matching.on_host(_checked(params)))
