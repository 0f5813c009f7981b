"""The expiring stock as a problem of MDPax, a general solver of Markov decision problems in JAX.

States are the stocks, actions all pairs (z, q), random events the demands.  Every action must be
possible in every state: a depletion of more than there is empties the shelves, which is the same
as selling off all that there is.  MDPax multiplies the value of the next state by its γ = α; the
reward carries α itself where it falls due at the period's end.
"""

import functools

import jax.numpy as jnp
import numpy as np
from mdpax.core.problem import Problem
from mdpax.solvers.value_iteration import ValueIteration

from lectures_helpers import expiry
from lectures_helpers.expiry.periods import create_periods


class ExpiringStock(Problem):
    """The model, for MDPax."""

    name = "expiring_stock"

    def __init__(self, model):
        self.model = model
        # Sums over demands beyond all stock are shortened as the course's kernels do it.
        self.pmf = create_periods(model, "float32")[0].pmf
        super().__init__()

    def _construct_state_space(self):
        m, k = self.model.num_ages, self.model.num_levels
        return jnp.asarray(expiry.decode(np.arange(k**m), m, k), jnp.int32)

    def _construct_action_space(self):
        m, k = self.model.num_ages, self.model.num_levels
        z, q = np.indices((m * (k - 1) + 1, k)).reshape(2, -1)
        return jnp.asarray(np.stack([z, q], axis=-1), jnp.int32)

    def _construct_random_event_space(self):
        return jnp.arange(self.pmf.size, dtype=jnp.int32)

    def state_to_index(self, state):
        k = self.model.num_levels
        return functools.reduce(lambda index, x_i: index * k + x_i, state)

    def random_event_probability(self, state, action, random_event):
        return self.pmf[random_event[0]]

    def transition(self, state, action, random_event):
        (z, q), d = action, random_event[0]
        _, _, _, s, h, c, r, θ, α = self.model
        z = jnp.minimum(z, state.sum())
        left = state.sum() - z
        sold, expired = jnp.minimum(d, left + q), jnp.maximum(state[0] - z - d, 0)
        z_, left, q_, sold, expired = (
            n.astype(jnp.float32) for n in (z, left, q, sold, expired)
        )
        reward = s * z_ - h * left + α * (r * sold - c * q_ - θ * expired)
        return expiry.next_stock(state, z, q, d), reward

    def initial_value(self, state):
        return jnp.float32(self.model.salvage) * state.sum().astype(jnp.float32)


def create_backup(model, batch_size=1024):
    """Make a function of values (k^m,) that does one step of MDPax's value iteration."""
    solver = ValueIteration(
        problem=ExpiringStock(model),
        gamma=model.discount,
        max_batch_size=batch_size,
        jax_double_precision=False,  # its default switches all of JAX to 64 bits
        verbose=0,
    )

    def backup(values):
        solver.values = values
        return solver._iteration_step()[0]

    return backup, solver.values
