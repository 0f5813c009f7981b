"""Simulation without an event list: match the j-th demand with the j-th unit.

Demands ask for one unit each, what cannot be filled waits, and all units are
alike.  So the j-th demand, at time A_j, is served by the j-th unit to arrive,
at time U_j, whatever order the replenishments come in.  A lot of Q units is
ordered at every Q-th demand; with I units on the shelf at time 0,

    U_j = 0                     if j <= I
        = V_k, k = ⌈(j - I)/Q⌉  otherwise

where V_1 <= V_2 <= ... are the arrivals of the lots in the order of arrival:
orders may cross, so they are sorted.  The unit lies on the shelf for
(A_j - U_j)⁺, or the customer waits for (U_j - A_j)⁺.  A whole simulation is a
cumulative sum, a sort, a shift and a reduction.

Base stock is Q = 1, I = R; the EOQ model has I = Q and no lead time.  The (Q, r)
policy starts at a random place of its cycle: p demands have come since the last order,
with p uniform on 0, ..., Q - 1, so that I = r + Q - p and the k-th order is placed at
demand kQ - p.  That is the stationary law: a demand takes p to p + 1, or from Q - 1 to
0, which carries the uniform law into itself, and the times of the demands know nothing
of p.  So what each demand after the start costs has the long run's mean.

Times are added up in the precision of JAX's floats: in 32 bits a date after 20
years is right to about a minute.  A run may have 100,000 demands there: beyond, the
rounding of dates would show in the fill rate.  More replications have no such limit.

Source: the matching argument (thm-matching) of the lecture on base stock.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from lectures_helpers import checks, demand, sharding
from lectures_helpers.classical.shop import (
    Performance,
    Shop,
    create_costs,
    with_standard_error,
)

__all__ = [
    "Run", "Sums", "draw", "lot_arrivals", "measure", "order_times", "time_window",
    "time_within", "unit_times", "with_random_lengths",
]  # fmt: skip

#: So many numbers of an array fit into memory; beyond so many replications go in turns.
MOST_NUMBERS, AT_ONCE = 2**30, 2**19

#: Numbers that a GPU works on at once: those of several reorder points.
GPU_NUMBERS = 2**22

# ------------------------------------------------------------------- the kernel


def order_times(
    demand_times: jax.Array,
    quantity: int | jax.Array,
    num_lots: int,
    phase: int | jax.Array = 0,
) -> jax.Array:
    """Dates of the first `num_lots` orders, one at every Q-th demand; infinite if never.

    `phase` demands came before time 0, since the order before.
    """
    k = jnp.arange(1, num_lots + 1)
    N = demand_times.shape[0]
    # Selected before use: a product too large for an integer is never looked at.
    last = jnp.where(k <= (N + phase) // quantity, quantity * k - phase, N + 1)
    return demand_times.at[last - 1].get(mode="fill", fill_value=jnp.inf)


def lot_arrivals(
    demand_times: jax.Array,
    lead_times: jax.Array,
    quantity: int | jax.Array,
    num_lots: int,
    phase: int | jax.Array = 0,
) -> jax.Array:
    """Arrival times of the lots, in the order of arrival.

    Args:
        demand_times: (N,) dates A_1 <= A_2 <= ... of the demands.
        lead_times: (N,) of which the k-th belongs to the k-th order, or a number.
        quantity: lot size Q; an order is placed at every Q-th demand.
        num_lots: number of orders to follow, (N + phase) / Q rounded down or more.
        phase: number of demands since the last order at time 0, < Q.

    Returns:
        (num_lots,) increasing dates; infinite for lots never ordered.
    """
    ordered = order_times(demand_times, quantity, num_lots, phase)
    if lead_times.ndim == 0:
        return ordered + lead_times  # orders that all take as long do not cross
    return jnp.sort(ordered + lead_times[:num_lots])


def unit_times(
    lots: jax.Array, quantity: int | jax.Array, start: int | jax.Array, num_demands: int
) -> jax.Array:
    """Arrivals U_j of the units that serve the first `num_demands` demands.

    The first `start` of them are there at time 0, and the others come in lots of Q.  If
    `start` is negative, so many units go to customers who wait at time 0.
    """
    beyond = jnp.arange(num_demands) - start  # units before this one that came in lots
    lot = jnp.maximum(beyond, 0) // quantity
    dates = lots.at[lot].get(mode="fill", fill_value=jnp.inf)
    return jnp.where(beyond < 0, 0.0, dates)


class Sums(NamedTuple):
    """What one replication adds up to."""

    held: jax.Array  #: mean time on the shelf of the units sold, years
    waited: jax.Array  #: mean wait of the demands, years
    filled: jax.Array  #: share of demands filled at once
    backorders: jax.Array  #: time average, units


def measure(
    demand_times: jax.Array,
    unit_times: jax.Array,
    warmup: int,
    num_demands: int | jax.Array,
    tie: float = 0.0,
) -> Sums:
    """Add up one replication: the demands warmup + 1, ..., warmup + num_demands.

    The average over time runs from the last demand of the warm-up to the last one
    that counts.

    Args:
        demand_times: (N,) dates A_j of the demands, N >= warmup + num_demands.
        unit_times: (N,) dates U_j on which the units that serve them arrive.
        warmup: number of demands that do not count.
        num_demands: number of those that do.
        tie: a unit that comes later than its demand by no more than this share of
            the date is in time: dates that ought to be equal may differ in their last
            digit.
    """
    A, U = demand_times, unit_times
    j = jnp.arange(1, A.shape[0] + 1)
    counted = (j > warmup) & (j <= warmup + num_demands)

    def mean(x):
        return jnp.where(counted, x, 0.0).sum() / jnp.asarray(num_demands, A.dtype)

    window = time_window(A, warmup, num_demands)
    return Sums(
        held=mean(jnp.maximum(A - U, 0.0)),
        waited=mean(jnp.maximum(U - A, 0.0)),
        filled=mean(jnp.where(U <= A * (1 + tie), 1.0, 0.0)),
        backorders=time_within(window, A, U).sum() / (window[1] - window[0]),
    )


# ---------------------------------------------------------- what a clock sees


def _mean_missing(demand_times, lots, quantity, phase, window):
    """Time average of the units that are sold and not yet replaced.

    They are the demands since the last order, and what is on order.  The highest
    inventory position less this is the net inventory, on hand less backorders.
    `lots` are as `lot_arrivals` gives them, `window` as `time_window` does.
    """
    A = demand_times
    since_order = ((jnp.arange(A.shape[0]) + phase) % quantity).astype(A.dtype)
    not_ordered = (since_order * time_within(window, _from_zero(A)[:-1], A)).sum()
    orders = order_times(A, quantity, lots.shape[0], phase)
    on_order = jnp.asarray(quantity, A.dtype) * time_within(window, orders, lots).sum()
    return (not_ordered + on_order) / (window[1] - window[0])


def _shares_of_time(demand_times, lots, quantity, shifts, window):
    """Share of time in which demand is at least some numbers ahead of what has come.

    With I units at the start, the shelf is empty and at least b customers wait
    while demand is at least I + b units ahead of the lots that have come: once k
    of them have, from demand I + b + kQ on, until the next one comes.  `shifts`
    are the (m,) numbers I + b, integers > -Q; returns (m,) shares.
    """
    V, dates = lots, _from_zero(demand_times)
    come = _from_zero(V)
    next_comes = jnp.concatenate([V, jnp.full(1, jnp.inf, V.dtype)])
    k = jnp.arange(V.shape[0] + 1)
    most = dates.size // quantity + 1  # a shift is above -Q
    units = jnp.where(k <= most, quantity * k, dates.size + quantity)

    def share(shift):
        ahead = jnp.maximum(units + shift, 0)
        since = dates.at[ahead].get(mode="fill", fill_value=jnp.inf)
        return time_within(window, jnp.maximum(come, since), next_comes).sum()

    return jax.vmap(share)(shifts) / (window[1] - window[0])


def _from_zero(dates):
    return jnp.concatenate([jnp.zeros(1, dates.dtype), dates])


def time_window(
    demand_times: jax.Array, warmup: jax.Array | int, num_demands: jax.Array | int
) -> tuple[jax.Array, jax.Array]:
    """Find the two dates between which time counts.

    Args:
        demand_times: (n,) dates of demands, increasing, days.
        warmup: demands that do not count, 0 to n.
        num_demands: demands after them that do, at most n - warmup.

    Returns:
        The dates of the last demand that does not count (0 where there is none) and of the
        last that does, days.
    """
    dates = _from_zero(demand_times)
    return dates[warmup], dates[warmup + num_demands]


def time_within(
    window: tuple[jax.Array, jax.Array], since: jax.Array, until: jax.Array
) -> jax.Array:
    """Measure how much of some intervals of time lies in a window.

    Args:
        window: two dates, as `time_window` finds them, days.
        since: where the intervals begin, days, any shape.
        until: where they end, days, a shape that broadcasts with `since`.

    Returns:
        The length of what [since, until) and the window share, days, >= 0.
    """
    since, until = jnp.maximum(since, window[0]), jnp.minimum(until, window[1])
    return jnp.maximum(until - since, 0.0)


# ------------------------------------------------------------------------- a run


class Run(NamedTuple):
    """How much is simulated, and where: the settings of a run."""

    num_replications: int = 10  #: number of replications, >= 1
    #: demands that count, >= 1: a number, or (num_replications,) of them, as
    #: `with_random_lengths` draws
    num_demands: Any = 2000
    warmup: int = 0  #: demands that come first and do not count, >= 0
    #: the PMF tells 0, ..., max_backorders - 1 backorders apart, and its last entry is
    #: for so many or more
    max_backorders: int = 20
    #: devices that share the replications, from `sharding.create_mesh`; None for one
    mesh: Mesh | None = None


def with_random_lengths(run: Run, demand_rate: float, *, key: jax.Array) -> Run:
    """Draw how many demands count in each replication.

    At random on purpose, so that runs do not all end at the same place of a cycle:
    max(n + round(n U / 5), D + round(D U')), with U and U' uniform on [0, 1).

    Args:
        run: settings; its `num_demands`, one integer, is the fewest demands n.
        demand_rate: demands a year, > 0; rounded, the other bound D.
        key: random key.

    Returns:
        The same settings with (num_replications,) numbers of demands.

    Raises:
        ValueError: bad input.

    Source: the MATLAB library's continuous-review models.
    """
    num_replications = checked_run(run).num_replications
    n = checks.integer("num_demands", run.num_demands, 1)
    rate = checks.positive("demand_rate", checks.concrete("demand_rate", demand_rate))
    D = checks.integer("demand_rate", round(rate), 0)
    U, other = jax.random.uniform(checks.random_key(key), (2, num_replications))
    by_number, by_year = n + jnp.round(0.2 * n * U), D + jnp.round(D * other)
    return run._replace(num_demands=jnp.maximum(by_number, by_year).astype(int))


def checked_run(run: Run) -> Run:
    """Return `run` if its settings are in order, but for the lengths."""
    checks.made_by("run", run, Run, "Run of base_stock, eoq or qr")
    num_replications = checks.integer("num_replications", run.num_replications, 1)
    warmup = checks.integer("warmup", run.warmup, 0)
    most = checks.integer("max_backorders", run.max_backorders, 0)
    sharding.checked_share("num_replications", num_replications, run.mesh)
    return Run(num_replications, run.num_demands, warmup, most, run.mesh)


def draw(
    interarrival: demand.Distribution,
    lead_time: demand.Distribution,
    size: int,
    num_replications: int,
    *,
    key: jax.Array,
    mesh: Mesh | None = None,
) -> tuple[jax.Array, jax.Array]:
    """Draw the dates of the demands and the lead times of every replication.

    Args:
        interarrival: law of the times between demands, years.
        lead_time: law of the lead times, years.
        size: number of demands N.
        num_replications: number of replications.
        key: random key.
        mesh: devices that share the replications, or None.

    Returns:
        (num_replications, N) dates; lead times of the same shape, or one number for
        each replication if the family is deterministic.
    """

    def one(key, interarrival, lead_time):
        arrival_key, lead_key = jax.random.split(key)
        times = jnp.cumsum(demand.sample(interarrival, size, key=arrival_key))
        if lead_time.family == "deterministic":
            return times, jnp.asarray(lead_time.mean, times.dtype)
        return times, demand.sample(lead_time, size, key=lead_key)

    # Folded, not split: the same key may simulate other policies on the same demands.
    fold = jax.vmap(jax.random.fold_in, in_axes=(None, 0))
    keys = fold(key, jnp.arange(num_replications))
    return _each(one, keys, (interarrival, lead_time), size, mesh)


# Compiled apart from what is done with them, so that another set of policies does
# not compile the random numbers again.
_draw = jax.jit(draw, static_argnames=("size", "num_replications", "mesh"))


def _each(fn, values, shared, size, mesh):
    """Apply ``fn(value, *shared)`` to each replication, of `size` demands.

    On one device so many at once as `AT_ONCE` says.  On a mesh a device takes its
    replications one after another: arrays of another length are summed in another
    order, so that only then the last digit does not depend on how many share the work.
    """
    if mesh is not None:
        return sharding.map_shared(fn, values, shared, mesh)
    at_once = _together(jax.tree.leaves(values)[0].shape[0], size, mesh)
    return jax.lax.map(lambda value: fn(value, *shared), values, batch_size=at_once)


def _together(number, size, mesh):
    """How many of so many replications a device works on at once."""
    return 1 if mesh is not None else min(number, max(1, AT_ONCE // size))


@partial(jax.jit, static_argnames=("warmup", "num_lots", "tie", "mesh"))
def _evaluate(shop, policies, paths, *, warmup, num_lots, tie, mesh):
    """Performance of shape (quantities, points, replications), with standard errors."""
    number, size = paths[1].shape
    # One policy at a time on a CPU, which stays in the cache; a GPU takes several points
    # at once: each turn costs it some fourteen launches.
    on_cpu = jax.default_backend() == "cpu"
    numbers = size * _together(number, size, mesh)
    at_once = None if on_cpu else max(1, GPU_NUMBERS // numbers)
    one = partial(
        _replication, warmup=warmup, num_lots=num_lots, tie=tie, at_once=at_once
    )
    results = _each(one, paths, (shop, policies), size, mesh)
    results = jax.tree.map(lambda x: jnp.moveaxis(x, 0, 2), results)
    return with_standard_error(results, axis=2)


def _replication(path, shop, policies, *, warmup, num_lots, tie, at_once):
    """Performance of shape (quantities, points) in one replication.

    `policies` are quantities (nq,), points (nr,), the (m,) different sums of a point and a
    number of backorders, and the places (nr, max_backorders + 1) of each point's in them.
    """
    num_demands, A, L, uniform = path
    quantities, points, sums_of_both, places = policies
    window = time_window(A, warmup, num_demands)
    # What comes later than this may come after an order that is not known.
    known = A[-1] if L.ndim else jnp.finfo(A.dtype).max

    def one_quantity(Q):
        phase = jnp.minimum((uniform * Q.astype(A.dtype)).astype(Q.dtype), Q - 1)
        V = lot_arrivals(A, L, Q, num_lots, phase)
        missing = _mean_missing(A, V, Q, phase, window)
        shares = _shares_of_time(A, V, Q, sums_of_both + Q - phase, window)

        def one_point(r):
            U = unit_times(V, Q, r + Q - phase, A.size)
            sums = measure(A, U, warmup, num_demands, tie)
            unknown = U[warmup + num_demands - 1] > known
            sums = sums._replace(waited=jnp.where(unknown, jnp.nan, sums.waited))
            return sums, (r + Q).astype(A.dtype) - missing + sums.backorders

        return *jax.lax.map(one_point, points, batch_size=at_once), shares[places]

    sums, on_hand, at_least = jax.lax.map(one_quantity, quantities)
    empty = at_least[..., 0]
    at_least = at_least.at[..., 0].set(1.0)  # there are always 0 backorders or more
    more = jnp.pad(at_least[..., 1:], [(0, 0)] * 2 + [(0, 1)])
    Q = quantities.astype(A.dtype)[:, None]
    costs = create_costs(
        production=jnp.broadcast_to(shop.unit_cost, empty.shape),
        setup=jnp.broadcast_to(shop.setup_cost / Q, empty.shape),
        holding=shop.holding_cost * sums.held,
        backorder=shop.backorder_cost * sums.waited,
    )
    yearly = num_demands.astype(A.dtype) / (window[1] - window[0])
    return Performance(
        costs=costs,
        annual=jax.tree.map(lambda x: x * yearly, costs),
        fill_rate=sums.filled,
        ready_rate=1 - empty,
        mean_on_hand=on_hand,
        mean_backorders=sums.backorders,
        backorder_pmf=at_least - more,
    )


def simulate(
    shop: Shop,
    interarrival: demand.Distribution | None,
    lead_time: demand.Distribution | None,
    quantities: np.ndarray | jax.Array,
    points: np.ndarray | jax.Array,
    *,
    key: jax.Array,
    run: Run,
    random_phase: bool = False,
) -> Performance:
    """Simulate every lot size with every reorder point, all on the same demands.

    The models call this: base stock R is Q = 1 with the reorder point R - 1, and
    the EOQ model has the reorder point 0 and no lead time.

    Args:
        shop: prices and rates.
        interarrival: law of the times between demands, years; its mean may be
            open; None for Poisson demand.
        lead_time: law of the lead times, years; its mean may be open; None for
            deterministic ones.
        quantities: lot sizes Q: an integer >= 1, or a vector of them.
        points: reorder points r: an integer >= -Q, or a vector of them.
        key: random key.
        run: how much to simulate.
        random_phase: whether a replication starts at a random place of the cycle, or
            with r + Q units and no demand since the last order.

    Returns:
        Performance of shape (quantities, points, num_replications), without an axis
        where one integer is given; with standard errors.

    Raises:
        ValueError: bad input; more demands than `MOST_NUMBERS` in all, or too many of
            them in one replication for the precision of dates.
    """
    checks.random_key(key)
    run = checked_run(run)
    num_demands, longest = _lengths(run)
    interarrival = demand.law(
        "interarrival", interarrival, "exponential", 1 / shop.demand_rate
    )
    lead_time = demand.law("lead_time", lead_time, "deterministic", shop.lead_time)
    shape = quantities.shape + points.shape
    quantities, points = quantities.ravel(), points.ravel()

    size = run.warmup + longest
    size += _cooldown(interarrival, lead_time, points, longest)
    dtype = jnp.zeros(()).dtype
    most = 10**5 if jnp.finfo(dtype).bits < 64 else checks.MOST
    if size > most:
        raise ValueError(
            "num_demands must be smaller, or the demand_rate, a year of which a random "
            f"length covers: a replication may have {most:,} demands in {dtype}, with "
            "warm-up and what lead times and negative reorder points add, and would have "
            f"{size:,}; dates are too coarse beyond, so take more replications instead, "
            "or enable JAX's 64-bit mode"
        )
    _refuse_more_than_fits("demands", run.num_replications, size)
    results = run.num_replications * (run.max_backorders + 20)
    _refuse_more_than_fits("results", quantities.size * points.size, results)
    smallest = 1 if checks.is_traced(quantities) else int(quantities.min())
    both_deterministic = interarrival.family == lead_time.family == "deterministic"
    # Folded, so that who draws lengths from the same key meets other numbers there.
    path_key, phase_key = (jax.random.fold_in(key, i) for i in (1, 2))
    A, L = _draw(
        interarrival, lead_time, size, run.num_replications, key=path_key, mesh=run.mesh
    )
    phases = jnp.zeros(run.num_replications, dtype)
    if random_phase:
        phases = jax.random.uniform(phase_key, phases.shape, dtype)
    performance = _evaluate(
        jax.tree.map(lambda number: jnp.asarray(number, float), shop),
        _policies(quantities, points, run.max_backorders),
        (num_demands, A, L, phases),
        warmup=run.warmup,
        num_lots=min(size, size // smallest + 1),
        tie=8 * float(jnp.finfo(dtype).eps) if both_deterministic else 0.0,
        mesh=run.mesh,
    )
    return jax.tree.map(lambda x: x.reshape(shape + x.shape[2:]), performance)


def _refuse_more_than_fits(what, number, size):
    if number * size > MOST_NUMBERS:
        raise ValueError(
            f"run must be smaller: {number:,} × {size:,} {what} are more than the "
            f"{MOST_NUMBERS:,} that are kept at once"
        )


def _lengths(run: Run) -> tuple[jax.Array, int]:
    """Demands that count in each replication, and the most of them; checked."""
    num_replications = run.num_replications
    if checks.is_traced(run.num_demands):
        raise ValueError(
            "num_demands must hold numbers: the length of a run cannot be traced"
        )
    lengths = run.num_demands
    if isinstance(lengths, list | tuple):  # of which NumPy would read True as 1
        lengths = np.array([checks.integer("num_demands", n, 1) for n in lengths])
    lengths = checks.integers("num_demands", lengths, 1)
    if lengths.shape not in ((), (num_replications,)):
        raise ValueError(
            f"num_demands must be an integer or have shape (num_replications,) = "
            f"({num_replications},), got shape {lengths.shape}"
        )
    each = jnp.broadcast_to(jnp.asarray(lengths), num_replications)
    # Hidden from the compiler, which divides by a constant in another way: the same call
    # gives the same bits, compiled or not.
    return jax.lax.optimization_barrier(each), int(lengths.max())


def _policies(quantities, points, max_backorders):
    needed = points[:, None] + np.arange(max_backorders + 1)[None]
    if checks.is_traced(points):
        different, places = needed.ravel(), np.arange(needed.size)
    else:  # shares of time that belong to several reorder points are taken only once
        different, places = np.unique(needed, return_inverse=True)
    places = places.reshape(needed.shape)
    return tuple(map(jnp.asarray, (quantities, points, different, places)))


def _cooldown(interarrival, lead_time, points, longest):
    """Demands to draw after the last one that counts, so that its unit is known."""
    # Below 0, customers wait for an order that later customers bring about. Orders that
    # cross: one placed after the last demand that counts may still come before an earlier
    # one. Where JAX traces what says how many these are, costs are NaN if it is more.
    unseen = max(100, longest // 10)
    known = not checks.is_traced(points)
    waiting = max(0, -int(points.min())) if known else unseen
    if lead_time.family == "deterministic":
        return waiting
    if checks.any_traced(interarrival, lead_time):
        return waiting + unseen
    # On order are about as many as demands over a mean lead time, whatever its law.
    mean, scv = map(float, demand.moments(interarrival))
    on_order = float(demand.moments(lead_time)[0]) / mean
    wide = 10 * np.sqrt(on_order * max(scv, 1.0))
    return waiting + max(unseen, int(on_order + wide + 100))
