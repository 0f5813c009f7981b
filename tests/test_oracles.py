"""The oracles of the classical models: against identities, quadrature, simulation, each other."""

import itertools
import math
from fractions import Fraction

import event_simulator as events
import numpy as np
import pytest
import renewal_oracle as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

# (family, SCV): each side of the SCV at which truncation begins, and wide ones
LAWS = [
    ("exponential", 1.0),
    ("gamma", 0.3),
    ("gamma", 2.0),
    ("lognormal", 0.1),
    ("lognormal", 2.0),
    ("uniform", 0.2),
    ("uniform", 0.8),
    ("triangular", 0.1),
    ("triangular", 0.8),
    ("normal", 0.01),
    ("normal", 0.8),
]
each_law = pytest.mark.parametrize(
    ("family", "scv"), LAWS, ids=[f"{family}-{scv}" for family, scv in LAWS]
)


def before_truncation(family, scv):
    """Y with mean 1, from SciPy."""
    std = math.sqrt(scv)
    if family == "exponential":
        return stats.expon()
    if family == "gamma":
        return stats.gamma(1 / scv, scale=scv)
    if family == "lognormal":
        sigma = math.sqrt(math.log1p(scv))
        return stats.lognorm(sigma, scale=math.exp(-(sigma**2) / 2))
    if family == "uniform":
        half = math.sqrt(3) * std
        return stats.uniform(1 - half, 2 * half)
    if family == "triangular":
        half = math.sqrt(6) * std
        return stats.triang(0.5, 1 - half, 2 * half)
    return stats.norm(1, std)


# ------------------------------------------------------------------ the event simulator


@st.composite
def runs(draw):
    """Demand times with ties, lead times that cross, on a coarse grid of fractions."""
    tenths = st.integers(0, 30).map(lambda i: Fraction(i, 10))
    gaps = draw(st.lists(tenths, min_size=1, max_size=25))
    lead_times = draw(st.lists(tenths, min_size=len(gaps), max_size=len(gaps)))
    return list(itertools.accumulate(gaps)), lead_times


def check_path(path, demand_times, lot, positions):
    """What holds on every sample path, whatever the times."""
    times = [state.time for state in path.history]
    assert times == sorted(times)
    for before, state in itertools.pairwise(path.history):
        assert min(state.on_hand, state.backorders) == 0
        assert state.on_hand >= 0 <= state.on_order
        assert state.inventory_position in positions
        net = state.on_hand - state.backorders
        change = net - (before.on_hand - before.backorders)
        assert change in (-1, lot)  # a demand, or a lot
    # Units are issued in the order of their arrival, to customers in the order of theirs.
    assert path.arrivals == sorted(path.arrivals)
    for U, A, served, filled in zip(
        path.arrivals, demand_times, path.served, path.filled, strict=True
    ):
        assert served == max(U, A)
        assert filled == (U <= A)


@settings(max_examples=100)
@given(runs(), st.integers(0, 6))
def test_base_stock_paths(run, level):
    """Position R; net stock counts arrivals less demands; and customers' times add up to stock."""
    demand_times, lead_times = run
    path = events.base_stock(demand_times, lead_times, level)
    check_path(path, demand_times, 1, {level})
    assert max(path.served) < math.inf
    last = path.history[-1]
    assert (last.on_hand, last.on_order, last.backorders) == (level, 0, 0)
    for time in demand_times:  # once all events of that time have happened
        state = [state for state in path.history if state.time <= time][-1]
        arrived = sum(A + L <= time for A, L in zip(*run, strict=True))
        asked = sum(A <= time for A in demand_times)
        assert state.on_hand - state.backorders == level + arrived - asked
        assert state.on_order == asked - arrived

    end = last.time + 1
    averages = events.time_averages(path.history, 0, end)
    waits = sum(max(U - A, 0) for U, A in zip(path.arrivals, demand_times, strict=True))
    assert averages.backorders * end == waits
    # The units that nobody took stand on the shelf from their arrival on.
    orders = [A + L for A, L in zip(*run, strict=True)]
    units = sorted([0] * level + orders)
    used = units[: len(demand_times)]
    assert used == path.arrivals
    shelf = sum(max(A - U, 0) for U, A in zip(used, demand_times, strict=True))
    left = sum(end - U for U in units[len(demand_times) :])
    assert averages.on_hand * end == shelf + left
    assert sum(averages.backorder_share.values()) == 1
    mean = sum(b * share for b, share in averages.backorder_share.items())
    assert mean == averages.backorders


