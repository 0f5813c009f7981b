"""Base stock in the page: demand over a lead time, what levels cost, and the best of them."""

import itertools

import numpy as np
import pytest
from scipy import special, stats

from lectures_helpers import demand
from lectures_helpers.classical import base_stock, renewal

# Ends and middles of the sliders.
GRID = itertools.product(
    [12.0, 120.0, 240.0], [0.25 / 12, 1 / 12, 2 / 12], [20.0, 180.0], [50.0, 300.0]
)


def shops(count=100):
    rng = np.random.default_rng(0)
    some = 10 ** rng.uniform([0, -2.5, 0, 0], [3, 0, 3, 4], (count, 4))
    for D, L, H, B in [*GRID, *some.tolist()]:
        yield (
            {"D": D, "L": L, "H": H, "B": B},
            base_stock.create_parameters(D, 0.0, H, B, L),
        )


def test_gamma_and_its_logarithm_are_scipys(in_page):
    rng = np.random.default_rng(0)
    shapes = 10 ** rng.uniform(-2, 3, 600)
    near = shapes + 3 * np.sqrt(shapes) * rng.normal(size=shapes.size)
    x = np.where(
        rng.random(shapes.size) < 0.5, near, shapes * 10 ** rng.uniform(-1, 1, 600)
    )
    x = np.maximum(x, 0.0)
    found = np.array(in_page("probability", "gammaTails", np.c_[shapes, x].tolist()))
    exact = np.stack(
        [special.gammainc(shapes, x), special.gammaincc(shapes, x)], axis=1
    )
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-11)
    smaller = exact.argmin(axis=1)[:, None]
    pairs = (np.take_along_axis(some, smaller, 1) for some in (found, exact))
    np.testing.assert_allclose(*pairs, rtol=1e-11, atol=1e-300)
    u = np.r_[
        rng.random(400),
        10 ** rng.uniform(-12, 0, 100),
        1 - 10 ** rng.uniform(-9, 0, 100),
    ]
    found = in_page(
        "probability", "gammaQuantile", np.c_[u, shapes, 0 * u + 2].tolist()
    )
    np.testing.assert_allclose(found, 2 * stats.gamma(shapes).ppf(u), rtol=1e-11)
    assert in_page("probability", "gammaQuantile", [[0, 2, 1]]) == [0]
    arguments = [[x] for x in (*shapes, 1e-9, 1, 2, 3, 12, 1e6)]
    logs = in_page("probability", "logGamma", arguments)
    exact = special.gammaln([x for (x,) in arguments])
    np.testing.assert_allclose(logs, exact, rtol=1e-13, atol=1e-13)
    pmf = in_page("probability", "poissonPmf", [[k, 17.3] for k in range(80)])
    np.testing.assert_allclose(pmf, stats.poisson(17.3).pmf(np.arange(80)), rtol=1e-12)


# The page's tables, of which the package leaves out what has less than 1e-12 of the time.
def tables(call, cases, scv):
    names = ["leadTimeDemand"] if scv is None else ["gammaLeadTimeDemand", scv]
    arguments = [[D, L, *names[1:]] for D, L in cases]
    return call("renewal", names[0], arguments)


@pytest.mark.parametrize("scv", [0.05, 0.1, 0.3, 1.0, 1.7, 4.0])
def test_tables_of_gamma_demand_are_the_packages(in_page, scv):
    cases = [
        (120.0, 1 / 12),
        (12.0, 0.02),
        (240.0, 2 / 12),
        (37.3, 0.311),
        (240.0, 0.5),
    ]
    for page, (D, L) in zip(tables(in_page, cases, scv), cases, strict=True):
        law = demand.create_distribution("gamma", None, scv)
        exact = renewal.lead_time_demand(law, D, L)
        for name in ("tail", "backorders", "filled"):
            size = min(len(page[name]), getattr(exact, name).size)
            table = getattr(exact, name)[:size]
            close = {"rtol": 1e-9, "atol": 1e-11 * D * L}
            np.testing.assert_allclose(page[name][:size], table, **close, err_msg=name)
            if name != "filled":
                rest = *page[name][size:], *getattr(exact, name)[size:]
                assert max(rest, default=0) < 1e-11 * D * L


