"""Rules that are learned: slopes beside quotients, exact costs beside replayed ones."""

import json
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from lectures_helpers import precision
from lectures_helpers.optimal import learned, lost_sales
from tools import instances
from tools import learned as trained

POISSON = stats.poisson(5).pmf(np.arange(40))


def shop(p=4.0, lead_time=2, pmf=POISSON):
    return lost_sales.create_parameters(1.0, p, pmf, lead_time)


def up_to(level, x):
    return jnp.maximum(level - x.sum(axis=-1), 0)


def test_a_path_by_hand():
    """L = 2, up to 4 from (1, 1): by pencil."""
    demands = jnp.array([[2.0], [0.0], [5.0], [1.0]])
    costs = learned.simulate(shop(), partial(up_to, 4.0), demands, 1.0)
    # x = (1, 1), order 2: short 1; (1, 2), order 1: 1 left; (3, 1), 0: short 2; (1, 0), 3: 0
    np.testing.assert_allclose(costs[:, 0], [4.0, 1.0, 8.0, 0.0])


@pytest.mark.parametrize("more", [0.0, 0.2, 100.0, -100.0])
def test_what_a_network_sees_and_where_its_orders_end(more):
    """A network of one straight layer, state by state: no stock more than its mean is 0."""
    some, mean = shop(lead_time=3), float(POISSON @ np.arange(40))
    W = np.array([[1.0], [-0.5], [0.25]], "float32")
    weights = [(jnp.asarray(W), jnp.full((1, 1), more, "float32"))]
    x = np.array([[10, 8, 5], [6, 9, 8], [9, 3, 9], [0, 0, 0]], "float32")
    level, most = stats.poisson([20, 5]).ppf(0.8)  # p = 4, h = 1; four periods, and one
    expected = []
    for state in x.tolist():
        seen = [sum(state[: i + 1]) / mean - (i + 1) for i in range(3)]
        added = mean * (seen[0] - 0.5 * seen[1] + 0.25 * seen[2] + more)
        expected.append(min(max(level - sum(state) + added, 0.0), most + 1))
    found = learned.network_orders(some, weights, jnp.asarray(x))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_layers_neither_swell_nor_shrink_what_passes():
    """Columns of about the length 1, also where a layer is wide and sees little."""
    weights = learned.create_network(4, width=500, key=jax.random.key(7))
    for (W, b), rows in zip(weights[:2], (4, 500), strict=True):
        assert W.shape == (rows, 500)
        # The squares of 500 columns: a mean of 1, spread by (2 / rows / 500)^(1/2).
        assert abs(float((W**2).sum(axis=0).mean()) - 1) < 5 * (2 / rows / 500) ** 0.5
        assert not b.any()
    assert not weights[2][0].any()


@pytest.mark.parametrize("slope", [1e-3, -40.0])
def test_down_an_even_slope_every_step_is_as_long_as_the_rate(slope):
    """Whatever the slope; the rate falls by a cosine, so that half the way is walked."""
    found = learned.train(
        lambda w, key: slope * w + 0 * jax.random.normal(key),
        jnp.array(2.0), steps=60, rate=0.1, key=jax.random.key(0),
    )  # fmt: skip
    # The sum of (1 + cos(π t / 60)) / 2 over t = 0, ..., 59 is 30.5.
    walked = 2.0 - float(found.looks[-1])
    assert walked == pytest.approx(np.sign(slope) * 0.1 * 30.5, rel=1e-4)


@pytest.mark.parametrize("lead_time", [1, 2, 4])
def test_slopes_are_quotients_on_the_same_path(lead_time):
    """In 64 bits and away from corners they agree to the quotient's rounding."""
    with precision.enable_x64(True):
        some = shop(lead_time=lead_time)
        rng = np.random.default_rng(lead_time)
        demands = jnp.asarray(rng.poisson(5, (40, 30)).astype(float))

        @jax.jit
        def cost(weights):
            rule = partial(learned.network_orders, some, weights)
            return learned.simulate(some, rule, demands, 4.37).mean()

        weights = learned.create_network(lead_time, width=4, key=jax.random.key(0))
        weights = jax.tree.map(  # at first it adds 0: whole orders, and a corner
            lambda w: w.astype("float64") + rng.normal(0, 0.1, w.shape), weights
        )
        slope, step = jax.jit(jax.grad(cost))(weights), 1e-7
        for layer, (W, _) in enumerate(weights):
            for at in [(0, 0), (W.shape[0] - 1, W.shape[1] - 1)]:
                moved = [
                    cost([
                        (V.at[at].add(move), b) if i == layer else (V, b)
                        for i, (V, b) in enumerate(weights)
                    ])
                    for move in (step, -step)
                ]  # fmt: skip
                quotient = (moved[0] - moved[1]) / (2 * step)
                assert slope[layer][0][at] == pytest.approx(float(quotient), abs=1e-6)


def test_demands_follow_the_law():
    found = learned.demands(shop(), (200_000,), key=jax.random.key(0))
    assert found.dtype == jnp.float32
    counts = np.bincount(np.asarray(found, int), minlength=40)[:15]
    error = np.sqrt(POISSON[:15] * 200_000) + 1
    assert (np.abs(counts - 200_000 * POISSON[:15]) < 5 * error).all()
    sure = shop(pmf=[0.0, 0.0, 1.0])
    assert (learned.demands(sure, (9,), key=jax.random.key(0)) == 2).all()


