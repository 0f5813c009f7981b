"""The newsvendor: exact results by quadrature and brute force, simulation by exact results."""

import math
import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from law_oracle import expectation
from scipy import optimize, stats

from lectures_helpers import demand
from lectures_helpers.classical import newsvendor as nv

MEAN = 225.0
DEMO = nv.create_parameters()
MODELS = [DEMO, nv.create_parameters(5.0, 6.0, 2.0), nv.create_parameters(3, 30, -4.0)]
LAWS = [("deterministic", 0.0), ("exponential", 1.0)] + [
    (family, scv)
    for family in ("uniform", "triangular", "gamma", "lognormal", "normal")
    for scv in (1e-4, 0.1, 0.8, 4.0)
]
laws = pytest.mark.parametrize(("family", "scv"), LAWS)
# Compiles in a fraction of the gamma's time, whose draws are tested in test_demand.py.
QUICK = demand.create_distribution("lognormal", MEAN, 0.8)
KEY = partial(jax.random.key, 11)  # a new key object at each call: none is used twice


def law(family="gamma", scv=(250 / 225) ** 2, mean=MEAN):
    return demand.create_distribution(family, mean, scv)


def refuses(message):
    """Expect a ValueError that says this."""
    return pytest.raises(ValueError, match="^" + re.escape(message))


def season(params, q, d):
    """Profit of one season, from the story: buy, sell, salvage."""
    c, p, v = params
    sold = min(q, d)
    return p * sold + v * (q - sold) - c * q


# ------------------------------------------------------------------ exact, by quadrature


@pytest.mark.parametrize("params", MODELS, ids=str)
@laws
def test_moments_and_loss_by_quadrature(params, family, scv):
    dist, (c, p, v) = law(family, scv), params
    quantities = [0.0, 1.0, 100.0, 225.0, 300.0, 900.0]
    for q in quantities:
        kinks = [q, (c - v) / (p - v) * q]
        mean = partial(expectation, family, MEAN, scv, kinks=kinks)
        first = mean(lambda d, q=q: season(params, q, d))
        # 1e-8 of the money that changes hands; profit itself may be near zero.
        scale = 1e-8 * p * max(min(q, MEAN), 1.0)
        assert abs(nv.expected_profit(params, dist, q) - first) < scale
        loss = mean(lambda d, q=q: float(season(params, q, d) < 0))
        assert nv.loss_probability(params, dist, q) == pytest.approx(
            loss, rel=1e-8, abs=1e-13
        )
        variance = mean(lambda d, q=q, m=first: (season(params, q, d) - m) ** 2)
        error = 1e-7 * (p - v) * MEAN  # the docstring's promise
        assert abs(nv.std_profit(params, dist, q) - math.sqrt(variance)) < error
    together = nv.expected_profit(params, dist, np.array(quantities))
    alone = [nv.expected_profit(params, dist, q) for q in quantities]
    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("params", MODELS, ids=str)
@laws
def test_optimal_quantity_by_brute_force(params, family, scv):
    """No quantity does better, among those that a search over quadrature finds."""
    best = nv.optimal_quantity(params, law(family, scv))

    def cost(q):
        return -expectation(family, MEAN, scv, lambda d: season(params, q, d), [q])

    width = MEAN * (0.01 + math.sqrt(scv))
    bounds = (max(best - width, 0.0), best + width)
    found = optimize.minimize_scalar(
        cost, bounds=bounds, method="bounded", options={"xatol": 1e-5 * width}
    )
    size = params.price * MEAN
    assert cost(best) <= found.fun + 1e-10 * size
    # Profit falls on both sides, so that no other quantity is as good: second differences of
    # this step are far above the quadrature's error.
    step = 0.02 * width
    assert cost(best + step) > cost(best)
    if best > step:
        assert cost(best - step) > cost(best)


