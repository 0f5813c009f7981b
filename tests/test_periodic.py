"""The (s, S) policy of periodic review: costs by a Markov chain, optima by exhaustion."""

import itertools
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial
from scipy import stats

from lectures_helpers import precision, value_iteration
from lectures_helpers.optimal import periodic


@pytest.fixture
def x64():
    with precision.enable_x64(True):
        yield


def random_shop(seed):
    draw = np.random.default_rng(seed)
    pmf = draw.dirichlet(np.ones(draw.integers(2, 9)))
    K, h, p = draw.uniform(0, 20), draw.uniform(0.5, 2), draw.uniform(1, 15)
    return periodic.create_parameters(K, h, p, pmf, int(draw.integers(0, 3)))


def chain_cost(shop, s, S):
    """From the stationary law of the position after ordering, s + 1, ..., S."""
    y = np.arange(s + 1, S + 1)
    P = np.zeros((y.size, y.size))
    orders = np.zeros(y.size)  # chance that the next period begins with an order
    for i, level in enumerate(y):
        for d, chance in enumerate(shop.demand_pmf):
            after = level - d
            P[i, (S if after <= s else after) - s - 1] += chance
            orders[i] += chance * (after <= s)
    system = np.vstack([P.T - np.eye(y.size), np.ones(y.size)])
    law = np.linalg.lstsq(system, np.append(np.zeros(y.size), 1), rcond=None)[0]
    return law @ (period_cost(shop, y) + shop.setup_cost * orders)


def period_cost(shop, y):
    """E of the period's cost, demand by demand."""
    pmf = np.ones(1)
    for _ in range(shop.lead_time + 1):
        pmf = np.convolve(pmf, shop.demand_pmf)
    left = np.asarray(y)[:, None] - np.arange(pmf.size)
    h, p = shop.holding_cost, shop.backorder_cost
    return np.where(left > 0, h * left, -p * left) @ pmf


