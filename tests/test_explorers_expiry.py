"""The stock that expires in the page: its dynamic program decides as the package's does."""

import re

import numpy as np
import pytest

from lectures_helpers import expiry
from lectures_helpers.expiry import issuing, tensor, threshold

NAMES = {
    "salvage": "s", "holding_cost": "h", "unit_cost": "c", "price": "r",
    "disposal_cost": "θ", "discount": "α",
}  # fmt: skip


def in_words_of_the_page(model):
    """A model as `createModel` of the page takes it."""
    prices = {short: getattr(model, name) for name, short in NAMES.items()}
    return {
        "m": model.num_ages,
        "k": model.num_levels,
        "pmf": model.demand_pmf.tolist(),
        **prices,
    }


# Ages, levels and demands: few, since the package compiles for each.
SIZES = [(1, 12, 30), (2, 2, 3), (2, 7, 9), (3, 5, 20), (4, 4, 7)]


def random_models(count, seed=0, sizes=SIZES):
    """Shops with prices that make sense, and some that do not."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        m, k, demands = sizes[rng.integers(len(sizes))]
        pmf = rng.dirichlet(np.full(demands, 0.3)) * (rng.random(demands) < 0.7)
        pmf = pmf / pmf.sum() if pmf.sum() > 0 else np.eye(demands)[-1]
        s, h, c, r, θ = rng.uniform([-3, 0, 0, 3, 0], [3, 2, 4, 10, 4])
        if number % 3 == 0:  # absurd
            s, h, c, r, θ = rng.uniform(-4, 4, 5)
        if number % 3 == 1:  # round, so that decisions tie
            s, h, c, r, θ = np.round([s, h, c, r, θ])
        yield expiry.create_model(
            m, k, pmf, salvage=s, holding_cost=h, unit_cost=c, price=r,
            disposal_cost=θ, discount=rng.choice([0.5, 0.95, 1.0]),
        ), int(rng.integers(0, 9))  # fmt: skip


EDGES = [
    (expiry.create_model(2, 3, [1.0], **dict.fromkeys(list(NAMES)[:5], 0.0)), 3),
    (expiry.create_model(1, 2, [1.0]), 1),
    (expiry.create_model(4, 2, [0.0, 0.0, 1.0]), 5),
    (expiry.create_model(2, 10, np.eye(40)[39]), 5),
    (expiry.create_model(3, 6, np.eye(20)[8], salvage=3.0, discount=1.0), 4),
    (expiry.create_model(2, 10, salvage=-2.0, holding_cost=0.0), 5),
    (expiry.create_model(2, 10, salvage=5.0), 5),
    (expiry.create_model(2, 10, salvage=1e4, price=1e6), 5),
    (expiry.create_model(2, 10), 0),
    (expiry.create_model(2, 10), 60),
]


def solved(call, models):
    found = call(
        "expiry", "solve", [[in_words_of_the_page(model), T] for model, T in models]
    )
    for (model, T), page in zip(models, found, strict=True):
        shape = (model.num_levels,) * model.num_ages
        page = {name: np.reshape(values, shape) for name, values in page.items()}
        yield model, T, page, expiry.solve(model, T, dtype="float64")


def agrees(model, page, package):
    scale = np.abs(package.values).max()
    np.testing.assert_allclose(
        page["values"], package.values, rtol=0, atol=1e-9 * scale
    )
    np.testing.assert_array_equal(page["depletion"], package.depletion)
    np.testing.assert_array_equal(page["order"], package.order)


def test_decisions_are_the_packages(in_page):
    for model, _, page, package in solved(in_page, [*random_models(120), *EDGES]):
        agrees(model, page, package)


def explored(num_ages, count, seed):
    """Shops at random values of the explorers' sliders, where many prices are round."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield (
            expiry.create_model(
                num_ages,
                demand_pmf=expiry.poisson_pmf(rng.integers(2, 21) / 2, 19),
                salvage=rng.integers(-20, 26) / 10,
                price=rng.integers(14, 41) / 4,
                holding_cost=rng.integers(0, 41) / 20,
                disposal_cost=rng.integers(0, 17) / 4,
            ),
            5,
        )


@pytest.mark.parametrize("num_ages", [2, 3])
def test_decisions_at_the_sliders_values(in_page, num_ages):
    """With the page's own law of demand."""
    for model, T in explored(num_ages, 60, num_ages):
        law = model.demand_pmf
        words = in_words_of_the_page(model)
        mean = next(
            half / 2
            for half in range(2, 21)
            if np.allclose(expiry.poisson_pmf(half / 2, 19), law)
        )
        (words["pmf"],) = in_page("expiry", "cutPoisson", [[mean, 19]])
        np.testing.assert_allclose(words["pmf"], law, rtol=1e-10)
        (page,) = in_page("expiry", "solve", [[words, T]])
        package = expiry.solve(model, T, dtype="float64")
        shape = package.values.shape
        agrees(model, {n: np.reshape(v, shape) for n, v in page.items()}, package)