@settings(max_examples=100)
@given(runs(), st.integers(1, 5), st.data())
def test_qr_paths(run, quantity, data):
    """Position in R + 1, ..., R + Q; unserved demands exactly where no order was placed."""
    demand_times, lead_times = run
    reorder_point = data.draw(st.integers(-quantity, 5))
    path = events.qr(demand_times, lead_times, quantity, reorder_point)
    positions = set(range(reorder_point + 1, reorder_point + quantity + 1))
    start = path.history[0]
    assert start.on_hand == reorder_point + quantity
    check_path(path, demand_times, quantity, positions)
    num_orders = len(demand_times) // quantity
    unserved = len(demand_times) - start.on_hand - num_orders * quantity
    assert path.served.count(math.inf) == max(unserved, 0)
    assert path.history[-1].backorders == max(unserved, 0)
    if reorder_point >= 0:
        assert unserved <= 0


def test_base_stock_is_qr_with_lots_of_one():
    demand_times, lead_times = [1, 1, 2, 5, 5, 6], [3, 0, 1, 0, 4, 2]
    for level in range(4):
        path = events.base_stock(demand_times, lead_times, level)
        assert path == events.qr(demand_times, lead_times, 1, level - 1)


def test_events_by_hand():
    """Orders that cross, an arrival at the time of a demand, a customer who waits for a lot."""
    path = events.qr([1, 2, 3, 4, 6], [5, 1], quantity=2, reorder_point=0)
    assert path.history == [
        (0, 2, 0, 0),
        (1, 1, 0, 0),
        (2, 0, 2, 0),  # ordered, to arrive at 7
        (3, 0, 2, 1),
        (4, 0, 4, 2),  # ordered, to arrive at 5
        (5, 0, 2, 0),
        (6, 0, 2, 1),
        (7, 1, 0, 0),
    ]
    assert path.arrivals == [0, 0, 5, 5, 7]
    assert path.served == [1, 2, 5, 5, 7]
    averages = events.time_averages(path.history, Fraction(1, 2), Fraction(13, 2))
    assert averages.on_hand == Fraction(2 * 1 + 1 * 2, 12)
    assert averages.ready == Fraction(3, 12)
    assert averages.backorders == Fraction(1 + 2 + 1 / Fraction(2), 6)
    assert averages.backorder_share == {
        0: Fraction(7, 12),
        1: Fraction(1, 4),
        2: Fraction(1, 6),
    }
    # A unit that arrives at the very time of a demand is there for it.
    assert events.base_stock([1, 3], [2, 2], 1).filled == [True, True]
    assert events.base_stock([1, 1], [0, 0], 0).filled == [True, True]


@given(st.integers(1, 12), st.integers(1, 5))
def test_eoq_mean_stock(quantity, num_lots):
    """With equal gaps the stock takes each of 1, ..., Q for as long."""
    times = [Fraction(j, 7) for j in range(1, quantity * num_lots + 1)]
    path = events.eoq(times, quantity)
    averages = events.time_averages(path.history, 0, times[-1])
    assert averages == (Fraction(quantity + 1, 2), 0, 1, {0: 1})
    shelf = sum(A - U for U, A in zip(path.arrivals, times, strict=True))
    assert shelf == averages.on_hand * times[-1]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: events.base_stock([2, 1], [1, 1], 1),
        lambda: events.base_stock([-1], [1], 1),
        lambda: events.base_stock([1, 2], [1], 1),
        lambda: events.base_stock([1], [-1], 1),
        lambda: events.base_stock([1], [1], -1),
        lambda: events.qr([1], [1], 0, 1),
        lambda: events.qr([1], [1], 2, -3),
        lambda: events.eoq([1], 0),
        lambda: events.time_averages([events.State(0, 1, 0, 0)], 1, 1),
    ],
)
def test_events_refuse_what_means_nothing(wrong):
    with pytest.raises(ValueError, match=r"must be|needs|no "):
        wrong()


