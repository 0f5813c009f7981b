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
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lectures_helpers import checks, demand, sharding


class Parameters(NamedTuple):
    """Parameters of the newsvendor (make them with `create_parameters`)."""

    unit_cost: float  #: cost of a unit c, money
    price: float  #: price of a unit sold p, money
    salvage: float  #: what a unit left over earns v, money; negative if disposal costs


class Simulation(NamedTuple):
    """Simulated profit of each quantity; all quantities meet the same demands."""

    expected_profit: jax.Array  #: mean profit, money
    loss_probability: jax.Array  #: share of samples with profit < 0
    standard_error: jax.Array  #: standard error of `expected_profit`, money
    loss_standard_error: jax.Array  #: standard error of `loss_probability`
    samples: "jax.Array | None"  #: (..., num_samples) profits, or None: column j meets demand j


def create_parameters(unit_cost=8.0, price=18.0, salvage=0.0) -> Parameters:
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
    checks.at_least("unit_cost", unit_cost, 0.0)
    checks.at_least("price", price, 0.0)
    checks.finite("salvage", salvage)
    for name, value, relation, other, bound, reason in (
        ("salvage", salvage, "<", "price", price,
         "a unit left over earns no less than a unit sold"),
        ("unit_cost", unit_cost, "<", "price", price,
         "no sale earns its cost, and the best order is none"),
        ("unit_cost", unit_cost, ">", "salvage", salvage,
         "a unit left over costs nothing, and no order is too large"),
    ):  # fmt: skip
        if checks.is_traced(value) or checks.is_traced(bound):
            continue
        a, b = np.broadcast_arrays(np.asarray(value), np.asarray(bound))
        wrong = (a >= b) if relation == "<" else (a <= b)
        if wrong.any():
            raise ValueError(
                f"{name} must be {relation} {other}, got {name} = {a[wrong][0]} "
                f"and {other} = {b[wrong][0]}: {reason}"
            )
    return Parameters(unit_cost, price, salvage)


def profit(params: Parameters, quantity, demand):
    """Profit of a season, money.

    Args:
        params: the model.
        quantity: units bought [Q], any shape.
        demand: units asked for [D], a shape that broadcasts with it.

    Source: equation (nv-profit) of the lecture on the newsvendor.

    >>> float(profit(create_parameters(), 300.0, 200.0))
    1200.0
    """
    sold = jnp.minimum(quantity, demand)
    left_over = jnp.maximum(quantity - demand, 0)
    return (
        params.price * sold + params.salvage * left_over - params.unit_cost * quantity
    )


# ------------------------------------------------------------- exact, on the host


def critical_ratio(params: Parameters):
    """Cost of a unit short over the sum of the costs of a unit short and a unit over.

    Returns:
        (p - c) / (p - v), in (0, 1).

    Raises:
        ValueError: `params` is not the model's.

    Source: equation (nv-critical-ratio) of the lecture on the newsvendor.

    >>> round(float(critical_ratio(create_parameters())), 6)
    0.555556
    """
    c, p, v = _on_host(params)
    return ((p - c) / (p - v))[()]


def optimal_quantity(params: Parameters, dist: demand.Distribution):
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


def expected_profit(params: Parameters, dist: demand.Distribution, quantity):
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
    c, p, v = _on_host(params)
    q = _quantity(quantity)
    return ((p - v) * demand.expected_min(dist, q) - (c - v) * q)[()]


def std_profit(params: Parameters, dist: demand.Distribution, quantity):
    """Standard deviation of profit, exact.

    Args, Raises: those of `expected_profit`.

    Returns:
        (p - v) times the standard deviation of min(Q, D), money, in 64 bits.  Its
        error is below 1e-7 (p - v) E D: what is left of two equal moments.

    >>> exponential = demand.create_distribution("exponential", 225.0)
    >>> round(float(std_profit(create_parameters(), exponential, 1e5)), 6)
    4050.0
    """
    _, p, v = _on_host(params)
    q = _quantity(quantity)
    square = demand.expected_min_square(dist, q)
    variance = square - demand.expected_min(dist, q) ** 2
    return ((p - v) * np.sqrt(np.maximum(variance, 0.0)))[()]


def loss_probability(params: Parameters, dist: demand.Distribution, quantity):
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
    c, p, v = _on_host(params)
    q = _quantity(quantity)
    x = (c - v) / (p - v) * q
    below = demand.cdf(dist, x)
    if dist.family == "deterministic":
        # A season that breaks even is no loss, whatever the last digits say.
        lost = (c - v) * q * (1 - 1e-12)
        is_loss = (p - v) * np.asarray(dist.mean, dtype=float) < lost
        return np.where(is_loss, np.ones_like(below), 0.0)[()]
    # Above zero the other laws have no atoms, so that P(D < x) is P(D <= x).
    return np.where(x > 0, below, 0.0)[()]


def profit_cdf(params: Parameters, dist: demand.Distribution, quantity, x):
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
    c, p, v = _on_host(params)
    q = _quantity(quantity)
    x = np.asarray(checks.finite("x", x), dtype=float)
    below = demand.cdf(dist, (x + (c - v) * q) / (p - v))
    return np.where(x >= (p - c) * q, 1.0, below)[()]


def profit_quantile(params: Parameters, dist: demand.Distribution, quantity, prob):
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
    c, p, v = _on_host(params)
    q = _quantity(quantity)
    sold = np.minimum(demand.quantile(dist, prob), q)
    return ((p - v) * sold - (c - v) * q)[()]


