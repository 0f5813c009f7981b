"""Renewal demand over a deterministic lead time, and Poisson systems: oracles by other means.

Interarrival times X_1, X_2, ... are independent, X = max(Y, 0) with Y of a given family, mean and
SCV; S_n = X_1 + ... + X_n with distribution function F_n, and m = E X.

**Sums.**  For the deterministic, uniform and triangular families E e^{-sX} is a sum of terms
c e^{-ds} / s^p.  So is its n-th power, which is inverted term by term, in fractions: exact, but for
the width of the law, which is a float.  Sums of gamma variables are gamma, sums of normal ones that
are practically never negative are normal.  For the lognormal and the truncated normal the transform
of F_n is inverted numerically on a vertical line, twice with different lines and steps, and the two
must agree.  No grid, no lattice, and nothing from the package.

**Base stock at level n.**  Units and demands are matched in order: with lead time L the unit that
demand j takes was ordered by demand j - n, and arrives at A_{j-n} + L.  As A_j - A_{j-n} has the law
of S_n, demand j is filled at once with probability P(S_n >= L), waits (L - S_n)^+, and its unit
stood on the shelf for (S_n - L)^+.

**Demands in a window.**  Let N(L) count the demands in a window of length L that begins at an
arbitrary time, not at a demand.  The first demand in it comes after a time V with density
P(X > v) / m (forward recurrence), and each next one after another X.  N(L) >= k + 1 if and only if
V + S_k <= L, so

    m P(N(L) >= k + 1) = int_0^L P(X > v) F_k(L - v) dv
                       = int_0^L F_k(u) du - int_0^L P(X <= v) F_k(L - v) dv.

With H_n(L) = int_0^L F_n(u) du = E (L - S_n)^+, the last integral is E (L - X - S_k)^+ = H_{k+1}(L),
hence P(N(L) >= k + 1) = (H_k(L) - H_{k+1}(L)) / m.  What is ordered in the last L is on order now:
on hand are (n - N(L))^+, backordered (N(L) - n)^+.  (Summing the law over k gives
m E (N(L) - n)^+ = H_n(L): mean backorders are mean wait times demand rate, Little's law.)
"""

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import special

# Two numerical inversions may differ by this, relative to 1 (probabilities) or L (shortfalls).
AGREEMENT = 1e-11

# A normal law whose mean is this many standard deviations is not truncated, to 1e-18.
FAR = 9

# (family, mean and SCV before truncation, base-stock level, lead time): cheap, and of all kinds.
CASES = [
    ("exponential", 1 / 120, 1.0, 11, 1 / 12),
    ("gamma", 1 / 120, 0.1, 10, 1 / 12),
    ("gamma", 1 / 120, 2.0, 11, 1 / 12),
    ("gamma", 1.0, 0.5, 0, 2.0),
    ("lognormal", 1 / 120, 0.1, 11, 1 / 12),
    ("lognormal", 1 / 120, 2.0, 9, 1 / 12),
    ("lognormal", 1.0, 4.0, 3, 2.5),
    ("uniform", 1 / 120, 0.25, 11, 1 / 12),
    ("uniform", 1.0, 1 / 3, 4, 3.3),
    ("uniform", 1.0, 1.5, 5, 6.0),
    ("triangular", 1 / 120, 0.1, 9, 1 / 12),
    ("triangular", 1.0, 0.8, 6, 6.4),
    ("normal", 1 / 120, 0.01, 10, 1 / 12),
    ("normal", 1 / 120, 0.4, 12, 1 / 12),
    ("normal", 1.0, 2.0, 2, 4.0),
    ("deterministic", Fraction(1, 4), 0, 3, Fraction(7, 10)),
    ("deterministic", Fraction(1, 4), 0, 3, Fraction(3, 4)),
]