@laws
def test_law_of_profit(family, scv):
    dist, q = law(family, scv), 300.0
    x = np.array([-2400.0, -1000.0, -1.0, 0.0, 1500.0, 2999.0])
    for params in MODELS:
        c, p, v = params
        scaled = np.sort(np.append(x, [-(c - v) * q - 1, (p - c) * q]))
        oracle = [
            expectation(
                family, MEAN, scv,
                lambda d, at=at, m=params: float(season(m, q, d) <= at),
                [q, (at + (c - v) * q) / (p - v)],
            )
            for at in scaled
        ]  # fmt: skip
        ours = nv.profit_cdf(params, dist, q, scaled)
        # Where x is a round number a break-even by rounding may go either way: none is here.
        np.testing.assert_allclose(ours, oracle, rtol=1e-8, atol=1e-13)
        assert nv.profit_cdf(params, dist, q, (p - c) * q) == 1

        prob = np.array([0.001, 0.25, 0.5, 0.75, 0.999])
        at = nv.profit_quantile(params, dist, q, prob)
        assert (nv.profit_cdf(params, dist, q, at + 1e-6) >= prob).all()
        assert (nv.profit_cdf(params, dist, q, at - 1e-6) <= prob).all()


def test_no_rounding_of_prices_misses_the_atom():
    """P(profit <= the quantile of u) >= u, for 20,000 models with prices in cents."""
    rng = np.random.default_rng(2)
    n = 20_000
    v, c, p = np.sort(rng.choice(4000, (n, 3)), axis=1).T / 100 + [[-10], [0], [0]]
    c = np.maximum(c, v + 0.01)
    params = nv.create_parameters(c, np.maximum(p, c + 0.01), v)
    q = np.where(rng.random(n) < 0.5, rng.integers(0, 500, n), 500 * rng.random(n))
    u = np.where(rng.random(n) < 0.3, 1.0, rng.random(n))
    for family, scv in (("gamma", 0.8), ("uniform", 0.8), ("deterministic", None)):
        dist = demand.create_distribution(family, MEAN, scv)
        at = nv.profit_quantile(params, dist, q, u)
        assert (nv.profit_cdf(params, dist, q, at) >= u - 1e-12).all()
        # The largest profit, however it is written.
        for most in ((params.price - c) * q, params.price * q - c * q):
            assert (nv.profit_cdf(params, dist, q, most) == 1).all()
            cent = np.where(q > 0, 0.01 * np.minimum(q, 1), 0.01)
            below = nv.profit_cdf(params, dist, q, most - cent)
            short = demand.cdf(dist, q - cent / (params.price - v))
            np.testing.assert_allclose(below, short, atol=1e-9)


def test_published_christmas_lights():
    """Hopp and Spearman (2011), section 2.4.1: lamps cost 1, sell for 2, and for half after.

    Demand is exponential with mean 1000: 1,099 sets; 693 if those left over are worthless.
    """
    dist = demand.create_distribution("exponential", 1000.0)
    halved = nv.create_parameters(1.0, 2.0, 0.5)
    assert nv.critical_ratio(halved) == pytest.approx(2 / 3)
    assert round(nv.optimal_quantity(halved, dist)) == 1099
    assert round(nv.optimal_quantity(nv.create_parameters(1.0, 2.0), dist)) == 693


def test_normal_demand_by_the_table():
    """Parkas bought at 10 and sold at 22, normal demand of mean 2100 and std 1200, 3000 bought.

    By hand, with the table of the normal loss function: z = 0.75, L(z) = 0.1312, so that
    157.4 sales are lost, 1942.6 made, 1057.4 parkas left: 12 x 1942.6 - 10 x 1057.4 = 12,737.
    The table knows no truncation, which adds L(1.75) = 0.0162 standard deviations of demand.
    """
    params = nv.create_parameters(10.0, 22.0)
    dist = demand.create_distribution("normal", 2100.0, (1200 / 2100) ** 2)
    by_hand = 12 * 1942.6 - 10 * 1057.4 + 22 * 0.0162 * 1200
    # Half a unit in the table's last digit, twice.
    table = 22 * 1200 * 2 * 0.00005
    assert abs(nv.expected_profit(params, dist, 3000.0) - by_hand) < table + 1
    # z(12/22) lies between 0.11 and 0.12 of the normal table.
    assert 0.11 < (nv.optimal_quantity(params, dist) - 2100) / 1200 < 0.12


