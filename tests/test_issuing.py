"""Goods that perish as the literature has them: loops over customers, dice, what is in print."""

import itertools
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from lectures_helpers import precision, value_iteration
from lectures_helpers.expiry import issuing, memory

# Farrington et al. (2025), table 3: mean return of the optimum and of the best base stock,
# 10,000 runs, rounded to whole numbers. By m; lead time, waste cost and issuing as in CASES.
CASES = list(itertools.product((1, 2), (7.0, 10.0), ("LIFO", "FIFO")))
PRINTED = {
    2: ((-1553, -1565), (-1457, -1474), (-1571, -1581), (-1463, -1485),
        (-1551, -1590), (-1461, -1495), (-1569, -1606), (-1469, -1504)),
    3: ((-1490, -1500), (-1424, -1435), (-1498, -1512), (-1425, -1436),
        (-1513, -1533), (-1435, -1456), (-1526, -1544), (-1437, -1457)),
    4: ((-1459, -1476), (-1422, -1430), (-1465, -1481), (-1422, -1430),
        (-1480, -1496), (-1432, -1453), (-1489, -1505), (-1432, -1453)),
}  # fmt: skip
RUNS = 10_000

# De Moor et al. (2022), figure 3: orders by the fresh class (rows) and the old one, 0 to 8,
# m = 2, L = 1, w = 7. Issuing the newest first, the old class makes no difference.
NEWEST = np.repeat([[3], [3], [3], [2], [1], [0], [0], [0], [0]], 9, axis=1)
OLDEST = np.array([
    [4, 4, 4, 4, 4, 4, 4, 4, 4],
    [4, 4, 3, 3, 3, 3, 3, 3, 3],
    [4, 3, 3, 3, 2, 2, 2, 2, 2],
    [3, 3, 2, 2, 1, 1, 1, 1, 1],
    [3, 2, 2, 1, 1, 1, 1, 0, 0],
    [2, 2, 1, 1, 0, 0, 0, 0, 0],
    [2, 1, 1, 0, 0, 0, 0, 0, 0],
    [1, 1, 0, 0, 0, 0, 0, 0, 0],
    [1, 0, 0, 0, 0, 0, 0, 0, 0],
])  # fmt: skip


def day(params, x, order, demand):
    """The next state and the cost, one customer after the other."""
    m = params.num_ages
    stock, coming, missed = list(x[:m]), [*x[m:], order], 0
    for _ in range(demand):
        there = [i for i in range(m) if stock[i]]
        if not there:
            missed += 1
        else:
            stock[there[0] if params.issuing == "FIFO" else there[-1]] -= 1
    expired, *kept = stock
    cost = params.unit_cost * order + params.lost_sale_cost * missed
    cost += params.disposal_cost * expired + params.holding_cost * sum(kept)
    return (*kept, *coming), cost


def options(params, V):
    """Expected cost of every order in every state, by loops."""
    orders = range(params.most_order + 1)
    found = np.zeros((*V.shape, len(orders)))
    for x in np.ndindex(*V.shape):
        for a in orders:
            for d, chance in enumerate(params.demand_pmf):
                after, cost = day(params, x, a, d)
                found[(*x, a)] += chance * (cost + params.discount * V[after])
    return found


def random_shop(rng, m, L, issued, discount=None):
    """A shop of that shape, with demand from rare to more than all stock."""
    pmf = rng.dirichlet(np.full(rng.integers(2, 9), 0.5))
    return issuing.create_parameters(
        m, L, issued, most_order=int(rng.integers(1, 4 if m + L < 5 else 3)),
        demand_pmf=0.99 * pmf + 0.01 / pmf.size, unit_cost=rng.uniform(0, 4),
        lost_sale_cost=rng.uniform(0, 9), disposal_cost=rng.uniform(0, 9),
        holding_cost=rng.uniform(0, 2), discount=discount or rng.uniform(0.5, 1.0),
    )  # fmt: skip


SHAPES = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1)]


@pytest.mark.parametrize("issued", issuing.ISSUING)
@pytest.mark.parametrize(("m", "L"), SHAPES)
def test_a_backup_is_its_definition(m, L, issued):
    rng = np.random.default_rng(10 * m + L)
    for _ in range(2):
        params = random_shop(rng, m, L, issued)
        V = rng.normal(scale=10.0, size=(params.most_order + 1,) * (m + L - 1))
        all_options = options(params, V)
        with precision.enable_x64(True):
            TV = issuing.backup(params)(jnp.asarray(V))
        np.testing.assert_allclose(TV, all_options.min(axis=-1), rtol=0, atol=1e-11)
        chosen = issuing.orders(params, V)
        best = np.take_along_axis(all_options, chosen[..., None], axis=-1)[..., 0]
        np.testing.assert_allclose(best, all_options.min(axis=-1), rtol=0, atol=1e-10)


