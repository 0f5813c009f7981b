"""Where the arrays live: one device, all devices of a machine, or those of many machines.

A *mesh* is a list of devices.  What is handed one (`ss.cross_section`, the simulations of
base stock and (Q, r), `expiry.solve`) spreads its firms, replications or states over it and
otherwise does the same: the same call, the same key, the same numbers.  (To the last bit, as long as every device has a fair share: for a
firm or two XLA may compile other vector code, which rounds a last digit otherwise.)  The
engine is JAX's own (`jax.distributed`, `jax.sharding`).

On several machines, every one of them runs the same program, which begins with
`jax.distributed.initialize` and then makes one mesh over the devices of all.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from lectures_helpers import checks

__all__ = ["create_mesh", "gather", "to_host"]

AXIS = "devices"  # name of a mesh's only axis


def create_mesh(num_devices: int | None = None) -> Mesh:
    """Make a mesh over devices, on all machines of the run.

    Args:
        num_devices: how many, an integer from 1 to those that there are; default all.

    Returns:
        A mesh of one axis.

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


def checked_mesh(mesh: Mesh | None) -> Mesh | None:
    """Return `mesh` if it is None or has one axis, as `create_mesh` makes."""
    if mesh is None or (
        isinstance(mesh, Mesh)
        and len(mesh.axis_names) == 1
        and mesh.axis_types == (AxisType.Auto,)  # with others, constraints are errors
    ):
        return mesh
    raise ValueError(f"mesh must come from sharding.create_mesh, got {mesh!r}")


def checked_share(name: str, number: int, mesh: Mesh | None) -> None:
    """Raise unless the mesh's devices can share `number` things evenly."""
    if (mesh := checked_mesh(mesh)) is None or number % mesh.size == 0:
        return
    below = number // mesh.size * mesh.size
    above = below + mesh.size
    nearest = f"{below} or {above}" if below else f"{above}"
    raise ValueError(
        f"{name} must be a multiple of the mesh's {mesh.size} devices, such as {nearest}, "
        f"got {number}"
    )


def spread(mesh: Mesh, axis: int, ndim: int) -> NamedSharding:
    """The sharding of an array of `ndim` axes that is cut along one of them."""
    cuts: list[str | None] = [None] * ndim
    cuts[axis] = mesh.axis_names[0]
    return NamedSharding(mesh, PartitionSpec(*cuts))


def everywhere(mesh: Mesh) -> NamedSharding:
    """The sharding of an array that every device holds in full."""
    return NamedSharding(mesh, PartitionSpec())


def place(array: jax.Array, mesh: Mesh | None, axis: int = 0) -> jax.Array:
    """Cut an array along an axis and put the pieces on the mesh; None leaves it alone."""
    if mesh is None:
        return array
    return jax.device_put(array, spread(mesh, axis, np.ndim(array)))


def gather(tree: Any, mesh: Mesh) -> Any:
    """Put all arrays of a tree on every device of the mesh in full."""
    return jax.device_put(tree, everywhere(mesh))


def map_shared(fn: Callable, values: Any, shared: tuple, mesh: Mesh) -> Any:
    """Apply ``fn(value, *shared)`` to each of `values`, arrays (n, ...), one after another.

    The devices of a mesh share the values, and repeat the last one if that makes the
    shares even; the results, stacked, are on all of them.
    """

    def one_after_another(values, shared):
        return jax.lax.map(lambda value: fn(value, *shared), values)

    number = len(jax.tree.leaves(values)[0])
    places = jnp.minimum(jnp.arange(-(-number // mesh.size) * mesh.size), number - 1)
    if places.size > number:
        values = jax.tree.map(lambda a: a[places], values)
    cut = PartitionSpec(mesh.axis_names[0])
    results = jax.shard_map(
        one_after_another, mesh=mesh, in_specs=(cut, PartitionSpec()), out_specs=cut
    )(values, shared)
    results = jax.lax.with_sharding_constraint(results, everywhere(mesh))
    return jax.tree.map(lambda a: a[:number], results)


def to_host(array: jax.Array | np.ndarray) -> np.ndarray:
    """The whole array in this process's memory, wherever its pieces lie.

    On several machines every process must call it, and every one gets the whole.
    """
    if isinstance(array, jax.Array) and not array.is_fully_addressable:
        return multihost_utils.process_allgather(array, tiled=True)
    return np.asarray(array)