def test_by_hand():
    """Demand uniform on [0, 2], c = 1, p = 4, v = 0."""
    params, dist = nv.create_parameters(1.0, 4.0), law("uniform", 1 / 3, 1.0)
    assert nv.critical_ratio(params) == 3 / 4
    assert nv.optimal_quantity(params, dist) == pytest.approx(1.5, rel=1e-14)
    assert nv.expected_profit(params, dist, 1.5) == pytest.approx(9 / 4, rel=1e-13)
    assert nv.loss_probability(params, dist, 1.5) == pytest.approx(3 / 16, rel=1e-13)
    assert nv.std_profit(params, dist, 2.0) == pytest.approx(
        4 / math.sqrt(3), rel=1e-12
    )


def test_what_cannot_be_lost_and_what_must_be():
    """Atoms: a season that breaks even is no loss; nor is one without an order."""
    certain = law("deterministic", None)
    # 8 x 506.25 = 18 x 225, without rounding
    quantities = np.array([0.0, 506.0, 506.25, 506.5])
    np.testing.assert_array_equal(
        nv.loss_probability(DEMO, certain, quantities), [0, 0, 0, 1]
    )
    np.testing.assert_array_equal(
        nv.simulate(DEMO, certain, quantities, key=KEY(), num_samples=10)[1],
        [0, 0, 0, 1],
    )
    assert nv.expected_profit(DEMO, certain, 506.25) == 0
    assert nv.optimal_quantity(DEMO, certain) == MEAN
    assert nv.std_profit(DEMO, certain, 300.0) == 0

    wide = law("normal", 4.0)
    at_zero = demand.prob_zero(wide)
    assert at_zero > 0.3
    np.testing.assert_allclose(
        nv.loss_probability(DEMO, wide, [0.0, 1e-9]), [0.0, at_zero], rtol=1e-9
    )
    # So much mass at zero that nothing should be bought.
    poor = nv.create_parameters(14.0, 18.0)
    assert nv.critical_ratio(poor) < at_zero
    assert nv.optimal_quantity(poor, wide) == 0
    assert nv.expected_profit(poor, wide, 1.0) < 0


def test_arrays_broadcast():
    costs = nv.create_parameters(np.array([[2.0], [8.0]]), 18.0, 0.0)
    dist = law("gamma", np.array([0.1, 0.5, 2.0]))
    best = nv.optimal_quantity(costs, dist)
    assert best.shape == (2, 3)
    for exact in (nv.expected_profit, nv.std_profit, nv.loss_probability):
        table = exact(costs, dist, best)
        assert table.shape == (2, 3)
        one = exact(nv.create_parameters(8.0), law("gamma", 2.0), best[1, 2])
        assert table[1, 2] == pytest.approx(one, rel=1e-12)
        assert np.ndim(one) == 0
    assert nv.profit_cdf(costs, dist, best, 0.0).shape == (2, 3)
    assert nv.profit_quantile(costs, dist, best, 0.5).shape == (2, 3)
    certain = demand.create_distribution("deterministic", np.array([100.0, 225.0]))
    np.testing.assert_array_equal(nv.loss_probability(DEMO, certain, 400.0), [1, 0])


# ------------------------------------------------------------------------ properties


@st.composite
def models(draw):
    salvage = draw(st.floats(-10, 10))
    overage, underage = draw(st.floats(0.1, 20)), draw(st.floats(0.1, 20))
    cost = max(salvage + overage, 0.0)
    return nv.create_parameters(cost, cost + underage, salvage)


