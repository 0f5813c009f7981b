"""What tests/test_sharding.py runs in a process with eight virtual devices: prints JSON."""

import json
import re
import sys

import jax
import numpy as np

from lectures_helpers import demand, expiry, sharding
from lectures_helpers.classical import base_stock, qr
from lectures_helpers.dynamics import ss
from lectures_helpers.optimal import lost_sales

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)


def simulations(mesh):
    """Every simulation that takes a mesh."""
    lognormal = demand.create_distribution("lognormal", None, 1.0)
    few = base_stock.Run(num_replications=8, num_demands=300, mesh=mesh)
    return {
        "cross_section": ss.cross_section(
            ss.create_parameters(), 50.0, 60, key=key(1), num_firms=4000, mesh=mesh
        ),
        "base_stock": base_stock.simulate(
            base_stock.create_parameters(unit_cost=1.0),
            None,
            lognormal,
            [9, 11],
            key=key(6),
            run=few,
        ),
        "qr": mesh  # without a mesh it does what base stock does
        and qr.simulate(
            qr.create_parameters(unit_cost=1.0),
            None,
            None,
            [2, 26],
            [3, 11],
            key=key(7),
            run=few,
        ),
    }


def key(seed):
    return jax.random.key(seed)


def differences(one, other):
    """Names of the results that differ in a bit, and the largest relative difference."""
    names, most = [], 0.0
    pairs = zip(
        jax.tree_util.tree_leaves_with_path(one), jax.tree.leaves(other), strict=True
    )
    for (path, a), b in pairs:
        a, b = np.asarray(a), np.asarray(b)
        if not np.array_equal(a, b, equal_nan=True):
            names.append(jax.tree_util.keystr(path))
            scale = np.nanmax(np.abs(a)) or 1.0
            most = max(most, float(np.nanmax(np.abs(a - b)) / scale))
    return names, most


def model(m, k):
    return expiry.create_model(m, k, expiry.poisson_pmf(0.8 * k, 19))


def solvers():
    """Relative difference of values, and whether decisions agree, by case and devices."""
    found = {}
    for m, k, dtype, meshes in [
        (
            4,
            5,
            "float64",
            (3, 8),
        ),  # uneven: 2, 2, 1, and three devices of padding alone
    ]:
        case = model(m, k)
        alone = expiry.solve(case, 3, dtype=dtype, keep_policies=True)
        for devices in meshes:
            spread = expiry.solve(
                case, 3, dtype=dtype, keep_policies=True,
                mesh=sharding.create_mesh(devices),
            )  # fmt: skip
            a, b = np.asarray(alone.values), np.asarray(spread.values)
            found[f"{m}, {k}, {dtype}, {devices}"] = {
                "values": float(np.abs(a - b).max() / np.abs(a).max()),
                "shape": list(b.shape) == [k] * m and str(b.dtype) == dtype,
                "decisions": bool(
                    (np.asarray(alone.depletions) == spread.depletions).all()
                    and (np.asarray(alone.orders) == spread.orders).all()
                ),
                "gap": spread.certificate.gap,
            }
    return found


def lost_sales_optima():
    """Bounds alone and on eight devices, and how often a backup sends the whole array."""
    pmf = np.array([0.1, 0.2, 0.3, 0.2, 0.2])
    shop = lost_sales.create_parameters(1.0, 9.0, pmf, 4)
    shape = (lost_sales.box(shop)[0], 8, 8, 8)  # eight orders, for eight devices
    mesh = sharding.create_mesh(8)
    alone, shared = (
        lost_sales.optimum(shop, tol=1e-4, shape=shape, mesh=some)
        for some in (None, mesh)
    )
    V = sharding.place(jax.numpy.zeros(shape, "float32"), mesh, 1)
    compiled = jax.jit(lost_sales.on_mesh, static_argnames="mesh").lower(
        lost_sales.table(shop, shape), V, mesh=mesh
    )
    sent = received(compiled.compile().as_text(), 8) / V.nbytes
    return {"alone": alone, "shared": shared, "sent": sent}


def memory_and_exchange():
    """Bytes a device and bytes exchanged, by devices, in units of the array's size."""
    from lectures_helpers.expiry import memory, periods, sharded, solver

    m, k = 5, 16
    case, array = model(m, k), 4 * 16**5
    law = tuple(a.shape for a in periods.create_periods(case, "float32")[0])
    found = {}
    for devices in (1, 2, 4, 8):
        compiled = solver.compiled(
            sharding.create_mesh(devices), "tensor", (k,) * m, law, "float32", None
        )
        total = memory.program_bytes(compiled)
        exchanged = sharded.exchanged_bytes(m, k, devices, 4)
        found[devices] = {
            "memory": total / array,
            "exchanged": exchanged / array,
            "compiled": received(compiled.as_text(), devices) / array,
        }
    return found


def received(text, devices):
    """Bytes that cross between devices, read off a compiled program, all devices together."""
    total = 0
    for line in text.splitlines():
        found = re.search(r" = (.*?) (all-to-all|all-gather)(-start)?\(", line)
        if not found:
            continue
        shapes = re.findall(r"f32\[([\d,]*)\]", found[1])
        size = sum(4 * int(np.prod([int(n) for n in s.split(",")])) for s in shapes)
        # A device has one share of what it ends up with; the others come from elsewhere.
        total += size * (devices - 1) / devices * devices
    return total


def main():
    alone, one, eight = (
        simulations(mesh) for mesh in (None, *map(sharding.create_mesh, (1, 8)))
    )
    firms = "cross_section"
    report = {
        "devices": jax.device_count(),
        "simulations": differences(one, eight)[0],
        "without a mesh": differences(alone["base_stock"], one["base_stock"])[1],
        "firms without a mesh": differences(alone[firms], one[firms])[0],
        "solvers": solvers(),
        "lost sales": lost_sales_optima(),
        "scale": memory_and_exchange(),
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
