"""Exact optima in Stockpyl, of models that are given as ours: a policy and its cost in our units.

Stockpyl has money per unit of time where we have money per demand, and no price of a unit but
in the newsvendor; a unit of time is what the rates are per, here a year.
"""

import math

from stockpyl import eoq, newsvendor, rq


def lot_size(params):
    """EOQ: (Q,), cost per unit sold."""
    Q, cost = eoq.economic_order_quantity(
        params.setup_cost, params.holding_cost, params.demand_rate
    )
    return (Q,), params.unit_cost + cost / params.demand_rate


def season(params, dist):
    """Newsvendor with normal demand: (Q,), expected profit."""
    Q, profit = newsvendor.newsvendor_normal_explicit(
        params.price, params.unit_cost, params.salvage,
        dist.mean, dist.mean * math.sqrt(dist.scv),
    )  # fmt: skip
    return (Q,), profit


def lots(params):
    """(Q, r) with Poisson demand: (Q, r), cost per demand."""
    r, Q, cost = rq.r_q_poisson_exact(
        params.holding_cost, params.backorder_cost, params.setup_cost,
        params.demand_rate, params.lead_time,
    )  # fmt: skip
    return (Q, r), params.unit_cost + cost / params.demand_rate
