"""EOQ: how large should a lot be, if it comes at once and every lot costs a setup?

Demand comes at a steady rate, one unit at a time.  When the last unit is sold a
lot of Q units arrives.  Large lots are long on the shelf, small ones need many
setups.

Source: Harris (1913); Hopp and Spearman (2011), chapter 2; derived in the
lecture on the economic order quantity.
"""

import jax
import numpy as np
from jax.typing import ArrayLike

from lectures_helpers import checks, demand
from lectures_helpers.classical import matching
from lectures_helpers.classical import shop as shops
from lectures_helpers.classical.matching import Run
from lectures_helpers.classical.shop import Costs, Performance, Shop

__all__ = [
    "Run", "cost", "create_parameters", "optimal_quantity", "optimal_unit_quantity",
    "simulate", "unit_demand_cost",
]  # fmt: skip

#: What must be > 0: nobody waits here, so that lead times are 0.
POSITIVE = ("demand_rate",)


def create_parameters(
    demand_rate: float = 1000.0,
    unit_cost: float = 140.0,
    setup_cost: float = 500.0,
    holding_cost: float = 35.0,
) -> Shop:
    """Make the parameters of the EOQ model, checked.

    Args:
        demand_rate: demands per year, > 0.
        unit_cost: money per unit, >= 0.
        setup_cost: money per lot, >= 0.
        holding_cost: money per unit on hand and year, >= 0.

    Returns:
        A shop in which nobody waits, neither a customer nor an order.

    Raises:
        ValueError: a number is not finite, or below its bound.

    >>> create_parameters(holding_cost=-1.0)
    Traceback (most recent call last):
        ...
    ValueError: holding_cost must be >= 0, got -1
    """
    shop = Shop(demand_rate, unit_cost, setup_cost, holding_cost, 0.0, 0.0)
    return shops.checked(shop, POSITIVE)


def optimal_quantity(params: Shop) -> float:
    """The economic order quantity, not rounded: Q* = √(2 A D / H), units.

    Args:
        params: the model, with A > 0 and H > 0.

    Raises:
        ValueError: bad input; H = 0, where a larger lot is always better, or A = 0, where
            a smaller one is; a lot of more than 10⁸ units.

    Source: Harris (1913); eq:eoq-formula of the lecture.

    >>> round(optimal_quantity(create_parameters()), 2)
    169.03
    """
    return _square(params, "setup_cost", "holding_cost") ** 0.5


def _square(params, *positive):
    """2 A D / H, the square of the best lot; those named must be > 0."""
    params = shops.concrete(params, POSITIVE)
    for name in positive:
        checks.positive(name, getattr(params, name))
    square = 2 * params.setup_cost * params.demand_rate / params.holding_cost
    if square > checks.MOST_UNITS**2:
        raise ValueError(
            f"holding_cost must be larger than {params.holding_cost:g} here: the best lot "
            f"would be {square**0.5:g} units, and {checks.MOST_UNITS:g} are the most"
        )
    return square


def cost(params: Shop, quantity: ArrayLike) -> Costs:
    """Cost per unit sold, if demand flows out evenly, as the textbook assumes.

    The mean stock is then Q / 2.

    Args:
        params: the model.
        quantity: lot size Q, units, > 0: a number or an array.

    Returns:
        Costs of the shape of `quantity`, in 64 bits; the backorder cost is 0.

    Raises:
        ValueError: bad input.

    Source: eq:eoq-cost of the lecture.

    >>> cost(create_parameters(), 169).total.round(4).item()
    145.9161
    """
    Q = _lot_sizes("quantity", checks.positive("quantity", quantity))
    return _costs(params, Q, Q / 2)


def unit_demand_cost(
    params: Shop, quantity: ArrayLike, num_demands: ArrayLike | None = None
) -> Costs:
    """Cost per unit sold, if units are sold one at a time, exactly.

    The mean stock is then (Q + 1) / 2, whatever the law of the times between demands.

    Args:
        params: the model.
        quantity: lot size Q, units, an integer >= 1, or an array of them.
        num_demands: for the mean over the first so many demands, >= 1, which are held
            for less long on average if they end within a lot; None for the long run.

    Returns:
        Costs of the shape of `quantity` (and `num_demands`), in 64 bits; the backorder
        cost is 0.

    Raises:
        ValueError: bad input.

    Source: eq:eoq-unit-cost and eq:eoq-finite of the lecture.

    >>> unit_demand_cost(create_parameters(), 169).total.round(4).item()
    145.9336
    """
    Q = _whole("quantity", quantity)
    if num_demands is None:
        return _costs(params, Q, (Q + 1) / 2)
    n = _whole("num_demands", num_demands)
    checks.common_shape(quantity=Q, num_demands=n)
    last = n % Q  # units sold of the last lot
    return _costs(params, Q, ((n - last) * (Q + 1) + last * (last + 1)) / (2 * n))


def optimal_unit_quantity(params: Shop) -> int:
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
    square = _square(params, "holding_cost")
    Q = max(1, int(np.sqrt(square + 0.25) - 0.5) - 1)
    while Q * (Q + 1) < square * (1 - 1e-14):
        Q += 1
    return Q


def simulate(
    params: Shop,
    interarrival: demand.Distribution | None,
    quantities: ArrayLike,
    *,
    key: jax.Array,
    run: Run = Run(),  # noqa: B008 (a tuple: never changed)
) -> Performance:
    """Simulate a sweep over lot sizes, all on the same demands.

    The stock starts at Q, and a lot arrives the moment it reaches zero.  A satisfied
    demand pays its share A / Q of its lot.

    Args:
        params: the model; holds numbers, or what JAX traces.
        interarrival: law of the times between demands, years; its mean may be
            None for 1 / demand_rate.  None for Poisson demand.
        quantities: lot sizes Q, units: an integer >= 1, or a vector of them.
        key: random key.
        run: replications, their lengths, and warm-up.

    Returns:
        Performance with arrays (quantities, num_replications), or
        (num_replications,) if `quantities` is one integer; its `standard_error` is
        over replications.

    Raises:
        ValueError: bad input.

    Source: thm-matching of the lecture on base stock.
    """
    shop = shops.checked(params, POSITIVE)._replace(backorder_cost=0.0, lead_time=0.0)
    sizes = checks.integers("quantities", quantities, 1)
    run = matching.checked_run(run)._replace(max_backorders=0)  # nobody waits
    return matching.simulate(
        shop, interarrival, None, sizes, np.array(0), key=key, run=run
    )


def _lot_sizes(name, values):
    checks.not_traced(name, values)
    values = np.asarray(checks.finite(name, values), dtype=float)
    if not values.size or (values > checks.MOST_UNITS).any():
        raise ValueError(
            f"{name} must be <= {checks.MOST_UNITS}, and not empty, got {values}"
        )
    return values


def _whole(name, values):
    values = _lot_sizes(name, checks.at_least(name, values, 1.0))
    if (wrong := values[values != np.floor(values)]).size:
        raise ValueError(f"{name} must be an integer for unit demand, got {wrong[0]:g}")
    return values


def _costs(params, Q, stock):
    params = shops.concrete(params, POSITIVE)
    return shops.create_costs(
        production=np.full(np.shape(stock), params.unit_cost),
        setup=np.broadcast_to(params.setup_cost / Q, np.shape(stock)),
        holding=params.holding_cost * stock / params.demand_rate,
        backorder=np.zeros(np.shape(stock)),
    )
