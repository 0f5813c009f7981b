"""Checks on what a caller passes in, made at the edge and never inside a kernel.

Each check returns the value in the form that the kernels want, or raises a
``ValueError`` that names the parameter, its value and the bound.  Values that
JAX is tracing have no number yet; they pass unchecked, so that a caller may
compile or vectorise a simulation over its parameters.
"""

import itertools
import operator
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

#: Largest integer accepted: sums of two such numbers still fit into 32 bits.
MOST = 2**30


def is_traced(value) -> bool:
    """Whether JAX is tracing `value`, so that it has no number to check."""
    return isinstance(value, jax.core.Tracer)


def finite(name: str, value):
    """Return `value` (scalar or array) if all of it is finite."""
    if is_traced(value):
        return value
    try:
        numbers = np.asarray(value)
        # NumPy would read the text "3" as 3, None as NaN and True as 1.
        if numbers.dtype.kind in "OSUb":
            raise TypeError
        numbers = numbers.astype(float, casting="same_kind")
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, got {value!r}") from None
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"{name} must be finite, got {_shown(numbers, ~np.isfinite(numbers))}"
        )
    return value


def at_least(name: str, value, bound: float):
    """Return `value` (scalar or array) if all of it is finite and >= `bound`."""
    finite(name, value)
    if is_traced(value):
        return value
    numbers = np.asarray(value, dtype=float)
    if (numbers < bound).any():
        raise ValueError(
            f"{name} must be >= {bound:g}, got {_shown(numbers, numbers < bound)}"
        )
    return value


def positive(name: str, value, hint: str = ""):
    """Return `value` (scalar or array) if all of it is finite and > 0."""
    finite(name, value)
    if is_traced(value):
        return value
    numbers = np.asarray(value, dtype=float)
    if (numbers <= 0).any():
        raise ValueError(
            f"{name} must be > 0, got {_shown(numbers, numbers <= 0)}{hint}"
        )
    return value


def integer(name: str, value, bound: int) -> int:
    """Return `value` as an ``int`` if it is a whole number >= `bound`."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise ValueError(
            f"{name} must be an integer >= {bound}, got {value!r}"
        ) from None
    if number < bound:
        raise ValueError(f"{name} must be an integer >= {bound}, got {number}")
    if number > MOST:
        raise ValueError(f"{name} must be an integer <= {MOST}, got {number}")
    return number


def dates(name: str, value: Sequence[int]) -> tuple[int, ...]:
    """Return `value` as a tuple if it holds increasing positive integers."""
    bound = "must be a non-empty sequence of increasing positive integers"
    try:
        days = tuple(integer(name, day, 1) for day in value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} {bound}, got {value!r}") from None
    if not days or any(b <= a for a, b in itertools.pairwise(days)):
        raise ValueError(f"{name} {bound}, got {value!r}")
    return days


def initial(name: str, value, num_firms: int | None = None) -> jax.Array:
    """Return starting stocks as a floating-point array: a number, or one per firm.

    With `num_firms` given, a number is repeated for every firm and a vector
    must have that length.
    """
    at_least(name, value, 0.0)
    if not is_traced(value) and not jnp.issubdtype(np.asarray(value).dtype, np.inexact):
        value = np.asarray(value, dtype=float)
    with np.errstate(over="ignore"):  # what is too large is refused below
        stock = jnp.asarray(value)
    if not jnp.issubdtype(stock.dtype, jnp.floating):
        stock = stock.astype(float)
    if not is_traced(stock) and not bool(jnp.isfinite(stock).all()):
        raise ValueError(f"{name} must be finite in {stock.dtype}, got {value!r}")
    if stock.ndim > 1:
        raise ValueError(
            f"{name} must be a number or a vector, got an array of shape {stock.shape}"
        )
    if num_firms is None:
        return stock
    if stock.ndim == 1 and stock.shape != (num_firms,):
        raise ValueError(
            f"{name} must be a number or have shape (num_firms,) = ({num_firms},), "
            f"got shape {stock.shape}"
        )
    return jnp.broadcast_to(stock, (num_firms,))


def random_key(key) -> jax.Array:
    """Return `key` if it is one typed JAX key, as ``jax.random.key(seed)`` makes."""
    if not (hasattr(key, "dtype") and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)):
        raise ValueError(
            f"key must be a typed key made by jax.random.key(seed), got {key!r}"
        )
    if key.shape != ():
        raise ValueError(
            f"key must be a single key, got an array of keys of shape {key.shape}"
        )
    return key


def _shown(numbers: np.ndarray, wrong: np.ndarray) -> str:
    """The first offending number, with its position if there are several numbers."""
    if numbers.ndim == 0:
        return f"{numbers:g}"
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{numbers[place]:g} at position {place[0] if len(place) == 1 else place}"
