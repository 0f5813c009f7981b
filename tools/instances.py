"""Solved instances, to be cited: `make instances` computes them and writes book/assets/instances.json.

    python -m tools.instances [--large]

Each group of instances is one function here; it returns dictionaries of one form (`FIELDS`). What
takes minutes, and gigabytes, is computed with `--large` only: without it such instances stay in
the file as they are. On two idle cores the rest takes two minutes and a half.
"""

import argparse
import json
import math
import time

import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from scipy import optimize, stats

from lectures_helpers import precision, value_iteration
from lectures_helpers.dynamics import ss, ss_exact
from lectures_helpers.expiry import issuing
from lectures_helpers.optimal import dual_sourcing, lost_sales, periodic, serial
from tools import course

FILE = course.ROOT / "book" / "assets" / "instances.json"
VERSION = 1  # of the form; a field that changes its meaning gets a new name

FIELDS = {
    "name": "unlike any other in the file, and kept for good",
    "model": "the module of the package that holds the model",
    "title": "one line for people",
    "page": "the page of the course that tells it",
    "parameters": "numbers that define the instance; demand as a family and its parameters, "
    "cut where what is left has probability 1e-15, or as probabilities of 0, 1, 2, ...",
    "criterion": "what the costs are: of a period in the long run, or in total",
    "optimum": "value; lower and upper bound on the least cost of any rule; a best policy if it "
    "is a few numbers, or what it earns in a year",
    "precision": "the value differs from the least cost by at most this",
    "proof": "where the bounds come from",
    "rules": "name, parameters and cost of rules that are not best, or not always",
    "published": "who printed what: key of the bibliography, quantity, number as printed, and "
    "whether ours is less than a unit of its last digit away: printers round, or cut",
    "call": "an expression that computes the value, after the lines in `imports`",
    "large": "whether it is computed with `--large` only",
}
IMPORTS = [
    "import numpy as np",
    "from scipy import stats",
    "from lectures_helpers.dynamics import ss, ss_exact",
    "from lectures_helpers.expiry import issuing",
    "from lectures_helpers.optimal import dual_sourcing, lost_sales, periodic, serial",
    "from tools import instances  # in a checkout of the course",
]
AVERAGE = "average cost of a period"
BY_ITERATION = "value iteration in 64 bits: the extremes of TV - V (Odoni 1969)"


def instance(**fields):
    """One instance with all its fields in their order."""
    made = {"rules": [], "published": [], "large": False} | fields
    return {name: made[name] for name in FIELDS}


def described(params, demand):
    """The numbers that define an instance, in the model's order, with its demand in words."""
    fields = params._replace(demand_pmf=demand)._asdict()
    return {name.removesuffix("_pmf"): value for name, value in fields.items()}


def optimum(value, lower, upper, **policy):
    """Value and bounds, rounded outwards at the twelfth digit."""
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 11)
    found = {
        "value": rounded(value),
        "lower": float(f"{math.floor(lower / unit) * unit:.12g}"),
        "upper": float(f"{math.ceil(upper / unit) * unit:.12g}"),
    }
    return found | ({"policy": policy} if policy else {})


def rounded(x, digits=12):
    return float(f"{x:.{digits}g}")


def printed(cite, what, text, ours):
    """What somebody printed, and whether ours is less than a unit of its last digit away."""
    agrees = abs(float(text) - ours) < 10.0 ** -len(text.partition(".")[2])
    return {"cite": cite, "what": what, "printed": text, "agrees": bool(agrees)}


# ----------------------------------------------------------------- where s and S come from


def poisson_pmf(mean):
    """Probabilities of 0, 1, ..., up to where what is left has probability 1e-15."""
    law = stats.poisson(mean)
    return law.pmf(np.arange(int(law.isf(1e-15)) + 1))


def bounds(shop, low, high, tol=1e-10):
    """Bounds on the least average cost of any rule, by value iteration in 64 bits."""
    with precision.enable_x64(True):
        table = Partial(periodic.backup, periodic.table(shop, low, high))
        found = value_iteration.solve(
            table, jnp.zeros(high - low + 1), tol=tol, max_iterations=200_000
        )
        return float(found.lower), float(found.upper)


def rules_of_thumb(shop):
    """Two rules that need no search, and what they cost."""
    mean = shop.demand_pmf @ np.arange(shop.demand_pmf.size)
    position = np.arange(int(10 * mean * (shop.lead_time + 1)) + 100)
    safe = int(periodic.one_period_cost(shop, position).argmin())
    lot = round(math.sqrt(2 * shop.setup_cost * mean / shop.holding_cost))
    pairs = {
        "every period, up to the best level": (safe - 1, safe),
        "EOQ's lot above the level that G is lowest at": (safe, safe + lot),
    }
    return [
        {
            "name": name,
            "parameters": {"s": s, "S": S},
            "cost": rounded(float(periodic.cost(shop, s, S))),
        }
        for name, (s, S) in pairs.items()
    ]


