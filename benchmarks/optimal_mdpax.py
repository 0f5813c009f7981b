"""Lost sales with a lead time as a problem of MDPax, which maximizes and knows no average."""

import functools

import jax.numpy as jnp
import numpy as np
from mdpax.core.problem import Problem
from mdpax.solvers.value_iteration import ValueIteration


class LostSales(Problem):
    """The shop of `lost_sales`, on a box of states."""

    name = "lost_sales"

    def __init__(self, params, box):
        self.params, self.box = params, box
        # No more is ever on hand than the box holds: larger demands do the same.
        pmf, top = params.demand_pmf, box[0]
        self.pmf = jnp.asarray(np.append(pmf[:top], pmf[top:].sum()), jnp.float32)
        self.beyond = float(np.maximum(np.arange(pmf.size) - top, 0) @ pmf)
        super().__init__()

    def _construct_state_space(self):
        return jnp.asarray(np.indices(self.box).reshape(len(self.box), -1).T, jnp.int32)

    def _construct_action_space(self):
        return jnp.arange(self.box[-1], dtype=jnp.int32)[:, None]

    def _construct_random_event_space(self):
        return jnp.arange(self.pmf.size, dtype=jnp.int32)

    def state_to_index(self, state):
        pairs = zip(state, self.box, strict=True)
        return functools.reduce(lambda index, pair: index * pair[1] + pair[0], pairs, 0)

    def random_event_probability(self, state, action, random_event):
        return self.pmf[random_event[0]]

    def transition(self, state, action, random_event):
        h, p = float(self.params.holding_cost), float(self.params.lost_sale_cost)
        d = random_event[0]
        left, short = jnp.maximum(state[0] - d, 0), jnp.maximum(d - state[0], 0)
        cost = h * left.astype("float32") + p * (short.astype("float32") + self.beyond)
        first, *others = [*state[1:], action[0]]
        first = jnp.minimum(left + first, self.box[0] - 1)
        return jnp.stack([first, *others]), -cost


def create_backup(params, box, values):
    """Make a function of no arguments that does one step of MDPax's value iteration."""
    solver = ValueIteration(
        problem=LostSales(params, box),
        gamma=1.0,
        max_batch_size=1024,
        jax_double_precision=False,  # its default switches all of JAX to 64 bits
        verbose=0,
    )
    start = jnp.asarray(-values.ravel())

    def backup():
        solver.values = start
        return -solver._iteration_step()[0]

    return backup