@st.composite
def any_law(draw):
    family = draw(st.sampled_from(list(demand.FAMILIES)))
    scv = None if family in demand.FIXED_SCV else draw(st.floats(1e-3, 5.0))
    return law(family, scv)


@given(models(), any_law(), st.floats(0, 5))
def test_no_quantity_beats_the_optimum(params, dist, multiple):
    best = nv.optimal_quantity(params, dist)
    most = nv.expected_profit(params, dist, best)
    other = nv.expected_profit(params, dist, multiple * MEAN)
    assert other <= most + 1e-10 * params.price * MEAN
    assert most >= -1e-10 * params.price * MEAN  # buying nothing earns nothing


@given(models(), any_law(), st.floats(0, 5), st.floats(0, 5))
def test_expected_profit_is_concave(params, dist, a, b):
    left, middle, right = nv.expected_profit(
        params, dist, MEAN * np.array([a, (a + b) / 2, b])
    )
    assert middle >= (left + right) / 2 - 1e-10 * params.price * MEAN


@given(models(), any_law(), st.floats(0, 5), st.floats(0, 5))
def test_a_larger_order_loses_more_often(params, dist, a, b):
    low, high = nv.loss_probability(params, dist, MEAN * np.sort([a, b]))
    assert 0 <= low <= high <= 1


@given(models(), any_law())
def test_loss_at_the_optimum_stays_below_the_critical_ratio(params, dist):
    """One loses only if demand is below (c - v)/(p - v) Q*, and so below Q*."""
    best = nv.optimal_quantity(params, dist)
    loss = nv.loss_probability(params, dist, best)
    assert loss <= nv.critical_ratio(params) + 1e-12


# ------------------------------------------------------------------------- simulation


def test_kernel_is_the_story():
    quantity, d = np.array([0.0, 10.0, 10.0, 10.0]), np.array([5.0, 4.0, 10.0, 15.0])
    for params in MODELS:
        ours = nv.profit(params, jnp.asarray(quantity), jnp.asarray(d))
        story = [season(params, *pair) for pair in zip(quantity, d, strict=True)]
        np.testing.assert_allclose(ours, story, rtol=1e-6)


@pytest.mark.parametrize("params", MODELS[:2], ids=str)
@pytest.mark.parametrize(
    ("family", "scv"), [(family, scv) for family, scv in LAWS[1:] if scv != 0.1]
)
def test_simulation_is_within_four_standard_errors(params, family, scv):
    dist, num_samples = law(family, scv), 20_000
    spread = MEAN * math.sqrt(scv)
    q = np.maximum([100.0, 0.5 * MEAN, MEAN - spread, MEAN, MEAN + spread, 500.0], 1.0)
    result = nv.simulate(params, dist, q, key=KEY(), num_samples=num_samples)
    std = nv.std_profit(params, dist, q)
    loss = nv.loss_probability(params, dist, q)
    # Beside the standard error, rounding in 32 bits.
    rounding = 1e-6 * params.price * q
    error = np.abs(result.expected_profit - nv.expected_profit(params, dist, q))
    assert (error <= 4 * std / math.sqrt(num_samples) + rounding).all()
    error = np.abs(result.loss_probability - loss)
    assert (error <= 4 * np.sqrt(loss * (1 - loss) / num_samples) + 1e-7).all()
    # Two losses and two others are added: a hundredth where there are hundreds of each.
    plain = np.sqrt(loss * (1 - loss) / num_samples)
    many = np.minimum(loss, 1 - loss) * num_samples > 400
    np.testing.assert_allclose(result.loss_standard_error[many], plain[many], rtol=0.2)
    assert (result.loss_standard_error > 0).all()


