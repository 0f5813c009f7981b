"""Policies for a stock that expires: what they are worth, what they do, paths under them."""

import re
from functools import partial

import expiry_oracle as oracle
import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from test_expiry_methods import model_of, random_case, sensible_prices

from lectures_helpers import expiry

SHAPE = (2, 4, 9)  # m, k and the largest demand: one shape, one compilation
MODEL = expiry.create_model(3, 5, expiry.poisson_pmf(3, 9))
KEY = partial(jax.random.key, 17)  # a new key object at each call: none is used twice

# Sums of some ten products of numbers below 100, three periods: 1e-13 in float64.
EXACT = 1e-10


def refuses(message):
    """Expect a ValueError that says this."""
    return pytest.raises(ValueError, match=re.escape(message))


def random_policy(rng, m, k, T):
    """Any decisions that are possible."""
    total = np.indices((k,) * m).sum(0)
    z = rng.integers(0, total + 1, (T, *total.shape))
    return expiry.Policy(z, rng.integers(0, k, z.shape))


def random_shops(seed, count, shape=SHAPE):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        shop, T, constant = random_case(rng, shape, sensible_prices)
        yield rng, shop, T, model_of(shop, constant=constant)


# --------------------------------------------------------------------- what it is worth


def test_evaluate_equals_brute_force():
    for rng, shop, T, model in random_shops(1, 20):
        policy = random_policy(rng, shop.m, shop.k, T)
        got = expiry.evaluate(model, policy, T, dtype="float64")
        np.testing.assert_allclose(got, oracle.evaluate(shop, *policy, T), atol=EXACT)


def test_evaluate_equals_the_mean_over_every_path():
    """Each sequence of demands by itself: 4^3 paths from a few stocks."""
    rng = np.random.default_rng(2)
    pmf = rng.dirichlet(np.ones(4), size=3)
    shop = oracle.Shop(3, 3, pmf, s=0.7, h=0.3, c=2.0, r=4.0, θ=1.5, α=0.8)
    policy = random_policy(rng, 3, 3, 3)
    got = expiry.evaluate(model_of(shop), policy, 3, dtype="float64")
    for x in [(0, 0, 0), (2, 2, 2), (1, 0, 2), (0, 2, 1)]:
        mean = sum(v * p for v, p in oracle.every_path(shop, *policy, x, 3))
        np.testing.assert_allclose(got[x], mean, atol=EXACT)


def test_a_policy_of_one_period_serves_all():
    rng = np.random.default_rng(3)
    z, q = (a[0] for a in random_policy(rng, 3, 5, 1))
    every = (np.stack([a] * 4) for a in (z, q))
    expected = expiry.evaluate(MODEL, expiry.Policy(*every), 4, dtype="float64")
    for one in (expiry.Policy(z, q), expiry.Policy(np.stack([z] * 4), q), (z, q)):
        got = expiry.evaluate(MODEL, one, 4, dtype="float64")
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int64", "uint64"])
def test_a_policy_of_any_integers(kind):
    rng = np.random.default_rng(3)
    policy = random_policy(rng, 3, 5, 2)
    expected = expiry.evaluate(MODEL, policy, 2, dtype="float64")
    small = expiry.Policy(*(a.astype(kind) for a in policy))
    np.testing.assert_array_equal(
        expiry.evaluate(MODEL, small, 2, dtype="float64"), expected
    )
    got = expiry.rollout(MODEL, small, (1, 2, 3), 2, key=KEY(), num_paths=50)
    again = expiry.rollout(MODEL, policy, (1, 2, 3), 2, key=KEY(), num_paths=50)
    np.testing.assert_array_equal(got, again)


def test_the_optimal_policy_is_worth_the_optimum():
    for _, shop, T, model in random_shops(4, 10):
        solution = expiry.solve(model, T, dtype="float64", keep_policies=True)
        policy = expiry.optimal_policy(solution)
        got = expiry.evaluate(model, policy, T, dtype="float64")
        scale = max(1, np.abs(solution.values).max())
        # A tie given up costs at most 1e-10 of the scale a period.
        np.testing.assert_allclose(
            got, solution.values, rtol=0, atol=3e-10 * scale, err_msg=str(shop)
        )


