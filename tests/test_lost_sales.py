"""Lost sales with a lead time: published optima, brute force, rules' printed costs."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial
from scipy import stats

from lectures_helpers import precision, sharding, value_iteration
from lectures_helpers.optimal import lost_sales

POISSON = stats.poisson(5).pmf(np.arange(60))
GEOMETRIC = stats.geom(1 / 6, loc=-1).pmf(np.arange(200))
BACKUP = jax.jit(lost_sales.backup)
PENALTIES = (4, 9, 19, 39)

# Zipkin (2008), tables 1 and 2, prints two decimals of these; a row for each penalty,
# lead times 1 to 4. The others come from a program that shares nothing with this one.
OPTIMA = {
    "Poisson": [
        [4.0407, 4.3953, 4.5988, 4.7286],
        [5.4382, 6.0937, 6.5314, 6.8360],
        [6.6758, 7.6644, 8.3626, 8.8872],
        [7.8360, 9.1064, 10.0385, 10.7944],
    ],
    "geometric": [
        [9.8175, 10.2403, 10.4668, 10.6066],
        [14.5082, 15.5030, 16.1368, 16.5774],
        [19.2180, 20.8906, 22.0646, 22.9530],
        [23.8658, 26.2138, 27.9636, 29.3560],
    ],
}


def shop(p=4.0, lead_time=2, pmf=POISSON):
    return lost_sales.create_parameters(1.0, p, pmf, lead_time)


@pytest.mark.parametrize("lead_time", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("name", "pmf"), [("Poisson", POISSON), ("geometric", GEOMETRIC)]
)
def test_optima_that_zipkin_printed(name, pmf, lead_time):
    together = lost_sales.box(shop(39.0, lead_time, pmf)) if lead_time < 4 else None
    for p, row in zip(PENALTIES, OPTIMA[name], strict=True):
        found = lost_sales.optimum(shop(p, lead_time, pmf), shape=together)
        middle = (found.lower + found.upper) / 2
        assert middle == pytest.approx(row[lead_time - 1], abs=3e-4)
        assert found.upper - found.lower < 6e-4


def brute_force(params, most):
    """The least average cost by value iteration over dictionaries of states."""
    h, p, pmf, L = params
    states = [x for x in itertools.product(range(most + 1), repeat=L) if sum(x) <= most]
    place = {x: i for i, x in enumerate(states)}
    cost = np.array([
        sum(q * (h * max(x[0] - d, 0) + p * max(d - x[0], 0)) for d, q in enumerate(pmf))
        for x in states
    ])  # fmt: skip
    choices = []
    for x in states:
        for z in range(most - sum(x) + 1):
            row = np.zeros(len(states))
            for d, q in enumerate(pmf):
                way = [*x[1:], z]
                row[place[(max(x[0] - d, 0) + way[0], *way[1:])]] += q
            choices.append((place[x], row))
    who, rows = np.array([c[0] for c in choices]), np.array([c[1] for c in choices])
    starts = np.flatnonzero(np.diff(who, prepend=-1))
    V = np.zeros(len(states))
    for _ in range(3000):
        change = cost + np.minimum.reduceat(rows @ V, starts) - V
        if np.ptp(change) < 1e-9:
            break
        V = V + 0.9 * change
        V = V - V[0]
    return change.min(), change.max()


BOXES = {1: [(2,), (3,), (4,)], 2: [(2, 2), (3, 2), (4, 2)], 3: [(3, 2, 2)]}


def small_shops(lead_time, number=8):
    """Random shops, also with rare demand, whose boxes are small and few."""
    rng = np.random.default_rng(lead_time)
    for box in BOXES[lead_time]:
        found = 0
        while found < number:
            pmf = rng.dirichlet(np.full(rng.integers(2, 4), rng.choice([0.3, 1.0])))
            p = np.exp(rng.uniform(-1.5, 3))
            if pmf[0] < 0.95:
                params = lost_sales.create_parameters(1.0, p, pmf, lead_time)
                if lost_sales.box(params) == box:
                    found += 1
                    yield params


@pytest.mark.parametrize("lead_time", BOXES)
def test_small_shops_by_brute_force(lead_time):
    """Where positions may be far higher than the box allows, nothing gets cheaper."""
    for params in small_shops(lead_time):
        most = lost_sales.box(params)[0] + (5 if lead_time < 3 else 2)
        lower, upper = brute_force(params, most)
        assert upper - lower < 1e-6
        found = lost_sales.optimum(params, tol=1e-5)
        assert found.lower <= upper + 1e-9
        assert lower <= found.upper + 1e-9
        assert found.upper - found.lower < 2e-4


@pytest.mark.parametrize(
    ("pmf", "p", "cost"),
    [  # ordering one too many and losing it at the box's end would cost less
        ([0.5, 0.5], 2.0, 2 / 3),
        (stats.poisson(0.5).pmf(np.arange(30)), 9.0, 1.7739),
        (stats.poisson(1).pmf(np.arange(40)), 2.0, 1.2526),
        (0.7 * 0.3 ** np.arange(40), 9.0, 2.0415),
    ],
)
def test_what_passes_the_end_of_a_box_is_not_lost_for_free(pmf, p, cost):
    params = lost_sales.create_parameters(1.0, p, pmf, 1)
    assert lost_sales.optimum(params).upper == pytest.approx(cost, abs=3e-4)
    with precision.enable_x64(True):
        table, V = lost_sales.table(params), jnp.zeros(lost_sales.box(params))
        for _ in range(200):
            V = BACKUP(table, V)
            V = V - V[0]
        rule = lost_sales.by_table(np.asarray(lost_sales.orders(table, V)))
    assert lost_sales.rule_cost(params, rule).upper == pytest.approx(cost, abs=1e-4)


def by_definition(params, V):
    """Values a period earlier, and the least best order, state by state and order by order."""
    h, p, pmf, _ = params
    end = len(V) - 1
    before, order = np.zeros(V.shape), np.zeros(V.shape, int)
    for x in np.ndindex(V.shape):
        cost = sum(
            q * (h * max(x[0] - d, 0) + p * max(d - x[0], 0)) for d, q in enumerate(pmf)
        )
        worth = []
        # Nothing, or as much as fits below the end and is no more than an order may be.
        for z in range(max(0, min(end - sum(x), V.shape[-1] - 1)) + 1):
            coming = [*x[1:], z]
            worth.append(sum(
                q * V[(min(max(x[0] - d, 0) + coming[0], end), *coming[1:])]
                for d, q in enumerate(pmf)
            ))  # fmt: skip
        before[x], order[x] = cost + min(worth), np.argmin(worth)
    return before, order


@pytest.mark.parametrize("lead_time", [1, 2, 3])
@pytest.mark.parametrize("slope", [0.0, -3.0])
def test_a_backup_is_its_definition(lead_time, slope):
    """Whatever comes after: also where one unit more than the box holds would be best."""
    params = lost_sales.create_parameters(1.0, 4.0, [0.3, 0.3, 0.25, 0.15], lead_time)
    table, shape = lost_sales.table(params), lost_sales.box(params)
    V = np.random.default_rng(lead_time).normal(size=shape)
    V = V + slope * np.indices(shape).sum(0)
    before, order = by_definition(params, V)
    with precision.enable_x64(True):
        got = BACKUP(table, jnp.asarray(V))
        np.testing.assert_allclose(got, before, rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(lost_sales.orders(table, jnp.asarray(V)), order)
    if slope and lead_time > 1:  # the box's end is where the most is ordered
        position = np.indices(shape).sum(0)
        most = np.clip(shape[0] - 1 - position, 0, shape[-1] - 1)
        assert np.mean(order == most) > 0.5


@pytest.mark.parametrize(
    ("lead_time", "level", "cost", "capped", "most", "capped_cost"),
    [(1, 12, 4.1628, 12, 6, 4.0654), (2, 16, 4.6386, 17, 5, 4.4057)],
)
def test_base_stock_and_its_cap(lead_time, level, cost, capped, most, capped_cost):
    params = shop(4.0, lead_time)
    plain = [
        lost_sales.rule_cost(params, lost_sales.base_stock(S))
        for S in range(level - 1, level + 2)
    ]
    assert plain[1].upper == pytest.approx(cost, abs=1e-4)
    assert plain[1].upper == min(one.upper for one in plain)
    rule = lost_sales.base_stock(capped, most)
    assert lost_sales.rule_cost(params, rule).upper == pytest.approx(
        capped_cost, abs=1e-4
    )


@pytest.mark.parametrize(
    ("lead_time", "printed"), [(1, 4.11), (2, 4.56), (3, 4.84), (4, 5.06)]
)
def test_myopic_rule_as_zipkin_printed_it(lead_time, printed):
    params = shop(4.0, lead_time)
    cost = lost_sales.rule_cost(params, lost_sales.myopic(params))
    assert cost.upper == pytest.approx(printed, abs=0.0051)


def test_a_rule_by_simulation():
    params, rng = shop(9.0, 2), np.random.default_rng(5)
    exact = lost_sales.rule_cost(params, rule := lost_sales.base_stock(18))
    demand, x = rng.poisson(5, (2000, 400)), np.zeros((400, 2), int)
    costs = []
    for D in demand:
        z = rule(x)
        left = np.maximum(x[:, 0] - D, 0)
        costs.append(left + 9.0 * np.maximum(D - x[:, 0], 0))
        x = np.stack([left + x[:, 1], z], axis=1)
    means = np.mean(costs[200:], axis=0)
    assert abs(means.mean() - exact.upper) < 5 * means.std(ddof=1) / np.sqrt(means.size)


@pytest.mark.parametrize(("pmf", "printed"), [(POISSON, 5.27), (GEOMETRIC, 11.00)])
def test_best_constant_order_as_zipkin_printed_it(pmf, printed):
    costs = [lost_sales.constant_order_cost(shop(4.0, 1, pmf), z) for z in range(5)]
    assert min(costs) == pytest.approx(printed, abs=0.0051)
    best = lost_sales.best_constant_order(shop(4.0, 1, pmf))
    assert best.levels == (int(np.argmin(costs)),)
    assert best.cost == pytest.approx(min(costs), rel=1e-12)


@pytest.mark.parametrize("p", [0.5, 4.0, 99.0])
@pytest.mark.parametrize("n", [7, 13, 15])
def test_a_whole_mean_is_no_constant_order(n, p):
    """1/n for each of 0, 1, ..., n - 1: in doubles the mean may lie above a whole number."""
    params = shop(p, 1, np.full(n, 1 / n))
    costs = [lost_sales.constant_order_cost(params, z) for z in range((n - 1) // 2)]
    best = lost_sales.best_constant_order(params)
    assert best.levels == (int(np.argmin(costs)),)
    assert best.cost == pytest.approx(min(costs), rel=1e-12)


@pytest.mark.parametrize(("p", "lead_time"), [(4.0, 1), (9.0, 2), (39.0, 3)])
def test_the_optimum_falls_by_at_most_one_unit_a_unit(p, lead_time):
    """Zipkin (2008b): monotone, slopes from -1 to 0, in every state of the box."""
    params = shop(p, lead_time)
    with precision.enable_x64(True):
        table, V = lost_sales.table(params), jnp.zeros(lost_sales.box(params))
        for _ in range(80):
            V = BACKUP(table, V)
            V = V - V.ravel()[0]
        z = np.asarray(lost_sales.orders(table, V))
    falls = [-np.diff(z, axis=axis) for axis in range(z.ndim)]
    assert all(0 <= fall.min() <= fall.max() <= 1 for fall in falls)


def test_myopic_is_value_iteration_stopped_early():
    """L backups of nothing see the period in which the order arrives, and no further."""
    for lead_time in (1, 2, 3):
        params = shop(9.0, lead_time)
        with precision.enable_x64(True):
            table, V = lost_sales.table(params), jnp.zeros(lost_sales.box(params))
            for _ in range(lead_time):
                V = BACKUP(table, V)
            z = np.asarray(lost_sales.orders(table, V))
        position = np.indices(z.shape).sum(axis=0)
        inside = position < len(z)  # no rule goes beyond
        x = np.stack(np.nonzero(inside), axis=1)
        np.testing.assert_array_equal(
            lost_sales.by_table(z)(x), lost_sales.myopic(params)(x)
        )


@pytest.mark.parametrize(
    ("lead_time", "printed"), [(1, 4.04), (2, 4.41), (3, 4.64), (4, 4.82)]
)
def test_myopic_2_as_zipkin_printed_it(lead_time, printed):
    params = shop(4.0, lead_time)
    with precision.enable_x64(True):
        table, V = lost_sales.table(params), jnp.zeros(lost_sales.box(params))
        for _ in range(lead_time + 1):
            V = BACKUP(table, V)
        rule = lost_sales.by_table(np.asarray(lost_sales.orders(table, V)))
    assert lost_sales.rule_cost(params, rule).upper == pytest.approx(
        printed, abs=0.0051
    )


@pytest.mark.parametrize(
    ("p", "q"), [(7.0, 0.6), (4.0, 0.5), (2.0, 0.8), (1.0, 0.9), (10.0, 0.3)]
)
def test_dual_balancing_where_demand_is_0_or_1(p, q):
    """The n-th unit on hand waits n / q - 1 periods' ends; one unit is ever short."""
    h = 1.0
    params = lost_sales.create_parameters(h, p, [1 - q, q], 1)
    for x in range(4):
        left = {x: 1 - q, max(x - 1, 0): q} if x else {0: 1.0}
        held = [sum(c * h * sum((s + i) / q - 1 for i in range(1, z + 1))
                    for s, c in left.items()) for z in range(2)]  # fmt: skip
        short = [
            sum(c * p * q * (s + z == 0) for s, c in left.items()) for z in range(2)
        ]
        order = int(np.argmin(np.abs(np.subtract(held, short))))
        assert lost_sales.dual_balancing(params)(np.array([[x]])) == [order]


