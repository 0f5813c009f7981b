"""A stock that expires: one period's backup by the course's solver and by its peers.

A backup is the step from V_{t+1} to V_t for all states, in float32 and without decisions.
"""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import expiry_formulations, record
from lectures_helpers import expiry
from lectures_helpers.expiry import exhaustive, issuing, tensor, top_down
from lectures_helpers.expiry.periods import (
    TIES,
    create_periods,
    terminal_values,
)

DTYPE = "float32"
START = (
    3  # periods before the end at which the timed one starts, so that stock is sold off
)
COMPARED = 50  # states in which the tensor backup is compared with exhaustive search
OURS = "tensor backup"


class Case(NamedTuple):
    """A model of m classes of k levels, and its demand: Poisson, cut off above `most`."""

    m: int
    k: int
    rate: float
    most: int
    prices: dict

    def model(self):
        pmf = expiry.poisson_pmf(self.rate, self.most)
        return expiry.create_model(self.m, self.k, pmf, **self.prices)

    def title(self):
        return f"m = {self.m}, k = {self.k}: {self.k**self.m:,} states"


BASE: dict[str, float] = {}  # the package's own
WIDE = {"holding_cost": 1.5, "price": 10, "unit_cost": 5, "disposal_cost": 1}
WIDE = WIDE | {"discount": 1.0}


class Sizes(NamedTuple):
    """Sizes of a run."""

    cases: tuple[Case, ...] = (
        Case(4, 10, 8.0, 19, BASE),
        Case(6, 10, 8.0, 19, BASE),
        Case(4, 24, 20.0, 31, WIDE),
    )
    deep: Case = Case(8, 9, 8.0, 19, WIDE)
    mdpax_pairs: int = 10**7  # of a state and an action; with more it is left out
    issuing: tuple[int, int] = (
        4,
        2,
    )  # days on the shelf and lead time, as in the literature
    batches: tuple[int, ...] = (1024, 256, 64)  # MDPax's own first
    square: int = 2048  # of the matrix product that the machine's speed is taken from
    copied: int = 2**26  # numbers, of the copy that its memory's speed is taken from
    rounds: int = 9
    deep_rounds: int = 5


TINY = Sizes(
    cases=(Case(3, 4, 3.0, 7, BASE),),
    deep=Case(4, 3, 2.0, 5, WIDE),
    issuing=(2, 1),
    batches=(64, 16),
    square=64,
    copied=2**10,
    rounds=2,
    deep_rounds=2,
)  # fmt: skip


def main(folder, *, tiny=False):
    """Run everything, print tables, and write the record to a folder; return its path."""
    sizes = TINY if tiny else Sizes()
    peers, missing = record.peers(PEERS)
    for line in missing:
        print(line)
    speed = machine_speed(sizes)
    print(
        f"This machine: {speed['multiply_adds_per_s'] / 1e9:.1f} billion multiply-adds and "
        f"{speed['copied_bytes_per_s'] / 1e9:.1f} billion copied bytes a second"
    )
    tables, distances, compiled = {}, {}, {}
    for case in sizes.cases:
        compiled[case.title()] = compile_seconds(case)
        for title, make in (
            ("One period", beside_peers),
            ("Formulations", beside_forms),
        ):
            title = f"{title}, {case.title()}"
            tables[title] = make(case, sizes, peers)
            print(record.table(title, tables[title]))
        seconds = tables[f"One period, {case.title()}"][0]["median_s"]
        distances[case.title()] = distance(case, seconds, speed)
    case = sizes.deep
    title = f"One period, {case.title()}"
    deep = in_child(case, sizes.deep_rounds)
    compiled[case.title()] = deep["compile_s"]
    tables[title] = deep["table"]
    distances[case.title()] = distance(case, deep["table"][0]["median_s"], speed)
    print(record.table(title, tables[title]))
    if deep["peak_bytes"] is not None:
        print(f"  Peak memory of its process: {deep['peak_bytes'] / 2**30:.2f} GiB")
    for issued in issuing.ISSUING:
        m, L = sizes.issuing
        states = (issuing.create_parameters().most_order + 1) ** (m + L - 1)
        title = f"Issuing, {issued}, m = {m}, L = {L}: {states:,} states"
        tables[title] = beside_their_own(issued, sizes, peers)
        print(record.table(title, tables[title]))
    for name, seconds in compiled.items():
        times = distances[name]["times_floor"]
        print(f"{name}: compiled in {seconds:.2f} s; {times:.1f} times the floor")
    return record.finish(
        folder, "expiry", sizes, tiny=tiny, missing=missing, tables=tables,
        machine=record.machine() | {"speed": speed},
        compile_s=compiled,
        deep_peak_bytes=deep["peak_bytes"],
        distance_to_the_floor=distances,
    )  # fmt: skip


