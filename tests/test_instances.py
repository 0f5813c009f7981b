"""The file of solved instances: its form, and a part of it computed again, and in another way."""

import ast
import itertools
import json
import re

import numpy as np
import pytest
from scipy import stats

from tools import course
from tools import instances as tool

RECORD = json.loads(tool.FILE.read_text(encoding="utf-8"))
SOLVED = tool.read()
PAGES = {page.name for page in course.pages()}
CITED = set(
    re.findall(
        r"^@\w+\{(\w+),",
        (course.ROOT / "book" / "references.bib").read_text("utf-8"),
        re.M,
    )
)


@pytest.mark.parametrize("name", SOLVED)
def test_form(name):
    each = SOLVED[name]
    assert tuple(each) == tuple(tool.FIELDS)
    assert re.fullmatch(r"[a-z0-9.-]+", name)
    assert each["page"] in PAGES
    wing, _, module = each["model"].partition(".")
    assert (course.ROOT / "lectures_helpers" / wing / f"{module}.py").exists()
    optimum = each["optimum"]
    assert {"value", "lower", "upper"} <= optimum.keys()
    assert optimum["lower"] <= optimum["value"] <= optimum["upper"]
    # The precision covers the bounds, but for the last of the twelve digits that are written.
    apart = optimum["upper"] - optimum["lower"]
    assert apart <= 2 * each["precision"] + 2e-11 * optimum["upper"]
    for rule in each["rules"]:
        assert set(rule) == {"name", "parameters", "cost"}
        assert rule["cost"] >= optimum["lower"]
    for said in each["published"]:
        assert set(said) == {"cite", "what", "printed", "agrees"}
        assert said["cite"] in CITED
        float(said["printed"])
    ast.parse(each["call"], mode="eval")


def test_the_file_says_what_it_is():
    assert len(SOLVED) == len(RECORD["instances"])  # no name twice
    assert RECORD["version"] == tool.VERSION
    assert RECORD["fields"] == tool.FIELDS
    citation = (course.ROOT / "CITATION.cff").read_text("utf-8")
    assert f"license: {RECORD['licence']}" in citation
    assert course.repository().url in RECORD["cite"]
    assert tool.FILE.read_text("utf-8") == tool.text(list(SOLVED.values()))


QUICK = [
    name
    for name, each in SOLVED.items()
    if each["model"] in ("optimal.periodic", "optimal.serial", "dynamics.ss_exact")
]


QUICK += [
    "lost-sales-poisson-4-1", "lost-sales-geometric-9-2", "lost-sales-poisson-39-3",
    "two-suppliers-2-105", "perishable-2-1-7-lifo", "perishable-3-1-10-fifo",
    "perishable-hendrix-2",
]  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_calls_compute_what_the_file_says(name):
    each, scope = SOLVED[name], {}
    for line in RECORD["imports"]:
        exec(line, scope)
    value = eval(each["call"], scope)
    np.testing.assert_allclose(
        value, each["optimum"]["value"], rtol=2e-11, atol=each["precision"]
    )


@pytest.mark.parametrize(("p", "L"), [(4.0, 2), (9.0, 3)])
def test_rules_for_lost_sales(p, L):
    params = tool.lost_sales.create_parameters(1.0, p, tool.poisson_pmf(5.0), L)
    start = tool.lost_sales.lead_time_quantile(params, L + 1)
    made = tool.lost_sales_rules(params, start, simple=False)
    for new, old in zip(
        made, SOLVED[f"lost-sales-poisson-{p:g}-{L}"]["rules"], strict=True
    ):
        assert (new["name"], new["parameters"]) == (old["name"], old["parameters"])
        np.testing.assert_allclose(new["cost"], old["cost"], rtol=1e-7)


def test_rules_for_two_suppliers():
    kept = SOLVED["two-suppliers-2-110"]["rules"]
    params = tool.dual_sourcing.create_parameters(
        100.0, 110.0, 5.0, 495.0, np.full(5, 0.2), 2
    )
    for rule, (best, names) in zip(kept, tool.RULES.values(), strict=True):
        levels, cost = best(params)
        assert rule["parameters"] == dict(zip(names, levels, strict=True))
        np.testing.assert_allclose(cost, rule["cost"], rtol=1e-10)


