"""Nonsense, given to every argument of every function that readers call.

One table for the whole face of the package: for each function one call that is right,
and for each of its arguments the kinds of nonsense that are none there.  Everything
else must be refused by a ValueError that names the argument (or the field of a record
that was put together by hand), says what it must be, and shows what it got.

A name of the face without a row fails.  `KNOWN` holds what is not clear yet: it may only
shrink, and a row of it that has become clear fails until it is taken out.
"""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest

import lectures_helpers
from lectures_helpers import demand, expiry
from lectures_helpers.classical import base_stock, eoq, newsvendor, qr
from lectures_helpers.dynamics import ss, ss_exact
from lectures_helpers.expiry import issuing
from lectures_helpers.optimal import dual_sourcing, lost_sales, periodic, serial

#: What a reader may hand over in place of what is right.  A tracer is made of what is
#: right; a record (a model, a law) also comes put together by hand.
KINDS = {
    "None": None,
    "NaN": np.nan,
    "inf": np.inf,
    "-1": -1,
    "text": "a",
    "empty": [],
    "complex": 1 + 2j,
    "bool": True,
    "1e300": 1e300,
    "10^18": 10**18,
    "shape": np.full((5, 7), 2),
    "ragged": [[1], [1, 2]],
    "object": SimpleNamespace(),
}
BY_HAND = {"None": None, "NaN": np.nan, "text": "a", "complex": 1 + 2j, "empty": []}

# Why a kind is right somewhere.
SIGNED = {"-1"}  # any sign has a meaning
OPEN = {"inf"}  # so has infinity
LARGE = {"1e300", "10^18"}  # nothing is too large
WIDE = {"10^18"}  # nothing that single precision can hold
OPTIONAL = {"None"}  # stands for the default, or for a mean that is left open
MANY = {"shape"}  # numbers and arrays alike
TRACED = {"tracer"}  # a simulation may be compiled or mapped over it
FLAG = {"bool"}  # it is True or False
NONE_AT_ALL = {"empty"}  # an empty sequence is no mistake
TEXT = {"text"}  # it is text


class Argument(NamedTuple):
    """What is right for an argument, and the kinds that are right, too."""

    value: Any
    accepted: set


def a(value, *accepted):
    return Argument(value, set().union(*accepted))


KEY = a(jax.random.key(0), TRACED)

#: Names that get no row, and why.
EXEMPT = {
    # Kernels take what is right for granted (CONTRIBUTING.md).
    "classical.matching": "all",
    "classical.newsvendor": {"profit", "simulate_seasons"},
    "dynamics.ss": {
        "advance", "choose_block", "cross_section_compiled", "cross_section_loop",
        "cross_section_vectorized", "demand", "one_period", "snapshots", "update",
    },
    "dynamics.ss_exact": {
        "expectation", "nodes", "operator", "restock_pmf_on_grid", "survival",
    },
    "expiry.policies": {"evaluate_period"},
    "expiry.issuing": {
        "behind", "newest_first", "oldest_first",
    },
    "classical.qr": {"position_cost"},
    "classical.shop": {"stack"},  # results, whatever they are
    "teaching.intervals": {"check_performance"},
    # What students answer has a table of its own, tests/test_labs.py; notes call the rest.
    "teaching.labs": "all",
    "optimal.periodic": {"backup", "demand_of_periods"},
    "optimal.lost_sales": {"backup", "orders"},
    "optimal.dual_sourcing": {
        "backup", "follow", "inside", "orders", "to_come", "positions", "single_index",
        "dual_index", "capped_dual_index", "tailored_base_surge", "rule_cost",
    },
    "optimal.serial": {"update"},
    "optimal.learned": {
        "adam_update", "demands", "in_whole_units", "network", "network_orders", "simulate",
    },
    # How the solver works inside; lectures show these, and call them with its arrays.
    **dict.fromkeys(
        ["expiry.exhaustive", "expiry.memory", "expiry.periods",
         "expiry.saves", "expiry.sharded", "expiry.tensor", "expiry.threshold",
         "expiry.top_down"],
        "all",
    ),
    # Matplotlib checks what is drawn, and draws what a cell has computed.
    "teaching.figures": "all",
    # Python objects, whatever they are.
    "precision": {"enable_x64"},
    "sharding": {"gather", "to_host"},
    "checks": {"any_traced", "is_plain", "is_traced", "made_by", "not_traced"},
}  # fmt: skip