def test_rare_losses_are_within_their_intervals():
    """Coverage of ±1.96 standard errors, exact, whatever the number of losses expected."""
    num_samples = 500
    losses = np.arange(num_samples + 1)
    # The kernel's own arithmetic, for every number of losses that there may be.
    share = (losses + 2) / (num_samples + 4)
    error = np.sqrt(share * (1 - share) / num_samples)
    law = demand.create_distribution("gamma", MEAN, 4.0)
    run = nv.simulate(DEMO, law, 9.0, key=KEY(), num_samples=500, keep_samples=True)
    seen = int((run.samples < 0).sum())
    np.testing.assert_allclose(run.loss_standard_error, error[seen], rtol=1e-5)
    for expected in (0.01, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 6.0, 10.0, 30.0, 250.0):
        probability = expected / num_samples
        inside = np.abs(losses / num_samples - probability) <= 1.96 * error
        chance = stats.binom.pmf(losses, num_samples, probability)
        assert chance[inside].sum() >= 0.93


def test_error_bound_solves_the_inequality_of_bernstein():
    quantities, n = np.array([1.0, 50.0, 400.0]), 1000
    for params in MODELS:
        bound = nv.error_bound(params, law(), quantities, n)
        t = bound - 2e-6 * (params.price + abs(params.salvage)) * quantities
        variance = nv.std_profit(params, law(), quantities) ** 2
        most = (params.price - params.salvage) * quantities
        risk = 2 * np.exp(-n * t**2 / (2 * variance + 2 * most * t / 3))
        np.testing.assert_allclose(risk, nv.RISK / 3, rtol=1e-9)


def test_error_bound_holds_where_all_hangs_on_a_rare_season():
    """A band of four standard errors fails in a run of ten there."""
    n, q = 100, demand.quantile(QUICK, 1e-3)
    exact = nv.expected_profit(DEMO, QUICK, q)
    keys = jax.random.split(KEY(), 500)
    runs = jax.vmap(lambda k: nv.simulate(DEMO, QUICK, q, key=k, num_samples=n))(keys)
    gap = np.abs(np.asarray(runs.expected_profit, dtype=float) - exact)
    assert (gap <= nv.error_bound(DEMO, QUICK, q, n)).all()
    assert (gap > 4 * nv.std_profit(DEMO, QUICK, q) / math.sqrt(n)).sum() > 5


def test_results_are_those_of_the_samples():
    quantities = jnp.array([1.0, 100.0, 170.0, 450.0])
    result = nv.simulate(DEMO, QUICK, quantities, key=KEY(), keep_samples=True)
    x = np.asarray(result.samples, dtype=float)
    assert x.shape == (4, 50_000)
    rounding = 1e-6 * 18 * 450  # of the largest revenue, in 32 bits
    np.testing.assert_allclose(
        result.expected_profit, x.mean(axis=1), rtol=0, atol=rounding
    )
    np.testing.assert_allclose(
        result.standard_error, x.std(axis=1, ddof=1) / math.sqrt(50_000), rtol=1e-5
    )
    np.testing.assert_allclose(result.loss_probability, (x < 0).mean(axis=1), rtol=1e-6)
    without = nv.simulate(DEMO, QUICK, quantities, key=KEY())
    assert without.samples is None
    assert nv.simulate(DEMO, QUICK, [1, 2], key=KEY(), num_samples=9)[0].shape == (2,)
    np.testing.assert_allclose(
        without.expected_profit, result.expected_profit, rtol=0, atol=rounding
    )


