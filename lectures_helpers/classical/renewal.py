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

from typing import NamedTuple

import numpy as np
from scipy import special, stats

from lectures_helpers import checks, demand
from lectures_helpers.classical import matching
from lectures_helpers.classical.performance import Costs, Performance, create_costs

#: Two extrapolated grids agree to this, relative to 1 and to the lead time.
TOLERANCE = 1e-10

#: Most intervals of a grid over the lead time.
MOST_INTERVALS = 2**20

#: What lies beyond the end of a table has less than this probability.
CUT = 1e-12

#: Largest mean demand over a lead time, Poisson and other: beyond it tables are too
#: long, or sums of so many times are no longer known to 1e-8.
MOST_POISSON, MOST_RENEWAL = 10**7, 10**4


class LeadTimeDemand(NamedTuple):
    """Law of the demand over a lead time; make it with `lead_time_demand`.

    Beyond the end of an array its last value holds on.
    """

    rate: float  #: λ, demands per year
    mean: float  #: mean number of demands over a lead time, λ L
    tail: np.ndarray  #: (n + 1,) P(N > 0), ..., P(N > n) at any time; the last one is 0
    backorders: np.ndarray  #: (n + 1,) E (N - k)⁺ for k = 0, ..., n
    filled: (
        np.ndarray
    )  #: (n + 1,) P(S_k >= L): share of customers for whom k units are enough


def lead_time_demand(interarrival, demand_rate, lead_time) -> LeadTimeDemand:
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
    rate, L = float(demand_rate), float(lead_time)
    if interarrival is not None:
        law = matching.law("interarrival", interarrival, "exponential", 1 / rate)
        if checks.is_traced(law.mean) or checks.is_traced(law.scv):
            raise ValueError(
                "interarrival must hold numbers here: exact results are not traceable"
            )
        mean, scv = (float(moment) for moment in demand.moments(law))
        rate = 1 / mean
        if law.family != "exponential":
            _at_most(rate * L, MOST_RENEWAL)
            return _renewal(law, rate, scv, L)
    _at_most(rate * L, MOST_POISSON)
    return _poisson(rate, L)


def _at_most(mean, most):
    if not mean <= most:
        raise ValueError(
            f"lead_time * demand_rate must be <= {most:g} for this law of demand, "
            f"got {mean:g}"
        )


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


