"""Rules that are learned: numbers, or a small network, moved along the gradient of a cost.

A simulated cost is sums and (.)^+ of what a rule orders: it can be differentiated path by
path, and its mean made less by small steps against the slope.  While a rule is trained
its orders are real numbers; when it is used they are whole units, and the exact cost of
`lost_sales` is the judge.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike

from lectures_helpers import checks
from lectures_helpers.optimal import lost_sales

__all__ = [
    "Trained",
    "adam_update",
    "create_network",
    "demands",
    "in_whole_units",
    "network",
    "network_orders",
    "simulate",
    "tabulate",
    "train",
]

MOST_STATES = 5_000_000  # of a table
MOST_STEPS = 10**7
MOST_WIDTH = 10_000
MOST_RATE = 1_000
LOOKS = 20  # at the cost, while a rule is trained
MEAN, SQUARE = 0.9, 0.999  # what Adam keeps of its two means in a step

Rule = Callable[[jax.Array], jax.Array]  # (n, L) states -> (n,) orders


class Trained(NamedTuple):
    """What training found."""

    weights: Any  #: the cheapest of those that were looked at
    cost: float  #: theirs, on the paths of every look
    looks: Any  #: the weights of each look, along a new first axis; the first: none trained
    costs: np.ndarray  #: at each look, money a period
    steps: np.ndarray  #: taken until each look
    diverged: bool  #: whether it ended early, at a cost that is no finite number


def create_network(
    inputs: int, outputs: int = 1, *, width: int = 32, key: jax.Array
) -> list[tuple[jax.Array, jax.Array]]:
    """Draw the weights of a network of two hidden layers.

    Args:
        inputs: numbers that it sees, >= 1.
        outputs: numbers that it returns, >= 1.
        width: of each hidden layer, >= 1.
        key: typed JAX random key.

    Returns:
        (W, b) of each layer, in 32 bits.  A column of W has about the length 1, so that
        inputs of about 1 stay of about 1; b is 0, and so is the last W: before it is
        trained the network answers 0.

    Raises:
        ValueError: a bad argument; a layer of more than 10,000 numbers.

    >>> [W.shape for W, _ in create_network(4, key=jax.random.key(0))]
    [(4, 32), (32, 32), (32, 1)]
    """
    inputs, outputs, width = (
        checks.integer(name, size, 1)
        for name, size in (("inputs", inputs), ("outputs", outputs), ("width", width))
    )
    if max(inputs, outputs, width) > MOST_WIDTH:
        raise ValueError(
            f"inputs, outputs and width must be at most {MOST_WIDTH:,}, got"
            f" {inputs:,}, {outputs:,} and {width:,}"
        )
    sizes = [(inputs, width), (width, width), (width, outputs)]
    keys = jax.random.split(checks.random_key(key), 2)
    W = [
        jax.random.normal(some, size, "float32") / size[0] ** 0.5
        for some, size in zip(keys, sizes[:-1], strict=True)
    ]
    b = [jnp.zeros((1, size[1]), "float32") for size in sizes]
    return list(zip([*W, jnp.zeros(sizes[-1], "float32")], b, strict=True))


def network(weights: list[tuple[jax.Array, jax.Array]], x: jax.Array) -> jax.Array:
    """(n, inputs) -> (n, outputs): straight layers, with a bend between them."""
    *hidden, (W, b) = weights
    for V, c in hidden:
        x = jax.nn.elu(x @ V + c)
    return x @ W + b


def network_orders(
    params: lost_sales.Parameters,
    weights: list[tuple[jax.Array, jax.Array]],
    x: jax.Array,
) -> jax.Array:
    """Order up to the newsvendor's level for L + 1 periods, and what a network adds.

    Args:
        params: the shop.
        weights: of a network with L inputs, from `create_network`.
        x: (n, L) states, units.

    Returns:
        (n,) orders, real numbers, cut off at 0 and at one unit more than ever pays.
    """
    mean = float(params.demand_pmf @ np.arange(params.demand_pmf.size))
    level = lost_sales.lead_time_quantile(params, params.lead_time + 1)
    most = lost_sales.lead_time_quantile(params, 1) + 1
    here = jnp.cumsum(x, axis=1)  # by each period's end, if nothing were sold
    seen = here / mean - jnp.arange(1, x.shape[1] + 1, dtype=x.dtype)[None]  # about 1
    return jnp.clip(level - here[:, -1] + mean * network(weights, seen)[:, 0], 0, most)


def demands(
    params: lost_sales.Parameters, shape: tuple[int, ...], *, key: jax.Array
) -> jax.Array:
    """Draw demands in 32 bits, by their distribution function.

    Args:
        params: the shop; only its `demand_pmf` counts.
        shape: of what is drawn.
        key: typed JAX random key.
    """
    below = jnp.cumsum(jnp.asarray(params.demand_pmf, "float32"))[:-1]
    chance = jax.random.uniform(key, shape, "float32")
    found = jnp.searchsorted(below, chance, side="right", method="compare_all")
    return found.astype("float32")


def simulate(
    params: lost_sales.Parameters, rule: Rule, demands: jax.Array, start: ArrayLike = 0
) -> jax.Array:
    """Follow a rule on given demands: a cost that JAX can differentiate.

    Args:
        params: the shop.
        rule: (paths, L) states -> (paths,) orders, real numbers.
        demands: (periods, paths).
        start: the state that every path starts from, a number or (L,) of them.

    Returns:
        (periods, paths) cost of each period, money.

    Source: (eq:lost-law) of the lecture on lost sales.
    """
    h, p = (jnp.asarray(some, demands.dtype) for some in params[:2])

    def period(x, D):
        left, short = jnp.maximum(x[:, 0] - D, 0), jnp.maximum(D - x[:, 0], 0)
        z = rule(x).astype(x.dtype)
        after = jnp.concatenate([x[:, 1:], z[:, None]], axis=1)
        return after.at[:, 0].add(left), h * left + p * short

    shape = demands.shape[1], params.lead_time
    x = jnp.broadcast_to(jnp.asarray(start, demands.dtype), shape)
    return lax.scan(period, x, demands)[1]


def adam_update(weights: Any, slope: Any, means: Any, rate: Any, t: Any) -> Any:
    """Take step t = 1, 2, ... against a slope, of a length that `rate` says.

    Args:
        weights: pytree of what is trained.
        slope: of the cost, of the same structure.
        means: of the slopes and of their squares so far, 0 before the first step.
        rate: about how far each weight moves.
        t: number of the step.

    Returns:
        The weights, and the means, after the step.

    Source: Kingma and Ba (2015).
    """
    m, v = means
    m = jax.tree.map(lambda m, g: MEAN * m + (1 - MEAN) * g, m, slope)
    v = jax.tree.map(lambda v, g: SQUARE * v + (1 - SQUARE) * g**2, v, slope)

    def move(w, m, v):
        typical = jnp.sqrt(v / (1 - SQUARE**t)) + 1e-8
        return (w - rate * m / (1 - MEAN**t) / typical).astype(w.dtype)

    return jax.tree.map(move, weights, m, v), (m, v)


def train(
    cost: Callable[[Any, jax.Array], jax.Array],
    weights: Any,
    *,
    steps: int,
    rate: float = 3e-3,
    key: jax.Array,
) -> Trained:
    """Make a mean cost less, by steps against its slope on fresh random paths.

    The rate falls to 0 by a cosine.  Twenty times on the way, and before it, the cost is
    looked at on paths of its own, always the same; the cheapest weights are kept.  A cost
    that is no finite number ends the training, and `diverged` says so.

    Args:
        cost: (weights, key) -> the mean cost of paths drawn with the key, money a period.
            One function is compiled once.
        weights: pytree of floating-point numbers to begin with.
        steps: how many, >= 1.
        rate: about how far each weight moves in the first steps, > 0 and <= 1,000.
        key: typed JAX random key.

    Raises:
        ValueError: a bad argument; a cost that is no finite number at the start.

    >>> def cost(w, key):
    ...     return (w - 3.0) ** 2 + jax.random.normal(key)
    >>> found = train(cost, jnp.array(0.0), steps=500, rate=0.1, key=jax.random.key(0))
    >>> round(float(found.weights), 2), found.diverged
    (3.0, False)
    """
    if not callable(cost):
        raise ValueError(f"cost must be a function of weights and a key, got {cost!r}")
    checks.not_traced("weights", weights)
    if not (leaves := jax.tree.leaves(weights)):
        raise ValueError(f"weights must hold at least one number, got {weights!r}")
    for leaf in leaves:
        if not jnp.issubdtype(np.asarray(leaf).dtype, jnp.floating):
            raise ValueError(f"weights must be floating-point numbers, got {leaf!r}")
        with np.errstate(over="ignore"):
            checks.finite("weights", jnp.asarray(leaf))
    weights = jax.tree.map(jnp.asarray, weights)
    steps = checks.integer("steps", steps, 1)
    if steps > MOST_STEPS:
        raise ValueError(f"steps must be <= {MOST_STEPS:,}, got {steps:,}")
    rate = checks.concrete("rate", checks.positive("rate", rate))
    checks.within("rate", rate, 0, MOST_RATE)
    checks.not_traced("key", key)
    look_key, key = jax.random.split(checks.random_key(key))

    zeros = jax.tree.map(jnp.zeros_like, weights)
    state, looks, costs = (weights, (zeros, zeros)), [], []
    times: list[int] = []
    for t in sorted({round(steps * i / LOOKS) for i in range(LOOKS + 1)}):
        if t:
            again = jax.random.clone(key)  # each step folds its number into it
            state = _steps(cost, state, again, rate, times[-1], t, steps)
        looks.append(state[0])
        costs.append(float(_look(cost, state[0], jax.random.clone(look_key))))
        times.append(t)
        if not np.isfinite(costs[-1]):
            break
    if not np.isfinite(costs[0]):
        raise ValueError(f"cost must be finite at the start, got {costs[0]}")
    best = int(np.nanargmin(np.where(np.isfinite(costs), costs, np.nan)))
    return Trained(
        looks[best], costs[best], jax.tree.map(lambda *w: jnp.stack(w), *looks),
        np.array(costs), np.array(times), not np.isfinite(costs[-1]),
    )  # fmt: skip


@partial(jax.jit, static_argnums=0)
def _look(cost, weights, key):
    return cost(weights, key)


@partial(jax.jit, static_argnums=0)
def _steps(cost, state, key, rate, begin, end, steps):
    """Steps begin + 1, ..., end of so many; the length of a loop is no matter to it."""

    def step(i, state):
        weights, means = state
        slope = jax.grad(cost)(weights, jax.random.fold_in(key, i))
        t = i.astype("float32")
        falling = rate * (1 + jnp.cos(jnp.pi * t / steps)) / 2
        return adam_update(weights, slope, means, falling, t + 1)

    return lax.fori_loop(begin, end, step, state)


def in_whole_units(params: lost_sales.Parameters, rule: Rule) -> Rule:
    """Round a rule's orders, and keep them where a best rule's are.

    Args:
        params: the shop.
        rule: as in `simulate`.

    Returns:
        A rule whose orders are whole, no larger than the newsvendor's level of a period,
        and lift stock and all orders no higher than that of L + 1 periods: an order that
        goes beyond never pays (Zipkin 2008).  It never leaves `lost_sales.box`.
    """
    top = lost_sales.lead_time_quantile(params, params.lead_time + 1)
    most = lost_sales.lead_time_quantile(params, 1)

    def whole(x):
        room = jnp.clip(top - x.sum(axis=-1), 0, most)
        return jnp.clip(jnp.round(rule(x)), 0, room)

    return whole


def tabulate(params: lost_sales.Parameters, rule: Rule) -> np.ndarray:
    """Ask a rule for its order in each state of the box, in whole units.

    Args:
        params: the shop.
        rule: as in `simulate`; its orders are taken as by `in_whole_units`.

    Returns:
        Units, of the shape of `lost_sales.box`.  As `lost_sales.by_table` reads it, a
        state beyond the box counts as its end.

    Raises:
        ValueError: a bad argument; more than 5 million states; orders that are no finite
            numbers, one for each state.
    """
    if not callable(rule):
        raise ValueError(f"rule must be a function of states, got {rule!r}")
    shape = lost_sales.box(params)
    if (number := math.prod(shape)) > MOST_STATES:
        raise ValueError(
            f"lead_time must be shorter: {number:,} states, where {MOST_STATES:,} are the"
            f" most of a table, got lead_time = {params.lead_time}"
        )
    states = np.indices(shape, "float32").reshape(len(shape), -1).T
    orders = np.asarray(in_whole_units(params, rule)(jnp.asarray(states)))
    if orders.shape != states.shape[:1] or not np.isfinite(orders).all():
        raise ValueError(
            f"rule must return a finite order for each of {number:,} states, got {orders}"
        )
    return orders.astype(int).reshape(shape)