def test_common_random_numbers():
    """Every quantity meets the same demands, column by column; so do calls with one key."""
    quantities = jnp.array([1e5, 100.0, 170.0])  # the first sells all demand
    result = nv.simulate(
        DEMO, QUICK, quantities, key=KEY(), num_samples=1000, keep_samples=True
    )
    samples = np.asarray(result.samples, dtype=float)
    # In 32 bits the first row, around -800,000, knows demand to some 1/16 of money.
    demands = (samples[0] + 8e5) / 18
    for row, q in zip(samples[1:], (100.0, 170.0), strict=True):
        expected = 18 * np.minimum(demands, q) - 8 * q
        np.testing.assert_allclose(row, expected, atol=0.1)
    alone = nv.simulate(DEMO, QUICK, 170.0, key=KEY(), num_samples=1000)
    np.testing.assert_allclose(
        alone.expected_profit, result.expected_profit[2], rtol=1e-6
    )
    assert alone.expected_profit.shape == ()
    other = nv.simulate(DEMO, QUICK, 170.0, key=jax.random.key(12), num_samples=1000)
    assert other.expected_profit != alone.expected_profit


def test_the_simulated_curve_is_concave():
    """As each season's profit is concave in Q, so is their mean, but for rounding."""
    result = nv.simulate(DEMO, QUICK, np.arange(1, 451), key=KEY(), num_samples=2000)
    second = np.diff(np.asarray(result.expected_profit, dtype=float), 2)
    assert second.max() < 1e-3


def test_sweeps_are_vectorised():
    scvs, means = jnp.array([1e-4, 0.8, 4.0]), jnp.array([200.0, 225.0, 300.0])
    quantities = jnp.array([100.0, 200.0])

    def run(mean, scv):
        dist = demand.create_distribution("lognormal", mean, scv)
        return nv.simulate(DEMO, dist, quantities, key=KEY(), num_samples=2000)

    together = jax.vmap(run)(means, scvs)
    for i, (mean, scv) in enumerate(zip(means, scvs, strict=True)):
        one = run(mean, scv)
        np.testing.assert_allclose(
            together.expected_profit[i], one.expected_profit, rtol=1e-5, atol=0.01
        )
        np.testing.assert_allclose(
            together.loss_probability[i], one.loss_probability, atol=1e-3
        )

    costs = jnp.array([2.0, 8.0])
    by_cost = jax.vmap(
        lambda c: (
            nv.simulate(
                nv.create_parameters(c), QUICK, 170.0, key=KEY(), num_samples=2000
            ).expected_profit
        )
    )(costs)
    one = nv.simulate(DEMO, QUICK, 170.0, key=KEY(), num_samples=2000)
    np.testing.assert_allclose(by_cost[1], one.expected_profit, rtol=1e-5)
    np.testing.assert_allclose(by_cost[0] - by_cost[1], 6 * 170.0, rtol=1e-4)


def test_gradient_is_the_marginal_argument():
    """d profit / dQ is (p - c) if the unit is sold and -(c - v) if not."""
    num_samples = 2000

    def simulated(q):
        return nv.simulate(
            DEMO, QUICK, q, key=KEY(), num_samples=num_samples, keep_samples=True
        )

    gradient = jax.grad(lambda q: simulated(q).expected_profit)(170.0)
    sold_out = (simulated(170.0).samples == 1700.0).mean()
    np.testing.assert_allclose(gradient, 18 * sold_out - 8, rtol=1e-4)


def test_one_compilation_serves_every_number():
    for q, c in ((100, 8.0), (170.5, 7)):
        nv.simulate(nv.create_parameters(c), QUICK, q, key=KEY(), num_samples=123)
    before = nv.simulate_seasons._cache_size()
    nv.simulate(
        nv.create_parameters(np.float64(3)),
        law("lognormal", np.float32(0.3), 100),
        np.float64(7),
        key=KEY(),
        num_samples=123,
    )
    assert nv.simulate_seasons._cache_size() == before