@pytest.mark.parametrize("seed", range(20))
def test_costs_are_those_of_the_chain(seed):
    shop, draw = random_shop(seed), np.random.default_rng(seed)
    s = draw.integers(-5, 20, size=4)
    S = s + draw.integers(1, 15, size=4)
    by_chain = [chain_cost(shop, *pair) for pair in zip(s, S, strict=True)]
    np.testing.assert_allclose(periodic.cost(shop, s, S), by_chain, rtol=1e-9)
    y = np.arange(-10, 60)
    np.testing.assert_allclose(
        periodic.one_period_cost(shop, y), period_cost(shop, y), rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize("ratio", [1e-12, 1e-3, 1.0, 1e9, 1e15, 1e21])
def test_no_digit_is_lost_where_one_cost_is_far_above_the_other(ratio):
    """Beside fractions, which do not round."""
    h = 1e-9 if ratio > 1 else 1e3
    p = min(h * ratio, 1e12)
    pmf = stats.poisson(5).pmf(np.arange(60))
    shop = periodic.create_parameters(0.0, h, p, pmf, 1)
    exact = [Fraction(chance) for chance in shop.demand_pmf.tolist()]
    law = [
        sum(exact[i] * exact[n - i] for i in range(max(0, n - 59), min(n, 59) + 1))
        for n in range(119)
    ]
    left = [Fraction(0)]  # E (y - D)^+, P(D <= y), by sums
    for y in range(120):
        left.append(left[-1] + sum(law[: y + 1]))
    missed = [sum((d - y) * q for d, q in enumerate(law) if d > y) for y in range(121)]
    G = [Fraction(h) * a + Fraction(p) * b for a, b in zip(left, missed, strict=True)]
    found = periodic.one_period_cost(shop, np.arange(121))
    np.testing.assert_allclose(found, [float(cost) for cost in G], rtol=1e-12)
    below = [sum(law[: y + 1]) for y in range(119)]
    level = next(
        y
        for y in range(119)
        if Fraction(h) * below[y] >= Fraction(p) * (sum(law) - below[y])
    )
    assert periodic.quantile(np.array(list(map(float, law))), h, p) == level
    assert periodic.optimal_policy(shop).S == level


@pytest.mark.parametrize("seed", range(6))
def test_who_waits_and_who_leaves_cost_the_same_if_s_is_not_negative(seed):
    """Without a lead time; with a negative s, stock that is never below 0 orders nothing."""
    shop = random_shop(seed)._replace(lead_time=0)
    for s, S in ((0, 4), (2, 7), (-2, 4)):
        x = np.arange(S + 1)
        y = np.where(x <= s, S, x)  # after the order
        P = np.zeros((S + 1, S + 1))
        for d, chance in enumerate(shop.demand_pmf):
            np.add.at(P, (x, np.maximum(y - d, 0)), chance)
        system = np.vstack([P.T - np.eye(S + 1), np.ones(S + 1)])
        law = np.linalg.lstsq(system, np.append(np.zeros(S + 1), 1), rcond=None)[0]
        leaves = law @ (period_cost(shop, y) + shop.setup_cost * (x <= s))
        same = abs(leaves - periodic.cost(shop, s, S)) < 1e-9
        assert same == (s >= 0)


@pytest.mark.parametrize("seed", range(20))
def test_the_optimum_is_the_best_of_all_pairs(seed):
    shop = random_shop(seed)
    levels = np.arange(-25, 61)
    s, S = (some.ravel() for some in np.meshgrid(levels, levels))
    all_costs = periodic.cost(shop, s[s < S], S[s < S])
    best = periodic.optimal_policy(shop)
    np.testing.assert_allclose(best.cost, all_costs.min(), rtol=1e-12)
    np.testing.assert_allclose(
        periodic.cost(shop, best.s, best.S), best.cost, rtol=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_no_rule_of_any_kind_is_better(seed, x64):
    shop = random_shop(seed)
    table = periodic.table(shop, -40, 80)
    found = value_iteration.solve(Partial(periodic.backup, table), np.zeros(121))
    assert found.converged
    best = periodic.optimal_policy(shop).cost
    assert found.lower - 1e-9 <= best <= found.upper + 1e-9


@pytest.mark.parametrize(
    ("mean", "s", "S", "cost"),
    [  # K = 64, h = 1, p = 9: by the chain and by value iteration, elsewhere
        (10, 6, 40, 35.022), (20, 14, 62, 49.173), (30, 23, 66, 57.819),
        (40, 33, 87, 64.512), (50, 42, 108, 70.975), (60, 52, 129, 77.306),
        (70, 62, 81, 79.037),
    ],
)  # fmt: skip
def test_poisson_demand(mean, s, S, cost):
    pmf = stats.poisson(mean).pmf(np.arange(mean + 120))
    best = periodic.optimal_policy(periodic.create_parameters(64.0, 1.0, 9.0, pmf))
    assert (best.s, best.S) == (s, S)
    assert abs(best.cost - cost) < 5.1e-4


def test_without_a_setup_cost_it_is_a_base_stock_level():
    pmf = stats.poisson(6).pmf(np.arange(60))
    best = periodic.optimal_policy(periodic.create_parameters(0.0, 1.0, 4.0, pmf))
    # The newsvendor's level; whatever was sold is ordered.
    assert best.S == stats.poisson(6).ppf(0.8)
    shop = periodic.create_parameters(0.0, 1.0, 4.0, pmf)
    np.testing.assert_allclose(best.cost, periodic.one_period_cost(shop, best.S))


def test_what_is_lost_at_zero_is_zero():
    """From position 0, with `low` = 0, the next position is 0 whatever is asked for."""
    table = periodic.table(periodic.create_parameters(1.0, 1.0, 1.0, [0.5, 0.5]), 0, 3)
    np.testing.assert_array_equal(table.transitions[0], [1, 0, 0, 0])
    np.testing.assert_allclose(table.transitions[3], [0, 0, 0.5, 0.5])


FAIR = {"setup_cost": 1.0, "holding_cost": 1.0, "backorder_cost": 2.0}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"setup_cost": -1.0}, "setup_cost must be >= 0"),
        ({"holding_cost": 0.0}, "holding_cost must be >= 1e-09"),
        ({"backorder_cost": 0.0}, "backorder_cost must be >= 1e-09"),
        ({"demand_pmf": [0.5, 0.4]}, "demand_pmf must be a vector of probabilities"),
        ({"demand_pmf": [[0.5, 0.5]]}, "demand_pmf must be a vector of probabilities"),
        ({"demand_pmf": [1.5, -0.5]}, "demand_pmf must be >= 0"),
        ({"demand_pmf": [1.0, 0.0]}, "demand_pmf must have mass above 0"),
        ({"lead_time": -1}, "lead_time must be"),
        ({"lead_time": 1.5}, "lead_time must be"),
    ],
)
def test_what_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        periodic.create_parameters(**(FAIR | {"demand_pmf": [0.5, 0.5]} | changes))


