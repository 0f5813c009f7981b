"""Base stock event by event in Numba: what one would write for speed without JAX.

Replications run in parallel.  Each draws its demands once and runs every level on them.  With a
deterministic lead time orders arrive in the order in which they were placed, so a pointer is
enough; random ones need a heap.
"""

import heapq

import numba
import numpy as np


@numba.njit(parallel=True, fastmath=True)
def deterministic(rate, lead_time, levels, num_demands, num_replications, seed):
    """Mean holding time, mean wait and fill rate: arrays (levels, replications)."""
    held = np.empty((levels.size, num_replications))
    waited = np.empty_like(held)
    filled = np.empty_like(held)
    for replication in numba.prange(num_replications):
        np.random.seed(seed + replication)  # noqa: NPY002  Numba has no other in parallel
        demands = np.random.exponential(1 / rate, num_demands).cumsum()  # noqa: NPY002
        for i in range(levels.size):
            now = 0.0
            on_hand, backorders = levels[i], 0
            stock_time = queue_time = 0.0
            at_once = 0
            placed = arrived = 0  # orders
            while placed < num_demands:
                due = demands[arrived] + lead_time if arrived < placed else np.inf
                demand = demands[placed]
                if due <= demand:
                    stock_time += on_hand * (due - now)
                    queue_time += backorders * (due - now)
                    now = due
                    arrived += 1
                    if backorders > 0:
                        backorders -= 1
                    else:
                        on_hand += 1
                else:
                    stock_time += on_hand * (demand - now)
                    queue_time += backorders * (demand - now)
                    now = demand
                    placed += 1
                    if on_hand > 0:
                        on_hand -= 1
                        at_once += 1
                    else:
                        backorders += 1
            held[i, replication] = stock_time / num_demands
            waited[i, replication] = queue_time / num_demands
            filled[i, replication] = at_once / num_demands
    return held, waited, filled


@numba.njit(parallel=True, fastmath=True)
def random(rate, lead_time, levels, num_demands, num_replications, seed):
    """The same with exponential lead times, which cross."""
    held = np.empty((levels.size, num_replications))
    waited = np.empty_like(held)
    filled = np.empty_like(held)
    for replication in numba.prange(num_replications):
        np.random.seed(seed + replication)  # noqa: NPY002  Numba has no other in parallel
        demands = np.random.exponential(1 / rate, num_demands).cumsum()  # noqa: NPY002
        lead_times = np.random.exponential(lead_time, num_demands)  # noqa: NPY002
        for i in range(levels.size):
            now = 0.0
            on_hand, backorders = levels[i], 0
            stock_time = queue_time = 0.0
            at_once = placed = 0
            due = [np.inf]
            while placed < num_demands:
                demand = demands[placed]
                if due[0] <= demand:
                    arrival = heapq.heappop(due)
                    stock_time += on_hand * (arrival - now)
                    queue_time += backorders * (arrival - now)
                    now = arrival
                    if backorders > 0:
                        backorders -= 1
                    else:
                        on_hand += 1
                else:
                    stock_time += on_hand * (demand - now)
                    queue_time += backorders * (demand - now)
                    now = demand
                    heapq.heappush(due, demand + lead_times[placed])
                    placed += 1
                    if on_hand > 0:
                        on_hand -= 1
                        at_once += 1
                    else:
                        backorders += 1
            held[i, replication] = stock_time / num_demands
            waited[i, replication] = queue_time / num_demands
            filled[i, replication] = at_once / num_demands
    return held, waited, filled
