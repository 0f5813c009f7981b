"""Checks on what a caller passes in, made at the edge and never inside a kernel.

Each check returns the value in the form that the kernels want, or raises a
``ValueError`` that names the parameter, its value and the bound.  Values that
JAX is tracing have no number yet; they pass unchecked, so that a caller may
compile or vectorise a simulation over its parameters.
"""

import contextlib
import itertools
import operator
from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike, DTypeLike

__all__ = [
    "any_traced", "at_least", "cast", "common_shape", "concrete", "dates", "demand_law", "finite", "flag",
    "initial", "integer", "integers", "is_plain", "is_traced", "made_by", "not_traced",
    "number_or_vector", "numbers", "one_number", "positive", "random_key", "whole_units", "within",
]  # fmt: skip

#: Largest integer accepted: sums of two such numbers still fit into 32 bits.
MOST = 2**30

#: Largest number of units accepted: sums of several still fit into 32 bits.
MOST_UNITS = 10**8

#: The usual arguments: they need no array to be looked at, which would take most of a
#: closed form's time.
PLAIN = (float, int, np.float64)

T = TypeVar("T")


def is_traced(value: Any) -> bool:
    """Whether JAX is tracing `value`, so that it has no number to check."""
    return isinstance(value, jax.core.Tracer)


def is_plain(value: Any) -> bool:
    """Whether `value` is a usual number, finite, and the same in 64 bits."""
    return type(value) in PLAIN and abs(value) < 2**53


def any_traced(*values: Any) -> bool:
    """Whether JAX is tracing anything in `values`, which may hold several numbers each."""
    rest = [value for value in values if type(value) not in PLAIN]
    return bool(rest) and any(map(is_traced, jax.tree.leaves(rest)))


def not_traced(name: str, *values: Any) -> None:
    """Raise if JAX traces anything in `values`: exact results are made of numbers."""
    if any_traced(*values):
        rule = "be a number" if len(jax.tree.leaves(values)) == 1 else "hold numbers"
        raise ValueError(
            f"{name} must {rule} here, got what JAX traces: exact results are not traceable"
        )


def made_by(name: str, value: T, record: type, maker: str = "create_parameters") -> T:
    """Return `value` if it is such a record; what its fields hold is not looked at."""
    if not isinstance(value, record):
        raise ValueError(f"{name} must come from {maker}, got {value!r}")
    return value


def flag(name: str, value: Any) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def numbers(name: str, value: Any) -> np.ndarray:
    """Return `value` (scalar or array, not empty) in 64 bits if it is a real number."""
    try:
        array = np.asarray(value)
        if not array.size:
            raise ValueError
        # NumPy would read the text "3" as 3, None as NaN and True as 1.
        if array.dtype.kind in "OSUb":
            raise TypeError
        return array.astype(float, casting="same_kind")
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, got {value!r}") from None


def concrete(name: str, value: Any) -> float:
    """Return `value` as a ``float`` if it is one finite number, and not traced."""
    not_traced(name, value)  # so it is no sweep with jax.vmap that an array wants
    return float(finite(name, one_number(name, value, instead="take one at a time")))


def common_shape(**arrays: ArrayLike) -> tuple[int, ...]:
    """Return the shape to which the named arrays, traced or not, broadcast."""
    sizes = [_shape(name, array) for name, array in arrays.items()]
    if not any(sizes):
        return ()
    try:
        return np.broadcast_shapes(*sizes)
    except ValueError:
        shapes = ", ".join(map("{} {}".format, arrays, sizes))
        raise ValueError(
            f"{', '.join(arrays)} must have shapes that broadcast, got {shapes}"
        ) from None


def finite(name: str, value: T) -> T:
    """Return `value` (scalar or array) if all of it is finite."""
    return _checked(name, value)


def at_least(name: str, value: T, bound: float) -> T:
    """Return `value` (scalar or array) if all of it is finite and >= `bound`."""
    return _checked(name, value, (f">= {bound:g}", lambda x: x >= bound, ""))


def positive(name: str, value: T, hint: str = "") -> T:
    """Return `value` (scalar or array) if all of it is finite and > 0."""
    return _checked(name, value, ("> 0", lambda x: x > 0, hint))


def within(name: str, value: T, least: float, most: float) -> T:
    """Return `value` (scalar or array) if all of it lies from `least` to `most`."""
    no_less = (f">= {least:g}", lambda x: x >= least, "")
    return _checked(name, value, no_less, (f"<= {most:g}", lambda x: x <= most, ""))


