"""The model: a stock in classes of age, what a period does to it and what it earns.

The stock is x = (x_1, ..., x_m): x_i units that expire in i periods, each x_i in
{0, ..., k - 1}; x_1 is the oldest class.  A period goes as follows::

    z units are sold off for salvage, oldest first           0 <= z <= |x|
    q fresh units are ordered and come at once               0 <= q <= k - 1
    demand D is served, oldest first; what is unmet is lost
    what is left of x_1 expires, and everything ages by one

where ``|x|`` is x_1 + ... + x_m.  In symbols::

    dep(x, z)          x less z units, oldest first
    next(x, z, q, D) = dep((x_2, ..., x_m, q), (z + D - x_1)^+)
    reward           = s z - h (|x| - z) + α (-c q + r min(D, |x| - z + q) - θ (x_1 - z - D)^+)

Source: derived in the lecture on the model; the research code at
https://github.com/huangzonghao/DP-CUDA.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from scipy import stats

from lectures_helpers import checks

__all__ = [
    "Model", "create_model", "decode", "deplete", "encode", "is_sensible", "next_stock",
    "poisson_pmf",
    "reward", "sample_average_pmf",
]  # fmt: skip

PMF_TOLERANCE = 1e-6  # by how much a demand law may miss a sum of one
MOST_AGES = 62  # classes; 64 bits number the states of two levels each
MOST_LEVELS = 10**4
MOST_DEMAND = 10**6  # entries of a demand law; more is a mistake in units
MOST_DRAWS = 10**8  # numbers that a sampled law is made of


class Model(NamedTuple):
    """A stock that expires (make it with `create_model`)."""

    num_ages: int  #: ages m: a fresh unit may be sold in m + 1 periods
    num_levels: int  #: levels k: a class holds 0 to k - 1 units, an order too
    demand_pmf: np.ndarray  #: P(D = d), (d_max + 1,) or (T, d_max + 1), float64
    salvage: float  #: salvage value s, money per unit sold off
    holding_cost: float  #: h, money per unit kept through a period
    unit_cost: float  #: c, money per unit ordered, paid at the period's end
    price: float  #: r, money per unit sold
    disposal_cost: float  #: θ, money per unit that expires
    discount: float  #: discount factor α of a period


def create_model(
    num_ages: int = 4,
    num_levels: int = 10,
    demand_pmf: ArrayLike | None = None,
    *,
    salvage: float = 1.0,
    holding_cost: float = 0.5,
    unit_cost: float = 3.0,
    price: float = 5.0,
    disposal_cost: float = 2.0,
    discount: float = 0.95,
) -> Model:
    """Make the model of a stock that expires, checked.

    Args:
        num_ages: number of classes [m], an integer in 1, ..., 62.
        num_levels: number of levels of a class [k], an integer in 2, ..., 10,000.
        demand_pmf: probabilities of a demand of 0, 1, ..., d_max units: (d_max + 1,), the
            same in every period, or (T, d_max + 1), a row for each period.  Each law sums
            to 1 within 1e-6; it is scaled to sum to 1 exactly.  Default Poisson with
            mean 8, cut off above 19.
        salvage: value of a unit that is sold off [s], money per unit.
        holding_cost: cost of a unit that is kept [h], money per unit and period.
        unit_cost: cost of a fresh unit [c], money per unit.
        price: price of a unit [r], money per unit.
        disposal_cost: cost of a unit that expires [θ], money per unit.
        discount: discount factor [α], in (0, 1].

    Returns:
        A `Model`.

    Raises:
        ValueError: num_ages or num_levels out of bounds, a price that is not finite, a discount
            outside (0, 1], or a demand law that is empty, negative, not finite, of the
            wrong rank or does not sum to 1.

    >>> model = create_model(2, 3, [0.5, 0.5])
    >>> model.num_ages, model.num_levels, model.discount
    (2, 3, 0.95)
    >>> create_model(2, 3, [0.5, 0.4])
    Traceback (most recent call last):
        ...
    ValueError: demand_pmf must sum to 1 within 1e-06, got a sum of 0.9
    """
    prices = (salvage, holding_cost, unit_cost, price, disposal_cost, discount)
    model = Model(
        checks.integer("num_ages", num_ages, 1, MOST_AGES),
        checks.integer("num_levels", num_levels, 2, MOST_LEVELS),
        _checked_pmf(poisson_pmf(8.0, 19) if demand_pmf is None else demand_pmf),
        *map(checks.concrete, Model._fields[3:], prices),
    )
    if not 0 < model.discount <= 1:
        raise ValueError(f"discount must be in (0, 1], got {model.discount!r}")
    return model


def _checked_pmf(pmf):
    name = "demand_pmf"
    checks.not_traced(name, pmf)
    pmf = checks.numbers(name, checks.at_least(name, pmf, 0.0))
    if pmf.ndim not in (1, 2):
        raise ValueError(
            f"{name} must have the shape (d_max + 1,) or (T, d_max + 1), "
            f"got shape {pmf.shape}"
        )
    if pmf.shape[-1] > MOST_DEMAND:
        raise ValueError(
            f"{name} must have at most {MOST_DEMAND} entries, got {pmf.shape[-1]}"
        )
    total = pmf.sum(-1, keepdims=True)
    wrong = np.abs(total - 1) > PMF_TOLERANCE
    if wrong.any():
        where = f" in period {int(np.argmax(wrong))}" if pmf.ndim == 2 else ""
        raise ValueError(
            f"{name} must sum to 1 within {PMF_TOLERANCE:g}, "
            f"got a sum of {total[wrong][0]:.9g}{where}"
        )
    pmf /= total
    pmf.flags.writeable = False
    return pmf


def is_sensible(model: Model) -> bool:
    """Say whether the prices are such that the best decisions have their known shape.

    Args:
        model: the model.

    Returns:
        Whether h >= 0, r >= 0 and -θ <= s <= r: nothing is earned by holding, by letting
        a unit expire rather than sell it off, or by not selling it.

    Raises:
        ValueError: a bad model.

    Source: the condition (expiry-sensible) of the lecture on structure.

    >>> is_sensible(create_model())
    True
    """
    model = checked_model(model)
    s, h, r, θ = model.salvage, model.holding_cost, model.price, model.disposal_cost
    return bool(h >= 0 and r >= 0 and -θ <= s <= r)


def checked_model(model: Model) -> Model:
    """Return `model`, checked again: a NamedTuple can be made or replaced by hand."""
    if checks.made_by("model", model, Model, "create_model").demand_pmf is None:
        raise ValueError("demand_pmf must be an array, got None")
    return create_model(**model._asdict())


def checked_horizon(
    model: Model, num_periods: int, least: int = 1
) -> tuple[Model, int]:
    """Return both, checked: a model, and periods for which it has demand laws."""
    model = checked_model(model)
    num_periods = checks.integer("num_periods", num_periods, least)
    pmf = model.demand_pmf
    if pmf.ndim == 2 and len(pmf) != num_periods:
        raise ValueError(
            f"demand_pmf must have num_periods = {num_periods} rows, got {len(pmf)}"
        )
    return model, num_periods


def check_range(model: Model, num_periods: int, dtype: str) -> None:
    """Raise if values might overflow: nothing earns more than all prices on full shelves."""
    full = (num_periods + 1.0) * (model.num_ages + 1) * model.num_levels
    bound = float(np.finfo(dtype).max) / 1e3 / full
    for name, value in zip(model._fields[3:], model[3:], strict=True):
        if abs(value) > bound:
            raise ValueError(
                f"{name} must be within ±{bound:.1e}, so that values are finite in {dtype}, "
                f"got {value!r}"
            )


# ------------------------------------------------------------------------ demand


def poisson_pmf(rate: float, max_demand: int) -> np.ndarray:
    """Compute a Poisson law cut off above `max_demand` and scaled to sum to 1.

    Args:
        rate: mean of the law before it is cut off, units per period, > 0.
        max_demand: largest demand [d_max], units, an integer in 0, ..., 10^6 - 1.

    Returns:
        (d_max + 1,) probabilities of 0, ..., d_max units, float64.

    Raises:
        ValueError: a bad argument, or a law with no mass on 0, ..., d_max in float64.

    >>> poisson_pmf(1.0, 2).round(6)
    array([0.4, 0.4, 0.2])
    """
    rate = checks.positive("rate", checks.concrete("rate", rate))
    max_demand = checks.integer("max_demand", max_demand, 0, MOST_DEMAND - 1)
    pmf = stats.poisson(rate).pmf(np.arange(max_demand + 1))
    if not pmf.sum() > 0:
        raise ValueError(
            f"max_demand must leave some of the law, got {max_demand} at a rate of {rate:g}"
        )
    return pmf / pmf.sum()


def sample_average_pmf(
    rate: float, num_samples: int, num_periods: int, *, key: jax.Array
) -> np.ndarray:
    """Draw Poisson demands for each period and return their frequencies.

    A solver that takes these for the law of demand replaces each expectation by the
    average over the samples (sample average approximation).

    Args:
        rate: mean demand, units per period, in (0, 500,000].
        num_samples: draws for a period, an integer >= 1.
        num_periods: number of periods [T], an integer >= 1.  Draws, or entries of the
            laws, are 10^8 at most.
        key: a typed JAX key.

    Returns:
        (T, max + 1) frequencies, one row for each period, where max is the largest
        demand that was drawn; float64.

    Raises:
        ValueError: a bad argument.

    >>> sample_average_pmf(8.0, 10, 3, key=jax.random.key(0)).sum(axis=1)
    array([1., 1., 1.])
    """
    rate = checks.positive("rate", checks.concrete("rate", rate))
    if rate > MOST_DEMAND / 2:  # the largest draw may be a little more
        raise ValueError(f"rate must be <= {MOST_DEMAND // 2}, got {rate:g}")
    num_samples = checks.integer("num_samples", num_samples, 1)
    num_periods = checks.integer("num_periods", num_periods, 1)
    if num_periods * max(num_samples, rate) > MOST_DRAWS:
        raise ValueError(
            "num_periods times num_samples, and times rate, must be at most "
            f"{MOST_DRAWS}, got {num_periods}, {num_samples} and {rate:g}"
        )
    checks.not_traced("key", key)
    shape = (num_periods, num_samples)
    draws = np.asarray(jax.random.poisson(checks.random_key(key), rate, shape))
    counts = [np.bincount(row, minlength=draws.max() + 1) for row in draws]
    return np.stack(counts) / num_samples


# ------------------------------------------------------------------------ states


def encode(x: ArrayLike, num_levels: int) -> np.ndarray:
    """Number states: base-k digits, the oldest class most significant.

    Args:
        x: states, (..., m) integers in 0, ..., k - 1.
        num_levels: number of levels [k], an integer in 2, ..., 10,000.

    Returns:
        (...) state numbers in 0, ..., k^m - 1, int64.

    Raises:
        ValueError: a class outside of the grid, or more states than 64 bits can number.

    >>> int(encode((2, 3, 4), 10))
    234
    """
    num_levels = checks.integer("num_levels", num_levels, 2, MOST_LEVELS)
    states = checked_states("x", x, num_levels)
    shape = _grid(states.shape[-1], num_levels)
    return np.ravel_multi_index(tuple(np.moveaxis(states, -1, 0)), shape)


def decode(index: ArrayLike, num_ages: int, num_levels: int) -> np.ndarray:
    """Return the states with these numbers; the inverse of `encode`.

    Args:
        index: state numbers, integers in 0, ..., k^m - 1, any shape.
        num_ages: number of classes [m], an integer in 1, ..., 62.
        num_levels: number of levels [k], an integer in 2, ..., 10,000.

    Returns:
        (..., m) states, int64, the oldest class first.

    Raises:
        ValueError: a number outside of the grid, or a bad argument.

    >>> decode(436, 3, 10)
    array([4, 3, 6])
    """
    num_ages = checks.integer("num_ages", num_ages, 1, MOST_AGES)
    num_levels = checks.integer("num_levels", num_levels, 2, MOST_LEVELS)
    shape = _grid(num_ages, num_levels)
    most = num_levels**num_ages - 1
    rule = f"be in 0, ..., num_levels^num_ages - 1 = {most}"
    numbers = _inside("index", integers("index", index), rule, most)
    return np.stack(np.unravel_index(numbers, shape), axis=-1)


def _grid(num_ages, num_levels):
    """The shape (k,) * m, if 64 bits can number its states."""
    if num_levels**num_ages > np.iinfo(np.int64).max:
        raise ValueError(
            f"num_levels^num_ages must fit into 64 bits, got {num_levels}^{num_ages}"
        )
    return (num_levels,) * num_ages


def integers(name: str, value: ArrayLike | None) -> np.ndarray:
    """`value` as an array of NumPy integers, if it is not traced."""
    checks.not_traced(name, value)
    try:
        numbers = np.asarray(value)
    except ValueError:  # ragged rows
        numbers = np.asarray(None)
    if numbers.dtype.kind not in "iu":
        dtype = getattr(value, "dtype", None)
        got = repr(value) if dtype is None else f"an array of {dtype}"
        raise ValueError(f"{name} must hold integers, got {got}")
    return numbers


def _inside(name, numbers, rule, most):
    """The numbers in 64 bits, if all are in 0, ..., most."""
    wrong = (numbers < 0) | (numbers > most)
    if wrong.any():
        raise ValueError(f"{name} must {rule}, got {numbers[wrong][0]}")
    return numbers.astype(np.int64)


def checked_states(
    name: str, x: ArrayLike, num_levels: int, num_ages: int | None = None
) -> np.ndarray:
    """States (..., m) on the grid, as NumPy integers."""
    numbers = integers(name, x)
    if numbers.ndim == 0 or numbers.shape[-1] == 0:
        raise ValueError(f"{name} must have the shape (..., num_ages), got {x!r}")
    if num_ages is not None and numbers.shape[-1] != num_ages:
        raise ValueError(
            f"{name} must have the shape (..., num_ages) = (..., {num_ages}), "
            f"got shape {numbers.shape}"
        )
    rule = f"lie on the grid 0, ..., num_levels - 1 = {num_levels - 1}"
    return _inside(name, numbers, rule, num_levels - 1)


# ------------------------------------------------------------- what a period does


def deplete(x: ArrayLike, z: ArrayLike) -> jax.Array:
    """Take z units away, oldest first: dep(x, z).

    Args:
        x: stock, (..., m) integers, the oldest class first, units.
        z: units to take away, >= 0, a shape that broadcasts with (...).

    Returns:
        (..., m) what is left; nothing if ``z >= |x|``.

    Source: eq:expiry-dep of the lecture on the model.

    >>> deplete([4, 1, 2], 2).tolist()
    [2, 1, 2]
    >>> deplete([1, 3, 1], 1).tolist()  # the parent of (1, 3, 1)
    [0, 3, 1]
    """
    stock, (units,) = _aligned(x, z=z)
    return jnp.clip(jnp.cumsum(stock, axis=-1) - units[..., None], 0, stock)


def _aligned(x, **others):
    """Stocks (..., m) and numbers (...), of one shape and JAX's own integer type."""
    x, *rest = (_units(name, value) for name, value in {"x": x, **others}.items())
    if x.ndim == 0:
        raise ValueError("x must have the shape (..., num_ages), got a number")
    shape = checks.common_shape(x=x[..., 0], **dict(zip(others, rest, strict=True)))
    x = jnp.broadcast_to(x, (*shape, x.shape[-1]))
    return x, [jnp.broadcast_to(array, shape) for array in rest]


