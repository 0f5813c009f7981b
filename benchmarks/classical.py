"""Classical models, side by side: simulation with Numba and SimPy, exact optima with Stockpyl."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import record
from lectures_helpers import demand
from lectures_helpers.classical import base_stock, eoq, newsvendor, qr

PARAMS = base_stock.create_parameters(unit_cost=1.0)  # as the source
LEVELS = np.arange(5, 21)
COMPARED = 6  # the level whose results are compared: R = 11


class Sizes(NamedTuple):
    """Sizes of a run; the defaults are those of the specification of the goals."""

    num_demands: int = 20_000
    num_replications: int = 10
    simpy_demands: int = 20_000  # one level, one replication
    qr_points: tuple[int, ...] = tuple(range(2, 51, 2))
    qr_replications: int = 3
    solves: int = 1_000  # of a model that is solved in microseconds, in one call
    rounds: int = 9


TINY = Sizes(400, 3, 200, (2, 26), 2, solves=2, rounds=2)


def main(folder, *, tiny=False):
    """Run everything, print tables, and write the record to a folder; return its path."""
    sizes = TINY if tiny else Sizes()
    peers, missing = record.peers(PEERS)
    for line in missing:
        print(line)
    tables = {}
    for name in ("deterministic", "exponential"):
        title = (
            f"Base stock, {name} lead times: {LEVELS.size} levels, "
            f"{sizes.num_replications} replications of {sizes.num_demands:,} demands"
        )
        tables[title] = base_stock_sweep(name, sizes, peers)
        print(record.table(title, tables[title]))
    title = (
        f"(Q, r): {len(sizes.qr_points) ** 2} policies, "
        f"{sizes.qr_replications} replications of 2,000 demands"
    )
    tables[title] = qr_sweep(sizes)
    print(record.table(title, tables[title]))
    for title, rows in exact_optima(sizes, peers):
        tables[title] = rows
        print(record.table(title, rows))
    rates = machine_rates(sizes)
    distances = distances_to_the_floor(tables, sizes, rates)
    print(
        "This machine, million numbers a second: "
        + ", ".join(f"{rates[f'{name}_per_s'] / 1e6:.0f} {name}" for name in OPERATIONS)
    )
    for title, distance in distances.items():
        print(f"  {title}: {distance['times_floor']:.2f} times the floor")
    return record.finish(
        folder, "classical", sizes, tiny=tiny, missing=missing, tables=tables,
        machine_rates=rates,
        distance_to_the_floor=distances,
    )  # fmt: skip


PEERS = {
    "numba": ("classical_numba", "Numba is missing, its event loop is left out"),
    "simpy": ("classical_simpy", "SimPy is missing, its model is left out"),
    "stockpyl": (
        "classical_stockpyl",
        "Stockpyl is missing, its optima are left out",
        "stockpyl",
    ),
}


# ---------------------------------------------------------------------- base stock


def base_stock_sweep(lead_time, sizes, peers):
    """A sweep over levels; the work is counted in demands times levels."""
    n, replications = sizes.num_demands, sizes.num_replications
    law = (
        None
        if lead_time == "deterministic"
        else demand.create_distribution(lead_time, None)
    )

    def ours(seed, max_backorders):
        return base_stock.simulate(
            PARAMS, None, law, LEVELS, key=jax.random.key(seed),
            run=base_stock.Run(replications, n, max_backorders=max_backorders),
        )  # fmt: skip

    sweep = LEVELS.size * replications * n
    contenders = {
        "default, without the law of backorders": partial(ours, 0, 0),
        "default": partial(ours, 1, 20),
    }
    work = dict.fromkeys(contenders, sweep)
    if "numba" in peers:
        module = peers["numba"]
        loop = module.deterministic if lead_time == "deterministic" else module.random
        name = "Numba event loop, parallel"
        contenders[name] = partial(
            loop, PARAMS.demand_rate, PARAMS.lead_time, LEVELS, n, replications, 2
        )
        work[name] = sweep
    if "simpy" in peers and lead_time == "deterministic":
        name = "SimPy, one level"
        contenders[name] = partial(
            peers["simpy"].base_stock, PARAMS.demand_rate, PARAMS.lead_time,
            int(LEVELS[COMPARED]), sizes.simpy_demands, 3,
        )  # fmt: skip
        work[name] = sizes.simpy_demands

    def check(name, result):
        if name.startswith("default"):
            got = result.costs.total[COMPARED], result.fill_rate[COMPARED]
            return follows(*map(np.asarray, got), n)
        held, waited, filled = map(np.atleast_1d, result)
        if held.ndim == 2:
            held, waited, filled = (x[COMPARED] for x in (held, waited, filled))
        total = 1 + PARAMS.holding_cost * held + PARAMS.backorder_cost * waited
        return follows(total, filled, work[name] if held.size == 1 else n)

    return record.side_by_side(contenders, check, sizes.rounds, work)


def follows(total, filled, num_demands):
    """Raise unless replications agree with the exact cost and fill rate; return by how much.

    A run of n demands that starts with a full shelf fills (R + (n - R) f) / n of them; its
    cost is off by no more than what R units cost in a lead time and a half.
    """
    level = int(LEVELS[COMPARED])
    exact = base_stock.exact(PARAMS, level)
    fill = (level + (num_demands - level) * float(exact.fill_rate)) / num_demands
    # Spread of one replication's mean, from theory's side: a fill rate over n demands
    # is a mean of n indicators that are correlated over a lead time, some ten demands.
    spread = np.sqrt(2 * 10 * fill * (1 - fill) / num_demands / filled.size)
    gaps = {
        "fill_rate_in_standard_errors": float((filled.mean() - fill) / spread),
        "cost": float(total.mean()),
        "exact_cost": float(exact.costs.total),
    }
    start = level * PARAMS.backorder_cost * PARAMS.lead_time * 1.5 / num_demands
    slope = (
        PARAMS.holding_cost + PARAMS.backorder_cost
    )  # by which a fill moves the cost
    allowed = 4 * spread * slope * PARAMS.lead_time + start
    if abs(gaps["fill_rate_in_standard_errors"]) > 4 or (
        abs(gaps["cost"] - gaps["exact_cost"]) > allowed
    ):
        raise AssertionError(f"the simulation disagrees with the exact result: {gaps}")
    return gaps


# -------------------------------------------------------------------------- (Q, r)


def qr_sweep(sizes):
    """Demo 15: all pairs at once, one pair at a time, and the exact grid."""
    params, points = qr.create_parameters(unit_cost=1.0), np.array(sizes.qr_points)
    exact = qr.exact(params, points, points).costs.total
    run = qr.Run(sizes.qr_replications)

    def all_at_once():
        return qr.simulate(
            params, None, None, points, points, key=jax.random.key(4), run=run
        ).costs.total

    def row_by_row():
        # The largest lot size comes along, so that no row is compiled anew.
        return np.stack([
            qr.simulate(
                params, None, None, [int(points[0]), int(Q)], points,
                key=jax.random.key(4), run=run,
            ).costs.total[1]
            for Q in points
        ])  # fmt: skip

    def exactly():
        return qr.exact(params, points, points).costs.total

    def check(name, total):
        if name == "exact":
            return {"least": float(total.min())}
        # Largest gap on the grid, where the exact cost varies tenfold.
        gap = np.abs(np.asarray(total).mean(-1) / exact - 1).max()
        if gap > 0.5:
            raise AssertionError(f"a simulated cost is {gap:.0%} off the exact one")
        return {"largest_relative_gap": float(gap)}

    contenders = {
        "default": all_at_once,
        "a call for each Q": row_by_row,
        "exact": exactly,
    }
    return record.side_by_side(contenders, check, sizes.rounds)


# -------------------------------------------------------------------- exact optima


def exact_optima(sizes, peers):
    """Titles and tables: the best policy and its cost, exactly, by us and by Stockpyl.

    The models are examples 3.1, 4.2 and 5.8 of Snyder and Shen (2019), whose companion Stockpyl
    is, and the (Q, r) model of the lecture.
    """

    def lot_size(params):
        Q = eoq.optimal_quantity(params)
        return (Q,), eoq.cost(params, Q).total

    def season(params, dist):
        Q = newsvendor.optimal_quantity(params, dist)
        return (Q,), newsvendor.expected_profit(params, dist, Q)

    def lots(params):
        Q, r, cost = qr.optimal_policy(params)
        return (Q, r), cost

    # At a mean of 6.25 standard deviations it does not matter that we truncate at zero.
    normal = demand.create_distribution("normal", 50.0, (8 / 50) ** 2)
    example = qr.create_parameters(1.5, 0.0, 100.0, 20.0, 150.0, 2.0)
    models = {
        f"EOQ, {sizes.solves:,} times": (
            lot_size, (eoq.create_parameters(1300.0, 0.0, 8.0, 0.225),), sizes.solves
        ),
        f"newsvendor, normal demand, {sizes.solves:,} times": (
            season, (newsvendor.create_parameters(0.3, 1.0, 0.12), normal), sizes.solves
        ),
        "(Q, r), Q = 5": (lots, (example,), 1),
        "(Q, r), Q = 26": (lots, (qr.create_parameters(unit_cost=1.0),), 1),
    }  # fmt: skip
    for name, (solve, model, times) in models.items():
        contenders = {"default": partial(again, times, solve, *model)}
        if "stockpyl" in peers:
            theirs = getattr(peers["stockpyl"], solve.__name__)
            contenders["Stockpyl"] = partial(again, times, theirs, *model)
        check = partial(same_optimum, solve(*model))
        yield (
            f"Exact optima: {name}",
            record.side_by_side(contenders, check, sizes.rounds),
        )


def again(times, solve, *model):
    """Solve so many times, since one time may be too short for the clock; the last solution."""
    for _ in range(times):
        solution = solve(*model)
    return solution


def same_optimum(ours, name, solution):
    """Raise unless policy and cost are those that we find; return the cost and by how much."""
    expected, got = (np.array([*policy, cost]) for policy, cost in (ours, solution))
    gap = float(np.abs(got / expected - 1).max())
    if not gap <= 1e-6:
        raise AssertionError(f"{name} finds {got}, not {expected}")
    compared = {} if name == "default" else {"relative_gap": gap}
    return {"optimum": float(got[-1])} | compared


# --------------------------------------------------------------- the floor below

OPERATIONS = ("drawn", "added up", "sorted", "matched")


def machine_rates(sizes):
    """Numbers a second that are drawn, added up, sorted and matched, a row a replication."""
    n, replications = sizes.num_demands, sizes.num_replications
    shape = (replications, n)
    gaps = jax.block_until_ready(jax.random.exponential(jax.random.key(5), shape))
    dates = jnp.cumsum(gaps, -1)

    @jax.jit
    def draw(key):
        return jax.random.exponential(key, shape)

    @jax.jit
    def match(demands, units):
        """The least that a level costs: two waits, their means, and a count."""
        late = units - demands
        return (
            jnp.maximum(late, 0).mean(-1),
            jnp.maximum(-late, 0).mean(-1),
            (late <= 0).mean(-1),
        )

    contenders = {
        "drawn": lambda: draw(jax.random.key(6)),
        "added up": partial(jax.jit(partial(jnp.cumsum, axis=-1)), gaps),
        "sorted": partial(jax.jit(jnp.sort), dates + gaps),
        "matched": partial(match, dates, dates + 1),
    }
    rows = record.side_by_side(contenders, lambda *_: {}, sizes.rounds)
    return {"numbers": replications * n} | {
        f"{row['name']}_per_s": replications * n / row["median_s"] for row in rows
    }


def distances_to_the_floor(tables, sizes, rates):
    """How far the sweeps over base-stock levels are from their parts, each at its own rate.

    A sweep draws the times between demands once and adds them up; random lead times are drawn
    too, and the arrivals sorted; every level matches all demands.
    """
    numbers = sizes.num_replications * sizes.num_demands
    distances = {}
    for title, rows in tables.items():
        if not title.startswith("Base stock"):
            continue
        crossing = 0 if "deterministic" in title else 1
        work = {
            "drawn": numbers * (1 + crossing),
            "added up": numbers,
            "sorted": numbers * crossing,
            "matched": numbers * LEVELS.size,
        }
        parts = {name: work[name] / rates[f"{name}_per_s"] for name in OPERATIONS}
        distances[title] = {
            "numbers": work,
            "parts_s": parts,
            "times_floor": rows[0]["median_s"] / sum(parts.values()),
        }
    return distances
