"""Checks on what a caller passes in, made at the edge and never inside a kernel.

Each check returns the value in the form that the kernels want, or raises a
``ValueError`` that names the parameter, its value and the bound.  Values that
JAX is tracing have no number yet; they pass unchecked, so that a caller may
compile or vectorise a simulation over its parameters.
"""

import itertools
import operator
from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

__all__ = [
    "at_least",
    "concrete",
    "dates",
    "finite",
    "initial",
    "integer",
    "integers",
    "is_traced",
    "one_number",
    "positive",
    "random_key",
]

#: Largest integer accepted: sums of two such numbers still fit into 32 bits.
MOST = 2**30

#: Largest number of units accepted: sums of several still fit into 32 bits.
MOST_UNITS = 10**8

T = TypeVar("T")
Fields = TypeVar("Fields", bound=tuple)  # a NamedTuple


def is_traced(value: Any) -> bool:
    """Whether JAX is tracing `value`, so that it has no number to check."""
    return isinstance(value, jax.core.Tracer)


def finite(name: str, value: T) -> T:
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
    _refuse(name, "finite", numbers, ~np.isfinite(numbers))
    return value


def at_least(name: str, value: T, bound: float) -> T:
    """Return `value` (scalar or array) if all of it is finite and >= `bound`."""
    finite(name, value)
    if not is_traced(value):
        numbers = np.asarray(value, dtype=float)
        _refuse(name, f">= {bound:g}", numbers, numbers < bound)
    return value


def positive(name: str, value: T, hint: str = "") -> T:
    """Return `value` (scalar or array) if all of it is finite and > 0."""
    finite(name, value)
    if not is_traced(value):
        numbers = np.asarray(value, dtype=float)
        _refuse(name, "> 0", numbers, numbers <= 0, hint)
    return value


def integer(name: str, value: Any, bound: int) -> int:
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


def integers(name: str, value: Any, bound: int | None = None) -> Any:
    """Return one integer, or a vector of them, as an array of that shape.

    All must be >= `bound`, or of modulus <= `MOST_UNITS` if that is None.

    Raises:
        ValueError: another shape, not integers, or below the bound.
    """
    if is_traced(value):
        if not jnp.issubdtype(value.dtype, jnp.integer):
            raise ValueError(f"{name} must be integers, got an array of {value.dtype}")
        return value
    numbers = np.asarray(value)
    if numbers.ndim > 1 or numbers.size == 0:
        raise ValueError(
            f"{name} must be an integer or a vector of integers, "
            f"got an array of shape {numbers.shape}"
        )
    values = numbers.ravel().tolist()
    if bound is None and not all(type(x) is int for x in values):
        wrong = next(x for x in values if type(x) is not int)
        raise ValueError(f"{name} must be an integer, got {wrong!r}")
    for x in values:
        integer(name, x, -MOST_UNITS if bound is None else bound)
    if max(values) > MOST_UNITS:
        raise ValueError(f"{name} must be <= {MOST_UNITS}, got {max(values)}")
    return numbers


def one_number(name: str, value: Any) -> Any:
    """Return `value` if it is not an array of several numbers."""
    if np.ndim(value) != 0:
        raise ValueError(
            f"{name} must be one number (jax.vmap sweeps over many), "
            f"got an array of shape {np.shape(value)}"
        )
    return value


def concrete(params: Fields) -> Fields:
    """Return parameters, a NamedTuple, as Python numbers, for exact results.

    Raises:
        ValueError: JAX traces one of them.
    """
    for name, value in params._asdict().items():  # type: ignore[attr-defined]
        if is_traced(value):
            raise ValueError(
                f"{name} must be a number here: exact results are not traceable"
            )
    kind: Any = type(params)
    return kind(*map(float, params))


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


def initial(name: str, value: ArrayLike, num_firms: int | None = None) -> jax.Array:
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


def random_key(key: jax.Array) -> jax.Array:
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


def _refuse(name, rule, numbers, wrong, hint=""):
    """Raise if a number is wrong; show the first, with its position among several."""
    if not wrong.any():
        return
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = f" at position {place[0] if len(place) == 1 else place}" if place else ""
    raise ValueError(f"{name} must be {rule}, got {numbers[place]:g}{where}{hint}")
