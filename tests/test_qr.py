"""(Q, r): exact results against plain sums, the optimum against exhaustive search."""

import jax
import numpy as np
import pytest
import renewal_oracle as oracle
from scipy import stats

from lectures_helpers import demand
from lectures_helpers.classical import base_stock, qr

PARAMS = qr.create_parameters(unit_cost=1.0)  # as the source
KEY = jax.random.key(15)
LONG = qr.Run(num_replications=150, warmup=260)


@pytest.mark.parametrize(
    ("quantity", "point"),
    [(1, 10), (26, 11), (22, 26), (10, -10), (10, -4), (3, 40), (50, 2)],
)
def test_exact_against_plain_sums(quantity, point):
    got = qr.exact(PARAMS, quantity, point)
    expected = oracle.poisson_qr(140.0, 0.125, quantity, point)
    for name in ("fill_rate", "ready_rate", "mean_on_hand", "mean_backorders"):
        np.testing.assert_allclose(
            getattr(got, name), getattr(expected, name), rtol=0, atol=1e-8
        )
    size = min(got.backorder_pmf.size, expected.backorder_pmf.size)
    np.testing.assert_allclose(
        got.backorder_pmf[:size], expected.backorder_pmf[:size], rtol=0, atol=1e-8
    )
    cost = oracle.cost_per_demand(
        expected, 140.0, holding_cost=30, backorder_cost=100, unit_cost=1,
        setup_cost=50, quantity=quantity,
    )  # fmt: skip
    np.testing.assert_allclose(got.costs.total, cost, rtol=1e-8)
    np.testing.assert_allclose(got.annual.total, 140 * cost, rtol=1e-8)


