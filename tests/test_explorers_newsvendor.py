"""The newsvendor in the page is the package's: demand's families, and what orders earn and risk."""

import numpy as np
import pytest

from lectures_helpers import demand
from lectures_helpers.classical import newsvendor as nv
from lectures_helpers.teaching import reports

FAMILIES = ["exponential", "uniform", "triangular", "gamma", "lognormal", "normal"]
CLOSE = 1e-9  # of what is at stake


def laws():
    """Laws at random and at the ends of what explorers allow, for Python and for the page."""
    rng = np.random.default_rng(1888)
    pairs = [(mean, scv) for mean in (1.0, 450.0) for scv in (1e-4, 0.01, 1.0, 4.0)]
    pairs += np.column_stack(
        [rng.uniform(1, 450, 40), 10 ** rng.uniform(-4, 0.7, 40)]
    ).tolist()
    for family in FAMILIES:
        for mean, scv in pairs:
            own = demand.FAMILIES[family].scv or scv
            law = demand.create_distribution(family, mean, own)
            yield law, {"family": family, "mean": mean, "scv": own}


def models():
    """Costs, prices and salvage values, at random and at edges: tiny margins, a fee, no cost."""
    rng = np.random.default_rng(1951)
    edges = [(8, 18, 0), (8, 8.5, 0), (2, 40, -4), (8, 18, 7.5), (0.1, 0.3, 0)]
    for _ in range(10):
        salvage, *more = np.sort(rng.uniform(-5, 40, 3))
        edges.append((max(more[0], 0.0), more[1] + 1, min(salvage, 0.0)))
    for c, p, v in edges:
        params = nv.create_parameters(float(c), float(p), float(v))
        yield params, params._asdict()


def test_a_law_without_a_choice_keeps_its_scv(in_page):
    made = in_page(
        "demand", "createDistribution", [["exponential", 3, 0.5], ["gamma", 3, 0.5]]
    )
    assert [law["scv"] for law in made] == [1, 0.5]


def test_families_are_those_of_the_package(in_page):
    probs = [1e-6, 0.01, 0.3, 0.5, 5 / 9, 0.9, 0.9999]
    some = list(laws())
    calls = [[page, u] for _, page in some for u in probs]
    quantiles = in_page("demand", "quantile", calls)
    exact = np.concatenate([demand.quantile(law, probs) for law, _ in some])
    means = np.repeat([law.mean for law, _ in some], len(probs))
    assert np.max(np.abs(quantiles - exact) / np.maximum(exact, 1e-3 * means)) < CLOSE

    places = [np.array([0, 1e-3, 0.4, 1, 1.7, 5, 1000]) * law.mean for law, _ in some]
    calls = [[page, x] for (_, page), at in zip(some, places, strict=True) for x in at]
    below = in_page("demand", "cdf", calls + [[some[0][1], -1.0]])
    exact = [demand.cdf(law, at) for (law, _), at in zip(some, places, strict=True)]
    np.testing.assert_allclose(below[:-1], np.concatenate(exact), rtol=0, atol=CLOSE)
    assert below[-1] == 0

    for name, n in (("expectedMin", 1), ("expectedMinSquare", 2)):
        found = np.reshape(in_page("demand", name, calls), (len(some), -1))
        of = demand.expected_min if n == 1 else demand.expected_min_square
        for (law, _), at, page in zip(some, places, found, strict=True):
            stake = law.mean**n * (1 + (law.scv if n == 2 else 0))
            np.testing.assert_allclose(page, of(law, at), rtol=0, atol=CLOSE * stake)


def test_what_orders_earn_and_risk_is_the_packages(in_page):
    for params, page in models():
        spread = params.price - params.salvage
        some = list(laws())
        (ratio,) = in_page("newsvendor", "criticalRatio", [[page]])
        assert ratio == pytest.approx(nv.critical_ratio(params), rel=1e-14)
        best = in_page(
            "newsvendor", "optimalQuantity", [[page, law] for _, law in some]
        )
        for (law, _), found in zip(some, best, strict=True):
            exact = nv.optimal_quantity(params, law)
            assert found == pytest.approx(exact, rel=CLOSE, abs=1e-12 * law.mean)

        orders = [np.array([0, 0.01, 0.7, 1, 2.5]) * law.mean for law, _ in some]
        calls = [
            [page, law, Q]
            for (_, law), at in zip(some, orders, strict=True)
            for Q in at
        ]
        for name, of, stake in (
            ("expectedProfit", nv.expected_profit, spread),
            ("lossProbability", nv.loss_probability, 0),
        ):
            found = np.reshape(in_page("newsvendor", name, calls), (len(some), -1))
            for (law, _), at, values in zip(some, orders, found, strict=True):
                most = CLOSE * (stake * law.mean or 1)
                np.testing.assert_allclose(
                    values, of(params, law, at), rtol=0, atol=most
                )


def test_the_law_of_profit_is_the_packages(in_page):
    probs = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    for params, page in list(models())[:6]:
        for law, there in list(laws())[::7]:
            Q = 0.9 * law.mean
            lowest = -(params.unit_cost - params.salvage) * Q
            highest = (params.price - params.unit_cost) * Q
            x = np.array([lowest - 1, lowest, 0.5 * lowest, 0, 0.5 * highest, highest])
            x = np.append(x, highest - 1e-6 * Q)
            found = in_page(
                "newsvendor", "profitCdf", [[page, there, Q, at] for at in x]
            )
            np.testing.assert_allclose(
                found, nv.profit_cdf(params, law, Q, x), rtol=0, atol=CLOSE
            )
            found = in_page(
                "newsvendor", "profitQuantile", [[page, there, Q, u] for u in probs]
            )
            exact = nv.profit_quantile(params, law, Q, probs)
            stake = (params.price - params.salvage) * law.mean
            np.testing.assert_allclose(found, exact, rtol=0, atol=CLOSE * stake)


def test_good_quantities_earn_their_share_of_the_best(in_page):
    for params, page in models():
        some = list(laws())[::5]
        found = in_page(
            "newsvendor", "goodQuantities", [[page, law, 0.9] for _, law in some]
        )
        for (law, _), ends in zip(some, found, strict=True):
            best = nv.optimal_quantity(params, law)
            most = nv.expected_profit(params, law, best)
            if most <= 1e-9 * params.price * law.mean:  # nothing is worth ordering
                continue
            assert ends[0] <= best * (1 + CLOSE)
            assert best <= ends[1] * (1 + CLOSE)
            earned = nv.expected_profit(params, law, np.array(ends))
            stake = params.price * law.mean
            np.testing.assert_allclose(earned, 0.9 * most, rtol=0, atol=1e-8 * stake)


def test_numbers_are_written_as_in_the_lectures(in_page):
    rng = np.random.default_rng(3)
    some = [0.0, 1.0, -0.5, 99.95, 999.6, 1e5, 123456.7, 1e6, -1234.5, 1e-4, 9.996]
    some += list(rng.normal(size=50) * 10 ** rng.uniform(-3, 6, 50))
    assert in_page("numbers", "number", [[x] for x in some]) == [
        reports.number(float(x)) for x in some
    ]
