"""The newsvendor: one order, one season, and what is left over is salvaged.

Q units are bought at cost c each before demand D is known.  Units sold earn the
price p, units left over the salvage value v::

    profit = p min(Q, D) + v max(Q - D, 0) - c Q

The best quantity is the quantile of demand at the critical ratio,
Q* = F⁻¹((p - c) / (p - v)).

`simulate` is JAX and follows the precision that is set there; everything else is
exact, in 64 bits on the host, for every family of `demand`, truncation at zero
included.

Source: Arrow, Harris and Marschak (1951); Zipkin (2000), chapter 9; derived in the
lecture on the newsvendor.
"""

import dataclasses
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from lectures_helpers import checks, demand

__all__ = [
    "Parameters", "Simulation", "create_parameters", "critical_ratio", "expected_profit",
    "loss_probability", "optimal_quantity", "profit", "profit_cdf", "profit_quantile",
    "simulate", "simulate_seasons", "std_profit",
]  # fmt: skip


class Parameters(NamedTuple):
    """Parameters of the newsvendor, numbers or arrays (make them with `create_parameters`)."""

    unit_cost: Any  #: cost of a unit c, money
    price: Any  #: price of a unit sold p, money
    salvage: Any  #: what a unit left over earns v, money; negative if disposal costs


#: What must hold, and what it means if it does not.
RULES = {
    "salvage < price": "a unit left over earns no less than a unit sold",
    "unit_cost < price": "no sale earns its cost, and the best order is none",
    "unit_cost > salvage": "a unit left over costs nothing, and no order is too large",
}


class Simulation(NamedTuple):
    """Simulated profit of each quantity; all quantities meet the same demands."""

    expected_profit: jax.Array  #: mean profit, money
    loss_probability: jax.Array  #: share of samples with profit < 0
    standard_error: jax.Array  #: standard error of `expected_profit`, money
    loss_standard_error: jax.Array  #: standard error of `loss_probability`
    #: (..., num_samples) profits, or None: column j meets demand j
    samples: jax.Array | None


def create_parameters(
    unit_cost: ArrayLike = 8.0, price: ArrayLike = 18.0, salvage: ArrayLike = 0.0
) -> Parameters:
    """Make the parameters of the newsvendor, checked.

    Args:
        unit_cost: cost of a unit [c], money, >= 0 and between salvage and price.
        price: price of a unit sold [p], money.
        salvage: what a unit left over earns [v], money.  A negative value is a fee
            for disposal, and legal.

    Raises:
        ValueError: a number is not finite; the cost or the price is negative; or
            there is no interior optimum, because salvage >= price, unit_cost >= price
            or unit_cost <= salvage.

    >>> create_parameters()
    Parameters(unit_cost=8.0, price=18.0, salvage=0.0)
    >>> create_parameters(unit_cost=20.0)
    Traceback (most recent call last):
        ...
    ValueError: unit_cost must be < price, got unit_cost = 20.0 and price = 18.0: no sale earns its cost, and the best order is none
    """
    params = Parameters(unit_cost, price, salvage)
    if _is_sound(params):
        return params
    checks.at_least("unit_cost", unit_cost, 0.0)
    checks.at_least("price", price, 0.0)
    checks.finite("salvage", salvage)
    for rule, reason in RULES.items():
        name, relation, other = rule.split()
        pair = getattr(params, name), getattr(params, other)
        if not checks.any_traced(*pair):
            a, b = np.broadcast_arrays(*pair)
            if (wrong := a >= b if relation == "<" else a <= b).any():
                raise ValueError(
                    f"{name} must be {relation} {other}, got {name} = {a[wrong][0]} "
                    f"and {other} = {b[wrong][0]}: {reason}"
                )
    return params


