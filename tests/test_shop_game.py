"""The game on the landing page: its rules, its rule's numbers and what hindsight earns, otherwise."""

import itertools

import jax
import numpy as np
import pytest
from scipy import sparse, stats
from scipy.sparse.linalg import spsolve

DAYS, SALE, DELIVERY, NIGHT, EXPIRED = 60, 5.0, 20.0, 0.25, 3.0
DEMAND = stats.poisson(8)
# life, lead, and the rule's numbers: as the page says them
LEVELS = [(None, 0, 6, 40), (3, 0, 5, 22), (None, 2, 24, 58)]
SEEDS = range(50)


def level_of(number):
    life, lead, s, S = LEVELS[number]
    return {"life": life, "lead": lead, "s": s, "S": S}


@pytest.fixture(scope="module")
def shop(in_page):
    """Functions of the page on one list of arguments, with an endless life as JSON has none."""

    def call(function, *arguments):
        return in_page("shop", function, [list(arguments)])[0]

    return call


@pytest.fixture(scope="module")
def levels(shop, in_page):
    return [endless(level_of(number)) for number in range(3)]


def endless(level):
    return level | {"life": np.inf if level["life"] is None else level["life"]}


def customers(seed):
    """The quantile of the Poisson law at JAX's uniform draw of each day."""
    days = [jax.random.fold_in(jax.random.key(seed), day) for day in range(DAYS)]
    u = np.array([jax.random.uniform(day, (1,))[0] for day in days], dtype=float)
    return DEMAND.ppf(u).astype(int)


def oracle(number, demands, orders):
    """Cash at the end: batches with their days, sold oldest first."""
    life, lead, *_ = LEVELS[number]
    batches, cash = [], 0.0  # [first day, units]
    due = {}
    for day, (demand, order) in enumerate(zip(demands, orders, strict=True)):
        if order:
            cash -= DELIVERY
            arrival = day if day == 0 else day + lead
            due[arrival] = due.get(arrival, 0) + order
        if day in due:
            batches.append([day, due[day]])
        for batch in batches:
            sold = min(batch[1], demand)
            batch[1] -= sold
            demand -= sold
            cash += SALE * sold
        for batch in batches:
            if life and day - batch[0] == life - 1:
                cash -= EXPIRED * batch[1]
                batch[1] = 0
        cash -= NIGHT * sum(units for _, units in batches)
    return cash


@pytest.mark.parametrize("number", range(3))
def test_a_game_is_counted_right(shop, levels, number):
    rng = np.random.default_rng(number)
    for seed in (0, 7, 999_999):
        demands = shop("customers", seed)
        assert demands == customers(seed).tolist()
        orders = (rng.integers(0, 61, DAYS) * (rng.random(DAYS) < 0.3)).tolist()
        states = shop("play", levels[number], demands, orders)
        assert states[-1]["earned"] == pytest.approx(oracle(number, demands, orders))


def hindsight(number, demands):
    """Backwards over all stocks: what is best to have delivered when all customers are known."""
    life, lead, *_ = LEVELS[number]
    most = 130 if life is None else 45
    if life is None:
        value = np.zeros(most + 1)  # of the stock on a morning, before a delivery
        for day in reversed(range(DAYS)):
            stock = np.arange(most + 1)
            left = np.maximum(stock - demands[day], 0)
            served = SALE * (stock - left) - NIGHT * left + value[left]
            delivered = np.maximum.accumulate(served[::-1])[::-1] - DELIVERY
            value = served if 0 < day < 1 + lead else np.maximum(served, delivered)
        return value[0]
    two, one, new = np.ogrid[
        : most + 1, : most + 1, : most + 1
    ]  # by days left, 1, 2, 3
    value = np.zeros((most + 1, most + 1))
    for day in reversed(range(DAYS)):
        left = demands[day]
        kept = []
        for units in (two, one, new):
            sold = np.minimum(units, left)
            left = left - sold
            kept.append(units - sold)
        earned = (
            SALE * (demands[day] - left)
            - EXPIRED * kept[0]
            - NIGHT * (kept[1] + kept[2])
        )
        total = earned + value[kept[1], kept[2]] - DELIVERY * (new > 0)
        value = total.max(axis=2)
    return value[0, 0]


