"""Arithmetic in 64 bits for one call, whatever JAX's own setting."""

from typing import Any

import jax

__all__ = ["enable_x64"]

_home: Any = jax if hasattr(jax, "enable_x64") else jax.experimental
#: Context manager that switches 64-bit arithmetic on or off inside it.  The same one
#: under its newer name and, before jax 0.8, its older one.
enable_x64 = _home.enable_x64
