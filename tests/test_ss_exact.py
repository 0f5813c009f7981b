"""The exact law: against an independent quadrature, closed cases, identities, and simulation."""

import itertools
import re
from functools import cache

import jax
import numpy as np
import pytest
import two_periods
from hypothesis import given, settings
from hypothesis import strategies as st
from quadrature import extrapolated
from scipy import integrate, stats
from scipy.special import ndtr

from lectures_helpers import precision
from lectures_helpers.classical import eoq
from lectures_helpers.dynamics import ss, ss_exact

BASELINE = ss.create_parameters()
WIDE = ss.create_parameters(5.0, 40.0, 0.5, 1.0)
with_both = pytest.mark.parametrize(
    "params", [BASELINE, WIDE], ids=["baseline", "wide"]
)
DATES = [1, 2, 10, 60, 250]

# What the package promises for CDFs, means and restock probabilities at its default tolerance.
PROMISED = 1e-6
# A tolerance that the package reaches with ease, for tests of identities to ten digits.
TIGHT = 1e-10

# (s, S, μ, σ), X_0, a number of which s, S and X_0 are multiples
CASES = {
    "baseline": ((10, 100, 1.0, 0.5), 50, 1),
    "baseline from 70": ((10, 100, 1.0, 0.5), 70, 1),
    "wide demand": ((5, 40, 0.5, 1.0), 5, 1),
    "large orders": ((20, 60, 2.0, 0.3), 20, 1),
    "s = 0, from nothing": ((0, 30, 0.5, 0.7), 0, 1),
    "s = 0": ((0, 30, 0.5, 0.7), 12, 1),
    "from above S": ((10, 40, 1.0, 0.5), 65, 1),
    "s close to S": ((9.5, 10, 1.0, 0.5), 9.75, 0.25),
    "very wide demand": ((5, 50, 1.0, 1.2), 40, 0.5),
    "mostly stock-outs": ((2, 20, 3.0, 0.4), 7, 1),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    numbers, x_init, unit = request.param
    params = ss.create_parameters(*(float(number) for number in numbers))
    return params, float(x_init), unit


def refuses(message):
    """Expect a ValueError that says this."""
    return pytest.raises(ValueError, match=re.escape(message))


def integral(f, low, high, panels=40, points=20):
    """Gauss–Legendre on equal panels: far below 1e-10 for what is smooth at this scale."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    borders = np.linspace(low, high, panels + 1)
    half = np.diff(borders)[:, None] / 2
    x = borders[:-1, None] + half * (nodes[None] + 1)
    return float(np.sum(half * weights[None] * f(x)))


def demand_of(params):
    return stats.lognorm(s=params.σ, scale=np.exp(params.μ))


@cache
def laws(params=BASELINE, x_init=50.0):
    """Laws to ten digits, by date; the stationary one is the law at date None."""
    dates = [1, 2, 10, 30]
    each = ss_exact.marginals(params, x_init, dates, tol=TIGHT)
    each.append(ss_exact.stationary(params, tol=TIGHT))
    return dict(zip([*dates, None], each, strict=True))


at_dates = pytest.mark.parametrize(
    "t", [1, 2, 30, None], ids=["1", "2", "30", "stationary"]
)


# ------------------------------------------------- against an independent quadrature


def test_laws_against_plain_quadrature(case):
    params, x_init, unit = case
    top = max(params.S, x_init)
    x = np.linspace(0, top, 13) // unit * unit

    def numbers(cells):
        laws = [*cells.laws(x_init, DATES), cells.stationary()]
        return [cells.numbers(law, x) for law in laws]

    exact = [*ss_exact.marginals(params, x_init, DATES), ss_exact.stationary(params)]
    exact_numbers = [[*law.cdf(x), law.mean, law.std, law.prob_zero] for law in exact]
    expected = extrapolated(params, top, unit, numbers)
    np.testing.assert_allclose(exact_numbers, expected, rtol=0, atol=PROMISED)
    assert all(0 <= law.error <= ss_exact.TOLERANCE for law in exact)


@pytest.mark.parametrize("num_periods", [2, 50])
def test_restocks_against_a_count_of_renewals(case, num_periods):
    params, x_init, unit = case

    def numbers(cells):
        return cells.restock_pmf(x_init, num_periods)

    expected = extrapolated(params, max(params.S, x_init), unit, numbers)
    pmf = ss_exact.restock_pmf(params, x_init, num_periods)
    assert pmf.shape == (num_periods + 1,)
    np.testing.assert_allclose(pmf, expected, rtol=0, atol=PROMISED)


@cache
def time_between_restocks(params):
    """P(N = n), n = 0, ..., 60, for the periods N between two restocks, by the oracle."""

    def numbers(cells):
        return cells.time_to_restock(params.S, 61)

    pmf = extrapolated(params, params.S, 1, numbers)
    assert pmf.sum() == pytest.approx(1.0, abs=PROMISED), "61 periods are enough"
    return pmf


@with_both
def test_restocks_are_renewals(params):
    """In the long run a firm restocks once in E N periods."""
    cycle_length = time_between_restocks(params) @ np.arange(61)
    assert laws(params)[None].cdf(params.s) == pytest.approx(
        1 / cycle_length, abs=PROMISED
    )


@with_both
def test_eigenvalue_solves_the_renewal_equation(params):
    """E λ^(-N) = 1 for every eigenvalue λ but 0."""
    pmf = time_between_restocks(params)
    λ = ss_exact.second_eigenvalue(params)
    assert λ.imag >= 0
    # The oracle's errors are multiplied by |λ|^(-n): at most 3 where pmf lives.
    assert abs(np.sum(pmf * λ ** -np.arange(61)) - 1) < PROMISED
    # No other root lies between it and λ = 1: the winding number of E λ^(-N) - 1 around a ring
    # counts its roots there.
    assert _roots_between(pmf, abs(λ) + 1e-3, 1 - 1e-3) == 0
    assert _roots_between(pmf, abs(λ) - 1e-3, 1 - 1e-3) == (2 if λ.imag else 1)


def _roots_between(pmf, inner, outer):
    def turns(radius):
        λ = radius * np.exp(2j * np.pi * np.linspace(0, 1, 20_001))
        values = np.polyval(pmf[::-1], 1 / λ) - 1
        return round(np.sum(np.angle(values[1:] / values[:-1])) / (2 * np.pi))

    return turns(outer) - turns(inner)


# ------------------------------------------------------------------- closed cases


@pytest.mark.parametrize("x_init", [50.0, 3.0, 130.0])
def test_first_period(x_init):
    """X_1 = (stock - D)^+: demand's distribution seen from above."""
    stock = 100.0 if x_init <= 10.0 else x_init
    x = np.linspace(0, stock, 41)
    first = laws(x_init=x_init)[1]
    demand = demand_of(BASELINE)
    np.testing.assert_allclose(
        first.cdf(x), demand.sf(stock - x), rtol=0, atol=first.error
    )
    # Markov's inequality: the slope of a polynomial of degree 15 that is off by e on a panel
    # of width w is off by up to 15² (2 / w) e.
    panel = np.searchsorted(first.edges, x[1:-1]) - 1
    slope = 450 * first.error / np.diff(first.edges)[panel]
    off = np.abs(first.density(x[1:-1]) - demand.pdf(stock - x[1:-1]))
    assert (off <= slope).all()
    # P(X_1 > x) = P(D < stock - x), integrated over [0, stock]
    mean = integral(lambda x: demand.cdf(stock - x), 0, stock)
    second = integral(lambda x: 2 * x * demand.cdf(stock - x), 0, stock)
    assert first.mean == pytest.approx(mean, abs=TIGHT)
    assert first.std == pytest.approx(np.sqrt(second - mean**2), abs=10 * TIGHT)
    assert first.prob_zero == pytest.approx(demand.sf(stock), abs=1e-14)
    assert first.period == 1


def test_second_period():
    """One integral over the first demand, by SciPy's adaptive quadrature."""
    params = ss.create_parameters(
        10.0, 14.0, 1.0, 0.5
    )  # half of the firms restock at once
    demand = demand_of(params)
    x = np.array([0.0, 2.0, 7.0, 10.0, 12.0, 13.5])

    def integrand(z):
        stock = 14.0 - np.exp(1.0 + 0.5 * z)
        stock = 14.0 if stock <= 10.0 else stock
        return stats.norm.pdf(z) * demand.sf(np.maximum(stock - x, 0.0))

    jump = (np.log(4.0) - 1.0) / 0.5  # demand that leaves exactly s
    expected = sum(
        integrate.quad_vec(integrand, low, high, epsabs=1e-12)[0]
        for low, high in ((-9, jump), (jump, 9))
    )
    second = laws(params, 14.0)[2]
    np.testing.assert_allclose(second.cdf(x), expected, rtol=0, atol=TIGHT)


def test_a_restock_every_period():
    """Demand above S - s always (7 standard deviations): each X_t is (S - D)^+ anew."""
    params = ss.create_parameters(90.0, 100.0, float(np.log(80.0)), 0.3)
    demand = demand_of(params)
    x = np.linspace(0, 90, 31)
    later = ss_exact.marginals(params, 95.0, [2, 3, 9, 20, 40])
    for each in [*later, ss_exact.stationary(params)]:
        np.testing.assert_allclose(
            each.cdf(x), demand.sf(100.0 - x), rtol=0, atol=TIGHT
        )
        mean = integral(lambda x: demand.cdf(100.0 - x), 0, 100)
        assert each.mean == pytest.approx(mean, abs=ss_exact.TOLERANCE)
    counts = ss_exact.restock_pmf(params, 90.0, 50)  # in period 0 and in every other
    # "always" leaves 2e-12 in each of 49 periods
    np.testing.assert_allclose(counts, np.eye(51)[50], rtol=0, atol=10 * TIGHT)


def test_nothing_ever_left():
    """Demand beyond every stock: X_t = 0, all of the law is its atom."""
    always_zero = ss_exact.stationary(ss.create_parameters(μ=20.0))
    assert 0 <= always_zero.error <= ss_exact.TOLERANCE
    assert abs(always_zero.mean) <= 100 * always_zero.error
    assert always_zero.std <= 100 * always_zero.error
    assert abs(always_zero.prob_zero - 1) <= always_zero.error
    np.testing.assert_allclose(
        always_zero.cdf([-1.0, 0.0, 5.0, 100.0]), [0, 1, 1, 1], rtol=0, atol=TIGHT
    )


def test_counts_over_one_and_two_periods():
    """Period 0 is certain; period 1 restocks if the first demand reaches X_0 - s."""
    np.testing.assert_array_equal(ss_exact.restock_pmf(BASELINE, 12.0, 1), [1, 0])
    np.testing.assert_array_equal(ss_exact.restock_pmf(BASELINE, 10.0, 1), [0, 1])
    p = demand_of(BASELINE).sf(12.0 - 10.0)
    pmf = ss_exact.restock_pmf(BASELINE, 12.0, 2)
    np.testing.assert_allclose(pmf, [1 - p, p, 0], rtol=0, atol=TIGHT)


def test_published_restock_frequency():
    """0.4477 of a million firms, in the source that the lecture starts from (QuantEcon)."""
    p = ss_exact.restock_pmf(BASELINE, 70.0, 50)[2:].sum()
    # its own standard error at n = 1e6, and half a unit of the last digit printed
    assert abs(p - 0.4477) < 4 * np.sqrt(p * (1 - p) / 1e6) + 5e-5


# --------------------------------------------------------------------- identities


@with_both
def test_what_comes_in_goes_out(params):
    """Stationary: E[(S - X) 1{X <= s}] ordered per period = E min(D, stock) sold per period."""
    s, S = params.s, params.S
    F, demand = laws(params)[None].cdf, demand_of(params)
    ordered = (S - s) * F(s) + integral(F, 0.0, s)

    def sold(stock):  # E min(D, stock)
        return integral(demand.sf, 0.0, stock)

    # by parts, over stocks on (s, S): dF, plus those that start from S
    not_due = sold(S) - sold(s) * F(s) - integral(lambda y: F(y) * demand.sf(y), s, S)
    assert ordered == pytest.approx(
        not_due + F(s) * sold(S), abs=100 * TIGHT
    )  # S = 100 long


@at_dates
def test_density_is_the_derivative_of_the_cdf(t):
    each = laws()[t]
    borders = np.linspace(0, 100, 26)
    masses = [
        integral(each.density, a, b, panels=4) for a, b in itertools.pairwise(borders)
    ]
    # The derivative of a polynomial on a panel loses three digits against the polynomial.
    np.testing.assert_allclose(
        masses, np.diff(each.cdf(borders)), rtol=0, atol=1000 * TIGHT
    )
    assert each.prob_zero + sum(masses) == pytest.approx(1.0, abs=1000 * TIGHT)
    assert each.density(50.0) >= 0
    np.testing.assert_array_equal(each.density([-1.0, 101.0]), [0, 0])


@at_dates
def test_moments_are_those_of_the_cdf(t):
    each = laws()[t]
    mean = integral(lambda x: 1 - each.cdf(x), 0, 100)
    second = integral(lambda x: 2 * x * (1 - each.cdf(x)), 0, 100)
    # an integral of length S = 100; the variance, of some 400, takes twice the mean from it
    assert each.mean == pytest.approx(mean, abs=100 * TIGHT)
    assert each.std == pytest.approx(np.sqrt(second - mean**2), abs=1000 * TIGHT)
    assert each.prob_zero == pytest.approx(each.cdf(0.0), abs=1e-15)


@with_both
def test_restocks_add_up(params):
    """The counts' probabilities sum to 1, and their mean is the sum of P(X_t <= s)."""
    T, x_init = 50, 0.7 * params.S  # above s: not due at date 0
    pmf = ss_exact.restock_pmf(params, x_init, T)
    tol = T * ss_exact.TOLERANCE
    assert (pmf >= 0).all()
    assert pmf.sum() == pytest.approx(1.0, abs=tol)
    due = sum(
        float(each.cdf(params.s))
        for t in range(1, T, 5)  # five dates at a time, as everywhere here
        for each in ss_exact.marginals(params, x_init, range(t, t + 5))
        if each.period < T
    )
    assert pmf @ np.arange(T + 1) == pytest.approx(due, abs=tol)


# -------------------------------------------------------------- dates and the long run


@pytest.mark.parametrize("t", [1, 10])
def test_dates_together_or_apart(t):
    x = np.linspace(0, 100, 21)
    alone, together = ss_exact.marginal(BASELINE, 50.0, t), laws()[t]
    assert alone.period == together.period == t
    tol = ss_exact.TOLERANCE
    np.testing.assert_allclose(alone.cdf(x), together.cdf(x), rtol=0, atol=tol)
    for name in ("mean", "std", "prob_zero"):
        assert getattr(alone, name) == pytest.approx(getattr(together, name), abs=tol)


@pytest.mark.parametrize("x_init", [3.0, 20.0, 60.0])
def test_every_start_ends_in_the_stationary_law(x_init):
    x = np.linspace(0, 40, 21)
    late = ss_exact.marginal(WIDE, x_init, 350, tol=TIGHT)  # |λ|^350 = 1e-14
    stationary = laws(WIDE)[None]
    np.testing.assert_allclose(late.cdf(x), stationary.cdf(x), rtol=0, atol=10 * TIGHT)
    assert late.mean == pytest.approx(
        stationary.mean, abs=100 * TIGHT
    )  # [0, S] is 40 long
    assert late.prob_zero == pytest.approx(stationary.prob_zero, abs=TIGHT)
    assert stationary.period == np.inf


@pytest.mark.parametrize(
    ("params", "t"), [(BASELINE, 700), (WIDE, 60)], ids=["baseline", "wide"]
)
def test_eigenvalue_is_the_pace_of_forgetting(params, t):
    """Measured: d_t = F_t - F obeys d_{t+2} = 2 Re(λ) d_{t+1} - |λ|^2 d_t in the long run."""
    x = np.linspace(0, params.S, 101)
    late = ss_exact.marginals(params, 20.0, range(t, t + 5), tol=TIGHT)
    d = np.array([each.cdf(x) - laws(params)[None].cdf(x) for each in late])
    assert np.abs(d).max() > 1e-3, (
        "the distance must stand out of the 1e-10 of each law"
    )
    columns = np.stack([d[1:-1].ravel(), -d[:-2].ravel()], axis=1)
    (twice_real_part, modulus_squared), *_ = np.linalg.lstsq(columns, d[2:].ravel())
    λ = ss_exact.second_eigenvalue(params)
    # Other eigenvalues have died out to 1e-5 of this one.
    assert np.sqrt(modulus_squared) == pytest.approx(abs(λ), abs=1e-5)
    assert twice_real_part == pytest.approx(2 * λ.real, abs=1e-5)


# ---------------------------------------------------------------------- error, shapes


def random_parameters(seed):
    rng = np.random.default_rng(seed)
    S = rng.uniform(5, 120)
    s, σ, mean = (
        rng.uniform(0, 0.9) * S,
        rng.uniform(0.3, 1.2),
        rng.uniform(0.03, 0.5) * S,
    )
    x_init = rng.uniform(0, 1.5) * S
    return ss.create_parameters(s, S, float(np.log(mean) - σ**2 / 2), σ), x_init


def models(number, seed):
    """Models of all sizes: demands that empty the shelf, and hundreds of them in a tooth."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        S = rng.uniform(5, 150)
        s = S * rng.choice([0.0, rng.uniform(0, 0.98)], p=[0.1, 0.9])
        μ, σ = rng.uniform(-3, 5), rng.uniform(0.05, 3)
        x_init = rng.choice([rng.uniform(0, 1.5 * S), s + 0.05 * (S - s)])
        yield ss.create_parameters(s, S, μ, σ), float(x_init), rng


def where_it_hurts(params, x_init, rng, number=40):
    """Stocks one and two demands below X_0 and S, about s, and anywhere."""
    s, S, μ, σ = params
    start = S if x_init <= s else x_init
    top = max(S, start)
    z = rng.uniform(-7, 7, (4, number))
    one, two = np.exp(μ + σ * z), 2 * np.exp(μ + σ * z[:2] / 2)
    beside = [s, np.nextafter(s, 0), np.nextafter(s, top), np.nextafter(start, 0), 0.0]
    groups = start - one[0], S - one[1], s - one[2], s + one[3], start - two[0]
    x = np.concatenate([*groups, S - two[1], rng.uniform(0, top, number), beside])
    return x[(x >= 0) & (x < top)]


def test_error_is_a_bound_on_the_second_period():
    """Everywhere in x, against one integral over one of two demands, for models of all kinds."""
    refused = 0
    for params, x_init, rng in models(40, seed=0):
        try:
            law = ss_exact.marginal(params, x_init, 2)
        except ValueError as error:
            assert "σ must be larger" in str(error)  # noqa: PT017 (some are refused, none must be)
            refused += 1
            continue
        x = where_it_hurts(params, x_init, rng)
        off = np.abs(law.cdf(x) - two_periods.cdf(params, x_init, x))
        assert off.max() <= law.error <= ss_exact.TOLERANCE, (params, x_init)
    assert refused < 6


@pytest.mark.parametrize(
    ("numbers", "x_init", "x", "F"),
    [
        # Both by one integral over the first demand in 30 digits (mpmath).
        ((10, 100, -2, 0.5), 70.0, 69.894589, 0.997336779447487556),
        ((10, 100, 1, 1.5), 70.0, 69.77546739, 0.980854068794793961),
    ],
)
def test_close_below_the_start(numbers, x_init, x, F):
    """Where earlier grids were off by up to 600 times what they said."""
    law = ss_exact.marginal(ss.create_parameters(*map(float, numbers)), x_init, 2)
    assert abs(law.cdf(x) - F) <= law.error


@pytest.mark.parametrize("seed", range(4))
def test_error_is_a_bound(seed):
    """Later, against grids that agree to 1e-11."""
    params, x_init = random_parameters(seed)
    dates = [1, 7, 60]
    stated = [*ss_exact.marginals(params, x_init, dates), ss_exact.stationary(params)]
    finer = [
        *ss_exact.marginals(params, x_init, dates, tol=1e-11),
        ss_exact.stationary(params, tol=1e-11),
    ]
    x = where_it_hurts(params, x_init, np.random.default_rng(seed))
    top = max(params.S, x_init)
    for rough, fine in zip(stated, finer, strict=True):
        assert rough.error <= ss_exact.TOLERANCE
        bound = rough.error + 1e-11
        np.testing.assert_allclose(rough.cdf(x), fine.cdf(x), rtol=0, atol=bound)
        # Of mean and std it is the error relative to the top of the range.
        for name, scale in (("mean", top), ("std", top), ("prob_zero", 1.0)):
            expected = pytest.approx(getattr(fine, name), abs=scale * bound)
            assert getattr(rough, name) == expected


def test_tolerance_decides_the_grid():
    coarse, fine = (ss_exact.marginal(WIDE, 20.0, 9, tol=tol) for tol in (1e-4, 1e-11))
    assert coarse.error <= 1e-4
    assert fine.error <= 1e-11
    assert coarse.edges.size < fine.edges.size


@settings(max_examples=50)
@given(
    st.sampled_from([1, 2, 30, None]),
    st.lists(st.floats(-20, 130), min_size=3, max_size=3),
)
def test_cdf_is_a_cdf(t, x):
    each = laws()[t]
    x = np.sort(x)
    F = each.cdf(x)
    assert (np.diff(F) >= -TIGHT).all()
    assert ((F >= 0) & (F <= 1)).all()
    assert (F[x < 0] == 0).all()
    assert (F[x >= 100] == 1).all()


@pytest.mark.parametrize("t", [1, 30, None])
def test_shapes(t):
    each = laws()[t]
    for shape in [(), (3,), (2, 5)]:
        x = np.full(shape, 40.0)
        for f in (each.cdf, each.density):
            assert f(x).shape == shape
            assert f(x).dtype == np.float64
            np.testing.assert_allclose(f(x), f(40), rtol=1e-12)
    assert each.cdf([10, 20]).shape == (2,)  # integers in a list


# -------------------------------------------------------------------------- precision


@pytest.mark.parametrize("x64", [False, True])
def test_float64_whatever_the_setting(x64):
    with precision.enable_x64(x64):
        exact = ss_exact.marginal(BASELINE, 50.0, 10)
        pmf = ss_exact.restock_pmf(BASELINE)
        assert jax.config.jax_enable_x64 == x64
    assert not jax.config.jax_enable_x64, "the setting is as it was"
    assert all(
        type(n) is float for n in (exact.mean, exact.std, exact.prob_zero, exact.error)
    )
    assert type(exact.cdf(5.0)) is np.ndarray
    assert type(pmf) is np.ndarray
    assert pmf.dtype == exact.cdf(5.0).dtype == exact.values.dtype == np.float64
    # In float32 it would miss this by 1e-6; two grids of the default tolerance differ less.
    assert exact.mean == pytest.approx(laws()[10].mean, abs=1e-8)


def test_parameters_of_any_kind_of_number():
    """Whole numbers, NumPy's and JAX's scalars: 0.5 is the same number in each."""
    params = ss.create_parameters(
        10, np.int64(100), jax.numpy.float32(1), np.float32(0.5)
    )
    assert (
        ss_exact.marginal(params, np.float32(50), 9).mean
        == ss_exact.marginal(BASELINE, 50, 9).mean
    )


# ------------------------------------------------------------ simulation against it


def within_four_standard_errors(sample, exact, x):
    n = sample.size
    sample = np.asarray(sample, dtype=float)
    assert abs(sample.mean() - exact.mean) < 4 * exact.std / np.sqrt(n)
    F = exact.cdf(x)
    assert (
        np.abs([(sample <= each).mean() for each in x] - F)
        < 4 * np.sqrt(F * (1 - F) / n)
    ).all()
    p = exact.prob_zero
    assert abs((sample == 0).mean() - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_cross_section_of_the_baseline():
    X = ss.cross_section(BASELINE, 50.0, 500, key=jax.random.key(1))
    within_four_standard_errors(
        X, ss_exact.marginal(BASELINE, 50.0, 500), [5, 10, 30, 50, 70, 90]
    )


@pytest.mark.parametrize("seed", range(3))
def test_dynamics_of_other_parameters(seed):
    params, x_init = random_parameters(seed)
    dates = [1, 2, 7, 30, 60]
    sections = ss.distribution_dynamics(
        params, x_init, dates, key=jax.random.key(seed), num_firms=20_000
    )
    for X, exact in zip(
        sections, ss_exact.marginals(params, x_init, dates), strict=True
    ):
        within_four_standard_errors(X, exact, np.linspace(0.1, 0.9, 5) * params.S)


@pytest.mark.parametrize("at_least", [1, 2, 3])
def test_restock_frequency(at_least):
    share, error = ss.restock_frequency(
        BASELINE, key=jax.random.key(3), num_firms=100_000, at_least=at_least
    )
    p = 1 - ss_exact.restock_pmf(BASELINE)[:at_least].sum()
    assert abs(float(share) - p) <= 4 * np.sqrt(p * (1 - p) / 100_000)
    assert float(error) == pytest.approx(
        np.sqrt(p * (1 - p) / 100_000), rel=0.05, abs=1e-4
    )


# ----------------------------------------------------------------------- bad input

CALLS = {
    "marginal": lambda params=BASELINE, x_init=50.0, **tol: ss_exact.marginal(
        params, x_init, 3, **tol
    ),
    "marginals": lambda params=BASELINE, x_init=50.0, **tol: ss_exact.marginals(
        params, x_init, [3], **tol
    ),
    "restock_pmf": lambda params=BASELINE, x_init=50.0, **tol: ss_exact.restock_pmf(
        params, x_init, 3, **tol
    ),
    "stationary": lambda params=BASELINE, **tol: ss_exact.stationary(params, **tol),
    "second_eigenvalue": lambda params=BASELINE, **tol: ss_exact.second_eigenvalue(
        params, **tol
    ),
}
with_every = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
with_start = pytest.mark.parametrize(
    "call", list(CALLS.values())[:3], ids=list(CALLS)[:3]
)


@with_every
@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            ss.create_parameters(σ=0.0),
            "σ must be > 0 for an exact law with a density, got 0",
        ),
        (
            ss.Parameters(10.0, 5.0, 1.0, 0.5),
            "s must be below S, got s = 10.0 and S = 5.0",
        ),
        (ss.Parameters(10.0, np.inf, 1.0, 0.5), "S must be finite, got inf"),
        (
            ss.create_parameters(μ=np.ones(2)),
            "μ must be a number, got an array of shape (2,)",
        ),
    ],
    ids=["no spread", "s above S", "infinite", "array"],
)
def test_parameters_out_of_bounds(call, params, message):
    with refuses(message):
        call(params)


@with_every
@pytest.mark.parametrize(
    ("tol", "message"),
    [
        (0.0, "tol must be in (0, 0.0001], got 0"),
        (-1e-6, "tol must be in (0, 0.0001], got -1e-06"),
        (1e-3, "tol must be in (0, 0.0001], got 0.001"),
        (np.nan, "tol must be finite, got nan"),
        ([1e-6, 1e-7], "tol must be a number, got an array of shape (2,)"),
        ("fine", "tol must be a number, got 'fine'"),
    ],
    ids=repr,
)
def test_tolerance_out_of_bounds(call, tol, message):
    with refuses(message):
        call(tol=tol)


def test_tolerance_out_of_reach():
    """Says what can be reached, on which grid, for which model."""
    message = (
        r"tol must be >= (\S+): the finest grid \(\d+ panels\) comes to about half of that "
        r"for s = 10, S = 100, μ = 1 and σ = 0.5 on \[0, 100\]; got 1e-30"
    )
    with pytest.raises(ValueError, match=message) as raised:
        ss_exact.marginal(BASELINE, 50.0, 12, tol=1e-30)
    reached = float(re.search(message, str(raised.value))[1])
    assert ss_exact.marginal(BASELINE, 50.0, 12, tol=reached).error <= reached


@with_every
def test_laws_too_narrow_for_any_grid(call):
    with refuses("σ must be larger, or max(S, x_init) - s fewer demands"):
        call(ss.create_parameters(σ=0.01))
    with refuses("panels, where 200 are the most"):
        call(ss.create_parameters(μ=-1e3))


@with_start
@pytest.mark.parametrize(
    ("x_init", "message"),
    [
        (-1.0, "x_init must be >= 0, got -1"),
        (np.inf, "x_init must be finite, got inf"),
        (np.array([1.0, 2.0]), "x_init must be a number, got an array of shape (2,)"),
        (None, "x_init must be a number, got None"),
    ],
    ids=repr,
)
def test_initial_stock_out_of_bounds(call, x_init, message):
    with refuses(message):
        call(x_init=x_init)


@pytest.mark.parametrize("dates", [[], [0, 1], [3, 3], [5, 2], [1.0], 7], ids=repr)
def test_dates_out_of_bounds(dates):
    bound = "must be a non-empty sequence of increasing positive integers"
    with refuses(f"dates {bound}, got {dates!r}"):
        ss_exact.marginals(BASELINE, 50.0, dates)


@pytest.mark.parametrize("call", [ss_exact.marginal, ss_exact.restock_pmf])
@pytest.mark.parametrize("num_periods", [0, -1, 2.0, True, None], ids=repr)
def test_number_of_periods_out_of_bounds(call, num_periods):
    with refuses(f"num_periods must be an integer >= 1, got {num_periods}"):
        call(BASELINE, 50.0, num_periods)


def test_what_jax_traces_is_refused():
    with pytest.raises(ValueError, match=r"σ must be a number here.* not traceable"):
        jax.jit(lambda σ: ss_exact.stationary(BASELINE._replace(σ=σ)).mean)(0.5)
    law = laws()[10]
    for call in (law.cdf, law.density):
        with pytest.raises(ValueError, match=r"x must be .* here.* not traceable"):
            jax.grad(call)(20.0)


@pytest.mark.parametrize("x", [np.nan, None, "a", [1.0, np.nan], 1j, True], ids=repr)
def test_stocks_that_are_no_numbers(x):
    for call in (laws()[10].cdf, laws()[10].density):
        with pytest.raises(ValueError, match="x must be a number, got"):
            call(x)


@pytest.mark.parametrize(
    "params", [None, (10.0, 100.0, 1.0, 0.5), eoq.create_parameters()]
)
def test_parameters_of_another_model(params):
    with pytest.raises(
        ValueError, match=r"params must come from ss\.create_parameters"
    ):
        ss_exact.stationary(params)


@pytest.mark.parametrize(
    ("s", "S", "μ", "σ"), [(10, 100, 1, 0.5), (2, 90, 1, 0.5), (1, 12, 1.2, 1.0)]
)
def test_flows_by_what_each_stock_loses(s, S, μ, σ):
    """What is lost, by the law of the stock and the mean excess of a lognormal demand."""
    params = ss.create_parameters(float(s), float(S), float(μ), float(σ))
    law = ss_exact.stationary(params)

    def excess(y):  # E (D - y)^+
        z = (np.log(y) - μ) / σ
        return np.exp(μ + σ**2 / 2) * ndtr(σ - z) - y * ndtr(-z)

    inside = integrate.quad(
        lambda y: excess(y) * law.density(y), s, S, points=law.edges[1:-1], limit=500
    )[0]
    restocks = float(law.cdf(s))
    lost = restocks * excess(S) + inside
    flows = ss_exact.flows(params)
    assert flows.restocks == restocks
    assert flows.on_hand == law.mean
    assert abs(flows.lost - lost) < 1e-4 * max(lost, 0.01)
    assert abs(flows.ordered + flows.lost - np.exp(μ + σ**2 / 2)) < 1e-12