def _period(x, z, q, d):
    """`_aligned` for a period, in which no more is sold off than is there."""
    stock, (sold_off, order, demand) = _aligned(x, z=z, q=q, d=d)
    if not checks.any_traced(stock, sold_off):
        wrong = np.asarray(sold_off > stock.sum(-1))
        if wrong.any():
            z = np.asarray(sold_off)[wrong][0]
            raise ValueError(f"z must be at most |x|, the units in stock, got {z}")
    return stock, sold_off, order, demand


def _units(name, value):
    """Numbers of units in JAX's own integer type, checked unless they are traced."""
    if not checks.is_traced(value):
        rule = f"be in 0, ..., {checks.MOST_UNITS}"
        value = jnp.asarray(
            _inside(name, integers(name, value), rule, checks.MOST_UNITS)
        )
    elif not jnp.issubdtype(value.dtype, jnp.integer):
        raise ValueError(f"{name} must hold integers, got dtype {value.dtype}")
    return value.astype(int)  # sums of small integers might not fit


def next_stock(x: ArrayLike, z: ArrayLike, q: ArrayLike, d: ArrayLike) -> jax.Array:
    """Move the stock by one period: deplete, order, serve, age.

    Args:
        x: stock, (..., m) integers, the oldest class first, units.
        z: units sold off, in ``0, ..., |x|``.
        q: units ordered, >= 0.
        d: demand, units, >= 0.
            z, q and d have shapes that broadcast with (...).

    Returns:
        (..., m) stock at the start of the next period.

    Source: eq:expiry-next of the lecture on the model.

    >>> next_stock([4, 1, 2], 2, 3, 4).tolist()
    [0, 1, 3]
    """
    stock, sold_off, order, demand = _period(x, z, q, d)
    aged = jnp.concatenate([stock[..., 1:], order[..., None]], axis=-1)
    return deplete(aged, jnp.maximum(sold_off + demand - stock[..., 0], 0))


