"""The s–S model and its simulation: law of motion, kernels, keys, bad input.

Whether the simulated *laws* are right is asked in test_ss_exact.py, where an exact answer exists.
"""

import functools
import logging
import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lectures_helpers.dynamics import ss, ss_exact
from lectures_helpers.precision import enable_x64

PARAMS = ss.create_parameters()
BUSY = ss.create_parameters(10.0, 40.0, 1.5, 0.7)  # a restock every five periods or so
KEY = partial(jax.random.key, 20)  # a new key object at each call: none is used twice


def from_stocks(kernel):
    """A kernel of the lectures, which takes the firms' stocks, called as `cross_section` is."""

    def simulate(params, x_init, num_periods, *, key, num_firms):
        X = jnp.broadcast_to(jnp.asarray(x_init) * 1.0, (num_firms,))
        return kernel(params, X, num_periods, key=key)

    return simulate


LOOP, COMPILED, VECTORIZED = map(
    from_stocks,
    (ss.cross_section_loop, ss.cross_section_compiled, ss.cross_section_vectorized),
)
KERNELS = [LOOP, COMPILED, VECTORIZED, ss.cross_section]
with_kernels = pytest.mark.parametrize(
    "kernel", KERNELS, ids=["loop", "compiled", "vectorized", "blocks"]
)

# Kernels fuse the same float32 operations in their own ways. One rounding of a stock below 128 is
# 4e-6; a stock has at most some 40 of them behind it since it last was S.
ROUNDING = 40 * 4e-6


def same_numbers(a, b):
    np.testing.assert_allclose(a, b, rtol=0, atol=ROUNDING)


def refuses(message):
    """Expect a ValueError that says this."""
    return pytest.raises(ValueError, match=re.escape(message))


# ----------------------------------------------------------------------- parameters


def test_fields_stand_in_the_order_of_the_text():
    assert ss.Parameters._fields == ("s", "S", "μ", "σ")
    assert ss.create_parameters() == (10.0, 100.0, 1.0, 0.5)
    assert ss.create_parameters(5, 40, 0.5, 1) == ss.Parameters(s=5, S=40, μ=0.5, σ=1)
    assert ss.create_parameters(σ=0.0).σ == 0.0
    assert ss.create_parameters(s=0.0).s == 0.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"s": 100.0}, "s must be below S, got s = 100.0 and S = 100.0"),
        ({"s": 101.0}, "s must be below S, got s = 101.0 and S = 100.0"),
        ({"S": -1.0}, "s must be below S, got s = 10.0 and S = -1.0"),
        ({"s": np.array([1.0, 200.0])}, "s must be below S"),
        ({"s": -0.5}, "s must be >= 0, got -0.5"),
        ({"σ": -0.1}, "σ must be >= 0, got -0.1"),
        ({"s": np.nan}, "s must be finite, got nan"),
        ({"S": np.inf}, "S must be finite, got inf"),
        ({"μ": -np.inf}, "μ must be finite, got -inf"),
        ({"σ": np.nan}, "σ must be finite, got nan"),
        ({"σ": [0.5, np.inf]}, "σ must be finite, got inf at position 1"),
        ({"S": "100"}, "S must be a number, got '100'"),
        ({"μ": None}, "μ must be a number, got None"),
    ],
    ids=str,
)
def test_parameters_out_of_bounds(given, message):
    with refuses(message):
        ss.create_parameters(**given)


# ------------------------------------------------------------------- law of motion


@pytest.mark.parametrize(
    ("X", "D", "X_next"),
    [
        (70.0, 4.0, 66.0),
        (10.0, 4.0, 96.0),  # at s: restocks
        (10.5, 4.0, 6.5),  # above s: does not, and falls below
        (0.0, 100.0, 0.0),  # all of S is sold
        (70.0, 71.0, 0.0),  # one unit of demand is lost
        (130.0, 4.0, 126.0),  # more than S in stock
    ],
)
def test_update_by_hand(X, D, X_next):
    assert ss.update(PARAMS, X, D) == X_next