@pytest.mark.parametrize("number", range(3))
def test_hindsight_is_the_best_of_all_orders(shop, levels, number):
    for seed in range(3):
        demands = shop("customers", seed)
        found = shop("hindsight", levels[number], demands)
        assert found == pytest.approx(hindsight(number, demands))


def long_run(number, s, S):
    """What the rule (s, S) earns a day, by the law of its chain."""
    life, lead, *_ = LEVELS[number]
    d = np.arange(60)
    probabilities = DEMAND.pmf(d)
    start = ((0,) * ((life or 2) - 1), (0,) * lead)
    index, todo, moves, earned = {start: 0}, [start], [], {}
    while todo:
        shelf, coming = state = todo.pop()
        there = sum(shelf) + sum(coming)
        order = S - there if there <= s else 0
        arrives, *coming = (*coming, order)
        ages = (*shelf, arrives) if life else (shelf[0] + arrives,)
        total = -DELIVERY * (order > 0)
        for demand, p in zip(d, probabilities, strict=True):
            left, kept = demand, []
            for units in ages:
                kept.append(max(units - left, 0))
                left = max(left - units, 0)
            expired = kept.pop(0) if life else 0
            total += p * (
                SALE * (demand - left) - EXPIRED * expired - NIGHT * sum(kept)
            )
            then = (tuple(kept), tuple(coming))
            if then not in index:
                index[then] = len(index)
                todo.append(then)
            moves.append((index[then], index[state], p))
        earned[index[state]] = total
    n = len(index)
    to, of, p = zip(*moves, strict=True)
    equations = sparse.csc_matrix((p, (to, of)), shape=(n, n)) - sparse.eye(n)
    equations = equations.tolil()
    equations[0] = 1
    law = spsolve(equations.tocsc(), np.eye(1, n)[0])
    return law @ [earned[i] for i in range(n)]


@pytest.mark.parametrize("number", range(3))
def test_the_rules_numbers_are_the_best(number):
    """Among their neighbours, two on each side: a wide search has found no other hill."""
    *_, s, S = LEVELS[number]
    best = long_run(number, s, S)
    for ds, dS in itertools.product((-2, -1, 0, 1, 2), repeat=2):
        assert best >= long_run(number, s + ds, S + dS), (s + ds, S + dS)


@pytest.mark.parametrize("number", range(3))
def test_the_score_tells_a_good_player_from_a_bad_one(shop, levels, number):
    """Fifty games of the rule, and of who orders each day's mean, or a full shelf when it is empty."""
    for seed in SEEDS:
        demands = shop("customers", seed)
        rule = shop("ruleOrders", levels[number], demands)
        good = shop("play", levels[number], demands, rule)[-1]["earned"]
        daily = shop("play", levels[number], demands, [8] * DAYS)[-1]["earned"]
        full = shop("ruleOrders", levels[number], demands, 0, 60)
        late = shop("play", levels[number], demands, full)[-1]["earned"]
        assert max(daily, late) < good < shop("hindsight", levels[number], demands)


def test_what_is_on_its_way_comes_when_it_is_said(shop, levels):
    """The page draws and says it ahead; the shelf of a later morning has it."""
    rng = np.random.default_rng(1)
    orders = (rng.integers(1, 61, DAYS) * (rng.random(DAYS) < 0.5)).tolist()
    for level in levels:
        states = shop("play", level, shop("customers", 7), orders)
        said = {tuple(one) for state in states for one in shop("arrivals", state)}
        came = [state["told"]["arrives"] for state in states[1:]]
        late = dict(said)
        assert len(late) == len(said)  # the same from day to day
        first = 1 if level["lead"] else DAYS
        assert [late.get(day, 0) for day in range(first, DAYS)] == came[first:]


def test_a_game_as_text(shop):
    rng = np.random.default_rng(0)
    for number in range(3):
        for days in (0, 1, DAYS):
            orders = rng.integers(0, 61, days).tolist()
            text = shop("asText", number, 417, orders)
            assert shop("fromText", text) == {
                "level": number,
                "seed": 417,
                "orders": orders,
            }
    good = shop("asText", 0, 1, [30, 0])
    for bad in (
        "",
        "4-1-a",
        "1-1",
        "1--a",
        "1-1-Z",
        good + "<",
        good + "0" * 60,
        "1-1234567-",
    ):
        assert shop("fromText", bad) is None