#: What is not clear yet: for each function, its arguments and the kinds that are not.
KNOWN: dict[str, dict[str, str]] = {}


@cache
def face():
    """Every callable of the face with arguments, by module and name, each once."""
    found, seen = {}, set()
    for module in pkgutil.walk_packages(lectures_helpers.__path__, "lectures_helpers."):
        if module.ispkg:
            continue
        loaded = importlib.import_module(module.name)
        place = module.name.removeprefix("lectures_helpers.")
        for name in loaded.__all__:
            value = getattr(loaded, name)
            if inspect.isclass(value):
                # A record holds what it is given: whoever takes one checks it.
                assert hasattr(value, "_fields") or dataclasses.is_dataclass(value)
                for key, method in vars(value).items():
                    if inspect.isfunction(method) and not key.startswith("_"):
                        found[f"{place}.{name}.{key}"] = method
            elif callable(value) and id(value) not in seen:
                seen.add(id(value))
                if value is not jax.enable_x64 and inspect.signature(value).parameters:
                    found[f"{place}.{name}"] = value
    return found


def is_exempt(name):
    module, _, own = name.rpartition(".")
    names = EXEMPT.get(module, ())
    return names == "all" or own in names


@cache
def table():
    """For each function the arguments of a call that is right; others keep their defaults."""
    key = KEY
    # ----------------------------------------------------------------- the ground
    one_law = a(demand.create_distribution("gamma", 2.0, 0.5), TRACED)
    gamma = a(demand.create_distribution("gamma", np.arange(1.0, 4.0), 0.5))
    number = a(2.0, TRACED, MANY, LARGE)
    rows: dict[str, dict[str, Any]] = {
        "demand.create_distribution": {
            "family": a("gamma"),
            "mean": a(2.0, OPTIONAL, TRACED, MANY, WIDE),
            "scv": a(2.0, TRACED, MANY),
        },
        "demand.cdf": {"dist": gamma, "x": a(np.arange(3), SIGNED, OPEN, LARGE)},
        "demand.quantile": {"dist": gamma, "p": a([0.1, 0.2, 0.9])},
        "demand.expected_min": {"dist": gamma, "q": a([0.1, 0.2, 0.9], OPEN, LARGE)},
        "demand.expected_min_square": {
            "dist": gamma,
            "q": a([0.1, 0.2, 0.9], OPEN, LARGE),
        },
        "demand.moments": {"dist": gamma},
        "demand.prob_zero": {"dist": gamma},
        "demand.sample": {
            "dist": one_law,
            "shape": a((), NONE_AT_ALL),
            "key": key,
        },
        # What is checked; the name and the bound are the caller's own.
        "checks.finite": {
            "name": "value",
            "value": a(2.0, TRACED, MANY, LARGE, SIGNED),
        },
        "checks.numbers": {
            "name": "value",
            "value": a(2.0, MANY, LARGE, SIGNED, OPEN, {"NaN"}),
        },
        "checks.concrete": {"name": "value", "value": a(2.0, LARGE, SIGNED)},
        "checks.at_least": {"name": "value", "value": number, "bound": 0},
        "checks.positive": {"name": "value", "value": number, "hint": ""},
        "checks.within": {
            "name": "value",
            "value": a(2.0, TRACED, MANY),
            "least": 0,
            "most": 9,
        },
        "checks.integer": {"name": "value", "value": a(2), "bound": 0, "most": 9},
        "checks.whole_units": {
            "name": "value",
            "value": a([2.0, 3.0], MANY),
            "most": 9,
        },
        "checks.demand_law": {"name": "value", "value": a([0.5, 0.5])},
        "checks.integers": {"name": "value", "value": a(2, TRACED), "bound": 0},
        "checks.number_or_vector": {
            "name": "value",
            "value": a(2, {*KINDS} - MANY - {"ragged"}, TRACED),
        },
        "checks.one_number": {
            "name": "value",
            "value": a(2, {*KINDS} - MANY - NONE_AT_ALL - {"ragged"}, TRACED),
            "rule": "be one number",
            "instead": "take one at a time",
        },
        "checks.dates": {"name": "value", "value": a([1, 2])},
        "checks.flag": {"name": "value", "value": a(True, FLAG)},
        "checks.cast": {
            "name": "value",
            "value": a(2.0, TRACED, SIGNED, WIDE, MANY),
            "dtype": "float32",
        },
        "checks.initial": {
            "name": "value",
            "value": a(2.0, TRACED, WIDE),
            "num_firms": 2,
        },
        "checks.random_key": {"key": key},
        "checks.common_shape": {
            "x": np.arange(3),
            "y": a(np.arange(3), {*KINDS} - MANY - NONE_AT_ALL - {"ragged"}, TRACED),
        },
        "sharding.create_mesh": {"num_devices": a(1, OPTIONAL)},
    }
    # ------------------------------------------------------------------ newsvendor
    params = a(newsvendor.create_parameters(salvage=np.array([0.0, -1.0, -2.0])))
    quantity = a([0.1, 0.2, 0.9], LARGE)
    priced = {"params": params, "dist": gamma, "quantity": quantity}
    rows |= {
        "classical.newsvendor.create_parameters": {
            "unit_cost": a(8.0, TRACED),
            "price": a(18.0 + np.arange(3), TRACED, LARGE),
            "salvage": a(-np.arange(3.0), TRACED, SIGNED),
        },
        "classical.newsvendor.critical_ratio": {"params": params},
        "classical.newsvendor.optimal_quantity": {"params": params, "dist": gamma},
        "classical.newsvendor.expected_profit": priced,
        "classical.newsvendor.std_profit": priced,
        "classical.newsvendor.error_bound": {**priced, "num_samples": a(3)},
        "classical.newsvendor.loss_probability": priced,
        "classical.newsvendor.profit_cdf": {
            **priced,
            "x": a(np.arange(3), SIGNED, LARGE),
        },
        "classical.newsvendor.profit_quantile": {**priced, "prob": a([0.1, 0.2, 0.9])},
        "classical.newsvendor.simulate": {
            "params": a(newsvendor.create_parameters(), TRACED),
            "dist": one_law,
            "quantities": a(1.0, TRACED),
            "key": key,
            "num_samples": a(3),
            "keep_samples": a(True, FLAG),
        },
    }
    # ------------------------------------------------- eoq, base stock, (Q, r), renewal
    money, rate = a(1.0, TRACED), a(120.0, TRACED)
    shop = a(base_stock.create_parameters())
    order_shop = a(qr.create_parameters())
    lots = a(eoq.create_parameters())
    law = a(demand.create_distribution("gamma", None, 0.5), OPTIONAL)
    textbook = {"family": a("gamma"), "scv": a(1.0, OPTIONAL)}
    run = a(base_stock.Run(2, 20))
    # What None stands for, so that nothing is compiled again for it.
    exponential = demand.create_distribution("exponential", None)
    times = {
        "interarrival": a(exponential, OPTIONAL, TRACED),
        "lead_time": a(
            demand.create_distribution("deterministic", None), OPTIONAL, TRACED
        ),
    }
    simulated = {"key": key, "run": run}
    rows |= {
        "classical.base_stock.create_parameters": {
            "demand_rate": rate, "unit_cost": money, "holding_cost": money,
            "backorder_cost": money, "lead_time": rate,
        },
        "classical.base_stock.exact": {
            "params": shop, "level": a([10, 11]), "interarrival": law,
        },
        "classical.base_stock.optimal_level": {"params": shop, "interarrival": law},
        "classical.base_stock.approximate_level": {"params": shop, **textbook},
        "classical.base_stock.simulate": {
            "params": shop._replace(accepted=TRACED), **times,
            "levels": a(10, TRACED), **simulated,
        },
        "classical.eoq.create_parameters": {
            "demand_rate": rate, "unit_cost": money, "setup_cost": money,
            "holding_cost": money,
        },
        "classical.eoq.cost": {"params": lots, "quantity": a([9.5, 10.0], MANY)},
        "classical.eoq.unit_demand_cost": {
            "params": lots, "quantity": a([9, 10]),
            "num_demands": a([20, 30], OPTIONAL),
        },
        "classical.eoq.optimal_quantity": {"params": lots},
        "classical.eoq.optimal_unit_quantity": {"params": lots},
        "classical.eoq.simulate": {
            "params": lots._replace(accepted=TRACED),
            "interarrival": times["interarrival"],
            "quantities": a(10, TRACED), **simulated,
        },
        "classical.qr.create_parameters": {
            "demand_rate": rate, "unit_cost": money, "setup_cost": money,
            "holding_cost": money, "backorder_cost": money, "lead_time": rate,
        },
        "classical.qr.exact": {
            "params": order_shop, "quantity": a([25, 26]),
            "reorder_point": a([11, 12], SIGNED), "interarrival": law,
        },
        "classical.qr.optimal_policy": {"params": order_shop, "interarrival": law},
        "classical.qr.approximate_policy": {"params": order_shop, **textbook},
        "classical.qr.simulate": {
            "params": order_shop._replace(accepted=TRACED), **times,
            "quantities": a(25, TRACED),
            "reorder_points": a(-1, TRACED, SIGNED), **simulated,
        },
        "classical.renewal.exponential_lead_times": {
            "shop": shop, "level": a(3), "scv": a(1.0),
        },
        "classical.renewal.lead_time_demand": {
            "interarrival": law, "demand_rate": a(12.0), "lead_time": a(0.5),
        },
    }  # fmt: skip
    # -------------------------------------------------------------------- dynamics
    firm = a(ss.create_parameters())
    x_init = a(70.0)
    tol = a(1e-6)
    started = {
        "params": firm._replace(accepted=TRACED),
        "x_init": a(70.0, TRACED, WIDE),
        "num_periods": a(2),
        "key": key,
    }
    rows |= {
        "dynamics.ss.create_parameters": {
            "s": a(10.0, TRACED, MANY), "S": a(100.0, TRACED, LARGE),
            "μ": a(1.0, TRACED, SIGNED, LARGE, MANY), "σ": number,
        },
        "dynamics.ss.sample_path": started,
        "dynamics.ss.cross_section": {
            **started, "num_firms": a(4), "mesh": a(None, OPTIONAL),
        },
        "dynamics.ss.distribution_dynamics": {
            "params": started["params"], "x_init": started["x_init"],
            "dates": a([1, 3]), "key": started["key"], "num_firms": a(4),
        },
        "dynamics.ss.restock_frequency": {
            **started, "num_firms": a(4), "at_least": a(1),
        },
        "dynamics.ss_exact.marginal": {
            "params": firm, "x_init": x_init, "num_periods": a(2), "tol": tol,
        },
        "dynamics.ss_exact.marginals": {
            "params": firm, "x_init": x_init, "dates": a([1, 2]), "tol": tol,
        },
        "dynamics.ss_exact.restock_pmf": {
            "params": firm, "x_init": x_init, "num_periods": a(2), "tol": tol,
        },
        "dynamics.ss_exact.stationary": {"params": firm, "tol": tol},
        "dynamics.ss_exact.second_eigenvalue": {"params": firm, "tol": tol},
        "dynamics.ss_exact.flows": {"params": firm, "tol": tol},
    }  # fmt: skip
    exact = ss_exact.marginal(ss.create_parameters(), 70.0, 2)
    places = a([10.0, 60.0], SIGNED, OPEN, LARGE, MANY)
    rows |= {
        "dynamics.ss_exact.Law.cdf": {"self": exact, "x": places},
        "dynamics.ss_exact.Law.density": {"self": exact, "x": places},
    }
    # ---------------------------------------------------------------------- expiry
    model = a(expiry.create_model(2, 3, [0.5, 0.5]))
    solution = expiry.solve(model.value, 2, keep_policies=True)
    policy = a(expiry.optimal_policy(solution))
    dtype = a("float32", OPTIONAL)
    horizon = {"model": model, "num_periods": a(2)}
    price = a(1.0, SIGNED, LARGE)
    stock = a([[1, 2], [0, 1], [2, 2]])
    units = a([0, 1, 0], TRACED)
    rows |= {
        "expiry.model.create_model": {
            "num_ages": a(2), "num_levels": a(3), "demand_pmf": a([0.5, 0.5], OPTIONAL),
            "salvage": price, "holding_cost": price, "unit_cost": price, "price": price,
            "disposal_cost": price, "discount": a(0.95),
        },
        "expiry.model.is_sensible": {"model": model},
        "expiry.model.poisson_pmf": {"rate": a(1.0), "max_demand": a(3)},
        "expiry.model.sample_average_pmf": {
            "rate": a(1.0), "num_samples": a(3), "num_periods": a(2),
            "key": key._replace(accepted=set()),
        },
        "expiry.model.encode": {"x": stock._replace(accepted=MANY), "num_levels": a(3)},
        "expiry.model.decode": {
            "index": a([3, 4], MANY), "num_ages": a(2), "num_levels": a(3),
        },
        "expiry.model.deplete": {"x": stock._replace(accepted=TRACED), "z": units},
        "expiry.model.next_stock": {
            "x": stock._replace(accepted=TRACED), "z": units, "q": units, "d": units,
        },
        "expiry.model.reward": {
            "model": model._replace(accepted=TRACED),
            "x": stock._replace(accepted=TRACED), "z": units, "q": units, "d": units,
        },
        "expiry.solver.solve": {
            **horizon, "method": a("tensor"), "dtype": dtype,
            "progress": a(False, FLAG), "checkpoint": a(None, OPTIONAL, TEXT),
            "keep_policies": a(False, FLAG), "mesh": a(None, OPTIONAL),
        },
        "expiry.solver.required_memory": {
            "model": model, "method": a("tensor"), "dtype": dtype,
            "keep_policies": a(0), "mesh": a(None, OPTIONAL),
        },
        "expiry.policies.evaluate": {"policy": policy, **horizon, "dtype": dtype},
        "expiry.policies.greedy": {"policy": policy, **horizon, "dtype": dtype},
        "expiry.policies.thresholds": {**horizon, "dtype": dtype},
        "expiry.policies.optimal_policy": {"solution": a(solution)},
        "expiry.policies.newsvendor_level": {"model": model},
        "expiry.policies.newsvendor_policy": {
            **horizon, "level": a(1, OPTIONAL), "keep_oldest": a(1, OPTIONAL),
        },
        "expiry.policies.fluid_policy": {**horizon, "max_hold": a(1, OPTIONAL, LARGE)},
        "expiry.policies.rollout": {
            **horizon, "policy": policy, "x0": a([1, 2]),
            "key": key, "num_paths": a(2),
        },
    }  # fmt: skip
    salads = a(issuing.create_parameters(2, 1, most_order=2, demand_pmf=[0.5, 0.5]))
    two_up = a(issuing.base_stock(2, 2))
    walk = issuing.chain(salads.value, two_up.value)
    days = {"warm_up": a(3), "num_days": a(3)}
    rows |= {
        "expiry.issuing.gamma_pmf": {"mean": a(4.0), "cv": a(0.5)},
        "expiry.issuing.create_parameters": {
            "num_ages": a(2), "lead_time": a(1), "issuing": a("LIFO"), "most_order": a(3),
            "demand_pmf": a([0.5, 0.5], OPTIONAL), "unit_cost": a(3.0),
            "lost_sale_cost": a(5.0), "disposal_cost": a(7.0), "holding_cost": a(1.0),
            "discount": a(0.9),
        },
        "expiry.issuing.table": {"params": salads},
        "expiry.issuing.backup": {"params": salads},
        "expiry.issuing.orders": {"params": salads, "V": a(np.zeros((3, 3)))},
        "expiry.issuing.required_memory": {"params": salads},
        "expiry.issuing.optimum": {"params": salads, "tol": a(1e-3, LARGE)},
        "expiry.issuing.base_stock": {"level": a(2), "most_order": a(1)},
        "expiry.issuing.by_table": {"orders": a([1, 0], MANY)},
        "expiry.issuing.chain": {"params": salads, "rule": two_up},
        "expiry.issuing.propagate": {
            "chain": walk,  # sparse arrays, of which no tracer can be made
            "law": a(np.eye(1, len(walk.states))[0]), "num_days": a(2),
        },
        "expiry.issuing.rule_return": {"params": salads, "rule": two_up, **days},
        "expiry.issuing.best_base_stock": {"params": salads, **days},
    }  # fmt: skip
    # -------------------------------------------------------------------- optimal
    review = a(periodic.create_parameters(5.0, 1.0, 4.0, [0.5, 0.5]))
    shop = dual_sourcing.create_parameters(1.0, 2.0, 1.0, 9.0, [0.5, 0.5], 2)
    two = a(shop)
    lost = a(lost_sales.create_parameters(1.0, 4.0, [0.5, 0.5], 2))
    chain = a(serial.create_parameters([3.0, 1.0], 10.0, [0.5, 0.5], [1, 2]))
    rows |= {
        "value_iteration.solve": {
            "backup": a(jnp.sin), "values": a(np.zeros(2, "float32"), TRACED),
            "discount": a(0.9), "tol": a(1e-3, LARGE), "max_iterations": a(3),
        },
        "optimal.periodic.create_parameters": {
            "setup_cost": a(5.0), "holding_cost": a(1.0), "backorder_cost": a(4.0),
            "demand_pmf": a([0.5, 0.5]), "lead_time": a(1),
        },
        "optimal.periodic.one_period_cost": {"params": review, "y": a(3, SIGNED)},
        "optimal.periodic.renewal": {"params": review, "size": a(3)},
        "optimal.periodic.cost": {
            "params": review, "s": a([2, 3], SIGNED), "S": a([5, 6]),
        },
        "optimal.periodic.optimal_policy": {"params": review},
        "optimal.periodic.convexity": {"values": a([4.0, 1.0, 3.0], SIGNED)},
        "optimal.periodic.table": {"params": review, "low": a(-1, SIGNED), "high": a(5)},
        "optimal.lost_sales.create_parameters": {
            "holding_cost": a(1.0), "lost_sale_cost": a(4.0), "demand_pmf": a([0.5, 0.5]),
            "lead_time": a(2),
        },
        "optimal.lost_sales.lead_time_quantile": {"params": lost, "periods": a(2)},
        "optimal.lost_sales.box": {"params": lost},
        "optimal.lost_sales.table": {"params": lost, "shape": a((6, 3), OPTIONAL)},
        "optimal.lost_sales.optimum": {
            "params": lost, "tol": a(1e-3, LARGE), "shape": a((6, 3), OPTIONAL),
            "mesh": a(None, OPTIONAL), "most_bytes": a(1e9, LARGE),
        },
        "optimal.lost_sales.size": {"params": lost, "shape": a((6, 3), OPTIONAL)},
        "optimal.lost_sales.check_size": {
            "params": lost, "shape": a((6, 3), OPTIONAL), "most_bytes": a(1e9, LARGE),
            "most_operations": a(1e9, LARGE),
        },
        "optimal.lost_sales.by_table": {"orders": a([1, 0], MANY)},
        "optimal.lost_sales.best_base_stock": {"params": lost},
        "optimal.lost_sales.best_capped_base_stock": {"params": lost},
        "optimal.lost_sales.dual_balancing": {"params": lost},
        "optimal.lost_sales.rule_cost": {
            "params": lost, "rule": a(lost_sales.base_stock(2)), "tol": a(1e-3, LARGE),
        },
        "optimal.lost_sales.base_stock": {"level": a(2), "most": a(1, OPTIONAL)},
        "optimal.lost_sales.best_constant_order": {"params": lost},
        "optimal.lost_sales.constant_order_cost": {"params": lost, "order": a(0)},
        "optimal.lost_sales.myopic": {"params": lost},
        "optimal.dual_sourcing.create_parameters": {
            "regular_cost": a(1.0), "express_cost": a(2.0), "holding_cost": a(1.0),
            "backorder_cost": a(9.0), "demand_pmf": a([0.5, 0.5]), "lead_time": a(2),
        },
        "optimal.dual_sourcing.table": {
            "params": two, "top": a(5, OPTIONAL), "most": a(4, OPTIONAL),
        },
        "optimal.dual_sourcing.optimum": {
            "params": two, "top": a(5, OPTIONAL), "most": a(4, OPTIONAL),
            "tol": a(1e-3, LARGE),
        },
        "optimal.dual_sourcing.check_box": {"params": two, "V": a(np.zeros((5, 4)), MANY)},
        "optimal.dual_sourcing.overshoot": {"params": two, "gap": a(3), "cap": a(1)},
        "optimal.dual_sourcing.best_capped_dual_index": {
            "params": two, "most_gap": a(3, OPTIONAL), "caps": a([1], OPTIONAL),
        },
        "optimal.dual_sourcing.box_bounds": {"params": two},
        "optimal.dual_sourcing.best_dual_index": {"params": two},
        "optimal.dual_sourcing.best_single_index": {"params": two},
        "optimal.dual_sourcing.best_tailored_base_surge": {"params": two},
        "optimal.learned.create_network": {
            "inputs": a(2), "outputs": a(1), "width": a(3), "key": key,
        },
        "optimal.learned.tabulate": {
            "params": lost, "rule": a(lambda x: 0 * x[:, 0]),
        },
        "optimal.learned.train": {
            "cost": a(lambda w, key: (w - 1.0) ** 2), "weights": a(jnp.array(2.0)),
            "steps": a(3), "rate": a(1e-3), "key": a(jax.random.key(0)),
        },
        "optimal.serial.create_parameters": {
            "holding_costs": a([3.0, 1.0]), "backorder_cost": a(10.0),
            "demand_pmf": a([0.5, 0.5]), "lead_times": a([1, 2]),
        },
        "optimal.serial.echelon_costs": {"params": chain},
        "optimal.serial.recursion": {"params": chain, "levels": a([2, 3], OPTIONAL)},
        "optimal.serial.optimal_policy": {"params": chain},
        "optimal.serial.cost": {"params": chain, "levels": a([2, 3])},
        "optimal.serial.sample_path": {
            "params": chain, "levels": a([2, 3]), "demands": a([1, 0, 1], TRACED),
        },
        "optimal.serial.simulate": {
            "params": chain, "levels": a([2, 3]), "key": key, "num_periods": a(3),
            "num_chains": a(2),
        },
    }  # fmt: skip
    # -------------------------------------------------------------------- teaching
    values = {"x": [1, 2]}
    text = a("words", TEXT)
    rows |= {
        "teaching.intervals.interval": {"values": a([1.0, 2.0], MANY), "axis": a(0, SIGNED)},
        "teaching.intervals.check_agreement": {
            "simulated": a(np.ones((3, 2))), "exact": a(np.ones(3), SIGNED, LARGE),
            "axis": a(-1, SIGNED),
        },
        "teaching.intervals.check_shares": {
            "shares": a([0.5, 0.2]), "exact": a([0.5, 0.2]), "num_samples": a(10),
        },
        "teaching.reports.number": {
            "x": a(1.5, {"NaN", "inf", "-1", "1e300", "10^18"}), "digits": a(3),
        },
        "teaching.reports.table": {
            "rows": a([[1.0]], NONE_AT_ALL), "columns": a(["units"]), "note": text,
        },
        "teaching.reports.count": {"n": a(3, {"-1", "1e300", "10^18"}), "noun": text, "nouns": text},
        "teaching.reports.dearer": {"extra": a(0.1, LARGE)},
        "teaching.reports.more_than": {"extra": a(0.1, LARGE)},
        "teaching.reports.span": {"first": text, "last": text},
        "teaching.reports.observe": {"holds": a(True, FLAG), "otherwise": text},
        "teaching.runtime.timed": {"fn": a(dict), "args": 1, "repeats": a(1)},
        "teaching.runtime.memory": {"compiled": a(jax.jit(jnp.abs).lower(1.0).compile())},
        "teaching.runtime.show_source": {"functions": a(is_exempt)},
        "teaching.explore.explore": {
            "draw": a(lambda x: [plt.figure(), None][1]), "values": a(values), "alt": text,
            "start": a({"x": 2}, OPTIONAL), "labels": a({"x": "units"}, OPTIONAL),
            "play_ms": a(100, OPTIONAL, LARGE),
            "model": a("sawtooth", TEXT), "given": a({"s": 1}, OPTIONAL),
        },
    }  # fmt: skip
    return rows


