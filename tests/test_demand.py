"""Random quantities by family, mean and SCV: exact results by quadrature, draws by exact results."""

import dataclasses
import math
import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from law_oracle import expectation
from scipy import stats

from lectures_helpers import demand, precision

MEAN = 225.0
CHOICE = [family for family in demand.FAMILIES if family not in demand.FIXED_SCV]
# From nearly deterministic to more than half of the normal's and uniform's mass near zero.
LAWS = [("deterministic", 0.0), ("exponential", 1.0)] + [
    (family, scv) for family in CHOICE for scv in (1e-4, 0.1, 0.3, 0.8, 4.0)
]
laws = pytest.mark.parametrize(("family", "scv"), LAWS)
NUM_SAMPLES = 40_000
KEY = partial(jax.random.key, 7)  # a new key object at each call: none is used twice


def law(family, scv, mean=MEAN):
    return demand.create_distribution(family, mean, scv)


def points(scv, mean=MEAN):
    """Zero, far below the mean, a standard deviation and less around it, far above it."""
    std = mean * math.sqrt(scv)
    z = np.array([-3, -1, -0.3, 0, 0.2, 1, 3, 6])
    return np.unique(np.maximum([0, 1e-3, 0.1 * mean, *(mean + std * z), 5 * mean], 0))


def same(ours, oracle, absolute=1e-13):
    # 1e-8 is what the package promises. Numbers below `absolute` (of a scale of 1) are zeros.
    np.testing.assert_allclose(ours, oracle, rtol=1e-8, atol=absolute)


def refuses(message):
    """Expect a ValueError that says this."""
    return pytest.raises(ValueError, match="^" + re.escape(message))


# ---------------------------------------------------------------- exact, by quadrature


@laws
def test_mean_and_scv_before_truncation_are_those_asked_for(family, scv):
    """Checks the oracle's densities as much as the reading of mean and SCV."""
    moment = partial(expectation, family, MEAN, scv, truncated=False)
    same(moment(lambda y: 1.0), 1.0)
    same(moment(lambda y: y), MEAN)
    same(moment(lambda y: (y / MEAN - 1) ** 2), scv)


@laws
def test_moments(family, scv):
    mean, after = demand.moments(law(family, scv))
    first = expectation(family, MEAN, scv, lambda x: x)
    same(mean, first)
    same(after, expectation(family, MEAN, scv, lambda x: (x / first - 1) ** 2))


@laws
def test_cdf(family, scv):
    x = points(scv)
    oracle = [
        expectation(family, MEAN, scv, lambda y, a=a: float(y <= a), [a]) for a in x
    ]
    same(demand.cdf(law(family, scv), x), oracle)


@laws
def test_expected_min(family, scv):
    q = points(scv)
    oracle = [expectation(family, MEAN, scv, lambda y, a=a: min(y, a), [a]) for a in q]
    same(demand.expected_min(law(family, scv), q), oracle, MEAN * 1e-13)


@laws
def test_expected_min_square(family, scv):
    q = points(scv)
    oracle = [
        expectation(family, MEAN, scv, lambda y, a=a: min(y, a) ** 2, [a]) for a in q
    ]
    same(demand.expected_min_square(law(family, scv), q), oracle, MEAN**2 * 1e-13)


@laws
def test_infinite_stock_sells_all_demand(family, scv):
    dist = law(family, scv)
    mean, after = demand.moments(dist)
    assert demand.cdf(dist, np.inf) == 1
    same(demand.expected_min(dist, np.inf), mean)
    same(demand.expected_min_square(dist, np.inf), mean**2 * (1 + after))


@laws
def test_prob_zero_is_what_truncation_takes(family, scv):
    below = expectation(
        family, MEAN, scv, lambda y: float(y <= 0), [0.0], truncated=False
    )
    same(demand.prob_zero(law(family, scv)), below)


@laws
def test_quantile_inverts_the_cdf(family, scv):
    dist = law(family, scv)
    p = np.array([1e-9, 1e-3, 0.2, 0.5, 5 / 9, 0.9, 0.999, 1 - 1e-9])
    x = demand.quantile(dist, p)
    if family == "deterministic":
        assert (x == MEAN).all()
        return
    inside = p > demand.prob_zero(dist)
    assert (x[~inside] == 0).all()
    assert (x[inside] > 0).all()
    # A tail's probability is as good as the other tail allows: 1 - 1e-9 has an error of 1e-16.
    same(demand.cdf(dist, x)[inside], p[inside])
    same(1 - demand.cdf(dist, x)[inside], 1 - p[inside], 1e-15)


