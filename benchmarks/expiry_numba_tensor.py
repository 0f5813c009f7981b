"""The tensor backup's own recursion in Numba: what the algorithm does under another compiler.

The steps are those of `lectures_helpers.expiry.tensor`, with values alone, in float32:

- fronts: what follows a front of n units, from the longest front down, each from the one before;
- columns (u_2, ..., u_{m-1}), some at a time, so that the chains of all n and orders q stay in a
  core's nearest cache while the first class behind the front grows from 0 to k - 1 units;
- a running maximum for what is sold off.

Blocks of columns, and rows of the maximum, go to all cores.
"""

import numba
import numpy as np

COLUMNS = 16  # that a core works on at a time: a vector or two of them


def backup(values, m, k, *tables):
    """One period back: V_{t+1}, (k^m,) float32, and `expiry_numba.tables` -> V_t."""
    pmf, cdf, sales, waste, s, h, c, r, θ, α = tables
    columns = k ** (m - 2)
    longest = max(2 * k - 1, pmf.size - 1)
    empty = values[: k ** (m - 1)].reshape(columns, k)  # of the oldest class; column, q
    chains = _fronts(np.ascontiguousarray(empty.T), m, k, longest, cdf, sales, c, r)
    between = np.indices((k,) * (m - 2)).reshape(m - 2, columns).sum(0)
    kept = _columns(values.reshape(k, columns, k), chains, cdf, waste, between, h, θ, α)
    return _running_maximum(kept.ravel(), m, k, s)


@numba.njit(parallel=True, fastmath=True)
def _fronts(behind, m, k, longest, cdf, sales, c, r):
    """(2 k - 1, k, columns): n, q, column."""
    columns = behind.shape[1]
    parent = np.empty(
        columns, np.int64
    )  # one unit less of the oldest class that has any
    for column in range(columns):
        stride, rest = columns, column
        parent[column] = -1
        while stride > 1:
            stride //= k
            if rest >= stride:
                parent[column] = column - stride
                break
    table, next_table = np.empty_like(behind), np.empty_like(behind)
    result = np.empty((2 * k - 1, k, columns), behind.dtype)
    for q in range(k):
        for column in range(columns):
            table[q, column] = (
                behind[q, column] + r * sales[longest] - c * np.float32(q)
            )
    for n in range(longest - 1, -1, -1):
        reached = cdf[n]
        for q in numba.prange(k):
            for column in range(1, columns):
                up = parent[column]
                rise = behind[q, column] - behind[q, up]
                next_table[q, column] = table[q, up] + reached * rise
            # Nothing stands before the order: its first unit meets the demand that is left.
            if q == 0:
                next_table[0, 0] = behind[0, 0] + r * sales[n]
            else:
                rise = behind[q, 0] - behind[q - 1, 0]
                next_table[q, 0] = table[q - 1, 0] + reached * rise - c
            if n < 2 * k - 1:
                result[n, q] = next_table[q]
        table, next_table = next_table, table
    return result


@numba.njit(parallel=True, fastmath=True)
def _columns(values, chains, cdf, waste, between, h, θ, α):
    """W, (k, k, columns): y_1, u_1, column."""
    k, columns, _ = values.shape
    kept = np.empty((k, k, columns), values.dtype)
    for block in numba.prange((columns + COLUMNS - 1) // COLUMNS):
        first = block * COLUMNS
        size = min(COLUMNS, columns - first)
        chain = np.zeros((2 * k - 1, k, COLUMNS), values.dtype)
        chain[:, :, :size] = chains[:, :, first : first + size]
        rise = np.zeros((k, COLUMNS), values.dtype)
        best = np.empty(COLUMNS, values.dtype)
        for u_1 in range(k):
            if u_1 > 0:
                for j in range(size):
                    for q in range(k):
                        rise[q, j] = (
                            values[u_1, first + j, q] - values[u_1 - 1, first + j, q]
                        )
                for n in range(u_1, 2 * k - 1):
                    reached = cdf[n - u_1]
                    for q in range(k):
                        for j in range(COLUMNS):
                            chain[n, q, j] += reached * rise[q, j]
            for y_1 in range(k):
                best[:] = chain[u_1 + y_1, 0]
                for q in range(1, k):
                    for j in range(COLUMNS):
                        best[j] = max(best[j], chain[u_1 + y_1, q, j])
                for j in range(size):
                    held = np.float32(y_1 + u_1 + between[first + j])
                    kept[y_1, u_1, first + j] = (
                        α * (best[j] - θ * waste[y_1]) - h * held
                    )
    return kept


@numba.njit(parallel=True, fastmath=True)
def _running_maximum(kept, m, k, s):
    """V from W: the newest class alone first, then with each older one."""
    values = kept.copy()
    for newer in range(m):
        size = k**newer
        for b in range(1, k):
            row = b * size
            for i in numba.prange(size):
                values[row + i] = max(values[row + i], values[row + i - size] + s)
    return values