def sum_cdf(family, mean, scv, n, L):
    """P(S_n <= L) and P(S_n < L); they differ where S_n has an atom at L.

    Seconds for triangular laws that are truncated and n above 15, milliseconds otherwise.

    Args:
        family: name of the family of Y.
        mean: mean of Y, > 0.  The deterministic family has its atom at exactly n times this
            number: give fractions where the tie is meant.
        scv: variance of Y divided by mean².
        n: number of terms, an integer >= 0.
        L: lead time, >= 0, in the unit of the mean.

    >>> sum_cdf("deterministic", Fraction(1, 10), 0, 5, Fraction(1, 2))
    (1.0, 0.0)
    >>> sum_cdf("uniform", 1.0, 1 / 3, 2, 1.0)[0]
    0.125
    """
    if n == 0:
        return 1.0, float(L > 0)
    if family in ("deterministic", "uniform", "triangular"):
        return _piecewise(family, mean, scv, n, L, 0)
    if L == 0:
        return _prob_zero(family, mean, scv) ** n, 0.0
    mean, scv, L = float(mean), float(scv), float(L)
    std = mean * math.sqrt(scv)
    if family in ("exponential", "gamma"):
        value = special.gammainc(n / scv, L / (mean * scv))
    elif family == "normal" and mean > FAR * std:
        value = special.ndtr((L - n * mean) / (std * math.sqrt(n)))
    else:
        value = _inverted(family, mean, scv, n, L, 1)
    return float(value), float(value)


def shortfall(family, mean, scv, n, L):
    """H_n(L) = E (L - S_n)^+, in the unit of the mean; arguments as in `sum_cdf`.

    >>> shortfall("deterministic", 2, 0, 3, 7)
    1.0
    """
    if n == 0 or L == 0:
        return float(L)
    if family in ("deterministic", "uniform", "triangular"):
        return _piecewise(family, mean, scv, n, L, 1)[0]
    mean, scv, L = float(mean), float(scv), float(L)
    std = mean * math.sqrt(scv)
    if family in ("exponential", "gamma"):
        shape, x = n / scv, L / (mean * scv)
        below = n * mean * special.gammainc(shape + 1, x)
        return float(L * special.gammainc(shape, x) - below)
    if family == "normal" and mean > FAR * std:
        spread = std * math.sqrt(n)
        z = (L - n * mean) / spread
        density = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        return float(spread * (z * special.ndtr(z) + density))
    return float(_inverted(family, mean, scv, n, L, 2))


def truncated_mean(family, mean, scv):
    """m = E max(Y, 0).

    >>> round(truncated_mean("normal", 1.0, 0.8), 4)
    1.0592
    """
    mean, std = float(mean), float(mean) * math.sqrt(scv)
    if family in ("uniform", "triangular"):
        top = mean + 5 * std  # beyond the law's upper end
        return top - shortfall(family, mean, scv, 1, top)
    if family == "normal":
        z = mean / std
        density = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        return float(mean * special.ndtr(z) + std * density)
    return mean


def window_tail(family, mean, scv, L, size):
    """P(N(L) >= k) for k = 0, ..., size - 1: demands in a window, at an arbitrary time."""
    m = truncated_mean(family, mean, scv)
    H = [shortfall(family, mean, scv, k, L) for k in range(size)]
    return np.append(1.0, -np.diff(H) / m)


class Stock(NamedTuple):
    """Long-run measures of a system."""

    fill_rate: float  #: share of demands filled at once
    ready_rate: float  #: share of time with stock on hand
    mean_on_hand: float  #: units
    mean_backorders: float  #: units
    backorder_pmf: np.ndarray  #: P(b backorders), b = 0, 1, ...
    mean_wait: float  #: time per demand
    mean_shelf_time: float  #: time per unit


def renewal_base_stock(family, mean, scv, level, L, size=0):
    """Base stock under renewal demand, by the formulas at the top.

    Args:
        family, mean, scv: of the interarrival time before truncation.
        level: base-stock level, an integer >= 0.
        L: deterministic lead time, > 0, in the unit of the mean.
        size: number of entries of the backorder pmf that are wanted.

    >>> stock = renewal_base_stock("exponential", 1.0, 1.0, 2, 1.0, size=2)
    >>> stock.backorder_pmf.round(6)  # P(at most 2), P(3) of a Poisson law with mean 1
    array([0.919699, 0.061313])
    """
    m = truncated_mean(family, mean, scv)
    wait = shortfall(family, mean, scv, level, L)
    shelf_time = wait + level * m - float(L)
    is_empty = 1.0  # P(N(L) >= level)
    if level > 0:
        is_empty = (shortfall(family, mean, scv, level - 1, L) - wait) / m
    H = [shortfall(family, mean, scv, level + b, L) for b in range(size + 1)]
    more = -np.diff(H) / m  # P(N(L) > level + b): more than b backorders
    return Stock(
        fill_rate=1 - sum_cdf(family, mean, scv, level, L)[1],
        ready_rate=1 - is_empty,
        mean_on_hand=shelf_time / m,
        mean_backorders=wait / m,
        backorder_pmf=-np.diff(np.append(1.0, more)),
        mean_wait=wait,
        mean_shelf_time=shelf_time,
    )