@st.composite
def parameters(draw):
    s = draw(st.floats(0, 50, width=32))
    gap = draw(st.floats(0.125, 50, width=32))
    return ss.create_parameters(np.float32(s), np.float32(s) + np.float32(gap))


shares = st.lists(
    st.floats(0, 1, width=32), min_size=5, max_size=5
)  # one shape, one compilation
demands = st.lists(st.floats(0, 200, width=32), min_size=5, max_size=5)


def stocks(params, shares):
    X = np.minimum(np.float32(shares) * params.S, params.S)
    # XLA takes subnormal numbers for zero; so does the stock that it is given.
    return np.where(X < np.finfo(np.float32).tiny, np.float32(0), X)


@given(parameters(), shares, demands)
def test_update_is_the_formula_of_the_text(params, shares, D):
    X = stocks(params, shares)
    in_plain_python = [
        max((params.S if stock <= params.s else stock) - np.float32(d), np.float32(0))
        for stock, d in zip(X, D, strict=True)
    ]
    # Equal, but for differences so small that XLA takes them for zero.
    np.testing.assert_allclose(
        ss.update(params, X, np.float32(D)),
        in_plain_python,
        rtol=0,
        atol=np.finfo(np.float32).tiny,
    )


@given(parameters(), shares, demands)
def test_update_stays_within_zero_and_S(params, shares, D):
    X = ss.update(params, stocks(params, shares), np.float32(D))
    assert ((X >= 0) & (X <= params.S)).all()


@given(parameters(), shares, demands, demands)
def test_more_demand_never_leaves_more_stock(params, shares, D, more):
    X, D = stocks(params, shares), np.float32(D)
    assert (ss.update(params, X, D + np.float32(more)) <= ss.update(params, X, D)).all()


@given(parameters(), shares, demands)
def test_below_s_the_stock_left_does_not_matter(params, shares, D):
    X, D = np.float32(shares) * params.s, np.float32(D)
    X = np.minimum(X, params.s)
    np.testing.assert_array_equal(
        ss.update(params, X, D), ss.update(params, np.zeros_like(X), D)
    )


def test_update_is_elementwise_and_broadcasts():
    X, D = jnp.array([[70.0], [10.0], [3.0]]), jnp.array([[4.0, 80.0]])
    np.testing.assert_array_equal(
        ss.update(PARAMS, X, D), [[66, 0], [96, 20], [96, 20]]
    )
    np.testing.assert_array_equal(ss.update(PARAMS, X, 4.0), [[66], [96], [96]])


# ------------------------------------------------------------------- sample paths


def test_path_of_one_firm_and_of_several():
    one = ss.sample_path(PARAMS, 50.0, 60, key=KEY())
    assert one.shape == (61,)
    assert one[0] == 50.0
    starts = jnp.array([50.0, 10.0, 130.0, 0.0])
    several = ss.sample_path(PARAMS, starts, 60, key=KEY())
    assert several.shape == (61, 4)
    np.testing.assert_array_equal(several[0], starts)


@pytest.mark.parametrize(
    "x_init", [7.0, jnp.array([50.0, 10.0, 130.0, 0.0])], ids=["one", "four"]
)
def test_path_obeys_the_law_of_motion_with_demands_drawn_again(x_init):
    """Period t draws with the key fold_in(key, t): an account of the keys, apart from the code."""
    path = np.asarray(ss.sample_path(BUSY, x_init, 60, key=KEY()))
    X = np.asarray(x_init, np.float32)
    for t in range(60):
        Z = np.asarray(jax.random.normal(jax.random.fold_in(KEY(), t), X.shape))
        D = np.exp(np.float32(BUSY.μ) + np.float32(BUSY.σ) * Z)
        X = np.maximum(np.where(np.float32(BUSY.s) >= X, np.float32(BUSY.S), X) - D, 0)
        same_numbers(path[t + 1], X)