def poisson_shop(name, mean, K, h, p, lead_time=0, published=()):
    """A shop with Poisson demand, solved by search and enclosed by value iteration."""
    shop = periodic.create_parameters(K, h, p, poisson_pmf(mean), lead_time)
    s, S, cost = periodic.optimal_policy(shop)
    lower, upper = bounds(shop, s - 8 * (S - s) // 4 - 60, S + (S - s) + 60)
    ours = {"cost": cost, "s": s, "S": S}
    return instance(
        name=name,
        model="optimal.periodic",
        title=f"Poisson demand of {mean:g}, K = {K:g}, h = {h:g}, p = {p:g}, L = {lead_time}",
        page="book/optimal/best_levels",
        parameters=described(shop, {"family": "poisson", "mean": mean}),
        criterion=AVERAGE,
        optimum=optimum(cost, min(lower, cost), max(upper, cost), s=s, S=S),
        precision=1e-9,
        proof=BY_ITERATION + "; the value: Zheng and Federgruen's search",
        rules=rules_of_thumb(shop),
        published=[printed(cite, of, text, ours[of]) for cite, of, text in published],
        call=f"periodic.optimal_policy(periodic.create_parameters({K!r}, {h!r}, {p!r}, "
        f"instances.poisson_pmf({mean!r}), {lead_time})).cost",
    )


def levels():
    """Whole units, demand that waits: a fixed cost an order."""
    found = [
        poisson_shop(f"levels-poisson-{mean}", float(mean), 64.0, 1.0, 9.0)
        for mean in range(10, 80, 10)
    ]
    example = [("snyder2019", "s", "4"), ("snyder2019", "S", "10")]
    example.append(("snyder2019", "cost", "8.0341"))
    found.append(
        poisson_shop("levels-snyder-4.7", 6.0, 5.0, 1.0, 4.0, published=example)
    )
    found.append(
        poisson_shop("levels-poisson-10-lead-2", 10.0, 64.0, 1.0, 9.0, lead_time=2)
    )
    return found


# --------------------------------------------------------------------- the firm of Part I

FIRM_COSTS = {"setup_cost": 60.0, "holding_cost": 0.05, "lost_sale_cost": 4.0}


def firm_cost(s, S):
    """Cost of Part I's firm in a period of the long run, from its exact law."""
    flows = ss_exact.flows(ss.create_parameters(s=s, S=S, μ=1.0, σ=0.5), tol=1e-11)
    K, h, p = FIRM_COSTS.values()
    return K * flows.restocks + h * flows.on_hand + p * flows.lost


def firm_in_steps(step):
    """Part I's firm with demand rounded to steps: a shop that counts in them."""
    K, h, p = FIRM_COSTS.values()
    steps = np.arange(int(math.exp(1.0 + 6 * 0.5) / step))
    cdf = stats.norm.cdf((np.log((steps + 0.5) * step) - 1.0) / 0.5)
    pmf = np.diff(cdf, prepend=0.0)
    return periodic.create_parameters(K, h * step, p * step, pmf / pmf.sum())


def firm():
    """Lost sales, no lead time, lognormal demand: in half units, and in real numbers."""
    page, step = "book/optimal/best_levels", 0.5
    note = {"name": "the sticky note", "parameters": {"s": 10.0, "S": 100.0}}
    demand = {"family": "lognormal", "μ": 1.0, "σ": 0.5}
    shop = firm_in_steps(step)
    s, S, cost = periodic.optimal_policy(shop)
    lower, upper = bounds(shop, 0, 2 * S)
    # A level s of the grid stands for the stocks that are rounded to it: order below s + 1/2.
    note_in_steps = int(note["parameters"]["s"] / step), int(100.0 / step)
    in_steps = instance(
        name="firm-half-units",
        model="optimal.periodic",
        title="Part I's firm, demand rounded to half units",
        page=page,
        parameters=FIRM_COSTS | {"demand": demand, "step": step, "lead_time": 0},
        criterion=AVERAGE,
        optimum=optimum(
            cost, min(lower, cost), max(upper, cost), s=s * step, S=S * step
        ),
        precision=1e-9,
        proof=BY_ITERATION,
        rules=[note | {"cost": rounded(float(periodic.cost(shop, *note_in_steps)))}],
        call=f"periodic.optimal_policy(instances.firm_in_steps({step})).cost",
    )
    start = [(s + 0.5) * step, S * step]
    best = optimize.minimize(
        lambda pair: firm_cost(*pair), start, method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-12},
    )  # fmt: skip
    best_s, best_S = (round(float(level), 3) for level in best.x)
    value = firm_cost(best_s, best_S)
    in_real_numbers = instance(
        name="firm",
        model="dynamics.ss_exact",
        title="Part I's firm, lognormal demand as it is",
        page=page,
        parameters=FIRM_COSTS | {"demand": demand, "lead_time": 0},
        criterion=AVERAGE,
        optimum=optimum(value, value - 1e-8, value + 1e-8, s=best_s, S=best_S),
        precision=1e-8,
        proof="an s-S policy is best (Cheng and Sethi 1999); the best one by search, with "
        "costs from a quadrature that no finer grid changes in the ninth digit: not an "
        "enclosure",
        rules=[note | {"cost": rounded(firm_cost(10.0, 100.0))}],
        call=f"instances.firm_cost({best_s!r}, {best_S!r})",
    )
    return [in_steps, in_real_numbers]