def test_exact_over_random_policies():
    """Averages over the positions one by one, from the Poisson law; most of them below 0 or far up."""
    rng = np.random.default_rng(5)
    for _ in range(40):
        rate, lead_time = rng.uniform(1, 200), rng.uniform(0.01, 3)
        quantity = int(np.exp(rng.uniform(0, 8)))
        point = int(rng.integers(-quantity, 600))
        params = PARAMS._replace(demand_rate=rate, lead_time=lead_time)
        got, m = qr.exact(params, quantity, point), rate * lead_time
        y = np.arange(point + 1, point + quantity + 1)
        short = (m - y) * stats.poisson.sf(y, m) + m * stats.poisson.pmf(y, m)
        close = dict(rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(got.mean_backorders, short.mean(), **close)
        np.testing.assert_allclose(got.mean_on_hand, (y - m + short).mean(), **close)
        np.testing.assert_allclose(
            got.fill_rate, stats.poisson.cdf(y - 1, m).mean(), **close
        )
        np.testing.assert_allclose(
            got.backorder_pmf[0], stats.poisson.cdf(y, m).mean(), **close
        )


def test_lots_of_one_are_base_stock():
    law = demand.create_distribution("gamma", None, 0.4)
    for interarrival in (None, law):
        one = qr.exact(PARAMS, 1, [9, 17], interarrival)
        other = base_stock.exact(PARAMS, [10, 18], interarrival)
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_grid_of_policies():
    grid = qr.exact(PARAMS, [2, 30], [0, 5, 9])
    assert grid.fill_rate.shape == (2, 3)
    one = qr.exact(PARAMS, 30, 5)
    assert one.fill_rate.shape == ()
    np.testing.assert_allclose(grid.costs.total[1, 1], one.costs.total, rtol=1e-14)
    np.testing.assert_allclose(grid.backorder_pmf.sum(-1), 1, atol=1e-10)


# ------------------------------------------------------------------ optimum


def test_published_example():
    """Snyder and Shen (2019), example 5.8, after Federgruen and Zheng (1992).

    h = 20, p = 150, K = 100, λ = 1.5 a month, L = 2: r = 3, Q = 5, cost 107.92 a month.
    """
    params = qr.create_parameters(1.5, 0.0, 100.0, 20.0, 150.0, 2.0)
    quantity, point, cost = qr.optimal_policy(params)
    assert (quantity, point) == (5, 3)
    assert round(1.5 * cost, 2) == 107.92


def test_facts_at_the_demos_parameters():
    quantity, point, cost = qr.optimal_policy(PARAMS)
    assert (quantity, point, round(cost, 4)) == (26, 11, 5.3692)
    assert qr.approximate_policy(PARAMS) == (22, 26)


def _position_costs(params, low, high):
    """g(y), a year, by summation over the Poisson law; none of the package's code."""
    mean = params.demand_rate * params.lead_time
    n = np.arange(int(mean + 20 * np.sqrt(mean) + 60))
    p = stats.poisson.pmf(n, mean)
    net = np.arange(low, high)[:, None] - n
    return (
        params.holding_cost * np.maximum(net, 0)
        + params.backorder_cost * np.maximum(-net, 0)
    ) @ p


def _exhaustive(params, upper, size):
    """Least cost over every Q <= size and every r in -Q..upper, and where."""
    g = _position_costs(params, -size + 1, upper + size + 1)
    sums = np.append(0.0, g.cumsum())
    best = (np.inf, None)
    for Q in range(1, size + 1):
        for r in range(-Q, upper + 1):
            first = r + 1 - (-size + 1)
            yearly = params.setup_cost * params.demand_rate
            cost = (yearly + sums[first + Q] - sums[first]) / Q / params.demand_rate
            if cost < best[0] - 1e-12:
                best = (cost, (Q, r))
    return best


def test_optimal_policy_by_exhaustive_search():
    """Fifty random models; the box holds every policy that could be better.

    A policy costs at least its setups and the cheapest position; and Q positions
    cost at least what the slopes -B and H outside the range of demand make of them.
    The box goes well beyond where that exceeds the cost found: Q to three times the
    Q found, r to three times the mean demand.
    """
    rng = np.random.default_rng(8)
    negative = 0
    for _ in range(50):
        params = qr.create_parameters(
            demand_rate=rng.uniform(0.5, 30),
            unit_cost=rng.uniform(0, 3),
            setup_cost=rng.choice([0.0, rng.uniform(0, 5), rng.uniform(0, 200)]),
            holding_cost=rng.uniform(0.5, 10),
            backorder_cost=rng.choice([rng.uniform(0.2, 3), rng.uniform(3, 80)]),
            lead_time=rng.uniform(0.05, 1.0),
        )
        quantity, point, cost = qr.optimal_policy(params)
        mean = params.demand_rate * params.lead_time
        cheapest, policy = _exhaustive(
            params, int(3 * mean + 20), max(3 * quantity, quantity + 15)
        )
        np.testing.assert_allclose(cost - params.unit_cost, cheapest, rtol=1e-10)
        assert (quantity, point) == policy
        assert point >= -quantity
        negative += point < 0
    assert negative >= 5  # the search must find those too


def test_no_setup_cost_is_base_stock():
    params = PARAMS._replace(setup_cost=0.0)
    quantity, point, cost = qr.optimal_policy(params)
    assert (quantity, point + 1) == (1, base_stock.optimal_level(params))
    np.testing.assert_allclose(
        cost, base_stock.exact(params, point + 1).costs.total, rtol=1e-12
    )


def test_optimum_under_renewal_demand():
    law = demand.create_distribution("uniform", None, 0.2)
    quantity, point, cost = qr.optimal_policy(PARAMS, law)
    box = qr.exact(PARAMS, np.arange(15, 40), np.arange(0, 25), law).costs.total
    best = np.unravel_index(box.argmin(), box.shape)
    assert (quantity, point) == (best[0] + 15, best[1])
    np.testing.assert_allclose(cost, box.min(), rtol=1e-12)


# --------------------------------------------------------------- simulation


@pytest.mark.parametrize("law", [None, demand.create_distribution("gamma", None, 0.4)])
def test_within_four_errors(law):
    quantities, points = np.array([1, 10, 26]), np.array([0, 11, 20])
    got = qr.simulate(
        PARAMS, law, None, quantities, points,
        key=KEY, run=LONG,
    )  # fmt: skip
    expected = qr.exact(PARAMS, quantities, points, law)
    bound = stats.norm.isf(stats.norm.sf(4) / 9)
    for name in ("fill_rate", "ready_rate", "mean_on_hand", "mean_backorders"):
        error = np.asarray(getattr(got.standard_error, name))
        gap = np.asarray(getattr(got, name)).mean(-1) - getattr(expected, name)
        # The runs' lengths are no multiples of Q: with 2000 demands that matters little.
        slack = 26 / 2000 * 0.5 if name != "fill_rate" else 1e-6
        assert (np.abs(gap) < bound * error + slack).all(), name
    for part in ("total", "setup", "holding", "backorder"):
        error = np.asarray(getattr(got.standard_error.costs, part))
        mean = np.asarray(getattr(got.costs, part)).mean(-1)
        gap = np.abs(mean - getattr(expected.costs, part))
        assert (gap < bound * error + 1e-4 * mean + 1e-6).all(), part


def test_negative_reorder_points():
    points = np.array([-10, -5, -1])
    got = qr.simulate(
        PARAMS, None, None, 10, points, key=KEY, run=LONG._replace(warmup=200)
    )
    expected = qr.exact(PARAMS, 10, points)
    assert np.isfinite(np.asarray(got.costs.total)).all()
    gap = np.asarray(got.costs.backorder).mean(-1) - expected.costs.backorder
    bound = stats.norm.isf(stats.norm.sf(4) / 3)
    assert (np.abs(gap) < bound * np.asarray(got.standard_error.costs.backorder)).all()


def test_random_lead_times_break_the_exact_result():
    """Lots are ordered in step with demand: no Palm's theorem for Q > 1."""
    lead = demand.create_distribution("gamma", None, 1.0)
    got = qr.simulate(PARAMS, None, lead, 26, 11, key=KEY, run=LONG)
    exact = qr.exact(PARAMS, 26, 11)
    gap = abs(got.costs.total.mean() - exact.costs.total)
    assert gap > 10 * got.standard_error.costs.total
    one = qr.simulate(PARAMS, None, lead, 1, 20, key=KEY, run=LONG)
    gap = abs(one.costs.total.mean() - qr.exact(PARAMS, 1, 20).costs.total)
    assert gap < 4 * one.standard_error.costs.total


def test_a_random_start_is_the_stationary_one():
    """400 times ten short runs: no bias, and 95 % intervals by Student's t that cover."""
    run = qr.Run(4000, 500, warmup=37)
    got = qr.simulate(PARAMS, None, None, 26, 11, key=KEY, run=run)
    exact = qr.exact(PARAMS, 26, 11)
    for values, truth in (
        (got.costs.total, exact.costs.total),
        (got.fill_rate, exact.fill_rate),
    ):
        tens = np.asarray(values, float).reshape(400, 10)
        error = tens.std(axis=1, ddof=1) / np.sqrt(10)
        covered = np.abs(tens.mean(axis=1) - truth) < stats.t.isf(0.025, 9) * error
        # Of 400, 380 on average; 4 standard deviations of that number are 17.
        assert 0.95 - 17 / 400 <= covered.mean() <= 0.95 + 17 / 400
        mean, error = tens.mean(), tens.std() / np.sqrt(tens.size)
        assert abs(mean - truth) < 4 * error
        assert error < truth / 1000  # the old bias, 0.2 %, would be seen


def test_negative_reorder_points_under_vmap():
    """Traced, they are as good as plain ones; what is too far to see is said to be unknown."""
    run = qr.Run(2, 500, warmup=20)

    def total(r):
        return qr.simulate(PARAMS, None, None, 300, r, key=KEY, run=run).costs.total

    points = np.array([-20, -5, 3])
    together = jax.vmap(total)(points)
    for one, r in zip(together, points, strict=True):
        np.testing.assert_allclose(one, total(int(r)), rtol=1e-4)
    far = np.asarray(jax.vmap(total)(np.array([-290])))
    assert np.isnan(far).any()
    assert np.isfinite(far[~np.isnan(far)]).all()


def test_one_policy_at_a_time_is_the_same():
    quantities, points = [2, 9], [0, 6]
    together = qr.simulate(PARAMS, None, None, quantities, points, key=KEY)
    for i, Q in enumerate(quantities):
        for k, r in enumerate(points):
            alone = qr.simulate(PARAMS, None, None, Q, r, key=KEY)
            assert alone.costs.total.shape == (10,)
            np.testing.assert_allclose(
                alone.costs.total, together.costs.total[i, k], rtol=1e-5
            )
            np.testing.assert_array_equal(alone.fill_rate, together.fill_rate[i, k])


# ---------------------------------------------------------------- bad input


def test_bad_input():
    with pytest.raises(ValueError, match="setup_cost must be >= 0, got -1"):
        qr.create_parameters(setup_cost=-1.0)
    with pytest.raises(ValueError, match="lead_time must be > 0, got 0"):
        qr.create_parameters(lead_time=0.0)
    for quantity, point, message in [
        (0, 5, "quantity must be an integer >= 1, got 0"),
        (2.5, 5, r"quantity must be an integer >= 1, got 2\.5"),
        (5, -6, "reorder_point must be >= -quantity = -5, got -6"),
        ([5, 9], [-6], "reorder_point must be >= -quantity = -5, got -6"),
        (5, 0.5, "reorder_point must be an integer"),
    ]:
        with pytest.raises(ValueError, match=message):
            qr.exact(PARAMS, quantity, point)
        message = message.replace("quantity", "quantities")
        message = message.replace("reorder_point", "reorder_points")
        with pytest.raises(ValueError, match=message):
            qr.simulate(PARAMS, None, None, quantity, point, key=KEY)
    for name in ("holding_cost", "backorder_cost"):
        with pytest.raises(ValueError, match=f"{name} must be > 0, got 0"):
            qr.optimal_policy(PARAMS._replace(**{name: 0.0}))
    assert qr.approximate_policy(PARAMS, "gamma", None) == (22, 26)
    with pytest.raises(ValueError, match="family must be one of"):
        qr.approximate_policy(PARAMS, "no-such-family")
    with pytest.raises(ValueError, match="params must come from create_parameters"):
        qr.optimal_policy(None)


def test_large_lots_take_no_time_and_no_memory():
    params = PARAMS._replace(setup_cost=3e6)
    quantity, point, cost = qr.optimal_policy(params)
    assert quantity > 5000
    near = qr.exact(params, quantity, [point - 1, point, point + 1]).costs.total
    np.testing.assert_allclose(near[1], cost, rtol=1e-12)
    assert near.argmin() == 1
    for Q in (quantity - 1, quantity + 1):
        around = qr.exact(params, Q, np.arange(point - 3, point + 4)).costs.total
        assert around.min() >= cost * (1 - 1e-14)
    for setup_cost in (1e9, 1e12):  # millions of units
        policy = qr.optimal_policy(PARAMS._replace(setup_cost=setup_cost))
        # As for even demand, where a lot is H / (B + H) below zero.
        lot = np.sqrt(2 * setup_cost * 140 * 130 / (30 * 100))
        np.testing.assert_allclose(policy.quantity, lot, rtol=1e-4)
        np.testing.assert_allclose(policy.reorder_point, -lot * 30 / 130, rtol=1e-3)
        np.testing.assert_allclose(
            policy.cost, np.sqrt(2 * setup_cost * 3000 / 130 / 140), rtol=1e-3
        )
    largest = qr.exact(PARAMS, 10**8, 10)
    np.testing.assert_allclose(largest.mean_on_hand, 5e7, rtol=1e-6)
    with pytest.raises(ValueError, match="100 laws of up to 1,000,0"):
        qr.exact(PARAMS, 10**6, np.arange(-(10**6), -(10**6) + 100))
    low = qr.exact(params, 10_000, -10_000)
    assert abs(low.backorder_pmf.sum() - 1) < 1e-9
    b = np.arange(low.backorder_pmf.size)
    np.testing.assert_allclose(low.backorder_pmf @ b, low.mean_backorders, rtol=1e-9)
