"""A chain of stages: its optimum by value iteration, by quadrature, and by simulation."""

import itertools
from collections import deque

import jax
import numpy as np
import pytest
from scipy import optimize, stats

from lectures_helpers import precision
from lectures_helpers.optimal import periodic, serial
from lectures_helpers.teaching import intervals

POISSON = stats.poisson(5).pmf(np.arange(int(stats.poisson(5).isf(1e-15)) + 1))

# Three chains with Poisson demand of mean 5, from the customers up: h', p, L; the best
# levels; the cost; and the cost that stockpyl 1.0.2 finds, which cuts each law where what
# is left has the probability of four standard deviations, 3.2e-5.
CHAINS = {
    1: ((1.0,), 9.0, (1,), (8,), 4.2210929258, 4.220848697151741),
    2: ((3.0, 1.0), 10.0, (1, 1), (7, 13), 16.7983488891, 16.79777902231661),
    3: ((7.0, 4.0, 2.0), 37.12, (1, 1, 2), (9, 15, 26), 72.0467410209, 72.0435433050749),
}  # fmt: skip


def chain_of(number):
    local, p, times, *_ = CHAINS[number]
    return serial.create_parameters(local, p, POISSON, times)


def random_chain(seed, lead_times, units=3):
    draw = np.random.default_rng(seed)
    local = np.sort(draw.uniform(0.3, 3, len(lead_times)))[::-1]
    pmf = draw.dirichlet(np.ones(units))
    return serial.create_parameters(local, draw.uniform(3, 20), pmf, lead_times)


# ------------------------------------------------------------------------------- optima


@pytest.mark.parametrize("number", CHAINS)
def test_three_chains_with_poisson_demand(number):
    *_, levels, least, _ = CHAINS[number]
    found = serial.optimal_policy(chain_of(number))
    assert found.levels == levels
    assert abs(found.cost - least) < 1e-10 * least
    assert serial.cost(chain_of(number), levels) == found.cost


@pytest.mark.parametrize("number", CHAINS)
def test_the_same_with_the_tails_that_stockpyl_cuts(number):
    """Its digits, to the last, by the recursion written again with its laws."""
    local, p, times, levels, least, cut = CHAINS[number]
    h = -np.diff(local, append=0.0)

    def law(nights):  # what lies beyond the quantile is put on it
        demand = stats.poisson(5 * nights)
        top = int(demand.ppf(stats.norm.cdf(4)))
        return np.append(demand.pmf(np.arange(top)), demand.sf(top - 1))

    def g(j, y):
        below = (lambda x: (p + local[0]) * max(-x, 0)) if j == 0 else None
        return sum(
            mass * (h[j] * (y - d) + (below or stages[j - 1])(y - d))
            for d, mass in enumerate(law(times[j]))
        )

    stages, memory = [], {}
    for j, S in enumerate(levels):

        def stage(x, j=j, S=S):
            key = j, min(x, S)
            if key not in memory:
                memory[key] = g(*key)
            return memory[key]

        stages.append(stage)
    assert abs(stages[-1](levels[-1]) - cut) < 1e-11
    assert abs(cut / least - 1) < 6e-5