@pytest.mark.parametrize("issued", issuing.ISSUING)
@pytest.mark.parametrize(("m", "L"), [(1, 2), (2, 1), (2, 2), (3, 1)])
def test_bounds_hold_the_value_of_a_plain_iteration(m, L, issued):
    rng = np.random.default_rng(m + 5 * L)
    params = random_shop(rng, m, L, issued, discount=0.7)
    V = np.zeros((params.most_order + 1,) * (m + L - 1))
    for _ in range(80):  # 0.7^80 is 4e-13
        V = options(params, V).min(axis=-1)
    found = issuing.optimum(params)
    assert found.lower - 1e-8 <= V.flat[0] <= found.upper + 1e-8
    assert found.upper - found.lower < 1e-5
    rule = issuing.by_table(found.orders)
    earned = issuing.rule_return(params, rule, warm_up=0, num_days=120)
    assert earned.mean == pytest.approx(-V.flat[0], abs=1e-5)


def test_bounds_hold_where_steps_are_shortened():
    """Orders all but alternate from day to day; a shorter step is discounted less."""
    params = issuing.create_parameters(
        2, 1, most_order=4, demand_pmf=[0.1, 0.2, 0.3, 0.2, 0.2]
    )
    found = issuing.optimum(params)
    assert found.iterations > issuing.SOON
    rule = issuing.by_table(found.orders)
    earned = issuing.rule_return(params, rule, warm_up=0, num_days=4_000)
    assert found.lower - 1e-9 <= -earned.mean <= found.upper + 1e-9


def test_the_least_average_cost_of_a_small_shop():
    params = random_shop(np.random.default_rng(3), 2, 2, "LIFO", discount=1.0)
    V = np.zeros((params.most_order + 1,) * 3)
    for _ in range(400):
        TV = options(params, V).min(axis=-1)
        change, V = TV - V, TV - TV.flat[0]
    found = issuing.optimum(params)
    assert found.lower - 1e-9 <= change.max()
    assert change.min() <= found.upper + 1e-9
    rule = issuing.by_table(found.orders)
    late = issuing.rule_return(params, rule, warm_up=300, num_days=1)
    assert -late.mean == pytest.approx(found.upper, abs=1e-5)


# --------------------------------------------------------------------------- in print


@pytest.mark.parametrize(("issued", "printed"), [("LIFO", NEWEST), ("FIFO", OLDEST)])
def test_policies_that_de_moor_printed(issued, printed):
    found = issuing.optimum(issuing.create_parameters(2, 1, issued))
    np.testing.assert_array_equal(found.orders.T[:9, :9], printed)  # x_1 is the old one


@pytest.mark.parametrize(("issued", "level"), [("LIFO", 5), ("FIFO", 7)])
def test_best_base_stock_that_de_moor_printed(issued, level):
    params = issuing.create_parameters(2, 1, issued)
    best = issuing.best_base_stock(params)
    assert best.level == level
    others = [issuing.rule_return(params, issuing.base_stock(S)) for S in range(15)]
    assert max(one.mean for one in others) == best.earned.mean  # of all, not of two


@pytest.mark.parametrize("disposal_cost", [1.0, 100.0])
def test_best_base_stock_where_the_cost_falls_once_more(disposal_cost):
    """Boxes for one day, two on the way: level 11 costs less than 10 and 12, not least."""
    params = issuing.create_parameters(1, 2, disposal_cost=disposal_cost)
    earned = [
        issuing.rule_return(params, issuing.base_stock(S)).mean for S in range(30)
    ]
    best = issuing.best_base_stock(params)
    assert (best.level, best.earned.mean) == (np.argmax(earned), max(earned))


@pytest.mark.parametrize("case", range(len(CASES)))
@pytest.mark.parametrize("m", [2, 3])
def test_returns_that_farrington_printed(m, case):
    L, w, issued = CASES[case]
    params = issuing.create_parameters(m, L, issued, disposal_cost=w)
    best = issuing.rule_return(params, issuing.by_table(issuing.optimum(params).orders))
    simple = issuing.best_base_stock(params).earned
    for ours, printed in zip((best, simple), PRINTED[m][case], strict=True):
        # The print is the mean of runs, rounded: 32 rows and 64 numbers, so that four
        # standard errors are passed once in 250 tables.
        error = ours.std / np.sqrt(RUNS)
        assert abs(ours.mean - printed) < 0.5 + 4 * error
        assert 50 < ours.std < 66  # the print's runs spread by 52 to 64
    assert simple.mean < best.mean


def test_where_the_print_has_no_level_above_the_largest_order():
    """m = 4, L = 2, FIFO: -1453 is what level 10 returns; 11 is better."""
    params = issuing.create_parameters(4, 2)
    ten, eleven = (
        issuing.rule_return(params, issuing.base_stock(level)) for level in (10, 11)
    )
    assert abs(ten.mean - PRINTED[4][5][1]) < 0.5 + 4 * ten.std / np.sqrt(RUNS)
    assert eleven.mean > ten.mean + 2
    assert issuing.best_base_stock(params).level == 11


