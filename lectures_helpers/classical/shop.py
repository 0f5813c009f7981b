"""A shop, and what a policy makes of it: what the classical models are given and give back."""

from collections.abc import Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lectures_helpers import checks

__all__ = ["Costs", "Performance", "Shop", "stack"]

#: Exact results are NumPy arrays, in 64 bits; simulated ones are JAX arrays.
Array = jax.Array | np.ndarray

#: Numbers of a shop lie between these: beyond, sums of 32 bits overflow or vanish.
LEAST, MOST = 1e-9, 1e12

#: What must be > 0 where customers wait for orders; the rest may be 0.
POSITIVE = ("demand_rate", "lead_time")


class Shop(NamedTuple):
    """Prices and rates (each model's `create_parameters` makes one).

    A model without setups, backorders or lead times has 0 there.
    """

    demand_rate: float  #: D, demands per year
    unit_cost: float  #: C, money per unit
    setup_cost: float  #: A, money per order
    holding_cost: float  #: H, money per unit on hand and year
    backorder_cost: float  #: B, money per waiting demand and year
    lead_time: float  #: L, mean lead time, years


class Costs(NamedTuple):
    """Costs and their parts, per satisfied demand or per year."""

    total: Array  #: sum of the four parts
    production: Array  #: buying or making the units
    setup: Array  #: placing orders, or setting up for lots
    holding: Array  #: stock on hand
    backorder: Array  #: customers who wait

    @property
    def relevant(self) -> Array:
        """What the policy decides: the total without the production, not rounded with it.

        (Of costs. Standard errors do not add up: take those of the replications' sums.)
        """
        return self.setup + self.holding + self.backorder


class Performance(NamedTuple):
    """Performance of an inventory policy, exact or simulated.

    Exact results are NumPy arrays of the policies' shape, in 64 bits; simulated
    ones are JAX arrays with one more axis at the end, the replications.  The
    PMF has one more axis after that.
    """

    costs: Costs  #: money per satisfied demand
    annual: Costs  #: money per year
    fill_rate: Array  #: share of demands that are filled at once
    ready_rate: Array  #: share of time with stock on hand
    mean_on_hand: Array  #: time average of the stock on hand, units
    mean_backorders: Array  #: time average of the demands that wait, units
    #: share of time with b = 0, 1, ... backorders; what lies beyond is in the last entry
    backorder_pmf: Array
    #: standard errors of the means over replications; None if exact
    standard_error: "Performance | None" = None


def stack(results: Iterable[Performance]) -> Performance:
    """Put exact results of several shops into one, along a first axis.

    The laws of their lines, which differ in length, are left out.
    """
    results = [result._replace(backorder_pmf=np.zeros(0)) for result in results]
    return jax.tree.map(lambda *values: np.stack(values), *results)


def checked(shop: Shop, positive: tuple[str, ...] = POSITIVE) -> Shop:
    """Return `shop` if all its numbers are >= 0 and not too large, and those named > 0."""
    checks.made_by("params", shop, Shop)
    for name, value in shop._asdict().items():
        least = LEAST if name in positive else 0.0
        if type(value) in checks.PLAIN and least <= value <= MOST:
            continue
        if name in positive:
            checks.positive(name, value)
        checks.one_number(name, checks.at_least(name, value, 0.0))
        if not checks.is_traced(value) and not least <= value <= MOST:
            raise ValueError(
                f"{name} must lie between {least:g} and {MOST:g}, got {value:g}"
            )
    return shop


def concrete(shop: Shop, positive: tuple[str, ...] = POSITIVE) -> Shop:
    """Return `shop`, `checked`, as Python numbers, for exact results."""
    if checks.any_traced(*checked(shop, positive)):
        for name, value in shop._asdict().items():
            checks.not_traced(name, value)
    return Shop(*map(float, shop))


def create_costs(
    production: Array, setup: Array, holding: Array, backorder: Array
) -> Costs:
    """Put the four parts together and add them up."""
    return Costs(
        production + setup + holding + backorder, production, setup, holding, backorder
    )


def with_standard_error(performance: Performance, axis: int) -> Performance:
    """Add the standard errors of the means over replications, which are on `axis`.

    The `standard_error` lacks that axis, and is NaN if there is one replication.
    """

    def error(x):
        size = jnp.asarray(x.shape[axis], x.dtype)
        return jnp.std(x, axis=axis, ddof=1) / jnp.sqrt(size)

    return performance._replace(standard_error=jax.tree.map(error, performance))
