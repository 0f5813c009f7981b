"""A stock that expires, unit by unit: an oracle for the solvers, policies and simulations.

Deliberately naive.  A shelf is a list with one number for each unit, the periods in which
it can still be sold; a period takes units off that list one at a time.  Expectations are
sums over every demand, the best decision is found by trying all of them, and the policies
are read from their formulas state by state.  Nothing comes from the package.
"""

import itertools
import math
from functools import cache
from typing import NamedTuple

import numpy as np


class Shop(NamedTuple):
    """The data of a model, in the field's symbols; `pmf` has a row for each period."""

    m: int
    k: int
    pmf: np.ndarray
    s: float
    h: float
    c: float
    r: float
    θ: float
    α: float


class Outcome(NamedTuple):
    """What one period does, in units."""

    stock: tuple  #: of the next period, by class
    sold_off: int
    kept: int  #: after selling off, before the order comes
    ordered: int
    sold: int
    lost: int
    expired: int


# ----------------------------------------------------------------------- one period


def shelf_of(x):
    """One number for each unit, oldest first: the periods in which it can be sold.

    >>> shelf_of((2, 0, 1))
    [1, 1, 3]
    """
    return [life for life, units in enumerate(x, start=1) for _ in range(units)]


def stock_of(shelf, m):
    """Units by class, from a shelf in any order.

    >>> stock_of([1, 3, 1], 3)
    (2, 0, 1)
    """
    return tuple(shelf.count(life) for life in range(1, m + 1))


def sell_off(x, z):
    """dep(x, z): take z units off the shelf, oldest first; all of them if there are fewer."""
    shelf = shelf_of(x)
    for _ in range(z):
        if shelf:
            shelf.pop(0)
    return stock_of(shelf, len(x))


def live_through(x, z, q, demand):
    """One period, unit by unit.

    >>> live_through((4, 1, 2), 2, 3, 4).stock
    (0, 1, 3)
    >>> live_through((4, 1, 2), 0, 0, 1)
    Outcome(stock=(1, 2, 0), sold_off=0, kept=7, ordered=0, sold=1, lost=0, expired=3)
    """
    m = len(x)
    shelf = shelf_of(x)
    for _ in range(z):
        shelf.pop(0)  # IndexError: more than is there
    kept = len(shelf)
    shelf += [m + 1] * q
    sold = 0
    for _ in range(demand):
        if shelf:
            shelf.pop(0)
            sold += 1
    expired = shelf.count(1)
    aged = [life - 1 for life in shelf if life > 1]
    return Outcome(stock_of(aged, m), z, kept, q, sold, demand - sold, expired)


def earns(shop, outcome):
    """What a period earns, money of its start."""
    at_end = (
        -shop.c * outcome.ordered + shop.r * outcome.sold - shop.θ * outcome.expired
    )
    return shop.s * outcome.sold_off - shop.h * outcome.kept + shop.α * at_end