# ------------------------------------------------------------------- the renewal oracle

# Quadrature and oracle are each right to some 1e-13; this leaves room for both.
TIGHT = 1e-11


@each_law
def test_one_term(family, scv):
    """F_1 from SciPy's law of Y; H_1 by quadrature; the mean as H's distance from its asymptote."""
    Y = before_truncation(family, scv)
    for L in (0.0, 0.3, 1.0, 2.2, 5.0):
        below, strictly = oracle.sum_cdf(family, 1.0, scv, 1, L)
        assert below == pytest.approx(Y.cdf(L), abs=TIGHT)
        assert strictly == pytest.approx(Y.cdf(L) if L else 0.0, abs=TIGHT)
        corners = [x for x in (*Y.support(), 1.0) if 0 < x < L]
        area, _ = integrate.quad(
            Y.cdf, 0, L, points=corners, epsabs=1e-13, epsrel=1e-13, limit=200
        )
        assert oracle.shortfall(family, 1.0, scv, 1, L) == pytest.approx(
            area, abs=TIGHT
        )
    mean, _ = integrate.quad(Y.sf, 0, 1, epsabs=1e-13)
    mean += integrate.quad(Y.sf, 1, np.inf, epsabs=1e-13, epsrel=1e-12, limit=500)[0]
    assert oracle.truncated_mean(family, 1.0, scv) == pytest.approx(mean, abs=1e-10)


class Convolution:
    """F_n and H_n by repeated quadrature, as values on panels that narrow towards zero."""

    ORDER = 16

    def __init__(self, family, scv, width):
        Y = before_truncation(family, scv)
        self.density, self.at_zero, self.width = Y.pdf, Y.cdf(0), width
        self.x, self.w = np.polynomial.legendre.leggauss(self.ORDER)
        gaps = self.x[:, None] - self.x + np.eye(self.ORDER)
        self.barycentric = 1 / gaps.prod(1)

    def borders(self, end):
        halves = end * 2.0 ** np.arange(-30, 1)
        result = [0.0]
        for low, high in itertools.pairwise([0.0, *halves]):
            count = math.ceil((high - low) / self.width)
            result.extend(low + (high - low) * np.arange(1, count + 1) / count)
        return np.array(result)

    def nodes(self, end):
        borders = self.borders(end)
        half, middle = np.diff(borders) / 2, (borders[1:] + borders[:-1]) / 2
        points = middle[:, None] + half[:, None] * self.x
        return points.ravel(), (half[:, None] * self.w).ravel()

    def interpolate(self, borders, values, x):
        i = np.clip(np.searchsorted(borders, x, side="right") - 1, 0, len(borders) - 2)
        local = (2 * x - borders[i] - borders[i + 1]) / (borders[i + 1] - borders[i])
        gaps = local[:, None] - self.x
        weights = self.barycentric / np.where(gaps == 0, 1e-300, gaps)
        return np.einsum("ij,ijk->ik", weights, values[i]) / weights.sum(1)[:, None]

    def convolved(self, before, x):
        """p_0 F(x) + int_0^x f(y) F(x - y) dy, narrowing towards both ends."""
        y, w = self.nodes(x / 2)
        inside = (w * self.density(y)) @ before(x - y)
        inside += (w * self.density(x - y)) @ before(y)
        return self.at_zero * before(np.array([x]))[0] + inside

    def __call__(self, n, L):
        borders, (x, _) = self.borders(L), self.nodes(L)

        def before(x):  # n = 0
            return np.stack([np.ones_like(x), x], axis=1)

        for _ in range(n - 1):
            values = np.array([self.convolved(before, point) for point in x])
            values = values.reshape(-1, self.ORDER, 2)

            def before(x, values=values):
                return self.interpolate(borders, values, x)

        return self.convolved(before, L)


