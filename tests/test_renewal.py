"""Demand over a lead time, against an independent computation and plain sums."""

import jax
import numpy as np
import pytest
import renewal_oracle as oracle
from scipy import integrate, special, stats

from lectures_helpers import demand
from lectures_helpers.classical import base_stock, renewal

#: What the issue of a wrong digit would cost: exact results are right to this.
EXACT = 1e-8


def test_each_family_has_a_case():
    assert {family for family, *_ in oracle.CASES} == set(demand.FAMILIES)


@pytest.mark.parametrize("case", oracle.CASES, ids=str)
def test_renewal_demand(case):
    family, mean, scv, level, L = case
    scv_given = None if family == "deterministic" else scv
    law = demand.create_distribution(family, float(mean), scv_given)
    params = base_stock.create_parameters(
        demand_rate=7.0, unit_cost=1.0, holding_cost=2.0, backorder_cost=3.0,
        lead_time=float(L),
    )  # fmt: skip
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
    params = base_stock.create_parameters(rate, 1.0, lead_time=L)
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


def test_a_unit_that_comes_as_the_customer_does_serves_him():
    """One customer every 1 / rate: the last of a year's comes with it, but for rounding."""
    law = demand.create_distribution("deterministic", None)
    for rate in range(1, 100):  # 49 * (1 / 49) is below 1
        filled = renewal.lead_time_demand(law, rate, 1.0).filled
        np.testing.assert_array_equal(filled, [0] * rate + [1])


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
    tail = renewal.lead_time_demand(law, 120.0, 1 / 12).tail
    pmf = -np.diff(np.append(1.0, tail))
    on_hand = np.maximum(9 - np.arange(pmf.size), 0) @ pmf
    np.testing.assert_allclose(on_hand, got.costs.holding / 180 * 120, rtol=1e-8)
    assert abs(tail.sum() - 10) < 1e-8  # E N = λ L at any time


def test_out_of_reach_is_refused():
    law = demand.create_distribution("normal", 1.0, 1e-11)
    with pytest.raises(
        ValueError, match="interarrival must be more variable than SCV 1e-11"
    ):
        renewal.lead_time_demand(law, 1.0, 10.0)


def test_traced_parameters_are_refused():
    def cost(L):
        return base_stock.exact(base_stock.create_parameters(lead_time=L), 11)

    with pytest.raises(ValueError, match="lead_time must be a number"):
        jax.grad(lambda L: cost(L).costs.total)(0.1)


def _infinite_servers(scv, mean, R, size=60, nodes=200):
    """Customers' and clock's law of the number on order, from first principles.

    The number that customers find is a Markov chain: of those on order, the new one
    included, a binomial number stays until the next customer comes.  Its transitions are
    averaged over the gamma law by Gauss-Laguerre quadrature, and the clock's law follows
    by integration over the time since the last customer.  The mean lead time is 1.
    """
    shape, scale = 1 / scv, scv / mean
    x, w = special.roots_genlaguerre(nodes, shape - 1)
    w = w / w.sum()
    i, j = np.arange(size)[:, None], np.arange(size)
    P = sum(
        weight * stats.binom.pmf(j, i + 1, np.exp(-scale * t))
        for t, weight in zip(x, w, strict=True)
    )
    P[:, -1] += 1 - P.sum(axis=1)
    found = np.linalg.matrix_power(P, 2**12)[0]
    law = stats.gamma(shape, scale=scale)
    clock, _ = integrate.quad_vec(
        lambda t: law.sf(t) * (found @ stats.binom.pmf(j, i + 1, np.exp(-t))), 0, np.inf
    )
    return found, mean * clock


@pytest.mark.parametrize(("scv", "mean"), [(0.5, 4.0), (1.0, 6.0), (2.0, 5.0)])
def test_exponential_lead_times(scv, mean):
    R = 6
    params = base_stock.create_parameters(demand_rate=10 * mean, lead_time=0.1)
    got = renewal.exponential_lead_times(params, R, scv)
    found, clock = _infinite_servers(scv, mean, R)
    tolerance = dict(rtol=0, atol=EXACT)
    np.testing.assert_allclose(got.fill_rate, found[:R].sum(), **tolerance)
    np.testing.assert_allclose(got.ready_rate, clock[:R].sum(), **tolerance)
    np.testing.assert_allclose(got.backorder_pmf[0], clock[: R + 1].sum(), **tolerance)
    net = R - np.arange(clock.size)
    np.testing.assert_allclose(
        got.mean_on_hand, np.maximum(net, 0) @ clock, **tolerance
    )
    np.testing.assert_allclose(
        got.mean_backorders, np.maximum(-net, 0) @ clock, **tolerance
    )
    if scv == 1.0:  # Palm's theorem
        palm = base_stock.exact(params, R).costs
        np.testing.assert_allclose(got.costs, palm, rtol=1e-12)


def test_exponential_lead_times_out_of_reach():
    params = base_stock.create_parameters()
    with pytest.raises(ValueError, match="level must be an integer >= 0, got -1"):
        renewal.exponential_lead_times(params, -1, 1.0)
    with pytest.raises(ValueError, match="scv must be > 0 and <= 1000, got 0"):
        renewal.exponential_lead_times(params, 3, 0.0)
    with pytest.raises(ValueError, match=r"level must be lower than 3, or lead_time"):
        renewal.exponential_lead_times(params._replace(lead_time=10.0), 3, 1.0)


@pytest.mark.parametrize(
    ("rate", "lead_time", "message"),
    [
        (0.0, 0.1, "demand_rate must be > 0, got 0"),
        (1.0, -0.1, "lead_time must be > 0, got -0.1"),
        ("3", 0.1, "demand_rate must be a number, got '3'"),
        (1.0, [0.1, 0.2], "lead_time must be one number here, got shape"),
    ],
)
def test_rates_and_lead_times_without_sense(rate, lead_time, message):
    with pytest.raises(ValueError, match=message):
        renewal.lead_time_demand(None, rate, lead_time)


def test_scvs_without_sense():
    shop = base_stock.create_parameters()
    with pytest.raises(
        ValueError, match=r"scv must be one number here, got shape \(2,\)"
    ):
        renewal.exponential_lead_times(shop, 3, [1.0, 2.0])