def profit(
    params: Parameters, quantity: jax.Array | float, demanded: jax.Array | float
) -> jax.Array:
    """Take the profit of a season: sales, and what is left over, less what was bought.

    Args:
        params: the model.
        quantity: units bought [Q], any shape.
        demanded: units asked for [D], a shape that broadcasts with it.

    Returns:
        Profits, money, of the shape to which both broadcast.

    Source: equation (nv-profit) of the lecture on the newsvendor.

    >>> float(profit(create_parameters(), 300.0, 200.0))
    1200.0
    """
    sold = jnp.minimum(quantity, demanded)
    left_over = jnp.maximum(quantity - demanded, 0)
    return (
        params.price * sold + params.salvage * left_over - params.unit_cost * quantity
    )


# ------------------------------------------------------------- exact, on the host


def critical_ratio(params: Parameters) -> np.ndarray:
    """Cost of a unit short over the sum of the costs of a unit short and a unit over.

    Returns:
        (p - c) / (p - v), in (0, 1).

    Raises:
        ValueError: `params` is not the model's.

    Source: equation (nv-critical-ratio) of the lecture on the newsvendor.

    >>> round(float(critical_ratio(create_parameters())), 6)
    0.555556
    """
    c, p, v, _ = _on_host(params)
    return ((p - c) / (p - v))[()]


def optimal_quantity(params: Parameters, dist: demand.Distribution) -> np.ndarray:
    """Quantity of the largest expected profit [Q*].

    Args:
        params: the model; its numbers may be arrays.
        dist: the law of demand; its mean and SCV may be arrays.

    Returns:
        Quantile of demand at the critical ratio, units, in 64 bits and not rounded,
        of the shape to which everything broadcasts.  The smallest one if several
        quantities are best.

    Raises:
        ValueError: bad input.

    Source: equation (nv-critical-ratio) of the lecture on the newsvendor.

    >>> uniform = demand.create_distribution("uniform", 225.0, 1 / 12)
    >>> round(float(optimal_quantity(create_parameters(), uniform)), 6)
    237.5
    """
    return demand.quantile(dist, critical_ratio(params))


def expected_profit(
    params: Parameters, dist: demand.Distribution, quantity: ArrayLike
) -> np.ndarray:
    """Mean profit, exact.

    Args:
        params: the model; its numbers may be arrays.
        dist: the law of demand; its mean and SCV may be arrays.
        quantity: units bought [Q], finite and >= 0; a number or an array.

    Returns:
        (p - v) E min(Q, D) - (c - v) Q, money, in 64 bits, of the shape to which
        everything broadcasts.

    Raises:
        ValueError: bad input.

    Source: equation (nv-expected-profit) of the lecture on the newsvendor.

    >>> exponential = demand.create_distribution("exponential", 225.0)
    >>> round(float(expected_profit(create_parameters(), exponential, 182.0)), 4)
    790.3219
    """
    c, p, v, q = _on_host(params, quantity)
    return ((p - v) * demand.expected_min(dist, q) - (c - v) * q)[()]


def std_profit(
    params: Parameters, dist: demand.Distribution, quantity: ArrayLike
) -> np.ndarray:
    """Standard deviation of profit, exact.

    Args, Raises: those of `expected_profit`.

    Returns:
        (p - v) times the standard deviation of min(Q, D), money, in 64 bits.  Its
        error is below 1e-7 (p - v) E D: what is left of two equal moments.

    >>> exponential = demand.create_distribution("exponential", 225.0)
    >>> round(float(std_profit(create_parameters(), exponential, 1e5)), 6)
    4050.0
    """
    _, p, v, q = _on_host(params, quantity)
    square = demand.expected_min_square(dist, q)
    variance = square - demand.expected_min(dist, q) ** 2
    return ((p - v) * np.sqrt(np.maximum(variance, 0.0)))[()]