def test_dual_balancing_in_whole_units_may_never_order():
    """A customer in ten periods: a unit costs 9 to hold until it is sold, none leaves 8.9
    short, which is closer to balance.  The promise of twice the least cost is for orders
    that balance: real numbers, or 0 and 1 drawn."""
    params = lost_sales.create_parameters(1.0, 89.0, [0.9, 0.1], 1)
    never = lost_sales.rule_cost(params, lost_sales.dual_balancing(params)).upper
    least = lost_sales.optimum(params).upper
    assert never == pytest.approx(8.9)
    assert never > 5 * least


@pytest.mark.parametrize(
    ("p", "lead_time", "levels", "cost", "capped", "capped_cost"),
    [
        (4.0, 4, (25,), 5.1978, (26, 5), 4.7978),
        (39.0, 1, (16,), 7.8626, (16, 9), 7.8425),
        (39.0, 2, (22,), 9.1903, None, None),
    ],
)
def test_best_levels(p, lead_time, levels, cost, capped, capped_cost):
    params = shop(p, lead_time)
    found = lost_sales.best_base_stock(params)
    assert found.levels == levels
    assert found.cost == pytest.approx(cost, abs=1e-4)
    if capped:
        found = lost_sales.best_capped_base_stock(params)
        assert found.levels == capped
        assert found.cost == pytest.approx(capped_cost, abs=1e-4)


