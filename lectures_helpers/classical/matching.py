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
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lectures_helpers import checks, demand, sharding
from lectures_helpers.classical.performance import (
    Performance,
    create_costs,
    with_standard_error,
)

#: Largest lot size, level or reorder point: sums of several still fit into 32 bits.
MOST_UNITS = 10**8


class Prices(NamedTuple):
    """What is paid for: money per unit, per order, and per unit and year."""

    unit_cost: float  #: C, per unit
    setup_cost: float  #: A, per order
    holding_cost: float  #: H, per unit on hand and year
    backorder_cost: float  #: B, per waiting demand and year


class Length(NamedTuple):
    """How many demands a replication has."""

    warmup: int  #: demands that come first and do not count
    fewest: int  #: demands that count, at least
    yearly: int  #: and at least so many
    fixed: bool  #: whether every replication has exactly `fewest`

    @property
    def most(self):
        """The largest number of demands that count."""
        if self.fixed:
            return self.fewest
        return max(self.fewest + round(0.2 * self.fewest), 2 * self.yearly)


# ------------------------------------------------------------------- the kernel


def lot_arrivals(demand_times, lead_times, quantity, num_lots):
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


def order_times(demand_times, quantity, num_lots):
    """Dates of the first `num_lots` orders: every Q-th demand; infinite if never."""
    k = jnp.arange(1, num_lots + 1)
    N = demand_times.shape[0]
    # Selected before use: a product too large for an integer is never looked at.
    last = jnp.where(k <= N // quantity, quantity * k, N + 1)
    return demand_times.at[last - 1].get(mode="fill", fill_value=jnp.inf)


def unit_arrivals(lots, start, quantity, num_demands):
    """Arrival time U_j of the unit that serves the j-th demand, j = 1, ..., N.

    Args:
        lots: (num_lots,) arrivals of the lots, increasing.
        start: units on the shelf at time 0.
        quantity: lot size Q.
        num_demands: number of demands N.

    Returns:
        (N,) dates; 0 for the units that are there at the start.
    """
    return after_start(units_of_lots(lots, quantity, num_demands), start)


def units_of_lots(lots, quantity, num_units):
    """Arrivals of the units that come in lots: every lot's date Q times, `num_units` in all."""
    lot = jnp.arange(num_units) // quantity
    return lots.at[lot].get(mode="fill", fill_value=jnp.inf)


def after_start(units, start):
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


def measure(demand_times, unit_times, warmup, num_demands, tie=0.0) -> Sums:
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

    _, window = _window(A, warmup, num_demands)
    return Sums(
        held=mean(jnp.maximum(A - U, 0.0)),
        waited=mean(jnp.maximum(U - A, 0.0)),
        filled=mean(jnp.where(U <= A * (1 + tie), 1.0, 0.0)),
        backorders=_within(window, A, U).sum() / (window[1] - window[0]),
    )


def mean_missing(demand_times, lots, quantity, warmup, num_demands):
    """Time average of the units that are sold and not yet replaced.

    They are the demands since the last order, and what is on order.  What is there
    at the start less this is the net inventory, on hand less backorders, whatever
    the start.

    Args:
        demand_times: (N,) dates A_j of the demands.
        lots: (num_lots,) arrivals of the lots, increasing.
        quantity: lot size Q.
        warmup: number of demands that do not count.
        num_demands: number of those that do.
    """
    A = demand_times
    dates, window = _window(A, warmup, num_demands)
    since_order = (jnp.arange(A.shape[0]) % quantity).astype(A.dtype)
    not_ordered = (since_order * _within(window, dates[:-1], A)).sum()
    orders = order_times(A, quantity, lots.shape[0])
    on_order = jnp.asarray(quantity, A.dtype) * _within(window, orders, lots).sum()
    return (not_ordered + on_order) / (window[1] - window[0])


def shares_of_time(demand_times, lots, quantity, shifts, warmup, num_demands):
    """Share of time in which demand is at least some numbers ahead of what has come.

    With I units at the start, the shelf is empty and at least b customers wait
    while demand is at least I + b units ahead of the lots that have come: once k
    of them have, from demand I + b + kQ on, until the next one comes.

    Args:
        demand_times: (N,) dates A_j.
        lots: (num_lots,) arrivals of the lots, increasing.
        quantity: lot size Q.
        shifts: (m,) the numbers I + b, integers >= 0.
        warmup: number of demands that do not count.
        num_demands: number of those that do.

    Returns:
        (m,) shares, in [0, 1].
    """
    V = lots
    dates, window = _window(demand_times, warmup, num_demands)
    come = jnp.concatenate([jnp.zeros(1, V.dtype), V])
    next_comes = jnp.concatenate([V, jnp.full(1, jnp.inf, V.dtype)])
    k = jnp.arange(V.shape[0] + 1)
    units = jnp.where(k <= dates.size // quantity, quantity * k, dates.size)

    def share(shift):
        since = dates.at[units + shift].get(mode="fill", fill_value=jnp.inf)
        return _within(window, jnp.maximum(come, since), next_comes).sum()

    return jax.vmap(share)(shifts) / (window[1] - window[0])


def _window(demand_times, warmup, num_demands):
    """The dates A_0 = 0, A_1, ..., A_N, and the two between which time counts."""
    dates = jnp.concatenate([jnp.zeros(1, demand_times.dtype), demand_times])
    return dates, (dates[warmup], dates[warmup + num_demands])


def _within(window, since, until):
    """Length of the part of [since, until) that lies in the window."""
    since, until = jnp.maximum(since, window[0]), jnp.minimum(until, window[1])
    return jnp.maximum(until - since, 0.0)


# --------------------------------------------------------------- replications


def run_lengths(length: Length, num_replications, *, key):
    """Number of demands that count, one for each replication.

    At random, so that a run does not always end at the same place of a cycle.
    """
    if length.fixed:
        return jnp.full(num_replications, length.fewest)
    U = jax.random.uniform(key, (2, num_replications))
    spread = jnp.round(U * jnp.array([[0.2 * length.fewest], [1.0 * length.yearly]]))
    shortest = jnp.array([[length.fewest], [length.yearly]])
    return (shortest + spread.astype(shortest.dtype)).max(axis=0)


def each(fn, values, shared, mesh):
    """Apply ``fn(values, *shared)`` to each replication, all at once on one device.

    On a mesh a device takes its replications one after another: arrays of another
    length are summed in another order, so that only then the last digit does not
    depend on how many share the work.
    """
    if mesh is None:
        return jax.vmap(lambda values: fn(values, *shared))(values)
    return sharding.map_shared(fn, values, shared, mesh)


def draw(interarrival, lead_time, size, num_replications, *, key, mesh=None):
    """Draw the dates of the demands and the lead times of every replication.

    Args:
        interarrival: law of the times between demands, years.
        lead_time: law of the lead times, years.
        size: number of demands N.
        num_replications: number of replications.
        key: random key.
        mesh: devices that share the replications, or None.

    Returns:
        (num_replications, N) dates; lead times of the same shape, or one number
        if the family is deterministic.
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
    return each(one, keys, (interarrival, lead_time), mesh)


@partial(jax.jit, static_argnames=("length", "size", "num_replications", "mesh"))
def _draw(interarrival, lead_time, key, *, length, size, num_replications, mesh):
    """Lengths, dates of the demands, and lead times.

    Compiled apart from what is done with them, so that another set of policies does
    not compile the random numbers again.
    """
    length_key, path_key = jax.random.fold_in(key, 0), jax.random.fold_in(key, 1)
    num_demands = run_lengths(length, num_replications, key=length_key)
    return num_demands, *draw(
        interarrival, lead_time, size, num_replications, key=path_key, mesh=mesh
    )


@partial(jax.jit, static_argnames=("warmup", "num_lots", "tie", "mesh"))
def _evaluate(
    prices,
    quantities,
    points,
    shifts,
    places,
    num_demands,
    A,
    L,
    *,
    warmup,
    num_lots,
    tie,
    mesh,
):
    """Performance of shape (quantities, points, replications), with standard errors."""
    arguments = quantities, points, shifts, places
    measured = partial(_replications, warmup=warmup, num_lots=num_lots, tie=tie)
    if mesh is None:
        results = measured(num_demands, A, L, *arguments)
    else:

        def one(draws, *arguments):
            results = measured(*(array[None] for array in draws), *arguments)
            return jax.tree.map(
                lambda x: x.reshape(*x.shape[:2], *x.shape[3:]), results
            )

        results = sharding.map_shared(one, (num_demands, A, L), arguments, mesh)
        results = jax.tree.map(lambda x: jnp.moveaxis(x, 0, 2), results)
    sums, on_hand, tail, durations = results
    shape = sums.held.shape
    Q = quantities.astype(A.dtype)[:, None, None]
    costs = create_costs(
        production=jnp.broadcast_to(prices.unit_cost, shape),
        setup=jnp.broadcast_to(prices.setup_cost / Q, shape),
        holding=prices.holding_cost * sums.held,
        backorder=prices.backorder_cost * sums.waited,
    )
    yearly = num_demands.astype(A.dtype)[None, None] / durations
    at_least = tail.at[..., 0].set(1.0)  # there are always 0 backorders or more
    more = jnp.pad(at_least[..., 1:], [(0, 0)] * 3 + [(0, 1)])
    performance = Performance(
        costs=costs,
        annual=jax.tree.map(lambda x: x * yearly, costs),
        fill_rate=sums.filled,
        ready_rate=1 - tail[..., 0],
        mean_on_hand=on_hand,
        mean_backorders=sums.backorders,
        backorder_pmf=at_least - more,
        num_demands=jnp.broadcast_to(num_demands, shape),
    )
    return with_standard_error(performance)


def _replications(
    num_demands, A, L, quantities, points, shifts, places, *, warmup, num_lots, tie
):
    """What replications are made of: sums, stock on hand and shares of time.

    Results have the axes (quantities, points, replications).
    """
    num_replications, size = A.shape
    dates = jnp.pad(A, [(0, 0), (1, 0)])
    replications = jnp.arange(num_replications)
    end = dates[replications, warmup + num_demands]

    # One policy at a time, all replications at once: on a CPU that stays in the cache.
    def one_quantity(Q):
        def lots(A, L, n):
            V = lot_arrivals(A, L, Q, num_lots)
            return (
                units_of_lots(V, Q, size),
                mean_missing(A, V, Q, warmup, n),
                shares_of_time(A, V, Q, shifts + Q, warmup, n),
            )

        units, missing, shares = jax.vmap(lots)(A, L, num_demands)

        def one_point(r):
            def one(A, units, n):
                U = after_start(units, r + Q)
                sums = measure(A, U, warmup, n, tie)
                if L.ndim == 1:  # one lead time: orders do not cross
                    return sums
                # An order placed after the last date might come before some of these.
                j = jnp.arange(size)
                counted = (j >= warmup) & (j < warmup + n)
                unknown = (counted & (U > A[-1])).any()
                return sums._replace(waited=jnp.where(unknown, jnp.nan, sums.waited))

            sums = jax.vmap(one)(A, units, num_demands)
            on_hand = (r + Q).astype(A.dtype) - missing + sums.backorders
            return sums, on_hand

        # Shares come as (replications, shifts) and go as (points, replications, M + 1).
        return *jax.lax.map(one_point, points), shares[:, places].swapaxes(0, 1)

    sums, on_hand, tail = jax.lax.map(one_quantity, quantities)
    durations = jnp.broadcast_to((end - dates[:, warmup])[None, None], on_hand.shape)
    return sums, on_hand, tail, durations


def simulate(
    prices: Prices,
    demand_rate,
    interarrival,
    mean_lead_time,
    lead_time,
    quantities,
    points,
    *,
    key,
    num_replications,
    min_demands,
    num_demands,
    warmup,
    cooldown,
    max_backorders,
    mesh,
) -> Performance:
    """Simulate every lot size with every reorder point, all on the same demands.

    The models call this: base stock R is Q = 1 with the reorder point R - 1, and
    the EOQ model has the reorder point 0 and no lead time.

    Args:
        prices: costs.
        demand_rate: demands per year; sets the mean of an open `interarrival`
            and the shortest run.
        interarrival: law of the times between demands, years; None for Poisson.
        mean_lead_time: years; sets the mean of an open `lead_time`.
        lead_time: law of the lead times, years; None for deterministic ones.
        quantities: (nq,) lot sizes Q, integers >= 1.
        points: (nr,) reorder points r, integers >= -Q; r + Q units are there at first.
        key: random key.
        num_replications: number of replications, >= 1.
        min_demands: fewest demands that count, >= 1.
        num_demands: exact number of demands that count, >= 1, or None.
        warmup: demands that come first and do not count, >= 0.
        cooldown: demands drawn after the last one that counts, >= 0, or None.
        max_backorders: largest number of backorders told apart, >= 0.
        mesh: devices that share the replications, or None.

    Returns:
        Performance of shape (nq, nr, num_replications), with standard errors.

    Raises:
        ValueError: bad input.
    """
    checks.random_key(key)
    num_replications = checks.integer("num_replications", num_replications, 1)
    sharding.checked_share("num_replications", num_replications, mesh)
    warmup = checks.integer("warmup", warmup, 0)
    max_backorders = checks.integer("max_backorders", max_backorders, 0)
    if num_demands is not None:
        num_demands = checks.integer("num_demands", num_demands, 1)
        length = Length(warmup, num_demands, 0, True)
    elif checks.is_traced(demand_rate):
        raise ValueError(
            "num_demands must be given where JAX traces demand_rate, got None: the "
            "length of a run depends on the rate otherwise, and cannot be traced"
        )
    else:
        min_demands = checks.integer("min_demands", min_demands, 1)
        length = Length(warmup, min_demands, round(float(demand_rate)), False)
    interarrival = law("interarrival", interarrival, "exponential", 1 / demand_rate)
    lead_time = law("lead_time", lead_time, "deterministic", mean_lead_time)
    deterministic = lead_time.family == "deterministic"

    if cooldown is None:
        # Orders that cross: one placed after the last demand that counts may still
        # come before an earlier one. On order are about as many as demands over a
        # mean lead time, whatever its law.
        crossing = _crossing(interarrival, lead_time, length.most)
        # Below 0, customers wait for an order that later customers bring about.
        waiting = 0 if checks.is_traced(points) else max(0, -int(points.min()))
        cooldown = (0 if deterministic else crossing) + waiting
    cooldown = checks.integer("cooldown", cooldown, 0)
    size = warmup + length.most + cooldown
    dtype = jnp.zeros(()).dtype
    most = 10**5 if jnp.finfo(dtype).bits < 64 else checks.MOST
    if size > most:
        raise ValueError(
            f"a replication must have <= {most} demands in {dtype}, warm-up and cooldown "
            f"included, got {size}: dates are too coarse beyond, so take more replications "
            "instead (a smaller num_demands), or enable JAX's 64-bit mode"
        )
    smallest = 1 if checks.is_traced(quantities) else int(quantities.min())
    # Reorder points whose shares of time fall together are told only once.
    needed = points[:, None] + np.arange(max_backorders + 1)[None]
    shifts, places = (
        (needed.ravel(), np.arange(needed.size))
        if checks.is_traced(points)
        else np.unique(needed, return_inverse=True)
    )
    draws = _draw(
        interarrival,
        lead_time,
        key,
        length=length,
        size=size,
        num_replications=num_replications,
        mesh=mesh,
    )
    steady = deterministic and interarrival.family == "deterministic"
    return _evaluate(
        Prices(*(jnp.asarray(price, float) for price in prices)),
        jnp.asarray(quantities),
        jnp.asarray(points),
        jnp.asarray(shifts),
        jnp.asarray(places).reshape(needed.shape),
        *draws,
        warmup=warmup,
        num_lots=max(size // smallest, 1),
        tie=8 * float(jnp.finfo(dtype).eps) if steady else 0.0,
        mesh=mesh,
    )


def _crossing(interarrival, lead_time, most):
    """Demands to draw after the last one that counts, so that its unit is known."""
    enough = max(100, most // 10)
    numbers = interarrival.mean, interarrival.scv, lead_time.mean
    if any(map(checks.is_traced, numbers)):
        return enough
    mean, scv = (float(moment) for moment in demand.moments(interarrival))
    on_order = float(demand.moments(lead_time)[0]) / mean
    return max(enough, int(on_order + 10 * np.sqrt(on_order * max(scv, 1.0)) + 100))


# ------------------------------------------------------------------- the edge


def law(name: str, dist, family: str, mean) -> demand.Distribution:
    """Return a law of times whose mean is known.

    Args:
        name: of the argument, for errors.
        dist: the law, with a mean of its own or an open one; or None.
        family: the family that None stands for.
        mean: the mean for None, and for a law whose mean is open.

    Raises:
        ValueError: `dist` is something else.
    """
    if dist is None:
        return demand.Distribution(family, mean, demand.FIXED_SCV[family])
    if not isinstance(dist, demand.Distribution):
        raise ValueError(
            f"{name} must be a distribution made by demand.create_distribution, "
            f"got {dist!r}"
        )
    for field in ("mean", "scv"):
        if np.ndim(getattr(dist, field)) != 0 and getattr(dist, field) is not None:
            raise ValueError(
                f"{name} must have one {field} (jax.vmap sweeps over many), got an "
                f"array of shape {np.shape(getattr(dist, field))}"
            )
    # Checked again: a law, and what stands in for its mean, can be put together by hand.
    dist = demand.with_mean(dist, mean)
    return demand.create_distribution(dist.family, dist.mean, dist.scv)


def stand_in(family: str, mean, scv) -> demand.Distribution:
    """A law for the demand over a lead time; an SCV of None is 1, or the family's own."""
    if scv is None and isinstance(family, str):
        scv = demand.FIXED_SCV.get(family, 1.0)
    return demand.create_distribution(family, mean, scv)


def on_host(params) -> list:
    """The parameters as Python numbers, for exact results.

    Raises:
        ValueError: JAX traces one of them.
    """
    for name, value in params._asdict().items():
        if checks.is_traced(value):
            raise ValueError(
                f"{name} must be a number here: exact results are not traceable"
            )
    return [float(value) for value in params]


def integers(name: str, value, bound: int | None = None):
    """Return one integer, or a vector of them, as a NumPy vector.

    All must be >= `bound`, or of modulus <= `MOST_UNITS` if that is None.

    Raises:
        ValueError: another shape, not integers, or below the bound.
    """
    if checks.is_traced(value):
        if not jnp.issubdtype(value.dtype, jnp.integer):
            raise ValueError(f"{name} must be integers, got an array of {value.dtype}")
        return jnp.atleast_1d(value)
    numbers = np.asarray(value)
    if numbers.ndim > 1 or numbers.size == 0:
        raise ValueError(
            f"{name} must be an integer or a vector of integers, "
            f"got an array of shape {numbers.shape}"
        )
    values = np.atleast_1d(numbers).tolist()
    if bound is None and not all(type(x) is int for x in values):
        wrong = next(x for x in values if type(x) is not int)
        raise ValueError(f"{name} must be an integer, got {wrong!r}")
    for x in values:
        checks.integer(name, x, -MOST_UNITS if bound is None else bound)
    if max(values) > MOST_UNITS:
        raise ValueError(f"{name} must be <= {MOST_UNITS}, got {max(values)}")
    return np.array(values)


def numbers(**values) -> list:
    """Check that every value is one finite number >= 0; return them.

    Raises:
        ValueError: one is not, and which.
    """
    for name, value in values.items():
        checks.at_least(name, value, 0.0)
        if np.ndim(value) != 0:
            raise ValueError(
                f"{name} must be one number (jax.vmap sweeps over many), "
                f"got an array of shape {np.shape(value)}"
            )
    return list(values.values())
