"""The best (s, S) in Stockpyl, of a shop that is given as ours."""

from stockpyl import ss


def levels(shop, mean):
    """Poisson demand, no lead time: (s, S), cost a period."""
    s, S, cost = ss.s_s_discrete_exact(
        shop.holding_cost, shop.backorder_cost, shop.setup_cost, True, mean
    )
    return (s, S), cost


def levels_by_probabilities(shop, mean):
    """The same, from a list of probabilities, which need not be computed again."""
    s, S, cost = ss.s_s_discrete_exact(
        shop.holding_cost, shop.backorder_cost, shop.setup_cost, False,
        demand_hi=shop.demand_pmf.size - 1, demand_pmf=shop.demand_pmf.tolist(),
    )  # fmt: skip
    return (s, S), cost