def test_value_of_keeping_all(in_page):
    """By the definition, for two classes: no depletion, the best order."""
    models = [
        (model, T) for model, T in random_models(60, 1) if T > 0 and model.num_ages == 2
    ]
    for model, T, page, _ in solved(in_page, models):
        later = expiry.solve(model, T - 1, dtype="float64").values
        k, d = model.num_levels, np.arange(model.demand_pmf.size)
        _, h, c, r, θ, α = model[3:]
        for x in np.ndindex(k, k):
            best = -np.inf
            for q in range(k):
                aged = np.array([x[1], q])
                beyond = np.maximum(d - x[0], 0)[:, None]
                tomorrow = np.clip(aged.cumsum() - beyond, 0, aged)
                earned = r * np.minimum(d, sum(x) + q) - θ * np.maximum(x[0] - d, 0)
                mean = model.demand_pmf @ (earned + later[tuple(tomorrow.T)])
                best = max(best, -h * sum(x) + α * (mean - c * q))
            assert page["kept"][x] == pytest.approx(
                best, abs=1e-9 * np.abs(later).max() + 1e-9
            )


def test_thresholds_are_read_off_as_the_package_does(in_page):
    """Where there are none, the same state shows it."""
    models = [*random_models(300, 2), *EDGES]
    tables = [expiry.solve(model, T, dtype="float64").depletion for model, T in models]
    sizes = [{"m": model.num_ages, "k": model.num_levels} for model, _ in models]
    found = in_page(
        "expiry", "readOff",
        [[z.ravel().tolist(), size] for z, size in zip(tables, sizes, strict=True)],
    )  # fmt: skip
    refused = 0
    for z, page in zip(tables, found, strict=True):
        if wrong := page["wrong"]:
            refused += 1
            x = tuple(int(n) for n in np.unravel_index(wrong["x"], z.shape))
            told = f"in state {x} it is {wrong['is']} and the thresholds give"
            with pytest.raises(ValueError, match=re.escape(f"{told} {wrong['give']}")):
                threshold.read_off(z)
            continue
        for card, kept in zip(threshold.read_off(z), page["cards"], strict=True):
            assert card.ravel().tolist() == kept
    assert 1 < refused < len(models) / 2


# ------------------------------------------------------------------------ rules of thumb


def periods_worth_holding(model):
    """As in the lecture, equation (policies-keep)."""
    i = np.arange(model.num_ages)
    s, h, c, _, _, α = model[3:]
    return int((h * np.cumsum(α**i) <= α ** (i + 1) * c - s).sum())


def relative_gap(best, worth):
    """As in the lecture."""
    largest = np.abs(best).max()
    return (best - worth) / (best if best.min() > largest / 20 else max(largest, 1e-9))


def sensible(count, seed):
    """Random shops with a critical ratio, and some that have none in (0, 1)."""
    for number, (model, T) in enumerate(random_models(count, seed)):
        s, c = model.salvage, model.unit_cost
        if number % 5 == 0:  # the price is the cost: nothing is worth ordering
            model = model._replace(salvage=min(s, c - 1), price=c)
        elif not s < c <= model.price:
            model = model._replace(salvage=1.0, unit_cost=2.0, price=3.0)
        yield model, max(T, 1)


def test_rules_are_the_packages(in_page):
    models = list(sensible(200, 3))
    words = [[in_words_of_the_page(model)] for model, _ in models]
    levels = in_page("policies", "newsvendorLevel", words)
    assert levels == [expiry.newsvendor_level(model) for model, _ in models]
    holding = in_page("policies", "worthHolding", words)
    assert holding == [periods_worth_holding(model) for model, _ in models]
    rng = np.random.default_rng(4)
    limits = [*rng.uniform(0.1, 5, 180).tolist(), *[1e-6] * 20]
    for arguments, hold in (
        (words, [None] * len(models)),
        ([[*one, limit] for one, limit in zip(words, limits, strict=True)], limits),
    ):
        found = in_page("policies", "fluidPolicy", arguments)
        for (model, T), page, limit in zip(models, found, hold, strict=True):
            policy = expiry.fluid_policy(model, T, limit)
            assert page["z"] == policy.depletion[0].ravel().tolist()
            assert page["q"] == policy.order[0].ravel().tolist()
            if T > 1:
                assert (policy.depletion[1:] == 0).all()
                assert page["later"] == policy.order[-1].ravel().tolist()