@pytest.mark.parametrize(("m", "most", "printed"), [(2, 10, 2.22), (3, 15, 2.40)])
def test_profits_that_hendrix_printed(m, most, printed):
    """Price 1, cost 0.5, Poisson 5: a unit not sold is a euro not earned."""
    pmf = stats.poisson(5).pmf(np.arange(40))
    params = issuing.create_parameters(
        m, 1, most_order=most, demand_pmf=pmf, unit_cost=0.5, lost_sale_cost=1.0,
        disposal_cost=0.0, holding_cost=0.0, discount=1.0,
    )  # fmt: skip
    found = issuing.optimum(params)
    assert 5 - found.upper == pytest.approx(printed, abs=0.0051)


# -------------------------------------------------------------------------- by dice


@pytest.mark.parametrize("issued", issuing.ISSUING)
def test_a_return_by_simulation(issued):
    """The law moved on against shops in NumPy: mean and spread within their errors."""
    params = issuing.create_parameters(3, 2, issued, disposal_cost=10.0)
    rule = issuing.base_stock(11)
    exact = issuing.rule_return(params, rule, warm_up=20, num_days=60)
    rng, runs = np.random.default_rng(7), 20_000
    pmf = params.demand_pmf
    x, total = np.zeros((runs, 4), int), np.zeros(runs)
    for t in range(80):
        a, demand = rule(x), rng.choice(pmf.size, runs, p=pmf)
        cost, rest = 3.0 * a, demand
        for i in (0, 1, 2) if issued == "FIFO" else (2, 1, 0):
            sold = np.minimum(x[:, i], rest)
            x[:, i], rest = x[:, i] - sold, rest - sold
        cost = cost + 5.0 * rest + 10.0 * x[:, 0] + x[:, 1] + x[:, 2]
        x = np.column_stack([x[:, 1:3], x[:, 3], a])
        if t >= 20:
            total -= 0.99 ** (t - 20) * cost
    assert abs(total.mean() - exact.mean) < 4.5 * exact.std / np.sqrt(runs)
    # The variance of a sample variance takes the fourth moment; near normal it is 2/n.
    assert total.std() == pytest.approx(exact.std, rel=5 * np.sqrt(0.5 / runs) * 1.2)


def test_the_law_of_states_stays_a_law_and_forgets_its_start():
    params = issuing.create_parameters(2, 2, "LIFO")
    found = issuing.chain(params, issuing.base_stock(9))
    assert (found.states[0] == 0).all()
    empty = np.eye(1, len(found.states))[0]
    later = issuing.propagate(found, empty, 100)
    assert later.sum() == pytest.approx(1, abs=1e-12)
    other = issuing.propagate(found, np.eye(1, len(empty), 5)[0], 100)
    np.testing.assert_allclose(later, other, atol=1e-12)
    np.testing.assert_array_equal(issuing.propagate(found, empty, 0), empty)


