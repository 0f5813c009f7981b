"""The top-down algorithm of the expiring stock in Numba: rows of states in parallel.

Rows and parents are those of `lectures_helpers.expiry.top_down`.  A child of a state that sells
off sells one unit more, and nothing is searched; at any other state keeping the stock is compared
with selling one unit.  So a state takes one search at most, over k orders and d_max + 1 demands.
Two ways to write that search:

- direct: a loop over orders, in it one over demands, and in that the next state, as the model
  defines it.  It is what one writes first.
- by rows: the loops change places.  An order is the last digit of the next state's number: as
  long as demand leaves it alone, the values for all k orders lie side by side, and one more unit
  of demand moves on to the k values of the parent.  What demand that reaches the order leads to
  depends on the total stock alone, and is tabulated once a period.

Both are float32; their tables are made before, and nothing is allocated for a state.  The numbers
of ages and levels are constants of the compiled code, so that the compiler unrolls the short
loops; the direct search is also there with both as arguments, as a package would have it.
"""

import functools

import numba
import numpy as np

from benchmarks import expiry_numba_tensor

BLOCK = 256  # states of a row that a thread takes at a time
# s, h, c, r, θ and α, as the kernels unpack them.
PRICES = ("salvage", "holding_cost", "unit_cost", "price", "disposal_cost", "discount")


def tables(model, period):
    """A period's numbers as NumPy arrays and float32, up to all the stock that there can be."""
    full = (model.num_ages + 1) * (model.num_levels - 1) + 1
    pmf, cdf, sales, waste = (np.asarray(a) for a in period[:4])
    cdf = np.pad(cdf, (0, max(0, full - cdf.size)), constant_values=1)
    sales = np.pad(sales, (0, max(0, full - sales.size)), mode="edge")
    return (
        pmf,
        cdf,
        sales,
        waste,
        *(np.float32(getattr(period, name)) for name in PRICES),
    )


def kernels(m, k):
    """The backups for m classes of k levels, by name; each is compiled when it is first called.

    Each is a function of (values, m, k, *tables) with values (k^m,) float32, and returns V_t.
    """
    return {
        "top-down, direct, m and k arguments": _direct(None, None),
        "top-down, direct": _direct(m, k),
        "top-down, by rows": _by_rows(m, k),
        "tensor recursion": expiry_numba_tensor.backup,
    }


@functools.cache
def _direct(m, k):
    return _top_down(_search_direct(m, k))


@functools.cache
def _by_rows(m, k):
    return _top_down(_search_by_rows(m, k))


def _top_down(search):
    """The walk over the rows, with a search that values keeping the stock of a state."""

    @numba.njit(fastmath=True)
    def fill(made, sells, start, stop, size, m, k, values, after, numbers):
        """Fill the states from `start` on, whose parents are `size` states before them."""
        x, means = np.empty(m, np.int64), np.empty(k, np.float32)
        s = numbers[4]
        for state in range(start, stop):
            one_more = s + made[state - size]
            if sells[state - size]:
                made[state], sells[state] = one_more, True
            else:
                kept = search(state, x, means, values, after, numbers)
                made[state], sells[state] = max(kept, one_more), kept < one_more

    @numba.njit(fastmath=True, parallel=True)
    def backup(values, m, k, *numbers):
        made, sells = np.empty_like(values), np.empty(values.size, np.bool_)
        after = _after_clearing(values, m, k, numbers)
        x, means = np.empty(m, np.int64), np.empty(k, np.float32)
        made[0], sells[0] = search(0, x, means, values, after, numbers), False
        for newer in range(m):
            size = k**newer
            blocks = (size + BLOCK - 1) // BLOCK
            for b in range(1, k):
                row = b * size
                if blocks == 1:  # no work to share
                    fill(
                        made, sells, row, row + size, size, m, k, values, after, numbers
                    )
                else:
                    for block in numba.prange(blocks):
                        start = row + block * BLOCK
                        stop = min(start + BLOCK, row + size)
                        fill(
                            made, sells, start, stop, size, m, k, values, after, numbers
                        )
        return made

    return backup


def _search_direct(fixed_m, fixed_k):
    @numba.njit(fastmath=True)
    def search(state, x, means, values, after, numbers):
        """W(x), the value of keeping all of x at the best order."""
        pmf, _, sales, waste, _, h, c, r, θ, α = numbers
        m = x.size if fixed_m is None else fixed_m
        k = means.size if fixed_k is None else fixed_k
        total = _digits(state, x, k)
        best = np.float32(-np.inf)
        for q in range(k):
            mean = r * sales[total + q] - c * np.float32(q)
            for demand in range(pmf.size):
                short = max(demand - x[0], 0)
                number = 0
                for i in range(
                    1, m
                ):  # served oldest first, and a class older afterwards
                    number = number * k + max(x[i] - short, 0)
                    short = max(short - x[i], 0)
                mean += pmf[demand] * values[number * k + max(q - short, 0)]
            best = max(best, mean)
        return α * (best - θ * waste[x[0]]) - h * np.float32(total)

    return search


def _search_by_rows(m, k):
    strides = tuple(k ** (m - 1 - i) for i in range(m))

    @numba.njit(fastmath=True)
    def search(state, x, means, values, after, numbers):
        """W(x), the value of keeping all of x at the best order."""
        pmf, cdf, _, waste, _, h, _, _, θ, α = numbers
        total = _digits(state, x, k)
        row = (state - x[0] * strides[0]) * k
        demand = x[0]
        p = cdf[demand]
        for q in range(k):
            means[q] = after[total, q] + p * values[row + q]
        for i in range(1, m):
            reached = min(x[i], pmf.size - 1 - demand)
            for _ in range(reached):
                demand += 1
                row -= strides[i - 1]
                p = pmf[demand]
                for q in range(k):
                    means[q] += p * values[row + q]
        best = means[0]
        for q in range(1, k):
            best = max(best, means[q])
        return α * (best - θ * waste[x[0]]) - h * np.float32(total)

    return search


@numba.njit(fastmath=True)
def _after_clearing(values, m, k, numbers):
    """By total stock and order: what is sold and paid, and demand that reaches the order."""
    pmf, _, sales, _, _, _, c, r, _, _ = numbers
    after = np.empty((m * (k - 1) + 1, k), np.float32)
    for total in range(after.shape[0]):
        for q in range(k):
            mean = r * sales[total + q] - c * np.float32(q)
            for demand in range(total + 1, pmf.size):
                mean += pmf[demand] * values[max(q - (demand - total), 0)]
            after[total, q] = mean
    return after


@numba.njit
def _digits(state, x, k):
    """Write a state's classes into x, the oldest first; return how much stock they hold."""
    total = 0
    for i in range(x.size - 1, -1, -1):
        x[i] = state % k
        state //= k
        total += x[i]
    return total