PEERS = {
    "numba": ("expiry_numba", "Numba is missing, its top-down is left out"),
    "mdpax": (
        "expiry_mdpax",
        "MDPax is missing, its value iteration is left out",
        "mdpax",
    ),
    "issuing": (
        "issuing_mdpax",
        "MDPax is missing, its own problem of goods that perish is left out",
        "mdpax",
    ),
}


# ------------------------------------------------------------------ the contenders


def compile_seconds(case):
    """Seconds that it takes to compile the tensor backup; it runs nothing."""
    jax.clear_caches()  # it may have been compiled already for the same size
    period = create_periods(case.model(), DTYPE)[0]
    values = jax.ShapeDtypeStruct((case.k,) * case.m, DTYPE)
    return record.seconds(lambda: tensor.backup.lower(values, period).compile() and 0)[
        0
    ]


def start(case):
    """The model, its period, and values some periods before the end."""
    model = case.model()
    period = create_periods(model, DTYPE)[0]
    values = terminal_values(model, DTYPE)
    for _ in range(START):
        values = tensor.backup(values, period)[0]
    return model, period, jax.block_until_ready(values)


def beside_peers(case, sizes, peers):
    """The tensor backup here and in Numba, the top-down walk in both, and MDPax."""
    model, period, values = start(case)
    contenders = {OURS: lambda: tensor.backup(values, period)[0]}
    flat = np.asarray(values).ravel()
    if "numba" in peers:
        numbers = peers["numba"].tables(model, period)
        for name, kernel in peers["numba"].kernels(case.m, case.k).items():
            contenders[f"Numba {name}"] = partial(
                kernel, flat, case.m, case.k, *numbers
            )
    if "mdpax" in peers and flat.size * actions(case) <= sizes.mdpax_pairs:
        backup, initial = peers["mdpax"].create_backup(model)
        if not np.array_equal(initial, terminal_values(model, DTYPE).ravel()):
            raise AssertionError("MDPax starts from other terminal values")
        contenders["MDPax value iteration"] = partial(backup, values.ravel())
    contenders["JAX top-down"] = lambda: top_down.backup(values, period)[0]
    return record.side_by_side(contenders, checker(values, period), sizes.rounds)


def actions(case):
    """Pairs (z, q)."""
    return (case.m * (case.k - 1) + 1) * case.k


def beside_forms(case, sizes, _):
    """The same backup, formulated otherwise."""
    _, period, values = start(case)
    contenders = {
        name: partial(form, values, period)
        for name, form in expiry_formulations.FORMS.items()
    }
    return record.side_by_side(contenders, checker(values, period), sizes.rounds)


def checker(values, period):
    """A check of results: all states against the tensor backup, some against the definition."""
    m, k = values.ndim, values.shape[0]
    right = np.asarray(tensor.backup(values, period)[0]).ravel()
    tolerance = TIES[DTYPE] * np.abs(right).max()
    some = np.random.default_rng(0).integers(0, k**m, COMPARED)
    x = jnp.asarray(expiry.decode(some, m, k))
    defined = np.asarray(by_definition(values, x, period))

    def check(_, result):
        result = np.asarray(result).ravel()
        gap = {
            "gap": np.abs(result - right).max(),
            "gap_to_definition": np.abs(result[some] - defined).max(),
        }
        if not max(gap.values()) <= tolerance:
            raise AssertionError(f"values are off by {gap}, more than {tolerance}")
        return {name: float(value) for name, value in gap.items()}

    return check


@jax.jit
def by_definition(values, x, period):
    """V_t in the states x, (n, m), by trying every action."""
    later = exhaustive.look_up(values)
    return exhaustive.best_actions(later, x, period)[0]


# ------------------------------------------------------ goods that perish, in the literature


def beside_their_own(issued, sizes, peers):
    """One backup of the shop of De Moor et al. (2022), by us, by MDPax, and by a list in NumPy."""
    params = issuing.create_parameters(*sizes.issuing, issued)
    backup = jax.jit(issuing.backup(params))
    V = jnp.zeros((params.most_order + 1,) * (sum(sizes.issuing) - 1), DTYPE)
    for _ in range(START):
        V = backup(V)
    expected = np.asarray(backup(V))

    def check(name, TV):
        gap = float(np.abs(np.asarray(TV) - expected).max())
        if not gap <= 1e-5 * np.abs(expected).max():
            raise AssertionError(f"{name} is {gap} off")
        return {"gap": gap}

    contenders = {"class by class": partial(backup, V)}
    contenders["NumPy, next states listed"] = in_numpy(params, np.asarray(V))
    if "issuing" in peers:
        for size in sizes.batches:
            contenders[f"MDPax, {size} states at once"] = peers[
                "issuing"
            ].create_backup(params, V, size)
    return record.side_by_side(contenders, check, sizes.deep_rounds)