@pytest.mark.parametrize(
    ("family", "scv", "n", "L", "width"),
    [
        ("lognormal", 0.1, 3, 3.3, 0.25),
        ("lognormal", 0.8, 3, 5.0, 0.4),
        ("lognormal", 4.0, 3, 2.0, 0.4),
        ("normal", 0.03, 3, 2.5, 0.2),
        ("normal", 0.8, 3, 4.0, 0.6),
        ("normal", 3.0, 3, 6.0, 0.6),
    ],
)
def test_sums_by_quadrature(family, scv, n, L, width):
    below, area = Convolution(family, scv, width)(n, L)
    assert oracle.sum_cdf(family, 1.0, scv, n, L)[0] == pytest.approx(below, abs=TIGHT)
    assert oracle.shortfall(family, 1.0, scv, n, L) == pytest.approx(area, abs=TIGHT)


def test_inversion_by_sums_of_gamma_variables():
    for scv, n, L in itertools.product((0.05, 0.5, 4.0), (1, 5, 12), (0.2, 3.0, 12.0)):
        inverted = [oracle._inverted("gamma", 1.0, scv, n, L, p) for p in (1, 2)]
        closed = oracle.sum_cdf("gamma", 1.0, scv, n, L)[0]
        assert inverted[0] == pytest.approx(closed, abs=TIGHT)
        closed = oracle.shortfall("gamma", 1.0, scv, n, L)
        assert inverted[1] == pytest.approx(closed, abs=TIGHT)


@pytest.mark.parametrize(
    ("family", "scv"), [law for law in LAWS if law[0] in ("uniform", "triangular")]
)
def test_sums_of_piecewise_polynomial_laws_by_quadrature(family, scv):
    """F_n and H_n from F_{n-1} and H_{n-1}, Gauss-Legendre between all their corners: exact."""
    Y = before_truncation(family, scv)
    low, high = Y.support()
    corners = [max(low, 0.0), 1.0, high]
    x, w = np.polynomial.legendre.leggauss(8)
    L = 2.3
    sums = {0.0}
    for n in range(2, 5):
        sums = {a + b for a in sums for b in (0.0, *corners)}
        borders = {0.0, L, *corners, *(L - a for a in sums)}
        borders = sorted(b for b in borders if 0 <= b <= L)
        below = Y.cdf(0) * oracle.sum_cdf(family, 1.0, scv, n - 1, L)[0]
        area = Y.cdf(0) * oracle.shortfall(family, 1.0, scv, n - 1, L)
        for left, right in itertools.pairwise(borders):
            for y, weight in zip(
                (left + right + (right - left) * x) / 2, w, strict=True
            ):
                mass = weight * (right - left) / 2 * Y.pdf(y)
                below += mass * oracle.sum_cdf(family, 1.0, scv, n - 1, L - y)[0]
                area += mass * oracle.shortfall(family, 1.0, scv, n - 1, L - y)
        found = oracle.sum_cdf(family, 1.0, scv, n, L)[0]
        assert found == pytest.approx(below, abs=TIGHT)
        assert oracle.shortfall(family, 1.0, scv, n, L) == pytest.approx(
            area, abs=TIGHT
        )


def test_sums_with_known_values():
    # Irwin-Hall: n uniforms on [0, 1] sum to at most L = 1 with probability 1 / n!
    for n in range(1, 13):
        found = oracle.sum_cdf("uniform", Fraction(1, 2), 1 / 3, n, 1)[0]
        assert found == pytest.approx(1 / math.factorial(n), rel=1e-13)
    # A triangular variable is the sum of two uniform ones of half its mean and twice its SCV.
    for n, L in itertools.product((1, 3, 6), (0.8, 3.0, 5.5)):
        pair = oracle.sum_cdf("uniform", 0.5, 0.2, 2 * n, L)
        assert oracle.sum_cdf("triangular", 1.0, 0.1, n, L) == pytest.approx(
            pair, rel=1e-12
        )
    # At the SCV up to which normal laws count as not truncated
    scv = 0.9999 / oracle.FAR**2
    for n, L in ((1, 0.9), (4, 4.1), (12, 11.5)):
        closed = oracle.shortfall("normal", 1.0, scv, n, L)
        inverted = oracle._inverted("normal", 1.0, scv, n, L, 2)
        assert inverted == pytest.approx(closed, abs=TIGHT)
    # An atom counts in one probability and not in the other.
    assert oracle.sum_cdf("deterministic", 2, 0, 3, 6) == (1.0, 0.0)
    assert oracle.sum_cdf("normal", 1.0, 1.0, 2, 0)[0] == pytest.approx(
        stats.norm.sf(1) ** 2
    )
    # The scale is a unit.
    for family, scv in LAWS:
        small = oracle.shortfall(family, 0.01, scv, 3, 0.025)
        assert small == pytest.approx(oracle.shortfall(family, 1.0, scv, 3, 2.5) / 100)


