"""A stock that expires: the model, its states, one period, thresholds; and bad input."""

import re
from functools import partial

import expiry_oracle as oracle
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lectures_helpers import expiry

SMALL = expiry.create_model(2, 4, [0.25, 0.25, 0.25, 0.25])


def refuses(message):
    """Expect a ValueError that says this."""
    return pytest.raises(ValueError, match=re.escape(message))


@st.composite
def stocks(draw, m=4, k=7):
    return draw(st.lists(st.integers(0, k - 1), min_size=m, max_size=m))


# -------------------------------------------------------------------- worked examples


def test_worked_examples():
    assert expiry.encode((2, 3, 4), 10) == 234
    np.testing.assert_array_equal(expiry.decode(436, 3, 10), (4, 3, 6))
    np.testing.assert_array_equal(expiry.deplete([4, 1, 2], 2), (2, 1, 2))
    np.testing.assert_array_equal(expiry.next_stock([4, 1, 2], 2, 3, 4), (0, 1, 3))
    path = [(1, 3, 1)]
    while any(path[-1]):
        path.append(tuple(np.asarray(expiry.deplete(path[-1], 1)).tolist()))
    assert path == [(1, 3, 1), (0, 3, 1), (0, 2, 1), (0, 1, 1), (0, 0, 1), (0, 0, 0)]


def test_a_reward_by_hand():
    """2 sold off, 5 kept, 3 ordered, 4 sold out of 8, and of the oldest 4 - 2 - 1 expire."""
    model = expiry.create_model(3, 10, [1.0])
    at_end = -3 * 3 + 5 * 4 - 0
    got = expiry.reward(model, [4, 1, 2], 2, 3, 4)
    np.testing.assert_allclose(got, 2 - 0.5 * 5 + 0.95 * at_end, rtol=1e-6)
    got = expiry.reward(model, [4, 1, 2], 2, 3, 1)
    np.testing.assert_allclose(got, 2 - 2.5 + 0.95 * (-9 + 5 - 2 * 1), rtol=1e-6)
    assert got.dtype == jnp.float32


def test_fields_stand_in_the_order_of_the_text():
    costs = ("holding_cost", "unit_cost", "price", "disposal_cost", "discount")
    fields = ("num_ages", "num_levels", "demand_pmf", "salvage", *costs)
    assert expiry.Model._fields == fields
    assert SMALL[:2] + SMALL[3:] == (2, 4, 1.0, 0.5, 3.0, 5.0, 2.0, 0.95)


# ------------------------------------------------------------------------- properties


@given(x=stocks(), a=st.integers(0, 30), b=st.integers(0, 30))
def test_selling_twice_is_selling_once(x, a, b):
    twice = expiry.deplete(expiry.deplete(x, a), b)
    np.testing.assert_array_equal(twice, expiry.deplete(x, a + b))
    np.testing.assert_array_equal(twice, oracle.sell_off(tuple(x), a + b))


@given(st.integers(1, 9), st.integers(2, 12), st.data())
def test_numbers_and_states_are_one_to_one(m, k, data):
    x = data.draw(st.lists(st.integers(0, k - 1), min_size=m, max_size=m))
    index = expiry.encode(x, k)
    assert index == sum(n * k ** (m - 1 - i) for i, n in enumerate(x))
    np.testing.assert_array_equal(expiry.decode(index, m, k), x)


def test_numbers_go_through_the_grid_in_order():
    grid = expiry.decode(np.arange(4**3).reshape(16, 4), 3, 4)
    assert grid.shape == (16, 4, 3)
    assert [tuple(x) for x in grid.reshape(-1, 3).tolist()] == oracle.states(3, 4)
    np.testing.assert_array_equal(expiry.encode(grid, 4).ravel(), np.arange(64))
    # the largest grid that 64 bits can number
    top = expiry.decode(2**62 - 1, 62, 2)
    assert top.all()
    assert expiry.encode(top, 2) == 2**62 - 1


