"""Policies: rules for (z, q), what they are worth exactly, and paths under them.

A policy is two arrays of integers, the units to sell off and the units to order, for
every state, and for every period if they differ.

Source: derived in the lecture on policies.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from numpy.typing import DTypeLike

from lectures_helpers import checks
from lectures_helpers.expiry import exhaustive, tensor, threshold
from lectures_helpers.expiry.memory import check_fits, states
from lectures_helpers.expiry.model import (
    Model,
    check_range,
    checked_horizon,
    checked_model,
    checked_states,
    integers,
    next_stock,
    reward,
)
from lectures_helpers.expiry.periods import (
    Period,
    checked_dtype,
    create_periods,
    decision_dtype,
    relative,
    terminal_values,
    with_ties,
)
from lectures_helpers.expiry.solver import Solution, solve
from lectures_helpers.precision import enable_x64

__all__ = [
    "Policy", "Rollout", "evaluate", "evaluate_period", "fluid_policy", "greedy",
    "newsvendor_level", "newsvendor_policy", "optimal_policy", "rollout", "thresholds",
]  # fmt: skip


class Policy(NamedTuple):
    """What to do in each state: (k,) * m integers, or (T,) + (k,) * m, period by period."""

    depletion: np.ndarray  #: units to sell off z, in ``0, ..., |x|``
    order: np.ndarray  #: units to order q, in 0, ..., k - 1


class Rollout(NamedTuple):
    """Mean discounted earnings over simulated paths."""

    mean: jax.Array  #: money
    standard_error: jax.Array  #: standard error of `mean`; NaN for one path


# --------------------------------------------------------------------- what it is worth


def evaluate(
    model: Model, policy: Policy, num_periods: int, *, dtype: DTypeLike | None = None
) -> np.ndarray:
    """Compute exactly what a policy is worth from every state, V_{f,0}.

    Args:
        model: the model.
        policy: a `Policy`.
        num_periods: number of periods [T], an integer >= 0.
        dtype: ``"float32"`` or ``"float64"``; default JAX's own setting.

    Returns:
        (k,) * m values, money.

    Raises:
        ValueError: a bad argument, or a policy that orders more than k - 1, sells more
            than is there, or has the wrong shape.

    Source: eq:expiry-evaluate of the lecture on policies.
    """
    model, num_periods = checked_horizon(model, num_periods, 0)
    dtype = checked_dtype(dtype)
    check_range(model, num_periods, dtype)
    policy = _checked_policy(model, policy, num_periods)
    with enable_x64(dtype == "float64"):
        laws = create_periods(model, dtype)
        return np.asarray(_value(model, policy, laws, range(num_periods), dtype))


def _value(model, policy, laws, periods, dtype):
    """What the policy is worth over some last periods."""
    values = terminal_values(model, dtype)
    for t in reversed(periods):
        z, q = (jnp.asarray(a[t]) for a in policy)
        values = evaluate_period(values, z, q, laws[t % len(laws)])
    return values


@jax.jit
def evaluate_period(
    values: jax.Array, z: jax.Array, q: jax.Array, law: Period
) -> jax.Array:
    """Move values back by one period under a policy: E[reward + α V(next)] at its (z, q).

    Args:
        values: V_{f,t+1}, (k,) * m.
        z: units that the policy sells off in each state, (k,) * m integers.
        q: units that it orders, (k,) * m integers.
        law: the period's demand and prices, from `periods.create_periods`.

    Returns:
        V_{f,t}, (k,) * m.

    Source: eq:expiry-evaluate of the lecture on policies.
    """
    x = exhaustive.all_states(values.ndim, len(values))
    z, q = (a.reshape(-1).astype(int) for a in (z, q))
    value = exhaustive.action_value(exhaustive.look_up(values), x, z, q, law)
    return value.reshape(values.shape)


def rollout(
    model: Model,
    policy: Policy,
    x0: ArrayLike,
    num_periods: int,
    *,
    key: jax.Array,
    num_paths: int = 10_000,
) -> Rollout:
    """Simulate paths under a policy and average what they earn, discounted.

    Args:
        model: the model.
        policy: a `Policy`.
        x0: stock at the start, (m,) or (n, m) integers on the grid; the paths from each of
            n stocks meet the same demands.
        num_periods: number of periods [T], an integer >= 0.
        key: a typed JAX key.
        num_paths: paths from each stock, an integer >= 1.

    Returns:
        A `Rollout` of () or (n,) arrays, in JAX's default precision.

    Raises:
        ValueError: a bad argument; see `evaluate`.
    """
    model, num_periods = checked_horizon(model, num_periods, 0)
    num_paths = checks.integer("num_paths", num_paths, 1)
    key = checks.random_key(key)
    x0 = checked_states("x0", x0, model.num_levels, model.num_ages)
    if x0.ndim > 2:
        raise ValueError(
            f"x0 must have the shape (num_ages,) or (n, num_ages), got {x0.shape}"
        )
    check_range(model, num_periods, checked_dtype(None))
    policy = _checked_policy(model, policy, num_periods)
    starts = np.atleast_2d(x0)
    paths = f"{num_paths:,} paths (num_paths) from each of {len(starts):,} stocks (x0)"
    check_fits(paths, 8 * len(starts) * num_paths * (4 * model.num_ages + 4))
    cdf = np.cumsum(np.atleast_2d(model.demand_pmf), axis=1)
    # A uniform draw of exactly 1 - 2^-24 must not fall behind a sum that rounding left short.
    cdf[:, -1] = 1.0

    total = jnp.zeros((len(starts), num_paths))
    x = jnp.asarray(starts, int)[:, None]
    x = jnp.broadcast_to(x, (*total.shape, model.num_ages))
    factor = jnp.asarray(1.0)
    prices = model._replace(
        demand_pmf=np.empty(0)
    )  # a law is handed over for each period
    for t in range(num_periods):
        z, q = (jnp.asarray(a[t]) for a in policy)
        law = jnp.asarray(cdf[t % len(cdf)], float)
        period_key = jax.random.fold_in(key, t)
        x, total = _simulate_period(x, total, z, q, law, prices, factor, period_key)
        factor = factor * model.discount
    total = total + factor * model.salvage * x.sum(-1).astype(total.dtype)
    mean, error = total.mean(-1), total.std(-1, ddof=1) / num_paths**0.5
    return Rollout(mean.reshape(x0.shape[:-1]), error.reshape(x0.shape[:-1]))


@jax.jit
def _simulate_period(x, total, z, q, cdf, prices, factor, key):
    """Move all paths, (n, paths, m), by one period; add what it earns, discounted."""
    at = exhaustive.number(x, len(z))
    z, q = (a.reshape(-1)[at].astype(int) for a in (z, q))
    u = jax.random.uniform(key, (x.shape[1],), cdf.dtype)
    d = jnp.searchsorted(cdf, u, side="right").astype(z.dtype)[None]
    return next_stock(x, z, q, d), total + factor * reward(prices, x, z, q, d)


# -------------------------------------------------------------------------- policies


def optimal_policy(solution: Solution) -> Policy:
    """The optimal policy out of a solution.

    Args:
        solution: from `solve` with ``keep_policies=True``.

    Returns:
        A `Policy` of (T,) + (k,) * m integers.

    Raises:
        ValueError: `solution` is something else, or holds the first period alone.
    """
    *_, z, q = checks.made_by("solution", solution, Solution, "solve")
    if z is None:
        raise ValueError(
            "solution must hold depletions of every period, got None: call solve with "
            "keep_policies=True"
        )
    return Policy(integers("depletions", z), integers("orders", q))


def thresholds(
    model: Model, num_periods: int, *, dtype: DTypeLike | None = None
) -> list[np.ndarray]:
    """Compute the thresholds of the first period, one array for each class.

    The i-th array, z̄_i, (k,) * (m - i), tells how many units of class i are kept when the
    newer classes hold (x_{i+1}, ..., x_m): k - 1 where all are kept.  Where the newer
    classes are themselves sold off, nothing of class i is kept, and z̄_i is 0.

    Args:
        model: the model.
        num_periods: number of periods [T], an integer >= 1.
        dtype: as in `solve`.

    Returns:
        m arrays of integers, units.

    Raises:
        ValueError: a bad argument, or an optimal depletion that is not of this form.
    """
    checks.integer("num_periods", num_periods, 1)
    return threshold.read_off(solve(model, num_periods, dtype=dtype).depletion)


def fluid_policy(
    model: Model, num_periods: int, max_hold: float | None = None
) -> Policy:
    """The policy that plans as if demand were its mean d.

    In the first period it sells off what would expire even if every period sold d,
    P = max over i of (x_1 + ... + x_i - i d)^+, and what exceeds `max_hold` periods of
    demand: ``z = P + (|x| - P - max_hold d)^+``.  Later it sells off nothing.  It always orders
    up to d: q = (d - stock after depletion)^+.  Both are rounded, halves up, and q is at
    most k - 1.  If demand's law changes over the periods, the sums are over their means.

    Args:
        model: the model.
        num_periods: number of periods [T], an integer >= 1.
        max_hold: periods of demand that are worth keeping, > 0; default no limit.

    Returns:
        A `Policy` of (T,) + (k,) * m integers.

    Raises:
        ValueError: a bad argument.

    Source: https://github.com/huangzonghao/DP-CUDA; the lecture on policies.
    """
    model, num_periods = checked_horizon(model, num_periods)
    m, k = model.num_ages, model.num_levels
    if max_hold is not None:
        max_hold = checks.positive("max_hold", checks.concrete("max_hold", max_hold))
    check_fits(states(model), 8 * (3 * m + 2 * num_periods) * k**m)
    pmf = np.atleast_2d(model.demand_pmf)
    means = np.broadcast_to(pmf @ np.arange(pmf.shape[1]), (num_periods,))
    held = np.inf if max_hold is None else _demand_ahead(means, max_hold)

    x = np.indices((k,) * m)
    total = x.sum(0)
    sold_by = np.array([_demand_ahead(means, i + 1) for i in range(m)])
    perish = np.maximum(x.cumsum(0) - _in_front(sold_by, m), 0).max(0)
    z = np.zeros((num_periods, *total.shape), decision_dtype(model))
    z[0] = _rounded(perish + np.maximum(total - perish - held, 0))
    q = _rounded(np.maximum(_in_front(means, m) - (total - z), 0))
    return Policy(z, np.minimum(q, k - 1).astype(z.dtype))


def newsvendor_policy(
    model: Model,
    num_periods: int,
    *,
    level: int | None = None,
    keep_oldest: int | None = None,
) -> Policy:
    """The policy that orders up to a level and, as a rule, sells off nothing.

    ``z = 0`` and ``q = (S - |x|)^+``, at most k - 1.  With `keep_oldest` = b, it sells off what the
    oldest class holds beyond b: ``z = (x_1 - b)^+`` and ``q = (S + z - |x|)^+``.  `greedy`
    improves its first period.

    Args:
        model: the model.
        num_periods: number of periods [T], an integer >= 1.
        level: order-up-to level [S], units, an integer >= 0; default k - 1.
            `newsvendor_level` computes one from the critical ratio.
        keep_oldest: units of the oldest class that are kept [b], an integer >= 0.

    Returns:
        A `Policy` of (T,) + (k,) * m integers.

    Raises:
        ValueError: a bad argument.
    """
    model, num_periods = checked_horizon(model, num_periods)
    m, k = model.num_ages, model.num_levels
    most = k - 1
    level = checks.integer("level", most if level is None else level, 0)
    kept = most if keep_oldest is None else keep_oldest
    kept = checks.integer("keep_oldest", kept, 0)
    check_fits(states(model), 8 * (m + 2 + num_periods) * k**m)
    x = np.indices((k,) * m)
    z = np.maximum(x[0] - kept, 0)
    q = np.clip(level + z - x.sum(0), 0, most)
    shape, dtype = (num_periods, *q.shape), decision_dtype(model)
    return Policy(*(np.broadcast_to(a, shape).astype(dtype) for a in (z, q)))


def newsvendor_level(model: Model) -> int:
    """The order-up-to level of a newsvendor who faces one period's demand.

    A unit too few loses its margin r - c; one too many costs c less what it brings at the
    end of the period, s.  All three are paid at that end, so that discounting plays no
    part: the level is the smallest S with ``P(D <= S) >= (r - c) / (r - s)``, for the
    demand of the first period.  From empty shelves it is the optimal order of a single
    period (thus the smallest, if several are as good).

    Args:
        model: the model, with s < c <= r.

    Returns:
        The level S, units.

    Raises:
        ValueError: prices without a critical ratio in [0, 1).

    >>> from lectures_helpers.expiry import create_model
    >>> newsvendor_level(create_model())
    8
    """
    model = checked_model(model)
    s, c, r = model.salvage, model.unit_cost, model.price
    if not s < c <= r:
        raise ValueError(
            "model must have s < c <= r for a critical ratio, got "
            f"s = {s:g}, c = {c:g}, r = {r:g}"
        )
    ratio = (r - c) / (r - s)
    cdf = np.cumsum(np.atleast_2d(model.demand_pmf)[0])
    return int(np.argmax(cdf >= ratio - 1e-12))


def greedy(
    model: Model, policy: Policy, num_periods: int, *, dtype: DTypeLike | None = None
) -> Policy:
    """Replace a policy's first period by what is best if the policy is followed afterwards.

    Args:
        model, policy, num_periods: as in `evaluate`, num_periods >= 1.
        dtype: as in `solve`.

    Returns:
        A `Policy` of (T,) + (k,) * m integers.

    Raises:
        ValueError: as in `evaluate`.
    """
    model, num_periods = checked_horizon(model, num_periods)
    policy = _checked_policy(model, policy, num_periods)
    z, q = (a.astype(decision_dtype(model)) for a in policy)
    dtype = checked_dtype(dtype)
    check_range(model, num_periods, dtype)
    with enable_x64(dtype == "float64"):
        laws = create_periods(model, dtype)
        later = _value(model, Policy(z, q), laws, range(1, num_periods), dtype)
        later, _, size = relative(later)
        law = with_ties(laws[0], float(size))
        _, decision = tensor.backup(later, law, decide=z.dtype.name)
    z[0], q[0] = decision
    return Policy(z, q)


def _demand_ahead(means, num_periods):
    """Mean demand of the next so many periods; after the horizon it stays as at its end."""
    inside = min(num_periods, len(means))
    dates, sums = np.arange(len(means) + 1), np.concatenate([[0.0], np.cumsum(means)])
    return np.interp(inside, dates, sums) + (num_periods - inside) * means[-1]


def _rounded(x):
    """To the nearest integer, halves up (NumPy rounds them to even).

    A half that a mean has missed in its last digits counts as a half.
    """
    return np.floor(np.round(x, 9) + 0.5).astype(np.int64)


def _in_front(numbers, num_ages):
    """Numbers (n,) as (n, 1, ..., 1), in front of the states' axes."""
    return numbers.reshape((-1,) + (1,) * num_ages)