def in_numpy(params, V):
    """A function that does the same backup from a list of next shelves, made beforehand."""
    m, k = params.num_ages, params.most_order + 1
    stock = np.indices((k,) * m).reshape(m, -1)
    demand = np.arange(params.demand_pmf.size)[:, None]
    lined_up = stock if params.issuing == "FIFO" else stock[::-1]
    until = np.cumsum(lined_up, axis=0)
    left = np.clip(until[:, None] - demand, 0, lined_up[:, None])
    left = left if params.issuing == "FIFO" else left[::-1]
    day = params.lost_sale_cost * np.maximum(demand - until[-1], 0)
    day = day + params.disposal_cost * left[0] + params.holding_cost * left[1:].sum(0)
    costs = (params.demand_pmf @ day).astype(DTYPE)
    after = np.zeros_like(left[0])
    for units in left[1:]:
        after = after * k + units
    pmf = params.demand_pmf.astype(DTYPE)
    unit_costs = (params.unit_cost * np.arange(k)).astype(DTYPE)

    def backup():
        later = (params.discount * V + unit_costs).reshape(k ** (m - 1), -1)
        mean = np.zeros((costs.size, later.shape[1]), DTYPE)
        for chance, shelves in zip(pmf, after, strict=True):
            mean += chance * later[shelves]
        best = mean.reshape(costs.size, -1, k).min(axis=-1)
        return (costs[:, None] + best).reshape(V.shape)

    return backup


# ------------------------------------------------------------------ a large model


def in_child(case, rounds):
    """Time the tensor backup in a process of its own, whose memory nothing else has used."""
    command = [sys.executable, "-m", "benchmarks.expiry"]
    run = subprocess.run(
        [*command, json.dumps([*case, rounds])],
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(run.stdout.splitlines()[-1])


def child(arguments):
    """What `in_child` asks for, as a line of JSON."""
    *fields, rounds = json.loads(arguments)
    case = Case(*fields)
    compile_s = compile_seconds(case)
    _, period, values = start(case)
    peak = peak_bytes()
    table = record.side_by_side(
        {OURS: lambda: tensor.backup(values, period)[0]},
        checker(values, period),
        rounds,
    )
    print(json.dumps({"compile_s": compile_s, "peak_bytes": peak, "table": table}))


def peak_bytes():
    """Most memory that this process has held at a time: the device's, on a CPU all of it."""
    device = jax.devices()[0]
    if device.platform != "cpu":
        return device.memory_stats()["peak_bytes_in_use"]
    try:
        # Not getrusage: its peak starts from that of the process that started this one.
        status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return None


# --------------------------------------------------------------- the floor below


def machine_speed(sizes):
    """Multiply-adds a second of a large product, and bytes a second that are read and written."""
    n = sizes.square
    matrix = jnp.ones((n, n), DTYPE)
    # In place: the time for new memory from the system is not what memory can do.
    negate = jax.jit(jnp.negative, donate_argnums=0)
    vector = [jnp.ones(sizes.copied, DTYPE)]

    def copy():
        vector[0] = negate(vector[0])
        return vector[0]

    contenders = {
        "product": lambda: jnp.dot(matrix, matrix, precision="highest"),
        "copy": copy,
    }
    product, copied = record.side_by_side(contenders, lambda *_: {}, sizes.rounds)
    return {
        "multiply_adds_per_s": n**3 / product["median_s"],
        "copied_bytes_per_s": 2 * vector[0].nbytes / copied["median_s"],
    }


def distance(case, seconds, speed):
    """How far the tensor backup is from what its arithmetic and its memory take at least."""
    work = multiply_adds(case)
    num_bytes = 2 * 4 * case.k**case.m  # V is read once and written once
    arithmetic_s = work["needed"] / speed["multiply_adds_per_s"]
    memory_s = num_bytes / speed["copied_bytes_per_s"]
    return {
        "multiply_adds": work,
        "bytes": num_bytes,
        "arithmetic_s": arithmetic_s,
        "memory_s": memory_s,
        "times_floor": seconds / max(arithmetic_s, memory_s),
    }


def multiply_adds(case):
    """Count multiply-adds along the front: those that are needed, and those that are done.

    The table behind an empty first class takes one for each stock u behind it and each n below S,
    where the demand law's sums end.  A chain j = n + u_1 is then needed for u_1 <= min(j, k - 1);
    the kernel moves all 2 k - 1 of them in every step, as it has no use for gaps.
    """
    m, k = case.m, case.k
    size = create_periods(case.model(), DTYPE)[0].cdf.size
    table = size * k ** (m - 1)
    steps = sum(min(j, k - 1) for j in range(2 * k - 1))
    return {
        "needed": table + steps * k ** (m - 1),
        "done": table + (2 * k - 1) * k * k ** (m - 1),
    }


if __name__ == "__main__":
    child(sys.argv[1])