@given(stocks(), st.integers(0, 30), st.integers(0, 6), st.integers(0, 40))
def test_a_period_is_what_happens_to_each_unit(x, z, q, d):
    """Units are conserved: there + ordered = sold off + sold + expired + left."""
    z = min(z, sum(x))
    out = oracle.live_through(tuple(x), z, q, d)
    after = expiry.next_stock(x, z, q, d)
    np.testing.assert_array_equal(after, out.stock)
    assert sum(x) + q == z + out.sold + out.expired + int(after.sum())
    shop = oracle.Shop(4, 7, None, s=1, h=0.5, c=3, r=5, θ=2, α=0.5)
    model = expiry.create_model(4, 7, [1.0], discount=0.5)
    # Halves of whole numbers below 2^10: exact in float32.
    assert float(expiry.reward(model, x, z, q, d)) == oracle.earns(shop, out)


def test_a_period_broadcasts():
    """Shapes that broadcast with (...): one stock, many decisions, many demands."""
    x = np.array([4, 1, 2])
    z, d = np.arange(8), np.arange(5)[:, None]
    np.testing.assert_array_equal(
        expiry.deplete(x, z), [oracle.sell_off(tuple(x.tolist()), i) for i in range(8)]
    )
    after = expiry.next_stock(x, z, 3, d)
    model = expiry.create_model(3, 10, [1.0], discount=0.5)
    shop = oracle.Shop(3, 10, None, s=1, h=0.5, c=3, r=5, θ=2, α=0.5)
    money = expiry.reward(model, x, z, 3, d)
    assert after.shape == (5, 8, 3)
    assert money.shape == (5, 8)
    for i in range(8):
        for j in range(5):
            out = oracle.live_through((4, 1, 2), i, 3, j)
            assert tuple(after[j, i].tolist()) == out.stock
            assert float(money[j, i]) == oracle.earns(shop, out)


@pytest.mark.parametrize("kind", ["int8", "int16", "uint8", "uint16", "int32"])
def test_a_period_takes_every_integer(kind):
    """Decisions of a solution are small integers; they go with a stock of other ones."""
    z, q, d = (np.array(n, kind) for n in (2, 3, 4))
    x = np.array([4, 1, 2])
    np.testing.assert_array_equal(expiry.deplete(x, z), (2, 1, 2))
    np.testing.assert_array_equal(expiry.next_stock(x, z, q, d), (0, 1, 3))
    np.testing.assert_array_equal(expiry.next_stock(x.astype(kind), 2, q, 4), (0, 1, 3))
    model = expiry.create_model(3, 10, [1.0])
    money = expiry.reward(model, [4, 1, 2], 2, 3, 4)
    assert expiry.reward(model, x, z, q, d) == money
    assert expiry.reward(model, x.astype(kind), z, q, d) == money


def test_small_integers_do_not_run_over():
    """100 + 100 is more than eight bits hold."""
    x = np.array([100, 100, 2], np.int8)
    np.testing.assert_array_equal(expiry.deplete(x, np.int8(1)), (99, 100, 2))


def test_decisions_of_a_solution_go_back_into_the_model():
    solution = expiry.solve(SMALL, 2)
    x = jnp.array([3, 1])
    z, q = solution.depletion[3, 1], solution.order[3, 1]
    after = expiry.next_stock(x, z, q, 1)
    expected = oracle.live_through((3, 1), int(z), int(q), 1).stock
    np.testing.assert_array_equal(after, expected)


# ----------------------------------------------------------------------------- demand


def test_poisson_law():
    n = np.arange(20)
    expected = stats.poisson(8).pmf(n) / stats.poisson(8).cdf(19)
    np.testing.assert_allclose(expiry.poisson_pmf(8, 19), expected, rtol=1e-13)
    np.testing.assert_array_equal(expiry.poisson_pmf(0.3, 0), [1])
    with refuses("rate must be > 0, got 0"):
        expiry.poisson_pmf(0, 3)
    with refuses("max_demand must be an integer >= 0, got -1"):
        expiry.poisson_pmf(1.0, -1)
    with refuses("max_demand must leave some of the law, got 3 at a rate of 1000"):
        expiry.poisson_pmf(1000.0, 3)