# ------------------------------------------------------------------- Poisson demand


def poisson_base_stock(rate, L, level):
    """Base stock under Poisson demand, by plain sums over lead-time demand in 50 digits.

    On hand are (level - N)^+, backordered (N - level)^+, with N the demands of the last lead time.
    A demand sees what an arbitrary time sees (PASTA), but that it is filled at once is summed as
    its own event: fewer than `level` demands in the lead time before it.

    >>> stock = poisson_base_stock(1.0, 1.0, 1)
    >>> round(stock.fill_rate, 6), round(stock.mean_backorders, 6)
    (0.367879, 0.367879)
    """
    return poisson_qr(rate, L, 1, level - 1)


def poisson_qr(rate, L, quantity, reorder_point):
    """(Q, R) under Poisson demand: the same, averaged over positions R + 1, ..., R + Q.

    The inventory position is uniform on them, and independent of the demands of the next lead
    time; at its end the stock is that position less those demands.

    Args:
        rate: demands per unit of time, > 0.
        L: lead time, >= 0 (by Palm's theorem its mean, for base stock).
        quantity: Q, an integer >= 1.
        reorder_point: R, any integer.

    Returns:
        A `Stock`; the pmf is as long as it takes to reach 1e-30.
    """
    positions = range(reorder_point + 1, reorder_point + quantity + 1)
    with localcontext() as context:
        context.prec = 50
        law = list(_poisson(Decimal(float(rate)) * Decimal(float(L))))
        on_hand = backorders = ready = filled = Decimal(0)
        pmf = {}
        for position in positions:
            for count, p in enumerate(law):
                stock = position - count
                on_hand += p * max(stock, 0)
                backorders += p * max(-stock, 0)
                ready += p * (stock > 0)
                filled += p * (count < position)
                pmf[max(-stock, 0)] = pmf.get(max(-stock, 0), Decimal(0)) + p
        Q = quantity
        return Stock(
            fill_rate=float(filled / Q),
            ready_rate=float(ready / Q),
            mean_on_hand=float(on_hand / Q),
            mean_backorders=float(backorders / Q),
            backorder_pmf=np.array(
                [float(pmf.get(b, Decimal(0)) / Q) for b in range(max(pmf) + 1)]
            ),
            mean_wait=float(backorders / Q / Decimal(float(rate))),
            mean_shelf_time=float(on_hand / Q / Decimal(float(rate))),
        )


def cost_per_demand(
    stock, rate, *, holding_cost, backorder_cost, unit_cost=0, setup_cost=0, quantity=1
):
    """Cost per demand; holding and backorder costs are per unit and unit of time."""
    per_time = (
        holding_cost * stock.mean_on_hand + backorder_cost * stock.mean_backorders
    )
    return unit_cost + setup_cost / quantity + per_time / rate


def _poisson(mean):
    """P(N = 0), P(N = 1), ... until they stay below 1e-40."""
    p, count = (-mean).exp(), 0
    while count <= mean or p > Decimal("1e-40"):
        yield p
        count += 1
        p = p * mean / count


# ------------------------------------------------- sums of piecewise polynomial laws


def _piecewise(family, mean, scv, n, L, integrals):
    """F_n, integrated so many times, at L: with and without an atom at L."""
    L = Fraction(L)
    closed = opened = Fraction(0)
    terms = _power(family, Fraction(mean), Fraction(scv), n)
    for (delay, power), c in terms.items():
        if delay > L:
            continue
        # c e^{-ds} / s^p, divided by s once more for F_n and again for each integral
        degree = power + integrals
        value = c * (L - delay) ** degree / math.factorial(degree)
        closed += value
        opened += value if degree > 0 or delay < L else 0
    return float(closed), float(opened)


@cache
def _power(family, mean, scv, n):
    """E e^{-s S_n} as a sum of c e^{-ds} / s^p: a dictionary (d, p) -> c."""
    if n == 0:
        return {(Fraction(0), 0): Fraction(1)}
    terms = {}
    for (d1, p1), c1 in _power(family, mean, scv, n - 1).items():
        for (d2, p2), c2 in _transform(family, mean, scv).items():
            key = d1 + d2, p1 + p2
            terms[key] = terms.get(key, 0) + c1 * c2
    return terms