def by_value_iteration(chain):
    """Bounds on the least cost of any rule of two stages, unit by unit.

    State in the evening, when all is counted: stock at the shop (customers who wait are
    negative), stock at the depot, and what is already on its way, night by night.
    """
    (h1, h2), p, pmf, (L1, L2) = chain
    most = 2 * (pmf.size - 1) * (L1 + L2)
    low, top, load = -most, most, 2 * (pmf.size - 1) + 1
    axes = [np.arange(low, top + 1), np.arange(top + 1)]
    axes += [np.arange(load + 1)] * (L1 - 1 + L2 - 1)
    grid = [some.ravel() for some in np.meshgrid(*axes, indexing="ij")]
    shape = tuple(axis.size for axis in axes)
    x, n, to_shop, to_depot = grid[0], grid[1], grid[2 : L1 + 1], grid[L1 + 1 :]
    cost = h1 * np.maximum(x, 0) + p * np.maximum(-x, 0) + h2 * (n + sum(to_shop))
    options = []
    for u, z in itertools.product(range(load + 1), repeat=2):
        shop, depot = [*to_shop, np.full(x.size, u)], [*to_depot, np.full(x.size, z)]
        # What does not fit into the box is thrown away: no good rule lets that happen.
        fine = u <= n
        to = [
            np.ravel_multi_index(
                (
                    np.clip(x + shop[0] - d, low, top) - low,
                    np.clip(n - u + depot[0], 0, top),
                    *shop[1:],
                    *depot[1:],
                ),
                shape,
            )
            for d in range(pmf.size)
        ]
        options.append((fine, np.array(to)))
    V = np.zeros(x.size)
    for _ in range(5_000):
        best = np.full(x.size, np.inf)
        for fine, to in options:
            best = np.minimum(best, np.where(fine, pmf @ V[to], np.inf))
        change = cost + best - V
        if np.ptp(change) < 1e-9:
            return change.min(), change.max()
        V = V + 0.9 * (change - change[0])  # no period
    raise AssertionError("the bounds do not meet")


@pytest.mark.parametrize(
    ("seed", "lead_times", "units"),
    [(0, (1, 1), 4), (1, (1, 1), 3), (2, (1, 2), 2), (3, (2, 1), 2)],
)
def test_no_rule_is_better(seed, lead_times, units):
    chain = random_chain(seed, lead_times, units)
    lower, upper = by_value_iteration(chain)
    assert lower - 1e-9 <= serial.optimal_policy(chain).cost <= upper + 1e-9


def normal_example():
    """Snyder and Shen (2019), example 6.1, in real numbers: levels and least cost.

    The first cost has a closed form; each further one is an integral over a normal
    demand, by Gauss and Legendre on panels that begin at the kink.
    """
    h, p, mean, times = (3.0, 2.0, 2.0), 37.12, 5.0, (1, 1, 2)
    nodes, weights = np.polynomial.legendre.leggauss(24)

    def first(y):
        z = y - mean
        loss = stats.norm.pdf(z) - z * stats.norm.sf(z)
        return h[0] * z + (p + sum(h)) * loss

    def next_stage(j, below, S):
        law = stats.norm(mean * times[j], np.sqrt(times[j]))

        def g(y):
            y = np.asarray(y, float)[..., None, None]
            ends = law.mean() + law.std() * np.array([-9.0, 9.0])
            kink = np.clip(y - S, *ends)
            parts = np.linspace(0, 1, 7)[:, None]
            total = 0.0
            for a, b in ((ends[0], kink), (kink, ends[1])):
                left = a + (b - a) * parts[:-1]
                half = (b - a) * (parts[1] - parts[0]) / 2
                d = left + half * (1 + nodes)
                x = y - d
                costs = h[j] * x + below(np.minimum(x, S))
                total = total + (half * weights * costs * law.pdf(d)).sum((-1, -2))
            return total

        return g

    costs, levels = first, [mean + stats.norm.ppf((p + 4) / (p + 7))]
    for j, near in ((1, 12.0), (2, 22.7)):
        costs = next_stage(j, costs, levels[-1])
        found = optimize.minimize_scalar(
            costs, bounds=(near - 1, near + 1), options={"xatol": 1e-7}
        )
        levels.append(found.x)
    return levels, float(costs(levels[-1]))


def in_steps(step):
    """The same chain with each day's demand rounded to steps, which are its units."""
    edges = (np.arange(int(14 / step)) + 0.5) * step
    pmf = np.diff(stats.norm.cdf(edges, 5, 1), prepend=0.0)
    local = np.array([7.0, 4.0, 2.0]) * step
    return serial.create_parameters(local, 37.12 * step, pmf / pmf.sum(), (1, 1, 2))