# --------------------------------------------------------------------- a season that ends


def season(shop, unit_cost, num_periods, low, high):
    """Cost of a season from an empty shelf, and (s, S) of each period, by induction."""
    x = np.arange(low, high + 1)
    table = periodic.table(shop, low, high)
    mean = shop.demand_pmf @ np.arange(shop.demand_pmf.size)
    # W(x) = V(x) + c x hides the price of a unit in the value at the end.
    end = np.where(x > 0, shop.holding_cost * x, -shop.backorder_cost * x)
    W, pairs = end + unit_cost * x, []
    with precision.enable_x64(True):
        for _ in range(num_periods):
            H = table.period_costs + table.transitions @ W
            orders = x[(H > shop.setup_cost + H.min()) & (x < x[H.argmin()])]
            pairs.insert(0, (int(orders.max(initial=low)), int(x[H.argmin()])))
            W = np.asarray(periodic.backup(table, jnp.asarray(W))) + unit_cost * mean
    return float(W[x == 0].item()), pairs


def normal_pmf(mean, sd, most):
    """A normal law rounded to 0, ..., `most`."""
    pmf = np.diff(stats.norm.cdf(np.arange(most + 2) - 0.5, mean, sd))
    return pmf / pmf.sum()


def known_season(demands, K, h):
    """Least cost of meeting known demands, and the orders, by Wagner and Whitin's recursion."""
    T, demands = len(demands), np.asarray(demands)
    cost, until = np.zeros(T + 1), [0] * T
    for t in reversed(range(T)):
        held = [h * np.arange(n) @ demands[t : t + n] for n in range(1, T - t + 1)]
        options = K + np.array(held) + cost[t + 1 :]
        cost[t], until[t] = options.min(), t + 1 + int(options.argmin())
    orders, t = [0] * T, 0
    while t < T:
        orders[t], t = int(demands[t : until[t]].sum()), until[t]
    return float(cost[0]), orders


def horizons():
    """A season of chance, and one that is known."""
    shop = periodic.create_parameters(50.0, 1.0, 20.0, normal_pmf(100.0, 20.0, 220))
    total, pairs = season(shop, 2.0, 5, -400, 400)
    K, h, p, *_ = shop
    by_chance = instance(
        name="season-normal-5",
        model="optimal.periodic",
        title="Five periods of demand N(100, 20), from an empty shelf",
        page="book/optimal/best_levels",
        parameters={
            "setup_cost": K, "holding_cost": h, "backorder_cost": p, "unit_cost": 2.0,
            "demand": {"family": "normal", "mean": 100.0, "sd": 20.0, "rounded to": [0, 220]},
            "lead_time": 0, "num_periods": 5, "discount": 1.0,
            "at the end": "what is left or waits is charged once more",
        },
        criterion="expected cost of the season",
        optimum=optimum(
            total, total - 1e-8, total + 1e-8,
            s=[s for s, _ in pairs], S=[S for _, S in pairs],
        ),
        precision=1e-8,
        proof="backward induction in 64 bits; the bounds are its rounding",
        published=[
            printed("snyder2023", "cost, with the normal law cut up in another way", "1558.69", total),
            *(printed("snyder2023", f"S of period {t}", text, pairs[t - 1][1])
              for t, text in enumerate(("133", "133", "133", "133", "126"), 1)),
        ],
        call="instances.season(periodic.create_parameters(50.0, 1.0, 20.0, "
        "instances.normal_pmf(100.0, 20.0, 220)), 2.0, 5, -400, 400)[0]",
    )  # fmt: skip
    demands = [90, 120, 80, 70]
    cost, orders = known_season(demands, 500.0, 2.0)
    known = instance(
        name="season-known-4",
        model="optimal.periodic",
        title="Four periods of known demand (Wagner and Whitin)",
        page="book/optimal/best_levels",
        parameters={"setup_cost": 500.0, "holding_cost": 2.0, "demands": demands},
        criterion="cost of the season",
        optimum=optimum(cost, cost, cost, orders=orders),
        precision=0.0,
        proof="dynamic program in whole numbers",
        published=[
            printed("snyder2023", "cost", "1380", cost),
            *(
                printed("snyder2023", f"order of period {t}", text, orders[t - 1])
                for t, text in enumerate(("210", "0", "150", "0"), 1)
            ),
        ],
        call=f"instances.known_season({demands}, 500.0, 2.0)[0]",
    )
    return [by_chance, known]


