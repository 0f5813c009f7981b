"""Value iteration with bounds: the best cost of a dynamic program, between two numbers.

A model is one function, its ``backup``: V -> TV, where (TV)(x) is the least expected
cost of a period and of what V says of the state after it.  Whatever V is, the best
average cost lies between min(TV - V) and max(TV - V) over all states (Odoni 1969); with
a discount factor α the value lies within α / (1 - α) times these of TV (MacQueen 1966).
So a result carries its proof, and no stopping rule is taken on trust.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from lectures_helpers import checks

__all__ = ["Solution", "solve"]

PATIENCE = 20  # iterations without closer bounds, after which steps are halved
MOST_ITERATIONS = 1_000_000_000
HOPELESS = 500  # ... after which it ends


class Solution(NamedTuple):
    """The best cost, between bounds."""

    lower: (
        jax.Array
    )  #: average cost: a number; discounted: of V's shape, in every state
    upper: jax.Array  #: as `lower`
    values: jax.Array  #: V; with average cost relative to its first entry
    iterations: jax.Array  #: backups done
    converged: jax.Array  #: whether the bounds came as close as `tol`


def solve(
    backup: Callable,
    values: jax.Array,
    *,
    discount: float = 1.0,
    tol: float = 1e-6,
    max_iterations: int = 10_000,
) -> Solution:
    """Iterate V := TV until the bounds on the best cost are `tol` apart.

    It runs as one loop on the device, in the type of `values`.  Single precision ends it
    where the bounds cannot come closer.  A chain that is periodic lets V swing for ever:
    if the bounds stop closing, only half of each step is taken from there on, which has
    the same bounds and no period.  A rule's own cost comes from a backup that follows it.

    Args:
        backup: V -> TV, pure, with arrays of any one shape; it discounts by itself.  A
            ``jax.tree_util.Partial(function, model)`` compiles once for all models of a
            shape; another callable once for itself.
        values: V to begin with, floating-point.
        discount: 1 for the average cost of a period, or the factor α in (0, 1) that
            `backup` discounts with.
        tol: how close the bounds shall come, > 0, in money.
        max_iterations: backups at most, >= 1.

    Returns:
        A `Solution`; its bounds hold also where it has not converged, but for the
        rounding of the last backup.

    Raises:
        ValueError: a bad argument; a backup that changes the shape or type.

    Source: Odoni (1969), MacQueen (1966).

    A machine works or is broken; to mend it costs 3 and a day, a broken day costs 1:

    >>> breaks = jnp.array([[0.9, 0.1], [0.0, 1.0]])
    >>> def backup(V):
    ...     wait = jnp.array([0.0, 1.0]) + breaks @ V
    ...     return jnp.minimum(wait, 3.0 + V[0])
    >>> solution = solve(backup, jnp.zeros(2), tol=1e-4)
    >>> print(f"{solution.lower:.3f} to {solution.upper:.3f} a day")
    0.273 to 0.273 a day
    """
    if not callable(backup):
        raise ValueError(f"backup must be a function of V, got {backup!r}")
    values = checks.finite("values", values)
    if not jnp.issubdtype(jnp.result_type(values), jnp.floating) or not jnp.size(
        values
    ):
        raise ValueError(
            f"values must be one floating-point number or more, got {values!r}"
        )
    V = checks.finite("values", jnp.asarray(values))
    discount = checks.concrete("discount", discount)
    if not 0 < discount <= 1:
        raise ValueError(f"discount must be in (0, 1], got {discount:g}")
    tol = checks.concrete("tol", checks.positive("tol", tol))
    max_iterations = checks.integer("max_iterations", max_iterations, 1)
    if max_iterations > MOST_ITERATIONS:
        raise ValueError(
            f"max_iterations must be <= {MOST_ITERATIONS:,}, got {max_iterations:,}"
        )
    if not isinstance(backup, jax.tree_util.Partial):
        backup = jax.tree_util.Partial(backup)
    found = jax.eval_shape(backup, V)
    if getattr(found, "shape", None) != V.shape or found.dtype != V.dtype:
        raise ValueError(
            f"backup must return what it is given, {V.dtype} of shape {V.shape}, got {found}"
        )
    return _solve(backup, V, discount, tol, max_iterations, discount == 1)


class _State(NamedTuple):
    V: jax.Array
    TV: jax.Array
    closest: jax.Array  # the bounds have come as close as this
    since: jax.Array  # iterations since they did
    step: jax.Array
    iterations: jax.Array


@partial(jax.jit, static_argnames="average")
def _solve(backup, V, discount, tol, max_iterations, average):
    epsilon = jnp.finfo(V.dtype).eps
    factor = 1.0 if average else discount / (1 - discount)

    def spread(state):
        return factor * jnp.ptp(state.TV - state.V)

    def unfinished(state):
        # What is stored is rounded: the bounds differ by as much, at the least.
        floor = factor * epsilon * jnp.abs(state.TV).max()
        closing = state.since < HOPELESS
        enough = jnp.maximum(tol, floor)
        return (state.iterations < max_iterations) & (spread(state) > enough) & closing

    def iterate(state):
        V = state.V + state.step * (state.TV - state.V)
        if average:
            V = V - V.ravel()[0]
        state = state._replace(V=V, TV=backup(V), iterations=state.iterations + 1)
        closer = spread(state) < 0.999 * state.closest
        since = jnp.where(closer, 0, state.since + 1)
        return state._replace(
            closest=jnp.minimum(state.closest, spread(state)),
            since=since,
            step=jnp.where(since == PATIENCE, 0.5, state.step).astype(V.dtype),
        )

    one = jnp.ones((), V.dtype)
    start = _State(V, backup(V), jnp.inf * one, jnp.array(0), one, jnp.array(1))
    end = lax.while_loop(unfinished, iterate, start)
    change = end.TV - end.V
    lower, upper, values = change.min() * factor, change.max() * factor, end.TV
    if average:
        values = values - values.ravel()[0]
    else:
        lower, upper = values + lower, values + upper
    return Solution(lower, upper, values, end.iterations, spread(end) <= tol)
