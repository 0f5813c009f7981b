"""A chain of stages, each supplied by the next: echelon levels by one recursion.

Stage 1 serves the customers, stage N is supplied from outside, which is never short.
Each morning what was shipped L_j nights ago arrives at stage j; by day customers ask
stage 1 for D units, and who finds none waits; in the evening stock is counted and paid
for, and then each stage ships to the one below it.  Units on their way to a stage are
paid for by the one that shipped them.

The echelon stock of stage j is all that lies at it, below it or on the way there, less
the customers who wait.  All exact results are NumPy's in float64.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import ArrayLike

from lectures_helpers import checks
from lectures_helpers.optimal import periodic

__all__ = [
    "Parameters", "Path", "Policy", "Stage", "State", "cost", "create_parameters",
    "echelon_costs", "optimal_policy", "recursion", "sample_path", "simulate", "update",
]  # fmt: skip

MOST_UNITS = 20_000  # of demand in all lead times together, and of a level
MOST_STEPS = 2_000_000_000  # periods of all chains of a simulation
MOST_CHAINS = 10_000_000


class Parameters(NamedTuple):
    """A chain of N stages, from the customers up; made by `create_parameters`."""

    holding_costs: np.ndarray  #: (N,) h'_1, ..., h'_N, money a unit held and period
    backorder_cost: float  #: p, money a customer who waits at a period's end
    demand_pmf: np.ndarray  #: (n,) P(D = 0), ..., P(D = n - 1), of a period
    lead_times: tuple[int, ...]  #: L_1, ..., L_N, nights from shipment to arrival, >= 1


class Stage(NamedTuple):
    """One stage of the recursion."""

    level: int  #: S_j, echelon base-stock level, units
    y: np.ndarray  #: (m,) echelon positions after shipments, whole units
    costs: np.ndarray  #: (m,) g_j(y), money a period


class Policy(NamedTuple):
    """Each evening, ship to stage j what lifts its echelon position to S_j."""

    levels: tuple[int, ...]  #: S_1, ..., S_N, units
    cost: float  #: long-run average, money a period


class State(NamedTuple):
    """A chain at night."""

    stock: jax.Array  #: (N,) units at each stage; at stage 1 less who waits
    coming: jax.Array  #: (N, L) what reaches it in 1, ..., L nights, units


class Path(NamedTuple):
    """What is counted in each evening, and what is shipped after that."""

    stock: jax.Array  #: (T, N) units at each stage; at stage 1 less who waits
    transit: jax.Array  #: (T, N) units on the way to each stage
    shipped: jax.Array  #: (T, N) units shipped to each stage
    cost: jax.Array  #: (T,) money


def create_parameters(
    holding_costs: ArrayLike,
    backorder_cost: float,
    demand_pmf: ArrayLike,
    lead_times: ArrayLike,
) -> Parameters:
    """Check the numbers of a chain and put them together.

    Args:
        holding_costs: (N,) cost of a unit at each stage, or on its way down from there,
            in the evening [h'_1, ..., h'_N], money, > 0; none above the one before it:
            what comes closer to the customer is worth more.
        backorder_cost: cost of a customer who waits in the evening [p], money, > 0.
        demand_pmf: (n,) probabilities of a demand of 0, ..., n - 1 units in a period,
            >= 0, with sum 1 (scaled to it if it misses it by rounding), not all at 0.
        lead_times: (N,) nights from a shipment to its arrival [L_1, ..., L_N],
            integers >= 1.

    Raises:
        ValueError: what is out of range, by its name and bound.

    >>> create_parameters([3.0, 1.0], 10.0, [0.2, 0.5, 0.3], [1, 2]).lead_times
    (1, 2)
    """
    checks.not_traced("holding_costs", holding_costs)
    checks.not_traced("lead_times", lead_times)
    local = checks.within(
        "holding_costs",
        checks.numbers("holding_costs", holding_costs),
        periodic.LEAST,
        periodic.MOST,
    )
    if local.ndim != 1:
        raise ValueError(
            f"holding_costs must be a vector, one a stage, got the shape {local.shape}"
        )
    if (rises := np.diff(local) > 0).any():
        j = int(rises.argmax())
        raise ValueError(
            "holding_costs must not rise from a stage to the one that supplies it (it"
            f" would pay to keep nothing there), got {local[j]:g} and then"
            f" {local[j + 1]:g} at position {j + 1}"
        )
    times = np.asarray(checks.integers("lead_times", lead_times, 1))
    if times.shape != local.shape:
        raise ValueError(
            f"lead_times must have one entry for each of holding_costs, {local.size}, got"
            f" the shape {times.shape}"
        )
    pmf = _demand(holding_costs, backorder_cost, demand_pmf)
    if (units := (pmf.size - 1) * int(times.sum())) > MOST_UNITS:
        raise ValueError(
            f"lead_times must be shorter, or demand_pmf: {units:,} units of demand in all"
            f" of them together, where {MOST_UNITS:,} are the most, got lead_times ="
            f" {tuple(times.tolist())}"
        )
    p = checks.concrete("backorder_cost", backorder_cost)
    return Parameters(local, p, pmf, tuple(times.tolist()))


def _demand(holding_costs, backorder_cost, demand_pmf):
    """The law of demand, checked as for one stage; the backorder cost is, too."""
    return periodic.create_parameters(0.0, 1.0, backorder_cost, demand_pmf).demand_pmf


def _checked(params):
    """The parameters, also where they were put together by hand."""
    return create_parameters(*checks.made_by("params", params, Parameters))


def _levels(params, levels):
    """One level a stage."""
    checks.not_traced("levels", levels)
    found = np.asarray(checks.integers("levels", levels))
    if found.shape != params.holding_costs.shape:
        raise ValueError(
            f"levels must be one for each of {params.holding_costs.size} stages, got the"
            f" shape {found.shape}"
        )
    if (far := np.abs(found) > MOST_UNITS).any():
        raise ValueError(
            f"levels must be >= -{MOST_UNITS:,} and <= {MOST_UNITS:,}, got"
            f" {found[far][0]:,}"
        )
    return found


def echelon_costs(params: Parameters) -> np.ndarray:
    """Find what a unit's holding cost rises by when it reaches a stage.

    Args:
        params: the chain.

    Returns:
        (N,) h_j = h'_j - h'_(j+1), with h'_(N+1) = 0; money a unit and period.

    >>> echelon_costs(create_parameters([7, 4, 2], 37.12, [0.5, 0.5], [1, 1, 2]))
    array([3., 2., 2.])
    """
    return -np.diff(_checked(params).holding_costs, append=0.0)


def recursion(params: Parameters, levels: ArrayLike | None = None) -> list[Stage]:
    """Take the chain stage by stage, from the customers up, as Clark and Scarf do.

    The last stage's cost at its level is that of the whole chain.

    Args:
        params: the chain.
        levels: (N,) echelon levels S_1, ..., S_N, whole units; by default the best,
            each the lowest of equals.

    Returns:
        N stages: each with its level, and its cost g_j by echelon positions y.

    Raises:
        ValueError: a bad argument; levels beyond 20,000 units.

    Source: (eq:chain-recursion) of the lecture on a chain of stages; Clark and Scarf
    (1960), in the form of Chen and Zheng (1994).
    """
    params = _checked(params)
    h, stages = echelon_costs(params), []
    laws = [periodic.demand_of_periods(params.demand_pmf, L) for L in params.lead_times]
    given = None if levels is None else _levels(params, levels).tolist()
    x = _reach(laws, given or [0])  # echelon stock in the evening, whole units
    costs = (params.backorder_cost + h.sum()) * np.maximum(-x, 0)
    for j, law in enumerate(laws):
        costs = np.convolve(h[j] * x + costs, law, "valid")  # E of y - D
        y = x = x[law.size - 1 :]
        S = given[j] if given else _lowest(y, costs)
        stages.append(Stage(S, y, costs))
        costs = costs[np.minimum(x, S) - x[0]]  # the next stage may have less than S
    return stages


def _reach(laws, levels):
    """Echelon stocks so wide that the recursion never looks beyond them."""
    most = sum(law.size - 1 for law in laws)
    return np.arange(min(*levels, 0) - most, max(*levels, most) + 1)


def _lowest(y, costs):
    """The smallest y of least cost, but for rounding."""
    near = costs <= costs.min() + 1e-13 * np.abs(costs).max()
    return int(y[near.argmax()])


def optimal_policy(params: Parameters) -> Policy:
    """Find the best echelon levels; no rule of any other kind costs less.

    Args:
        params: the chain.

    Returns:
        The levels, the lowest of equals, and their cost.

    Raises:
        ValueError: a bad argument.

    Source: Clark and Scarf (1960), Federgruen and Zipkin (1984); the proof of the
    lecture on a chain of stages is that of Chen and Zheng (1994).

    >>> from scipy import stats
    >>> pmf = stats.poisson(5).pmf(np.arange(40))
    >>> chain = create_parameters([7.0, 4.0, 2.0], 37.12, pmf, [1, 1, 2])
    >>> levels, cost = optimal_policy(chain)
    >>> levels, round(cost, 6)
    ((9, 15, 26), 72.046741)
    """
    stages = recursion(params)
    last = stages[-1]
    least = float(last.costs[last.level - last.y[0]])
    return Policy(tuple(stage.level for stage in stages), least)


def cost(params: Parameters, levels: ArrayLike) -> float:
    """Find the long-run cost of any echelon base-stock levels, exactly.

    Args:
        params: the chain.
        levels: (N,) S_1, ..., S_N, whole units.  A level above that of a stage further
            up acts as that one: there is never more to come.

    Returns:
        Money a period.

    Raises:
        ValueError: a bad argument; levels beyond 20,000 units.

    >>> shop = create_parameters([1.0], 3.0, [0.5, 0.5], [1])
    >>> cost(shop, [1]), cost(shop, [0])  # half a unit too many, or too few
    (0.5, 1.5)
    """
    params = _checked(params)
    last = recursion(params, _levels(params, levels))[-1]
    return float(last.costs[last.level - last.y[0]])


def update(
    levels: jax.Array, lead_times: jax.Array, state: State, demand: jax.Array
) -> tuple[State, tuple[jax.Array, jax.Array, jax.Array]]:
    """Pass one day: arrivals, customers, and the shipments of the evening.

    Args:
        levels: (N,) echelon levels, units.
        lead_times: (N,) nights from a shipment to its arrival, >= 1 and <= L.
        state: the chain of the night before.
        demand: units asked for today.

    Returns:
        The chain of the night after; and, each of shape (N,), the stock and what is on
        its way to each stage when they are counted, and what is then shipped to it.
    """
    stock = (state.stock + state.coming[:, 0]).at[0].add(-demand)
    coming = jnp.roll(state.coming, -1, axis=1).at[:, -1].set(0)
    transit = coming.sum(axis=1)
    position = jnp.cumsum(stock + transit)  # at the stage, on its way there, or below
    missing = jnp.maximum(levels - position, 0)
    there = jnp.append(stock[1:], missing[-1])  # the supplier outside is never short
    shipped = jnp.minimum(missing, there)
    nights = jnp.arange(1, coming.shape[1] + 1)[None]
    arrives = nights == jnp.asarray(lead_times)[:, None]
    coming = coming + jnp.where(arrives, shipped[:, None], 0)
    after = State(stock.at[1:].add(-shipped[:-1]), coming)
    return after, (stock, transit, shipped)


def _start(levels, lead_times):
    """All positions at their levels, or as far as the levels above allow; none coming."""
    level = np.minimum.accumulate(levels[::-1])[::-1]
    stock = np.diff(level, prepend=0)
    coming = np.zeros((stock.size, max(lead_times)), int)
    return State(jnp.asarray(stock), jnp.asarray(coming))


def _cost_of_evening(local, p, stock, transit):
    """Money: units held, on the way down, and customers who wait."""
    stock, transit = stock.astype(local.dtype), transit.astype(local.dtype)
    held = local @ jnp.maximum(stock, 0) + local[1:] @ transit[:-1]
    return held + p * jnp.maximum(-stock[0], 0)


def sample_path(params: Parameters, levels: ArrayLike, demands: ArrayLike) -> Path:
    """Let a chain follow its echelon levels through given demands, unit by unit.

    It starts with nothing on its way and all stock at its stage; after L_1 + ... + L_N
    days the start is forgotten altogether.

    Args:
        params: the chain; its law of demand is not used.
        levels: (N,) S_1, ..., S_N, whole units.
        demands: (T,) units asked for on each day, whole numbers >= 0 and <= 20,000.

    Returns:
        What is seen on each evening.

    Raises:
        ValueError: a bad argument.

    >>> chain = create_parameters([3.0, 1.0], 10.0, [0.5, 0.5], [1, 2])
    >>> sample_path(chain, [2, 3], [1, 0, 2]).shipped.tolist()
    [[1, 1], [0, 0], [1, 2]]
    """
    params = _checked(params)
    levels = _levels(params, levels)
    demands = jnp.asarray(checks.integers("demands", demands, 0))
    if demands.ndim != 1:
        raise ValueError("demands must be a vector, one entry a day, got one number")
    checks.within("demands", demands, 0, MOST_UNITS)
    stock, transit, shipped = _path(
        jnp.asarray(levels),
        jnp.asarray(params.lead_times),
        _start(levels, params.lead_times),
        demands,
    )
    local = jnp.asarray(params.holding_costs)
    costs = jax.vmap(partial(_cost_of_evening, local, params.backorder_cost))
    return Path(stock, transit, shipped, costs(stock, transit))


@jax.jit
def _path(levels, lead_times, state, demands):
    unroll = 1 if jax.default_backend() == "cpu" else 12  # days in a few launches
    step = partial(update, levels, lead_times)
    return lax.scan(step, state, demands, unroll=unroll)[1]


def simulate(
    params: Parameters,
    levels: ArrayLike,
    *,
    key: jax.Array,
    num_periods: int = 1_000,
    num_chains: int = 1_000,
) -> jax.Array:
    """Simulate independent chains that follow their echelon levels.

    Nothing is counted until the start is forgotten, after L_1 + ... + L_N days, so that
    the mean is exact but for chance.

    Args:
        params: the chain.
        levels: (N,) S_1, ..., S_N, whole units.
        key: a random key.
        num_periods: evenings that count, of each chain, >= 1.
        num_chains: how many chains, >= 1.

    Returns:
        (num_chains,) mean cost of each chain, money a period, in JAX's precision.

    Raises:
        ValueError: a bad argument; more than two thousand million periods in all, or
            ten million chains.
    """
    params = _checked(params)
    levels = _levels(params, levels)
    key = checks.random_key(key)
    num_periods = checks.integer("num_periods", num_periods, 1)
    num_chains = checks.integer("num_chains", num_chains, 1)
    if num_chains > MOST_CHAINS:
        raise ValueError(f"num_chains must be <= {MOST_CHAINS:,}, got {num_chains:,}")
    warm = sum(params.lead_times)
    if (num_periods + warm) * num_chains > MOST_STEPS:
        raise ValueError(
            f"num_periods must be smaller, or num_chains: {num_periods:,} periods of"
            f" {num_chains:,} chains are more than {MOST_STEPS:,}, got num_periods ="
            f" {num_periods:,}"
        )
    return _simulate(
        jnp.asarray(levels),
        jnp.asarray(params.lead_times),
        params,
        _start(levels, params.lead_times),
        jnp.arange(warm + num_periods),
        warm,
        key,
        num_chains,
    )


@partial(jax.jit, static_argnames="num_chains")
def _simulate(levels, lead_times, params, start, dates, warm, key, num_chains):
    local = jnp.asarray(params.holding_costs)
    cdf = jnp.cumsum(jnp.asarray(params.demand_pmf))
    on_cpu = jax.default_backend() == "cpu"
    # On a GPU each turn of a loop is a launch; four days at once compile in seconds.
    search, unroll = ("scan", 1) if on_cpu else ("scan_unrolled", 4)
    step = jax.vmap(partial(update, levels, lead_times))
    count = jax.vmap(partial(_cost_of_evening, local, params.backorder_cost))

    def day(carry, t):
        state, total = carry
        u = jax.random.uniform(jax.random.fold_in(key, t), (num_chains,), cdf.dtype)
        demand = jnp.searchsorted(cdf, u, side="right", method=search)
        demand = jnp.minimum(demand, cdf.size - 1).astype(levels.dtype)
        state, (stock, transit, _) = step(state, demand)
        return (state, total + jnp.where(t >= warm, count(stock, transit), 0)), None

    chains = jax.tree.map(lambda x: jnp.broadcast_to(x, (num_chains, *x.shape)), start)
    zero = jnp.zeros(num_chains, jnp.result_type(local))
    (_, total), _ = lax.scan(day, (chains, zero), dates, unroll=unroll)
    return total / (dates.size - warm)