# ---------------------------------------------------------- lost sales, orders on their way

LOST_PAGE = "book/optimal/lost_sales"
PENALTIES = 4.0, 9.0, 19.0, 39.0
#: Costs of rules as printed, L = 1 to 4 for p = 4, 9, 19, 39; a constant order for any L.
PRINTED = {
    ("poisson", "myopic"): (
        "4.11 4.56 4.84 5.06", "5.45 6.22 6.80 7.20",
        "6.69 7.77 8.56 9.18", "7.88 9.16 10.17 11.04",
    ),
    ("poisson", "myopic-2"): (
        "4.04 4.41 4.64 4.82", "5.44 6.10 6.57 6.92",
        "6.68 7.67 8.40 8.96", "7.84 9.12 10.07 10.84",
    ),
    ("poisson", "dual balancing"): (
        "4.15 4.41 4.62 4.73", "5.73 6.38 6.78 6.99",
        "7.48 8.45 9.19 9.65", "9.31 10.73 11.71 12.61",
    ),
    ("poisson", "base stock"): (
        "4.16 4.64 4.98 5.20", "5.55 6.32 6.86 7.27",
        "6.73 7.84 8.60 9.23", "7.86 9.19 10.22 11.06",
    ),
    ("geometric", "base stock"): (
        "10.04 10.70 11.13 11.44", "14.73 15.99 16.87 17.54",
        "19.40 21.31 22.73 23.85", "24.00 26.55 28.51 30.12",
    ),
    ("poisson", "constant order"): ("5.27", "10.27", "15.78", "18.21"),
    ("geometric", "constant order"): ("11.00", "18.19", "28.60", "36.73"),
}  # fmt: skip


def geometric_pmf(mean):
    """Probabilities of 0, 1, ..., up to where what is left has probability 1e-15."""
    ratio = mean / (1 + mean)
    return (1 - ratio) * ratio ** np.arange(math.ceil(-15 / math.log10(ratio)) + 1)


LAWS = {"poisson": poisson_pmf, "geometric": geometric_pmf}


def lost_sales_bounds(pmf, p, L, tol=1e-7):
    """Bounds on the least cost at h = 1, by value iteration in 64 bits."""
    params = lost_sales.create_parameters(1.0, p, pmf, L)
    with precision.enable_x64(True):
        backup = Partial(lost_sales.backup, lost_sales.table(params))
        start = jnp.zeros(lost_sales.box(params))
        found = value_iteration.solve(backup, start, tol=tol)
        return float(found.lower), float(found.upper)


def downhill(cost, start, steps):
    """The best of whole numbers about `start`: go to a better neighbour while there is one."""
    known = {}

    def of(at):
        if at not in known:
            known[at] = cost(*at) if min(at) >= 0 else math.inf
        return known[at]

    best = tuple(start)
    while True:
        near = [tuple(np.add(best, step).tolist()) for step in steps]
        better = min(near, key=of)
        if not of(better) < of(best) - 1e-9:
            return best, of(best)
        best = better


def myopic_2(params):
    """What L + 1 backups of nothing order: they see two periods, and none after them."""
    with precision.enable_x64(True):
        table, V = lost_sales.table(params), jnp.zeros(lost_sales.box(params))
        for _ in range(params.lead_time + 1):
            V = lost_sales.backup(table, V)
        return lost_sales.by_table(lost_sales.orders(table, V))


