"""Demand over a lead time, exactly, and the performance of a policy that follows from it.

Demands come at the epochs of a renewal process: the times X_1, X_2, ... between
them are independent with one law.  Let S_n = X_1 + ... + X_n, let λ = 1 / E X,
and let L be the lead time.  Two laws matter:

- seen by a customer: P(S_n >= L), and s_n = E (L - S_n)⁺, the mean wait of a
  customer for the unit that was ordered n demands before;
- seen by a clock: P(N > n) = λ (s_n - s_{n+1}), where N is the number of demands
  in a window of length L that is put down at any time.

For Poisson demand N is a Poisson count.  For gamma interarrival times S_n is
gamma.  For the other families the law of X is moved to a grid, in a way that
keeps masses and means, and the n-fold convolution is a power of its Fourier
transform; grids are refined until the extrapolated results agree.

All in 64 bits, on the host.  Source: derived in the lecture on base stock.
"""

from decimal import Decimal, localcontext
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from lectures_helpers import checks, demand
from lectures_helpers.classical.shop import (
    Costs,
    Performance,
    Shop,
    concrete,
    create_costs,
)

__all__ = ["LeadTimeDemand", "exponential_lead_times", "lead_time_demand"]

#: Two extrapolated grids agree to this, relative to 1 and to the lead time.
TOLERANCE = 1e-10

#: Most intervals of a grid over the lead time.
MOST_INTERVALS = 2**20

#: Most numbers of an exact law of backorders, or of several that are asked for together.
MOST_NUMBERS = 2**24

#: What lies beyond the end of a table has less than this probability.
CUT = 1e-12

#: Largest mean demand over a lead time, Poisson and other: beyond it tables are too
#: long, or sums of so many times are no longer known to 1e-8.
MOST_POISSON, MOST_RENEWAL = 10**7, 10**4

#: Decimal digits, most terms, and largest SCV, of sums that alternate.
DIGITS, MOST_TERMS, MOST_SCV = 100, 1000, 1000


class LeadTimeDemand(NamedTuple):
    """Law of the demand over a lead time; make it with `lead_time_demand`.

    Beyond the end of an array its last value holds on.
    """

    rate: float  #: λ, demands per year
    mean: float  #: mean number of demands over a lead time, λ L
    tail: np.ndarray  #: (n + 1,) P(N > 0), ..., P(N > n) at any time; the last one is 0
    backorders: np.ndarray  #: (n + 1,) E (N - k)⁺ for k = 0, ..., n
    #: (n + 1,) P(S_k >= L): share of customers for whom k units are enough
    filled: np.ndarray


def lead_time_demand(
    interarrival: demand.Distribution | None, demand_rate: float, lead_time: float
) -> LeadTimeDemand:
    """Tabulate the law of demand over a lead time.

    Args:
        interarrival: law of the times between demands, years, its mean open or
            not; None for Poisson demand.
        demand_rate: demands per year, > 0.
        lead_time: length of the window, years, > 0.

    Raises:
        ValueError: bad input; more demand over a lead time than `MOST_POISSON` or
            `MOST_RENEWAL`; the accuracy is out of reach on the finest grid.

    >>> lead_time_demand(None, 120.0, 1 / 12).backorders[11].round(6).item()
    0.83414
    """
    rate, *_, L = concrete(Shop(demand_rate, 0.0, 0.0, 0.0, 0.0, lead_time))
    law = demand.law("interarrival", interarrival, "exponential", 1 / rate)
    checks.not_traced("interarrival", law)
    mean, scv = map(float, demand.moments(law))
    if interarrival is not None:
        rate = 1 / mean
    most = MOST_POISSON if law.family == "exponential" else MOST_RENEWAL
    if not rate * L <= most:
        raise ValueError(
            f"lead_time * demand_rate must be <= {most:g} for this law of demand, "
            f"got {rate * L:g}"
        )
    if law.family == "exponential":
        return _poisson(rate, L)
    return _renewal(law, rate, scv, L)


def _renewal(law, rate, scv, L):
    # Far enough out for normal tails; doubled until the table ends in zeros.
    size = int(rate * L + 12 * np.sqrt(rate * L * max(scv, 1e-3)) + 20)
    while True:
        waits, filled = _sums(law, L, size)
        waits = np.where(waits > CUT / 4 * L, waits, 0.0)
        if waits[-2] == 0:
            break
        size *= 2
    tail = np.clip(rate * (waits[:-1] - waits[1:]), 0.0, 1.0)
    tail = np.minimum.accumulate(tail)  # which rounding may have broken
    return _cut(LeadTimeDemand(rate, rate * L, tail, rate * waits[:-1], filled[:-1]))


