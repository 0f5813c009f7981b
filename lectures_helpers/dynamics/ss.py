"""s–S inventory dynamics: the model and its simulation.

A firm holds inventory X_t (units).  At the start of a period it restocks up to
S if X_t <= s; then demand D_{t+1} arrives and is served as far as stock
reaches; what is not served is lost::

    X_{t+1} = max(S - D_{t+1}, 0)     if X_t <= s
            = max(X_t - D_{t+1}, 0)   otherwise

Demand is lognormal, D_t = exp(μ + σ Z_t) with Z_t standard normal, independent
over periods and over firms.

Every kernel draws the demand of period t with the key ``fold_in(key, t)``, so
that all of them see the same demands: with the same key they agree path by
path (up to rounding), and a longer run begins with the shorter one.  That holds
for keys of JAX's default generator, threefry; with others the kernels agree in
law only.

Paths jump where a firm restocks.  A derivative of a simulation with respect to
a parameter does not see the jumps, and is no derivative of the law.

Source: Arrow, Harris and Marschak (1951); the lectures of Part I.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lectures_helpers import checks, sharding


class Parameters(NamedTuple):
    """Parameters of the s–S model (make them with `create_parameters`)."""

    s: float  #: restock point s, units; a firm restocks when its inventory is at or below it
    S: float  #: order-up-to level S, units
    μ: float  #: mean of log demand μ
    σ: float  #: standard deviation of log demand σ


class RestockFrequency(NamedTuple):
    """Estimated share of firms that restock at least so many times."""

    value: jax.Array  #: share of firms, in [0, 1]
    standard_error: jax.Array  #: standard error of `value`


def create_parameters(s=10.0, S=100.0, μ=1.0, σ=0.5) -> Parameters:
    """Make the parameters of the s–S model, checked.

    Args:
        s: restock point [s], units, 0 <= s < S.
        S: order-up-to level [S], units.
        μ: mean of log demand [μ].
        σ: standard deviation of log demand [σ], >= 0.

    Raises:
        ValueError: a number is not finite, s < 0, s >= S, or σ < 0.

    >>> create_parameters()
    Parameters(s=10.0, S=100.0, μ=1.0, σ=0.5)
    >>> create_parameters(s=100.0)
    Traceback (most recent call last):
        ...
    ValueError: s must be below S, got s = 100.0 and S = 100.0
    """
    checks.finite("S", S)
    checks.finite("μ", μ)
    checks.at_least("s", s, 0.0)
    checks.at_least("σ", σ, 0.0)
    if not (checks.is_traced(s) or checks.is_traced(S)) and np.any(
        np.asarray(s) >= np.asarray(S)
    ):
        raise ValueError(f"s must be below S, got s = {s} and S = {S}")
    return Parameters(s, S, μ, σ)


def update(params: Parameters, X, D):
    """Move inventory by one period: restock if due, then serve demand.

    Args:
        params: the model.
        X: inventory at the start of the period, units, any shape.
        D: demand of the period, units, a shape that broadcasts with X.

    Returns:
        Inventory at the start of the next period, units.

    Source: the law of motion (eq:ss-law) of the lecture on sample paths.

    >>> float(update(create_parameters(), 70.0, 4.0))
    66.0
    >>> float(update(create_parameters(), 10.0, 4.0))
    96.0
    """
    stock = jnp.where(X <= params.s, params.S, X)
    return jnp.maximum(stock - D, 0.0)


def _at_precision(params, X):
    """The parameters, checked again and in the floating-point type of X.

    One type whatever the caller's: neither promotion nor recompilation.
    """
    if not isinstance(params, Parameters):
        raise ValueError(f"params must come from create_parameters, got {params!r}")
    cast = []
    for name, value in create_parameters(*params)._asdict().items():
        if checks.is_traced(value):
            cast.append(jnp.asarray(value, X.dtype))
            continue
        with np.errstate(over="ignore"):
            number = np.asarray(value).astype(X.dtype)
        if not np.isfinite(number).all():
            raise ValueError(f"{name} must be finite in {X.dtype}, got {value}")
        cast.append(number)
    return Parameters(*cast)


def demand(params: Parameters, key, shape, dtype=float):
    """Draw lognormal demand, units, of the given shape from a key that is used up."""
    Z = jax.random.normal(key, shape, dtype)
    return jnp.exp(params.μ + params.σ * Z)


def one_period(params: Parameters, X, key, t):
    """Move inventory from date t to date t + 1, with the demand of period t."""
    D = demand(params, jax.random.fold_in(key, t), X.shape, X.dtype)
    return update(params, X, D)


# --------------------------------------------------------------- sample paths


def sample_path(
    params: Parameters, x_init, num_periods, *, key, mesh=None
) -> jax.Array:
    """Simulate inventory period by period.

    Args:
        params: the model.
        x_init: inventory at date 0 [X_0], units, >= 0: a number, or a vector of n
            independent firms.
        num_periods: periods T to simulate, >= 1.
        key: typed random key; it is used up.
        mesh: devices that share the firms, from `sharding.create_mesh`; default one.

    Returns:
        (num_periods + 1,) or (num_periods + 1, n) inventories, the first being `x_init`.

    Raises:
        ValueError: a bad `x_init`, `num_periods` or `key`, or firms that the mesh's
            devices cannot share evenly.
    """
    num_periods = checks.integer("num_periods", num_periods, 1)
    X = checks.initial("x_init", x_init)
    if X.ndim == 1:
        X = _placed(X, mesh, "the length of x_init")
    elif sharding.checked_mesh(mesh) is not None:
        raise ValueError("x_init must be a vector of firms to be shared over a mesh")
    params = _at_precision(params, X)
    return _sample_path(params, X, checks.random_key(key), num_periods)


@partial(jax.jit, static_argnames="num_periods")
def _sample_path(params, X, key, num_periods):
    def step(X, t):
        X_next = one_period(params, X, key, t)
        return X_next, X_next

    _, path = jax.lax.scan(step, X, jnp.arange(num_periods))
    return jnp.concatenate([X[None], path])


# ------------------------------------------------------------- cross-sections


def cross_section_loop(
    params: Parameters, x_init, num_periods, *, key, num_firms=50_000
):
    """Draw a cross-section of X_T: a Python loop over a compiled one-period update.

    Arguments, result and errors are those of `cross_section`.
    """
    params, X, num_periods, key = _check(params, x_init, num_periods, key, num_firms)
    for t in range(num_periods):
        X = _one_period_compiled(params, X, key, t)
    return X


_one_period_compiled = jax.jit(one_period)


def cross_section_compiled(
    params: Parameters, x_init, num_periods, *, key, num_firms=50_000
):
    """Draw a cross-section of X_T: the loop over periods is compiled too.

    Arguments, result and errors are those of `cross_section`.
    """
    params, X, num_periods, key = _check(params, x_init, num_periods, key, num_firms)
    return _cross_section_compiled(params, X, key, num_periods)


@jax.jit
def _cross_section_compiled(params, X, key, num_periods):
    def step(t, X):
        return one_period(params, X, key, t)

    return jax.lax.fori_loop(0, num_periods, step, X)


def cross_section_vectorized(
    params: Parameters, x_init, num_periods, *, key, num_firms=50_000
):
    """Draw a cross-section of X_T: all demands first, then the compiled loop.

    Holds num_periods * num_firms demands in memory at once.
    Arguments, result and errors are those of `cross_section`.
    """
    params, X, num_periods, key = _check(params, x_init, num_periods, key, num_firms)
    return _cross_section_vectorized(params, X, key, num_periods)


@partial(jax.jit, static_argnames="num_periods")
def _cross_section_vectorized(params, X, key, num_periods):
    def draw(t):
        return demand(params, jax.random.fold_in(key, t), X.shape, X.dtype)

    demands = jax.vmap(draw)(jnp.arange(num_periods))  # (T, n) numbers at once

    def step(X, D):
        return update(params, X, D), None

    X, _ = jax.lax.scan(step, X, demands)
    return X


def cross_section(
    params: Parameters, x_init, num_periods, *, key, num_firms=50_000, mesh=None
) -> jax.Array:
    """Draw a cross-section of X_T: `num_firms` independent firms, T periods on.

    Demand is drawn for a block of periods at a time, as many as fill a buffer
    of fixed size: large enough to keep the device busy, small enough to stay in
    its cache.  Memory is that buffer and a few vectors of `num_firms` numbers.

    Args:
        params: the model.
        x_init: inventory at date 0, units, >= 0: a number, or (num_firms,) draws of ψ_0.
        num_periods: periods T, >= 1.
        key: typed random key; it is used up.
        num_firms: number of firms n, >= 1.
        mesh: devices that share the firms, from `sharding.create_mesh`; default one.

    Returns:
        (num_firms,) draws of X_T, units, in the floating-point type of `x_init`.

    Raises:
        ValueError: a bad `x_init`, `num_periods`, `num_firms` or `key`, or firms that
            the mesh's devices cannot share evenly.
    """
    params, X, num_periods, key = _check(params, x_init, num_periods, key, num_firms)
    X = _placed(X, mesh)
    block = _block(num_firms, num_periods)
    return _cross_section(params, X, key, num_periods, **block)


@partial(jax.jit, static_argnames=("block", "unroll"))
def _cross_section(params, X, key, num_periods, block, unroll):
    def step(X, D):
        return update(params, X, D)

    return advance(params, step, X, X, key, 0, num_periods, block, unroll)


def advance(params, step, state, X, key, start, stop, block, unroll):
    """Apply ``state = step(state, D)`` for the demands D of periods start, ..., stop - 1.

    One turn of the outer loop draws the demands of `block` periods at once, for
    as many firms as X has, and spends them one by one; demands beyond the last
    period are drawn but left unused.
    """

    def draw(t):
        return demand(params, jax.random.fold_in(key, t), X.shape, X.dtype)

    def one_block(i, state):
        periods = start + i * block + jnp.arange(block)
        demands = jax.vmap(draw)(periods)  # (block, n)

        def one_period(state, period):
            t, D = period
            moved = step(state, D)
            return jax.tree.map(
                lambda new, old: jnp.where(t < stop, new, old), moved, state
            ), None

        state, _ = jax.lax.scan(one_period, state, (periods, demands), unroll=unroll)
        return state

    num_blocks = (stop - start + block - 1) // block
    return jax.lax.fori_loop(0, num_blocks, one_block, state)


def _block(num_firms, num_periods):
    """How many periods to draw at once, and how many to put into one launch.

    Half a million draws (2 MB) at once were the fastest on the CPUs measured; a
    launch costs next to nothing there.  On a GPU a launch costs more than a
    period's arithmetic, so that several periods go into one.  A short run needs no
    long block; powers of two keep the number of compilations small.
    """
    on_cpu = jax.default_backend() == "cpu"
    draws = 2**19 if on_cpu else 2**22
    enough = 1 << (num_periods - 1).bit_length()
    block = max(1, min(draws // num_firms, 512, enough))
    return {"block": block, "unroll": 1 if on_cpu else min(block, 32)}


def _placed(X, mesh, name="num_firms"):
    """Firms, shared by the mesh's devices; the kernels follow where they lie."""
    sharding.checked_share(name, X.size, mesh)
    return sharding.place(X, mesh)