def lost_sales_rules(params, start, simple):
    """The best base stock, capped or not, the rules that look ahead, and a constant order.

    Base stock begins its search at `start`. With `simple` only the constant order is priced.
    """

    def priced(rule):
        found = lost_sales.rule_cost(params, rule)
        return (found.lower + found.upper) / 2

    def rule(name, parameters, cost):
        return {"name": name, "parameters": parameters, "cost": rounded(cost, 8)}

    mean = params.demand_pmf @ np.arange(params.demand_pmf.size)
    flat = {
        z: lost_sales.constant_order_cost(params, z)
        for z in range(math.ceil(mean - 1e-9))
    }
    constant = min(flat, key=flat.get)
    found = [rule("constant order", {"order": constant}, flat[constant])]
    if simple:
        return found
    (level,), cost = downhill(
        lambda level: priced(lost_sales.base_stock(level)), [start], [[-1], [1]]
    )
    base = rule("base stock", {"level": level}, cost)
    around = [step for step in np.ndindex(3, 3) if step != (1, 1)]
    capped, capped_cost = downhill(
        lambda level, cap: priced(lost_sales.base_stock(level, cap)),
        [level, math.ceil(mean) + 1],
        np.array(around) - 1,
    )
    with_cap = rule(
        "capped base stock",
        dict(zip(("level", "cap"), capped, strict=True)),
        capped_cost,
    )
    ahead = [
        ("myopic", lost_sales.myopic(params)),
        ("myopic-2", myopic_2(params)),
        ("dual balancing", lost_sales.dual_balancing(params)),
    ]
    return [
        base,
        with_cap,
        *(rule(name, {}, priced(orders)) for name, orders in ahead),
        *found,
    ]


def lost_instance(family, params, found, rules=(), **fields):
    """What all instances of lost sales have in common."""
    p, L, (lower, upper) = params.lost_sale_cost, params.lead_time, found
    return instance(
        name=f"lost-sales-{family}-{p:g}-{L}",
        model="optimal.lost_sales",
        title=f"{family.capitalize()} demand of 5, h = 1, p = {p:g}, L = {L}",
        page=LOST_PAGE,
        parameters=described(params, {"family": family, "mean": 5.0}),
        criterion=AVERAGE,
        optimum=optimum((lower + upper) / 2, lower, upper),
        rules=list(rules),
        **fields,
    )


def lost():
    """Zipkin's table of 32 shops."""
    made = []
    for family, pmf in LAWS.items():
        for row, p in enumerate(PENALTIES):
            for L in (1, 2, 3, 4):
                params = lost_sales.create_parameters(1.0, p, pmf(5.0), L)
                start = lost_sales.lead_time_quantile(params, L + 1)
                simple = family == "geometric" and L > 2
                rules = lost_sales_rules(params, start, simple)
                said = [
                    printed(
                        "zipkin2008old",
                        f"cost of {rule['name']}",
                        texts[row].split()[L - 1],
                        rule["cost"],
                    )
                    for rule in rules
                    if (texts := PRINTED.get((family, rule["name"])))
                    # A constant order costs the same for every lead time.
                    and (rule["name"] != "constant order" or L == 1)
                ]  # fmt: skip
                made.append(
                    lost_instance(
                        family, params, lost_sales_bounds(pmf(5.0), p, L), rules,
                        published=said, precision=1e-7, proof=BY_ITERATION,
                        call=f"np.mean(instances.lost_sales_bounds(instances.{pmf.__name__}"
                        f"(5.0), {p}, {L}))",
                    )
                )  # fmt: skip
    return made


def lost_longer(cases, large):
    """Longer lead times, in 32 bits but for the bounds."""
    made = []
    for p, L in cases:
        params = lost_sales.create_parameters(1.0, p, poisson_pmf(5.0), L)
        found = lost_sales.optimum(params, tol=1e-3)
        made.append(
            lost_instance(
                "poisson", params, (found.lower, found.upper),
                precision=math.ceil(1e6 * (found.upper - found.lower) / 2) / 1e6,
                proof="value iteration in 32 bits; bounds by one more backup in 64 (Odoni 1969)",
                call=f"np.mean(lost_sales.optimum(lost_sales.create_parameters(1.0, {p}, "
                f"instances.poisson_pmf(5.0), {L}), tol=1e-3)[:2])",
                large=large,
            )
        )  # fmt: skip
    return made


def lost_5_and_6():
    """Up to some million states."""
    cases = [(p, L) for L in (5, 6) for p in PENALTIES]
    return lost_longer(cases, large=False)


def lost_large():
    """Twelve million states to a hundred million: six minutes and 3.2 GiB."""
    return lost_longer([(4.0, 7), (9.0, 7), (19.0, 7), (4.0, 8)], large=True)


# --------------------------------------------------------------------------- two suppliers

