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
import numpy as np
from jax import lax

from lectures_helpers import checks

__all__ = ["Solution", "solve"]

PATIENCE = 20  # iterations without closer bounds, after which steps are halved
HOPELESS = 500  # ... after which it ends, if they are close but for rounding
NEAR = 1_000  # roundings that are close
MOST_ITERATIONS = 1_000_000_000


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

    It runs as one loop on the device, in the type of `values`, and ends early only where
    rounding keeps the bounds apart.  A chain that is periodic lets V swing for ever: if
    the bounds stop closing, only half of each step is taken from there on, which has the
    same bounds and no period.  A rule's own cost comes from a backup that follows it.

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
        A `Solution`; its bounds hold also where it has not converged.  They are moved
        outwards by the rounding of one number as large as V in its type; a backup that
        adds up many may round by more.

    Raises:
        ValueError: a bad argument; a backup that changes the shape or type, or returns
            what is not finite.

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
    given = values if hasattr(values, "dtype") else np.asarray(values)
    if not jnp.issubdtype(given.dtype, jnp.floating):
        raise ValueError(f"values must be floating-point numbers, got {values!r}")
    with np.errstate(over="ignore"):
        V = checks.finite("values", jnp.asarray(given))
    discount = checks.concrete("discount", discount)
    if not 0 < discount <= 1:
        raise ValueError(f"discount must be in (0, 1], got {discount:g}")
    tol = checks.concrete("tol", checks.positive("tol", tol))
    max_iterations = checks.integer(
        "max_iterations", max_iterations, 1, MOST_ITERATIONS
    )
    if not isinstance(backup, jax.tree_util.Partial):
        backup = jax.tree_util.Partial(backup)
    found = jax.eval_shape(backup, V)
    if getattr(found, "shape", None) != V.shape or found.dtype != V.dtype:
        raise ValueError(
            f"backup must return what it is given, {V.dtype} of shape {V.shape}, got {found}"
        )
    factor = 1.0 if discount == 1 else discount / (1 - discount)
    found = _solve(backup, V, factor, tol, max_iterations, discount == 1)
    for name, bound in (("lower", found.lower), ("upper", found.upper)):
        if not checks.is_traced(bound) and not jnp.isfinite(bound).all():
            raise ValueError(
                f"backup must return finite numbers, got the {name} bound {bound} after"
                f" {found.iterations} iterations"
            )
    return found


class _State(NamedTuple):
    V: jax.Array
    TV: jax.Array
    closest: jax.Array  # the bounds have come as close as this
    since: jax.Array  # iterations since they did
    step: jax.Array
    iterations: jax.Array


@partial(jax.jit, static_argnames="average")
def _solve(backup, V, factor, tol, max_iterations, average):
    epsilon = jnp.finfo(V.dtype).eps

    def spread(state):
        return factor * jnp.ptp(state.TV - state.V)

    def rounding(state):
        """What is stored is rounded: each bound is known to this, at the best."""
        return factor * epsilon * jnp.abs(state.TV).max()

    def unfinished(state):
        least = rounding(state)
        enough = jnp.maximum(tol - 2 * least, least)
        closing = (state.since < HOPELESS) | (spread(state) > NEAR * least)
        going_on = (spread(state) > enough) & closing
        return (state.iterations < max_iterations) & (going_on | (state.iterations < 1))

    def iterate(state):
        V = state.V + state.step * (state.TV - state.V)
        if average:
            V = V - V.ravel()[0]
        state = state._replace(V=V, TV=backup(V), iterations=state.iterations + 1)
        closer = spread(state) < 0.999 * state.closest
        since = jnp.where(closer, 0, state.since + 1)
        return state._replace(
            closest=jnp.where(closer, spread(state), state.closest),
            since=since,
            step=jnp.where(since == PATIENCE, 0.5, state.step).astype(V.dtype),
        )

    one = jnp.ones((), V.dtype)
    # The first backup is done in the loop, too: written once, it is compiled once.
    start = _State(V, V, jnp.inf * one, jnp.array(0), one, jnp.array(0))
    end = lax.while_loop(unfinished, iterate, start)
    change, wider = end.TV - end.V, rounding(end)
    lower, upper = factor * change.min() - wider, factor * change.max() + wider
    if average:
        values = end.TV - end.TV.ravel()[0]
    else:
        values = end.TV
        lower, upper = values + lower, values + upper
    return Solution(
        lower, upper, values, end.iterations, spread(end) + 2 * wider <= tol
    )