def test_sample_average():
    key = partial(
        jax.random.key, 4
    )  # a new key object at each call: none is used twice
    pmf = expiry.sample_average_pmf(8.0, 4000, 3, key=key())
    np.testing.assert_allclose(pmf.sum(1), 1, rtol=1e-12)
    np.testing.assert_allclose(pmf * 4000, np.round(pmf * 4000), atol=1e-9)
    mean = pmf @ np.arange(pmf.shape[1])
    # Four standard errors of a mean of 4,000 Poisson draws.
    np.testing.assert_allclose(mean, 8, atol=4 * np.sqrt(8 / 4000))
    assert len({tuple(row) for row in pmf}) == 3
    again = expiry.sample_average_pmf(8.0, 4000, 3, key=key())
    np.testing.assert_array_equal(pmf, again)
    with refuses("num_samples must be an integer >= 1, got 0"):
        expiry.sample_average_pmf(8.0, 0, 3, key=key())
    with refuses("num_periods must be an integer >= 1, got 0"):
        expiry.sample_average_pmf(8.0, 3, 0, key=key())
    with refuses("key must be a typed key"):
        expiry.sample_average_pmf(8.0, 3, 3, key=4)


def test_a_law_is_copied_scaled_and_frozen():
    given_law = np.array([0.5, 0.5 + 9e-7])
    model = expiry.create_model(2, 3, given_law)
    given_law[:] = 7
    np.testing.assert_allclose(model.demand_pmf.sum(), 1, rtol=1e-15)
    np.testing.assert_allclose(model.demand_pmf, 0.5, atol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        model.demand_pmf[0] = 1


# ------------------------------------------------------------------------- thresholds


@pytest.mark.parametrize(
    ("m", "k", "prices"),
    [
        (1, 6, {}),
        (2, 5, {}),
        (3, 5, {"salvage": 2.5, "holding_cost": 1.0}),
        (3, 5, {"salvage": -1}),
        (4, 4, {"discount": 1}),
    ],
)
def test_thresholds_recover_the_depletion(m, k, prices):
    model = expiry.create_model(m, k, expiry.poisson_pmf(3, 9), **prices)
    found = expiry.thresholds(model, 4, dtype="float64")
    assert [z.shape for z in found] == [(k,) * (m - 1 - i) for i in range(m)]
    depletion = expiry.solve(model, 4, dtype="float64").depletion
    for x in oracle.states(m, k):
        assert oracle.by_thresholds(x, found) == depletion[x], x
    for z in found:
        assert z.min() >= 0
        assert z.max() <= k - 1
        for axis in range(z.ndim):  # they fall as newer stock grows
            assert (np.diff(z, axis=axis) <= 0).all()


def test_thresholds_at_their_ends():
    """Salvage at a loss keeps everything; no demand at all keeps nothing."""
    loss = expiry.create_model(2, 4, [0, 0, 0, 0, 0, 1.0], salvage=-100)
    for z in expiry.thresholds(loss, 2):
        np.testing.assert_array_equal(z, 3)
    dead = expiry.create_model(2, 4, [1.0])
    for z in expiry.thresholds(dead, 2):
        np.testing.assert_array_equal(z, 0)


def test_a_depletion_of_another_form_is_refused():
    model = expiry.create_model(
        2, 2, [1.0],
        salvage=-3, holding_cost=1, unit_cost=1, price=1, disposal_cost=0, discount=1,
    )  # fmt: skip
    message = (
        "the depletion must be of the threshold form, but in state (1, 1) it is 0 "
        "and the thresholds give 2"
    )
    with refuses(message):
        expiry.thresholds(model, 1)
    with refuses("num_periods must be an integer >= 1, got 0"):
        expiry.thresholds(SMALL, 0)


# -------------------------------------------------------------------------- bad input


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(num_ages=0), "num_ages must be an integer >= 1, got 0"),
        (dict(num_ages=-3), "num_ages must be an integer >= 1, got -3"),
        (dict(num_ages=2.0), "num_ages must be an integer >= 1, got 2.0"),
        (dict(num_ages=True), "num_ages must be an integer >= 1, got True"),
        (dict(num_levels=1), "num_levels must be an integer >= 2, got 1"),
        (dict(num_levels="3"), "num_levels must be an integer >= 2, got '3'"),
        (dict(salvage=NAN), "salvage must be finite, got nan"),
        (dict(holding_cost=INF), "holding_cost must be finite, got inf"),
        (dict(unit_cost=-INF), "unit_cost must be finite, got -inf"),
        (dict(price="5"), "price must be a number, got '5'"),
        (dict(price=None), "price must be a number, got None"),
        (dict(price=[5.0]), "price must be one number here, got shape (1,)"),
        (dict(disposal_cost=1j), "disposal_cost must be a number, got 1j"),
        (
            dict(disposal_cost=np.ones(2)),
            "disposal_cost must be one number here, got shape (2,)",
        ),
        (dict(discount=0), "discount must be in (0, 1], got 0"),
        (dict(discount=-0.5), "discount must be in (0, 1], got -0.5"),
        (dict(discount=1.5), "discount must be in (0, 1], got 1.5"),
        (dict(discount=1.0000001), "discount must be in (0, 1], got 1.0000001"),
        (dict(discount=NAN), "discount must be finite, got nan"),
        (dict(demand_pmf=[]), "demand_pmf must be a number, got []"),
        (dict(demand_pmf=np.ones((0, 3))), "demand_pmf must be a number, got array"),
        (dict(demand_pmf=1.0), "(d_max + 1,) or (T, d_max + 1), got shape ()"),
        (dict(demand_pmf=[[[1.0]]]), "(T, d_max + 1), got shape (1, 1, 1)"),
        (dict(demand_pmf=[[1.0], [0.5, 0.5]]), "demand_pmf must be a number, got [["),
        (dict(demand_pmf=[0.5, NAN]), "demand_pmf must be finite, got nan at position"),
        (dict(demand_pmf=[1.5, -0.5]), "demand_pmf must be >= 0, got -0.5 at position"),
        (dict(demand_pmf=[0.5, 0.49]), "within 1e-06, got a sum of 0.99"),
        (dict(demand_pmf=[0.5, 0.500002]), "within 1e-06, got a sum of 1.000002"),
        (dict(demand_pmf=[[1.0], [0.9]]), "got a sum of 0.9 in period 1"),
        (dict(demand_pmf=["a"]), "demand_pmf must be a number"),
        (dict(demand_pmf=[True]), "demand_pmf must be a number"),
        (dict(demand_pmf=[1 + 0j]), "demand_pmf must be a number"),
        (dict(demand_pmf=np.full(10**6 + 1, 1e-6)), "at most 1000000 entries, got"),
    ],
    ids=str,
)
def test_bad_models(given, message):
    good = dict(num_ages=2, num_levels=3, demand_pmf=[0.5, 0.5])
    with refuses(message):
        expiry.create_model(**good | given)
    if "demand_pmf" not in given and not isinstance(given.get("num_ages"), bool):
        model = expiry.create_model(**good)._replace(**given)
        with refuses(message):  # what was put in by hand is checked as well
            expiry.solve(model, 1)


