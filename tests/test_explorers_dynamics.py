"""The law of s–S inventory in the page is the package's; so are its customers."""

import jax
import numpy as np
import pytest

from lectures_helpers.dynamics import ss, ss_exact

SEEDS = [0, 1, 42, 2**32 - 1]


def data(key):
    return np.asarray(jax.random.key_data(key)).tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_bits_are_those_of_jax(in_page, seed):
    key = jax.random.key(seed)
    (page,) = in_page("random", "key", [[seed]])
    assert page == data(key)
    (bits,) = in_page("random", "bits", [[page, 100]])
    assert bits == jax.random.bits(jax.random.clone(key), (100,)).tolist()
    (halves,) = in_page("random", "split", [[page, 3]])
    assert halves == data(jax.random.split(jax.random.clone(key), 3))
    dates = [0, 1, 149, 2**31]
    folded = in_page("random", "foldIn", [[page, date] for date in dates])
    clone = jax.random.clone
    assert folded == [
        data(jax.random.fold_in(clone(key), np.uint32(date))) for date in dates
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_draws_are_those_of_jax(in_page, seed):
    key = jax.random.key(seed)
    (uniform,) = in_page("random", "uniform", [[[0, seed], 1000]])
    assert uniform == jax.random.uniform(jax.random.clone(key), (1000,)).tolist()
    (normal,) = in_page("random", "normal", [[[0, seed], 1000]])
    np.testing.assert_allclose(
        normal, jax.random.normal(key, (1000,)), rtol=1e-5, atol=1e-6
    )


def models(count):
    rng = np.random.default_rng(0)
    for _ in range(count):
        s = rng.uniform(0, 49)
        S = s + rng.uniform(5, 150)
        μ, σ = rng.uniform(0, 2), rng.uniform(0.15, 1.5)
        yield {"s": s, "S": S, "μ": μ, "σ": σ}


def test_paths_are_those_of_the_package(in_page):
    for number, model in enumerate(models(5)):
        key = jax.random.key(number)
        (page,) = in_page("ss", "samplePath", [[model, 50.0, 60, data(key)]])
        path = ss.sample_path(ss.create_parameters(**model), 50.0, 60, key=key)
        np.testing.assert_allclose(page, path, rtol=1e-5, atol=1e-3)


def test_long_run_is_the_packages_by_another_way(in_page):
    """The page solves the renewal of a cycle, the package for the stationary law."""
    some = list(models(40))
    found = in_page("ss", "longRun", [[model] for model in some])
    for model, page in zip(some, found, strict=True):
        params = ss.create_parameters(**model)
        exact = ss_exact.flows(params)
        empty = ss_exact.stationary(params).cdf(0.0)
        assert page["restocks"] == pytest.approx(exact.restocks, rel=2e-4)
        assert page["stock"] == pytest.approx(exact.on_hand, rel=2e-4)
        assert page["empty"] == pytest.approx(float(empty), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("S", [50.0, 100.0, 137.0])
def test_long_run_of_certain_demand_counts_a_cycle(in_page, S):
    (page,) = in_page("ss", "longRun", [[{"s": 10, "S": S, "μ": np.log(4), "σ": 0}]])
    stock, cycle = S, []
    while not cycle or stock > 10:
        stock = max(stock - 4, 0)
        cycle.append(stock)
    assert page["restocks"] == pytest.approx(1 / len(cycle))
    assert page["stock"] == pytest.approx(np.mean(cycle))


def crowds(count):
    """What the explorers of crowds allow: at random, and at their ends."""
    rng = np.random.default_rng(11)
    for σ in (0.3, 1.2):
        for s, x_init in ((0, 0.0), (0, 1), (10, 11), (10, 100), (60, 61), (60, 10)):
            yield {"s": s, "S": 100, "μ": 1, "σ": σ}, x_init
    for _ in range(count):
        s, S, σ = (
            int(rng.integers(61)),
            int(rng.integers(70, 121)),
            rng.uniform(0.3, 1.2),
        )
        yield {"s": s, "S": S, "μ": 1, "σ": σ}, int(rng.integers(S + 1))
    yield {"s": 50, "S": 60, "μ": 1, "σ": 0.3}, 55
    yield {"s": 0, "S": 120, "μ": 1, "σ": 0.3}, 120


def test_laws_of_a_crowd_are_those_of_the_package(in_page):
    """The page's chain of 200 cells is off by what it says, and no more."""
    dates = [1, 2, 3, 10, 20, 50, 200, 365]
    for params, x_init in crowds(10):
        model = ss.create_parameters(**params)
        s, S = params["s"], params["S"]
        stocks = [0.0, 0.4 * s, max(s - 0.01, 0.0), s, s + 1, 0.5 * (s + S), S - 3.0]
        calls = [[params, x_init, t, stocks] for t in [*dates, None]]
        pages = in_page("crowd_law", "tabulate", calls)
        laws = ss_exact.marginals(model, x_init, dates)
        laws.append(ss_exact.stationary(model))
        for page, law in zip(pages, laws, strict=True):
            np.testing.assert_allclose(
                page["cdf"], law.cdf(stocks), rtol=0, atol=1.5e-3
            )
            assert page["waiting"] == pytest.approx(float(law.cdf(s)), abs=5e-4)
            assert page["mean"] == pytest.approx(law.mean, abs=5e-4 * S)
            assert page["std"] == pytest.approx(law.std, abs=5e-4 * S)
            # Of the highest density of the picture.
            x, density = np.transpose(page["above"])
            exact = law.density(x[1:-1])
            assert np.abs(density[1:-1] - exact).max() <= 0.02 * exact.max()


def test_counts_of_restocks_are_those_of_the_package(in_page):
    for params, x_init in crowds(10):
        model = ss.create_parameters(**params)
        for T in (1, 2, 50, 200):
            (page,) = in_page("crowd_law", "restockPmf", [[params, x_init, T]])
            pmf = ss_exact.restock_pmf(model, x_init, T)
            np.testing.assert_allclose(page, pmf, rtol=0, atol=3e-5)
            assert sum(page) == pytest.approx(1, abs=1e-9)
            for least in (1, 2, 6):
                (chances,) = in_page(
                    "crowd_law", "atLeast", [[params, [x_init, 0.0], T, least]]
                )
                assert chances[0] == pytest.approx(sum(page[least:]), abs=1e-9)
                assert chances[1] >= chances[0] - 1e-9


def test_a_cross_section_has_the_law_of_its_date(in_page):
    """Numbers that are spread evenly give shares and moments of the exact law."""
    n, bins = 20_000, 50
    evenly = ((np.arange(n) + 0.5) / n).tolist()
    for params, x_init in list(crowds(4))[::3]:
        for t in (3, 30, 300):
            (page,) = in_page(
                "crowd_law", "crossSection", [[params, x_init, t, evenly, bins]]
            )
            law = ss_exact.marginal(ss.create_parameters(**params), x_init, t)
            S = params["S"]
            below = law.cdf(np.linspace(0, S, bins + 1))[1:]
            np.testing.assert_allclose(np.cumsum(page["counts"]) / n, below, atol=1e-3)
            assert page["mean"] == pytest.approx(law.mean, abs=1e-3 * S)
            assert page["std"] == pytest.approx(law.std, abs=2e-3 * S)


def test_restocks_at_each_date_are_those_of_the_package(in_page):
    for params, x_init in crowds(5):
        (page,) = in_page("crowd_law", "restocking", [[params, x_init, 365]])
        assert page[0] == (x_init <= params["s"])
        laws = ss_exact.marginals(
            ss.create_parameters(**params), x_init, range(1, 366, 7)
        )
        exact = [float(law.cdf(params["s"])) for law in laws]
        np.testing.assert_allclose(page[1::7], exact, rtol=0, atol=5e-4)