def call(fn, arguments):
    """Call with these values; what is no parameter's name goes in by its place."""
    values = {
        name: given.value if isinstance(given, Argument) else given
        for name, given in arguments.items()
    }
    if arguments.get("key") is KEY:
        values["key"] = jax.random.key(0)  # a key is used once
    parameters = inspect.signature(fn).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return fn(**values)
    named = {p.name for p in parameters if p.kind is not p.VAR_POSITIONAL}
    if not named:
        return fn(*values.values())
    return fn(**values)


def fields_of(value):
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    return list(getattr(value, "_fields", ()))


def nonsense_for(given):
    """All that stands in for the right value: (kind, value); a tracer is made later."""
    yield from KINDS.items()
    yield "tracer", None
    if fields := fields_of(given.value):
        for kind, value in BY_HAND.items():
            yield f"all-{kind}", type(given.value)(**dict.fromkeys(fields, value))


def as_tracers(value):
    """Arrays for JAX to trace in place of a value; a number for what is no data."""
    if isinstance(value, list) and not isinstance(value[0], str):
        value = np.array(value)
    leaves = jax.tree.leaves(value)
    if leaves and all(
        hasattr(x, "dtype") or isinstance(x, int | float) for x in leaves
    ):
        return jax.tree.map(jnp.asarray, value)
    return jnp.asarray(1.0)


