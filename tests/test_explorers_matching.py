"""The matching of demands and units in the page is the package's, to the last bit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lectures_helpers.classical import matching

N = 8  # demands


@jax.jit
def of_package(A, L, Q, start):
    """The same in the package's single precision: exact, since dates are 2^-10 of a day."""
    lots = matching.lot_arrivals(A, L, Q, N)
    U = matching.unit_times(lots, Q, start, N)
    return matching.order_times(A, Q, N), lots, U, matching.measure(A, U, 0, N)


def cases(count):
    """Dates, lead times, lot size, units at the start: random, and where dates are equal."""
    rng = np.random.default_rng(5)
    for number in range(count):
        step = (1 / 1024, 1 / 4, 4.0)[number % 3]  # coarse ones make dates equal
        A = np.sort(rng.integers(0, int(50 / step), N)) * step
        L = rng.integers(1, int(20 / step), N) * step
        yield A, L, 1 if number % 2 else int(rng.integers(1, 5)), number % 11
    same = np.full(N, 3.0)
    yield from ((same, same, 1, R) for R in (0, 1, N, N + 3))
    yield (
        np.zeros(N),
        np.arange(N, 0, -1.0),
        1,
        2,
    )  # every order overtakes all before it


@pytest.fixture(scope="module")
def some():
    return list(cases(300))


def test_dates_are_those_of_the_package(in_page, some):
    plain = [(A.tolist(), L.tolist(), Q, start) for A, L, Q, start in some]
    orders = in_page("matching", "orderTimes", [[A, Q, N] for A, _, Q, _ in plain])
    lots = in_page("matching", "lotArrivals", [[A, L, Q, N] for A, L, Q, _ in plain])
    units = in_page(
        "matching",
        "unitTimes",
        [[V, Q, start, N] for V, (*_, Q, start) in zip(lots, plain, strict=True)],
    )
    sums = in_page(
        "matching",
        "measure",
        [[A, U] for U, (A, *_) in zip(units, plain, strict=True)],
    )
    by = in_page("matching", "orderOfArrival", [[A, L] for A, L, *_ in plain])
    for case, *found in zip(some, orders, lots, units, sums, by, strict=True):
        A, L, Q, start = case
        exact = of_package(jnp.asarray(A), jnp.asarray(L), Q, start)
        for page, package in zip(found[:3], exact[:3], strict=True):
            assert page == package.tolist()
        if np.isfinite(found[2]).all():
            for name, page in found[3].items():
                assert page == getattr(exact[3], name).item()
        assert found[4] == np.argsort(A + L, kind="stable").tolist()


def test_areas_are_one_however_they_are_cut(in_page, some):
    """Little's law to the last bit: slices of the net inventory, and a bar for each."""
    asked, expected = {"netInventory": [], "stays": []}, []
    for A, L, _, R in some:
        V = np.sort(A + L)
        units = np.append(np.zeros(R), V)
        T = max(A[-1], units[N - 1])
        t = np.sort(np.concatenate([[0.0, T], A, V[V <= T]]))
        net = R + np.searchsorted(V, t, "right") - np.searchsorted(A, t, "right")
        asked["netInventory"].append([A.tolist(), V.tolist(), R, T])
        asked["stays"] += [
            [units.tolist(), A.tolist(), T],
            [A.tolist(), units.tolist(), T],
        ]
        slices = net[:-1] * np.diff(t)
        expected.append((t, net, slices.clip(0).sum(), -slices.clip(None, 0).sum()))
    paths = in_page("matching", "netInventory", asked["netInventory"])
    areas = in_page("matching", "areas", [[path] for path in paths])
    stays = in_page("matching", "stays", asked["stays"])
    for i, (t, net, blue, vermilion) in enumerate(expected):
        assert paths[i] == np.stack([t, net], axis=1).tolist()
        assert areas[i] == [blue, vermilion]
        assert [sum(stays[2 * i]), sum(stays[2 * i + 1])] == [blue, vermilion]
        A, L, _, R = some[i]
        U = np.append(np.zeros(R), np.sort(A + L))[:N]
        assert sum(stays[2 * i + 1]) == np.maximum(U - A, 0).sum()


def test_demands_that_are_moved_keep_their_order(in_page):
    rng = np.random.default_rng(6)
    horizon, drawn = 50.0, np.sort(rng.uniform(0, 30, (2, N)))
    given = {
        "A": drawn.tolist(), "L": rng.uniform(0.1, 20, (2, N)).tolist(),
        "demands": ["those above", "others"], "horizon": horizon,
    }  # fmt: skip
    start = {f"A{k + 1}": given["A"][0][k] for k in range(N)}
    start |= {f"L{k + 1}": given["L"][0][k] for k in range(N)}
    start["demands"] = "those above"
    asked = []
    for number in range(200):
        names = [f"{letter}{k}" for letter in "AL" for k in range(1, N + 1)]
        moved = rng.choice(names, 1 if number % 2 else 3, replace=False).tolist()
        p = start | {name: rng.uniform(0.1, horizon - 0.1) for name in moved}
        asked.append([p, moved, given])
    asked.append([start | {"demands": "others"}, ["demands"], given])
    asked.append([start | {"demands": "others", "A1": 0.0}, ["demands", "A1"], given])
    found = in_page("links", "mend", asked)
    for (p, moved, _), page in zip(asked, found, strict=True):
        A, L = (np.array([page[f"{x}{k + 1}"] for k in range(N)]) for x in "AL")
        assert (np.diff(A) >= 0).all()
        assert A[0] >= 0
        assert (A + L <= horizon + 1e-9).all()
        if len(moved) == 1 and moved != ["demands"]:  # the others stay
            assert {name for name in page if page[name] != p[name]} <= set(moved)
    assert [found[-2][f"A{k + 1}"] for k in range(N)] == given["A"][1]
    assert found[-1]["A2"] == start["A2"]
