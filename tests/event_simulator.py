"""Inventory systems event by event: an oracle for the matched simulators.

Deliberately naive: a calendar of events in a heap, a queue of customers, a shelf of units, and
nothing else.  It draws nothing: demand times and lead times are given.  It only adds and compares
them, so that a run in `fractions.Fraction` is exact and a run in floats rounds once per order (its
arrival time is ``time + lead_time``).

At one and the same time arrivals come before demands.  A demand is therefore filled at once if its
unit arrives at or before it; that holds as well for a unit that it orders itself, with lead time 0.
"""

import heapq
import itertools
import math
from collections import deque
from typing import NamedTuple

ARRIVAL, DEMAND = 0, 1  # in the order in which simultaneous events are handled


class State(NamedTuple):
    """The system from `time` until the next event."""

    time: object
    on_hand: int
    on_order: int
    backorders: int

    @property
    def inventory_position(self):
        return self.on_hand + self.on_order - self.backorders


class Path(NamedTuple):
    """One run; the first three lists have an entry per demand, in order."""

    arrivals: (
        list  #: U_j, when the unit that serves demand j arrived; inf if none ever does
    )
    served: list  #: max(U_j, A_j)
    filled: list  #: is demand j filled at once, U_j <= A_j?
    history: (
        list  #: a `State` at time 0 and after each event, the last arrivals included
    )


class Averages(NamedTuple):
    """Averages over time."""

    on_hand: object
    backorders: object
    ready: object  #: share of the time with stock on hand
    backorder_share: dict  #: level -> share of the time with so many backorders


def base_stock(demand_times, lead_times, level):
    """Run a base-stock system: each demand orders one unit.

    Args:
        demand_times: A_1 <= A_2 <= ..., none negative.
        lead_times: of the unit that is ordered by each demand; orders may cross.
        level: units on hand at time 0, an integer >= 0.

    Returns:
        A `Path`. Every demand is served.  The inventory position is `level` throughout.

    >>> path = base_stock([1, 2, 3], [4, 1, 5], level=1)
    >>> path.arrivals, path.served, path.filled
    ([0, 3, 5], [1, 3, 5], [True, False, False])
    >>> time_averages(path.history, 0, 5)
    Averages(on_hand=0.2, backorders=0.6, ready=0.2, backorder_share={0: 0.4, 1: 0.6})
    """
    if level < 0:
        raise ValueError(f"level must be >= 0, got {level}")
    return _run(demand_times, lead_times, 1, level - 1)


def qr(demand_times, lead_times, quantity, reorder_point):
    """Run a (Q, R) system: an order of Q when the inventory position falls to R.

    Args:
        demand_times: A_1 <= A_2 <= ..., none negative.
        lead_times: of the 1st, 2nd, ... order; one is needed for each Q demands.
        quantity: Q, an integer >= 1.
        reorder_point: R, an integer >= -Q; R + Q units are on hand at time 0.

    Returns:
        A `Path`.  With R < 0 the last demands may wait for an order that only later demands would
        place: they are never served in this run (arrival and service at infinity), and remain
        backorders to the end of the history.  The inventory position is in R + 1, ..., R + Q
        throughout.

    >>> path = qr([1, 2, 3, 4, 5], [2, 2], quantity=2, reorder_point=-1)
    >>> path.arrivals, path.filled
    ([0, 4, 4, 6, 6], [True, False, False, False, False])
    >>> qr([1, 2, 3, 4], [2, 2], quantity=2, reorder_point=-2).arrivals
    [4, 4, 6, 6]
    >>> qr([1, 2, 3], [2], quantity=2, reorder_point=-2).served
    [4, 4, inf]
    """
    if quantity < 1 or reorder_point < -quantity:
        raise ValueError(f"no (Q, R) system: Q = {quantity}, R = {reorder_point}")
    return _run(demand_times, lead_times, quantity, reorder_point)


def eoq(demand_times, quantity):
    """Run a system without lead times: a lot of Q arrives the moment that stock is gone.

    The demand that takes the last unit and the arrival of the next lot are one event, so that
    there is always stock on hand.

    >>> path = eoq([1, 3, 4], quantity=2)
    >>> path.arrivals, [state.on_hand for state in path.history]
    ([0, 0, 3], [2, 1, 2, 1])
    """
    if quantity < 1:
        raise ValueError(f"quantity must be >= 1, got {quantity}")
    _check_times(demand_times)
    shelf = deque([0] * quantity)
    arrivals, history = [], [State(0, len(shelf), 0, 0)]
    for time in demand_times:
        arrivals.append(shelf.popleft())
        if not shelf:
            shelf.extend([time] * quantity)
        history.append(State(time, len(shelf), 0, 0))
    return Path(arrivals, list(demand_times), [True] * len(arrivals), history)


def time_averages(history, start, end):
    """Average a history over the time from `start` to `end`.

    Exact if times are fractions.  After the last event the state stays as it is.

    Args:
        history: of a `Path`.
        start: when the averages begin, at or after the first state of the history.
        end: when they end, after `start`.
    """
    if not history[0].time <= start < end:
        raise ValueError(f"no averages from {start} to {end}")
    on_hand = backorders = ready = 0
    at_level = {}
    ends = [state.time for state in history[1:]] + [end]
    for state, next_time in zip(history, ends, strict=True):
        length = min(next_time, end) - max(state.time, start)
        if length <= 0:
            continue
        on_hand += length * state.on_hand
        backorders += length * state.backorders
        ready += length * (state.on_hand > 0)
        at_level[state.backorders] = at_level.get(state.backorders, 0) + length
    total = end - start
    share = {level: at_level[level] / total for level in sorted(at_level)}
    return Averages(on_hand / total, backorders / total, ready / total, share)


def _run(demand_times, lead_times, quantity, reorder_point):
    _check_times(demand_times)
    calendar = [(time, DEMAND, j) for j, time in enumerate(demand_times)]
    heapq.heapify(calendar)
    orders = itertools.count()  # numbers orders from 0
    shelf = deque([0] * (reorder_point + quantity))  # arrival time of each unit on hand
    waiting = deque()  # numbers of the demands that wait
    on_order = 0
    unit_of = [math.inf] * len(demand_times)
    history = [State(0, len(shelf), 0, 0)]

    while calendar:
        time, kind, number = heapq.heappop(calendar)
        if kind == ARRIVAL:
            on_order -= quantity
            for _ in range(quantity):
                if waiting:
                    unit_of[waiting.popleft()] = time
                else:
                    shelf.append(time)
        else:
            if shelf:
                unit_of[number] = shelf.popleft()
            else:
                waiting.append(number)
            if len(shelf) + on_order - len(waiting) == reorder_point:
                on_order += quantity
                order = next(orders)
                if order >= len(lead_times) or lead_times[order] < 0:
                    raise ValueError(f"order {order} needs a lead time >= 0")
                heapq.heappush(calendar, (time + lead_times[order], ARRIVAL, order))
        history.append(State(time, len(shelf), on_order, len(waiting)))

    pairs = list(zip(unit_of, demand_times, strict=True))
    return Path(
        unit_of, [max(U, A) for U, A in pairs], [U <= A for U, A in pairs], history
    )


def _check_times(times):
    if any(later < earlier for earlier, later in itertools.pairwise([0, *times])):
        raise ValueError("demand times must be >= 0, and none may fall")