def test_normal_demand_by_quadrature():
    levels, least = normal_example()
    np.testing.assert_allclose(least, 47.6601496, atol=2e-7)
    np.testing.assert_allclose(levels, [6.49088, 12.01761, 22.70550], atol=1e-4)
    # Rounding costs something that falls with the square of the step.
    for k in (3, 5, 7):
        found = serial.optimal_policy(in_steps(2.0**-k))
        assert 0 < found.cost - least < 0.8 * 4.0**-k
        np.testing.assert_allclose(
            np.array(found.levels) * 2.0**-k, levels, atol=1.1 * 2.0**-k
        )
    assert round(serial.optimal_policy(in_steps(1.0)).cost, 2) == 48.17


def test_one_stage_is_a_shop_without_setups():
    law = POISSON[:20] / POISSON[:20].sum()
    for nights in (1, 3):
        chain = serial.create_parameters([2.0], 9.0, law, [nights])
        shop = periodic.create_parameters(0.0, 2.0, 9.0, law, nights - 1)
        best = periodic.optimal_policy(shop)
        found = serial.optimal_policy(chain)
        assert found.levels == (best.S,)
        np.testing.assert_allclose(found.cost, best.cost, rtol=1e-12)


def test_where_all_stages_cost_the_same_the_shop_holds_all():
    chain = serial.create_parameters([2.0] * 3, 9.0, POISSON, [1, 1, 2])
    whole = serial.create_parameters([2.0], 9.0, POISSON, [4])
    on_the_way = 2.0 * 5 * (1 + 1)  # Little's law, from brewery to depot to shop
    expected = serial.optimal_policy(whole).cost + on_the_way
    np.testing.assert_allclose(serial.optimal_policy(chain).cost, expected, rtol=1e-12)


# -------------------------------------------------------------------------------- rules


def exact_by_shortfalls(chain, levels):
    """Cost of nested levels, from the top down: what each stage owes to the next.

    It owes what it was short of, and what came since, less its own base stock; the law of
    that is passed on.  Costs are those of each place; no echelon occurs.
    """
    own = np.diff(levels, prepend=0)
    assert (own >= 0).all()
    local, p, pmf, times = chain
    mean = pmf @ np.arange(pmf.size)
    owed, total = np.ones(1), local[1:] @ times[:-1] * mean
    for j in reversed(range(len(times))):
        for _ in range(times[j]):
            owed = np.convolve(owed, pmf)
        left = np.maximum(own[j] - np.arange(owed.size), 0)
        total += local[j] * (left @ owed)
        owed = np.append(owed[: own[j] + 1].sum(), owed[own[j] + 1 :])
    # What waits upstream is on hand less, and paid for nowhere until it is shipped.
    return total + p * (owed @ np.arange(owed.size))


@pytest.mark.parametrize("seed", range(6))
def test_costs_of_levels_from_the_top_down(seed):
    draw = np.random.default_rng(seed)
    chain = random_chain(seed, tuple(draw.integers(1, 4, 3)), units=4)
    best = serial.optimal_policy(chain)
    for _ in range(5):
        levels = np.cumsum(draw.integers(0, 9, 3))
        found = serial.cost(chain, levels)
        np.testing.assert_allclose(
            found, exact_by_shortfalls(chain, levels), rtol=1e-12
        )
        assert found >= best.cost - 1e-12


def test_a_level_above_the_one_upstream_acts_as_that_one():
    chain = chain_of(3)
    for levels in ((20, 15, 26), (9, 40, 26), (3, -2, 30)):
        level = np.minimum.accumulate(levels[::-1])[::-1]
        np.testing.assert_allclose(
            serial.cost(chain, levels), serial.cost(chain, level)
        )