def holds_nan(result):
    leaves = [x for x in jax.tree.leaves(result) if hasattr(x, "dtype")]
    return any(
        np.isnan(x).any() for x in leaves if jnp.issubdtype(x.dtype, jnp.floating)
    )


def is_clear(message, names):
    """Whether it names the argument or a field of it, a bound, and what came."""
    named = any(re.search(rf"(?<!\w){name}(?!\w)", message) for name in names)
    bound = re.search(r"\b(must|takes|not one of)\b", message)
    return named and bound and re.search(r"\bgot\b| = ", message)


def fault(fn, arguments, name, kind, value):
    """What is wrong with how this nonsense is met; None if nothing is."""
    given, result = arguments[name], None
    try:
        if kind == "tracer":

            def traced_call(x):
                call(fn, arguments | {name: x})  # what it returns need not be JAX's

            jax.eval_shape(traced_call, as_tracers(given.value))
        else:
            result = call(fn, arguments | {name: value})
    except AssertionError:
        pass  # what the function was asked to find out
    except ValueError as error:
        if kind in given.accepted:
            return f"is right, but {error}"
        names = [name, *fields_of(given.value)]
        return None if is_clear(str(error), names) else f"is told {error}"
    except Exception as error:
        return f"raises {type(error).__name__}: {error}"
    if kind not in given.accepted:
        return "is taken"
    return "gives NaN" if kind != "NaN" and holds_nan(result) else None