def test_searches_that_would_not_end_are_refused():
    shop = periodic.create_parameters(1e12, 1.0, 2.0, [0.5, 0.5])
    with pytest.raises(
        ValueError, match=r"setup_cost must be smaller: .* 200,000 levels"
    ):
        periodic.optimal_policy(shop)
    with pytest.raises(ValueError, match="size must be <= 200,000"):
        periodic.renewal(shop, 200_001)
    with pytest.raises(ValueError, match="lead_time must be shorter"):
        periodic.create_parameters(1.0, 1.0, 2.0, [0.5, 0.5], 4_000_000)
    with pytest.raises(ValueError, match="s must be below S"):
        periodic.cost(shop, 5, 5)
    with pytest.raises(ValueError, match="high must be in"):
        periodic.table(shop, 0, 10**6)


@pytest.mark.parametrize("seed", range(10))
def test_the_least_k_is_that_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    H = rng.normal(size=rng.integers(1, 12)).cumsum()
    needed = 0.0
    for x, y, z in itertools.combinations(range(H.size), 3):
        # The line from (x, H(x)) to (z, H(z) + K) passes through (y, H(y)).
        needed = max(needed, H[x] + (H[y] - H[x]) * (z - x) / (y - x) - H[z])
    assert periodic.convexity(H) == pytest.approx(needed, abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_what_a_shop_with_a_fixed_cost_minimizes_is_k_convex(seed, x64):
    """Scarf's theorem, on costs of a solved dynamic program."""
    shop = random_shop(seed)
    best = periodic.optimal_policy(shop)
    high = 2 * best.S + 10
    table = periodic.table(shop, min(best.s, 0) - 3 * shop.demand_pmf.size, high)
    V = jnp.zeros(table.period_costs.size)
    for _ in range(30):
        H = np.asarray(table.period_costs + table.transitions @ V)
        assert periodic.convexity(H) <= shop.setup_cost * (1 + 1e-9) + 1e-9
        V = periodic.backup(table, V)


def test_the_longest_laws_and_the_largest_tables():
    """The demand of a lead time is that of one period more than the lead time has."""
    law = np.full(50_000, 1 / 50_000)
    assert periodic.create_parameters(1.0, 1.0, 2.0, law, 1).lead_time == 1
    law = np.full(50_001, 1 / 50_001)
    with pytest.raises(ValueError, match=r"lead_time must be shorter.* 100,002 units"):
        periodic.create_parameters(1.0, 1.0, 2.0, law, 1)
    shop = periodic.create_parameters(1.0, 1.0, 2.0, [0.5, 0.5])
    with pytest.raises(ValueError, match=r"high must be in 1, \.\.\., 4999, got 5000"):
        periodic.table(shop, 0, 5_000)


def test_a_ratio_that_is_a_probability_has_the_least_of_its_levels():
    """j of n equal chances are j / n, whatever their sum rounds to."""
    for n in range(2, 40):
        for j in range(1, n):
            assert periodic.quantile(np.full(n, 1 / n), n - j, j) == j - 1, (j, n)