def test_models_and_tracers():
    with refuses("model must come from create_model, got (2, 3)"):
        expiry.solve((2, 3), 1)
    with refuses("price must be a number here, got what JAX traces"):
        jax.jit(lambda r: expiry.create_model(2, 3, [1.0], price=r).price)(5.0)
    with refuses("demand_pmf must be a number here, got what JAX traces"):
        jax.jit(lambda p: expiry.create_model(2, 3, p).price)(jnp.ones(1))


def test_numbers_of_other_libraries():
    model = expiry.create_model(
        np.int64(2), jnp.int32(4), jnp.array([0.5, 0.5]),
        salvage=np.float32(1), holding_cost=jnp.array(0.5), unit_cost=np.int8(3),
        price=np.array(5), disposal_cost=2, discount=0.95,
    )  # fmt: skip
    assert (type(model.num_ages), type(model.num_levels), type(model.salvage)) == (
        int,
        int,
        float,
    )
    assert model[3:] == SMALL[3:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1,), "num_periods must be an integer >= 0, got -1"),
        ((2.0,), "num_periods must be an integer >= 0, got 2.0"),
        ((None,), "num_periods must be an integer >= 0, got None"),
        ((2, dict(method="greedy")), "method must be one of ['exhaustive', 'top_down'"),
        ((2, dict(method=None)), "method must be one of"),
        ((2, dict(method=["tensor"])), "method must be one of"),
        (
            (2, dict(dtype="float16")),
            "dtype must be one of ['float32', 'float64'], got",
        ),
        ((2, dict(dtype=int)), "dtype must be one of"),
        ((2, dict(dtype="nonsense")), "got 'nonsense'"),
        ((2, dict(checkpoint=3)), "checkpoint must be a path, got 3"),
        ((2, dict(checkpoint="")), "checkpoint must be a file that can be written"),
        (
            (2, dict(checkpoint="/no/such/a.npz")),
            "in a folder that exists, got",
        ),
        ((2, dict(checkpoint="/")), "got '/' (it is a folder)"),
        ((2, dict(checkpoint="/tmp/a\0b")), "checkpoint must be"),
    ],
    ids=str,
)
def test_bad_calls(arguments, message):
    T, options = (*arguments, {})[:2]
    with refuses(message):
        expiry.solve(SMALL, T, **options)
    if "method" in options or "dtype" in options:
        with refuses(message):
            expiry.required_memory(SMALL, **options)