def by_hand(chain, levels, demands, local_rule=False):
    """One chain, with lorries as queues: (stock, transit, shipped, cost) of each evening.

    Under the local rule each stage lifts its own position, with what it has been promised
    and less what it owes, to its own level; nobody looks further.
    """
    local, p, _, times = chain
    level = np.minimum.accumulate(np.array(levels)[::-1])[::-1]
    own = np.diff(level, prepend=0)
    stock = own.tolist()
    lorries = [deque([0] * L) for L in times]
    owed = [0] * len(times)  # to each stage, by the one above
    rows = []
    for demand in demands:
        for j, some in enumerate(lorries):
            stock[j] += some.popleft()
        stock[0] -= demand
        transit = [sum(some) for some in lorries]
        held = sum(c * max(x, 0) for c, x in zip(local, stock, strict=True))
        held += sum(c * x for c, x in zip(local[1:], transit[:-1], strict=True))
        counted = list(stock)
        shipped = []
        if local_rule:
            asked = 0
            for j in range(len(times)):
                debt = owed[j - 1] + asked if j else 0
                position = stock[j] + transit[j] + owed[j] - debt
                owed[j - 1] += asked if j else 0
                asked = own[j] - position
                assert asked == demand  # base stock passes on what was sold
            owed[-1] += asked
            for j in range(len(times)):
                there = stock[j + 1] if j + 1 < len(times) else owed[j]
                shipped.append(min(owed[j], there))
                owed[j] -= shipped[j]
        else:
            position = 0
            for j in range(len(times)):
                position += stock[j] + transit[j]
                there = stock[j + 1] if j + 1 < len(times) else np.inf
                shipped.append(min(max(levels[j] - position, 0), there))
        for j, units in enumerate(shipped):
            lorries[j].append(units)
            if j + 1 < len(times):
                stock[j + 1] -= units
        rows.append((counted, transit, shipped, held + p * max(-counted[0], 0)))
    return [np.array(some) for some in zip(*rows, strict=True)]


@pytest.mark.parametrize("lead_times", [(1,), (1, 1, 2), (2, 3), (3, 1, 1, 2)])
def test_paths_by_hand(lead_times):
    draw = np.random.default_rng(7)
    chain = random_chain(1, lead_times, units=6)
    demands = draw.integers(0, 6, 200)
    levels = np.cumsum(draw.integers(1, 9, len(lead_times)))
    for some in (levels, levels[::-1]):
        with precision.enable_x64(True):
            found = serial.sample_path(chain, some, demands)
        for one, other in zip(
            found, by_hand(chain, some.tolist(), demands), strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-12)


def test_local_base_stock_ships_the_same():
    """Axsäter and Rosling (1993): with S_j - S_(j-1) at each stage, evening by evening."""
    demands = np.random.default_rng(3).poisson(5, 500)
    for levels in ((9, 15, 26), (7, 14, 27), (4, 4, 22)):
        by_echelon = by_hand(chain_of(3), levels, demands)
        by_place = by_hand(chain_of(3), levels, demands, local_rule=True)
        for one, other in zip(by_echelon, by_place, strict=True):
            assert (one == other).all()


@pytest.mark.parametrize(
    ("number", "levels"), [(1, (8,)), (2, (6, 14)), (3, (9, 15, 26)), (3, (12, 13, 22))]
)
def test_simulations_agree(number, levels):
    chain = chain_of(number)
    runs = serial.simulate(
        chain, levels, key=jax.random.key(number), num_periods=300, num_chains=3000
    )
    intervals.check_agreement(np.asarray(runs), serial.cost(chain, levels))


def test_the_start_is_forgotten_after_all_lead_times():
    """From then on evenings have one law: the first that counts has the exact mean."""
    chain = random_chain(4, (2, 1, 3), units=4)
    levels = serial.optimal_policy(chain).levels
    key = jax.random.key(8)
    runs = serial.simulate(chain, levels, key=key, num_periods=1, num_chains=200_000)
    intervals.check_agreement(np.asarray(runs), serial.cost(chain, levels))
    again = serial.simulate(chain, levels, key=key, num_periods=1, num_chains=200_000)
    assert (np.asarray(runs) == np.asarray(again)).all()


