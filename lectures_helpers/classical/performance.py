"""What a stock costs and how well it serves: the results that the classical models share."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Costs(NamedTuple):
    """Costs and their parts, per satisfied demand or per year."""

    total: jax.Array  #: sum of the four parts
    production: jax.Array  #: buying or making the units
    setup: jax.Array  #: placing orders, or setting up for lots
    holding: jax.Array  #: stock on hand
    backorder: jax.Array  #: customers who wait


class Performance(NamedTuple):
    """Performance of an inventory policy, exact or simulated.

    Exact results are NumPy arrays of the policies' shape, in 64 bits; simulated
    ones are JAX arrays with one more axis at the end, the replications.  The
    PMF has one more axis after that.
    """

    costs: Costs  #: money per satisfied demand
    annual: Costs  #: money per year
    fill_rate: jax.Array  #: share of demands that are filled at once
    ready_rate: jax.Array  #: share of time with stock on hand
    mean_on_hand: jax.Array  #: time average of the stock on hand, units
    mean_backorders: jax.Array  #: time average of the demands that wait, units
    backorder_pmf: jax.Array  #: share of time with b = 0, 1, ... backorders; what lies beyond is in the last entry
    standard_error: "Performance | None" = (
        None  #: standard errors of the means over replications; None if exact
    )
    num_demands: "jax.Array | None" = (
        None  #: demands that count in each replication; None if exact
    )


def create_costs(production, setup, holding, backorder) -> Costs:
    """Put the four parts together and add them up."""
    return Costs(
        production + setup + holding + backorder, production, setup, holding, backorder
    )


def with_standard_error(performance: Performance, axis: int = -1) -> Performance:
    """Add the standard errors of the means over replications.

    Args:
        performance: simulated; every array but the PMF has its replications on `axis`.
        axis: where they are, counted from the end (the PMF has them one place earlier).

    Returns:
        The same performance; its `standard_error` lacks that axis, and is NaN if
        there is one replication.
    """

    def error(x, axis):
        return jnp.std(x, axis=axis, ddof=1) / jnp.sqrt(
            jnp.asarray(x.shape[axis], x.dtype)
        )

    pmf = performance.backorder_pmf
    rest = performance._replace(backorder_pmf=None, num_demands=None)
    errors = jax.tree.map(lambda x: error(x, axis), rest)
    errors = errors._replace(backorder_pmf=error(pmf, axis - 1))
    return performance._replace(standard_error=errors)
