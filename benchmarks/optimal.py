"""Which rule is best: the best (s, S) with Stockpyl, and value iteration with plain NumPy."""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from scipy import stats

from benchmarks import record
from benchmarks.classical import same_optimum
from lectures_helpers import precision, value_iteration
from lectures_helpers.optimal import periodic

TOL = 1e-6  # how close the bounds of value iteration come, money a period


class Sizes(NamedTuple):
    """Sizes of a run; the defaults are those of the page."""

    searches: tuple[int, ...] = (20, 60)  # mean demand
    iterations: tuple[int, ...] = (20, 200)  # mean demand
    rounds: int = 9


TINY = Sizes((6,), (6,), rounds=2)


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
    result = {
        "benchmark": "optimal",
        "tiny": tiny,
        "machine": record.machine(),
        "rounds": sizes.rounds,
        "missing": missing,
        "tables": tables,
    }
    path = record.write(folder, "optimal", result)
    print(f"Results: {path}")
    return path


PEERS = {
    "stockpyl": (
        "optimal_stockpyl",
        "Stockpyl is missing, its best (s, S) is left out",
        "stockpyl",
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


PARTS = (best_levels, value_iterations)
