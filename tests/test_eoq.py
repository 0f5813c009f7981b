"""EOQ: formulas against brute force, simulation against exact finite runs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectures_helpers import demand
from lectures_helpers.classical import eoq

KEY = jax.random.key(6)


def test_published_example():
    """Snyder and Shen (2019), example 3.1: K = 8, h = 0.225, λ = 1300 gives 304.05 and 68.41."""
    params = eoq.create_parameters(1300.0, 0.0, 8.0, 0.225)
    Q = eoq.optimal_quantity(params)
    assert round(Q, 2) == 304.05
    assert (eoq.cost(params, Q).total * 1300).round(2) == 68.41


positive = st.floats(0.01, 1e4)


@given(D=positive, A=positive, H=positive, factor=st.floats(0.1, 10.0))
def test_formula_is_the_minimum(D, A, H, factor):
    params = eoq.create_parameters(D, 0.0, A, H)
    best = eoq.optimal_quantity(params)
    Q = max(best * factor, 1.0)
    if best >= 1:
        ratio = eoq.cost(params, Q).total / eoq.cost(params, best).total
        np.testing.assert_allclose(ratio, (Q / best + best / Q) / 2, rtol=1e-12)


@given(D=st.floats(1, 1e3), A=st.floats(0, 100), H=st.floats(0.1, 1e3))
def test_integer_optimum_is_the_minimum(D, A, H):
    params = eoq.create_parameters(D, 1.0, A, H)
    best = eoq.optimal_unit_quantity(params)
    Q = np.arange(1, 2 * best + 10)
    costs = eoq.unit_demand_cost(params, Q).total
    assert costs[best - 1] <= costs.min() * (1 + 1e-14)


def test_unit_demand_by_brute_force():
    """Sell unit by unit at a steady rate; add up every unit's time on the shelf."""
    params = eoq.create_parameters(50.0, 1.0, 90.0, 7.0)
    for Q in (1, 2, 9, 40):
        held = np.arange(1, Q + 1) / 50
        cost = 1 + 90 / Q + 7 * held.mean()
        exact = eoq.unit_demand_cost(params, Q).total
        np.testing.assert_allclose(exact, cost, rtol=1e-13)
        n = 3 * Q + Q // 2
        held = np.array([(j % Q + 1) / 50 for j in range(n)])
        cost = 1 + 90 / Q + 7 * held.mean()
        finite = eoq.unit_demand_cost(params, Q, num_demands=n).total
        np.testing.assert_allclose(finite, cost, rtol=1e-13)


def test_deterministic_simulation_is_exact():
    params = eoq.create_parameters(unit_cost=1.0)
    law = demand.create_distribution("deterministic", None)
    quantities = np.array([30, 169, 250])
    got = eoq.simulate(params, law, quantities, key=KEY, run=eoq.Run(4))
    assert got.costs.total.shape == (3, 4)
    np.testing.assert_array_equal(got.fill_rate, 1)
    np.testing.assert_allclose(got.ready_rate, 1, atol=1e-5)
    np.testing.assert_array_equal(got.mean_backorders, 0)
    np.testing.assert_array_equal(got.backorder_pmf, 1)
    fixed = eoq.simulate(params, law, quantities, key=KEY, run=eoq.Run(2, 2345))
    expected = eoq.unit_demand_cost(params, quantities, num_demands=2345)
    for name in ("total", "production", "setup", "holding"):
        np.testing.assert_allclose(
            getattr(fixed.costs, name),
            np.repeat(getattr(expected, name)[:, None], 2, axis=1),
            rtol=1e-4,  # dates are sums of 2345 numbers in 32 bits
        )
    np.testing.assert_allclose(fixed.annual.total, 1000 * fixed.costs.total, rtol=1e-4)


@pytest.mark.parametrize("scv", [0.1, 2.0])
def test_only_the_mean_of_the_interarrival_times_matters(scv):
    params = eoq.create_parameters(unit_cost=1.0)
    law = demand.create_distribution("gamma", None, scv)
    n = 2100
    got = eoq.simulate(params, law, 169, key=KEY, run=eoq.Run(100, n))
    expected = eoq.unit_demand_cost(params, 169, num_demands=n)
    error = got.standard_error.costs.total
    assert abs(got.costs.total.mean() - expected.total) < 4 * error