def test_worth_of_rules(in_page):
    for model, T in sensible(100, 5):
        words, level = in_words_of_the_page(model), expiry.newsvendor_level(model)
        (by_level,) = in_page("policies", "newsvendorPolicy", [[words, level]])
        (fluid,) = in_page("policies", "fluidPolicy", [[words, 2]])
        ratio = expiry.newsvendor_policy(model, T, level=level)
        greedy = expiry.greedy(model, ratio, T, dtype="float64")
        found = in_page(
            "policies", "evaluate", [[words, by_level, T], [words, fluid, T]]
        )
        (improved,) = in_page("policies", "greedy", [[words, by_level, T]])
        assert improved["depletion"] == greedy.depletion[0].ravel().tolist()
        assert improved["order"] == greedy.order[0].ravel().tolist()
        for page, policy in (
            (found[0], ratio),
            (found[1], expiry.fluid_policy(model, T, 2)),
            (improved["values"], greedy),
        ):
            values = expiry.evaluate(model, policy, T, dtype="float64").ravel()
            scale = max(np.abs(values).max(), 1e-9)
            np.testing.assert_allclose(page, values, rtol=0, atol=1e-9 * scale)


def test_gaps_at_the_sliders_values(in_page):
    """A gap is a share of a shop's own best earnings at every value of the sliders."""
    rng, T = np.random.default_rng(6), 5
    ends = np.array([[0, 0, 16, 16], [50, 32, 40, 36]])  # of s, θ, r and the mean
    corners = [
        [*np.where([i >> j & 1 for j in range(4)], *ends[::-1]), m]
        for i in range(16) for m in (1, 2, 3, 4)
    ]  # fmt: skip
    inside = [rng.integers([0, 0, 16, 16, 1], [51, 33, 41, 37, 5]) for _ in range(16)]
    for number, (s, θ, r, mean, m) in enumerate([*corners, *inside]):
        model = expiry.create_model(
            int(m),
            demand_pmf=expiry.poisson_pmf(mean / 4, 19),
            salvage=s / 20,
            disposal_cost=θ / 4,
            price=r / 4,
        )
        best = expiry.solve(model, T, dtype="float64").values
        assert best.min() > best.max() / 20
        if number % 6:  # all of them would take minutes
            continue
        (found,) = in_page("rules", "ruleGaps", [[in_words_of_the_page(model), T]])
        ratio = expiry.newsvendor_policy(model, T, level=expiry.newsvendor_level(model))
        hold = max(periods_worth_holding(model), 1e-6)
        policies = {
            "fluid": expiry.fluid_policy(model, T),
            "fluid, worth holding": expiry.fluid_policy(model, T, hold),
            "full shelf": expiry.newsvendor_policy(model, T),
            "critical ratio": ratio,
            "critical ratio, greedy": expiry.greedy(model, ratio, T, dtype="float64"),
        }
        assert list(found) == list(policies)
        for name, policy in policies.items():
            worth = expiry.evaluate(model, policy, T, dtype="float64")
            gap = relative_gap(best, worth).ravel()
            np.testing.assert_allclose(found[name], gap, rtol=0, atol=1e-9)


# ------------------------------------------------------------------------ what it takes


def operations(m, k, d_max):
    """As the lecture on the tensor backup counts, entry by entry."""
    d = min(d_max, (m + 1) * (k - 1))
    states = float(k) ** m
    matrices = 0
    for classes in range(1, m + 1):
        n = np.arange(k + (m - classes) * (k - 1))[:, None, None]
        u_1, i = np.arange(k)[:, None], np.arange(k)
        entries = np.count_nonzero((i == u_1) | ((i < u_1) & (n + u_1 - i <= d)))
        matrices += (entries + n.size * k) * float(k) ** (classes - 1)
    bottom = max(2 * k - 1, d) * states / k
    return {
        "definition": states * (m * (k - 1) / 2 + 1) * k * (d + 1),
        "tree, at most": states * k * (d + 1),
        "matrices": matrices,
        "chains": (2 * k - 1) * states + bottom,
        "floor": states * k,
    }


def test_operations_are_counted_as_in_the_lecture(in_page):
    rng = np.random.default_rng(7)
    cases = [
        (m, k, d)
        for m in range(2, 9)
        for k, d in [(2, 1), (2, 99), (40, 1), (40, 99), (10, 19)]
    ] + rng.integers([2, 2, 1], [9, 41, 100], (60, 3)).tolist()
    found = in_page("work", "operations", [list(case) for case in cases])
    for case, page in zip(cases, found, strict=True):
        assert page == pytest.approx(operations(*case), rel=1e-12)