GAPS = {  # per cent above the least cost, as printed, by (l, c_e) and in the order of RULES
    (2, 105.0): ("0.00", "0.11", "0.56", "0.06"), (2, 110.0): ("0.03", "0.18", "1.03", "0.99"),
    (3, 105.0): ("0.00", "0.27", "0.98", "0.01"), (3, 110.0): ("0.06", "0.36", "2.11", "0.71"),
    (4, 105.0): ("0.00", "0.36", "1.43", "0.00"), (4, 110.0): ("0.11", "0.49", "2.44", "0.58"),
}  # fmt: skip
RULES = {
    "capped dual index": (
        dual_sourcing.best_capped_dual_index,
        ("express_level", "regular_level", "cap"),
    ),
    "dual index": (dual_sourcing.best_dual_index, ("express_level", "regular_level")),
    "single index": (
        dual_sourcing.best_single_index,
        ("express_level", "regular_level"),
    ),
    "tailored base-surge": (
        dual_sourcing.best_tailored_base_surge,
        ("express_level", "base"),
    ),
}


def two_suppliers():
    """A ship and an aeroplane."""
    made = []
    for (lead_time, express), texts in GAPS.items():
        given = 100.0, express, 5.0, 495.0
        params = dual_sourcing.create_parameters(*given, np.full(5, 0.2), lead_time)
        found = dual_sourcing.optimum(params)
        lower, upper = float(found.lower), float(found.upper)
        rules, said = [], []
        for (name, (best, levels)), text in zip(RULES.items(), texts, strict=True):
            values, cost = best(params)
            parameters = {key: int(x) for key, x in zip(levels, values, strict=True)}
            # A rule may be optimal: its cost is then the bounds', but for rounding.
            cost = rounded(max(cost, lower), 12)
            rules.append({"name": name, "parameters": parameters, "cost": cost})
            gap = 100 * (cost / lower - 1)
            said.append(
                printed("gijsbrechts2022", f"gap of {name} in per cent", text, gap)
            )
        numbers = ", ".join(map(repr, given))
        made.append(
            instance(
                name=f"two-suppliers-{lead_time}-{express:g}",
                model="optimal.dual_sourcing",
                title=f"A ship of {lead_time} periods, an aeroplane at {express:g}",
                page="book/optimal/two_suppliers",
                parameters=described(params, {"pmf": [0.2] * 5}),
                criterion=AVERAGE,
                optimum=optimum((lower + upper) / 2, lower, upper),
                precision=1e-8,
                proof=BY_ITERATION + ", on a box of states that is proved large enough",
                rules=rules,
                published=said,
                call=f"np.mean(dual_sourcing.optimum(dual_sourcing.create_parameters({numbers}"
                f", np.full(5, 0.2), {lead_time}))[:2])",
            )
        )
    return made


# ------------------------------------------------------------------------ a chain of stages

CLARK_SCARF = "the recursion of Clark and Scarf (1960) bounds every rule from below (Chen and Zheng 1994)"


def nested(levels):
    """Levels by echelon as levels by place, from the customers up."""
    return np.diff(levels, prepend=0).tolist()


def promised(chain, share):
    """Echelon levels where each stage covers its own nights with this probability."""
    own = [
        np.argmax(np.cumsum(periodic.demand_of_periods(chain.demand_pmf, L)) >= share)
        for L in chain.lead_times
    ]
    return np.cumsum(own)


def chain(name, title, holding_costs, p, pmf, demand, lead_times, call):
    """A chain, solved by the recursion; bounds leave room for the rounding of its sums."""
    params = serial.create_parameters(holding_costs, p, pmf, lead_times)
    levels, cost = serial.optimal_policy(params)
    off = 1e-11 * cost
    rules = [
        {
            "name": f"each stage covers its own nights with {100 * share:g} per cent",
            "parameters": {"levels": nested(promised(params, share))},
            "cost": rounded(serial.cost(params, promised(params, share))),
        }
        for share in (0.8, 0.9, 0.95)
    ]
    return instance(
        name=name,
        model="optimal.serial",
        title=title,
        page="book/optimal/chain",
        parameters=described(params, demand)
        | {"holding_costs": list(holding_costs), "lead_times": list(lead_times)},
        criterion=AVERAGE,
        optimum=optimum(cost, cost - off, cost + off, echelon_levels=list(levels)),
        precision=1e-9,
        proof=CLARK_SCARF,
        rules=rules,
        call=f"serial.optimal_policy(serial.create_parameters({list(holding_costs)}, {p!r}, "
        f"{call}, {list(lead_times)})).cost",
    )


def normal_steps(step):
    """A day's demand of Snyder and Shen's example 6.1, in whole steps of a unit."""
    edges = (np.arange(int(14 / step)) + 0.5) * step
    pmf = np.diff(stats.norm.cdf(edges, 5, 1), prepend=0.0)
    return pmf / pmf.sum()