def loss_probability(
    params: Parameters, dist: demand.Distribution, quantity: ArrayLike
) -> np.ndarray:
    """Probability of a loss: P(profit < 0), exact.

    A season that breaks even is no loss.

    Args, Raises: those of `expected_profit`.

    Returns:
        P((p - v) D < (c - v) Q) in [0, 1], in 64 bits, of the shape to which
        everything broadcasts; 0 for Q = 0.

    Source: equation (nv-loss) of the lecture on the newsvendor.

    >>> exponential = demand.create_distribution("exponential", 225.0)
    >>> round(float(loss_probability(create_parameters(), exponential, 182.0)), 6)
    0.301979
    """
    c, p, v, q = _on_host(params, quantity)
    x = (c - v) / (p - v) * q
    below = demand.cdf(dist, x)
    if dist.family == "deterministic":
        # A season that breaks even is no loss, whatever the last digits say.
        lost = (c - v) * q * (1 - 1e-12)
        is_loss = (p - v) * np.asarray(dist.mean, dtype=float) < lost
        return np.where(is_loss, np.ones_like(below), 0.0)[()]
    # Above zero the other laws have no atoms, so that P(D < x) is P(D <= x).
    return np.where(x > 0, below, 0.0)[()]


def profit_cdf(
    params: Parameters, dist: demand.Distribution, quantity: ArrayLike, x: ArrayLike
) -> np.ndarray:
    """Probability that profit is at most x, exact.

    Args:
        params: the model; its numbers may be arrays.
        dist: the law of demand; its mean and SCV may be arrays.
        quantity: units bought [Q], finite and >= 0; a number or an array.
        x: money; a number or an array.

    Returns:
        P(profit <= x) in [0, 1], in 64 bits.  It jumps to 1 at (p - c) Q, the
        profit of a season that sells out.

    Raises:
        ValueError: bad input.
    """
    c, p, v, q = _on_host(params, quantity)
    money = np.asarray(checks.finite("x", x), dtype=float)
    below = demand.cdf(dist, (money + (c - v) * q) / (p - v))
    return np.where(money >= (p - c) * q, 1.0, below)[()]


def profit_quantile(
    params: Parameters, dist: demand.Distribution, quantity: ArrayLike, prob: ArrayLike
) -> np.ndarray:
    """Quantile of profit, exact: the profit at the same quantile of demand.

    Args:
        params: the model; its numbers may be arrays.
        dist: the law of demand; its mean and SCV may be arrays.
        quantity: units bought [Q], finite and >= 0; a number or an array.
        prob: probability in [0, 1]; a number or an array.

    Returns:
        Smallest x with P(profit <= x) >= prob, money, in 64 bits.

    Raises:
        ValueError: bad input.
    """
    c, p, v, q = _on_host(params, quantity)
    sold = np.minimum(demand.quantile(dist, prob), q)
    return ((p - v) * sold - (c - v) * q)[()]


# ------------------------------------------------------------------- simulation


@partial(jax.jit, static_argnames=("num_samples", "keep_samples"))
def simulate_seasons(
    params: Parameters,
    dist: demand.Distribution,
    quantities: jax.Array,
    key: jax.Array,
    num_samples: int,
    keep_samples: bool,
) -> Simulation:
    """Simulate the profit of each quantity: the kernel of `simulate`, which checks.

    Quantities are taken one after another, inside one compiled call: memory is
    `num_samples` numbers, however many quantities there are.  Sorting the demands
    once and looking up prefix sums has the better order of growth, but a sort of
    50,000 takes a CPU as long as some 500 passes over them, and a pass that is
    centred on its own mean stays precise in 32 bits.

    Args:
        params: the model; numbers of the type of `quantities`.
        dist: the law of demand; one mean, one SCV, of that type.
        quantities: units bought [Q]; a number or a vector of a floating-point type.
        key: random key, used up.
        num_samples: number of seasons, >= 2.
        keep_samples: whether to return every profit too.

    Returns:
        Arrays of the shape of `quantities`; samples have one more axis at the end.
    """
    demanded = demand.sample(dist, num_samples, key=key, dtype=quantities.dtype)
    eps = 4 * jnp.finfo(quantities.dtype).eps

    def one_quantity(Q):
        x = profit(params, Q, demanded)
        mean = jnp.mean(x)
        mean = mean + jnp.mean(x - mean)  # what rounding took from the first mean
        error = jnp.sqrt(jnp.sum((x - mean) ** 2) / (num_samples - 1) / num_samples)
        # A season that breaks even is no loss, whatever the last digits say.
        even = -eps * (jnp.abs(params.price) + jnp.abs(params.salvage)) * Q
        loss = jnp.mean(x < even, dtype=x.dtype)
        loss_error = jnp.sqrt(loss * (1 - loss) / num_samples)
        return Simulation(mean, loss, error, loss_error, x if keep_samples else None)

    if quantities.ndim == 0:
        return one_quantity(quantities)
    return jax.lax.map(one_quantity, quantities)


