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

The kernels come first, as the lectures show them.  They take what is right for
granted; the simulations below them check what a caller passes in, once.

Paths jump where a firm restocks.  A derivative of a simulation with respect to
a parameter does not see the jumps, and is no derivative of the law.

Source: Arrow, Harris and Marschak (1951); the lectures of Part I.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jax.typing import ArrayLike

from lectures_helpers import checks, sharding

__all__ = [
    "Block", "Parameters", "RestockFrequency", "advance", "choose_block",
    "create_parameters", "cross_section", "cross_section_compiled",
    "cross_section_loop", "cross_section_vectorized", "demand",
    "distribution_dynamics", "one_period", "restock_frequency", "sample_path",
    "snapshots", "update",
]  # fmt: skip


class Parameters(NamedTuple):
    """Parameters of the s–S model (make them with `create_parameters`)."""

    s: float  #: restock point s, units; a firm restocks when its inventory is at or below it
    S: float  #: order-up-to level S, units
    μ: float  #: mean of log demand μ
    σ: float  #: standard deviation of log demand σ


def update(params: Parameters, X: jax.Array | float, D: jax.Array | float) -> jax.Array:
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


def demand(
    params: Parameters, key: jax.Array, shape: tuple[int, ...], dtype: Any = float
) -> jax.Array:
    """Draw lognormal demand.

    Args:
        params: the model.
        key: typed random key; it is used up.
        shape: shape of the result.
        dtype: its floating-point type; default JAX's own.

    Returns:
        Independent demands, units.

    Source: the law of demand (eq:ss-demand) of the lecture on sample paths.
    """
    Z = jax.random.normal(key, shape, dtype)
    return jnp.exp(params.μ + params.σ * Z)


@jax.jit
def one_period(
    params: Parameters, X: jax.Array, key: jax.Array, t: jax.Array | int
) -> jax.Array:
    """Move inventory from date t to date t + 1, with the demand of period t.

    Args:
        params: the model.
        X: inventory at date t, units, any shape.
        key: the run's typed random key; period t draws with ``fold_in(key, t)``.
        t: the date.

    Returns:
        Inventory at date t + 1, units, of the shape and type of X.
    """
    D = demand(params, jax.random.fold_in(key, t), X.shape, X.dtype)
    return update(params, X, D)


# ------------------------------------------- kernels: one loop over periods, four ways


def cross_section_loop(
    params: Parameters, X: jax.Array, num_periods: int, *, key: jax.Array
) -> jax.Array:
    """Move firms through T periods: a Python loop over a compiled period.

    Args:
        params: the model.
        X: (n,) inventories at date 0, units, a floating-point array.
        num_periods: periods T.
        key: typed random key; it is used up.

    Returns:
        (n,) draws of X_T, units.
    """
    for t in range(num_periods):
        X = one_period(params, X, key, t)
    return X


@jax.jit
def cross_section_compiled(
    params: Parameters, X: jax.Array, num_periods: int, *, key: jax.Array
) -> jax.Array:
    """Move firms through T periods: the loop over periods is compiled too.

    Arguments and result are those of `cross_section_loop`.
    """

    def step(t, X):
        return one_period(params, X, key, t)

    return jax.lax.fori_loop(0, num_periods, step, X)


@partial(jax.jit, static_argnames="num_periods")
def cross_section_vectorized(
    params: Parameters, X: jax.Array, num_periods: int, *, key: jax.Array
) -> jax.Array:
    """Move firms through T periods: all demands first, then the compiled loop.

    Holds T * n demands in memory at once.
    Arguments and result are those of `cross_section_loop`.
    """

    def draw(t):
        return demand(params, jax.random.fold_in(key, t), X.shape, X.dtype)

    demands = jax.vmap(draw)(jnp.arange(num_periods))  # (T, n) numbers at once

    def step(X, D):
        return update(params, X, D), None

    X, _ = jax.lax.scan(step, X, demands)
    return X


class Block(NamedTuple):
    """How a loop over periods is cut."""

    size: int  #: periods whose demands are drawn at once
    unroll: int  #: periods that go into one launch