def integer(name: str, value: Any, bound: int, most: int = MOST) -> int:
    """Return `value` as an ``int`` if it is a whole number from `bound` to `most`."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        value = number = operator.index(value)
    except TypeError:
        number = bound - 1  # refused as what is too small is
    if not bound <= number <= most:
        rule = f">= {bound}" if number < bound else f"<= {most}"
        raise ValueError(f"{name} must be an integer {rule}, got {value!r}")
    return number


def integers(name: str, value: Any, bound: int = -MOST_UNITS) -> Any:
    """Return one integer, or a vector of them, as an array of that shape.

    All must be >= `bound` and <= `MOST_UNITS`.

    Raises:
        ValueError: another shape, not integers, or out of bounds.
    """
    if is_traced(value):
        if not jnp.issubdtype(value.dtype, jnp.integer):
            raise ValueError(f"{name} must be integers, got an array of {value.dtype}")
        return value
    if len(shape := _shape(name, value)) > 1 or 0 in shape:
        raise ValueError(
            f"{name} must be an integer or a vector of integers, "
            f"got an array of shape {shape}"
        )
    array = np.asarray(value)
    for number in array.ravel().tolist():
        if integer(name, number, bound) > MOST_UNITS:
            raise ValueError(f"{name} must be <= {MOST_UNITS}, got {number}")
    return array.astype(np.int64)  # sums of the caller's narrower ones might wrap round


def whole_units(name: str, value: Any, most: float) -> np.ndarray:
    """Return an array of whole units from 0 to `most`, floats or not, as integers."""
    not_traced(name, value)
    units = within(name, numbers(name, value), 0, most)
    if (units % 1).any():
        raise ValueError(f"{name} must be whole units, got {value!r}")
    return units.astype(int)


def demand_law(name: str, value: Any) -> np.ndarray:
    """Return probabilities of 0, 1, ... units, summing to 1, if there is any demand."""
    not_traced(name, value)
    law = at_least(name, numbers(name, value), 0.0)
    if law.ndim != 1 or not abs(law.sum() - 1) <= 1e-6:
        raise ValueError(
            f"{name} must be a vector of probabilities with sum 1, got the shape"
            f" {law.shape} and the sum {law.sum():g}"
        )
    if law[0] > 1 - 1e-9:
        raise ValueError(
            f"{name} must have mass above 0 units, or nobody buys, got P(D = 0) ="
            f" {law[0]:g}"
        )
    return law / law.sum()


def one_number(
    name: str,
    value: Any,
    rule: str = "be one number",
    instead: str = "sweep over it with jax.vmap",
) -> Any:
    """Return `value` if it is not an array of several numbers."""
    if shape := _shape(name, value):
        raise ValueError(f"{name} must {rule} here, got shape {shape}; {instead}")
    return value


def number_or_vector(name: str, value: Any) -> Any:
    """Return `value` if it has no more than one axis."""
    if len(shape := _shape(name, value)) > 1:
        raise ValueError(
            f"{name} must be a number or a vector, got an array of shape {shape}"
        )
    return value


def dates(name: str, value: Sequence[int]) -> tuple[int, ...]:
    """Return `value` as a tuple if it holds increasing positive integers."""
    with contextlib.suppress(TypeError, ValueError):
        days = tuple(integer(name, day, 1) for day in value)
        if days and all(a < b for a, b in itertools.pairwise(days)):
            return days
    raise ValueError(
        f"{name} must be a non-empty sequence of increasing positive integers, "
        f"got {value!r}"
    )


def cast(name: str, value: ArrayLike, dtype: DTypeLike) -> jax.Array:
    """Return `value` as a JAX array of that type (of JAX's precision), if finite there."""
    dtype = jax.dtypes.canonicalize_dtype(dtype)
    if is_traced(value):
        return jnp.asarray(value).astype(dtype)
    with np.errstate(over="ignore"):
        array = numbers(name, value).astype(dtype)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite in {array.dtype}, got {value!r}")
    return jnp.asarray(array)


def initial(name: str, value: ArrayLike, num_firms: int | None = None) -> jax.Array:
    """Return starting stocks as a floating-point array: a number, or one per firm.

    With `num_firms` given, a number is repeated for every firm and a vector
    must have that length.
    """
    at_least(name, number_or_vector(name, value), 0.0)
    own = getattr(value, "dtype", int)
    dtype = own if jnp.issubdtype(own, jnp.floating) else float
    stock = cast(name, value, dtype)
    if num_firms is None:
        return stock
    if stock.shape not in ((), (num_firms,)):
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


def _shape(name, value):
    if type(value) in PLAIN:
        return ()
    try:
        return np.shape(value)
    except (TypeError, ValueError):  # rows of different lengths, a list of tracers
        raise ValueError(
            f"{name} must be a number or an array, got {value!r}"
        ) from None


def _checked(name, value, *rules):
    """Rules are (text, test, hint); the first number that is wrong is shown, and where."""
    if is_plain(value):
        if all(holds(value) for _, holds, _ in rules):
            return value
    elif is_traced(value):
        return value
    array = numbers(name, value)
    for rule, holds, hint in [("finite", np.isfinite, ""), *rules]:
        if not (right := holds(array)).all():
            place = tuple(np.argwhere(~right)[0].tolist())
            at = (
                f" at position {place[0] if len(place) == 1 else place}"
                if place
                else ""
            )
            raise ValueError(f"{name} must be {rule}, got {array[place]:g}{at}{hint}")
    return value