def _poisson(rate, L):
    mean = rate * L
    n = np.arange(int(mean + 12 * np.sqrt(mean) + 40))
    tail = stats.poisson.sf(n, mean)
    # E (N - n)⁺ = P(N > n) + P(N > n + 1) + ...: no difference of large numbers.
    backorders = tail[::-1].cumsum()[::-1]
    filled = stats.poisson.cdf(n - 1, mean)
    return _cut(LeadTimeDemand(rate, mean, tail, backorders, filled))


def _cut(tables: LeadTimeDemand) -> LeadTimeDemand:
    """End the tables where nothing is left."""
    size = int(np.argmax(tables.tail < CUT)) + 1
    tail, backorders, filled = (table[:size] for table in tables[2:])
    return tables._replace(
        tail=np.where(tail < CUT, 0.0, tail), backorders=backorders, filled=filled
    )


def _sums(law, L, size):
    """E (L - S_n)⁺ and P(S_n >= L) for n = 0, ..., size - 1."""
    n = np.arange(size)
    if law.family == "deterministic":
        S = n * float(law.mean)
        # A customer is served at once by a unit that comes at the same time; the two
        # dates are the same number only up to rounding.
        return np.maximum(L - S, 0.0), np.where(S >= L * (1 - 1e-12), 1.0, 0.0)
    if law.family == "gamma":
        shape, scale = n[1:] / float(law.scv), float(law.mean) * float(law.scv)
        below = special.gammainc(shape, L / scale)
        waits = L * below - shape * scale * special.gammainc(shape + 1, L / scale)
        filled = special.gammaincc(shape, L / scale)
        return np.append(L, np.maximum(waits, 0.0)), np.append(0.0, filled)
    return _sums_on_grids(law, L, size)


def _sums_on_grids(law, L, size):
    mean, scv = demand.moments(law)
    # A standard deviation must span some intervals before extrapolation works.
    coarsest = max(2**11, 8 * L / (float(mean) * np.sqrt(float(scv))))
    first = int(np.ceil(np.log2(min(coarsest, MOST_INTERVALS))))
    grids = [2**k for k in range(first, MOST_INTERVALS.bit_length())]
    before = best = np.full((2, size), np.nan)  # agrees with nothing
    # Three grids are needed before two extrapolations can be compared.
    for intervals in grids if len(grids) >= 3 else ():
        now = _sums_on_grid(law, L, size, intervals)
        # The grid adds a variance of about h²/6 to each X: the error is even in h.
        extrapolated = now + (now - before) / 3
        if np.abs(extrapolated - best).max() < TOLERANCE:
            waits, filled = extrapolated
            return L * np.maximum(waits, 0.0), np.clip(filled, 0.0, 1.0)
        before, best = now, extrapolated
    raise ValueError(
        f"interarrival must be more variable than SCV {law.scv:g}, or lead_time shorter "
        f"than {L:g}, for exact results: {MOST_INTERVALS} intervals over a lead time do "
        f"not give {TOLERANCE:g}"
    )


def _sums_on_grid(law, L, size, intervals):
    """E (1 - S_n / L)⁺ and P(S_n >= L) for X moved to the grid 0, h, 2h, ..., h = L / intervals.

    A mass between two grid points goes to both, so that its mean stays.  What X
    has beyond L cannot matter.  Powers of the transform are circular convolutions;
    damping by exp(-θ k) makes what wraps around negligible.
    """
    h = L / intervals
    k = np.arange(intervals + 1)
    below = h * np.arange(intervals + 2)
    below = below - demand.expected_min(law, below)  # ∫ P(X <= x) dx up to each point
    mass = np.diff(below, 2, prepend=0.0) / h
    period = 4 * intervals
    damping = np.exp(-8.0 * k / intervals)
    transform = np.fft.rfft(mass * damping, period)

    # Both results are sums of masses with weights: products with the weights' transform.
    weights = np.stack([1 - k / intervals, np.where(k < intervals, 1.0, 0.5)])
    weights = np.fft.rfft(weights / damping, period).conj() / period
    weights[:, 1:-1] *= 2  # frequencies that rfft leaves out
    sums = np.zeros((2, size))
    power = np.ones_like(transform)
    for n in range(size):
        sums[:, n] = (weights @ power).real
        power *= transform
    waits, less = sums

    # Known without a grid: no demand, and one. With an atom at zero the law of X
    # alone, the only part with a jump, is in every sum, n p₀ⁿ⁻¹ times.
    atom = float(demand.prob_zero(law))
    n = np.arange(1, size)
    jump = float(demand.cdf(law, L)) - less[1]
    less[1:] += n * atom ** (n - 1.0) * jump
    waits[:2] = 1.0, below[-2] / L
    less[0] = 1.0
    return np.stack([waits, 1 - less])


