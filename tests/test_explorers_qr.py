"""(Q, r) in the page is the package's: laws, costs, the optimum, the recipe."""

import numpy as np
import pytest
from scipy import stats

from lectures_helpers.classical import qr, renewal

#: D, L, A, H, B of shops at the ends of what explorers move, and beyond.
EDGES = [
    (140.0, 0.125, 50.0, 30.0, 100.0), (140.0, 0.125, 0.0, 30.0, 100.0),
    (20.0, 0.025, 0.0, 5.0, 500.0), (20.0, 0.025, 1000.0, 60.0, 20.0),
    (300.0, 0.25, 1000.0, 5.0, 20.0), (300.0, 0.25, 0.0, 60.0, 500.0),
    (300.0, 0.025, 1000.0, 60.0, 20.0), (1.5, 2.0, 100.0, 20.0, 150.0),
    (500.0, 0.5, 10.0, 100.0, 1000.0), (0.3, 0.01, 1.0, 1.0, 1.0),
]  # fmt: skip


def shops(count):
    rng = np.random.default_rng(7)
    yield from EDGES
    for _ in range(count - len(EDGES)):
        D, A = np.exp(rng.uniform([1, 0], [6.2, 7]))
        H, B = np.exp(rng.uniform([0, 1], [4.6, 7]))
        yield D, rng.uniform(0.005, 0.5), A, H, B


def both(of):
    """What the page and the package are given."""
    D, L, A, H, B = map(float, of)
    return dict(D=D, L=L, A=A, H=H, B=B), qr.create_parameters(D, 0.0, A, H, B, L)


@pytest.fixture(scope="module")
def some():
    return [both(of) for of in shops(400)]


def test_demand_over_a_lead_time_is_that_of_the_package(in_page, some):
    found = in_page("renewal", "leadTimeDemand", [[p["D"], p["L"]] for p, _ in some])
    for (p, _), page in zip(some, found, strict=True):
        N = renewal.lead_time_demand(None, p["D"], p["L"])
        n = N.tail.size - 1  # at its end the package's table is cut
        for name in ("tail", "backorders", "filled"):
            np.testing.assert_allclose(
                page[name][:n], getattr(N, name)[:n], rtol=1e-9, atol=1e-15
            )
        assert max(page["tail"][n:], default=0.0) < renewal.CUT


def test_best_pairs_are_those_of_the_package(in_page, some):
    found = in_page("qr", "optimalPolicy", [[p] for p, _ in some])
    for (_, shop), page in zip(some, found, strict=True):
        best = qr.optimal_policy(shop)
        assert (page["quantity"], page["reorderPoint"]) == best[:2]
        assert page["cost"] == pytest.approx(best.cost, rel=1e-9)


def test_recipes_are_those_of_the_package(in_page, some):
    some = [(p, shop) for p, shop in some if p["A"]]  # EOQ has no lot without setups
    found = in_page("qr", "approximatePolicy", [[p] for p, _ in some])
    assert found == [list(qr.approximate_policy(shop)) for _, shop in some]


def test_costs_and_service_are_those_of_the_package(in_page, some):
    rng, asked, expected = np.random.default_rng(8), [], []
    for p, shop in some:
        Q = int(np.exp(rng.uniform(0, 5)))
        for r in (-Q, int(rng.integers(-Q, 100))):
            asked.append([p, Q, r])
            expected.append(qr.exact(shop, Q, r))
    found = in_page("qr", "exact", asked)
    names = {"fill_rate": "fillRate", "mean_on_hand": "meanOnHand",
             "mean_backorders": "meanBackorders"}  # fmt: skip
    for (_, Q, r), page, lot in zip(asked, found, expected, strict=True):
        total = float(lot.costs.relevant)
        assert page["relevant"] == pytest.approx(total, rel=1e-9)
        for part in ("setup", "holding", "backorder"):
            # The package leaves out the last 1e-12 of the law.
            value = float(getattr(lot.costs, part))
            assert page[part] == pytest.approx(value, rel=1e-9, abs=1e-10 * total)
        for ours, theirs in names.items():
            value = float(getattr(lot, ours))
            assert page[theirs] == pytest.approx(value, rel=1e-9, abs=1e-10), (Q, r)


def test_laws_of_the_stock_are_those_of_the_package(in_page, some):
    rng = np.random.default_rng(9)
    laws = in_page("renewal", "leadTimeDemand", [[p["D"], p["L"]] for p, _ in some])
    stocks, waits, expected = [], [], []
    for (p, shop), N in zip(some[:60], laws, strict=False):
        Q, r = int(rng.integers(1, 40)), int(rng.integers(-1, 60))
        lot, y = qr.exact(shop, Q, r), np.arange(r + 1, r + Q + 1)
        mean = p["D"] * p["L"]
        for x in (-3, -1, 0, 1, 5):
            stocks.append([Q, r, x, N])
            exact = stats.poisson.pmf(y - x, mean).mean()
            expected.append((exact, lot, x))
        waits += [[Q, r, b, N] for b in (1, 2, 4)]
        expected[-1] += (1 - lot.backorder_pmf.cumsum(),)
    shares = in_page("qr", "netInventoryPmf", stocks)
    for share, (exact, lot, x, *_) in zip(shares, expected, strict=True):
        assert share == pytest.approx(exact, rel=1e-9, abs=1e-14)
        if x < 0 and -x < lot.backorder_pmf.size - 1:
            assert share == pytest.approx(lot.backorder_pmf[-x], rel=1e-9, abs=1e-11)
    tails = iter(in_page("qr", "waitingTail", waits))
    lines = [[*args[:2], 0.99, args[-1]] for args in waits[::3]]
    lines = iter(in_page("qr", "linesNeeded", lines))
    for _, lot, _, more in (one for one in expected if len(one) > 3):
        assert next(lines) == np.argmax(lot.backorder_pmf.cumsum() >= 0.99)
        for b in (1, 2, 4):
            rest = more[b - 1] if b <= more.size else 0.0
            assert next(tails) == pytest.approx(rest, rel=1e-9, abs=1e-11)


def test_maps_are_those_of_the_package(in_page, some):
    Q, r = np.arange(0, 61, 4).clip(1), np.arange(-1, 60, 4)
    found = in_page(
        "qr", "landscape", [[p, Q.tolist(), r.tolist()] for p, _ in some[:60]]
    )
    for (_, shop), page in zip(some, found, strict=False):
        exact = qr.exact(shop, Q, r).annual.relevant
        # Differences of long sums.
        np.testing.assert_allclose(page, exact.ravel(), rtol=1e-9, atol=1e-9)


def test_best_points_of_a_lot_are_those_of_the_package(in_page, some):
    found = in_page("qr", "bestPoints", [[p, 60] for p, _ in some[:40]])
    for (_, shop), page in zip(some, found, strict=False):
        for Q in (1, 2, 7, 30, 60):
            r = np.arange(-Q, page[0] + 2)
            costs = qr.exact(shop, Q, r).costs.relevant
            assert costs[page[Q - 1] + Q] == pytest.approx(costs.min(), rel=1e-12)
