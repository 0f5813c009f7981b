"""Lots in the page: their costs, the best ones, and the paths of customers who come at random."""

import itertools

import jax
import numpy as np
import pytest

from lectures_helpers import demand
from lectures_helpers.classical import eoq

# Ends and middles of the sliders, and prices that make Q (Q + 1) = 2 A D / H exactly.
GRID = itertools.product(
    [100.0, 1000.0, 1050.0, 4000.0], [25.0, 500.0, 1000.0], [10.0, 35.0, 150.0]
)
EXACT = [(Q * (Q + 1) / 2, 10.0, 10.0) for Q in (1, 2, 3, 168, 169, 893)]


def shops():
    rng = np.random.default_rng(0)
    some = 10 ** rng.uniform([-2, -2, -2], [6, 6, 4], (200, 3))
    most = 2 * some[:, 0] * some[:, 1] / some[:, 2] <= 1e14  # what the package allows
    for D, A, H in [*GRID, *EXACT, (1000.0, 0.0, 35.0), *some[most].tolist()]:
        yield {"D": D, "A": A, "H": H}, eoq.create_parameters(D, 0.0, A, H)


def test_best_lots_are_the_packages(in_page):
    ours, packages = zip(*shops(), strict=True)
    whole = in_page("eoq", "optimalUnitQuantity", [[shop] for shop in ours])
    assert whole == [eoq.optimal_unit_quantity(params) for params in packages]
    found = in_page("eoq", "optimalQuantity", [[shop] for shop in ours if shop["A"]])
    exact = [eoq.optimal_quantity(params) for params in packages if params.setup_cost]
    np.testing.assert_allclose(found, exact, rtol=1e-14)


def test_costs_are_the_packages(in_page):
    for ours, params in shops():
        lots = [1, 2, 10, 169, 900, 10_000]
        found = in_page("eoq", "unitDemandCost", [[ours, Q] for Q in lots])
        exact = eoq.unit_demand_cost(params, lots)
        for part in ("setup", "holding", "relevant"):
            values = [cost[part] for cost in found]
            np.testing.assert_allclose(values, getattr(exact, part), rtol=1e-14)


@pytest.mark.parametrize("scv", [0.01, 0.1, 0.5, 1.0, 1.9, 2.5, 10.0])
@pytest.mark.parametrize(("Q", "D"), [(10, 250.0), (50, 1000.0), (100, 1250.0)])
def test_paths_are_those_of_the_lecture(in_page, scv, Q, D):
    """By SciPy's quantiles of the same uniforms: 1e-9 of all dates, and of what is said."""
    count, key = 1000, jax.random.key(7)
    data = np.asarray(jax.random.key_data(key)).tolist()
    arguments = [{"scv": scv, "Q": Q, "D": D}, data, count]
    (path,) = in_page("eoq", "stockPath", [arguments])
    quantiles = np.asarray(jax.random.uniform(key, (count,)), float) + 2.0**-24
    gaps = demand.quantile(demand.create_distribution("gamma", 1 / D, scv), quantiles)
    np.testing.assert_allclose(path["dates"][1:], gaps.cumsum(), rtol=1e-9)
    assert path["stock"] == (Q - np.arange(count + 1) % Q).tolist()

    (told,) = in_page("eoq", "shelfTimes", [[path, Q]])
    assert told["lots"] == count // Q
    stock, held = np.array(path["stock"])[:count], gaps
    assert told["mean"] == pytest.approx(stock @ held / held.sum(), rel=1e-9)
    tenths = [
        held[(stock > i * Q / 10) & (stock <= (i + 1) * Q / 10)].sum()
        for i in range(10)
    ]
    np.testing.assert_allclose(told["shares"], tenths / held.sum(), rtol=1e-9)


def test_paths_of_other_numbers_of_lots_leave_the_rest_out(in_page):
    (path,) = in_page(
        "eoq", "stockPath", [[{"scv": 1, "Q": 30, "D": 1000}, [0, 1], 1000]]
    )
    (told,) = in_page("eoq", "shelfTimes", [[path, 30]])
    assert told["lots"] == 33
    assert sum(told["shares"]) == pytest.approx(1)
    gaps, stock = np.diff(path["dates"])[:990], np.array(path["stock"])[:990]
    assert told["mean"] == pytest.approx(gaps @ stock / gaps.sum(), rel=1e-12)