def test_no_policy_beats_the_optimum():
    for rng, shop, T, model in random_shops(5, 10):
        best = oracle.solve(shop, T).values[0]
        for _ in range(5):
            policy = random_policy(rng, shop.m, shop.k, T)
            got = expiry.evaluate(model, policy, T, dtype="float64")
            assert (got <= best + EXACT).all()


def test_without_periods():
    policy = expiry.Policy(*np.zeros((2, 0, 5, 5, 5), int))
    expected = np.indices((5, 5, 5)).sum(0)
    np.testing.assert_array_equal(expiry.evaluate(MODEL, policy, 0), expected)
    got = expiry.rollout(MODEL, policy, (1, 2, 3), 0, key=KEY(), num_paths=3)
    assert (float(got.mean), float(got.standard_error)) == (6, 0)


def test_optimal_policy_of_a_solution():
    solution = expiry.solve(MODEL, 3, keep_policies=True)
    policy = expiry.optimal_policy(solution)
    np.testing.assert_array_equal(policy.depletion, solution.depletions)
    np.testing.assert_array_equal(policy.order, solution.orders)
    with refuses("solution must come from solve, got 3"):
        expiry.optimal_policy(3)
    with refuses("call solve with keep_policies=True"):
        expiry.optimal_policy(expiry.solve(MODEL, 3))


# -------------------------------------------------------------------------- rollouts


def test_rollout_within_four_errors_of_evaluate():
    starts = np.array([[0, 0, 0], [4, 4, 4], [2, 0, 1], [0, 4, 0]])
    solution = expiry.solve(MODEL, 4, keep_policies=True)
    policies = [
        expiry.optimal_policy(solution),
        expiry.fluid_policy(MODEL, 4),
        random_policy(np.random.default_rng(6), 3, 5, 4),
    ]
    # 12 estimates: the bound that all keep as often as one keeps four errors.
    bound = stats.norm.isf(stats.norm.sf(4) / 12)
    for i, policy in enumerate(policies):
        exact = expiry.evaluate(MODEL, policy, 4, dtype="float64")
        got = expiry.rollout(
            MODEL, policy, starts, 4, key=jax.random.fold_in(KEY(), i), num_paths=20_000
        )
        assert got.mean.shape == got.standard_error.shape == (4,)
        gap = np.asarray(got.mean) - exact[tuple(starts.T)]
        # 20,000 numbers below 100 added up in float32: right to 1e-5 of them.
        assert (np.abs(gap) < bound * np.asarray(got.standard_error) + 1e-3).all()
        assert (np.asarray(got.standard_error) > 0).all()


def test_the_mean_and_its_error_are_those_of_the_paths():
    """T = 1, stock 0, no order, price 4: a path earns α times nothing, or what is sold.

    With stock 1 and P(D = 0) = 1/4, earnings are two-valued: their spread is known.
    """
    model = expiry.create_model(
        1, 2, [0.25, 0.75],
        salvage=0, holding_cost=0, unit_cost=0, price=4, disposal_cost=0, discount=1,
    )  # fmt: skip
    nothing = expiry.Policy(*np.zeros((2, 2), int))
    n = 40_000
    got = expiry.rollout(model, nothing, [1], 1, key=KEY(), num_paths=n)
    share = float(got.mean) / 4
    # The sample's own spread, with n - 1: 4 sqrt(p (1 - p) / (n - 1)).
    expected = 4 * np.sqrt(share * (1 - share) / (n - 1))
    np.testing.assert_allclose(got.standard_error, expected, rtol=1e-4)  # float32 sums
    assert abs(share - 0.75) < 4 * np.sqrt(0.75 * 0.25 / n)
    np.testing.assert_allclose(share * n, round(share * n), atol=0.05)


def test_errors_shrink_with_the_root_of_the_paths():
    policy = expiry.newsvendor_policy(MODEL, 3)
    few, many = (
        expiry.rollout(MODEL, policy, (1, 1, 1), 3, key=KEY(), num_paths=n)
        for n in (2_000, 32_000)
    )
    ratio = float(few.standard_error / many.standard_error)
    # A spread out of 2,000 draws is known to 1 / sqrt(2 n) = 1.6 %; four times that.
    assert abs(ratio / 4 - 1) < 0.065
    assert np.isnan(
        expiry.rollout(
            MODEL, policy, (1, 1, 1), 3, key=KEY(), num_paths=1
        ).standard_error
    )