def test_path_begins_with_the_shorter_one():
    long, short = (ss.sample_path(PARAMS, 50.0, T, key=KEY()) for T in (80, 60))
    np.testing.assert_array_equal(long[:61], short)


def test_without_spread_a_path_is_a_saw():
    """σ = 0: every demand is exp(μ). Halves and quarters are exact in binary."""
    params = ss.create_parameters(s=2.0, S=10.0, μ=float(np.log(2.5)), σ=0.0)
    by_hand = [7.0, 4.5, 2.0, 7.5, 5.0, 2.5, 0.0, 7.5]
    path = ss.sample_path(params, 7.0, 7, key=KEY())
    # exp(log(2.5)) is not 2.5 to the last bit: seven demands of 2.5, each off by two roundings
    np.testing.assert_allclose(path, by_hand, rtol=0, atol=7 * 2 * 2.4e-7)
    np.testing.assert_array_equal(
        ss.cross_section(params, 7.0, 7, key=KEY(), num_firms=FIRMS),
        path[-1:].repeat(FIRMS),
    )


# ----------------------------------------------------------------- cross-sections

FIRMS = 500
STARTS = jnp.linspace(0.0, 120.0, FIRMS)  # on both sides of s and of S


@functools.cache
def paths(num_firms=FIRMS):
    """Paths that obey the law of motion, as shown above: what each kernel must reproduce."""
    return ss.sample_path(BUSY, STARTS[:num_firms], 130, key=KEY())


@with_kernels
@pytest.mark.parametrize(
    ("num_periods", "num_firms"), [(37, 1), (1, FIRMS), (130, FIRMS)], ids=str
)
def test_kernels_give_the_same_numbers(kernel, num_periods, num_firms):
    starts = STARTS[:num_firms]
    X = kernel(BUSY, starts, num_periods, key=KEY(), num_firms=num_firms)
    assert X.shape == (num_firms,)
    same_numbers(X, paths(num_firms)[num_periods])


@with_kernels
def test_a_number_is_the_stock_of_every_firm(kernel):
    draw = partial(kernel, BUSY, num_periods=37, num_firms=FIRMS)
    np.testing.assert_array_equal(
        draw(x_init=50, key=KEY()), draw(x_init=jnp.full(FIRMS, 50.0), key=KEY())
    )


@pytest.mark.parametrize(("block", "unroll"), [(1, 1), (7, 3), (64, 32)], ids=str)
@pytest.mark.parametrize("num_periods", [1, 49, 50])
def test_blocks_and_unrolling_change_no_number(block, unroll, num_periods):
    """Horizons that no block divides, blocks beyond the horizon, the GPU's unrolled loop."""
    block = ss.Block(block, unroll)
    X = ss.advance(BUSY, ss.update, STARTS, KEY(), 0, num_periods, block)
    same_numbers(X, paths()[num_periods])


def test_more_firms_than_a_block_of_draws_holds():
    num_firms = 2**19 + 1
    one_by_one = COMPILED(PARAMS, 50.0, 3, key=KEY(), num_firms=num_firms)
    same_numbers(
        ss.cross_section(PARAMS, 50.0, 3, key=KEY(), num_firms=num_firms), one_by_one
    )


@with_kernels
def test_same_key_same_numbers_other_key_other_numbers(kernel):
    draw = partial(kernel, PARAMS, 50.0, 20, num_firms=FIRMS)
    np.testing.assert_array_equal(draw(key=KEY()), draw(key=KEY()))
    assert not np.isclose(draw(key=KEY()), draw(key=jax.random.key(21))).any()


