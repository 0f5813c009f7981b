"""s–S dynamics by plain quadrature, from the model's definition: an oracle for `ss_exact`.

It shares no code and no idea with the package. The range [0, top] is cut into cells of width h; a
cell's probability sits at its middle and moves by the law of motion, with demand's distribution
from SciPy. s, S and X_0 are borders of cells, so that the error runs in even powers of h, and
extrapolation over h, h/2, h/4 (Romberg) takes it from some 1e-4 down to 1e-9.
"""

import numpy as np
from scipy import stats

# Largest change that the last refinement may make to an extrapolated number. What is left after it
# is smaller still; it leaves room below the 1e-6 that the package promises.
STABLE = 1e-7


class Cells:
    """The model on cells of width `h`; a law is (P(X = 0), probability of each cell)."""

    def __init__(self, params, top, h):
        self.h, self.s, self.S = h, params.s, params.S
        num_cells = round(top / h)
        self.borders = h * np.arange(num_cells + 1)
        self.middles = self.borders[:-1] + h / 2
        self.is_due = self.borders[1:] <= params.s + h / 4
        self.demand = stats.lognorm(s=params.σ, scale=np.exp(params.μ))
        below = self.demand.cdf(np.append(0, self.middles))
        # P(demand takes a stock from the middle of a cell to k cells below), k = 0, 1, ...
        self.falls = np.fft.rfft(np.diff(below), 2 * num_cells)
        self.to_zero = self.demand.sf(self.middles)

    def from_stock(self, stock):
        """The law of (stock - D)^+ for a given stock."""
        below = self.demand.sf(stock - self.borders)
        return below[0], np.diff(below)

    def not_restocked(self, cells):
        """The law of (X - D)^+, X being in the given cells."""
        size = cells.size
        moved = np.fft.irfft(np.fft.rfft(cells, 2 * size) * self.falls.conj(), 2 * size)
        return cells @ self.to_zero, moved[:size]

    def laws(self, x_init, dates):
        """The laws of X_t at the dates, by moving the law from period to period."""
        zero, cells = self.from_stock(self.S if x_init <= self.s else x_init)
        fresh_zero, fresh = self.from_stock(self.S)
        for t in range(1, max(dates) + 1):
            if t in dates:
                yield zero, cells
            due = zero + cells[self.is_due].sum()
            zero, cells = self.not_restocked(np.where(self.is_due, 0.0, cells))
            zero, cells = zero + due * fresh_zero, cells + due * fresh

    def cycle(self, stock):
        """Laws of the stock 1, 2, ... periods on, on the event that no restock came between."""
        zero, cells = self.from_stock(stock)
        while zero + cells.sum() > 1e-17:
            yield zero, cells
            zero, cells = self.not_restocked(np.where(self.is_due, 0.0, cells))

    def time_to_restock(self, stock, num_periods):
        """P(a stock above s first falls to s after n periods), n = 0, ..., num_periods - 1."""
        pmf = np.zeros(num_periods)
        for n, (zero, cells) in zip(
            range(1, num_periods), self.cycle(stock), strict=False
        ):
            pmf[n] = zero + cells[self.is_due].sum()
        return pmf

    def stationary(self):
        """Share of a cycle's periods at each stock, by the renewal–reward theorem."""
        zeros, cells = zip(*self.cycle(self.S), strict=True)
        zero, cells = sum(zeros), np.sum(cells, axis=0)
        length = zero + cells.sum()
        return zero / length, cells / length

    def restock_pmf(self, x_init, num_periods):
        """Law of the number of restocks in periods 0, ..., T - 1: of renewals, k times in a row."""
        T = num_periods
        at_once = np.eye(1, T)[0]
        # P(the k-th restock is in period t), t = 0, ..., T - 1
        wait = at_once if x_init <= self.s else self.time_to_restock(x_init, T)
        between = self.time_to_restock(self.S, T)
        at_least = [1.0]  # P(count >= k)
        for _ in range(T):
            at_least.append(wait.sum())
            wait = np.convolve(wait, between)[:T]
        return -np.diff([*at_least, 0.0])

    def numbers(self, law, x):
        """P(X <= x) at each border x, E X, the standard deviation of X, P(X = 0)."""
        zero, cells = law
        cdf = zero + np.append(0, np.cumsum(cells))
        at = np.rint(np.asarray(x) / self.h).astype(int)
        mean = cells @ self.middles
        variance = zero * mean**2 + cells @ (self.middles - mean) ** 2
        return np.array([*cdf[at], mean, np.sqrt(variance), zero])


def extrapolated(params, top, unit, numbers):
    """``numbers(Cells)`` in the limit of narrow cells; s, S, X_0 are multiples of `unit`."""
    coarse, medium, fine = (
        np.asarray(numbers(Cells(params, top, unit / n))) for n in (20, 40, 80)
    )
    second = medium + (medium - coarse) / 3, fine + (fine - medium) / 3
    limit = second[1] + (second[1] - second[0]) / 15
    assert np.abs(limit - second[1]).max() < STABLE, "narrower cells are needed"
    return limit