def test_the_cost_on_the_way_is_the_cost_of_the_period():
    params = issuing.create_parameters(2, 1, "FIFO")
    found = issuing.chain(params, issuing.base_stock(7))
    np.testing.assert_allclose(found.moves.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(found.weighted.sum(axis=1), found.costs, rtol=1e-12)
    costs = issuing.table(params).costs[tuple(found.states.T)]
    ordered = 3.0 * issuing.base_stock(7)(found.states)
    np.testing.assert_allclose(found.costs, costs + ordered, rtol=1e-12)


# ------------------------------------------------------------------------------ laws


def test_newest_first_the_oldest_class_changes_no_order():
    params = issuing.create_parameters(3, 2, "LIFO", most_order=5)
    found = issuing.optimum(params).orders
    np.testing.assert_array_equal(found, np.broadcast_to(found[:1], found.shape))


def test_with_one_class_both_ways_are_the_same():
    of = {
        issued: issuing.optimum(issuing.create_parameters(1, 2, issued))
        for issued in issuing.ISSUING
    }
    assert of["FIFO"].upper == pytest.approx(of["LIFO"].upper, rel=1e-12)
    np.testing.assert_array_equal(of["FIFO"].orders, of["LIFO"].orders)


def test_a_gamma_law_in_whole_units():
    pmf = issuing.gamma_pmf(4.0, 0.5)
    law = stats.gamma(4.0)  # of mean 4
    np.testing.assert_allclose(pmf[0], law.cdf(0.5), rtol=1e-12)
    np.testing.assert_allclose(pmf[4], law.cdf(4.5) - law.cdf(3.5), rtol=1e-12)
    assert pmf.sum() == pytest.approx(1, abs=1e-15)
    assert pmf @ np.arange(pmf.size) == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize("issued", issuing.ISSUING)
def test_one_shape_is_compiled_once(issued):
    shops = [
        issuing.create_parameters(2, 2, issued, most_order=4, disposal_cost=w)
        for w in (7.0, 10.0)
    ]
    issuing.optimum(shops[0])
    before = value_iteration._solve._cache_size()  # what JAX counts has no public name
    issuing.optimum(shops[1])
    assert value_iteration._solve._cache_size() == before


def test_memory_is_what_is_said():
    """Six arrays: what XLA sets aside for the loop of one shape, and what it returns."""
    params = issuing.create_parameters(3, 2)
    with precision.enable_x64(True):
        step = jax.tree_util.Partial(
            issuing._part_way, issuing.backup(params), jnp.asarray(1.0)
        )
        solve = value_iteration._solve.lower(
            step, jnp.zeros((11,) * 4), 99.0, 1e-6, 100, average=False
        )
    analysis = solve.compile().memory_analysis()
    total = analysis.temp_size_in_bytes + analysis.output_size_in_bytes
    total += analysis.argument_size_in_bytes
    array = 8 * 11**4  # in 64 bits
    assert total / array < issuing.ARRAYS + 0.5
    assert issuing.required_memory(params) == issuing.ARRAYS * array


def test_values_keep_their_type():
    params = issuing.create_parameters(2, 2, most_order=3)
    V = jnp.zeros((4, 4, 4), jnp.float32)
    assert jax.eval_shape(issuing.backup(params), V).dtype == jnp.float32


# ------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_ages": 0}, "num_ages must be an integer >= 1, got 0"),
        ({"lead_time": 0}, "lead_time must be an integer >= 1, got 0"),
        ({"num_ages": 17}, "num_ages must be an integer <= 16, got 17"),
        ({"lead_time": 16}, "lead_time must be an integer <= 15, got 16"),
        ({"issuing": "fifo"}, "issuing must be FIFO or LIFO, got 'fifo'"),
        ({"most_order": 0}, "most_order must be an integer >= 1"),
        ({"most_order": 2000}, "most_order must be an integer <= 1000"),
        ({"unit_cost": -3.0}, "unit_cost must be >= 0, got -3"),
        ({"disposal_cost": -1.0}, "disposal_cost must be >= 0, got -1"),
        ({"holding_cost": np.inf}, "holding_cost must be finite"),
        ({"lost_sale_cost": -5.0}, "lost_sale_cost must be >= 0"),
        ({"discount": 0.0}, r"discount must be in \(0, 1\], got 0"),
        ({"discount": 1.01}, r"discount must be in \(0, 1\], got 1.01"),
        ({"demand_pmf": [0.5, 0.4]}, "demand_pmf must be a vector of .* sum 0.9"),
        ({"demand_pmf": [0.0, 0.0]}, "demand_pmf must be a vector .* sum 0$"),
        ({"demand_pmf": [1.0]}, "demand_pmf must have mass above 0 units"),
        ({"demand_pmf": np.full(20_000, 5e-5)}, "must have at most 10,000 entries"),
    ],
)
def test_what_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        issuing.create_parameters(**changes)


def test_more_states_than_memory_holds_are_refused_with_both_sizes():
    params = issuing.create_parameters(9, 2)
    with pytest.raises(ValueError, match=r"num_ages = 9, .* states need .* there are"):
        issuing.optimum(params)
    small = issuing.create_parameters(2, 2)
    with (
        mock.patch.object(memory, "available_memory", return_value=1000),
        pytest.raises(ValueError, match=r"1,331 states need .* but there are"),
    ):
        issuing.optimum(small)


def test_rules_that_leave_their_bounds_are_refused():
    params = issuing.create_parameters(2, 1)
    for rule in (
        lambda x: np.full(len(x), 11),
        lambda x: np.full(len(x), -1),
        lambda x: np.full(len(x), 0.5),
        lambda x: np.zeros(3 * len(x), int),
    ):
        with pytest.raises(ValueError, match=r"rule must return .* most_order = 10"):
            issuing.rule_return(params, rule)
    with pytest.raises(ValueError, match="orders must have an entry for each state"):
        issuing.rule_return(params, issuing.by_table(np.full((3, 3), 5)))
    with pytest.raises(ValueError, match="orders must have an entry for each state"):
        issuing.rule_return(params, issuing.by_table(np.full((5, 5), 5)))
    with pytest.raises(ValueError, match="V must have the shape"):
        issuing.orders(params, np.zeros(3))
    found = issuing.chain(params, issuing.base_stock(3))
    for law in (np.ones(2), np.ones(len(found.states))):
        with pytest.raises(ValueError, match="law must have a probability for each"):
            issuing.propagate(found, law, 1)