@pytest.mark.parametrize(
    ("family", "limit"), [("uniform", 1 / 3), ("triangular", 1 / 6), ("normal", 0.01)]
)
def test_truncation_starts_where_the_law_reaches_zero(family, limit):
    for scv in (0.3 * limit, limit):
        same(demand.moments(law(family, scv)), (MEAN, scv))
    scv = 1.5 * limit + 0.3
    mean, after = demand.moments(law(family, scv))
    assert mean > MEAN
    assert after < scv


def test_numbers_by_hand():
    """Laws simple enough for pencil and paper."""
    unit = demand.create_distribution("uniform", 1.0, 1 / 3)  # on [0, 2]
    assert demand.expected_min(unit, 1.0) == pytest.approx(3 / 4, rel=1e-14)
    assert demand.expected_min_square(unit, 1.0) == pytest.approx(2 / 3, rel=1e-14)
    # Uniform on [-1, 3]: zero with probability 1/4, mean 9/8, second moment 9/4.
    wide = demand.create_distribution("uniform", 1.0, 4 / 3)
    assert demand.prob_zero(wide) == pytest.approx(1 / 4, rel=1e-14)
    np.testing.assert_allclose(demand.moments(wide), (9 / 8, 7 / 9), rtol=1e-14)
    # Triangular on [0, 2]: F(x) = x²/2 up to the mode.
    tent = demand.create_distribution("triangular", 1.0, 1 / 6)
    assert demand.cdf(tent, 0.5) == pytest.approx(1 / 8, rel=1e-14)
    assert demand.quantile(tent, 1 / 8) == pytest.approx(1 / 2, rel=1e-14)
    assert demand.expected_min(tent, 1.0) == pytest.approx(5 / 6, rel=1e-14)
    # An exponential is a gamma of SCV 1.
    x = np.array([0.1, 1.0, 4.0])
    same(
        demand.expected_min(law("exponential", None), x),
        demand.expected_min(law("gamma", 1.0), x),
    )


@pytest.mark.parametrize("family", demand.FAMILIES)
def test_arrays_broadcast(family):
    scv = None if family in demand.FIXED_SCV else np.array([[0.2], [0.7]])
    means = np.array([10.0, 20.0, 40.0])
    dist = demand.create_distribution(family, means, scv)
    rows = 1 if scv is None else 2
    for function in (demand.cdf, demand.expected_min, demand.expected_min_square):
        table = np.atleast_2d(function(dist, 15.0))
        assert table.shape == (rows, 3)
        for i in range(rows):
            for j, mean in enumerate(means):
                one = demand.create_distribution(
                    family, mean, None if scv is None else scv[i, 0]
                )
                assert table[i, j] == pytest.approx(function(one, 15.0), rel=1e-12)
    assert np.shape(demand.quantile(law("gamma", 0.5), [0.1, 0.9])) == (2,)
    assert np.ndim(demand.quantile(law("gamma", 0.5), 0.1)) == 0


def test_numbers_may_be_integers_and_jax_arrays():
    dist = demand.create_distribution("gamma", jnp.float32(2), jnp.float32(0.5))
    assert demand.cdf(dist, 2) == demand.cdf(law("gamma", 0.5, 2.0), 2.0)
    assert demand.create_distribution("uniform", 2, 1).mean == 2


# ------------------------------------------------------------------------ properties


@st.composite
def any_law(draw):
    family = draw(st.sampled_from(list(demand.FAMILIES)))
    mean = draw(st.floats(1e-3, 1e6))
    scv = None if family in demand.FIXED_SCV else draw(st.floats(1e-4, 10.0))
    return demand.create_distribution(family, mean, scv)


