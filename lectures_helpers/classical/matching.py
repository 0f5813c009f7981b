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

Base stock is Q = 1, I = R; the (Q, r) policy starts from I = r + Q; the EOQ
model has I = Q and no lead time.

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
    "Run", "Sums", "after_start", "draw", "lot_arrivals", "measure", "order_times",
    "units_of_lots", "with_random_lengths",
]  # fmt: skip

# ------------------------------------------------------------------- the kernel


def order_times(
    demand_times: jax.Array, quantity: int | jax.Array, num_lots: int
) -> jax.Array:
    """Dates of the first `num_lots` orders: every Q-th demand; infinite if never."""
    k = jnp.arange(1, num_lots + 1)
    N = demand_times.shape[0]
    # Selected before use: a product too large for an integer is never looked at.
    last = jnp.where(k <= N // quantity, quantity * k, N + 1)
    return demand_times.at[last - 1].get(mode="fill", fill_value=jnp.inf)


def lot_arrivals(
    demand_times: jax.Array,
    lead_times: jax.Array,
    quantity: int | jax.Array,
    num_lots: int,
) -> jax.Array:
    """Arrival times of the lots, in the order of arrival.

    Args:
        demand_times: (N,) dates A_1 <= A_2 <= ... of the demands.
        lead_times: (N,) of which the k-th belongs to the k-th order, or a number.
        quantity: lot size Q; an order is placed at every Q-th demand.
        num_lots: number of orders to follow, N / Q rounded down or more.

    Returns:
        (num_lots,) increasing dates; infinite for lots never ordered.
    """
    ordered = order_times(demand_times, quantity, num_lots)
    if lead_times.ndim == 0:
        return ordered + lead_times  # orders that all take as long do not cross
    return jnp.sort(ordered + lead_times[:num_lots])


def units_of_lots(
    lots: jax.Array, quantity: int | jax.Array, num_units: int
) -> jax.Array:
    """Arrivals of the units that come in lots: every lot's date Q times, `num_units` in all."""
    lot = jnp.arange(num_units) // quantity
    return lots.at[lot].get(mode="fill", fill_value=jnp.inf)


def after_start(units: jax.Array, start: int | jax.Array) -> jax.Array:
    """The dates `units`, moved back by `start` units that are there at time 0."""
    N = units.shape[0]
    both = jnp.concatenate([jnp.zeros(N, units.dtype), units])
    return jax.lax.dynamic_slice(both, (jnp.maximum(N - start, 0),), (N,))


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

    window = _window(A, warmup, num_demands)
    return Sums(
        held=mean(jnp.maximum(A - U, 0.0)),
        waited=mean(jnp.maximum(U - A, 0.0)),
        filled=mean(jnp.where(U <= A * (1 + tie), 1.0, 0.0)),
        backorders=_within(window, A, U).sum() / (window[1] - window[0]),
    )


# ---------------------------------------------------------- what a clock sees


def _mean_missing(demand_times, lots, quantity, window):
    """Time average of the units that are sold and not yet replaced.

    They are the demands since the last order, and what is on order.  What is there
    at the start less this is the net inventory, on hand less backorders, whatever
    the start.  `lots` are as `lot_arrivals` gives them, `window` as `_window` does.
    """
    A = demand_times
    since_order = (jnp.arange(A.shape[0]) % quantity).astype(A.dtype)
    not_ordered = (since_order * _within(window, _from_zero(A)[:-1], A)).sum()
    orders = order_times(A, quantity, lots.shape[0])
    on_order = jnp.asarray(quantity, A.dtype) * _within(window, orders, lots).sum()
    return (not_ordered + on_order) / (window[1] - window[0])


def _shares_of_time(demand_times, lots, quantity, shifts, window):
    """Share of time in which demand is at least some numbers ahead of what has come.

    With I units at the start, the shelf is empty and at least b customers wait
    while demand is at least I + b units ahead of the lots that have come: once k
    of them have, from demand I + b + kQ on, until the next one comes.  `shifts`
    are the (m,) numbers I + b, integers >= 0; returns (m,) shares.
    """
    V, dates = lots, _from_zero(demand_times)
    come = _from_zero(V)
    next_comes = jnp.concatenate([V, jnp.full(1, jnp.inf, V.dtype)])
    k = jnp.arange(V.shape[0] + 1)
    units = jnp.where(k <= dates.size // quantity, quantity * k, dates.size)

    def share(shift):
        since = dates.at[units + shift].get(mode="fill", fill_value=jnp.inf)
        return _within(window, jnp.maximum(come, since), next_comes).sum()

    return jax.vmap(share)(shifts) / (window[1] - window[0])


def _from_zero(dates):
    return jnp.concatenate([jnp.zeros(1, dates.dtype), dates])


def _window(demand_times, warmup, num_demands):
    """The two dates between which time counts."""
    dates = _from_zero(demand_times)
    return dates[warmup], dates[warmup + num_demands]


def _within(window, since, until):
    """Length of the part of [since, until) that lies in the window."""
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
    checks.not_traced("demand_rate", demand_rate)
    checks.positive("demand_rate", checks.one_number("demand_rate", demand_rate))
    D = checks.integer("demand_rate", round(float(demand_rate)), 0)
    U, other = jax.random.uniform(checks.random_key(key), (2, num_replications))
    by_number, by_year = n + jnp.round(0.2 * n * U), D + jnp.round(D * other)
    return run._replace(num_demands=jnp.maximum(by_number, by_year).astype(int))


def checked_run(run: Run) -> Run:
    """Return `run` if its settings are in order, but for the lengths."""
    if not isinstance(run, Run):
        raise ValueError(f"run must be a Run of base_stock, eoq or qr, got {run!r}")
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
    return _each(one, keys, (interarrival, lead_time), mesh)


# Compiled apart from what is done with them, so that another set of policies does
# not compile the random numbers again.
_draw = jax.jit(draw, static_argnames=("size", "num_replications", "mesh"))


def _each(fn, values, shared, mesh):
    """Apply ``fn(value, *shared)`` to each replication, all at once on one device.

    On a mesh a device takes its replications one after another: arrays of another
    length are summed in another order, so that only then the last digit does not
    depend on how many share the work.
    """
    if mesh is None:
        return jax.vmap(lambda value: fn(value, *shared))(values)
    return sharding.map_shared(fn, values, shared, mesh)


class _Policies(NamedTuple):
    quantities: jax.Array  # (nq,)
    points: jax.Array  # (nr,)
    shifts: jax.Array  # (m,) reorder points plus backorders, each once
    places: jax.Array  # (nr, max_backorders + 1) where in shifts each point's are


class _Sizes(NamedTuple):
    """What a program is compiled for."""

    warmup: int
    num_lots: int
    tie: float
    mesh: Mesh | None


@partial(jax.jit, static_argnames="sizes")
def _evaluate(shop, policies, paths, sizes):
    """Performance of shape (quantities, points, replications), with standard errors."""
    one = partial(_replication, sizes=sizes)
    results = _each(one, paths, (shop, policies), sizes.mesh)
    results = jax.tree.map(lambda x: jnp.moveaxis(x, 0, 2), results)
    return with_standard_error(results, axis=2)


def _replication(path, shop, policies, *, sizes):
    """Performance of shape (quantities, points) in one replication."""
    num_demands, A, L = path
    warmup = sizes.warmup
    window = _window(A, warmup, num_demands)

    # One policy at a time; all replications at once: on a CPU that stays in the cache.
    def one_quantity(Q):
        V = lot_arrivals(A, L, Q, sizes.num_lots)
        units = units_of_lots(V, Q, A.size)
        missing = _mean_missing(A, V, Q, window)
        shares = _shares_of_time(A, V, Q, policies.shifts + Q, window)

        def one_point(r):
            U = after_start(units, r + Q)
            sums = measure(A, U, warmup, num_demands, sizes.tie)
            if L.ndim:  # an order placed after the last date might still come first
                unknown = U[warmup + num_demands - 1] > A[-1]
                sums = sums._replace(waited=jnp.where(unknown, jnp.nan, sums.waited))
            return sums, (r + Q).astype(A.dtype) - missing + sums.backorders

        return *jax.lax.map(one_point, policies.points), shares[policies.places]

    sums, on_hand, at_least = jax.lax.map(one_quantity, policies.quantities)
    empty = at_least[..., 0]
    at_least = at_least.at[..., 0].set(1.0)  # there are always 0 backorders or more
    more = jnp.pad(at_least[..., 1:], [(0, 0)] * 2 + [(0, 1)])
    Q = policies.quantities.astype(A.dtype)[:, None]
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
        points: reorder points r: an integer >= -Q, or a vector of them; r + Q units
            are there at first.
        key: random key.
        run: how much to simulate.

    Returns:
        Performance of shape (quantities, points, num_replications), without an axis
        where one integer is given; with standard errors.

    Raises:
        ValueError: bad input.
    """
    checks.random_key(key)
    run = checked_run(run)
    num_demands, longest = _lengths(run)
    warmup = run.warmup
    interarrival = demand.law(
        "interarrival", interarrival, "exponential", 1 / shop.demand_rate
    )
    lead_time = demand.law("lead_time", lead_time, "deterministic", shop.lead_time)
    shape = quantities.shape + points.shape
    quantities, points = quantities.ravel(), points.ravel()

    size = warmup + longest + _cooldown(interarrival, lead_time, points, longest)
    dtype = jnp.zeros(()).dtype
    most = 10**5 if jnp.finfo(dtype).bits < 64 else checks.MOST
    if size > most:
        raise ValueError(
            f"a replication must have <= {most} demands in {dtype}, warm-up and cooldown "
            f"included, got {size}: dates are too coarse beyond, so take more replications "
            "instead (a smaller num_demands), or enable JAX's 64-bit mode"
        )
    smallest = 1 if checks.is_traced(quantities) else int(quantities.min())
    both_deterministic = interarrival.family == lead_time.family == "deterministic"
    sizes = _Sizes(
        warmup=warmup,
        num_lots=max(size // smallest, 1),
        tie=8 * float(jnp.finfo(dtype).eps) if both_deterministic else 0.0,
        mesh=run.mesh,
    )
    # Folded, so that who draws lengths from the same key meets other numbers there.
    path_key = jax.random.fold_in(key, 1)
    A, L = _draw(
        interarrival, lead_time, size, num_demands.size, key=path_key, mesh=run.mesh
    )
    performance = _evaluate(
        jax.tree.map(lambda number: jnp.asarray(number, float), shop),
        _policies(quantities, points, run.max_backorders),
        (num_demands, A, L),
        sizes=sizes,
    )
    return jax.tree.map(lambda x: x.reshape(shape + x.shape[2:]), performance)


def _lengths(run: Run) -> tuple[jax.Array, int]:
    """Demands that count in each replication, and the most of them; checked."""
    num_replications = run.num_replications
    if checks.is_traced(run.num_demands):
        raise ValueError(
            "num_demands must hold numbers: the length of a run cannot be traced"
        )
    lengths = checks.integers("num_demands", run.num_demands, 1)
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
        shifts, places = needed.ravel(), np.arange(needed.size)
    else:  # reorder points whose shares of time fall together are told only once
        shifts, places = np.unique(needed, return_inverse=True)
    places = places.reshape(needed.shape)
    return _Policies(*map(jnp.asarray, (quantities, points, shifts, places)))


def _cooldown(interarrival, lead_time, points, longest):
    """Demands to draw after the last one that counts, so that its unit is known."""
    # Below 0, customers wait for an order that later customers bring about.
    waiting = 0 if checks.is_traced(points) else max(0, -int(points.min()))
    if lead_time.family == "deterministic":
        return waiting
    # Orders that cross: one placed after the last demand that counts may still come
    # before an earlier one. On order are about as many as demands over a mean lead time,
    # whatever its law; where JAX traces that, costs become NaN if this is too few.
    enough = max(100, longest // 10)
    if not checks.any_traced(interarrival, lead_time):
        mean, scv = map(float, demand.moments(interarrival))
        on_order = float(demand.moments(lead_time)[0]) / mean
        wide = 10 * np.sqrt(on_order * max(scv, 1.0))
        enough = max(enough, int(on_order + wide + 100))
    return waiting + enough