def test_sweep_over_scv_is_one_call_and_equals_the_loop():
    params = eoq.create_parameters(unit_cost=1.0)
    scvs = jnp.array([0.5, 1.5])

    def total(scv):
        law = demand.create_distribution("gamma", None, scv)
        return eoq.simulate(params, law, 169, key=KEY, run=eoq.Run(2, 500)).costs.total

    together = jax.vmap(total)(scvs)
    for row, scv in zip(together, scvs, strict=True):
        np.testing.assert_allclose(row, total(float(scv)), rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(demand_rate=0.0), "demand_rate must be > 0, got 0"),
        (dict(demand_rate=float("nan")), "demand_rate must be finite, got nan"),
        (dict(setup_cost=-1.0), "setup_cost must be >= 0, got -1"),
        (dict(holding_cost=float("inf")), "holding_cost must be finite, got inf"),
        (dict(unit_cost=-2.0), "unit_cost must be >= 0, got -2"),
        (dict(unit_cost=[1.0, 2.0]), "unit_cost must be one number"),
        (dict(setup_cost="500"), "setup_cost must be a number, got '500'"),
    ],
)
def test_bad_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        eoq.create_parameters(**arguments)


def test_without_a_setup_cost_a_lot_is_one_unit():
    params = eoq.create_parameters(setup_cost=0.0)
    assert eoq.optimal_unit_quantity(params) == 1
    with pytest.raises(ValueError, match="setup_cost must be > 0, got 0"):
        eoq.optimal_quantity(params)


def test_bad_input():
    params = eoq.create_parameters()
    with pytest.raises(ValueError, match="holding_cost must be > 0, got 0"):
        eoq.optimal_quantity(eoq.create_parameters(holding_cost=0.0))
    with pytest.raises(ValueError, match=r"quantity must be >= 1, got 0\.5"):
        eoq.unit_demand_cost(params, 0.5)
    with pytest.raises(ValueError, match="quantity must be > 0, got 0"):
        eoq.cost(params, 0.0)
    for function in (eoq.cost, eoq.unit_demand_cost):
        with pytest.raises(ValueError, match="quantity must be <= 100000000"):
            function(params, 1e300)
    with pytest.raises(
        ValueError, match="quantity, num_demands must have shapes that broadcast"
    ):
        eoq.unit_demand_cost(params, [1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="holding_cost must be larger than 1e-300"):
        eoq.optimal_unit_quantity(params._replace(holding_cost=1e-300))
    with pytest.raises(ValueError, match="quantity must be an integer for unit demand"):
        eoq.unit_demand_cost(params, 1.5)
    with pytest.raises(ValueError, match=r"num_demands must be an integer .* got 5\.5"):
        eoq.unit_demand_cost(params, 10, 5.5)
    with pytest.raises(ValueError, match="params must come from create_parameters"):
        eoq.cost((1000.0, 1.0), 10)
    for bad, message in [
        (0, "quantities must be an integer >= 1, got 0"),
        (2.5, r"quantities must be an integer >= 1, got 2\.5"),
        ([[1]], "quantities must be an integer or a vector"),
        ([], "quantities must be an integer or a vector"),
        (10**9, "quantities must be <= 100000000"),
    ]:
        with pytest.raises(ValueError, match=message):
            eoq.simulate(params, None, bad, key=KEY)
    for arguments, message in [
        (dict(num_replications=0), "num_replications must be an integer >= 1, got 0"),
        (dict(num_demands=0), "num_demands must be an integer >= 1, got 0"),
        (dict(num_demands=[5, 0]), "num_demands must be an integer >= 1, got 0"),
        (
            dict(num_demands=[5, 6]),
            r"num_demands .* shape .* = \(10,\), got shape \(2,",
        ),
        (dict(warmup=-1), "warmup must be an integer >= 0, got -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            eoq.simulate(params, None, 10, key=KEY, run=eoq.Run(**arguments))
    with pytest.raises(ValueError, match="key must be a typed key"):
        eoq.simulate(params, None, 10, key=0)
    with pytest.raises(ValueError, match="interarrival must come from demand"):
        eoq.simulate(params, "gamma", 10, key=KEY)