# ----------------------------------------------------------------------------- refusals

FAIR = {
    "holding_costs": [3.0, 1.0], "backorder_cost": 10.0, "demand_pmf": [0.5, 0.5],
    "lead_times": [1, 2],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"holding_costs": [1.0, 3.0]}, "holding_costs must not rise .* got 1 and"),
        ({"holding_costs": [3.0, 0.0]}, "holding_costs must be >= 1e-09"),
        ({"holding_costs": 3.0}, "holding_costs must be a vector"),
        ({"backorder_cost": 0.0}, "backorder_cost must be >= 1e-09"),
        ({"demand_pmf": [0.5, 0.4]}, "demand_pmf must be a vector of probabilities"),
        ({"demand_pmf": [1.0, 0.0]}, "demand_pmf must have mass above 0"),
        ({"lead_times": [1, 0]}, "lead_times must be an integer >= 1"),
        ({"lead_times": [1]}, "lead_times must have one entry for each .* 2, got"),
        ({"lead_times": [1, 30_000]}, "lead_times must be shorter, or demand_pmf"),
        ({"lead_times": [15_000] * 2}, "lead_times must be shorter.* 30,000 units"),
    ],
)
def test_what_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        serial.create_parameters(**(FAIR | changes))


def test_levels_and_runs_that_are_refused():
    chain = serial.create_parameters(**FAIR)
    with pytest.raises(ValueError, match="levels must be one for each of 2 stages"):
        serial.cost(chain, [1, 2, 3])
    with pytest.raises(ValueError, match="levels must be >= -20,000 and <= 20,000"):
        serial.recursion(chain, [1, 30_000])
    with pytest.raises(ValueError, match=r"levels must be >= -20,000 .* got -30,000"):
        serial.cost(chain, [1, -30_000])
    with pytest.raises(ValueError, match="demands must be a vector"):
        serial.sample_path(chain, [1, 2], 3)
    with pytest.raises(ValueError, match="demands must be <= 20000"):
        serial.sample_path(chain, [1, 2], [3, 50_000])
    key = jax.random.key(0)
    with pytest.raises(ValueError, match="num_periods must be smaller, or num_chains"):
        serial.simulate(chain, [1, 2], key=key, num_periods=10**7)
    with pytest.raises(ValueError, match="num_chains must be <= 10,000,000"):
        serial.simulate(chain, [1, 2], key=key, num_chains=10**8)


def test_the_branch_for_a_gpu_is_the_same_chain(monkeypatch):
    """Days that go into one launch, also where their number is no multiple: whole units."""
    params = serial.create_parameters([3.0, 2.0, 1.0], 20.0, [0.2, 0.5, 0.3], [1, 2, 2])

    def both():
        serial._path.clear_cache()
        serial._simulate.clear_cache()
        path = serial.sample_path(
            params, [4, 9, 12], [0, 1, 2, 2, 0, 1, 2, 1, 1, 2] * 3
        )
        costs = serial.simulate(
            params, [4, 9, 12], key=jax.random.key(1), num_periods=30, num_chains=5
        )
        return path, costs

    right, costs = both()
    with monkeypatch.context() as patch:
        patch.setattr(jax, "default_backend", lambda: "gpu")
        found, others = both()
    serial._path.clear_cache()
    serial._simulate.clear_cache()
    jax.tree.map(np.testing.assert_array_equal, found, right)
    np.testing.assert_allclose(others, costs, rtol=1e-5)


@pytest.mark.parametrize(("dearer", "level"), [(0.0, 0), (1e-15, 0), (1e-10, 1)])
def test_only_what_rounding_made_is_a_tie(dearer, level):
    """Half a unit too many for 1, or half a unit short for 1 and a little."""
    shop = serial.create_parameters([1.0], 1.0 + dearer, [0.5, 0.5], [1])
    assert serial.optimal_policy(shop).levels == (level,)