def test_no_draw_serves_two_periods_or_two_firms():
    """Stocks far from s and from 0, so that each period's demand can be read off a path."""
    params = ss.create_parameters(S=2000.0)
    path = np.asarray(ss.sample_path(params, jnp.full(400, 2000.0), 200, key=KEY()))
    # Read off float32 stocks up to 2000, a demand is exact to 1e-4, and its logarithm to 1e-3.
    Z = (np.log(-np.diff(path, axis=0)) - 1.0) / 0.5
    # 200 x 399 and 199 x 400 pairs: their correlation has standard error 1 / sqrt(pairs).
    pairs = 200 * 399
    assert abs((Z[:, 1:] * Z[:, :-1]).mean()) < 4 / np.sqrt(pairs)
    assert abs((Z[1:] * Z[:-1]).mean()) < 4 / np.sqrt(pairs)
    # Two rows or columns from the same draws would correlate by 1, others by 1 / sqrt(200) or less.
    for correlations in (np.corrcoef(Z), np.corrcoef(Z.T)):
        assert (correlations - np.eye(len(correlations))).max() < 0.5
    # and all of them are standard normal: the p-value of this key is a matter of luck, once
    assert stats.kstest(Z.ravel(), "norm").pvalue > 1e-4


@with_kernels
def test_kernels_agree_in_law(kernel):
    """Independent samples of one law; a p-value below 1e-4 is a 4-sigma event."""
    sample = partial(kernel, PARAMS, 50.0, 60, num_firms=20_000)
    reference = LOOP(PARAMS, 50.0, 60, key=jax.random.key(99), num_firms=20_000)
    assert stats.ks_2samp(sample(key=KEY()), reference).pvalue > 1e-4


@with_kernels
def test_numbers_follow_the_type_of_x_init(kernel):
    draw = partial(kernel, PARAMS, num_periods=1, num_firms=FIRMS)
    assert draw(x_init=50, key=KEY()).dtype == jnp.float32
    assert draw(x_init=jnp.full(FIRMS, 50, jnp.float16), key=KEY()).dtype == jnp.float16
    with enable_x64(True):
        assert draw(x_init=jnp.full(FIRMS, 50.0), key=KEY()).dtype == jnp.float64


# ----------------------------------------------------------- distribution dynamics


@pytest.mark.parametrize("dates", [[1], [1, 2, 51, 130], np.array([3, 130])], ids=str)
def test_rows_are_the_same_firms_at_their_dates(dates):
    """The firms of `cross_section`, although the blocks of draws start elsewhere."""
    draw = partial(ss.distribution_dynamics, BUSY, STARTS, num_firms=FIRMS)
    sections = draw(dates=dates, key=KEY())
    assert sections.shape == (len(dates), FIRMS)
    same_numbers(sections, paths()[np.array(dates)])
    last = ss.cross_section(BUSY, STARTS, int(dates[-1]), key=KEY(), num_firms=FIRMS)
    same_numbers(sections[-1], last)


def test_dynamics_in_blocks_of_a_gpu():
    dates = jnp.array([10, 11, 40])
    sections = ss.snapshots(BUSY, STARTS, dates, key=KEY(), block=ss.Block(16, 16))
    same_numbers(sections, paths()[dates])


# --------------------------------------------------------------- restock frequency


@pytest.mark.parametrize("at_least", [0, 1, 2, 8, 30])
@pytest.mark.parametrize("num_periods", [1, 37, 130])
def test_frequency_is_the_count_on_the_same_paths(at_least, num_periods):
    """A firm restocks in period t = 0, ..., T - 1 when X_t <= s; X_T is not looked at."""
    share, _ = ss.restock_frequency(
        BUSY, STARTS, num_periods, key=KEY(), num_firms=FIRMS, at_least=at_least
    )
    counts = (np.asarray(paths()[:num_periods]) <= BUSY.s).sum(axis=0)
    # In float32 the share is k / n to seven digits: the count k behind it is exact.
    assert round(float(share) * FIRMS) == (counts >= at_least).sum()