def _check(params, x_init, num_periods, key, num_firms):
    num_periods = checks.integer("num_periods", num_periods, 1)
    num_firms = checks.integer("num_firms", num_firms, 1)
    X = checks.initial("x_init", x_init, num_firms)
    return _at_precision(params, X), X, num_periods, checks.random_key(key)


# ------------------------------------------------------ distribution dynamics


def distribution_dynamics(
    params: Parameters, x_init, dates, *, key, num_firms=10_000, mesh=None
):
    """Draw one cross-section moving through time, recorded at several dates.

    Args:
        params: the model.
        x_init: inventory at date 0, units, >= 0: a number, or (num_firms,) draws of ψ_0.
        dates: increasing positive integers, the dates t at which to record X_t.
        key: typed random key; it is used up.
        num_firms: number of firms n, >= 1.
        mesh: devices that share the firms, from `sharding.create_mesh`; default one.

    Returns:
        (len(dates), num_firms) draws, row i holding the same firms' X at dates[i].

    Raises:
        ValueError: a bad `x_init`, `dates`, `num_firms` or `key`, or firms that the
            mesh's devices cannot share evenly.
    """
    dates = checks.dates("dates", dates)
    num_firms = checks.integer("num_firms", num_firms, 1)
    X = _placed(checks.initial("x_init", x_init, num_firms), mesh)
    params, key = _at_precision(params, X), checks.random_key(key)
    intervals = jnp.asarray((0, *dates[:-1])), jnp.asarray(dates)
    # The mean gap: of all demands drawn, at most two in three are left unused.
    block = _block(num_firms, -(-dates[-1] // len(dates)))
    return _distribution_dynamics(params, X, key, intervals, **block)


@partial(jax.jit, static_argnames=("block", "unroll"))
def _distribution_dynamics(params, X, key, intervals, block, unroll):
    def step(X, D):
        return update(params, X, D)

    def to_next_date(X, interval):
        start, stop = interval
        X = advance(params, step, X, X, key, start, stop, block, unroll)
        return X, X

    _, sections = jax.lax.scan(to_next_date, X, intervals)
    return sections


# ---------------------------------------------------------- restock frequency


def restock_frequency(
    params: Parameters,
    x_init=70.0,
    num_periods=50,
    *,
    key,
    num_firms=1_000_000,
    at_least=2,
    mesh=None,
) -> RestockFrequency:
    """Estimate the share of firms that restock at least so many times.

    A firm restocks in period t = 0, ..., num_periods - 1 when X_t <= s, before
    the period's demand arrives.

    Args:
        params: the model.
        x_init: inventory at date 0, units, >= 0: a number, or one per firm.
        num_periods: periods T, >= 1.
        key: typed random key; it is used up.
        num_firms: number of firms n, >= 1.
        at_least: restocks to reach, >= 0.
        mesh: devices that share the firms, from `sharding.create_mesh`; default one.

    Returns:
        The share and its standard error sqrt(p (1 - p) / n).

    Raises:
        ValueError: a bad `x_init`, `num_periods`, `num_firms`, `at_least` or `key`, or
            firms that the mesh's devices cannot share evenly.
    """
    params, X, num_periods, key = _check(params, x_init, num_periods, key, num_firms)
    X = _placed(X, mesh)
    at_least = checks.integer("at_least", at_least, 0)
    block = _block(num_firms, num_periods)
    return _restock_frequency(params, X, key, num_periods, at_least, **block)


@partial(jax.jit, static_argnames=("block", "unroll"))
def _restock_frequency(params, X, key, num_periods, at_least, block, unroll):
    def step(state, D):
        X, count = state
        return update(params, X, D), count + jnp.where(X <= params.s, 1, 0)

    counts = jnp.zeros(X.shape, int)
    state = (X, counts)
    _, counts = advance(params, step, state, X, key, 0, num_periods, block, unroll)
    share = jnp.sum(counts >= at_least) / X.size
    return RestockFrequency(share, jnp.sqrt(share * (1.0 - share) / X.size))
