"""Growth of the tensor backup with the model, and the same work on one device and on several.

A backup is one in float32 and without decisions; the memory is that of a solve, with decisions,
as `expiry.required_memory` tells it.
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

from benchmarks import record
from benchmarks.expiry import DTYPE, WIDE, Case, by_definition, compile_seconds, start
from lectures_helpers import expiry, sharding
from lectures_helpers.dynamics import ss
from lectures_helpers.expiry import sharded, tensor
from lectures_helpers.expiry.memory import program_bytes
from lectures_helpers.expiry.periods import TIES, create_periods, terminal_values


class Sizes(NamedTuple):
    """Sizes of a run: models from 10^3 to 10^7 states, and what the devices share."""

    classes: tuple[int, ...] = (3, 4, 5, 6, 7)  # m, at k = levels
    levels: int = 10
    few_classes: int = 4
    few_levels: tuple[int, ...] = (6, 10, 18, 32, 56)  # k, at m = few_classes
    compared: int = 8  # states in which values are compared with the definition
    shared: tuple[int, int] = (5, 16)  # m and k of the model on the mesh
    devices: tuple[int, ...] = (1, 2)
    num_firms: int = 50_000
    num_periods: int = 500
    rounds: int = 9


TINY = Sizes(
    classes=(2, 3),
    levels=4,
    few_classes=3,
    few_levels=(3,),
    compared=4,
    shared=(3, 4),
    num_firms=200,
    num_periods=12,
    rounds=2,
)


def main(folder, *, tiny=False):
    """Run everything, print tables, and write the record to a folder; return its path."""
    sizes = TINY if tiny else Sizes()
    tables = {}
    for title, cases in families(sizes).items():
        tables[title] = growth(cases, sizes)
        print(record.table(title, tables[title]))
    mesh, missing = on_meshes(sizes)
    for line in missing:
        print(line)
    for title, rows in mesh.items():
        tables[title] = rows
        print(record.table(title, rows))
    return record.finish(
        folder, "scaling", sizes, tiny=tiny, missing=missing, tables=tables,
    )  # fmt: skip


# ------------------------------------------------------------------------- growth


def families(sizes):
    """The models of each table: more classes, and more levels."""
    return {
        f"More classes, k = {sizes.levels}": [
            sized(m, sizes.levels) for m in sizes.classes
        ],
        f"More levels, m = {sizes.few_classes}": [
            sized(sizes.few_classes, k) for k in sizes.few_levels
        ],
    }


def sized(m, k):
    """A model of a size: a period sells most of what one order can bring."""
    return Case(m, k, 0.8 * k, 2 * k, WIDE)


def growth(cases, sizes):
    """Models of different sizes in turn; ratios are for one pair of a state and an order."""
    contenders, states, checks = {}, {}, {}
    compiled = {case.title(): compile_seconds(case) for case in cases}
    for case in cases:
        _, period, values = start(case)
        contenders[case.title()] = partial(period_back, values, period)
        states[case.title()] = case.k**case.m
        checks[case.title()] = partial(against_definition, values, period, sizes)
    work = {case.title(): case.k ** (case.m + 1) for case in cases}
    rows = record.side_by_side(
        contenders, lambda name, result: checks[name](result), sizes.rounds, work
    )
    for row, case in zip(rows, cases, strict=True):
        row |= {
            "m": case.m,
            "k": case.k,
            "states": states[row["name"]],
            "compile_s": compiled[row["name"]],
            "required_bytes": expiry.required_memory(case.model(), dtype=DTYPE),
        }
    return rows


def period_back(values, period):
    """V_t from V_{t+1}."""
    return tensor.backup(values, period)[0]


def against_definition(values, period, sizes, result):
    """Raise unless values are those of the search of every action, in some states."""
    m, k = values.ndim, values.shape[0]
    some = np.random.default_rng(0).integers(0, k**m, sizes.compared)
    right = by_definition(values, jnp.asarray(expiry.decode(some, m, k)), period)
    gap = float(np.abs(np.asarray(result).ravel()[some] - np.asarray(right)).max())
    tolerance = float(TIES[DTYPE] * max(1.0, np.abs(np.asarray(result)).max()))
    if not gap <= tolerance:
        raise AssertionError(f"values are off by {gap}, more than {tolerance}")
    return {"gap_to_definition": gap}


# ------------------------------------------------------------------------- meshes


def on_meshes(sizes):
    """The tables of the meshes, and a line if there are none."""
    most = max(sizes.devices)
    if jax.device_count() >= most:
        return mesh_tables(sizes), []
    if jax.default_backend() != "cpu":
        return {}, [f"There are no {most} devices here, meshes are left out"]
    # Only XLA's start-up can make virtual devices, so that they need a process of their own.
    flags = f"--xla_force_host_platform_device_count={most}"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.scaling", json.dumps(sizes)],
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(run.stdout.splitlines()[-1]), []


def mesh_tables(sizes):
    """A backup and a cross-section, without a mesh and on meshes of so many devices."""
    m, k = sizes.shared
    kind = "virtual CPU devices" if jax.default_backend() == "cpu" else "devices"
    backup = f"Backup on {kind}: m = {m}, k = {k}, {k**m:,} states"
    section = f"Cross-section on {kind}: {sizes.num_firms:,} firms, {sizes.num_periods} periods"
    return {backup: shared_backup(sizes), section: shared_firms(sizes)}


def shared_backup(sizes):
    """One backup of the same values, cut among the devices."""
    m, k = sizes.shared
    case = sized(m, k)
    model, period = case.model(), create_periods(case.model(), DTYPE)[0]
    contenders, facts = {}, {}
    values = terminal_values(model, DTYPE)
    alone = tensor.backup.lower(values, period).compile()
    right = np.asarray(alone(values, period)[0])
    contenders["no mesh"] = lambda: alone(values, period)[0]
    facts["no mesh"] = {
        "devices": 1,
        "bytes_per_device": program_bytes(alone),
        "exchanged_bytes": 0,
    }
    for n in sizes.devices:
        mesh = sharding.create_mesh(n)
        cut = sharded.start(mesh, model, DTYPE)
        law = sharding.gather(period, mesh)
        compiled = sharded.backup.lower(cut, law, mesh=mesh).compile()
        contenders[on(n)] = partial(first_of, compiled, cut, law)
        facts[on(n)] = {
            "devices": n,
            "bytes_per_device": program_bytes(compiled),
            "exchanged_bytes": sharded.exchanged_bytes(m, k, n, cut.dtype.itemsize),
        }

    def check(_, result):
        gap = (
            np.abs(sharding.to_host(result)[:, :k] - right).max() / np.abs(right).max()
        )
        if not gap <= 1e-6:  # a few roundings: a multiply-add may be fused or not
            raise AssertionError(f"values differ by {gap} of the largest one")
        return {"relative_gap": float(gap)}

    rows = record.side_by_side(contenders, check, sizes.rounds)
    return [row | facts[row["name"]] for row in rows]


def shared_firms(sizes):
    """The same firms, shared by the devices: equal to the bit."""
    draw = partial(
        ss.cross_section, ss.create_parameters(), 50.0, sizes.num_periods,
        key=jax.random.key(0), num_firms=sizes.num_firms,
    )  # fmt: skip
    right = np.asarray(draw())
    contenders = {"no mesh": draw}
    devices = {"no mesh": 1}
    for n in sizes.devices:
        contenders[on(n)] = partial(draw, mesh=sharding.create_mesh(n))
        devices[on(n)] = n

    def check(_, result):
        different = int((sharding.to_host(result) != right).sum())
        if different:
            raise AssertionError(f"{different} firms have other stocks")
        return {"different_stocks": different}

    rows = record.side_by_side(contenders, check, sizes.rounds)
    # Firms do not talk to each other.
    return [
        row | {"devices": devices[row["name"]], "exchanged_bytes": 0} for row in rows
    ]


def on(n):
    return f"mesh of {n}"


def first_of(compiled, values, law):
    return compiled(values, law)[0]


if __name__ == "__main__":
    print(json.dumps(mesh_tables(Sizes(*json.loads(sys.argv[1])))))