def test_frequency_states_its_standard_error():
    estimate = ss.restock_frequency(
        BUSY, 30.0, 6, key=KEY(), num_firms=FIRMS, at_least=1
    )
    p = float(estimate.value)
    assert 0.1 < p < 0.9
    # float32: seven digits
    assert float(estimate.standard_error) == pytest.approx(
        np.sqrt(p * (1 - p) / FIRMS), rel=1e-6
    )


def test_the_standard_error_is_the_spread_of_independent_estimates():
    draw = partial(ss.restock_frequency, BUSY, 30.0, 6, num_firms=FIRMS, at_least=1)
    values, errors = zip(
        *(draw(key=key) for key in jax.random.split(KEY(), 400)), strict=True
    )
    # The standard deviation of 400 estimates has a standard error of its own of 1 / sqrt(800).
    assert np.std(values, ddof=1) == pytest.approx(
        np.mean(errors), rel=4 / np.sqrt(800)
    )


# -------------------------------------------------------- transformations, compilation


def test_derivative_of_a_path():
    """Before any restock X_T = X_0 - sum of D, and each D = exp(μ + σ Z) moves with μ as D itself."""

    def last(μ):
        return ss.sample_path(ss.create_parameters(μ=μ), 90.0, 10, key=KEY())[-1]

    X = last(1.0)
    assert X > PARAMS.s
    # sums of ten float32 numbers that make up some 30
    assert jax.grad(last)(1.0) == pytest.approx(float(X) - 90.0, rel=1e-5)
    assert jax.jacfwd(last)(1.0) == pytest.approx(float(X) - 90.0, rel=1e-5)


@with_kernels
def test_kernels_are_differentiable_and_compile_inside_jit(kernel):
    def mean(μ):
        params = ss.create_parameters(μ=μ)
        return kernel(params, 90.0, 3, key=KEY(), num_firms=FIRMS).mean()

    assert jax.jit(mean)(1.0) == pytest.approx(float(mean(1.0)), abs=ROUNDING)
    # as above, for the mean over the firms
    assert jax.jacfwd(mean)(1.0) == pytest.approx(float(mean(1.0)) - 90.0, rel=1e-5)


def test_vmap_over_parameters():
    levels = jnp.array([5.0, 10.0, 20.0])

    def share(s):
        params = ss.create_parameters(s, 40.0, 1.5, 0.7)
        return ss.restock_frequency(params, 30.0, 20, key=KEY(), num_firms=FIRMS).value

    np.testing.assert_array_equal(
        jax.vmap(share)(levels), [share(float(s)) for s in levels]
    )


@pytest.fixture
def compilations(caplog):
    """A list of what XLA has compiled since it was last cleared."""
    with jax.log_compiles(), caplog.at_level(logging.WARNING, logger="jax"):

        def names():
            found = [r.getMessage() for r in caplog.records]
            caplog.clear()
            return [
                text for text in found if text.startswith("Finished XLA compilation")
            ]

        yield names


@pytest.mark.parametrize(
    "simulate",
    [
        partial(LOOP, num_firms=FIRMS + 1),
        partial(COMPILED, num_firms=FIRMS + 1),
        partial(ss.cross_section, num_firms=FIRMS + 1),
        lambda params, x_init, T, *, key: ss.distribution_dynamics(
            params, x_init, [T, T + 5], key=key, num_firms=FIRMS + 1
        ),
        partial(ss.restock_frequency, num_firms=FIRMS + 1),
    ],
    ids=[
        "loop",
        "compiled",
        "cross_section",
        "distribution_dynamics",
        "restock_frequency",
    ],
)
def test_other_parameters_keys_and_horizons_compile_nothing(simulate, compilations):
    simulate(PARAMS, 50.0, 9, key=KEY())
    assert compilations(), (
        "the first call compiles: if nothing is logged, this test sees nothing"
    )
    # Horizons between two powers of two share a block; numbers of any type are cast.
    simulate(BUSY, 20.0, 10, key=jax.random.key(1))
    other = ss.create_parameters(s=np.float32(3.0), S=np.float64(90.0), μ=1, σ=0.5)
    simulate(other, 0.0, 11, key=jax.random.key(2))
    assert compilations() == []