def _checked_policy(model, policy, num_periods):
    """The policy as NumPy integers, (T,) + (k,) * m, if every decision is possible."""
    if not isinstance(policy, tuple) or len(policy) != 2:
        raise ValueError(f"policy must be a Policy(depletion, order), got {policy!r}")
    m, k = model.num_ages, model.num_levels
    grid = (k,) * m
    check_fits(states(model), 8 * (m + 3) * k**m)
    total = np.indices(grid).sum(0)
    arrays = []
    for name, value, most, bound in (
        ("policy.depletion", policy[0], total, "|x|"),
        ("policy.order", policy[1], np.full(grid, k - 1), "num_levels - 1"),
    ):
        array = integers(name, value)
        if array.shape not in (grid, (num_periods, *grid)):
            raise ValueError(
                f"{name} must have the shape {grid} or {(num_periods, *grid)}, "
                f"got {array.shape}"
            )
        wrong = np.argwhere((array < 0) | (array > most))
        if wrong.size:
            state = tuple(wrong[0, -m:].tolist())
            raise ValueError(
                f"{name} must be in 0, ..., {bound} = {most[state]} in state {state}, "
                f"got {array[tuple(wrong[0])]}"
            )
        arrays.append(np.broadcast_to(array, (num_periods, *grid)))
    return Policy(*arrays)