@pytest.mark.parametrize("scv", [None, 0.1, 0.5, 1.0, 2.0])
def test_levels_are_the_packages(in_page, scv):
    law = None if scv is None else demand.create_distribution("gamma", None, scv)
    cases = list(shops(60 if scv is None else 10))
    laws = tables(in_page, [(ours["D"], ours["L"]) for ours, _ in cases], scv)
    for (ours, params), N in zip(cases, laws, strict=True):
        (best,) = in_page("base_stock", "optimalLevel", [[ours, N]])
        assert best == base_stock.optimal_level(params, law)
        levels = sorted(
            {0, 1, max(best - 1, 0), best, best + 1, best + 7, len(N["tail"]) + 5}
        )
        found = in_page("base_stock", "exact", [[ours, N, R] for R in levels])
        exact = base_stock.exact(params, levels, law)
        H, B = ours["H"] / ours["D"], ours["B"] / ours["D"]
        for name, truth, scale in (
            ("holding", exact.costs.holding, H),
            ("backorder", exact.costs.backorder, B),
            ("relevant", exact.costs.relevant, H + B),
            ("onHand", exact.mean_on_hand, 1.0),
            ("backorders", exact.mean_backorders, 1.0),
            ("fillRate", exact.fill_rate, 1.0),
            ("readyRate", exact.ready_rate, 1.0),
        ):
            page = [x[name] for x in found]
            # Where the package's tables end, they leave out what is less.
            close = {"rtol": 1e-9, "atol": 1e-12 * max(N["mean"], 10) * scale}
            np.testing.assert_allclose(page, truth, **close, err_msg=name)
        lines = in_page("base_stock", "backorderPmf", [[N, R, 30] for R in levels])
        known = np.zeros((len(levels), 31))
        size = min(31, exact.backorder_pmf.shape[1])
        known[:, :size] = exact.backorder_pmf[:, :size]
        np.testing.assert_allclose(lines, known, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("scv", [0.1, 0.5, 1, 2.0, 4.0])
def test_the_formulas_level_is_the_packages(in_page, scv):
    ours, packages = zip(*shops(40), strict=True)
    arguments = [[shop, {"mean": shop["D"] * shop["L"]}, scv] for shop in ours]
    found = in_page("base_stock", "approximateLevel", arguments)
    exact = [base_stock.approximate_level(params, "gamma", scv) for params in packages]
    np.testing.assert_allclose(found, exact, rtol=1e-9)


def test_the_slope_is_the_costs(in_page):
    """Of the package's cost, by central differences; and by its fill rate (eq:bs-slope)."""
    for ours, params in shops(10):
        N, *around = (
            base_stock.exact(params._replace(lead_time=ours["L"] * x), np.arange(30))
            for x in (1, 1 - 1e-6, 1 + 1e-6)
        )
        (law,) = in_page("renewal", "leadTimeDemand", [[ours["D"], ours["L"]]])
        found = in_page(
            "base_stock", "leadTimeSlope", [[ours, law, R] for R in range(30)]
        )
        exact = -ours["H"] * N.fill_rate + ours["B"] * (1 - N.fill_rate)
        close = {"rtol": 1e-9, "atol": 1e-9 * (ours["H"] + ours["B"])}
        np.testing.assert_allclose(found, exact, **close)
        before, after = (x.costs.relevant for x in around)
        slope = (after - before) / (2e-6 * ours["L"])
        np.testing.assert_allclose(
            found, slope, rtol=1e-4, atol=1e-4 * (ours["H"] + ours["B"])
        )


@pytest.mark.parametrize("scv", [0.1, 1.0, 3.9])
def test_the_counts_deviation_is_the_packages(in_page, scv):
    cases = [(120.0, 1 / 12), (12.0, 0.02), (240.0, 2 / 12)]
    for (D, L), table in zip(cases, tables(in_page, cases, scv), strict=True):
        (found,) = in_page("renewal", "deviation", [[table]])
        law = demand.create_distribution("gamma", None, scv)
        tail = renewal.lead_time_demand(law, D, L).tail
        square = ((2 * np.arange(tail.size) + 1) * tail).sum() - (D * L) ** 2
        assert found == pytest.approx(np.sqrt(square), rel=1e-9)