# -------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"salvage": 18.0},
            "salvage must be < price, got salvage = 18.0 and price = 18",
        ),
        (
            {"salvage": 20.0},
            "salvage must be < price, got salvage = 20.0 and price = 18",
        ),
        (
            {"unit_cost": 18.0},
            "unit_cost must be < price, got unit_cost = 18.0 and price = 18.0: "
            "no sale earns its cost, and the best order is none",
        ),
        ({"unit_cost": 19.0}, "unit_cost must be < price, got unit_cost = 19.0"),
        (
            {"salvage": 8.0},
            "unit_cost must be > salvage, got unit_cost = 8.0 and salvage = 8.0: "
            "a unit left over costs nothing, and no order is too large",
        ),
        ({"unit_cost": 0.0}, "unit_cost must be > salvage, got unit_cost = 0.0"),
        (
            {"price": np.array([18.0, 7.0])},
            "unit_cost must be < price, got unit_cost = 8",
        ),
        ({"unit_cost": -1.0}, "unit_cost must be >= 0, got -1"),
        ({"price": -1.0}, "price must be >= 0, got -1"),
        ({"unit_cost": np.nan}, "unit_cost must be finite, got nan"),
        ({"price": np.inf}, "price must be finite, got inf"),
        ({"salvage": -np.inf}, "salvage must be finite, got -inf"),
        ({"salvage": None}, "salvage must be a number, got None"),
        ({"price": "18"}, "price must be a number, got '18'"),
    ],
    ids=str,
)
def test_parameters_out_of_bounds(given, message):
    with refuses(message):
        nv.create_parameters(**given)


def test_a_fee_for_disposal_is_legal():
    assert nv.create_parameters(salvage=-3.0) == (8.0, 18.0, -3.0)
    assert nv.create_parameters(unit_cost=0.0, salvage=-1.0).unit_cost == 0
    assert nv.create_parameters(8, 18, 0) == nv.Parameters(8, 18, 0)


EXACT = [
    nv.expected_profit, nv.std_profit, nv.loss_probability,
    partial(nv.error_bound, num_samples=2),
]  # fmt: skip


@pytest.mark.parametrize("function", EXACT)
def test_bad_arguments_of_exact_results(function):
    dist = law()
    for wrong, message in (
        (-1.0, "quantity must be >= 0, got -1"),
        ([1.0, np.inf], "quantity must be finite, got inf at position 1"),
        (np.nan, "quantity must be finite, got nan"),
        ("1", "quantity must be a number, got '1'"),
        (None, "quantity must be a number, got None"),
    ):
        with refuses(message):
            function(DEMO, dist, wrong)
    with refuses("params must come from create_parameters, got (8.0, 18.0, 0.0)"):
        function((8.0, 18.0, 0.0), dist, 1.0)
    with refuses("unit_cost must be < price"):
        function(nv.Parameters(20.0, 18.0, 0.0), dist, 1.0)
    with refuses("dist must come from create_distribution, got 225.0"):
        function(DEMO, 225.0, 1.0)
    with refuses("dist must have a mean here"):
        function(DEMO, law(mean=None), 1.0)
    with refuses("quantity must be a number here, got what JAX traces"):
        jax.jit(lambda q: function(DEMO, dist, q))(1.0)
    with refuses("params must hold numbers here, got what JAX traces"):
        jax.jit(lambda c: function(nv.create_parameters(c), dist, 1.0))(8.0)
    with refuses("dist and"):
        jax.jit(lambda scv: function(DEMO, law("gamma", scv), 1.0))(0.5)


