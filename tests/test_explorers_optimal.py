"""What the explorers of the part on optimal rules compute in the page is the package's."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from lectures_helpers import precision
from lectures_helpers.dynamics import ss, ss_exact
from lectures_helpers.optimal import dual_sourcing as dual
from lectures_helpers.optimal import learned, lost_sales, periodic

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
def test_flows_are_those_of_the_exact_law(in_page, σ, relative):
    some = list(pairs(12))
    found = in_page(
        "ss_exact", "flows", [[{"s": s, "S": S, "μ": 1, "σ": σ}] for s, S in some]
    )
    for (s, S), page in zip(some, found, strict=True):
        same_flows(page, exact(s, S, 1.0, σ), relative)


@pytest.mark.parametrize("μ", [-2.0, 0.0, 3.0])
def test_flows_do_not_depend_on_the_unit(in_page, μ):
    (page,) = in_page(
        "ss_exact",
        "flows",
        [[{"s": 10 * np.exp(μ), "S": 60 * np.exp(μ), "μ": μ, "σ": 0.5}]],
    )
    same_flows(page, exact(10 * np.exp(μ), 60 * np.exp(μ), μ, 0.5), 1e-6)


def test_the_landscape_is_the_flows_of_its_pairs(in_page):
    ((page,),) = [in_page("ss_exact", "landscape", [[SHOP, ROWS, COLUMNS, 0.25]])]
    rng = np.random.default_rng(0)
    for row, column in rng.integers((len(ROWS), len(COLUMNS)), size=(10, 2)):
        flows = exact(ROWS[row], COLUMNS[column], **SHOP)
        at = row * len(COLUMNS) + column
        same_flows({name: page[name][at] for name in page}, flows, 1e-6)


def test_pairs_out_of_order_have_no_flows(in_page):
    (page,) = in_page("ss_exact", "landscape", [[SHOP, [1, 3], [2, 4], 1]])
    assert [x == np.inf for x in page["restocks"]] == [False, False, True, False]


def test_the_best_pair_is_that_of_the_search(in_page):
    """Beside the package's least cost of whole half units, for costs at all ends."""
    given = SHOP | {"rows": ROWS, "columns": COLUMNS, "unit": 0.25}
    costs = [
        dict(zip("Khp", some, strict=True))
        for some in [
            (60, 0.05, 4),
            (15, 0.1, 400),
            (120, 0.025, 1),
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


def test_the_least_k_is_the_packages(in_page):
    some = list(curves(30))
    found = in_page("periodic", "convexity", [[curve] for curve in some])
    needs = [periodic.convexity(curve) for curve in some]
    np.testing.assert_allclose(found, needs, rtol=1e-12, atol=1e-12)


def test_orders_go_up_to_the_lowest_place_above(in_page):
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
def test_orders_are_said_in_words(in_page, runs, words):
    assert in_page("kconvex", "inWords", [[runs]]) == [words]


def test_a_hill_is_a_tent_on_the_curve(in_page):
    curve = np.random.default_rng(0).normal(size=60)
    given = {"curve": curve.tolist(), "tent": [25, 37, 50]}
    for hill in (-20.0, 0.0, 80.0):
        (page,) = in_page("kconvex", "raised", [[given, hill]])
        tent = np.interp(np.arange(60), given["tent"], [0, 1, 0])
        np.testing.assert_allclose(page, curve + hill * tent, rtol=1e-12)


def lost_shops():
    rng = np.random.default_rng(0)
    for lead_time in (1, 2, 3):
        for _ in range(3):
            pmf = rng.dirichlet(np.ones(rng.integers(3, 8)))
            h, p = rng.uniform(0.5, 2), rng.uniform(1, 40)
            yield lost_sales.create_parameters(h, p, pmf, lead_time)
    poisson = stats.poisson(5).pmf(np.arange(27))
    yield lost_sales.create_parameters(1.0, 4.0, poisson, 4)


def states(shape, count):
    rng = np.random.default_rng(0)
    every = np.indices(shape).reshape(len(shape), -1).T
    return every if len(every) <= count else rng.permutation(every)[:count]


@pytest.mark.parametrize("number", [0, 4, 7, 9])
def test_orders_of_lost_sales_are_the_packages(in_page, number):
    """Of a table, coded as the lecture does, of the myopic rule and of base stock."""
    shop = list(lost_shops())[number]
    pmf = shop.demand_pmf.tolist()
    sizes = lost_sales.box(shop)
    table = lost_sales.table(shop)
    V = jnp.zeros(sizes)
    for _ in range(20):
        V = lost_sales.backup(table, V)
    orders = np.asarray(lost_sales.orders(table, V))
    coded = [
        [int((column >= units).sum()) for units in range(1, column[0] + 1)]
        for column in orders.reshape(len(orders), -1).T
    ]
    x = states([n + 2 for n in sizes], 300)  # some beyond the box
    given = {"sizes": list(sizes), "table": coded}
    found = in_page("lost_sales", "byTable", [[some, given] for some in x.tolist()])
    assert found == lost_sales.by_table(orders)(x).tolist()
    costs = {"h": shop.holding_cost, "p": shop.lost_sale_cost, "pmf": pmf}
    found = in_page("lost_sales", "myopic", [[some, costs] for some in x.tolist()])
    assert found == lost_sales.myopic(shop)(x).tolist()
    for levels in ((7,), (7, 3), (0, 0)):
        found = in_page(
            "lost_sales", "baseStock", [[some, *levels] for some in x.tolist()]
        )
        assert found == lost_sales.base_stock(*levels)(x).tolist()


def test_what_an_order_meets_is_what_each_week_leaves(in_page):
    for shop in lost_shops():
        x = states([4] * shop.lead_time, 20)
        found = in_page(
            "lost_sales",
            "beforeArrival",
            [[some, shop.demand_pmf.tolist()] for some in x.tolist()],
        )
        for some, page in zip(x, found, strict=True):
            law = {int(some[0]): 1.0}
            for arrives in [*some[1:], 0]:
                after = {}
                for stock, chance in law.items():
                    for d, share in enumerate(shop.demand_pmf):
                        left = max(stock - d, 0) + int(arrives)
                        after[left] = after.get(left, 0.0) + chance * share
                law = after
            assert len(page) == some.sum() + 1
            np.testing.assert_allclose(
                page, [law.get(k, 0.0) for k in range(len(page))], rtol=1e-9, atol=1e-14
            )


def test_gaps_are_shares_above_the_least(in_page):
    given = {
        "prices": [1, 4],
        "least": {"a": [[1.0, 2.0], [4.0]], "b": [[3.0], [5.0]]},
        "rules": {"capped": {"a": [[1.5, 2.0], [3.9999]], "b": [[3.3], [10.0]]}},
    }
    arguments = [[given, "a", 1], [given, "a", 4], [given, "b", 4]]
    found = [one["capped"] for one in in_page("lost_rules", "gaps", arguments)]
    assert found == [[0.5, 0.0], [0.0], [1.0]]


def two_suppliers():
    rng = np.random.default_rng(0)
    laws = [
        np.full(5, 0.2),
        np.array([0.5, 0, 0, 0, 0.5]),
        stats.binom(4, 0.5).pmf(range(5)),
    ]
    ends = [(10, 5), (2, 1), (40, 10)], [(2, 10)], [(40, 1)]
    for pmf, some in zip(laws, ends, strict=True):  # the page's, to its sliders' ends
        for premium, h in some:
            yield dual.create_parameters(100.0, 100.0 + premium, h, 495.0, pmf, 2)
    for _ in range(4):
        pmf = rng.dirichlet(np.ones(rng.integers(2, 7)))
        premium, h = rng.uniform(1, 40), rng.uniform(0.5, 20)
        b = rng.uniform(5, 20) * (premium + h)
        yield dual.create_parameters(100.0, 100.0 + premium, h, b, pmf, 2)


def as_in_the_page(shop):
    return {
        "c_r": shop.regular_cost,
        "premium": shop.express_cost - shop.regular_cost,
        "h": shop.holding_cost,
        "b": shop.backorder_cost,
        "pmf": shop.demand_pmf.tolist(),
    }


def share_by_equations(shop, e, z):
    """Mean units by air over those asked for, from the equations of the chain from (0, 0)."""
    top, pmf = len(e) - 1, shop.demand_pmf
    reached, moves, flown = [(0, 0)], {}, {}
    for x, q in reached:  # grows as it goes
        u = x + e[x, q] + q
        flown[x, q] = e[x, q] + pmf @ np.maximum(np.arange(pmf.size) - u, 0)
        for d, chance in enumerate(pmf):
            after = min(max(u - d, 0), top), int(z[x, q])
            moves[(x, q), after] = moves.get(((x, q), after), 0.0) + chance
            if after not in reached:
                reached.append(after)
    P = np.array([[moves.get((a, b), 0.0) for b in reached] for a in reached])
    system = np.vstack([P.T - np.eye(len(reached)), np.ones(len(reached))])
    law = np.linalg.lstsq(system, np.append(np.zeros(len(reached)), 1), rcond=None)[0]
    return law @ [flown[state] for state in reached] / (pmf @ np.arange(pmf.size))


def test_two_suppliers_are_solved_as_by_the_package(in_page):
    shops = list(two_suppliers())
    tables = in_page(
        "dual_sourcing", "createTable", [[as_in_the_page(s)] for s in shops]
    )
    solved = in_page("dual_sourcing", "optimum", [[table] for table in tables])
    asked = [[t, s["V"]] for t, s in zip(tables, solved, strict=True)]
    found = in_page("dual_sourcing", "orders", asked)
    shares = in_page(
        "dual_sourcing",
        "shareFlown",
        [[t, o] for t, o in zip(tables, found, strict=True)],
    )
    for shop, table, page, orders, share in zip(
        shops, tables, solved, found, shares, strict=True
    ):
        assert (table["top"], table["most"]) == dual.box_bounds(shop)
        box, exact = dual.table(shop), dual.optimum(shop)
        np.testing.assert_allclose(table["costs"], box.period_costs, rtol=1e-9)
        np.testing.assert_allclose(table["short"], box.lifts, rtol=1e-9, atol=1e-13)
        assert page["lower"] <= page["upper"] <= page["lower"] + 1e-8
        assert page["upper"] == pytest.approx(float(exact.upper), abs=2e-8)
        with precision.enable_x64(True):
            e, z = (
                np.asarray(some) for some in dual.orders(box, jnp.asarray(exact.values))
            )
        assert orders["e"] == e.ravel().tolist()
        assert orders["z"] == z.ravel().tolist()
        assert share == pytest.approx(share_by_equations(shop, e, z), abs=1e-8)


def lifted(demands, lead_time, days):
    """Orders of a stage, day by day: each lifts its position to the level of that day's forecast."""
    position, made = None, []
    for today in range(days - 1, len(demands)):
        level = lead_time * np.mean(demands[today - days + 1 : today + 1])
        if position is not None:
            position -= demands[today]
            made.append(level - position)
        position = level
    return np.array(made)


@pytest.mark.parametrize("sees", ["orders", "customers"])
@pytest.mark.parametrize(
    ("days", "brew", "lead_times"), [(2, 4, [1, 1, 2]), (15, 1, [3]), (7, 2, [1, 4, 2])]
)
def test_stages_of_the_beer_game_reach_their_levels(
    in_page,
    days,
    brew,
    lead_times,
    sees,
):
    found = in_page("beer", "beerGame", [[days, brew, sees, lead_times]])[0]
    demand = np.repeat([4.0, 8.0], [60 + 3 * days, 40])
    rows, waits = [demand], [*lead_times[:-1], brew]
    for j, wait in enumerate(waits):
        seen, wait = (
            (rows[-1], wait) if sees == "orders" else (demand, sum(waits[: j + 1]))
        )
        rows.append(lifted(seen, wait, days))
    assert [len(row) for row in found] == [45] * len(rows)
    np.testing.assert_allclose(found, [row[-45:] for row in rows], rtol=1e-9)


def test_a_network_orders_in_the_page_what_the_package_says(in_page):
    """And in whole units, in states that the box ends too; half units go to the even side."""
    shop = lost_sales.create_parameters(
        1.0, 4.0, stats.poisson(5).pmf(np.arange(40)), 3
    )
    rng = np.random.default_rng(0)
    given = {
        "mean": 5.0,
        "most": lost_sales.lead_time_quantile(shop, 1) + 1,
        "top": lost_sales.lead_time_quantile(shop, 4),
    }
    layers = [
        (rng.normal(size=(3, 4)), rng.normal(size=4)),
        (rng.normal(size=(4, 4)), rng.normal(size=4)),
        (rng.normal(size=(4, 1)) / 4, np.zeros(1)),
    ]
    states = rng.integers(0, 9, (40, 3))
    in_js = [[W.tolist(), b.tolist()] for W, b in layers]
    orders = in_page(
        "learned_orders", "order", [[in_js, x, given] for x in states.tolist()]
    )
    with precision.enable_x64(True):
        weights = [(jnp.asarray(W), jnp.asarray(b)[None]) for W, b in layers]
        x = jnp.asarray(states, float)
        real = learned.network_orders(shop, weights, x)
        np.testing.assert_allclose(orders, real, rtol=1e-9, atol=1e-9)
        for shift in (0.0, 0.5):
            some = np.round(np.asarray(real)) + shift if shift else np.asarray(real)
            whole = learned.in_whole_units(
                shop, lambda _, some=some: jnp.asarray(some)
            )(x)
            found = in_page(
                "learned_orders", "inWholeUnits",
                [[z, x, given] for z, x in zip(some.tolist(), states.tolist(), strict=True)],
            )  # fmt: skip
            np.testing.assert_array_equal(found, whole)
