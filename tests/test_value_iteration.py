"""Value iteration: its bounds enclose what exhaustive search over rules finds."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from lectures_helpers import precision, value_iteration


@pytest.fixture
def x64():
    with precision.enable_x64(True):
        yield


def random_program(seed, states=4, actions=3):
    """Costs (a, x) and transitions (a, x, y) of a dynamic program."""
    draw = np.random.default_rng(seed)
    costs = draw.normal(size=(actions, states))
    return costs, draw.dirichlet(np.ones(states), size=(actions, states))


def backup(program, V):
    costs, transitions, factor = program
    return (costs + factor * transitions @ V).min(axis=0)


def rules(costs, transitions):
    """Costs and transitions of every stationary rule."""
    actions, states = costs.shape
    here = np.arange(states)
    for rule in itertools.product(range(actions), repeat=states):
        yield costs[rule, here], transitions[rule, here]


@pytest.mark.parametrize("seed", range(10))
def test_bounds_enclose_the_best_average_cost(seed, x64):
    costs, transitions = random_program(seed)

    def average(cost, P):
        system = np.vstack([P.T - np.eye(len(P)), np.ones(len(P))])
        law = np.linalg.lstsq(system, np.append(np.zeros(len(P)), 1), rcond=None)[0]
        return law @ cost

    best = min(average(*rule) for rule in rules(costs, transitions))
    program = Partial(backup, (costs, transitions, 1.0))
    found = value_iteration.solve(program, jnp.zeros(4), tol=1e-9)
    assert found.converged
    assert found.lower - 1e-12 <= best <= found.upper + 1e-12
    assert found.upper - found.lower <= 1e-9
    early = value_iteration.solve(program, jnp.zeros(4), tol=1e-9, max_iterations=2)
    assert not early.converged
    assert early.lower <= best <= early.upper


@pytest.mark.parametrize("seed", range(5))
def test_bounds_enclose_discounted_values(seed, x64):
    costs, transitions = random_program(seed)
    values = [
        np.linalg.solve(np.eye(4) - 0.9 * P, cost)
        for cost, P in rules(costs, transitions)
    ]
    program = Partial(backup, (costs, transitions, 0.9))
    found = value_iteration.solve(program, jnp.zeros(4), discount=0.9, tol=1e-8)
    assert found.converged
    best = np.min(values, axis=0)
    assert (found.lower - 1e-12 <= best).all()
    assert (best <= found.upper + 1e-12).all()


def swing(V):
    """A chain that goes to and fro between two states, which cost 0 and 1."""
    return jnp.array([0.0, 1.0], V.dtype) + V[::-1]


def test_a_periodic_chain_is_solved():
    found = value_iteration.solve(swing, jnp.zeros(2), tol=1e-5)
    assert found.converged
    assert found.lower <= 0.5 + 1e-6
    assert found.upper >= 0.5 - 1e-6


def test_single_precision_ends_where_it_cannot_come_closer():
    costs, transitions = (jnp.asarray(x, "float32") for x in random_program(0))
    program = Partial(backup, (1e4 * costs, transitions, jnp.float32(1)))
    found = value_iteration.solve(program, jnp.zeros(4, "float32"), tol=1e-9)
    assert not found.converged
    assert found.iterations < 2000
    assert found.upper - found.lower < 0.1


@pytest.mark.parametrize("switch", [1e-4, 1e-6])
def test_bounds_that_close_slowly_are_waited_for(switch, x64):
    """It ends where it has converged, or after the iterations that were allowed."""
    chain = jnp.array([[1 - switch, switch], [switch, 1 - switch]])
    program = Partial(backup, (jnp.array([[0.0, 1.0]]), chain[None], 1.0))
    most = 200_000
    found = value_iteration.solve(program, jnp.zeros(2), tol=1e-6, max_iterations=most)
    assert found.converged == (switch == 1e-4)
    assert found.lower <= 0.5 <= found.upper
    if not found.converged:
        assert found.iterations == most


def test_two_worlds_are_waited_for(x64):
    """Nothing leads from one state to the other; what they cost differs by 1 / (1 - α)."""
    program = Partial(backup, (jnp.array([[0.0, 1.0]]), jnp.eye(2)[None], 0.9995))
    found = value_iteration.solve(
        program, jnp.zeros(2), discount=0.9995, tol=1e-3, max_iterations=100_000
    )
    assert found.converged
    assert (found.lower <= jnp.array([0.0, 2000.0]) + 1e-9).all()
    assert (jnp.array([0.0, 2000.0]) - 1e-9 <= found.upper).all()
    apart = value_iteration.solve(lambda V: jnp.array([0.0, 1.0]) + V, jnp.zeros(2))
    assert not apart.converged  # on average they cost 0 and 1, for ever
    assert apart.iterations == 10_000


@pytest.mark.parametrize("rest", [1e-3, 1e-4, 1e-6, 1e-7, 1e-8])
@pytest.mark.parametrize("start", [0.0, 0.9])
def test_discounting_next_to_one_in_single_precision(rest, start):
    """A cost of 1 for ever is 1 / rest; the bounds say how little a float32 knows of it."""
    factor = jnp.float32(1 - rest)
    found = value_iteration.solve(
        lambda V: 1 + factor * V,
        jnp.array([start, start / 2], "float32") / rest,
        discount=1 - rest,
        tol=1e-3,
        max_iterations=2000,
    )
    assert (found.lower <= 1 / rest).all()
    assert (1 / rest <= found.upper).all()
    if found.converged:
        assert (found.upper - found.lower <= 1e-3).all()


def test_models_of_one_shape_compile_once():
    before = value_iteration._solve._cache_size()
    for seed in range(3):
        program = Partial(backup, (*map(jnp.asarray, random_program(seed, 5)), 1.0))
        value_iteration.solve(program, jnp.zeros(5), tol=1e-3)
    assert value_iteration._solve._cache_size() == before + 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backup": 3}, "backup must be a function"),
        ({"backup": lambda V: V[:1]}, "backup must return what it is given"),
        ({"backup": lambda V: V.sum()}, "backup must return what it is given"),
        ({"values": jnp.zeros(2, int)}, "values must be floating-point numbers"),
        ({"values": jnp.array([0.0, jnp.nan])}, "values must be finite"),
        ({"discount": 1.5}, r"discount must be in \(0, 1\]"),
        ({"discount": 0.0}, r"discount must be in \(0, 1\]"),
        ({"tol": 0.0}, "tol must be > 0"),
        ({"values": None}, "values must be a number"),
        ({"values": []}, "values must be a number"),
        ({"backup": lambda V: V * jnp.nan}, "backup must return finite numbers, got"),
        (
            {"backup": lambda V: jnp.arange(2.0) + 2 * V},
            "backup must return finite numbers, got",
        ),
        ({"max_iterations": 0}, "max_iterations must be"),
        (
            {"max_iterations": 10**9 + 1},
            "max_iterations must be an integer <= 1000000000, got 1000000001",
        ),
    ],
)
def test_what_is_refused(changes, words):
    settings = {"backup": swing, "values": jnp.zeros(2)} | changes
    with pytest.raises(ValueError, match=words):
        value_iteration.solve(**settings)


def test_a_traced_tolerance_is_refused():
    with pytest.raises(ValueError, match="tol"):
        jax.jit(lambda tol: value_iteration.solve(swing, jnp.zeros(2), tol=tol))(0.1)