@pytest.mark.parametrize(
    "simulate", [ss.sample_path, partial(VECTORIZED, num_firms=FIRMS + 1)]
)
def test_kernels_with_a_static_horizon_compile_once_for_each(simulate, compilations):
    simulate(PARAMS, 50.0, 11, key=KEY())
    assert compilations()
    simulate(BUSY, 20.0, 11, key=jax.random.key(1))
    assert compilations() == []


# ----------------------------------------------------------------------- bad input

SIMULATIONS = {
    "sample_path": ss.sample_path,
    "cross_section": ss.cross_section,
    "distribution_dynamics": lambda params, x_init, num_periods, **rest: (
        ss.distribution_dynamics(params, x_init, [num_periods], **rest)
    ),
    "restock_frequency": ss.restock_frequency,
}
with_every = pytest.mark.parametrize("simulate", SIMULATIONS.values(), ids=SIMULATIONS)
with_firms = pytest.mark.parametrize(
    "simulate", list(SIMULATIONS.values())[1:], ids=list(SIMULATIONS)[1:]
)


@with_every
@pytest.mark.parametrize("num_periods", [0, -1, 2.0, True, None], ids=repr)
def test_number_of_periods_out_of_bounds(simulate, num_periods):
    with pytest.raises(
        ValueError, match=rf"(num_periods|dates) must be .*got .*{num_periods}"
    ):
        simulate(PARAMS, 50.0, num_periods, key=KEY())


@with_firms
@pytest.mark.parametrize("num_firms", [0, -5, 10.0, None], ids=repr)
def test_number_of_firms_out_of_bounds(simulate, num_firms):
    with refuses(f"num_firms must be an integer >= 1, got {num_firms}"):
        simulate(PARAMS, 50.0, 3, key=KEY(), num_firms=num_firms)


@with_every
@pytest.mark.parametrize(
    ("x_init", "message"),
    [
        (-1.0, "x_init must be >= 0, got -1"),
        (np.nan, "x_init must be finite, got nan"),
        (jnp.array([1.0, -2.0]), "x_init must be >= 0, got -2 at position 1"),
        (
            jnp.ones((2, 2)),
            "x_init must be a number or a vector, got an array of shape (2, 2)",
        ),
        ("50", "x_init must be a number, got '50'"),
    ],
    ids=["negative", "NaN", "one negative", "matrix", "text"],
)
def test_initial_stock_out_of_bounds(simulate, x_init, message):
    with refuses(message):
        simulate(PARAMS, x_init, 3, key=KEY())


@with_firms
def test_initial_stock_of_another_number_of_firms(simulate):
    with refuses(
        "x_init must be a number or have shape (num_firms,) = (4,), got shape (3,)"
    ):
        simulate(PARAMS, jnp.ones(3), 3, key=KEY(), num_firms=4)


@pytest.mark.parametrize(
    "dates", [[], [0, 1], [3, 3], [5, 2], [1.0], 7, ["1"]], ids=repr
)
def test_dates_out_of_bounds(dates):
    bound = "must be a non-empty sequence of increasing positive integers"
    with refuses(f"dates {bound}, got {dates!r}"):
        ss.distribution_dynamics(PARAMS, 50.0, dates, key=KEY())


@pytest.mark.parametrize("at_least", [-1, 1.5, None], ids=repr)
def test_restocks_to_reach_out_of_bounds(at_least):
    with refuses(f"at_least must be an integer >= 0, got {at_least}"):
        ss.restock_frequency(PARAMS, 50.0, 3, key=KEY(), at_least=at_least)