def test_same_key_same_numbers():
    policy = expiry.newsvendor_policy(MODEL, 3)
    call = partial(expiry.rollout, MODEL, policy, num_paths=100)
    a, b = (call((1, 1, 1), 3, key=KEY()) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    other = call((1, 1, 1), 3, key=jax.random.key(18))
    assert float(other.mean) != float(a.mean)
    # paths from each of several stocks meet the demands that paths from one meet
    both = call([(0, 2, 3), (1, 1, 1)], 3, key=KEY())
    np.testing.assert_array_equal(both.mean[1], a.mean)
    assert a.mean.shape == ()
    assert call(np.zeros((0, 3), int), 3, key=KEY()).mean.shape == (0,)


def test_a_known_demand_leaves_nothing_to_chance():
    """Demand 2, then 0, then 4: one path, whatever the key."""
    shop = oracle.Shop(
        2, 4, np.eye(10)[[2, 0, 4]], s=0.5, h=0.25, c=2.0, r=4.0, θ=1.0, α=0.5
    )
    model = model_of(shop)
    policy = random_policy(np.random.default_rng(7), 2, 4, 3)
    for x in [(0, 0), (3, 3), (1, 2)]:
        got = expiry.rollout(model, policy, x, 3, key=KEY(), num_paths=8)
        expected = oracle.follow(shop, *policy, x, [2, 0, 4])
        # Dyadic numbers, and eight of them: exact in float32.
        assert float(got.mean) == expected
        assert float(got.standard_error) == 0
        value = expiry.evaluate(model, policy, 3)
        assert float(value[x]) == expected


# -------------------------------------------------------------------------- policies


def means_of(model, T):
    pmf = np.broadcast_to(model.demand_pmf, (T, np.shape(model.demand_pmf)[-1]))
    return [sum(d * p for d, p in enumerate(row)) for row in pmf.tolist()]


LAWS = {
    "poisson": expiry.poisson_pmf(3, 9),
    "none": np.eye(10)[0],
    "half a unit": np.array([0.5, 0.5]),
    "halves that round": np.full(10, 0.1),  # a mean of 4.5
    "more than the shelf": np.eye(41)[40],
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("max_hold", [None, 0.5, 1, 2, 100])
@pytest.mark.parametrize(("m", "k"), [(1, 9), (3, 5)])
def test_fluid_policy_state_by_state(law, max_hold, m, k):
    model = expiry.create_model(m, k, LAWS[law])
    T = 3
    policy = expiry.fluid_policy(model, T, max_hold=max_hold)
    assert policy.depletion.shape == policy.order.shape == (T,) + (k,) * m
    means = means_of(model, T + m)
    hold = np.inf if max_hold is None else max_hold
    for t in range(T):
        for x in oracle.states(m, k):
            got = policy.depletion[t][x], policy.order[t][x]
            assert got == oracle.fluid_decision(x, k, t, means, hold), (t, x)
    expiry.evaluate(model, policy, T)  # every decision is possible


def test_fluid_policy_where_demand_changes():
    """Demand 8, 0, 0: what the first period will sell is not sold off before it."""
    model = expiry.create_model(2, 10, np.eye(10)[[8, 0, 0]])
    policy = expiry.fluid_policy(model, 3)
    for x in oracle.states(2, 10):
        assert policy.depletion[0][x] == max(0, sum(x) - 8), x
        assert policy.order[0][x] == max(0, 8 - min(8, sum(x)))
        assert policy.order[1][x] == 0


def test_fluid_policy_beyond_the_horizon():
    """Demand 4, then 1: after the last period, too, a period is taken to sell 1."""
    model = expiry.create_model(4, 6, np.eye(6)[[4, 1]])
    z, q = (a[0] for a in expiry.fluid_policy(model, 2))
    for x in oracle.states(4, 6):
        assert (z[x], q[x]) == oracle.fluid_decision(x, 6, 0, [4, 1, 1, 1]), x
    # Of ten new units seven can be sold, and three periods sell six.
    z = expiry.fluid_policy(model, 2, max_hold=3).depletion
    assert z[0, 0, 0, 5, 5] == 4


@pytest.mark.parametrize("level", [None, 0, 3, 7, 50])
@pytest.mark.parametrize("keep_oldest", [None, 0, 2, 50])
def test_newsvendor_policy_state_by_state(level, keep_oldest):
    policy = expiry.newsvendor_policy(MODEL, 2, level=level, keep_oldest=keep_oldest)
    S = 4 if level is None else level
    for x in oracle.states(3, 5):
        expected = oracle.newsvendor_decision(x, 5, S, keep_oldest)
        for t in range(2):
            assert (policy.depletion[t][x], policy.order[t][x]) == expected, x
    expiry.evaluate(MODEL, policy, 2)


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(any),
    st.floats(0, 20),
    st.floats(0.01, 20),
    st.floats(0, 20),
)
def test_newsvendor_level_is_the_critical_fractile(weights, over, margin, salvage):
    """Among all levels S the one that costs least: over (S - D)^+ + margin (D - S)^+."""
    pmf = np.array(weights) / sum(weights)
    c = salvage + over + 0.01
    model = expiry.create_model(
        2, 3, pmf,
        salvage=salvage, holding_cost=1, unit_cost=c, price=c + margin, disposal_cost=0,
        discount=0.7,  # costs and receipts come at the period's end: it plays no part
    )  # fmt: skip
    level = expiry.newsvendor_level(model)
    d = np.arange(pmf.size)

    def cost(S):
        low, high = (c - salvage), margin
        return (low * np.maximum(S - d, 0) + high * np.maximum(d - S, 0)) @ pmf

    assert cost(level) <= min(map(cost, d)) * (1 + 1e-9) + 1e-9


def test_newsvendor_level_takes_the_first_period_and_refuses_other_prices():
    rows = np.eye(6)[[4, 1]]
    model = expiry.create_model(2, 3, rows)
    assert expiry.newsvendor_level(model) == 4
    for prices in ({"price": 2}, {"salvage": 4}):
        with refuses("model must have s < c <= r for a critical ratio, got"):
            expiry.newsvendor_level(expiry.create_model(2, 3, rows, **prices))


@pytest.mark.parametrize(
    ("salvage", "discount"), [(1, 1), (2, 0.8), (2.5, 0.6), (0, 0.3)]
)
def test_newsvendor_level_is_the_order_of_a_single_period(salvage, discount):
    model = expiry.create_model(
        1, 20, expiry.poisson_pmf(8.0, 30), salvage=salvage, holding_cost=0.5, unit_cost=3,
        price=5, disposal_cost=2, discount=discount,
    )  # fmt: skip
    best = expiry.solve(model, 1, dtype="float64").order[0]
    assert expiry.newsvendor_level(model) == best


# ---------------------------------------------------------------------------- greedy


def test_greedy_never_worsens_and_is_the_best_first_step():
    for rng, shop, T, model in random_shops(9, 12):
        if T == 0:
            continue
        policy = random_policy(rng, shop.m, shop.k, T)
        better = expiry.greedy(model, policy, T, dtype="float64")
        before = expiry.evaluate(model, policy, T, dtype="float64")
        after = expiry.evaluate(model, better, T, dtype="float64")
        assert (after >= before - EXACT).all()
        np.testing.assert_array_equal(better.depletion[1:], policy.depletion[1:])
        np.testing.assert_array_equal(better.order[1:], policy.order[1:])
        # the best of all first steps: no other first period does better anywhere
        for _ in range(5):
            other = random_policy(rng, shop.m, shop.k, T)
            z = np.concatenate([other.depletion[:1], policy.depletion[1:]])
            q = np.concatenate([other.order[:1], policy.order[1:]])
            assert (oracle.evaluate(shop, z, q, T) <= after + EXACT).all()


def test_greedy_changes_nothing_of_its_argument():
    policy = expiry.newsvendor_policy(MODEL, 3)
    copy = [a.copy() for a in policy]
    expiry.greedy(MODEL, policy, 3)
    for a, b in zip(policy, copy, strict=True):
        np.testing.assert_array_equal(a, b)


def test_greedy_of_the_optimum_is_the_optimum():
    solution = expiry.solve(MODEL, 3, dtype="float64", keep_policies=True)
    policy = expiry.optimal_policy(solution)
    again = expiry.greedy(MODEL, policy, 3, dtype="float64")
    for a, b in zip(policy, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_greedy_over_one_period_is_the_optimum_of_one():
    policy = expiry.newsvendor_policy(MODEL, 1)
    got = expiry.greedy(MODEL, policy, 1)
    best = expiry.solve(MODEL, 1)
    np.testing.assert_array_equal(got.depletion[0], best.depletion)
    np.testing.assert_array_equal(got.order[0], best.order)


def test_greedy_with_variants():
    """A threshold, a level, and a first period that is improved, all at once."""
    plain = expiry.newsvendor_policy(MODEL, 3, level=6, keep_oldest=1)
    better = expiry.greedy(MODEL, plain, 3)
    before, after = (
        np.asarray(expiry.evaluate(MODEL, p, 3), float) for p in (plain, better)
    )
    assert (after >= before - 1e-4).all()  # float32 here: six digits of 100
    assert (after > before + 0.1).any()


def test_greedy_counts_beyond_the_integers_of_the_policy():
    """Without demand all 198 units are sold off, more than the policy's eight bits hold."""
    model = expiry.create_model(2, 100, [1.0])
    nothing = expiry.Policy(*np.zeros((2, 100, 100), np.int8))
    better = expiry.greedy(model, nothing, 1)
    np.testing.assert_array_equal(better.depletion[0], np.indices((100, 100)).sum(0))


# ------------------------------------------------------------------------- bad input


def changed(z=None, q=None, at=(0, 0, 0)):
    policy = [np.zeros((5, 5, 5), int) for _ in range(2)]
    for array, value in zip(policy, (z, q), strict=True):
        if value is not None:
            array[at] = value
    return expiry.Policy(*policy)


BAD_POLICIES = [
    (changed(z=1), "policy.depletion must be in 0, ..., |x| = 0 in state (0, 0, 0), got 1"),
    (
        changed(z=7, at=(1, 2, 3)),
        "policy.depletion must be in 0, ..., |x| = 6 in state (1, 2, 3), got 7",
    ),
    (changed(z=-1, at=(1, 0, 0)), "|x| = 1 in state (1, 0, 0), got -1"),
    (
        changed(q=5, at=(0, 1, 0)),
        "policy.order must be in 0, ..., num_levels - 1 = 4 in state (0, 1, 0), got 5",
    ),
    (changed(q=-2), "policy.order must be in 0, ..., num_levels - 1 = 4"),
    (
        expiry.Policy(np.zeros((5, 5), int), np.zeros((5, 5, 5), int)),
        "policy.depletion must have the shape (5, 5, 5) or (2, 5, 5, 5), got (5, 5)",
    ),
    (
        expiry.Policy(np.zeros((5, 5, 5), int), np.zeros((3, 5, 5, 5), int)),
        "policy.order must have the shape (5, 5, 5) or (2, 5, 5, 5), got (3, 5, 5, 5)",
    ),
    (
        expiry.Policy(np.zeros((5, 5, 5)), np.zeros((5, 5, 5), int)),
        "policy.depletion must hold integers, got an array of float64",
    ),
    (
        expiry.Policy(np.zeros((5, 5, 5), int), np.zeros((5, 5, 5), bool)),
        "policy.order must hold integers, got an array of bool",
    ),
    (expiry.Policy([[1], [1, 2]], 0), "policy.depletion must"),
    (expiry.Policy(None, None), "policy.depletion must hold integers"),
    (None, "policy must be a Policy(depletion, order), got None"),
    ((1, 2, 3), "policy must be a Policy(depletion, order), got (1, 2, 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "message"), BAD_POLICIES)
def test_impossible_policies(policy, message):
    with refuses(message):
        expiry.evaluate(MODEL, policy, 2)
    with refuses(message):
        expiry.rollout(MODEL, policy, (0, 0, 0), 2, key=KEY())
    with refuses(message):
        expiry.greedy(MODEL, policy, 2)


def test_a_bad_decision_in_a_later_period_is_found():
    z, q = np.zeros((2, 3, 5, 5, 5), int)
    z[2, 1, 0, 2] = 4
    with refuses("|x| = 3 in state (1, 0, 2), got 4"):
        expiry.evaluate(MODEL, expiry.Policy(z, q), 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            dict(x0=(0, 0, 5)),
            "x0 must lie on the grid 0, ..., num_levels - 1 = 4, got 5",
        ),
        (dict(x0=(0, -1, 0)), "num_levels - 1 = 4, got -1"),
        (
            dict(x0=(0, 0)),
            "x0 must have the shape (..., num_ages) = (..., 3), got shape",
        ),
        (dict(x0=(0.0, 0.0, 0.0)), "x0 must hold integers"),
        (dict(x0=0), "x0 must have the shape"),
        (dict(x0=np.zeros((1, 1, 3), int)), "x0 must have the shape (num_ages,) or"),
        (dict(num_periods=-1), "num_periods must be an integer >= 0, got -1"),
        (dict(num_paths=0), "num_paths must be an integer >= 1, got 0"),
        (dict(num_paths=1.5), "num_paths must be an integer >= 1, got 1.5"),
        (dict(key=0), "key must be a typed key made by jax.random.key(seed), got 0"),
        (dict(key=None), "key must be a typed key made by jax.random.key(seed)"),
        (dict(key=np.zeros(2, np.uint32)), "key must be a typed key"),
    ],
    ids=str,
)
def test_bad_rollouts(given, message):
    good = dict(x0=(0, 0, 0), num_periods=2, num_paths=3)
    if "key" not in given:
        good["key"] = KEY()
    policy = expiry.Policy(*np.zeros((2, 5, 5, 5), int))
    with refuses(message):
        expiry.rollout(MODEL, policy, **good | given)


def test_several_keys_are_not_one():
    policy = expiry.Policy(*np.zeros((2, 5, 5, 5), int))
    with refuses("key must be a single key, got an array of keys of shape (2,)"):
        expiry.rollout(MODEL, policy, (0, 0, 0), 2, key=jax.random.split(KEY()))
    with pytest.raises(TypeError, match="key"):  # there is no default key
        expiry.rollout(MODEL, policy, (0, 0, 0), 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            partial(expiry.fluid_policy, num_periods=0),
            "num_periods must be an integer >= 1, got 0",
        ),
        (
            partial(expiry.fluid_policy, num_periods=2, max_hold=0),
            "max_hold must be > 0, got 0",
        ),
        (
            partial(expiry.fluid_policy, num_periods=2, max_hold=float("nan")),
            "max_hold must be finite, got nan",
        ),
        (
            partial(expiry.fluid_policy, num_periods=2, max_hold=[1.0, 2.0]),
            "max_hold must be",
        ),
        (
            partial(expiry.newsvendor_policy, num_periods=0),
            "num_periods must be an integer >= 1, got 0",
        ),
        (
            partial(expiry.newsvendor_policy, num_periods=2, level=-1),
            "level must be an integer >= 0, got -1",
        ),
        (
            partial(expiry.newsvendor_policy, num_periods=2, level=2.5),
            "level must be an integer >= 0, got 2.5",
        ),
        (
            partial(expiry.newsvendor_policy, num_periods=2, keep_oldest=-1),
            "keep_oldest must be an integer >= 0, got -1",
        ),
        (
            partial(expiry.greedy, policy=changed(), num_periods=0),
            "num_periods must be an integer >= 1, got 0",
        ),
    ],
)
def test_bad_calls(call, message):
    with refuses(message):
        call(MODEL)


def test_rows_of_a_law_are_periods():
    model = MODEL._replace(demand_pmf=np.full((3, 4), 0.25))
    message = "demand_pmf must have num_periods = 2 rows, got 3"
    for call in (
        expiry.fluid_policy,
        expiry.newsvendor_policy,
        partial(expiry.greedy, policy=changed()),
        partial(expiry.rollout, policy=changed(), x0=(0, 0, 0), key=KEY()),
    ):
        with refuses(message):
            call(model, num_periods=2)
    with refuses("demand_pmf must have num_periods = 1 rows, got 3"):
        expiry.greedy(model, changed(), 1)