def _cut(count):
    """End the tables where nothing is left."""
    size = int(np.argmax(count.tail < CUT)) + 1
    tail, backorders, filled = (table[:size] for table in count[2:])
    return count._replace(
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
    if law.family in ("gamma", "exponential"):
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
    before = best = None
    # Three grids are needed before two extrapolations can be compared.
    intervals = 2 ** int(np.ceil(np.log2(min(coarsest, 1e300))))
    while 4 * coarsest <= MOST_INTERVALS and intervals <= MOST_INTERVALS:
        now = _sums_on_grid(law, L, size, intervals)
        if before is not None:
            # The grid adds a variance of about h²/6 to each X: the error is even in h.
            extrapolated = now + (now - before) / 3
            if best is not None and np.abs(extrapolated - best).max() < TOLERANCE:
                waits, filled = extrapolated
                return L * np.maximum(waits, 0.0), np.clip(filled, 0.0, 1.0)
            best = extrapolated
        before = now
        intervals *= 2
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
    below = np.append(0.0, h * np.arange(1, intervals + 2))
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
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.where(n == 1, 1.0, n * atom ** (n - 1.0) * (atom > 0))
    less[1:] += times * jump
    waits[:2] = 1.0, below[-2] / L
    less[0] = 1.0
    return np.stack([waits, 1 - less])


# ---------------------------------------------------------------- performance


def performance(prices, count: LeadTimeDemand, level, quantity=None) -> Performance:
    """Long-run performance from the law of demand over a lead time.

    With the inventory position at y, the net inventory one lead time later is y
    less the demand since.  Under base stock y is R at all times; under a (Q, r)
    policy it is at each of r + 1, ..., r + Q for the same share of time, whatever
    the demand over the lead time that follows.

    Args:
        prices: costs.
        count: law of the demand over a lead time.
        level: inventory positions: an integer array.
        quantity: None, or the number of positions over which to average, from
            `level` upwards; it is also the lot size.

    Returns:
        Performance of the shape of `level`.
    """
    tail = _table(count.tail, beyond=0.0, below=lambda n: np.ones(n.shape))
    behind = _table(count.backorders, beyond=0.0, below=lambda n: count.mean - n)
    filled = _table(count.filled, beyond=1.0, below=lambda n: np.zeros(n.shape))

    level = np.asarray(level)
    lots = 1 if quantity is None else quantity
    positions = level[..., None] + np.arange(lots)
    backorders = behind(positions).mean(axis=-1)
    on_hand = np.maximum(positions.mean(axis=-1) - count.mean + backorders, 0.0)

    def more_than(n):
        """P(N > n), averaged over the positions: n, ..., n + Q - 1.

        The probabilities add up to a difference of E (N - n)⁺.
        """
        if lots == 1:
            return tail(n)
        return (behind(n) - behind(n + lots)) / lots

    most = max(count.tail.size - 1 - int(positions.min()), 0)
    at_least = more_than(level[..., None] + np.arange(most))  # 1, 2, ... backorders
    ends = np.ones((*level.shape, 1)), np.zeros((*level.shape, 1))
    at_least = np.concatenate([ends[0], at_least, ends[1]], axis=-1)
    at_least = np.minimum.accumulate(np.clip(at_least, 0.0, 1.0), axis=-1)
    costs = create_costs(
        production=np.full(level.shape, float(prices.unit_cost)),
        setup=np.full(level.shape, prices.setup_cost / lots),
        holding=prices.holding_cost * on_hand / count.rate,
        backorder=prices.backorder_cost * backorders / count.rate,
    )
    return Performance(
        costs=costs,
        annual=Costs(*(cost * count.rate for cost in costs)),
        fill_rate=filled(positions).mean(axis=-1),
        ready_rate=1 - np.clip(more_than(level - 1), 0.0, 1.0),
        mean_on_hand=on_hand,
        mean_backorders=backorders,
        backorder_pmf=at_least[..., :-1] - at_least[..., 1:],
    )


def position_cost(params, count: LeadTimeDemand):
    """Yearly cost g(y) of an inventory position y, as a function of one integer.

    Holding H (y - E N + b(y)) and backorders B b(y), where b(y) = E (N - y)⁺.
    """
    H, B = params.holding_cost, params.backorder_cost
    backorders = count.backorders.tolist()

    def cost(y):
        if y < 0:
            return B * (count.mean - y)
        b = backorders[y] if y < len(backorders) else 0.0
        return H * (y - count.mean + b) + B * b

    return cost


def cheapest_position(params, count: LeadTimeDemand) -> int:
    """The smallest y at which demand over a lead time exceeds y no more often than H / (B + H).

    Raises:
        ValueError: H = 0, or B more than 1e10 times as large: the tables end before.
    """
    H, B = params.holding_cost, params.backorder_cost
    checks.positive("holding_cost", H)
    if B > 1e10 * H:
        raise ValueError(
            f"backorder_cost must be <= 1e10 * holding_cost = {1e10 * H:g}, got {B:g}"
        )
    return int(np.argmax(count.tail <= H / (B + H)))


def critical_ratio(params) -> float:
    """B / (B + H).

    Raises:
        ValueError: H = 0, where more stock is always better.
    """
    checks.positive("holding_cost", params.holding_cost)
    return params.backorder_cost / (params.backorder_cost + params.holding_cost)


def _table(values, *, beyond, below):
    """The table as a function of any integers."""

    def look_up(n):
        inside = values[np.clip(n, 0, values.size - 1)]
        return np.where(n < 0, below(n), np.where(n >= values.size, beyond, inside))

    return look_up