NAMES = [name for name in face() if not is_exempt(name)]


def test_every_name_of_the_face_has_a_row():
    assert set(table()) == set(NAMES)
    for module, names in EXEMPT.items():
        there = importlib.import_module(f"lectures_helpers.{module}").__all__
        assert names == "all" or names <= set(there), module


@pytest.mark.parametrize("name", NAMES)
def test_nonsense_is_refused_in_words(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # a word may be the name of a file
    fn, arguments = face()[name], table()[name]
    call(fn, arguments)
    required = {
        p.name
        for p in inspect.signature(fn).parameters.values()
        if p.kind is not p.VAR_KEYWORD
    }
    assert required <= set(arguments), "an argument has no value here"
    faults = {
        f"{argument} {kind}": said
        for argument, given in arguments.items()
        if isinstance(given, Argument)
        for kind, value in nonsense_for(given)
        if (said := fault(fn, arguments, argument, kind, value))
    }
    known = {
        f"{argument} {kind}"
        for argument, kinds in KNOWN.get(name, {}).items()
        for kind in kinds.split()
    }
    new = [
        f"{which} {said[:200]}" for which, said in faults.items() if which not in known
    ]
    assert not new, "\n".join(new)
    assert not known - set(faults), "these are clear now: take them out of KNOWN"
