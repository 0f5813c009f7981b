"""Checks at the edge: what they let through, and what each one says when it does not."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lectures_helpers import checks

NOT_NUMBERS = ["3", None, 1 + 2j, [1.0, None], [[1.0], [2.0, 3.0]], {}]


def refuses(message):
    """Expect a ValueError that says exactly this."""
    return pytest.raises(ValueError, match=f"^{re.escape(message)}$")


# --------------------------------------------------------------- finite, at_least


@pytest.mark.parametrize(
    "value",
    [
        0,
        2.5,
        np.float32(1),
        np.arange(3),
        [1, 2.0],
        jnp.ones((2, 2)),
        jnp.bfloat16(2),
    ],
    ids=repr,
)
def test_finite_returns_the_value_itself(value):
    assert checks.finite("x", value) is value
    assert checks.at_least("x", value, 0) is value


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_finite_refuses_what_is_no_number(value):
    with refuses(f"x must be a number, got {value!r}"):
        checks.finite("x", value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (np.nan, "nan"),
        (-np.inf, "-inf"),
        ([1.0, np.inf, np.nan], "inf at position 1"),
        (jnp.array([[1.0, 2.0], [jnp.nan, 4.0]]), "nan at position (1, 0)"),
    ],
    ids=["nan", "inf", "vector", "matrix"],
)
def test_finite_shows_the_first_culprit_and_its_place(value, shown):
    with refuses(f"x must be finite, got {shown}"):
        checks.finite("x", value)


def test_at_least_includes_the_bound():
    assert checks.at_least("x", 2.0, 2.0) == 2.0
    with refuses("x must be >= 2, got 1.5"):
        checks.at_least("x", 1.5, 2.0)
    with refuses("x must be >= 0, got -3 at position 2"):
        checks.at_least("x", [0.0, 1.0, -3.0], 0.0)
    with refuses("x must be finite, got nan"):
        checks.at_least("x", np.nan, 0.0)


# ----------------------------------------------------------------- integer, dates


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), jnp.int32(3)], ids=repr)
def test_integer_returns_a_python_int(value):
    number = checks.integer("n", value, 3)
    assert number == 3
    assert type(number) is int


@pytest.mark.parametrize(
    "value", [3.0, "3", None, True, np.bool_(1), [3], np.arange(2)], ids=repr
)
def test_integer_refuses_what_is_no_whole_number(value):
    with refuses(f"n must be an integer >= 1, got {value!r}"):
        checks.integer("n", value, 1)


def test_integer_refuses_what_is_too_small():
    with refuses("n must be an integer >= 1, got 0"):
        checks.integer("n", 0, 1)


@pytest.mark.parametrize(
    "value", [[1], (2, 5, 9), range(1, 4), np.array([1, 7])], ids=repr
)
def test_dates_become_a_tuple(value):
    dates = checks.dates("dates", value)
    assert dates == tuple(int(day) for day in value)
    assert all(type(day) is int for day in dates)


@pytest.mark.parametrize(
    "value",
    [[], (), [0, 1], [-1], [2, 2], [3, 2], [1.0, 2.0], [1, None], 5, None, "12"],
    ids=repr,
)
def test_dates_refuses(value):
    bound = "must be a non-empty sequence of increasing positive integers"
    with refuses(f"dates {bound}, got {value!r}"):
        checks.dates("dates", value)


# ------------------------------------------------------------------------ initial


@pytest.mark.parametrize(
    "value", [5, 5.0, np.float64(5), np.int64(5), jnp.float32(5)], ids=repr
)
def test_initial_turns_a_number_into_floats(value):
    assert checks.initial("x_init", value).shape == ()
    repeated = checks.initial("x_init", value, 3)
    assert repeated.dtype == jnp.float32
    np.testing.assert_array_equal(repeated, [5.0, 5.0, 5.0])


def test_initial_keeps_a_vector_and_its_floating_type():
    vector = jnp.arange(3, dtype=jnp.float16)
    assert checks.initial("x_init", vector, 3).dtype == jnp.float16
    np.testing.assert_array_equal(checks.initial("x_init", [1, 2]), [1.0, 2.0])


def test_initial_refuses_other_shapes():
    with refuses("x_init must be a number or a vector, got an array of shape (2, 1)"):
        checks.initial("x_init", [[1.0], [2.0]])
    with refuses(
        "x_init must be a number or have shape (num_firms,) = (3,), got shape (2,)"
    ):
        checks.initial("x_init", [1.0, 2.0], 3)
    with refuses("x_init must be >= 0, got -1"):
        checks.initial("x_init", -1.0, 3)


# --------------------------------------------------------------------- random_key


def test_random_key_takes_one_typed_key():
    key = jax.random.key(0)
    assert checks.random_key(key) is key
    assert checks.random_key(jax.random.key(0, impl="rbg")).shape == ()


@pytest.mark.parametrize("key", [0, None, np.zeros(2, np.uint32)], ids=repr)
def test_random_key_refuses_what_is_no_typed_key(key):
    with refuses(f"key must be a typed key made by jax.random.key(seed), got {key!r}"):
        checks.random_key(key)


def test_random_key_refuses_a_raw_key_and_several_keys():
    with pytest.raises(ValueError, match=r"key must be a typed key .*uint32"):
        checks.random_key(jax.random.PRNGKey(0))
    with refuses("key must be a single key, got an array of keys of shape (2,)"):
        checks.random_key(jax.random.split(jax.random.key(0)))


# ------------------------------------------------------------------------- tracers


def test_traced_values_pass_unchecked():
    """Under jit, grad or vmap there is no number to look at."""

    def through(x):
        assert checks.is_traced(x)
        return checks.at_least("x", checks.finite("x", x), 0.0)

    assert jax.jit(through)(-1.0) == -1.0
    assert jax.grad(through)(-1.0) == 1.0
    np.testing.assert_array_equal(jax.vmap(through)(-jnp.ones(2)), [-1.0, -1.0])
    np.testing.assert_array_equal(
        jax.jit(lambda x: checks.initial("x", x, 2))(-1), [-1.0, -1.0]
    )
    assert not checks.is_traced(jnp.ones(2))


@pytest.mark.parametrize("value", [1e-9, 3, np.array([0.5, 2.0])])
def test_positive_accepts(value):
    assert checks.positive("rate", value) is value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "rate must be > 0, got 0; why"),
        (-1.5, r"rate must be > 0, got -1\.5; why"),
        ([1.0, 0.0], "rate must be > 0, got 0 at position 1; why"),
        (float("nan"), "rate must be finite, got nan"),
        ("3", "rate must be a number, got '3'"),
    ],
)
def test_positive_refuses(value, message):
    with pytest.raises(ValueError, match=message):
        checks.positive("rate", value, hint="; why")


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, object])
def test_integers_are_wide_whatever_the_callers(dtype):
    """A level of 0 less 1 is -1 also where the caller's integers have no sign."""
    values = checks.integers("levels", np.array([0, 5, 100], dtype), 0)
    assert values.dtype == np.int64
    assert (values * 2 - 1).tolist() == [-1, 9, 199]


