"""EOQ: how large should a lot be, if it comes at once and every lot costs a setup?

Demand comes at a steady rate, one unit at a time.  When the last unit is sold a
lot of Q units arrives.  Large lots are long on the shelf, small ones need many
setups.

Source: Harris (1913); Hopp and Spearman (2011), chapter 2; derived in the
lecture on the economic order quantity.
"""

from typing import NamedTuple

import jax
import numpy as np

from lectures_helpers import checks
from lectures_helpers.classical import matching
from lectures_helpers.classical.performance import Costs, Performance, create_costs


class Parameters(NamedTuple):
    """Parameters of the EOQ model (make them with `create_parameters`)."""

    demand_rate: float  #: D, demands per year
    unit_cost: float  #: C, money per unit
    setup_cost: float  #: A, money per lot
    holding_cost: float  #: H, money per unit on hand and year


def create_parameters(
    demand_rate=1000.0, unit_cost=1.0, setup_cost=500.0, holding_cost=35.0
) -> Parameters:
    """Make the parameters of the EOQ model, checked.

    Args:
        demand_rate: demands per year, > 0.
        unit_cost: money per unit, >= 0.
        setup_cost: money per lot, >= 0.
        holding_cost: money per unit on hand and year, >= 0.

    Raises:
        ValueError: a number is not finite, or below its bound.

    >>> create_parameters(holding_cost=-1.0)
    Traceback (most recent call last):
        ...
    ValueError: holding_cost must be >= 0, got -1
    """
    checks.positive("demand_rate", demand_rate)
    return Parameters(
        *matching.numbers(
            demand_rate=demand_rate,
            unit_cost=unit_cost,
            setup_cost=setup_cost,
            holding_cost=holding_cost,
        )
    )


def optimal_quantity(params: Parameters) -> float:
    """The economic order quantity, not rounded: Q* = √(2 A D / H), units.

    Args:
        params: the model, with H > 0.

    Raises:
        ValueError: bad input; H = 0, where a larger lot is always better.

    Source: Harris (1913); eq:eoq-formula of the lecture.

    >>> round(optimal_quantity(create_parameters()), 2)
    169.03
    """
    params = _on_host(params)
    checks.positive("holding_cost", params.holding_cost)
    return (2 * params.setup_cost * params.demand_rate / params.holding_cost) ** 0.5


def cost(params: Parameters, quantity, unit_demand=False, num_demands=None) -> Costs:
    """Cost per unit sold, exactly.

    Args:
        params: the model.
        quantity: lot size Q, units, >= 1 (an integer for unit demand): a number or
            an array.
        unit_demand: whether units are sold one at a time.  Then the mean stock
            is (Q + 1) / 2, whatever the law of the times between demands; if they
            flow out evenly, as the textbook assumes, it is Q / 2.
        num_demands: for unit demand, the mean over the first so many demands, >= 1,
            which are held for less long on average if they end within a lot; None
            for the long run.

    Returns:
        Costs of the shape of `quantity` (and `num_demands`), in 64 bits; the backorder cost is 0.

    Raises:
        ValueError: bad input.

    Source: eq:eoq-cost, eq:eoq-unit-cost and eq:eoq-finite of the lecture.

    >>> cost(create_parameters(), 169).total.round(4).item()
    6.9161
    """
    params = _on_host(params)
    if not isinstance(unit_demand, (bool, np.bool_)):
        raise ValueError(f"unit_demand must be True or False, got {unit_demand!r}")
    if checks.is_traced(quantity):
        raise ValueError("quantity must hold numbers: exact results are not traceable")
    checks.at_least("quantity", quantity, 1.0)
    Q = np.asarray(quantity, dtype=float)
    if unit_demand and (Q != np.floor(Q)).any():
        raise ValueError(
            f"quantity must be an integer for unit demand, got {Q[Q != np.floor(Q)][0]:g}"
        )
    stock = (Q + 1) / 2 if unit_demand else Q / 2
    if num_demands is not None:
        if not unit_demand:
            raise ValueError(f"num_demands needs unit_demand=True, got {num_demands}")
        n = np.asarray(checks.at_least("num_demands", num_demands, 1), dtype=float)
        if (n != np.floor(n)).any():
            raise ValueError(f"num_demands must hold integers, got {num_demands!r}")
        last = n % Q  # units sold of the last lot
        stock = ((n - last) * (Q + 1) + last * (last + 1)) / (2 * n)
    return create_costs(
        production=np.full(np.shape(stock), float(params.unit_cost)),
        setup=np.broadcast_to(params.setup_cost / Q, np.shape(stock)),
        holding=params.holding_cost * stock / params.demand_rate,
        backorder=np.zeros(np.shape(stock)),
    )


def optimal_unit_quantity(params: Parameters) -> int:
    """The best lot size when units are sold one at a time, exactly.

    The smallest integer Q with Q (Q + 1) >= 2 A D / H.

    Args:
        params: the model, with H > 0.

    Raises:
        ValueError: bad input; H = 0.

    Source: eq:eoq-integer of the lecture.

    >>> optimal_unit_quantity(create_parameters())
    169
    """
    square = optimal_quantity(params) ** 2
    Q = max(1, int(np.sqrt(square + 0.25) - 0.5) - 1)
    while Q * (Q + 1) < square * (1 - 1e-14):
        Q += 1
    return Q


def simulate(
    params: Parameters,
    interarrival,
    quantities,
    *,
    key,
    num_replications=10,
    min_demands=2000,
    num_demands=None,
    warmup=0,
    mesh=None,
) -> Performance:
    """Simulate a sweep over lot sizes, all on the same demands.

    The stock starts at Q, and a lot arrives the moment it reaches zero.  The
    number of demands of a replication is random on purpose, as in
    `base_stock.simulate`.  A satisfied demand pays its share A / Q of its lot.

    Args:
        params: the model; holds numbers, or what JAX traces.
        interarrival: law of the times between demands, years; its mean may be
            None for 1 / demand_rate.  None for Poisson demand.
        quantities: lot sizes Q, units: an integer >= 1, or a vector of them.
        key: random key.
        num_replications: number of replications, >= 1.
        min_demands: fewest demands that count in a replication, >= 1.
        num_demands: exact number of demands that count, >= 1, or None.
        warmup: demands that come first and do not count, >= 0.
        mesh: devices that share the replications, from `sharding.create_mesh`; default one.

    Returns:
        Performance with arrays (quantities, num_replications), or
        (num_replications,) if `quantities` is one integer; its `standard_error` is
        over replications.

    Raises:
        ValueError: bad input.

    Source: thm-matching of the lecture on base stock.
    """
    params = _checked(params)
    sizes = matching.integers("quantities", quantities, 1)
    performance = matching.simulate(
        matching.Prices(params.unit_cost, params.setup_cost, params.holding_cost, 0.0),
        params.demand_rate,
        interarrival,
        0.0,
        None,
        sizes,
        np.zeros(1, int),
        key=key,
        num_replications=num_replications,
        min_demands=min_demands,
        num_demands=num_demands,
        warmup=warmup,
        cooldown=None,
        max_backorders=0,
        mesh=mesh,
    )
    return jax.tree.map(
        lambda x: x.reshape(np.shape(quantities) + x.shape[2:]), performance
    )


def _checked(params):
    if not isinstance(params, Parameters):
        raise ValueError(f"params must come from eoq.create_parameters, got {params!r}")
    return create_parameters(*params)


def _on_host(params):
    return Parameters(*matching.on_host(_checked(params)))
