"""Which rule is best: the best (s, S) with Stockpyl; value iteration with NumPy and MDPax."""

from functools import partial
from itertools import product
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from scipy import stats

from benchmarks import record
from benchmarks.classical import same_optimum
from lectures_helpers import precision, value_iteration
from lectures_helpers.optimal import lost_sales, periodic

TOL = 1e-6  # how close the bounds of value iteration come, money a period


class Sizes(NamedTuple):
    """Sizes of a run; the defaults are those of the page."""

    searches: tuple[int, ...] = (20, 60)  # mean demand
    iterations: tuple[int, ...] = (20, 200)  # mean demand
    lost_table: tuple[int, ...] = (1, 2, 3, 4)  # lead times of the printed table
    lost_longer: tuple[int, ...] = (6, 7)  # lead times
    lost_backup: int = 5  # lead time
    rounds: int = 9


TINY = Sizes((6,), (6,), (1, 2), (3,), 2, rounds=2)


def main(folder, *, tiny=False):
    """Run everything, print tables, and write the record to a folder; return its path."""
    sizes = TINY if tiny else Sizes()
    peers, missing = record.peers(PEERS)
    for line in missing:
        print(line)
    tables = {}
    for part in PARTS:
        for title, rows in part(sizes, peers):
            tables[title] = rows
            print(record.table(title, rows))
    return record.finish(
        folder, "optimal", sizes, tiny=tiny, missing=missing, tables=tables,
    )  # fmt: skip


PEERS = {
    "stockpyl": (
        "optimal_stockpyl",
        "Stockpyl is missing, its best (s, S) is left out",
        "stockpyl",
    ),
    "mdpax": (
        "optimal_mdpax",
        "MDPax is missing, its backup with lost sales is left out",
        "mdpax",
    ),
}


def poisson_shop(mean):
    """K = 64, h = 1, p = 9, no lead time."""
    law = stats.poisson(mean)
    pmf = law.pmf(np.arange(int(law.isf(1e-15)) + 1))
    return periodic.create_parameters(64.0, 1.0, 9.0, pmf)


# ------------------------------------------------------------------------ best levels


def best_levels(sizes, peers):
    """The best (s, S), by us and by Stockpyl: the same algorithm, on the host."""

    def ours(shop, mean):
        s, S, cost = periodic.optimal_policy(shop)
        return (s, S), cost

    for mean in sizes.searches:
        model = poisson_shop(mean), mean
        contenders = {"default": partial(ours, *model)}
        if "stockpyl" in peers:
            contenders["Stockpyl"] = partial(peers["stockpyl"].levels, *model)
            contenders["Stockpyl, given the probabilities"] = partial(
                peers["stockpyl"].levels_by_probabilities, *model
            )
        check = partial(same_optimum, ours(*model))
        yield (
            f"Best levels: Poisson demand of {mean}",
            record.side_by_side(contenders, check, sizes.rounds),
        )


# -------------------------------------------------------------------- value iteration


def value_iterations(sizes, peers):
    """Bounds on the least cost of any rule, in 64 bits, in JAX and in NumPy."""
    for mean in sizes.iterations:
        shop = poisson_shop(mean)
        s, S, cost = periodic.optimal_policy(shop)
        low, high = s - 4 * mean, S + 2 * mean
        table = periodic.table(shop, low, high)

        def ours(table=table):
            with precision.enable_x64(True):
                start = jnp.zeros(table.period_costs.size)
                backup = Partial(periodic.backup, table)
                found = value_iteration.solve(backup, start, tol=TOL)
                return tuple(map(np.asarray, (found.lower, found.upper)))

        contenders = {"default": ours, "NumPy": partial(in_numpy, table)}
        yield (
            f"Value iteration: Poisson demand of {mean}, {high - low + 1} positions",
            record.side_by_side(contenders, partial(encloses, cost), sizes.rounds),
        )


def in_numpy(table):
    """The loop and the backup of the package, as one would write them in NumPy."""
    K, G, P = table
    V = np.zeros(G.size)
    while True:
        H = G + P @ V
        TV = np.minimum(H, K + np.minimum.accumulate(H[::-1])[::-1])
        change = TV - V
        if np.ptp(change) <= TOL:
            return change.min(), change.max()
        V = TV - TV[0]