def test_memory_and_time_are_those_of_the_lecture(in_page, monkeypatch):
    """With all chains at once, and in blocks that a cache holds."""
    monkeypatch.setattr(tensor.jax, "default_backend", lambda: "cpu")
    rng, measured = (
        np.random.default_rng(8),
        {"c": 4.7, "whole": 9.3, "a": 1e-4, "b": 2e-9},
    )
    for cache in (tensor.CACHE, 2**40):
        monkeypatch.setattr(tensor, "CACHE", cache)
        cases = rng.integers([3, 4, 1], [13, 33, 17], (80, 3)).tolist()
        given = measured | {"cache": cache}
        found = in_page("work", "eachDevice", [[*case, given] for case in cases])
        times = in_page("work", "seconds", [[*case, given] for case in cases])
        for (m, k, n), page, time in zip(cases, found, times, strict=True):
            columns = k ** (m - 2)
            block = tensor.block_size(k, columns, np.float32) / columns
            bytes_ = 4 * float(k) ** m * (4.7 + (2 * k - 1) / k * (1 + block))
            share = -(-k // n) / k
            if n > 1:
                bytes_ = share * bytes_ + 9.3 * 4 * float(k) ** (m - 1)
            assert page == pytest.approx(bytes_, rel=1e-12)
            seconds = 1e-4 + share * 2e-9 * float(k) ** (m + 1)
            assert time == pytest.approx(seconds, rel=1e-12)


# ------------------------------------------------------------ goods that perish, m = 2, L = 1


def corner_shops(count=8):
    """Shops at the ends of the explorer's sliders, and between."""
    rng = np.random.default_rng(4)
    prices = [(0, 3, 1.0, 0.2), (20, 15, 6.0, 1.0), (7, 5, 4.0, 0.5), (0, 15, 1.0, 1.0)]
    prices += [
        (
            int(rng.integers(21)),
            int(rng.integers(3, 16)),
            rng.uniform(1, 6),
            rng.uniform(0.2, 1),
        )
        for _ in range(count)
    ]
    for θ, p, mean, cv in prices:
        for issued in issuing.ISSUING:
            yield issuing.create_parameters(
                2, 1, issued, demand_pmf=issuing.gamma_pmf(mean, cv), disposal_cost=float(θ),
                lost_sale_cost=float(p),
            )  # fmt: skip


def corner_in_page(params):
    return {
        "issuing": params.issuing, "k": params.most_order + 1,
        "pmf": params.demand_pmf.tolist(), "c": params.unit_cost,
        "p": params.lost_sale_cost, "θ": params.disposal_cost, "h": params.holding_cost,
        "α": params.discount,
    }  # fmt: skip


def test_a_rounded_gamma_law_is_the_package_s(in_page):
    laws = [(m, cv) for m in (1.0, 2.5, 6.0) for cv in (0.2, 0.5, 1.0)]
    for law, page in zip(laws, in_page("issuing", "gammaPmf", laws), strict=True):
        expected = issuing.gamma_pmf(*law)
        size = min(len(page), len(expected))  # where 1e-15 is left may be rounded
        np.testing.assert_allclose(page[:size], expected[:size], atol=1e-11)
        assert sum(page[size:]) + expected[size:].sum() < 1e-14


def test_goods_that_perish_are_ordered_as_by_the_package(in_page):
    shops = list(corner_shops())
    found = in_page(
        "issuing", "optimum", [[corner_in_page(one), 1e-6] for one in shops]
    )
    for one, page in zip(shops, found, strict=True):
        best = issuing.optimum(one)
        orders = np.reshape(page["orders"], best.orders.shape)
        assert page["lower"] - 1e-8 <= best.upper
        assert best.lower <= page["upper"] + 1e-8
        np.testing.assert_array_equal(orders, best.orders)


def test_returns_of_goods_that_perish_are_the_package_s(in_page):
    shops = list(corner_shops(2))
    rules = [issuing.optimum(one, tol=1e-4).orders for one in shops]
    calls = [
        [corner_in_page(one), orders.ravel().tolist()]
        for one, orders in zip(shops, rules, strict=True)
    ]
    for one, orders, page in zip(
        shops, rules, in_page("issuing", "ruleReturn", calls), strict=True
    ):
        exact = issuing.rule_return(one, issuing.by_table(orders))
        assert page == pytest.approx(exact.mean, rel=1e-9)