def test_the_exact_cost_in_use_is_the_replayed_one():
    some = shop()
    weights = learned.create_network(2, width=8, key=jax.random.key(1))
    rule = partial(learned.network_orders, some, weights)
    exact = lost_sales.rule_cost(
        some, lost_sales.by_table(learned.tabulate(some, rule))
    )
    demands = learned.demands(some, (1_100, 400), key=jax.random.key(2))
    follow = jax.jit(
        partial(learned.simulate, some, learned.in_whole_units(some, rule))
    )
    runs = np.asarray(follow(demands))[100:].mean(axis=0)
    error = runs.std() / np.sqrt(runs.size)
    assert abs(runs.mean() - exact.upper) < 5 * error


def test_whole_orders_stay_where_a_best_rule_is():
    some = shop(lead_time=3)
    orders = learned.tabulate(some, lambda x: jnp.full(x.shape[:1], 1e6))
    position = np.indices(orders.shape).sum(axis=0)
    assert orders.shape == lost_sales.box(some)
    most, top = orders.shape[1] - 1, orders.shape[0] - 1
    np.testing.assert_array_equal(orders, np.clip(top - position, 0, most))
    assert (learned.tabulate(some, lambda x: jnp.full(x.shape[:1], -3.0)) == 0).all()
    assert (learned.tabulate(some, lambda x: x[:, 0] * 0 + 2.6)[0, 0, 0]) == 3


def test_a_rule_without_an_answer_is_refused():
    with pytest.raises(ValueError, match="rule must return a finite order"):
        learned.tabulate(shop(), lambda x: x[:, 0] / 0)


def training_cost(some, rule, size=(40, 64)):
    def cost(weights, key):
        demands = learned.demands(some, size, key=key)
        return learned.simulate(some, partial(rule, weights), demands, 5.0).mean()

    return cost


def test_one_number_is_trained_to_the_best_base_stock_level():
    some = shop()
    found = learned.train(
        training_cost(some, up_to), jnp.array(10.0), steps=200, rate=0.3,
        key=jax.random.key(3),
    )  # fmt: skip
    (level,) = lost_sales.best_base_stock(some).levels
    assert abs(float(found.weights) - level) < 1.0
    assert not found.diverged
    assert found.cost == found.costs.min()
    assert found.looks.shape == found.costs.shape == found.steps.shape == (21,)


def test_a_short_training_beats_base_stock():
    """A network of eight by eight, a few hundred steps, and the exact cost is the judge."""
    some = shop()
    cost = training_cost(some, partial(learned.network_orders, some))
    weights = learned.create_network(2, width=8, key=jax.random.key(4))
    found = learned.train(cost, weights, steps=300, rate=1e-2, key=jax.random.key(5))
    orders = learned.tabulate(
        some, partial(learned.network_orders, some, found.weights)
    )
    in_use = lost_sales.rule_cost(some, lost_sales.by_table(orders)).upper
    assert in_use < lost_sales.best_base_stock(some).cost
    assert in_use > lost_sales.optimum(some).lower


def test_what_diverges_says_so_and_keeps_the_best():
    def cost(w, key):
        return w**2 + 0 * jax.random.normal(key) + jnp.where(w < 0, jnp.nan, 0.0)

    found = learned.train(
        cost, jnp.array(1.05), steps=40, rate=0.5, key=jax.random.key(0)
    )
    assert found.diverged
    assert not np.isfinite(found.costs[-1])
    assert found.cost == np.nanmin(found.costs)
    assert float(found.weights) ** 2 == pytest.approx(found.cost)
    assert found.steps[-1] < 40


def test_the_same_key_trains_the_same():
    cost = training_cost(shop(), up_to, (20, 8))
    found = [
        learned.train(cost, jnp.array(9.0), steps=7, key=jax.random.key(6)).weights
        for _ in range(2)
    ]
    assert found[0] == found[1]


def test_the_file_of_trained_rules_is_whole():
    """Five seeds a shop, none cheaper than the least cost of the solved instances."""
    found = json.loads(trained.FILE.read_text("utf-8"))["shops"]
    solved = instances.read()
    assert [(each["p"], each["L"]) for each in found] == trained.SHOPS
    for each in found:
        name = f"lost-sales-poisson-{each['p']}-{each['L']}"
        known = solved[name]["optimum"]  # may have been computed anew
        assert each["optimum"]["value"] == pytest.approx(known["value"], abs=1e-3)
        assert [run["seed"] for run in each["runs"]] == list(trained.SEEDS)
        for run in each["runs"]:
            assert run["whole"] + 5 * run["whole_error"] > each["optimum"]["lower"]
            assert run["real_error"] > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cost": 3.0}, "cost must be a function"),
        ({"weights": jnp.array(3)}, "weights must be floating-point"),
        ({"weights": jnp.array(jnp.nan)}, "weights must be finite"),
        ({"steps": 0}, "steps must be"),
        ({"rate": 0.0}, "rate must be"),
        ({"cost": lambda w, key: w * jnp.inf}, "cost must be finite at the start"),
    ],
)
def test_nonsense_is_refused(change, words):
    right = {
        "cost": lambda w, key: w**2, "weights": jnp.array(1.0), "steps": 3,
        "key": jax.random.key(0),
    }  # fmt: skip
    given = right | change
    cost, weights = given.pop("cost"), given.pop("weights")
    with pytest.raises(ValueError, match=words):
        learned.train(cost, weights, **given)
