"""The solver's place on one device: values lie there whole.

`sharded` has the same functions for a mesh; `where` is the device here, the mesh there.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from lectures_helpers.expiry import (
    exhaustive,
    periods,
    tensor,
    threshold,
    top_down,
)
from lectures_helpers.expiry.model import Model
from lectures_helpers.expiry.periods import Period

__all__ = ["BACKUPS"]

#: The methods of `solve`: functions (values, period, decide) -> (values, decision).
BACKUPS = {
    "exhaustive": exhaustive.backup,
    "top_down": top_down.backup,
    "threshold": threshold.backup,
    "tensor": tensor.backup,
}


def start(where: jax.Device, model: Model, dtype: str) -> jax.Array:
    """Terminal values, made where they lie."""
    return periods.terminal_values(model, dtype)


def put(where: jax.Device, values: np.ndarray) -> jax.Array:
    """Values out of a save, where they belong."""
    return jnp.asarray(values)


def fetch(where: jax.Device, array: jax.Array) -> np.ndarray:
    """The whole array in this process's memory."""
    return np.asarray(array)


def look_up(where: jax.Device, values: jax.Array) -> exhaustive.LookUp:
    """The function from states (..., m) to their values, (...)."""
    return exhaustive.look_up(values)


@lru_cache(maxsize=64)
def compiled(
    where: jax.Device,
    method: str,
    shape: tuple,
    law: tuple,
    dtype: str,
    decide: str | None,
) -> jax.stages.Compiled:
    """A backup compiled for these sizes: once, and never again in this process.

    Args:
        where: the device.
        method: one of `BACKUPS`.
        shape: that of the values, (k,) * m.
        law: shapes of the arrays of a `Period`.
        dtype: type of the values.
        decide: integer type of the decisions, or None for values alone.
    """
    period = Period._make(jax.ShapeDtypeStruct(a, dtype) for a in law)
    values = jax.ShapeDtypeStruct(shape, dtype)
    return BACKUPS[method].lower(values, period, decide=decide).compile()