@given(any_law(), st.floats(1e-6, 1 - 1e-6), st.floats(0, 10))
def test_quantile_and_cdf_are_a_galois_connection(dist, p, multiple):
    """quantile(p) <= x exactly if p <= cdf(x), but for what rounding makes equal."""
    x = multiple * dist.mean
    quantile, probability = demand.quantile(dist, p), demand.cdf(dist, x)
    if not np.isclose(quantile, x, rtol=1e-9) and abs(probability - p) > 1e-9:
        assert (quantile <= x) == (p <= probability)


@given(any_law(), st.floats(0, 1))
def test_quantiles_are_those_of_scipy(dist, p):
    """To the last bit: what is left out is only its look at the arguments."""
    prob = np.array([p, 0.0, 0.5, 1.0])
    law, *arguments = demand.FAMILIES[dist.family].law(dist.mean, dist.scv)
    if dist.family == "deterministic":  # SciPy has none
        expected = np.full(4, dist.mean)
    else:
        expected = np.maximum(law.ppf(prob, *arguments), 0.0)
    np.testing.assert_array_equal(demand.quantile(dist, prob), expected)


@given(any_law(), st.floats(0, 1))
def test_a_number_gives_what_an_array_does(dist, share):
    """A plain number is looked at once, and computed with as it is."""
    several = dataclasses.replace(dist, mean=np.array([dist.mean]))
    for function in (demand.cdf, demand.quantile, demand.expected_min):
        x = share if function is demand.quantile else share * 3 * dist.mean
        one, (other,) = function(dist, x), function(several, x)
        assert type(one) is np.float64
        # NumPy's loops over arrays may round a power or a logarithm otherwise.
        assert one == pytest.approx(other, rel=1e-14, abs=1e-14 * dist.mean)


@given(any_law(), st.floats(0, 10), st.floats(0, 10))
def test_monotone(dist, a, b):
    x = np.sort([a, b]) * dist.mean
    for power, function in enumerate(
        (demand.cdf, demand.expected_min, demand.expected_min_square)
    ):
        low, high = function(dist, x)
        # Rounding is relative to the standard deviation before truncation, and to the mean.
        slack = 1e-13 * (dist.mean * (1 + np.sqrt(dist.scv))) ** power
        assert 0 <= low <= high + slack
    p = np.sort([a, b]) / 10
    low, high = demand.quantile(dist, p)
    assert low <= high


@given(any_law(), st.floats(0, 10))
def test_sales_are_at_most_stock_and_demand(dist, multiple):
    q = multiple * dist.mean
    mean, scv = demand.moments(dist)
    sales, square = demand.expected_min(dist, q), demand.expected_min_square(dist, q)
    # Rounding is relative to the standard deviation before truncation, and to the mean.
    slack = 1e-13 * dist.mean * (1 + np.sqrt(dist.scv))
    assert -slack <= sales <= min(q, mean) + slack
    most = min(q, mean * np.sqrt(1 + scv))
    assert sales**2 - slack * dist.mean * 10 <= square
    assert square <= most**2 * (1 + 1e-12) + slack * dist.mean * 10


@given(any_law(), st.floats(0.1, 10))
def test_the_unit_of_measurement_does_not_matter(dist, factor):
    other = demand.create_distribution(dist.family, factor * dist.mean, dist.scv)
    q = 0.8 * dist.mean
    np.testing.assert_allclose(
        demand.expected_min(other, factor * q),
        factor * demand.expected_min(dist, q),
        rtol=1e-9,
    )


# --------------------------------------------------------------------------- draws


@pytest.mark.parametrize(
    ("family", "scv"),
    [(family, scv) for family, scv in LAWS if scv in (0.1, 0.8, 1, 4)],
)
def test_draws_follow_the_law(family, scv):
    dist = law(family, scv)
    draws = np.asarray(demand.sample(dist, NUM_SAMPLES, key=KEY()), dtype=float)
    assert draws.shape == (NUM_SAMPLES,)
    assert (draws >= 0).all()

    # Four standard errors throughout; 6e-5 is the probability of more than that.
    mean, after = demand.moments(dist)
    for sample, moment in ((draws, mean), (draws**2, mean**2 * (1 + after))):
        error = sample.std(ddof=1) / math.sqrt(NUM_SAMPLES)
        assert abs(sample.mean() - moment) < 4 * error
    at_zero = demand.prob_zero(dist)
    share = (draws == 0).mean()
    assert abs(share - at_zero) <= 4 * math.sqrt(at_zero * (1 - at_zero) / NUM_SAMPLES)

    def positive(x):
        return (demand.cdf(dist, x) - at_zero) / (1 - at_zero)

    assert stats.kstest(draws[draws > 0], positive).pvalue > 6e-5