@each_law
def test_sums_by_simulation(family, scv):
    generator = np.random.default_rng(7)
    size, L = 200_000, 4.0
    X = before_truncation(family, scv).rvs((6, size), random_state=generator)
    S = np.maximum(X, 0).cumsum(0)
    for n in (2, 4, 6):
        below = oracle.sum_cdf(family, 1.0, scv, n, L)[0]
        error = math.sqrt(below * (1 - below) / size) + 1 / size
        assert (S[n - 1] <= L).mean() == pytest.approx(below, abs=4 * error)
        short = np.maximum(L - S[n - 1], 0)
        error = short.std() / math.sqrt(size) + 1 / size
        expected = oracle.shortfall(family, 1.0, scv, n, L)
        assert short.mean() == pytest.approx(expected, abs=4 * error)


@each_law
def test_window_law_is_a_law(family, scv):
    """It falls from 1 to 0, and its mean is the rate times the length, whatever the family."""
    tail = oracle.window_tail(family, 1.0, scv, 1.5, 13)
    assert tail[0] == 1
    assert (np.diff(tail) < TIGHT).all()
    m = oracle.truncated_mean(family, 1.0, scv)
    rest = (
        oracle.shortfall(family, 1.0, scv, 12, 1.5) / m
    )  # sum of what the tail leaves out
    assert tail[1:].sum() + rest == pytest.approx(1.5 / m, abs=TIGHT)


@pytest.mark.parametrize("level", [0, 1, 3, 7])
def test_exponential_renewals_are_poisson(level):
    renewal = oracle.renewal_base_stock("exponential", 0.25, 1.0, level, 0.75, size=8)
    poisson = oracle.poisson_base_stock(4.0, 0.75, level)
    for found, expected in zip(renewal, poisson, strict=True):
        found = np.atleast_1d(found)
        expected = np.atleast_1d(expected)[: found.size]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("family", "scv"), [law for law in LAWS if law[1] >= 0.1], ids=str
)
def test_base_stock_by_events(family, scv):
    """The whole of it: formulas from matching and renewal theory, events from first principles."""
    level, L, num_runs, num_demands = 3, 2.5, 60, 300
    generator = np.random.default_rng(11)
    X = before_truncation(family, scv).rvs(
        (num_runs, num_demands), random_state=generator
    )
    found = []
    for gaps in np.maximum(X, 0):
        times = gaps.cumsum()
        path = events.base_stock(times.tolist(), [L] * num_demands, level)
        # Long after the start, and at times that are set beforehand
        averages = events.time_averages(path.history, 30.0, 200.0)
        shares = [averages.backorder_share.get(b, 0.0) for b in range(3)]
        late = slice(level, None)
        waits = np.array(path.served[late]) - times[late]
        found.append(
            [np.mean(path.filled[late]), averages.ready, averages.on_hand]
            + [averages.backorders, *shares, waits.mean()]
        )
    stock = oracle.renewal_base_stock(family, 1.0, scv, level, L, size=3)
    expected = [*stock[:4], *stock.backorder_pmf, stock.mean_wait]
    errors = np.std(found, axis=0, ddof=1) / math.sqrt(num_runs)
    assert (np.abs(np.mean(found, axis=0) - expected) < 4 * errors).all()