# ------------------------------------------------------------------- simulation


def simulate(
    params: Parameters,
    dist: demand.Distribution,
    quantities,
    *,
    key,
    num_samples=50_000,
    keep_samples=False,
    mesh=None,
) -> Simulation:
    """Simulate the profit of each quantity, all of them with the same demands.

    Common random numbers make the curve over Q as smooth as a single season's
    profit is, and differences between quantities far more precise than the
    values.  Works under `jax.vmap` and `jax.grad` over the model's and the law's
    numbers and the quantities.

    Quantities are taken one after another, inside one compiled call: memory is
    `num_samples` numbers, however many quantities there are.  Sorting the demands
    once and looking up prefix sums has the better order of growth, but a sort of
    50,000 takes a CPU as long as some 500 passes over them, and a pass that is
    centred on its own mean stays precise in 32 bits.

    Args:
        params: the model; numbers.
        dist: the law of demand; one mean, one SCV (sweep either with `jax.vmap`).
        quantities: units bought [Q], finite and >= 0; a number or a vector.
        key: typed random key; the same key gives the same demands.
        num_samples: number of seasons, >= 2.
        keep_samples: whether to return every profit too.
        mesh: devices that share the seasons' draws and the quantities, from
            `sharding.create_mesh`; default one.

    Returns:
        Arrays of the shape of `quantities`; samples have one more axis at the end.

    Raises:
        ValueError: bad input.
    """
    num_samples = checks.integer("num_samples", num_samples, 2)
    if not isinstance(keep_samples, (bool, np.bool_)):
        raise ValueError(f"keep_samples must be True or False, got {keep_samples!r}")
    checks.random_key(key)
    checks.at_least("quantities", quantities, 0.0)
    if len(np.shape(quantities)) > 1:
        raise ValueError(
            "quantities must be a number or a vector, got an array of shape "
            f"{np.shape(quantities)}"
        )
    dist = demand.with_mean(dist, None)
    if dist.mean is None:
        raise ValueError("dist must have a mean here, got mean = None")
    numbers = {**_checked(params)._asdict(), "mean": dist.mean, "scv": dist.scv}
    for name, value in numbers.items():
        if np.shape(value):
            raise ValueError(
                f"{name} must be one number here, got shape {np.shape(value)}; "
                "sweep over it with jax.vmap"
            )
    # One type whatever the caller's: neither promotion nor recompilation.
    dtype = jnp.zeros(()).dtype
    numbers = {name: _cast(name, value, dtype) for name, value in numbers.items()}
    dist = dataclasses.replace(dist, mean=numbers.pop("mean"), scv=numbers.pop("scv"))
    quantities = _cast("quantities", quantities, dtype)
    sharding.checked_share("num_samples", num_samples, mesh)
    return _simulate(
        Parameters(**numbers),
        dist,
        quantities,
        key,
        num_samples,
        bool(keep_samples),
        mesh,
    )


@partial(jax.jit, static_argnames=("num_samples", "keep_samples", "mesh"))
def _simulate(params, dist, quantities, key, num_samples, keep_samples, mesh):
    # Folded, not split: the same key may simulate other quantities on the same demands.
    key = jax.random.fold_in(key, 0)
    demands = demand.sample(dist, num_samples, key=key, dtype=quantities.dtype)
    # Drawn by shares; but a mean is taken in one place, in one order, on any mesh.
    demands = sharding.gather(sharding.place(demands, mesh), mesh)

    def one_quantity(q, params, demands):
        x = profit(params, q, demands)
        mean = jnp.mean(x)
        mean = mean + jnp.mean(x - mean)  # what rounding took from the first mean
        error = jnp.sqrt(jnp.sum((x - mean) ** 2) / (num_samples - 1) / num_samples)
        # The same profit every season may miss break-even by its rounding.
        slack = 4 * jnp.finfo(x.dtype).eps if dist.family == "deterministic" else 0.0
        even = -slack * (jnp.abs(params.price) + jnp.abs(params.salvage)) * q
        loss = jnp.mean(jnp.where(x < even, 1.0, 0.0).astype(x.dtype))
        loss_error = jnp.sqrt(loss * (1 - loss) / num_samples)
        return Simulation(mean, loss, error, loss_error, x if keep_samples else None)

    results = sharding.map_shared(
        one_quantity, quantities.reshape(-1), (params, demands), mesh
    )
    return jax.tree.map(lambda x: x.reshape(*quantities.shape, *x.shape[1:]), results)


# ------------------------------------------------------------------------ checks


def _checked(params):
    if not isinstance(params, Parameters):
        raise ValueError(f"params must come from create_parameters, got {params!r}")
    return create_parameters(*params)


def _on_host(params):
    params = _checked(params)
    if any(checks.is_traced(value) for value in params):
        raise ValueError(
            "params must hold numbers here: exact results are not traceable"
        )
    return tuple(np.asarray(value, dtype=float) for value in params)


def _quantity(quantity):
    if checks.is_traced(quantity):
        raise ValueError(
            "quantity must be a number here: exact results are not traceable"
        )
    return np.asarray(checks.at_least("quantity", quantity, 0.0), dtype=float)


def _cast(name, value, dtype):
    if checks.is_traced(value):
        return value.astype(dtype)
    with np.errstate(over="ignore"):
        number = np.asarray(value).astype(dtype)
    if not np.isfinite(number).all():
        raise ValueError(f"{name} must be finite in {dtype}, got {value}")
    return jnp.asarray(number)
