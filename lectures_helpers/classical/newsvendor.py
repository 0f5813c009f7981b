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
    "Parameters", "Simulation", "create_parameters", "critical_ratio", "error_bound",
    "expected_profit", "loss_probability", "optimal_quantity", "profit", "profit_cdf",
    "profit_quantile", "simulate", "simulate_seasons", "std_profit",
]  # fmt: skip


class Parameters(NamedTuple):
    """Parameters of the newsvendor, numbers or arrays (make them with `create_parameters`)."""

    unit_cost: Any  #: cost of a unit c, money
    price: Any  #: price of a unit sold p, money
    salvage: Any  #: what a unit left over earns v, money; negative if disposal costs


#: Amounts that differ by less than this share are one: prices such as 0.1 are rounded.
TIE = 1e-13

#: Share of runs in which a right simulation may leave the bounds of `error_bound`.
RISK = 1e-6

#: Profits that a GPU works on at once.
GPU_NUMBERS = 2**22

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
    #: standard error of `loss_probability`, wide enough where losses, or others, are few
    loss_standard_error: jax.Array
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
        ValueError: a number is not finite; the cost or the price is negative; arrays
            do not broadcast; or there is no interior optimum, because salvage >= price,
            unit_cost >= price or unit_cost <= salvage.

    >>> create_parameters()
    Parameters(unit_cost=8.0, price=18.0, salvage=0.0)
    >>> create_parameters(unit_cost=20.0)
    Traceback (most recent call last):
        ...
    ValueError: unit_cost must be < price, got unit_cost = 20.0 and price = 18.0: no sale earns its cost, and the best order is none
    """
    params = Parameters(unit_cost, price, salvage)
    checks.at_least("unit_cost", unit_cost, 0.0)
    checks.at_least("price", price, 0.0)
    checks.finite("salvage", salvage)
    checks.common_shape(**params._asdict())
    for rule, reason in RULES.items():
        name, relation, other = rule.split()
        pair = getattr(params, name), getattr(params, other)
        if checks.any_traced(*pair):
            continue
        right = (np.less if relation == "<" else np.greater)(*pair)
        if not right.all():
            a, b = (each[~right][0] for each in np.broadcast_arrays(*pair))
            raise ValueError(
                f"{name} must be {relation} {other}, got {name} = {a} and "
                f"{other} = {b}: {reason}"
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
    _check(params)
    checks.not_traced("params", params)
    c, p, v = (np.asarray(number, dtype=float) for number in params)
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
    c, p, v, q = _on_host(params, dist, quantity)
    return _earned(c, p, v, q, demand.expected_min(dist, q))[()]


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
    _, p, v, q = _on_host(params, dist, quantity)
    square = demand.expected_min_square(dist, q)
    variance = square - demand.expected_min(dist, q) ** 2
    return ((p - v) * np.sqrt(np.maximum(variance, 0.0)))[()]


def error_bound(
    params: Parameters,
    dist: demand.Distribution,
    quantity: ArrayLike,
    num_samples: int,
) -> np.ndarray:
    """How far simulated mean profits may be off, all quantities together.

    By Bernstein's inequality the mean of n values of variance σ², none further than M
    from its mean, is off by more than t with probability at most
    2 exp(-n t² / (2 σ² + 2 M t / 3)).  A band of standard errors would be too narrow
    where all hangs on one rare season.

    Args:
        params: the model; its numbers may be arrays.
        dist: the law of demand; its mean and SCV may be arrays.
        quantity: units bought [Q], finite and >= 0; a number or an array.
        num_samples: number of seasons, >= 2.

    Returns:
        Bounds, money, of the shape to which everything broadcasts, with room for
        rounding in 32 bits; a right simulation breaks one of them in less than one run
        of a million.

    Raises:
        ValueError: bad input.

    >>> exponential = demand.create_distribution("exponential", 225.0)
    >>> round(float(error_bound(create_parameters(), exponential, 182.0, 50_000)), 1)
    28.1
    """
    num_samples = checks.integer("num_samples", num_samples, 2)
    _, p, v, q = _on_host(params, dist, quantity)
    std = std_profit(params, dist, quantity)
    log = np.log(2 * np.size(std) / RISK)
    rare = log / (3 * num_samples) * ((p - v) * q)
    rounding = 2e-6 * (p + np.abs(v)) * q
    return rare + np.hypot(rare, std * np.sqrt(2 * log / num_samples)) + rounding


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
    c, p, v, q = _on_host(params, dist, quantity)
    even = (c - v) / (p - v) * q
    # Above zero only the deterministic law has an atom: just below, all the others are
    # as likely to fall short.
    return np.where(even > 0, demand.cdf(dist, even * (1 - TIE)), 0.0)[()]


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
        profit of a season that sells out.  Amounts that differ by less than 1e-12 of
        what is at stake count as one, so that no rounding of prices misses a jump.

    Raises:
        ValueError: bad input.
    """
    c, p, v, q, money = _on_host(params, dist, quantity, x=checks.finite("x", x))
    return _profit_cdf(c, p, v, q, dist, money)[()]


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
        Smallest x with P(profit <= x) >= prob (up to 1e-12), money, in 64 bits.

    Raises:
        ValueError: bad input.
    """
    prob = checks.within("prob", prob, 0.0, 1.0)
    c, p, v, q, prob = _on_host(params, dist, quantity, prob=prob)
    x = _earned(c, p, v, q, np.minimum(demand.quantile(dist, prob), q))
    # Where a season sells next to nothing, a digit of money is worth many of demand.
    above = x + 1e-15 * (np.abs(x) + (c - v) * q)
    return np.where(_profit_cdf(c, p, v, q, dist, x) < prob, above, x)[()]


def _earned(c, p, v, q, sold):
    """Profit of a season, or its mean: every one of these functions rounds it alike."""
    return (p - v) * sold - (c - v) * q


def _profit_cdf(c, p, v, q, dist, x):
    """P(profit <= x); up to `TIE` of what is at stake x may be one of the law's atoms."""
    slack = TIE * (np.abs(x) + (c - v) * q)
    revenue = x + (c - v) * q
    if dist.family == "deterministic":
        revenue = revenue + slack
    else:  # nobody comes
        revenue = np.where(revenue < 0, np.minimum(revenue + slack, 0.0), revenue)
    below = demand.cdf(dist, revenue / (p - v))
    return np.where(x + slack >= _earned(c, p, v, q, q), 1.0, below)


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
    demanded = demand.sample(dist, num_samples, key=key)
    eps = 4 * jnp.finfo(quantities.dtype).eps

    def one_quantity(Q):
        x = profit(params, Q, demanded)
        mean = jnp.mean(x)
        mean = mean + jnp.mean(x - mean)  # what rounding took from the first mean
        error = jnp.sqrt(jnp.sum((x - mean) ** 2) / (num_samples - 1) / num_samples)
        # A season that breaks even is no loss, whatever the last digits say.
        even = -eps * (jnp.abs(params.price) + jnp.abs(params.salvage)) * Q
        loss = jnp.mean(x < even, dtype=x.dtype)
        # As if two more seasons had lost and two had not: 0 losses seen are no proof.
        share = (loss * num_samples + 2) / (num_samples + 4)
        loss_error = jnp.sqrt(share * (1 - share) / num_samples)
        return Simulation(mean, loss, error, loss_error, x if keep_samples else None)

    if quantities.ndim == 0:
        return one_quantity(quantities)
    # A GPU takes many at once: each turn costs it some fourteen launches.
    on_cpu = jax.default_backend() == "cpu"
    at_once = None if on_cpu else max(1, GPU_NUMBERS // num_samples)
    return jax.lax.map(one_quantity, quantities, batch_size=at_once)


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
    values.  Works under `jax.vmap` over the model's and the law's numbers and the
    quantities.  `jax.grad` gives derivatives of the mean profit; a share of losses
    moves in steps, and its derivative is 0 wherever it has one.

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
    keep_samples = checks.flag("keep_samples", keep_samples)
    checks.random_key(key)
    checks.at_least("quantities", checks.number_or_vector("quantities", quantities), 0)
    demand.checked(dist)
    _check(params)
    # One type whatever the caller's: neither promotion nor recompilation.
    numbers = {**params._asdict(), "mean": dist.mean, "scv": dist.scv}
    for name, value in numbers.items():
        numbers[name] = checks.cast(name, checks.one_number(name, value), float)
    mean, scv = numbers.pop("mean"), numbers.pop("scv")
    quantities = checks.cast("quantities", quantities, float)
    if not checks.any_traced(numbers, quantities):
        # Profits are squared and added up.
        stake = max(numbers["price"], -numbers["salvage"])
        most = float((jnp.finfo(quantities.dtype).max / num_samples) ** 0.5 / stake)
        if (largest := quantities.max()) > most:
            raise ValueError(
                f"quantities must be <= {most:.1e}, so that profits are finite in "
                f"{quantities.dtype}, got {largest:g}"
            )
    return simulate_seasons(
        Parameters(**numbers),
        dataclasses.replace(dist, mean=mean, scv=scv),
        quantities,
        # Folded, not split: the same key may simulate other quantities on the same demands.
        jax.random.fold_in(key, 0),
        num_samples,
        keep_samples,
    )


# ------------------------------------------------------------------------ checks


def _check(params):
    create_parameters(*checks.made_by("params", params, Parameters))


def _on_host(params, dist, quantity, **others):
    """The three numbers of the model, the quantity and what else is given, in 64 bits."""
    _check(params)
    named = {"quantity": checks.at_least("quantity", quantity, 0.0), **others}
    if checks.any_traced(*params, *named.values()):
        for name, value in {"params": params, **named}.items():
            checks.not_traced(name, value)
    demand.checked(dist)
    checks.common_shape(**params._asdict(), mean=dist.mean, scv=dist.scv, **named)
    c, p, v, *rest = (
        np.asarray(value, dtype=float) for value in (*params, *named.values())
    )
    with np.errstate(over="ignore"):
        checks.finite("(price - salvage) * quantity", (p - v) * rest[0])
    return c, p, v, *rest