def chains():
    """From the customers up: one, two and three stages with Poisson demand; the textbook's."""
    shops = [
        (1, (1.0,), 9.0, (1,), "4.220849"),
        (2, (3.0, 1.0), 10.0, (1, 1), "16.797779"),
        (3, (7.0, 4.0, 2.0), 37.12, (1, 1, 2), "72.043543"),
    ]
    demand, made = {"family": "poisson", "mean": 5.0}, []
    for number, local, p, times, theirs in shops:
        found = chain(
            f"chain-poisson-{number}",
            f"Poisson demand of 5, {number} stage{'s' if number > 1 else ''}, p = {p:g}",
            local, p, poisson_pmf(5.0), demand, times, "instances.poisson_pmf(5.0)",
        )  # fmt: skip
        value = found["optimum"]["value"]
        made.append(
            found | {"published": [printed("snyder2023", "cost", theirs, value)]}
        )
    # With normal demand in real numbers the cost is 0.00001 less: tests/test_serial.py.
    step = 1 / 256
    local = tuple(step * h for h in (7.0, 4.0, 2.0))
    rounded_demand = {"family": "normal", "mean": 5.0, "sd": 1.0, "rounded to": step}
    found = chain(
        "chain-snyder-6.1",
        "Normal demand (5, 1) rounded to 1/256, three stages, in units of 1/256",
        local, step * 37.12, normal_steps(step), rounded_demand, (1, 1, 2),
        "instances.normal_steps(1 / 256)",
    )  # fmt: skip
    value, levels = (
        found["optimum"]["value"],
        found["optimum"]["policy"]["echelon_levels"],
    )
    ours = [
        ("cost", "47.65", value),
        *(
            (f"S_{j + 1}", text, step * S)
            for j, (text, S) in enumerate(
                zip(("6.49", "12.02", "22.71"), levels, strict=True)
            )
        ),
    ]
    said = [printed("snyder2019", what, text, number) for what, text, number in ours]
    return [*made, found | {"published": said}]


# ------------------------------------------------------------------------- goods that perish

ISSUING_PAGE = "book/expiry/issuing"
#: Farrington et al. (2025), table 3: return of the best rule and of the best base stock, by m;
#: lead time, disposal cost and issuing as in `goods_that_perish`.
RETURNS = {
    2: "-1553 -1565 -1457 -1474 -1571 -1581 -1463 -1485 "
       "-1551 -1590 -1461 -1495 -1569 -1606 -1469 -1504",
    3: "-1490 -1500 -1424 -1435 -1498 -1512 -1425 -1436 "
       "-1513 -1533 -1435 -1456 -1526 -1544 -1437 -1457",
    4: "-1459 -1476 -1422 -1430 -1465 -1481 -1422 -1430 "
       "-1480 -1496 -1432 -1453 -1489 -1505 -1432 -1453",
    5: "-1443 -1454 -1422 -1430 -1446 -1460 -1422 -1430 "
       "-1463 -1480 -1432 -1453 -1467 -1484 -1432 -1453",
}  # fmt: skip
FOR_EVER = "cost for ever, from the empty shop, discounted by 0.99 a period"
YEAR = "return of 365 periods, after 100 from the empty shop"


def for_ever(params, rule):
    """Discounted cost of a rule from the empty shop: what comes after 3,000 periods is nothing."""
    found = issuing.chain(params, rule)
    value = np.zeros(found.costs.size)
    for _ in range(3_000):
        value = found.costs + params.discount * (found.moves @ value)
    return float(value[0])


def perishable(m, L, disposal_cost, issued, texts):
    """One shop of De Moor et al. (2022)."""
    params = issuing.create_parameters(m, L, issued, disposal_cost=disposal_cost)
    found = issuing.optimum(params, tol=1e-7)
    year = issuing.rule_return(params, issuing.by_table(found.orders))
    simple = issuing.best_base_stock(params)
    returns = year.mean, simple.earned.mean
    names = "best orders", "best base stock"
    return instance(
        name=f"perishable-{m}-{L}-{disposal_cost:g}-{issued.lower()}",
        model="expiry.issuing",
        title=f"m = {m}, L = {L}, θ = {disposal_cost:g}, {issued}",
        page=ISSUING_PAGE,
        parameters=described(
            params, {"family": "gamma", "mean": 4.0, "cv": 0.5, "rounded to": 1}
        ),
        criterion=FOR_EVER,
        optimum=optimum(
            (found.lower + found.upper) / 2,
            found.lower,
            found.upper,
            **{YEAR: rounded(year.mean, 10), "its standard deviation": rounded(year.std, 8)},
        ),
        precision=1e-7,
        proof="value iteration in 64 bits: the extremes of TV - V (MacQueen 1966)",
        rules=[
            {
                "name": "base stock",
                "parameters": {
                    "level": simple.level,
                    YEAR: rounded(simple.earned.mean, 10),
                },
                "cost": rounded(
                    for_ever(params, issuing.base_stock(simple.level)), 10
                ),
            }
        ],
        published=[
            printed("farrington2025", f"{YEAR}, of {name}", text, ours)
            for name, text, ours in zip(names, texts, returns, strict=True)
        ],
        call=f"np.mean(issuing.optimum(issuing.create_parameters({m}, {L}, {issued!r}, "
        f"disposal_cost={disposal_cost!r}), tol=1e-7)[1:3])",
    )  # fmt: skip