def choose_block(num_firms: int, num_periods: int) -> Block:
    """Choose a block of periods that fills a buffer of fixed size with demands.

    Half a million draws (2 MB) at once were the fastest on the CPUs measured; a
    launch costs next to nothing there.  On a GPU a launch costs more than a
    period's arithmetic, so that several periods go into one.  A short run needs no
    long block; powers of two keep the number of compilations small.

    Args:
        num_firms: number of firms n.
        num_periods: periods of a run T.
    """
    draws, unroll = (2**19, 1) if jax.default_backend() == "cpu" else (2**22, 32)
    enough = 1 << (num_periods - 1).bit_length()
    size = max(1, min(draws // num_firms, 512, enough))
    return Block(size, min(size, unroll))


@partial(jax.jit, static_argnames=("step", "block"))
def advance(
    params: Parameters,
    step: Callable[[Parameters, Any, jax.Array], Any],
    state: Any,
    key: jax.Array,
    start: jax.Array | int,
    stop: jax.Array | int,
    block: Block,
) -> Any:
    """Move firms from date `start` to date `stop`: demands a block of periods at a time.

    One turn of the outer loop draws the demands of ``block.size`` periods at once
    and spends them one by one; demands beyond the last period are drawn but left
    unused.

    Args:
        params: the model.
        step: ``state = step(params, state, D)`` moves a state by one period's demand D,
            as `update` does.
        state: the state at date `start`: an array or a tuple of arrays (n,), the
            inventories first.
        key: the run's typed random key; period t draws with ``fold_in(key, t)``.
        start: first period.
        stop: the date at which to stop.
        block: how many periods to draw at once, from `choose_block`.

    Returns:
        The state at date `stop`.
    """
    X = jax.tree.leaves(state)[0]

    def draw(t):
        return demand(params, jax.random.fold_in(key, t), X.shape, X.dtype)

    def one_block(i, state):
        periods = start + i * block.size + jnp.arange(block.size)
        demands = jax.vmap(draw)(periods)  # (block.size, n)

        def move(state, period):
            t, D = period
            moved = step(params, state, D)
            return jax.tree.map(partial(jnp.where, t < stop), moved, state), None

        state, _ = jax.lax.scan(move, state, (periods, demands), unroll=block.unroll)
        return state

    num_blocks = (stop - start + block.size - 1) // block.size
    return jax.lax.fori_loop(0, num_blocks, one_block, state)


@partial(jax.jit, static_argnames="block")
def snapshots(
    params: Parameters, X: jax.Array, dates: jax.Array, *, key: jax.Array, block: Block
) -> jax.Array:
    """Move firms from date to date, and keep a copy of their inventories at each.

    Args:
        params: the model.
        X: (n,) inventories at date 0, units, a floating-point array.
        dates: (k,) increasing positive integers.
        key: typed random key; it is used up.
        block: how many periods to draw at once, from `choose_block`.

    Returns:
        (k, n) inventories, row i holding the same firms' at dates[i].
    """

    def to_next_date(X, interval):
        start, stop = interval
        X = advance(params, update, X, key, start, stop, block)
        return X, X

    intervals = jnp.concatenate([jnp.zeros_like(dates[:1]), dates[:-1]]), dates
    _, sections = jax.lax.scan(to_next_date, X, intervals)
    return sections


# ------------------------------------------------- simulations, which check their input


def create_parameters(
    s: float = 10.0, S: float = 100.0, μ: float = 1.0, σ: float = 0.5
) -> Parameters:
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
    traced = checks.is_traced(s) or checks.is_traced(S)
    if not traced and np.greater_equal(s, S).any():
        raise ValueError(f"s must be below S, got s = {s} and S = {S}")
    # Python's floats take the type of the stocks; NumPy's numbers would promote them.
    numbers = (float(v) if isinstance(v, int | np.number) else v for v in (s, S, μ, σ))
    return Parameters(*numbers)


def checked_parameters(params: Any) -> Parameters:
    """Return `params`, checked again, if they are this model's."""
    checks.made_by("params", params, Parameters, "ss.create_parameters")
    return create_parameters(*params)


class RestockFrequency(NamedTuple):
    """Estimated share of firms that restock at least so many times."""

    value: jax.Array  #: share of firms, in [0, 1]
    standard_error: jax.Array  #: standard error of `value`


def _checked(params, x_init, num_periods, key, *num_firms):
    """What a simulation is given, checked; without `num_firms`, of any number of firms.

    Parameters come in the floating-point type of the stocks, whatever the caller's:
    neither promotion nor recompilation.
    """
    num_periods = checks.integer("num_periods", num_periods, 1)
    num_firms = [checks.integer("num_firms", n, 1) for n in num_firms]
    X = checks.initial("x_init", x_init, *num_firms)
    params = checked_parameters(params)
    numbers = params._asdict().items()
    params = Parameters(*(checks.cast(name, x, X.dtype) for name, x in numbers))
    return params, X, num_periods, checks.random_key(key)


def sample_path(
    params: Parameters, x_init: ArrayLike, num_periods: int, *, key: jax.Array
) -> jax.Array:
    """Simulate inventory period by period.

    Args:
        params: the model.
        x_init: inventory at date 0 [X_0], units, >= 0: a number, or a vector of n
            independent firms.
        num_periods: periods T to simulate, >= 1.
        key: typed random key; it is used up.

    Returns:
        (num_periods + 1,) or (num_periods + 1, n) inventories, the first being `x_init`.

    Raises:
        ValueError: a bad `x_init`, `num_periods` or `key`.
    """
    params, X, num_periods, key = _checked(params, x_init, num_periods, key)
    return _sample_path(params, X, key, num_periods)


@partial(jax.jit, static_argnames="num_periods")
def _sample_path(params, X, key, num_periods):
    def draw(t):
        return demand(params, jax.random.fold_in(key, t), X.shape, X.dtype)

    def step(X, D):
        X_next = update(params, X, D)
        return X_next, X_next

    # Drawn at once, and on a GPU several periods in a launch: one at a time takes five.
    unroll = 1 if jax.default_backend() == "cpu" else 16
    demands = jax.vmap(draw)(jnp.arange(num_periods))
    _, path = jax.lax.scan(step, X, demands, unroll=unroll)
    return jnp.concatenate([X[None], path])


def cross_section(
    params: Parameters,
    x_init: ArrayLike,
    num_periods: int,
    *,
    key: jax.Array,
    num_firms: int = 50_000,
    mesh: Mesh | None = None,
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
    params, X, num_periods, key = _checked(params, x_init, num_periods, key, num_firms)
    sharding.checked_share("num_firms", num_firms, mesh)
    X = sharding.place(X, mesh)  # the kernel follows where the firms lie
    block = choose_block(num_firms, num_periods)
    return advance(params, update, X, key, 0, num_periods, block)


def distribution_dynamics(
    params: Parameters,
    x_init: ArrayLike,
    dates: Sequence[int],
    *,
    key: jax.Array,
    num_firms: int = 10_000,
) -> jax.Array:
    """Draw one cross-section moving through time, recorded at several dates.

    Args:
        params: the model.
        x_init: inventory at date 0, units, >= 0: a number, or (num_firms,) draws of ψ_0.
        dates: increasing positive integers, the dates t at which to record X_t.
        key: typed random key; it is used up.
        num_firms: number of firms n, >= 1.

    Returns:
        (len(dates), num_firms) draws, row i holding the same firms' X at dates[i].

    Raises:
        ValueError: a bad `x_init`, `dates`, `num_firms` or `key`.
    """
    dates = checks.dates("dates", dates)
    # The mean gap: of all demands drawn, at most two in three are left unused.
    gap = -(-dates[-1] // len(dates))
    params, X, gap, key = _checked(params, x_init, gap, key, num_firms)
    block = choose_block(num_firms, gap)
    return snapshots(params, X, jnp.asarray(dates), key=key, block=block)


def restock_frequency(
    params: Parameters,
    x_init: ArrayLike = 70.0,
    num_periods: int = 50,
    *,
    key: jax.Array,
    num_firms: int = 1_000_000,
    at_least: int = 2,
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

    Returns:
        The share and its standard error sqrt(p (1 - p) / n).

    Raises:
        ValueError: a bad `x_init`, `num_periods`, `num_firms`, `at_least` or `key`.
    """
    params, X, num_periods, key = _checked(params, x_init, num_periods, key, num_firms)
    at_least = checks.integer("at_least", at_least, 0)
    block = choose_block(num_firms, num_periods)
    return _restock_frequency(params, X, key, num_periods, at_least, block)


def _update_and_count(params, state, D):
    X, count = state
    return update(params, X, D), count + jnp.where(X <= params.s, 1, 0)


@partial(jax.jit, static_argnames="block")
def _restock_frequency(params, X, key, num_periods, at_least, block):
    state = X, jnp.zeros(X.shape, int)
    _, counts = advance(params, _update_and_count, state, key, 0, num_periods, block)
    share = jnp.sum(counts >= at_least) / X.size
    return RestockFrequency(share, jnp.sqrt(share * (1.0 - share) / X.size))