def test_a_name_that_leaves_no_room_for_a_save_is_refused_before_the_run(tmp_path):
    """255 characters are the most; the unfinished file beside it has a longer name."""
    with pytest.raises(ValueError, match="checkpoint"):
        expiry.solve(SMALL, 3, checkpoint=tmp_path / ("a" * 250))


def test_rows_of_a_law_are_periods():
    model = SMALL._replace(demand_pmf=np.full((3, 4), 0.25))
    for T in (0, 1, 2, 4):
        for call in (
            expiry.solve,
            partial(expiry.evaluate, policy=expiry.Policy(*np.zeros((2, 4, 4), int))),
        ):
            with refuses(f"demand_pmf must have num_periods = {T} rows, got 3"):
                call(model, num_periods=T)
    assert expiry.solve(model, 3).values.shape == (4, 4)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([0, 4], "x must lie on the grid 0, ..., num_levels - 1 = 3, got 4"),
        ([[0, 1], [-1, 2]], "num_levels - 1 = 3, got -1"),
        ([0.0, 1.0], "x must hold integers, got [0.0, 1.0]"),
        ([True, False], "x must hold integers"),
        ([], "x must"),
        (3, "x must have the shape (..., num_ages), got 3"),
        ("ab", "x must hold integers, got 'ab'"),
        ([[1], [1, 2]], "x must"),
        (np.array([2**63, 1], np.uint64), "got 9223372036854775808"),
        (np.zeros(64, int), "num_levels^num_ages must fit into 64 bits, got 4^64"),
    ],
    ids=str,
)
def test_states_off_the_grid(x, message):
    with refuses(message):
        expiry.encode(x, 4)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (16, "index must be in 0, ..., num_levels^num_ages - 1 = 15, got 16"),
        ([3, -1], "= 15, got -1"),
        (1.0, "index must hold integers, got 1.0"),
        ([[1], [1, 2]], "index must"),
    ],
    ids=str,
)
def test_numbers_off_the_grid(index, message):
    with refuses(message):
        expiry.decode(index, 2, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_prices_beyond_the_type_are_refused(dtype):
    """Finite numbers whose sums are not: an error, not a table of NaN."""
    largest = float(np.finfo(dtype).max)
    for price in (largest, largest * 10 if dtype == "float32" else largest / 2):
        model = expiry.create_model(2, 4, [0.25] * 4, price=price, discount=1)
        with pytest.raises(ValueError, match=r"price|dtype"):
            expiry.solve(model, 5, dtype=dtype)


@pytest.mark.parametrize(
    ("prices", "sensible"),
    [
        (dict(salvage=5.0), True), (dict(salvage=5.01), False),
        (dict(salvage=-2.0), True), (dict(salvage=-2.01), False),
        (dict(holding_cost=0.0), True), (dict(holding_cost=-0.01), False),
        (dict(salvage=0.0, price=0.0), True),
        (dict(salvage=-1.0, price=-0.01), False),
    ],
)  # fmt: skip
def test_prices_are_sensible_up_to_their_bounds(prices, sensible):
    """r = 5, θ = 2: a unit may earn as much sold off as sold, or cost as much as waste."""
    model = expiry.create_model(**prices, **({} if "price" in prices else {"price": 5}))
    assert expiry.is_sensible(model) is sensible