def printed_shops(ages):
    """Shops of the printed table, by m."""
    made = []
    for m in ages:
        texts = iter(RETURNS[m].split())
        for L in (1, 2):
            for disposal_cost in (7.0, 10.0):
                for issued in ("LIFO", "FIFO"):
                    two = next(texts), next(texts)
                    made.append(perishable(m, L, disposal_cost, issued, two))
    return made


def perish_large():
    """Five classes: up to 1.8 million states."""
    return [each | {"large": True} for each in printed_shops([5])]


def goods_that_perish():
    """The shops of a printed table, but for the largest, and three products of another."""
    made = printed_shops([2, 3, 4])
    for m, most, text in ((2, 10, "2.22"), (3, 15, "2.40"), (4, 20, "2.47")):
        lower, upper = hendrix_bounds(m, most)
        made.append(
            instance(
                name=f"perishable-hendrix-{m}",
                model="expiry.issuing",
                title=f"m = {m}, L = 1, Poisson demand of 5, price 1, nothing but units costs",
                page=ISSUING_PAGE,
                parameters=described(
                    hendrix(m, most), {"family": "poisson", "mean": 5.0}
                ),
                criterion=AVERAGE,
                optimum=optimum((lower + upper) / 2, lower, upper),
                precision=1e-8,
                proof=BY_ITERATION,
                published=[
                    printed("hendrix2019", "profit: 5 less the cost", text, 5 - upper)
                ],
                call=f"np.mean(instances.hendrix_bounds({m}, {most}))",
            )
        )
    return made


def hendrix(m, most):
    """A product that earns nothing but its price of 1."""
    return issuing.create_parameters(
        m, 1, "FIFO", most_order=most, demand_pmf=poisson_pmf(5.0), unit_cost=0.5,
        lost_sale_cost=1.0, disposal_cost=0.0, holding_cost=0.0, discount=1.0,
    )  # fmt: skip


def hendrix_bounds(m, most):
    """Bounds on its least average cost."""
    return issuing.optimum(hendrix(m, most), tol=1e-8)[1:3]


# --------------------------------------------------------------------------------- the file

#: Functions by the groups' names, in the order of the file.
GROUPS = {
    "levels": levels,
    "firm": firm,
    "horizons": horizons,
    "lost-sales": lost,
    "lost-sales, longer lead times": lost_5_and_6,
    "lost-sales, large": lost_large,
    "two-suppliers": two_suppliers,
    "chains": chains,
    "goods that perish": goods_that_perish,
    "goods that perish, large": perish_large,
}
LARGE = {  # for --large only: how their names begin
    "lost-sales, large": "lost-sales",
    "goods that perish, large": "perishable",
}


def read(path=FILE):
    """The file's instances, by name."""
    found = json.loads(path.read_text(encoding="utf-8"))["instances"]
    return {each["name"]: each for each in found}


def text(found):
    """The file: all instances, and what is true of them all."""
    address = course.repository()
    record = {
        "title": "Solved instances of Inventory Theory in JAX",
        "version": VERSION,
        "cite": f"CITATION.cff of {address.url}",
        "licence": "BSD-3-Clause",
        "fields": FIELDS,
        "imports": IMPORTS,
        "instances": found,
    }
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tools.instances")
    parser.add_argument("--large", action="store_true", help="what takes minutes, too")
    options = parser.parse_args(arguments)
    kept = read() if FILE.exists() else {}
    found = []
    for name, group in GROUPS.items():
        start = time.perf_counter()
        if name in LARGE and not options.large:
            found += [
                each
                for each in kept.values()
                if each["large"] and each["name"].startswith(LARGE[name])
            ]
        else:
            found += group()
        print(f"{name}: {time.perf_counter() - start:.1f} s")
    FILE.write_text(text(found), encoding="utf-8", newline="\n")
    print(f"wrote {len(found)} instances to {FILE.relative_to(course.ROOT)}")


if __name__ == "__main__":
    main()