@with_every
def test_key_of_another_kind(simulate):
    with pytest.raises(ValueError, match=r"key must be a typed key .*uint32"):
        simulate(PARAMS, 50.0, 3, key=jax.random.PRNGKey(0))
    with refuses("key must be a typed key made by jax.random.key(seed), got 0"):
        simulate(PARAMS, 50.0, 3, key=0)
    with refuses("key must be a single key, got an array of keys of shape (2,)"):
        simulate(PARAMS, 50.0, 3, key=jax.random.split(KEY()))
    with pytest.raises(TypeError, match="key"):  # there is no default key
        simulate(PARAMS, 50.0, 3)


def test_a_key_used_twice_is_an_error():
    """JAX's check of key reuse, under which all of the above ran, is on (see conftest.py)."""
    key = KEY()
    jax.random.normal(key)
    with pytest.raises(jax.errors.KeyReuseError):
        ss.demand(PARAMS, key, (3,))


# ------------------------------------------------------------ precision and extremes


def test_parameters_take_the_precision_of_the_stock():
    """Double-precision parameters neither promote a single-precision stock nor fail."""
    params = ss.create_parameters(S=np.float64(100.0), σ=np.float64(0.5))
    X = ss.cross_section(params, np.float32(50.0), 3, key=KEY(), num_firms=5)
    assert X.dtype == np.float32


def test_numbers_too_large_for_the_precision():
    with pytest.raises(ValueError, match="x_init must be finite in float32"):
        ss.cross_section(PARAMS, 1e39, 3, key=KEY(), num_firms=5)
    huge = ss.create_parameters(S=1e39)
    with pytest.raises(ValueError, match="S must be finite in float32, got 1e\\+39"):
        ss.cross_section(huge, 50.0, 3, key=KEY(), num_firms=5)


def test_horizons_beyond_32_bits():
    with pytest.raises(
        ValueError, match="num_periods must be an integer <= 1073741824"
    ):
        ss.cross_section(PARAMS, 50.0, 2**31, key=KEY(), num_firms=5)


def test_parameters_made_by_hand_are_checked():
    with pytest.raises(
        ValueError, match=r"params must come from ss\.create_parameters"
    ):
        ss.sample_path((10.0, 100.0, 1.0, 0.5), 50.0, 3, key=KEY())
    with pytest.raises(ValueError, match="s must be below S"):
        ss.sample_path(ss.Parameters(200.0, 100.0, 1.0, 0.5), 50.0, 3, key=KEY())


def test_dense_dates_draw_little_more_than_they_use():
    """Blocks follow the mean gap between dates, not the room in the buffer."""
    assert ss.choose_block(100, 1).size == 1
    assert ss.choose_block(100, 200).size == 256
    assert ss.choose_block(2**20, 200).size == 1


def test_the_branch_for_a_gpu_is_the_same_path(monkeypatch):
    """Periods that go into one launch, also where their number is no multiple."""

    def path():
        ss._sample_path.clear_cache()
        start = np.full(3, 50.0, "float32")
        return ss.sample_path(ss.create_parameters(), start, 37, key=jax.random.key(5))

    right = path()
    with monkeypatch.context() as patch:
        patch.setattr(jax, "default_backend", lambda: "gpu")
        found = path()
    ss._sample_path.clear_cache()
    np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("generator", ["threefry2x32", "philox2x32"])
def test_draws_by_either_generator_follow_the_law(generator):
    """A key says by which generator it is drawn; the law is the same."""
    try:
        key = jax.random.key(11, impl=generator)
    except ValueError:  # the lowest JAX that pyproject.toml allows is older than Philox
        pytest.skip(f"this JAX has no {generator}")
    params = ss.create_parameters()
    X = ss.cross_section(params, 50.0, 40, key=key, num_firms=20_000)
    law = ss_exact.marginal(params, 50.0, 40)
    assert abs(X.mean() - law.mean) < 5 * law.std / 20_000**0.5
    assert stats.kstest(np.asarray(X), law.cdf).pvalue > 1e-6
