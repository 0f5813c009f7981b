"""Arithmetic in 64 bits for one call, whatever JAX's own setting."""

import contextlib
from typing import Any

import jax

__all__ = ["enable_x64", "on_cpu"]

_home: Any = jax if hasattr(jax, "enable_x64") else jax.experimental
#: Context manager that switches 64-bit arithmetic on or off inside it.  The same one
#: under its newer name and, before jax 0.8, its older one.
enable_x64 = _home.enable_x64


def on_cpu() -> contextlib.AbstractContextManager:
    """Context manager in which JAX computes on the CPU, if it has loaded that backend."""
    try:
        return jax.default_device(jax.local_devices(backend="cpu")[0])
    except RuntimeError:  # JAX was told to load no CPU backend
        return contextlib.nullcontext()