@pytest.mark.parametrize("unit", [1e-9, 1e-4, 1e8])
def test_another_currency_changes_nothing(unit):
    params = lost_sales.create_parameters(unit, 4.0 * unit, POISSON, 2)
    base, capped = (
        lost_sales.best_base_stock(params), lost_sales.best_capped_base_stock(params),
    )  # fmt: skip
    assert (base.levels, capped.levels) == ((16,), (17, 5))
    assert base.cost == pytest.approx(4.63864 * unit, rel=1e-5)
    assert capped.cost == pytest.approx(4.40573 * unit, rel=1e-5)
    found = lost_sales.optimum(params)
    assert (found.upper - found.lower) < 6e-4 * unit
    assert found.upper == pytest.approx(4.3953 * unit, abs=3e-4 * unit)


@pytest.mark.parametrize("p", [1e4, 1e7, 1e10])
def test_bounds_hold_where_single_precision_sees_little(p):
    """Values are p times as large as the cost; 64 bits know it to seven digits."""
    params = shop(p, 1)
    wide = (lost_sales.box(params)[0] + 12,)
    found = lost_sales.optimum(params, tol=1e-3, shape=wide)
    with precision.enable_x64(True):
        table = Partial(BACKUP, lost_sales.table(params, wide))
        exact = value_iteration.solve(table, jnp.zeros(wide), tol=1e-6)
        lower, upper = float(exact.lower), float(exact.upper)
    assert upper - lower < 1e-3
    assert found.lower <= upper
    assert lower <= found.upper