def encloses(cost, name, bounds):
    """Raise unless the bounds have the least cost between them and are close."""
    lower, upper = map(float, bounds)
    if not lower - 1e-9 <= cost <= upper + 1e-9 or upper - lower > TOL * (1 + 1e-9):
        raise AssertionError(f"{name} finds {lower} to {upper}, around {cost}")
    return {"optimum": cost, "apart": upper - lower}


# ------------------------------------------------------------------------- lost sales

APART = 1e-3  # how close the bounds come, in 32 bits, money a period
LAWS = {
    "Poisson": stats.poisson(5).pmf(np.arange(40)),
    "geometric": 1 / 6 * (5 / 6) ** np.arange(190),
}


def lost_shop(p, lead_time, law="Poisson"):
    """h = 1, a mean demand of 5, as Zipkin (2008) has it."""
    return lost_sales.create_parameters(1.0, float(p), LAWS[law], lead_time)


def lost_solved(shops):
    """Bounds on the least cost of (shop, box of states) pairs, ours."""
    found = [lost_sales.optimum(shop, tol=APART, shape=box) for shop, box in shops]
    return np.array([[one.lower, one.upper] for one in found])


def lost_in_numpy(shops):
    """The same, the same backup and the same loop, as one would write them in NumPy."""

    def backup(costs, law, V):
        if V.ndim == 1:
            return costs + (law @ V).min(axis=1)
        best = np.full_like(V, np.inf)
        for z in range(V.shape[-1]):
            np.minimum(best, np.tensordot(law, V[..., z], 1), out=best)
        return best + np.expand_dims(costs, tuple(range(1, V.ndim)))

    bounds = []
    for shop, box in shops:
        costs, law = (a.astype("float32") for a in lost_sales.table(shop, box))
        V = np.zeros(box, "float32")
        while True:
            TV = backup(costs, law, V)
            change = TV - V
            if np.ptp(change) <= APART:
                break
            V = TV - TV.ravel()[0]
        bounds.append([change.min(), change.max()])
    return np.array(bounds)


def alike(bounds, name, found):
    """Raise unless both enclose the same costs."""
    off = np.abs(np.mean(found, axis=1) - np.mean(bounds, axis=1)).max()
    if off > APART or np.ptp(found, axis=1).max() > APART * 1.001:
        raise AssertionError(f"{name} finds {found}, others {bounds}")
    return {"optima_apart": float(off)}


def lost_optima(sizes, _):
    """Whole solutions: the printed table, and lead times beyond it, p = 4."""

    def boxed(law, p, lead_time):
        return lost_shop(p, lead_time, law), lost_sales.box(
            lost_shop(39, lead_time, law)
        )

    table = [boxed(*case) for case in product(LAWS, (4, 9, 19, 39), sizes.lost_table)]
    cases = {f"Lost sales: the {len(table)} shops of Zipkin's table": table}
    for lead_time in sizes.lost_longer:
        shop = lost_shop(4, lead_time)
        box = lost_sales.box(shop)
        title = f"Lost sales: a lead time of {lead_time}, {np.prod(box):,} states"
        cases[title] = [(shop, box)]
    for title, shops in cases.items():
        contenders = {
            "default": partial(lost_solved, shops),
            "NumPy": partial(lost_in_numpy, shops),
        }
        check = partial(alike, lost_solved(shops))
        yield title, record.side_by_side(contenders, check, min(sizes.rounds, 3))


def lost_backup(sizes, peers):
    """One backup from the same values, with MDPax beside it."""
    shop = lost_shop(4, sizes.lost_backup)
    box, table = lost_sales.box(shop), jax.tree.map(jnp.float32, lost_sales.table(shop))
    backup = jax.jit(lost_sales.backup)
    V = jnp.zeros(box, "float32")
    for _ in range(sizes.lost_backup):
        V = backup(table, V)
    expected = np.asarray(backup(table, V))

    def check(name, TV):
        off = float(np.abs(np.asarray(TV).ravel() - expected.ravel()).max())
        if off > 1e-4 * np.abs(expected).max():
            raise AssertionError(f"{name} is {off} off")
        return {"values_apart": off}

    contenders = {"default": partial(backup, table, V)}
    if "mdpax" in peers:
        contenders["MDPax"] = peers["mdpax"].create_backup(shop, box, np.asarray(V))
    title = (
        f"Lost sales: one backup, a lead time of {sizes.lost_backup}, {V.size:,} states"
    )
    yield title, record.side_by_side(contenders, check, sizes.rounds)


PARTS = (best_levels, value_iterations, lost_optima, lost_backup)
