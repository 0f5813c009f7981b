"""What the explorers of the part on optimal rules compute in the page is the package's."""

import numpy as np
import pytest
from page_modules import in_page  # noqa: F401 (a fixture)

from lectures_helpers.dynamics import ss, ss_exact
from lectures_helpers.optimal import periodic

SHOP = {"μ": 1.0, "σ": 0.5}  # of the lecture on where s and S come from
ROWS = [0.0, *np.arange(0.25, 20, 0.5), 20.0]
COLUMNS = np.arange(21, 207, 0.5).tolist()


def exact(s, S, μ, σ):
    return ss_exact.flows(ss.create_parameters(s=s, S=S, μ=μ, σ=σ), tol=1e-9)


def same_flows(page, flows, relative):
    assert page["restocks"] == pytest.approx(flows.restocks, rel=relative)
    assert page["onHand"] == pytest.approx(flows.on_hand, rel=relative)
    # The package takes it as a difference, to 1e-9 or so.
    assert page["lost"] == pytest.approx(flows.lost, rel=relative, abs=1e-8)


def pairs(count):
    rng = np.random.default_rng(0)
    yield from [(0.0, 1.0), (0.0, 21.0), (0.0, 250.0), (20.0, 21.0), (20.0, 206.0)]
    for _ in range(count):
        s = rng.uniform(0, 30)
        yield s, s + rng.uniform(0.5, 250)


@pytest.mark.parametrize(
    ("σ", "relative"), [(0.3, 1e-6), (0.5, 1e-6), (0.65, 1e-5), (0.8, 1e-4)]
)
def test_flows_are_those_of_the_exact_law(in_page, σ, relative):  # noqa: F811
    some = list(pairs(12))
    found = in_page(
        "ss_exact", "flows", [[{"s": s, "S": S, "μ": 1, "σ": σ}] for s, S in some]
    )
    for (s, S), page in zip(some, found, strict=True):
        same_flows(page, exact(s, S, 1.0, σ), relative)


@pytest.mark.parametrize("μ", [-2.0, 0.0, 3.0])
def test_flows_do_not_depend_on_the_unit(in_page, μ):  # noqa: F811
    (page,) = in_page(
        "ss_exact",
        "flows",
        [[{"s": 10 * np.exp(μ), "S": 60 * np.exp(μ), "μ": μ, "σ": 0.5}]],
    )
    same_flows(page, exact(10 * np.exp(μ), 60 * np.exp(μ), μ, 0.5), 1e-6)


def test_the_landscape_is_the_flows_of_its_pairs(in_page):  # noqa: F811
    ((page,),) = [in_page("ss_exact", "landscape", [[SHOP, ROWS, COLUMNS, 0.25]])]
    rng = np.random.default_rng(0)
    for row, column in rng.integers((len(ROWS), len(COLUMNS)), size=(30, 2)):
        flows = exact(ROWS[row], COLUMNS[column], **SHOP)
        at = row * len(COLUMNS) + column
        same_flows({name: page[name][at] for name in page}, flows, 1e-6)


def test_pairs_out_of_order_have_no_flows(in_page):  # noqa: F811
    (page,) = in_page("ss_exact", "landscape", [[SHOP, [1, 3], [2, 4], 1]])
    assert [x == np.inf for x in page["restocks"]] == [False, False, True, False]


def test_the_best_pair_is_that_of_the_search(in_page):  # noqa: F811
    """Beside the package's least cost of whole half units, for costs at all ends."""
    given = SHOP | {"rows": ROWS, "columns": COLUMNS, "unit": 0.25}
    costs = [
        dict(zip("Khp", some, strict=True))
        for some in [
            (60, 0.05, 4),
            (15, 0.1, 400),
            (120, 0.025, 400),
            (15, 0.025, 1),
            (120, 0.1, 1),
        ]
    ]
    found = in_page("levels", "best", [[some, given] for some in costs])
    for some, page in zip(costs, found, strict=True):
        K, h, p = some.values()

        def cost(s, S, K=K, h=h, p=p):
            flows = exact(s, S, **SHOP)
            return K * flows.restocks + h * flows.on_hand + p * flows.lost

        s, S = page["least"]["s"], page["least"]["S"]
        least = cost(s, S)
        assert min(page["costs"]) == pytest.approx(least, rel=2e-5)
        assert all(
            cost(max(s + ds, 0), S + dS) >= least * (1 - 1e-7)
            for ds in (-0.5, 0, 0.5)
            for dS in (-0.5, 0, 0.5)
            if s + ds > 0
        )


def curves(count):
    rng = np.random.default_rng(0)
    yield from [[0.0], [1.0, 0.0], [0.0] * 5, [4.0, 1.0, 3.0, 0.0]]
    for _ in range(count):
        yield rng.normal(size=rng.integers(3, 80)).cumsum().tolist()


def test_the_least_k_is_the_packages(in_page):  # noqa: F811
    some = list(curves(30))
    found = in_page("periodic", "convexity", [[curve] for curve in some])
    needs = [periodic.convexity(curve) for curve in some]
    np.testing.assert_allclose(found, needs, rtol=1e-12, atol=1e-12)


def test_orders_go_up_to_the_lowest_place_above(in_page):  # noqa: F811
    some = [(curve, K) for curve in curves(30) for K in (0.0, 1.0, 100.0)]
    found = in_page("periodic", "ordering", [list(one) for one in some])
    for (curve, K), runs in zip(some, found, strict=True):
        pays = [H > K + min(curve[y:]) + 1e-6 for y, H in enumerate(curve)]
        inside = np.zeros(len(curve), bool)
        for first, last in runs:
            assert not inside[max(first - 1, 0) : last + 1].any()
            inside[first : last + 1] = True
        assert inside.tolist() == pays


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([], "One never orders."),
        ([[0, 12]], "One orders from at most 12 units."),
        ([[0, 12], [36, 38]], "One orders from at most 12, and from 36 to 38 units."),
        ([[3, 3]], "One orders from 3 units."),
    ],
)
def test_orders_are_said_in_words(in_page, runs, words):  # noqa: F811
    assert in_page("kconvex", "inWords", [[runs]]) == [words]


def test_a_hill_is_a_tent_on_the_curve(in_page):  # noqa: F811
    curve = np.random.default_rng(0).normal(size=60)
    given = {"curve": curve.tolist(), "tent": [25, 37, 50]}
    for hill in (-20.0, 0.0, 80.0):
        (page,) = in_page("kconvex", "raised", [[given, hill]])
        tent = np.interp(np.arange(60), given["tent"], [0, 1, 0])
        np.testing.assert_allclose(page, curve + hill * tent, rtol=1e-12)
