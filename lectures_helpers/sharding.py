"""Where the arrays live: one device, all devices of a machine, or those of many machines.

A *mesh* is a list of devices.  A simulation or a solver that is handed one spreads its
firms, replications or states over it and otherwise does the same: the same call, the same
key, the same numbers.  (To the last bit, as long as every device has a fair share: for a
firm or two XLA may compile other vector code, which rounds a last digit otherwise.)  The
engine is JAX's own (`jax.distributed`, `jax.sharding`).

On several machines, every one of them runs the same program, which begins with `start`
and then makes one mesh over the devices of all.
"""

import os
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from lectures_helpers import checks

AXIS = "devices"  # name of a mesh's only axis


class Process(NamedTuple):
    """This process among those of a run."""

    index: int  #: from 0 on
    count: int  #: processes of the run


# What launchers set: coordinator's address (or host and port), number of processes, index.
LAUNCHERS = (
    (("JAX_COORDINATOR_ADDRESS",), "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"),
    (("MASTER_ADDR", "MASTER_PORT"), "WORLD_SIZE", "RANK"),
)


def start(
    coordinator=None,
    num_processes=None,
    process_id=None,
    *,
    patience=60,
) -> Process:
    """Join the run that several machines share, before anything else is done with JAX.

    What is not given is read from the environment: ``JAX_COORDINATOR_ADDRESS``,
    ``JAX_NUM_PROCESSES`` and ``JAX_PROCESS_ID``; or ``MASTER_ADDR``, ``MASTER_PORT``,
    ``WORLD_SIZE`` and ``RANK``; or what Slurm, Open MPI, Kubernetes and Cloud TPUs set.
    Where there is nothing of all that, the process is alone, and nothing is done.

    Args:
        coordinator: address of the first process, ``"host:port"``.
        num_processes: number of processes, an integer >= 1.
        process_id: index of this one, an integer in 0, ..., num_processes - 1.
        patience: seconds after which a process that does not answer counts as dead and
            all others end with an error, an integer >= 1.

    Returns:
        This process's index, and how many there are.

    Raises:
        ValueError: a bad argument or environment, or only some of the three known.
        RuntimeError: the others cannot be reached, or JAX has been used already.
    """
    patience = checks.integer("patience", patience, 1)
    known = {
        "coordinator": coordinator,
        "num_processes": num_processes,
        "process_id": process_id,
    }
    sources = dict.fromkeys(known, "")
    incomplete = ""
    for addresses, count, index in LAUNCHERS:
        names = (*addresses, count, index)
        if any(value is not None for value in known.values()):
            break
        unset = [name for name in names if not os.environ.get(name, "").strip()]
        if not unset:
            known = {
                "coordinator": ":".join(os.environ[name] for name in addresses),
                "num_processes": os.environ[count],
                "process_id": os.environ[index],
            }
            sources = {
                "coordinator": f" (from {' and '.join(addresses)})",
                "num_processes": f" (from {count})",
                "process_id": f" (from {index})",
            }
        elif len(unset) < len(names) and os.environ.get(count, "").strip() != "1":
            incomplete = (
                f"{' and '.join(names)} must be set together, "
                f"got no {' and no '.join(unset)}"
            )
    missing = [name for name, value in known.items() if value is None]
    if 0 < len(missing) < 3:
        raise ValueError(
            f"coordinator, num_processes and process_id must be given together, "
            f"got no {' and no '.join(missing)}"
        )
    if not missing:
        known = _checked_launch(known, sources)
        if known["num_processes"] == 1:
            return Process(0, 1)
        jax.distributed.initialize(
            known["coordinator"],
            known["num_processes"],
            known["process_id"],
            heartbeat_timeout_seconds=patience,
        )
    elif _in_cluster():
        jax.distributed.initialize(heartbeat_timeout_seconds=patience)
    elif incomplete:  # alone, every machine would do all the work, and save over others
        raise ValueError(incomplete)
    return Process(jax.process_index(), jax.process_count())


def _checked_launch(known, sources):
    numbers = {}
    for name, least in (("num_processes", 1), ("process_id", 0)):
        value = known[name]
        if isinstance(value, str) and value.strip().isdigit():
            value = int(value)
        numbers[name] = checks.integer(name + sources[name], value, least)
    count, index = numbers["num_processes"], numbers["process_id"]
    if index >= count:
        raise ValueError(
            f"process_id{sources['process_id']} must be below num_processes = {count}, "
            f"got {index}"
        )
    address = known["coordinator"]
    host, _, port = str(address).rpartition(":")
    if not (isinstance(address, str) and host and port.isdigit()):
        raise ValueError(
            f'coordinator{sources["coordinator"]} must be "host:port", got {address!r}'
        )
    return {"coordinator": address, **numbers}