@pytest.mark.parametrize("family", CHOICE)
def test_draws_of_a_tiny_scv(family):
    draws = np.asarray(demand.sample(law(family, 1e-4), NUM_SAMPLES, key=KEY()), float)
    spread = draws.std(ddof=1)
    assert abs(draws.mean() - MEAN) < 4 * spread / math.sqrt(NUM_SAMPLES)
    # Kurtosis is at most 3 here (a hair more for gamma and lognormal).
    assert abs(spread / (0.01 * MEAN) - 1) < 4 * math.sqrt(0.51 / NUM_SAMPLES)


def test_deterministic_draws_are_the_mean():
    draws = demand.sample(law("deterministic", None), (2, 3), key=KEY())
    np.testing.assert_array_equal(draws, np.full((2, 3), MEAN))


def test_same_key_same_draws():
    dist = law("lognormal", 0.8)
    first = demand.sample(dist, (100,), key=KEY())
    np.testing.assert_array_equal(first, demand.sample(dist, [100], key=KEY()))
    other = demand.sample(dist, (100,), key=jax.random.key(8))
    assert not (first == other).any()


def test_shapes_and_precision():
    dist = law("uniform", 0.8)
    assert demand.sample(dist, (), key=KEY()).shape == ()
    assert demand.sample(dist, 0, key=KEY()).shape == (0,)
    assert demand.sample(dist, (3, 2), key=KEY()).dtype == jnp.float32
    per_column = demand.create_distribution("lognormal", np.array([1.0, 1e6]), 0.1)
    draws = demand.sample(per_column, (5, 2), key=KEY())
    assert (draws[:, 0] < 10).all()
    assert (draws[:, 1] > 1e4).all()


@pytest.mark.parametrize("family", ["triangular", "lognormal"])
def test_draws_in_64_bits(family):
    with precision.enable_x64(True):
        draws = np.asarray(demand.sample(law(family, 0.3, 1 / 3), 50, key=KEY()))
    assert draws.dtype == np.float64
    assert (draws != draws.astype("float32")).mean() > 0.8  # some of them may be 0


# The other truncated families draw as the triangular does; the newsvendor sweeps lognormal.
@pytest.mark.parametrize("family", ["triangular", "gamma"])
def test_a_sweep_is_vectorised(family):
    """`vmap` over the SCV, and over the mean, gives what a loop gives."""
    scvs, means = jnp.array([1e-4, 0.3, 4.0]), jnp.array([1.0, 20.0, 300.0])

    def draw(mean, scv):
        dist = demand.create_distribution(family, mean, scv)
        return demand.sample(dist, 1000, key=KEY())

    one_by_one = jnp.stack([draw(m, s) for m, s in zip(means, scvs, strict=True)])
    # Rounding only: a standard variable of up to 5 times a spread of twice the mean.
    np.testing.assert_allclose(
        jax.vmap(draw)(means, scvs) / means[:, None],
        one_by_one / means[:, None],
        rtol=1e-5,
        atol=1e-5,
    )


def test_a_law_passes_through_jit():
    @jax.jit
    def rescaled(dist):
        return demand.create_distribution(dist.family, 2 * dist.mean, dist.scv)

    assert rescaled(law("gamma", 0.5)) == law("gamma", jnp.float32(0.5), 2 * MEAN)


def test_mean_left_open():
    dist = demand.create_distribution("gamma", None, 0.5)
    given = partial(demand.law, "lead_time", family="exponential", mean=3.0)
    assert given(dist) == law("gamma", 0.5, 3.0)
    assert given(law("gamma", 0.5)) == law("gamma", 0.5)
    assert given(None) == law("exponential", 1.0, 3.0)


@pytest.mark.parametrize("family", demand.FAMILIES)
def test_families_are_named_where_readers_look(family):
    assert f'"{family}"' in demand.create_distribution.__doc__