def test_base_stock_with_regular_demand_by_events():
    """Demands a unit apart, exactly: windows of length 5/2 hold two or three."""
    assert oracle.window_tail("deterministic", 1, 0, Fraction(5, 2), 5).tolist() == [
        *(1.0, 1.0, 1.0, 0.5, 0.0)
    ]
    times = [Fraction(j) for j in range(1, 21)]
    for level in range(5):
        for L in (Fraction(5, 2), Fraction(2)):
            path = events.base_stock(times, [L] * 20, level)
            averages = events.time_averages(path.history, 5, 15)
            stock = oracle.renewal_base_stock("deterministic", 1, 0, level, L, size=4)
            assert stock.fill_rate == np.mean(path.filled[level:])
            assert stock.ready_rate == averages.ready
            assert stock.mean_on_hand == averages.on_hand
            assert stock.mean_backorders == averages.backorders
            shares = [averages.backorder_share.get(b, 0) for b in range(4)]
            assert stock.backorder_pmf.tolist() == shares


@pytest.mark.parametrize("case", oracle.CASES, ids=str)
def test_cases_make_sense(case):
    """Every case that the oracle offers to other tests: laws, Little's law, net stock."""
    family, mean, scv, level, L = case
    stock = oracle.renewal_base_stock(family, mean, scv, level, L, size=4)
    m = oracle.truncated_mean(family, mean, scv)
    assert 0 <= stock.ready_rate <= 1
    assert 0 <= stock.fill_rate <= 1
    assert (stock.backorder_pmf > -TIGHT).all()
    assert stock.backorder_pmf.sum() < 1 + TIGHT
    net = stock.mean_on_hand - stock.mean_backorders
    assert net == pytest.approx(level - float(L) / m, abs=TIGHT)


# -------------------------------------------------------------------- Poisson demand


@pytest.mark.parametrize(
    ("quantity", "reorder_point"), [(1, 2), (4, 1), (5, -2), (3, -3)]
)
def test_poisson_qr_by_events(quantity, reorder_point):
    L, num_runs, num_demands = 1.5, 60, 400
    generator = np.random.default_rng(13)
    found = []
    for gaps in generator.exponential(0.5, (num_runs, num_demands)):
        times = gaps.cumsum()
        lead_times = [L] * num_demands
        path = events.qr(times.tolist(), lead_times, quantity, reorder_point)
        averages = events.time_averages(path.history, 20.0, 120.0)
        shares = [averages.backorder_share.get(b, 0.0) for b in range(3)]
        # Whole cycles, from one on which nothing of the start is left
        late = slice(6 * quantity, num_demands // quantity * quantity - 6 * quantity)
        waits = np.array(path.served[late]) - times[late]
        found.append(
            [np.mean(path.filled[late]), averages.ready, averages.on_hand]
            + [averages.backorders, *shares, waits.mean()]
        )
    stock = oracle.poisson_qr(2.0, L, quantity, reorder_point)
    expected = [*stock[:4], *stock.backorder_pmf[:3], stock.mean_wait]
    errors = np.std(found, axis=0, ddof=1) / math.sqrt(num_runs)
    gaps = np.abs(np.mean(found, axis=0) - expected)
    assert (gaps <= 4 * errors).all()


def test_poisson_identities():
    for rate, L, Q, R in (
        (120.0, 1 / 12, 1, 10),
        (140.0, 0.125, 26, 11),
        (3.0, 0.5, 4, -3),
    ):
        stock = oracle.poisson_qr(rate, L, Q, R)
        assert stock.backorder_pmf.sum() == pytest.approx(1, abs=1e-14)
        b = np.arange(stock.backorder_pmf.size)
        assert stock.backorder_pmf @ b == pytest.approx(
            stock.mean_backorders, rel=1e-12
        )
        position = R + (Q + 1) / 2
        net = stock.mean_on_hand - stock.mean_backorders
        assert net == pytest.approx(position - rate * L, abs=1e-12)
        assert stock.fill_rate == pytest.approx(stock.ready_rate, abs=1e-15)
    # Demand 120 a year, lead time a month, holding 180 and backorders 300 a unit and year
    costs = {
        level: oracle.cost_per_demand(
            oracle.poisson_base_stock(120.0, 1 / 12, level),
            120.0,
            holding_cost=180.0,
            backorder_cost=300.0,
            unit_cost=1.0,
        )
        for level in range(5, 21)
    }
    assert min(costs, key=costs.get) == 11