# ------------------------------------------------------- what follows for a policy


def lead_time_demand_of(
    shop: Shop, interarrival: demand.Distribution | None
) -> tuple[Shop, LeadTimeDemand]:
    """The model, checked and in Python numbers, and the law of demand over its lead time."""
    shop = concrete(shop)
    return shop, lead_time_demand(interarrival, shop.demand_rate, shop.lead_time)


def long_run(
    shop: Shop,
    over_lead_time: LeadTimeDemand,
    lowest: ArrayLike,
    quantity: ArrayLike = 1,
) -> Performance:
    """Long-run performance from the law of demand over a lead time.

    With the inventory position at y, the net inventory one lead time later is y
    less the demand since.  Under base stock y is R at all times; under a (Q, r)
    policy it is at each of r + 1, ..., r + Q for the same share of time, whatever
    the demand over the lead time that follows.

    Args:
        shop: prices.
        over_lead_time: law of the demand over a lead time.
        lowest: the lowest inventory position: an integer array.
        quantity: number of positions, from `lowest` upwards, over which to average: an
            integer array of a shape that broadcasts; it is also the lot size.  Base stock
            has one.

    Returns:
        Performance of the shape to which both broadcast.

    Raises:
        ValueError: a law of the backorders of more than `MOST_NUMBERS` numbers.
    """
    rate, N = over_lead_time.rate, over_lead_time
    lowest, lots = np.broadcast_arrays(lowest, quantity)
    on_hand, backorders = stocks(N, lowest, lots)

    # P(N > n), averaged over the positions, for n one below them and from there upwards.
    most = max(N.tail.size - 1 - int(lowest.min()), 0)
    if lowest.size * (most + 2) > MOST_NUMBERS:
        raise ValueError(
            f"levels or reorder points must be fewer or higher: {lowest.size:,} laws of up "
            f"to {most:,} backorders are more than the {MOST_NUMBERS:,} numbers that are "
            "kept at once"
        )
    n, Q = lowest[..., None] + np.arange(-1, most), lots[..., None]
    # The probabilities add up to a difference of E (N - n)⁺.
    more = (
        _at(N.backorders, n, N.mean - n) - _at(N.backorders, n + Q, N.mean - n - Q)
    ) / Q
    more = np.where(Q == 1, _at(N.tail, n, 1.0), more)
    at_least = np.minimum.accumulate(np.clip(more, 0.0, 1.0), axis=-1)
    waits = _added(1 - N.filled, lowest, lots) + np.minimum(
        lots, np.maximum(-lowest, 0)
    )
    costs = create_costs(
        production=np.full(lowest.shape, float(shop.unit_cost)),
        setup=shop.setup_cost / lots,
        holding=shop.holding_cost * on_hand / rate,
        backorder=shop.backorder_cost * backorders / rate,
    )
    return Performance(
        costs=costs,
        annual=Costs(*(cost * rate for cost in costs)),
        fill_rate=np.clip(1 - waits / lots, 0.0, 1.0),
        ready_rate=1 - at_least[..., 0],
        mean_on_hand=on_hand,
        mean_backorders=backorders,
        backorder_pmf=0 - np.diff(at_least[..., 1:], prepend=1.0, append=0.0),
    )


