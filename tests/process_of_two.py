"""One of two processes that tests/test_sharding.py starts.

python process_of_two.py TASK FOLDER COORDINATOR INDEX
"""

import sys
import time
from pathlib import Path

import jax
import numpy as np

from lectures_helpers import expiry, sharding
from lectures_helpers.classical import base_stock
from lectures_helpers.dynamics import ss

MODEL = expiry.create_model(3, 6, expiry.poisson_pmf(5.0, 15))


def results(mesh):
    """Everything that is compared, as NumPy arrays."""
    key = jax.random.key(0)
    section = ss.cross_section(
        ss.create_parameters(), 50.0, 60, key=key, num_firms=8000, mesh=mesh
    )
    performance = base_stock.simulate(
        base_stock.create_parameters(unit_cost=1.0), None, None, [9, 11],
        key=key, run=base_stock.Run(num_replications=8, num_demands=300, mesh=mesh),
    )  # fmt: skip
    solution = expiry.solve(MODEL, 4, dtype="float32", mesh=mesh)
    return {
        "section": sharding.to_host(section),
        "cost": sharding.to_host(performance.costs.total),
        "standard_error": sharding.to_host(performance.standard_error.costs.total),
        "values": solution.values,
        "depletion": solution.depletion,
        "order": solution.order,
        "gap": np.asarray(solution.certificate.gap),
    }


def main(task, folder, coordinator, index):
    jax.distributed.initialize(coordinator, 2, index, heartbeat_timeout_seconds=10)
    mesh = sharding.create_mesh()
    print(f"process {index} of {jax.process_count()}: {mesh.size} devices", flush=True)
    if task == "begin":  # a long run, saved each period; one process is killed in it
        np.savez(folder / f"process-{index}.npz", **results(mesh))
        slow_down()
    solution = expiry.solve(
        MODEL, 40, dtype="float32", mesh=mesh, checkpoint=folder / "run.npz"
    )
    np.save(folder / f"values-{index}.npy", solution.values)
    print("they agree, and now they do not", flush=True)
    expiry.solve(MODEL, 3 + index, dtype="float32", mesh=mesh)


def slow_down():
    """Make each save take a while, so that a kill falls into the run."""
    from lectures_helpers.expiry import solver

    save = solver._save
    solver._save = lambda *args: (time.sleep(0.2), save(*args))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