def states(m, k):
    """All of them, in the order of their numbers.

    >>> states(2, 2)
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    return list(itertools.product(range(k), repeat=m))


@cache
def _tables(m, k, d_max):
    """`live_through` from every stock y that is left after selling off: y, q, D -> units.

    Depends on no price, so that many models of one size share it.  The second table is
    `sell_off`: x, z -> the number of y.
    """
    xs = states(m, k)
    number = {x: i for i, x in enumerate(xs)}
    shape = (len(xs), k, d_max + 1)
    after, sold, expired = (np.empty(shape, int) for _ in range(3))
    for i, y in enumerate(xs):
        for q in range(k):
            for d in range(d_max + 1):
                out = live_through(y, 0, q, d)
                after[i, q, d] = number[out.stock]
                sold[i, q, d], expired[i, q, d] = out.sold, out.expired
    left = [[number[sell_off(x, z)] for z in range(sum(x) + 1)] for x in xs]
    return after, sold, expired, left


def _worth(shop, later, pmf):
    """Mean of what follows from stock y, order q, (k^m, k); s-terms apart."""
    after, sold, expired, _ = _tables(shop.m, shop.k, len(pmf) - 1)
    gain = shop.r * sold - shop.θ * expired + later[after]
    q = np.arange(shop.k)
    kept = np.array([sum(x) for x in states(shop.m, shop.k)])
    return -shop.h * kept[:, None] + shop.α * (gain @ pmf - shop.c * q)


# -------------------------------------------------------------------- the whole horizon


class Optimum(NamedTuple):
    values: list  #: V_0, ..., V_T, (k,) * m each
    depletion: np.ndarray  #: (T,) + (k,) * m
    order: np.ndarray  #: (T,) + (k,) * m


def terminal(shop):
    """V_T = s |x|, (k^m,)."""
    return np.array([shop.s * sum(x) for x in states(shop.m, shop.k)], float)


def solve(shop, T, tie=1e-9):
    """Try every decision in every state; ties go to the smallest z, then the smallest q.

    Args:
        shop: a `Shop`; ``pmf`` of T rows.
        T: number of periods.
        tie: difference that is rounding, relative to max(1, max |V|): far above the 1e-14
            that sums of a few products leave, far below what distinct decisions differ by.
    """
    grid = (shop.k,) * shop.m
    later = terminal(shop)
    values, depletion, order = [later], [], []
    left = _tables(shop.m, shop.k, 0)[3]
    for t in reversed(range(T)):
        worth = _worth(shop, later, shop.pmf[t])
        slack = tie * max(1.0, np.abs(later).max())
        best, zs, qs = (np.zeros(len(left)) for _ in range(3))
        for i, ys in enumerate(left):
            options = np.array([shop.s * z + worth[y] for z, y in enumerate(ys)])
            best[i] = options.max()
            zs[i], qs[i] = np.argwhere(options >= best[i] - slack)[0]  # in order z, q
        later = best
        values.append(best)
        depletion.append(zs.astype(int).reshape(grid))
        order.append(qs.astype(int).reshape(grid))
    shape = (T, *grid)
    return Optimum(
        [v.reshape(grid) for v in values[::-1]],
        np.array(depletion[::-1], int).reshape(shape),
        np.array(order[::-1], int).reshape(shape),
    )


def evaluate(shop, depletion, order, T):
    """What a policy, (T,) + (k,) * m of z and q, is worth from each state."""
    later = terminal(shop)
    left = _tables(shop.m, shop.k, 0)[3]
    for t in reversed(range(T)):
        worth = _worth(shop, later, shop.pmf[t])
        z, q = depletion[t].ravel(), order[t].ravel()
        later = np.array(
            [shop.s * z[i] + worth[ys[z[i]], q[i]] for i, ys in enumerate(left)]
        )
    return later.reshape((shop.k,) * shop.m)


def follow(shop, depletion, order, x, demands):
    """Discounted earnings of one path: these demands, from stock x."""
    total = 0.0
    for t, demand in enumerate(demands):
        out = live_through(x, int(depletion[t][x]), int(order[t][x]), demand)
        total += shop.α**t * earns(shop, out)
        x = out.stock
    return total + shop.α ** len(demands) * shop.s * sum(x)


def every_path(shop, depletion, order, x, T):
    """The law of `follow`: (earnings, probability) of every sequence of demands."""
    d_max = len(shop.pmf[0]) - 1
    for demands in itertools.product(range(d_max + 1), repeat=T):
        probability = math.prod(shop.pmf[t][d] for t, d in enumerate(demands))
        if probability > 0:
            yield follow(shop, depletion, order, x, demands), probability


# --------------------------------------------------------------------------- policies


def half_up(number):
    """Round, halves up; a hair below a half is a half that rounding has moved."""
    return math.floor(number + 0.5 + 1e-9)


def fluid_decision(x, k, period, means, max_hold=math.inf):
    """z and q of the fluid policy in one state; `means` are the mean demands from t = 0 on.

    What a class has too many of is what would expire if each period sold its mean.
    """
    z = 0
    if period == 0:
        perish = 0.0
        for i in range(1, len(x) + 1):
            perish = max(perish, sum(x[:i]) - sum(means[:i]))
        more = 0.0
        if max_hold < math.inf:
            more = max(0.0, sum(x) - perish - max_hold * means[0])
        z = half_up(perish + more)
    return z, min(k - 1, half_up(max(0.0, means[period] - (sum(x) - z))))


def newsvendor_decision(x, k, level, keep_oldest=None):
    """z and q of the policy that orders up to a level."""
    z = 0 if keep_oldest is None else max(0, x[0] - keep_oldest)
    return z, min(k - 1, max(0, level - (sum(x) - z)))


def by_thresholds(x, found):
    """Units to sell off in state x; `found` has an array for each class, oldest first.

    Reads from the newest class to the oldest; the first that is above its threshold is
    sold down to it, and all that is older with it.
    """
    for i in reversed(range(len(x))):
        threshold = int(found[i][x[i + 1 :]])
        if x[i] > threshold:
            return x[i] - threshold + sum(x[:i])
    return 0