def _transform(family, mean, scv):
    """E e^{-sX} in the same form: an integrated density's corners, and the atom at zero."""
    if family == "deterministic":
        return {(mean, 0): Fraction(1)}
    if family == "uniform":
        half = mean * Fraction(math.sqrt(3 * scv))
        low, high, height = mean - half, mean + half, 1 / (2 * half)
        if low >= 0:
            return {(low, 1): height, (high, 1): -height}
        return {
            (Fraction(0), 0): -low * height,
            (Fraction(0), 1): height,
            (high, 1): -height,
        }
    half = mean * Fraction(math.sqrt(6 * scv))
    low, high, slope = mean - half, mean + half, 1 / half**2
    top = {(mean, 2): -2 * slope, (high, 2): slope}
    if low >= 0:
        return {(low, 2): slope} | top
    zero = Fraction(0)
    start = {(zero, 0): slope * low**2 / 2, (zero, 1): -slope * low, (zero, 2): slope}
    return start | top


# ------------------------------------------------------ numerical inversion of others


def _inverted(family, mean, scv, n, L, power):
    """The function with transform (E e^{-sX})^n / s^power, at L, in units of the mean."""
    L = L / mean
    std = math.sqrt(scv)
    results = []
    for damping, fold, length in ((30.0, 2, 30), (35.0, 3, 44)):
        # The sum has to pass the frequencies at which S_n has structure: 1 / std.
        num_blocks = length + math.ceil(3 * L / std)
        results.append(_on_line(family, std, n, L, power, damping, fold, num_blocks))
    if abs(results[0] - results[1]) > AGREEMENT * L ** (power - 1):
        raise ArithmeticError(f"{family}, {scv = }, {n = }, {L = }: {results}")
    return results[1] * mean ** (power - 1)


def _on_line(family, std, n, L, power, damping, fold, num_blocks):
    """Bromwich's integral by the trapezoidal rule, with Euler's summation.

    With a step pi / (fold L) on the line of real part a = damping / (2 fold L), Poisson's summation
    formula gives the error of the rule: what is wanted at L (1 + 2 fold j), times e^{-j damping},
    j = 1, 2, ...  Rounding is magnified by e^{aL}.  `fold` terms in a row make one of an alternating
    series, whose partial sums are averaged with binomial weights.
    """
    num_averaged = 24
    step = math.pi / (fold * L)
    a = damping / (2 * fold * L)
    k = np.arange(1, fold * (num_blocks + num_averaged) + 1)
    s = a + 1j * step * np.append(0, k)
    values = _numerical_transform(family, std, s) ** n / s**power
    # e^{ik pi / fold}, from k modulo the period: no rounding of large angles
    terms = (values[1:] * np.exp(1j * math.pi / fold * (k % (2 * fold)))).real
    sums = np.cumsum(terms.reshape(-1, fold).sum(1))[-num_averaged - 1 :]
    weights = special.binom(num_averaged, np.arange(num_averaged + 1)) / 2**num_averaged
    total = values[0].real / 2 + weights @ sums
    return total * step * math.exp(a * L) / math.pi


def _numerical_transform(family, std, s):
    """E e^{-sX} for Y of mean 1 and Re s > 0."""
    if family == "normal":
        # The atom, and the density from zero on, by completing the square.
        at_zero = special.ndtr(-1 / std)
        z = (std * s - 1 / std) / math.sqrt(2)
        return at_zero + 0.5 * math.exp(-0.5 / std**2) * special.wofz(1j * z)
    if family == "gamma":  # has a closed form: a check of the inversion
        return (1 + std**2 * s) ** (-1 / std**2)
    if family != "lognormal":
        raise ValueError(f"unknown family {family!r}")
    # E exp(-s e^Y), Y normal: the trapezoidal rule in z = (Y - E Y) / sigma along a line that is
    # shifted down by c, where the integrand turns less: s e^{Y - i sigma c} comes nearer to the
    # real axis.  The shift magnifies rounding by e^{c²/2} <= 90.
    sigma = math.sqrt(math.log1p(std**2))
    h = 0.04
    z = np.arange(-240, 241) * h
    transform = []
    for part in np.array_split(s, 1 + s.size // 2000):
        c = np.minimum(np.angle(part) / sigma, 3.0)[:, None]
        point = z - 1j * c
        exponent = -part[:, None] * np.exp(sigma * point - sigma**2 / 2) - point**2 / 2
        transform.append(np.exp(exponent).sum(1) * h / math.sqrt(2 * math.pi))
    return np.concatenate(transform)


def _prob_zero(family, mean, scv):
    return float(special.ndtr(-1 / math.sqrt(scv))) if family == "normal" else 0.0