def stocks(
    over_lead_time: LeadTimeDemand, lowest: np.ndarray, lots: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean stock on hand and mean backorders over the positions lowest, ..., lowest + lots - 1."""
    N = over_lead_time
    below = np.minimum(lots, np.maximum(-lowest, 0))  # positions below 0: N - y at each
    waiting = _added(N.backorders, lowest, lots)
    waiting = waiting + below * (N.mean - lowest - (below - 1) / 2)
    backorders = waiting / lots
    mean_net = lowest + (lots - 1) / 2 - N.mean
    return np.maximum(mean_net + backorders, 0.0), backorders


def _at(table, n, below):
    """The table at any integers; its last value holds on."""
    return np.where(n < 0, below, table[np.clip(n, 0, table.size - 1)])


def _added(table, first, number):
    """Sums of so many neighbours in the table, which is 0 on both sides and at its end."""
    start, end = (np.clip(n, 0, table.size - 1) for n in (first, first + number))
    # One after another, not as a difference of sums from the start: nothing cancels.
    pairs = np.stack([start, end], axis=-1)
    sums = np.add.reduceat(table, pairs.ravel())[::2].reshape(start.shape)
    return np.where(start < end, sums, 0.0)


def cheapest_position(shop: Shop, over_lead_time: LeadTimeDemand) -> int:
    """The smallest y at which demand over a lead time exceeds y no more often than H / (B + H).

    Raises:
        ValueError: H = 0, or B more than 1e10 times as large: the tables end before.
    """
    H, B = shop.holding_cost, shop.backorder_cost
    checks.positive("holding_cost", H)
    if B > 1e10 * H:
        raise ValueError(
            f"backorder_cost must be <= 1e10 * holding_cost = {1e10 * H:g}, got {B:g}"
        )
    return int(np.argmax(over_lead_time.tail <= H / (B + H)))


# ------------------------------------------- lead times that vary: a case with a formula


def exponential_lead_times(shop: Shop, level: int, scv: float) -> Performance:
    """Long-run performance of a base-stock level, exponential lead times, gamma demand.

    Binomial moments of the number of units on order that a customer finds follow one
    from another.  The sums that lead from them to probabilities alternate and their
    terms are huge: they are added up with `DIGITS` digits.

    Args:
        shop: the model; its lead time is the mean.
        level: base-stock level R, units, an integer >= 0.
        scv: SCV of the times between demands, which are gamma, > 0.

    Returns:
        Performance, in 64 bits; the last of two entries of the backorder PMF is for one
        or more.

    Raises:
        ValueError: bad input, or sums that `MOST_TERMS` terms or the digits are not
            enough for: too much demand over a lead time, or too high a level.

    Source: eq:bs-binomial and eq:bs-levels of the lecture on base stock.

    >>> shop = Shop(120.0, 1.0, 0.0, 180.0, 300.0, 1 / 12)
    >>> exponential_lead_times(shop, 11, 1.0).costs.total.round(4).item()
    5.8366
    """
    shop = concrete(checks.made_by("shop", shop, Shop))
    R = checks.integer("level", level, 0)
    if not 0 < (scv := checks.concrete("scv", scv)) <= MOST_SCV:
        raise ValueError(f"scv must be > 0 and <= {MOST_SCV}, got {scv:g}")
    with localcontext() as context:
        context.prec = DIGITS
        X, mean = Decimal(str(scv)), Decimal(shop.demand_rate * shop.lead_time)
        β, largest = [Decimal(1)], Decimal(1)
        while len(β) < 2 * R + 2 or comb(len(β) - 1, R) * β[-1] > Decimal("1e-20"):
            k = len(β)
            φ = (1 + k * X / mean) ** (-1 / X)  # E exp(-k X / L)
            β.append(β[-1] * φ / (1 - φ))
            largest = max(largest, comb(k, min(R, k // 2)) * β[-1])
            if k > MOST_TERMS or largest > Decimal(10) ** (DIGITS - 20):
                raise ValueError(
                    f"level must be lower than {R}, or lead_time * demand_rate than "
                    f"{mean:g}: {DIGITS} digits and {MOST_TERMS} terms are not enough"
                )
        customers = [  # P(M = j)
            sum((-1) ** (k - j) * comb(k, j) * β[k] for k in range(j, len(β)))
            for j in range(R + 1)
        ]
        none = 1 - mean * sum((-1) ** k * b / (k + 1) for k, b in enumerate(β))
        clock = [none, *(mean / (j + 1) * p for j, p in enumerate(customers))]
    tail = 1 - np.cumsum(np.array(clock, float))  # P(N > n)
    backorders = float(mean) - np.append(0.0, tail.cumsum()[:-1])
    filled = np.append(0.0, np.cumsum(np.array(customers, float)))  # P(M < n)
    tables = LeadTimeDemand(shop.demand_rate, float(mean), tail, backorders, filled)
    return long_run(shop, tables, R)