def reward(
    model: Model, x: ArrayLike, z: ArrayLike, q: ArrayLike, d: ArrayLike
) -> jax.Array:
    """Compute what a period earns when demand is d.

    Args:
        model: the model.
        x: stock, (..., m) integers, the oldest class first, units.
        z: units sold off, in ``0, ..., |x|``.
        q: units ordered, >= 0.
        d: demand, units, >= 0.
            z, q and d have shapes that broadcast with (...).

    Returns:
        (...) money of the period's start, in JAX's default floating-point type.

    Source: eq:expiry-reward of the lecture on the model.

    >>> model = create_model(3, 10, discount=1)
    >>> float(reward(model, [4, 1, 2], 2, 3, 4))
    10.5
    """
    if not checks.any_traced(model):
        model = checked_model(model)
    stock, sold_off, order, demand = _period(x, z, q, d)
    left = stock.sum(-1) - sold_off
    sold = jnp.minimum(demand, left + order).astype(float)
    expired = jnp.maximum(stock[..., 0] - sold_off - demand, 0).astype(float)
    sold_off, left, order = (n.astype(float) for n in (sold_off, left, order))
    at_end = (
        -model.unit_cost * order + model.price * sold - model.disposal_cost * expired
    )
    return (
        model.salvage * sold_off - model.holding_cost * left + model.discount * at_end
    )