def test_bad_arguments_of_the_other_exact_results():
    with refuses("params must come from"):
        nv.critical_ratio(None)
    with refuses("dist must come from"):
        nv.optimal_quantity(DEMO, None)
    with refuses("x must be a number, got '0'"):
        nv.profit_cdf(DEMO, law(), 1.0, "0")
    with refuses("x must be finite, got nan"):
        nv.profit_cdf(DEMO, law(), 1.0, np.nan)
    with refuses("quantity must be >= 0"):
        nv.profit_cdf(DEMO, law(), -1.0, 0.0)
    with refuses("prob must be <= 1, got 1.5"):
        nv.profit_quantile(DEMO, law(), 1.0, 1.5)
    with refuses("quantity must be >= 0"):
        nv.profit_quantile(DEMO, law(), -1.0, 0.5)
    with refuses("num_samples must be an integer >= 2, got 1"):
        nv.error_bound(DEMO, law(), 1.0, 1)
    with refuses("(price - salvage) * quantity must be finite"):
        nv.expected_profit(nv.create_parameters(price=1e300), law(), 1e300)
    two, three = np.array([8.0, 9.0]), np.array([1.0, 2.0, 3.0])
    with refuses("unit_cost, price, salvage, mean, scv, quantity must have shapes"):
        nv.expected_profit(nv.create_parameters(two), law(), three)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"quantities": -1.0}, "quantities must be >= 0, got -1"),
        ({"quantities": [1.0, np.nan]}, "quantities must be finite, got nan"),
        ({"quantities": "1"}, "quantities must be a number, got '1'"),
        ({"quantities": np.ones((2, 2))}, "quantities must be a number or a vector"),
        ({"quantities": 1e39}, "quantities must be finite in float32, got 1e+39"),
        ({"quantities": [1.0, 1e37]}, "quantities must be <= "),
        ({"num_samples": 1}, "num_samples must be an integer >= 2, got 1"),
        ({"num_samples": 2.0}, "num_samples must be an integer >= 2, got 2.0"),
        ({"keep_samples": 1}, "keep_samples must be True or False, got 1"),
        ({"key": 0}, "key must be a typed key"),
        ({"params": (8.0, 18.0, 0.0)}, "params must come from create_parameters"),
        ({"params": nv.Parameters(8.0, 8.0, 0.0)}, "unit_cost must be < price"),
        (
            {"params": nv.create_parameters(np.array([1.0, 2.0]))},
            "unit_cost must be one number here, got shape (2,); sweep over it with",
        ),
        ({"dist": law(scv=np.array([1.0, 2.0]))}, "scv must be one number here"),
        ({"dist": law(mean=None)}, "dist must have a mean here"),
        ({"dist": "gamma"}, "dist must come from create_distribution"),
    ],
    ids=str,
)
def test_bad_simulations(changed, message):
    arguments = {
        "params": DEMO,
        "dist": law(),
        "quantities": 1.0,
        "key": KEY(),
    } | changed
    params, dist, quantities = (
        arguments.pop(name) for name in ("params", "dist", "quantities")
    )
    with refuses(message):
        nv.simulate(params, dist, quantities, **arguments)


@pytest.mark.parametrize(("cost", "price"), [(0.1, 0.3), (0.7, 2.1)])
def test_breaking_even_is_no_loss(cost, price):
    """Three units bought, one sold at three times the cost."""
    params = nv.create_parameters(unit_cost=cost, price=price)
    law = demand.create_distribution("deterministic", 1.0)
    assert nv.loss_probability(params, law, 3.0) == 0
    assert nv.loss_probability(params, law, 3.001) == 1
    got = nv.simulate(params, law, [3.0, 3.001], key=jax.random.key(0))
    np.testing.assert_array_equal(got.loss_probability, [0, 1])


@pytest.mark.parametrize("numbers", [1, 3 * 500, 2**22])
def test_the_branch_for_a_gpu_is_the_same_simulation(numbers, monkeypatch):
    """Quantities one by one, three at a time, or all at once: sums of the same profits."""

    def simulate():
        nv.simulate_seasons.clear_cache()
        return nv.simulate(
            nv.create_parameters(),
            demand.create_distribution("gamma", 225.0, 0.5),
            np.linspace(100.0, 400.0, 7),
            key=jax.random.key(3),
            num_samples=500,
            keep_samples=True,
        )

    right = simulate()
    with monkeypatch.context() as patch:
        patch.setattr(jax, "default_backend", lambda: "gpu")
        patch.setattr(nv, "GPU_NUMBERS", numbers)
        found = simulate()
    nv.simulate_seasons.clear_cache()
    for a, b in zip(found, right, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-3)