# ----------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("no-such-family", 1.0, 1.0),
            "family must be one of deterministic, exponential, uniform, triangular, "
            "gamma, lognormal, normal; got 'no-such-family'",
        ),
        ((None, 1.0, 1.0), "family must be one of"),
        ((["gamma"], 1.0, 1.0), "family must be one of"),
        (("gamma", 0.0, 1.0), "mean must be > 0, got 0"),
        (("gamma", [1.0, -2.0], 1.0), "mean must be > 0, got -2"),
        (("gamma", np.nan, 1.0), "mean must be finite, got nan"),
        (("gamma", np.inf, 1.0), "mean must be finite, got inf"),
        (("gamma", "1", 1.0), "mean must be a number, got '1'"),
        (("gamma", 1.0), "scv must be given for the gamma family, got None"),
        (
            ("normal", 1.0, 0.0),
            "scv must be > 0, got 0; for SCV 0 use the deterministic family",
        ),
        (("normal", 1.0, -0.5), "scv must be > 0, got -0.5"),
        (("normal", 1.0, np.inf), "scv must be finite, got inf"),
        (("normal", 1.0, True), "scv must be a number, got True"),
        (("exponential", 1.0, 2.0), "scv of the exponential family is 1, got 2"),
        (("exponential", 1.0, np.nan), "scv must be finite, got nan"),
        (("deterministic", 1.0, 0.5), "scv of the deterministic family is 0, got 0.5"),
        (("deterministic", -1.0), "mean must be > 0, got -1"),
    ],
    ids=str,
)
def test_bad_laws(arguments, message):
    with refuses(message):
        demand.create_distribution(*arguments)


EXACT = {
    "x": demand.cdf,
    "p": demand.quantile,
    "q": demand.expected_min,
    "q²": demand.expected_min_square,
}


@pytest.mark.parametrize("name", EXACT)
def test_bad_arguments_of_exact_results(name):
    function, dist = EXACT[name], law("gamma", 0.5)
    name = name[0]
    for wrong, message in (
        ("1", f"{name} must be a number, got '1'"),
        (None, f"{name} must be a number, got None"),
        (True, f"{name} must be a number, got True"),
        ([0.5, np.nan], f"{name} must be from "),
    ):
        with refuses(message):
            function(dist, wrong)
    with refuses("dist must come from create_distribution, got 225.0"):
        function(MEAN, 0.5)
    with refuses("dist must have a mean here, got mean = None"):
        function(demand.create_distribution("gamma", None, 0.5), 0.5)
    with refuses(f"dist and {name} must hold numbers here"):
        jax.jit(lambda value: function(dist, value))(0.5)
    with refuses(f"dist and {name} must hold numbers here"):
        jax.jit(lambda scv: function(law("gamma", scv), 0.5))(0.5)


def test_bounds_of_exact_results():
    dist = law("gamma", 0.5)
    for wrong in (-0.1, 1.1):
        with refuses(f"p must be from 0 to 1, got {wrong}"):
            demand.quantile(dist, [0.5, wrong])
    for function in (demand.expected_min, demand.expected_min_square):
        with refuses("q must be from 0 to inf, got -1"):
            function(dist, [0.0, -1.0])
    assert demand.quantile(dist, [0.0, 1.0]).tolist() == [0.0, np.inf]
    assert demand.cdf(dist, -1.0) == 0
    for function in (demand.moments, demand.prob_zero):
        with refuses("dist must come from create_distribution, got None"):
            function(None)
    with refuses("lead_time must come from demand.create_distribution"):
        demand.law("lead_time", "gamma", "exponential", 1.0)


def test_bad_draws():
    dist = law("gamma", 0.5)
    with refuses("key must be a typed key"):
        demand.sample(dist, 3, key=0)
    with refuses("shape must be an integer >= 0, got -1"):
        demand.sample(dist, (3, -1), key=KEY())
    with refuses("shape must be an integer >= 0, got 2.5"):
        demand.sample(dist, 2.5, key=KEY())
    with refuses("shape must have room for mean and scv, got ()"):
        demand.sample(law("gamma", np.ones(3)), (), key=KEY())
    with refuses("dist must have a mean here"):
        demand.sample(demand.create_distribution("gamma", None, 0.5), 3, key=KEY())
    with refuses("dist must come from create_distribution"):
        demand.sample(None, 3, key=KEY())