def _in_cluster():
    """Whether a launcher that JAX knows has started several processes."""
    counts = ("SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE")
    several = any(os.environ.get(name, "1").strip() not in ("", "1") for name in counts)
    # Google's TPU hosts and indexed jobs of Kubernetes tell JAX more than one variable.
    return several or any(
        name in os.environ for name in ("TPU_WORKER_HOSTNAMES", "JOB_COMPLETION_INDEX")
    )


def create_mesh(num_devices=None) -> Mesh:
    """Make a mesh over devices, on all machines of the run.

    Args:
        num_devices: how many, an integer from 1 to those that there are; default all.

    Raises:
        ValueError: there are fewer devices.

    >>> create_mesh(1).size
    1
    """
    devices = jax.devices()
    if num_devices is not None:
        num_devices = checks.integer("num_devices", num_devices, 1)
        if num_devices > len(devices):
            raise ValueError(
                f"num_devices must be <= {len(devices)}, the devices that there are, "
                f"got {num_devices}"
            )
        devices = devices[:num_devices]
    return Mesh(np.asarray(devices), (AXIS,))


def checked_mesh(mesh) -> "Mesh | None":
    """Return `mesh` if it is None or has one axis, as `create_mesh` makes."""
    if mesh is None or (
        isinstance(mesh, Mesh)
        and len(mesh.axis_names) == 1
        and mesh.axis_types == (AxisType.Auto,)  # with others, constraints are errors
    ):
        return mesh
    raise ValueError(f"mesh must come from sharding.create_mesh, got {mesh!r}")


def checked_share(name, number, mesh):
    """Raise unless the mesh's devices can share `number` things evenly."""
    if checked_mesh(mesh) is None or number % mesh.size == 0:
        return
    below, above = (
        (number // mesh.size) * mesh.size,
        -(-number // mesh.size) * mesh.size,
    )
    nearest = f"{below} or {above}" if below else f"{above}"
    raise ValueError(
        f"{name} must be a multiple of the mesh's {mesh.size} devices, such as {nearest}, "
        f"got {number}"
    )


def spread(mesh, axis, ndim) -> NamedSharding:
    """The sharding of an array of `ndim` axes that is cut along one of them."""
    cuts = [None] * ndim
    cuts[axis] = mesh.axis_names[0]
    return NamedSharding(mesh, PartitionSpec(*cuts))


def everywhere(mesh) -> NamedSharding:
    """The sharding of an array that every device holds in full."""
    return NamedSharding(mesh, PartitionSpec())


def place(array, mesh, axis=0):
    """Cut an array along an axis and put the pieces on the mesh; None leaves it alone.

    Also within a compiled function, where it says how an intermediate array lies.
    """
    if mesh is None:
        return array
    sharding = spread(mesh, axis, np.ndim(array))
    if checks.is_traced(array):
        return jax.lax.with_sharding_constraint(array, sharding)
    return jax.device_put(array, sharding)


def gather(tree, mesh):
    """Put all arrays of a tree on every device of the mesh in full; None leaves them alone."""
    if mesh is None:
        return tree

    def one(array):
        if checks.is_traced(array):
            return jax.lax.with_sharding_constraint(array, everywhere(mesh))
        return jax.device_put(array, everywhere(mesh))

    return jax.tree.map(one, tree)


def map_shared(fn, values, shared, mesh):
    """Apply ``fn(value, *shared)`` to each of `values`, arrays (n, ...), one after another.

    The devices of a mesh share the values, and repeat the last one if that makes the
    shares even; the results, stacked, are on all of them.
    """

    def one_after_another(values, shared):
        return jax.lax.map(lambda value: fn(value, *shared), values)

    if mesh is None:
        return one_after_another(values, shared)
    number = len(jax.tree.leaves(values)[0])
    places = jnp.minimum(jnp.arange(-(-number // mesh.size) * mesh.size), number - 1)
    if places.size > number:
        values = jax.tree.map(lambda a: a[places], values)
    cut = PartitionSpec(mesh.axis_names[0])
    results = jax.shard_map(
        one_after_another, mesh=mesh, in_specs=(cut, PartitionSpec()), out_specs=cut
    )(values, shared)
    return jax.tree.map(lambda a: a[:number], gather(results, mesh))


def to_host(array) -> np.ndarray:
    """The whole array in this process's memory, wherever its pieces lie.

    On several machines every process must call it, and every one gets the whole.
    """
    if isinstance(array, jax.Array) and not array.is_fully_addressable:
        return multihost_utils.process_allgather(array, tiled=True)
    return np.asarray(array)


def from_host(array, sharding):
    """Spread an array that every process holds in full."""
    return jax.make_array_from_callback(array.shape, sharding, lambda cut: array[cut])
