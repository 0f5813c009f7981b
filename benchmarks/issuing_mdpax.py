"""Goods that perish, as MDPax itself has them: its problem of De Moor et al. (2022).

Its states are ours read from the other end, its rewards are minus our costs.
"""

import jax.numpy as jnp
import numpy as np
from mdpax.problems.perishable_inventory.de_moor_single_product import (
    DeMoorSingleProductPerishable,
)
from mdpax.solvers.value_iteration import ValueIteration


def create_backup(params, V, batch_size):
    """Make a function of no arguments that does one step of MDPax's value iteration from V."""
    problem = DeMoorSingleProductPerishable(
        max_useful_life=params.num_ages,
        lead_time=params.lead_time,
        max_order_quantity=params.most_order,
        variable_order_cost=params.unit_cost,
        shortage_cost=params.lost_sale_cost,
        wastage_cost=params.disposal_cost,
        holding_cost=params.holding_cost,
        issue_policy=params.issuing.lower(),
    )
    solver = ValueIteration(
        problem=problem,
        gamma=params.discount,
        max_batch_size=batch_size,
        jax_double_precision=False,  # its default switches all of JAX to 64 bits
        verbose=0,
    )
    start = jnp.asarray(-np.asarray(V).T.ravel())

    def backup():
        solver.values = start
        return -solver._iteration_step()[0].reshape(V.shape).T

    return backup
