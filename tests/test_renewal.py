"""Demand over a lead time, against an independent computation and plain sums."""

import numpy as np
import pytest
import renewal_oracle as oracle

from lectures_helpers import demand
from lectures_helpers.classical import base_stock, renewal

#: What the issue of a wrong digit would cost: exact results are right to this.
EXACT = 1e-8


@pytest.mark.parametrize("case", oracle.CASES, ids=str)
def test_renewal_demand(case):
    family, mean, scv, level, L = case
    scv_given = None if family == "deterministic" else scv
    law = demand.create_distribution(family, float(mean), scv_given)
    params = base_stock.create_parameters(
        demand_rate=7.0, holding_cost=2.0, backorder_cost=3.0, lead_time=float(L)
    )
    got = base_stock.exact(params, level, law)
    size = got.backorder_pmf.size
    expected = oracle.renewal_base_stock(family, mean, scv, level, L, size=min(size, 4))
    tolerance = dict(rtol=0, atol=EXACT)
    np.testing.assert_allclose(got.fill_rate, expected.fill_rate, **tolerance)
    np.testing.assert_allclose(got.ready_rate, expected.ready_rate, **tolerance)
    np.testing.assert_allclose(got.mean_on_hand, expected.mean_on_hand, **tolerance)
    np.testing.assert_allclose(
        got.mean_backorders, expected.mean_backorders, **tolerance
    )
    np.testing.assert_allclose(
        got.backorder_pmf[:4], expected.backorder_pmf[:size], **tolerance
    )
    assert abs(got.backorder_pmf.sum() - 1) < EXACT
    per_demand = 1 + 2 * expected.mean_shelf_time + 3 * expected.mean_wait
    np.testing.assert_allclose(got.costs.total, per_demand, rtol=EXACT)


@pytest.mark.parametrize(("rate", "L"), [(120.0, 1 / 12), (3.0, 0.2), (50.0, 6.0)])
@pytest.mark.parametrize("ahead", [-1.0, 0.0, 1.0])
def test_poisson_demand(rate, L, ahead):
    mean = rate * L
    level = max(0, round(mean + 2 * ahead * np.sqrt(mean)))
    params = base_stock.create_parameters(demand_rate=rate, lead_time=L)
    got = base_stock.exact(params, level)
    expected = oracle.poisson_base_stock(rate, L, level)
    for name in ("fill_rate", "ready_rate", "mean_on_hand", "mean_backorders"):
        np.testing.assert_allclose(
            getattr(got, name), getattr(expected, name), rtol=0, atol=EXACT
        )
    size = min(got.backorder_pmf.size, expected.backorder_pmf.size)
    np.testing.assert_allclose(
        got.backorder_pmf[:size], expected.backorder_pmf[:size], rtol=0, atol=EXACT
    )
    cost = oracle.cost_per_demand(
        expected, rate, holding_cost=180, backorder_cost=300, unit_cost=1
    )
    np.testing.assert_allclose(got.costs.total, cost, rtol=EXACT)


@pytest.mark.parametrize("scv", [0.1, 1.0, 4.0])
def test_grids_agree_with_the_gamma_law(scv):
    """The computation for families without a closed form, on one that has it."""
    law = demand.create_distribution("gamma", 1.0, scv)
    waits, filled = renewal._sums_on_grids(law, 10.0, 40)
    exact_waits, exact_filled = renewal._sums(law, 10.0, 40)
    np.testing.assert_allclose(waits, exact_waits, rtol=0, atol=1e-9)
    np.testing.assert_allclose(filled, exact_filled, rtol=0, atol=1e-9)


def test_exponential_interarrivals_are_poisson_demand():
    params = base_stock.create_parameters()
    levels = np.arange(25)
    poisson = base_stock.exact(params, levels)
    for law in (
        demand.create_distribution("exponential", None),
        demand.create_distribution("gamma", None, 1.0),
        demand.create_distribution("gamma", 1 / 120, 1.0),
    ):
        renewal_demand = base_stock.exact(params, levels, law)
        for a, b in zip(poisson.costs, renewal_demand.costs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(
            poisson.fill_rate, renewal_demand.fill_rate, atol=1e-10
        )


def test_littles_law():
    """λ times the time on the shelf, from the sums seen by customers, is the stock seen by a clock.

    The clock's average is taken from its own law here, by summing the PMF of the count.
    """
    law = demand.create_distribution("lognormal", None, 0.7)
    params = base_stock.create_parameters()
    got = base_stock.exact(params, 9, law)
    b = np.arange(got.backorder_pmf.size)
    np.testing.assert_allclose(
        got.backorder_pmf @ b, got.costs.backorder / 300 * 120, rtol=1e-8
    )
    count = renewal.lead_time_demand(law, 120.0, 1 / 12)
    pmf = -np.diff(np.append(1.0, count.tail))
    on_hand = np.maximum(9 - np.arange(pmf.size), 0) @ pmf
    np.testing.assert_allclose(on_hand, got.costs.holding / 180 * 120, rtol=1e-8)
    assert abs(count.tail.sum() - 10) < 1e-8  # E N = λ L at any time


def test_out_of_reach_is_refused():
    law = demand.create_distribution("normal", 1.0, 1e-11)
    with pytest.raises(
        ValueError, match="interarrival must be more variable than SCV 1e-11"
    ):
        renewal.lead_time_demand(law, 1.0, 10.0)


def test_traced_parameters_are_refused():
    import jax

    def cost(L):
        return base_stock.exact(base_stock.create_parameters(lead_time=L), 11)

    with pytest.raises(ValueError, match="lead_time must be a number"):
        jax.grad(lambda L: cost(L).costs.total)(0.1)