def simulate(
    params: Parameters,
    dist: demand.Distribution,
    quantities: ArrayLike,
    *,
    key: jax.Array,
    num_samples: int = 50_000,
    keep_samples: bool = False,
) -> Simulation:
    """Simulate the profit of each quantity, all of them with the same demands.

    Common random numbers make the curve over Q as smooth as a single season's
    profit is, and differences between quantities far more precise than the
    values.  Works under `jax.vmap` and `jax.grad` over the model's and the law's
    numbers and the quantities.

    Args:
        params: the model; numbers.
        dist: the law of demand; one mean, one SCV (sweep either with `jax.vmap`).
        quantities: units bought [Q], finite and >= 0; a number or a vector.
        key: typed random key; the same key gives the same demands.
        num_samples: number of seasons, >= 2.
        keep_samples: whether to return every profit too.

    Returns:
        Arrays of the shape of `quantities`; samples have one more axis at the end.

    Raises:
        ValueError: bad input.
    """
    num_samples = checks.integer("num_samples", num_samples, 2)
    if not isinstance(keep_samples, (bool, np.bool_)):
        raise ValueError(f"keep_samples must be True or False, got {keep_samples!r}")
    checks.random_key(key)
    checks.at_least("quantities", checks.number_or_vector("quantities", quantities), 0)
    demand.checked(dist)
    _check(params)
    # One type whatever the caller's: neither promotion nor recompilation.
    numbers = {**params._asdict(), "mean": dist.mean, "scv": dist.scv}
    for name, value in numbers.items():
        numbers[name] = checks.cast(name, checks.one_number(name, value), float)
    mean, scv = numbers.pop("mean"), numbers.pop("scv")
    return simulate_seasons(
        Parameters(**numbers),
        dataclasses.replace(dist, mean=mean, scv=scv),
        checks.cast("quantities", quantities, float),
        # Folded, not split: the same key may simulate other quantities on the same demands.
        jax.random.fold_in(key, 0),
        num_samples,
        bool(keep_samples),
    )


# ------------------------------------------------------------------------ checks


def _is_sound(params):
    """Whether a model's numbers are in order, at one look (it is taken at every call)."""
    try:
        c, p, v = map(np.asarray, params)
    except (TypeError, ValueError):  # traced, or no array
        return False
    if not all(number.dtype.kind in "fiu" for number in (c, p, v)):
        return False
    return bool(((c >= 0) & (v < c) & (c < p) & (p < np.inf) & (v > -np.inf)).all())


def _check(params):
    if not isinstance(params, Parameters):
        raise ValueError(f"params must come from create_parameters, got {params!r}")
    create_parameters(*params)


def _on_host(params, quantity=0.0):
    """The three numbers of the model, and the quantity, in 64 bits."""
    _check(params)
    checks.not_traced("params", params)
    checks.not_traced("quantity", quantity)
    checks.at_least("quantity", quantity, 0.0)
    return tuple(np.asarray(value, dtype=float) for value in (*params, quantity))