def test_a_law_with_many_atoms_has_a_quantile():
    """A cumulative sum may end below 1; the last atom is the quantile all the same."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        pmf = rng.dirichlet(np.ones(200))
        params = lost_sales.create_parameters(1e-9, 1e12, pmf, 1)
        assert lost_sales.lead_time_quantile(params, 2) > 150
        assert lost_sales.myopic(params)(np.array([[0]])) > 150


def test_the_search_of_a_cap_misses_nothing():
    params = shop(4.0, 2)
    every = {
        (S, r): lost_sales.rule_cost(params, lost_sales.base_stock(S, r)).upper
        for S in range(12, 22) for r in range(2, 10)
    }  # fmt: skip
    found = lost_sales.best_capped_base_stock(params)
    assert found.levels == min(every, key=every.__getitem__)


def test_memory_is_what_is_said():
    """Eight arrays: what XLA sets aside for the loop of one shape, and what it returns."""
    params = shop(4.0, 4)
    shape = lost_sales.box(params)
    of_shop = lost_sales.table(params)
    step = Partial(jax.jit(lost_sales.backup), jax.tree.map(jnp.float32, of_shop))
    solve = value_iteration._solve.lower(
        step, jnp.zeros(shape, jnp.float32), 1.0, 1e-3, 1000, average=True
    )
    analysis = solve.compile().memory_analysis()
    total = analysis.temp_size_in_bytes + analysis.output_size_in_bytes
    total += analysis.argument_size_in_bytes
    array = 4 * np.prod(shape)
    assert total / array < lost_sales.ARRAYS + 0.5
    assert lost_sales.size(params).bytes == lost_sales.ARRAYS * array


@pytest.mark.parametrize("lead_time", [1, 2, 4])
def test_operations_are_those_of_the_products(lead_time):
    """The law times all values: those of the orders behind are columns of one product."""
    params = shop(lead_time=lead_time)
    law, shape = lost_sales.table(params).law, lost_sales.box(params)
    assert lost_sales.size(params).operations == 2 * law.size * np.prod(shape[1:])


def test_whatever_integers_a_rule_returns_and_whatever_it_does_to_the_states():
    params, right = shop(), lost_sales.base_stock(9, 4)
    cost = lost_sales.rule_cost(params, right)

    def spoils(x):
        z = right(x)
        x[:] = 0
        return z

    for rule in (
        spoils,
        lambda x: right(x).astype("uint64"),
        lambda x: right(x).astype("uint8"),
    ):
        assert lost_sales.rule_cost(params, rule) == cost


@pytest.mark.parametrize("lead_time", [12, 40])
def test_rules_for_long_lead_times(lead_time):
    """What is on its way is part of the state, however much there is of it."""
    params = lost_sales.create_parameters(1.0, 4.0, [0.5, 0.5], lead_time)
    if lead_time == 12:
        assert lost_sales.best_base_stock(params).levels[0] > 3
    assert lost_sales.rule_cost(params, lost_sales.base_stock(3)).states < 15_000


def test_states_that_cannot_be_reached_are_not_counted():
    """Ten units and a demand of 0 to 2: stock never falls to 0 at once."""
    pmf = np.random.default_rng(0).dirichlet(np.ones(3))
    params = lost_sales.create_parameters(1.0, 4.0, pmf, 1)
    found = lost_sales.rule_cost(params, lost_sales.base_stock(10))
    assert found.states == 4  # 0, and then 8, 9, 10


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: shop(0.0), "lost_sale_cost"),
        (lambda: shop(lead_time=0), "lead_time"),
        (lambda: shop(pmf=[1.0]), "demand_pmf"),
        (lambda: lost_sales.optimum(shop(), shape=(9, 3)), r"shape must be 2 numbers from \(\d+, \d+\)"),
        (lambda: lost_sales.optimum(shop(39.0, 12)), r"lead_time must be .* states take [\d,]+ bytes"),
        (lambda: lost_sales.optimum(shop(), most_bytes=1e3), "most_bytes = 1,000"),
        (lambda: lost_sales.check_size(shop(), most_operations=9), "[\\d,]+ operations"),
        (lambda: lost_sales.optimum(shop(lead_time=2), mesh=sharding.create_mesh(1)), "mesh"),
        (lambda: lost_sales.optimum(shop(), mesh=3), "mesh"),
        (lambda: lost_sales.rule_cost(shop(), lambda x: x), "rule"),
        (lambda: lost_sales.rule_cost(shop(), lambda x: np.full(len(x), 3000)), "rule"),
        (lambda: lost_sales.rule_cost(shop(), lambda x: np.full(len(x), 2000)), "rule must keep stock below 2,000, got 2,000"),
        (lambda: lost_sales.rule_cost(shop(), lambda x: 0.5 * x[:, 0]), "rule"),
        (lambda: lost_sales.rule_cost(shop(), lambda x: -x[:, 0] - 1), "rule"),
        (lambda: lost_sales.constant_order_cost(shop(), 5), "order must be below"),
        (lambda: lost_sales.table(shop(4.0, 1, np.full(999, 1 / 999))), "demand_pmf"),
        (lambda: lost_sales.base_stock(-1), "level"),
        (lambda: lost_sales.size(shop(lead_time=400)), r"more than 10\^100 states, got 400"),
        (lambda: lost_sales.optimum(shop(lead_time=300)), "lead_time must be shorter"),
        (lambda: lost_sales.optimum(shop(lead_time=3), shape=(30, 9, 12)), "shape must have one number"),
        (lambda: lost_sales.rule_cost(shop(lead_time=1), lost_sales.by_table(np.eye(9, dtype=int))), "orders must have an axis"),
        (lambda: lost_sales.rule_cost(shop(), lost_sales.by_table([1, 0])), "orders must have an axis"),
        (lambda: lost_sales.lead_time_quantile(shop(), 10_000), "periods must be fewer"),
        (lambda: lost_sales.orders(lost_sales.table(shop()), jnp.zeros((3, 3))), "V must have"),
        (lambda: lost_sales.orders(lost_sales.table(shop()), jnp.full(lost_sales.box(shop()), jnp.nan)), "V must be finite"),
    ],
)  # fmt: skip
def test_refusals(call, names):
    with pytest.raises(ValueError, match=names):
        call()