@pytest.mark.parametrize("group", ["horizons"])
def test_groups_write_what_the_file_says(group):
    """Policies and what is printed to the letter, numbers but for rounding."""
    for made in tool.GROUPS[group]():
        kept = SOLVED[made["name"]]
        assert made["published"] == kept["published"]
        assert made["parameters"] == kept["parameters"]
        assert made["optimum"].get("policy") == kept["optimum"].get("policy")
        for bound in ("lower", "upper"):
            np.testing.assert_allclose(
                made["optimum"][bound], kept["optimum"][bound], rtol=1e-10
            )
        for new, old in zip(made["rules"], kept["rules"], strict=True):
            assert new["parameters"] == old["parameters"]
            np.testing.assert_allclose(new["cost"], old["cost"], rtol=1e-10)


def test_a_shop_in_the_way_of_the_file():
    made = tool.poisson_shop(
        "levels-snyder-4.7", 6.0, 5.0, 1.0, 4.0, published=[("snyder2019", "S", "10")]
    )
    kept = SOLVED["levels-snyder-4.7"]
    assert made["optimum"]["policy"] == kept["optimum"]["policy"]
    assert made["published"] == [kept["published"][1]]
    np.testing.assert_allclose(made["optimum"]["lower"], kept["optimum"]["lower"])
    assert [rule["parameters"] for rule in made["rules"]] == [
        rule["parameters"] for rule in kept["rules"]
    ]


def test_what_is_printed_agrees_within_its_last_digit():
    agrees = [
        tool.printed("x", "y", "1.25", ours)["agrees"] for ours in (1.2401, 1.2599)
    ]
    assert agrees == [True, True]
    differs = [
        tool.printed("x", "y", "1.25", ours)["agrees"] for ours in (1.2399, 1.261)
    ]
    assert differs == [False, False]


def test_bounds_are_rounded_outwards():
    found = tool.optimum(1 / 3, 1 / 3, 1 / 3)
    assert found["lower"] <= 1 / 3 <= found["upper"]
    assert found["upper"] - found["lower"] < 1e-10


# ----------------------------------------------------------------------- by another way


def test_known_season_by_all_plans():
    demands, K, h = np.array([90, 120, 80, 70]), 500.0, 2.0
    least = np.inf
    for orders in itertools.product([False, True], repeat=3):
        cost, last = 0.0, 0
        for t, demand in enumerate(demands):
            if t == 0 or orders[t - 1]:
                cost, last = cost + K, t
            cost += h * (t - last) * demand
        least = min(least, cost)
    assert least == SOLVED["season-known-4"]["optimum"]["value"]


def test_season_by_plain_induction():
    """Every order from every stock, demand by demand, without K-convexity."""
    low, high, K, h, p, c = -330, 200, 50.0, 1.0, 20.0, 2.0
    edges = stats.norm.cdf(np.arange(222) - 0.5, 100, 20)
    pmf = np.diff(edges) / np.diff(edges).sum()
    x = np.arange(low, high + 1)
    after = np.maximum(x[:, None] - np.arange(pmf.size), low)
    period = np.where(after > 0, h * after, -p * after) @ pmf
    V = np.where(x > 0, h * x, -p * x)  # what is left at the end costs once more
    for _ in range(5):
        H = c * x + period + V[after - low] @ pmf
        V = np.minimum(H, K + np.minimum.accumulate(H[::-1])[::-1]) - c * x
    given = SOLVED["season-normal-5"]["optimum"]["value"]
    np.testing.assert_allclose(V[-low], given, rtol=1e-9)


def test_the_firm_by_simulation():
    """The best pair in real numbers: a long run of the firm, in NumPy."""
    each = SOLVED["firm"]
    s, S = (each["optimum"]["policy"][level] for level in "sS")
    draw = np.random.default_rng(5)
    X = draw.uniform(s, S, 20_000)  # from one stock, all firms would restock together
    K, h, p = tool.FIRM_COSTS.values()
    costs = np.zeros((300, X.size))
    for t in range(-100, 300):
        start = np.where(s >= X, S, X)
        D = np.exp(1.0 + 0.5 * draw.standard_normal(X.size))
        cost = K * (s >= X)
        X = np.maximum(start - D, 0.0)
        if t >= 0:
            costs[t] = cost + h * X + p * np.maximum(D - start, 0.0)
    means = costs.mean(axis=0)
    error = means.std(ddof=1) / np.sqrt(means.size)
    assert abs(means.mean() - each["optimum"]["value"]) < 4.5 * error