@pytest.mark.parametrize(
    "check",
    [
        lambda x: checks.integers("x", x, 0),
        lambda x: checks.one_number("x", x),
        lambda x: checks.number_or_vector("x", x),
    ],
)
def test_ragged_rows_are_refused_by_name(check):
    with pytest.raises(
        ValueError, match=r"x must be a number or an array, got \[\[1\]"
    ):
        check([[1], [1, 2]])


def test_integers_up_to_a_hundred_million():
    assert checks.integers("n", [0, 10**8]).tolist() == [0, 10**8]
    with refuses("n must be <= 100000000, got 100000001"):
        checks.integers("n", [0, 10**8 + 1])


def test_a_law_of_demand_is_scaled_to_one():
    """Sums that miss 1 by rounding are let through, not passed on."""
    law = checks.demand_law("pmf", [0.25, 0.25, 0.5 + 8e-7])
    assert law.sum() == pytest.approx(1, abs=1e-15)
    np.testing.assert_allclose(law[2] / law[0], 2 + 3.2e-6, rtol=1e-12)
    with pytest.raises(ValueError, match="pmf must be a vector of probabilities"):
        checks.demand_law("pmf", [0.25, 0.25, 0.5 + 2e-6])


def test_what_cannot_be_traced_is_not_told_to_be_mapped():
    with pytest.raises(ValueError, match=r"price must be one number.*one at a time"):
        checks.concrete("price", np.ones(3))
