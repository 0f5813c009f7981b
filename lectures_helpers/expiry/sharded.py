"""The tensor backup over a mesh: states shared by devices, products local.

Columns (u_2, ..., u_{m-1}) need nothing of one another, so that values V(x_1, x_2, ...) are
cut along x_2 = u_2, the same piece of every column's first index for each device.  What a
backup makes of u_2 is y_3, the third class: it comes out cut along x_3.  One exchange of
all with all cuts it along x_2 again, which moves (n - 1) / n of the array among n devices.

What is not cut is V(0, ·), one k-th of the array: every device gets it whole, before the
backup for the fronts, and after it for the running maxima of the newer classes.

Where n does not divide k, x_2 is padded up to a multiple of n.

Where there is no mesh, the functions that the solver calls leave values on one device, whole.

Source: the lecture on scale (thm-exchange).
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from lectures_helpers import sharding
from lectures_helpers.expiry import tensor
from lectures_helpers.expiry.model import Model
from lectures_helpers.expiry.periods import (
    Decision,
    Period,
    salvage_values,
    terminal_values,
    total_stock,
)

__all__ = ["backup", "exchanged_bytes", "padded", "start"]

CUT = 1  # the axis along which values lie on the mesh: x_2


def padded(num_levels: int, mesh: Mesh) -> int:
    """Length of the cut axis: k, up to a multiple of the devices."""
    return -(-num_levels // mesh.size) * mesh.size


def layout(mesh: Mesh | None, shape: tuple) -> tuple:
    """The shape of values as they lie, and the shardings of what is cut and of what is not."""
    if mesh is None:
        return shape, None, None
    m, k = len(shape), shape[0]
    shape = (*shape[:CUT], padded(k, mesh), *shape[CUT + 1 :])
    return shape, sharding.spread(mesh, CUT, m), sharding.everywhere(mesh)


def start(mesh: Mesh | None, model: Model, dtype: str) -> jax.Array:
    """Terminal values, (k, padded k, k, ...), made where they lie."""
    if mesh is None:
        return terminal_values(model, dtype)
    shape, cut, _ = layout(mesh, (model.num_levels,) * model.num_ages)
    make = jax.jit(salvage_values, static_argnames="shape", out_shardings=cut)
    return make(np.asarray(model.salvage, dtype), shape=shape)


def put(mesh: Mesh | None, values: np.ndarray) -> jax.Array:
    """Values out of a save, where they belong."""
    if mesh is None:
        return jnp.asarray(values)
    shape, cut, _ = layout(mesh, values.shape)
    whole = np.zeros(shape, values.dtype)
    whole[:, : len(values)] = values
    return jax.make_array_from_callback(shape, cut, lambda piece: whole[piece])


def fetch(mesh: Mesh | None, array: jax.Array) -> np.ndarray:
    """The whole array in this process's memory, without padding."""
    whole = sharding.to_host(array)
    return whole if mesh is None else whole[:, : len(whole)]


def _pad(array, axis, length):
    """The array with zeros behind it along an axis."""
    widths = [(0, 0)] * array.ndim
    widths[axis] = (0, length - array.shape[axis])
    return jnp.pad(array, widths)


@partial(jax.jit, static_argnames=("mesh", "decide"))
def backup(
    values: jax.Array, period: Period, *, mesh: Mesh, decide: str | None = None
) -> tuple[jax.Array, Decision | None]:
    """Move values back by one period; as `tensor.backup`, for m >= 3, padded and cut."""
    name = mesh.axis_names[0]
    cut = sharding.spread(mesh, CUT, values.ndim).spec
    decision = None if decide is None else Decision._make((cut, cut))
    local = jax.shard_map(
        partial(_local_backup, name=name, devices=mesh.size, decide=decide),
        mesh=mesh,
        in_specs=(cut, PartitionSpec()),
        out_specs=(cut, decision),
        check_vma=False,  # constants among varying loop states are ours to get right
    )
    return local(values, period)


def _local_backup(values, period, *, name, devices, decide):
    """What one device does with its piece, (k, share, k, ...)."""
    k, share = values.shape[:2]
    full = share * devices
    mine = jax.lax.axis_index(name) * share

    def whole(piece):
        """All pieces together, without the padding."""
        together = jax.lax.all_gather(piece, name, tiled=True)
        return jax.lax.slice_in_dim(together, 0, k)

    def my_piece(array, axis=0):
        array = _pad(array, axis, full)
        return jax.lax.dynamic_slice_in_dim(array, mine, share, axis)

    def recut(array):
        """From a cut along x_3 to one along x_2."""
        array = _pad(array.reshape(k, k, share, *values.shape[3:]), 1, full)
        array = jax.lax.all_to_all(array, name, 1, 2, tiled=True)
        return jax.lax.slice_in_dim(array, 0, k, axis=2)

    chains = tensor.fronts(whole(values[0]), period, partial(my_piece, axis=1))
    between = total_stock(values.shape[1:-1], values.dtype) + mine.astype(values.dtype)
    kept, order = tensor.in_blocks(
        values.reshape(k, -1, k),
        chains.reshape(2 * k - 1, k, -1),
        between.reshape(1, -1),
        period,
        decide,
    )
    kept = recut(kept)
    if decide is None:
        first = my_piece(tensor.running_maximum(whole(kept[0]), period.salvage))
        return tensor.along_oldest(first, kept, period.salvage), None

    order = recut(order)
    first = whole(kept[0]), whole(order[0])
    first = tensor.running_decision(*first, period)
    first = jax.tree.map(my_piece, first)
    return tensor.decide_along_oldest(first, kept, order, period)


def exchanged_bytes(num_ages: int, num_levels: int, devices: int, itemsize: int) -> int:
    """Bytes that all devices together receive in one period without decisions.

    From each of the others, a device gets its share of W once, in the exchange of all
    with all, and its share of V(0, ·) and of W(0, ·).
    """
    m, k = num_ages, num_levels
    length = -(-k // devices) * devices  # of a cut axis, padding included
    recut = k ** (m - 2) * length * length // devices  # k, length / n, length, k, ...
    first = 2 * k ** (m - 2) * length
    return itemsize * (recut * (devices - 1) + first * (devices - 1))
