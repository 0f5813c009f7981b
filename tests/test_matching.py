"""The matched simulation against an event-by-event one, sample path by sample path.

Times are whole numbers, so that 32 bits hold every date and every sum exactly: the two
agree to the last digit.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from event_simulator import base_stock as base_stock_path
from event_simulator import eoq as eoq_path
from event_simulator import qr as qr_path
from event_simulator import time_averages
from hypothesis import given, settings
from hypothesis import strategies as st

from lectures_helpers import demand
from lectures_helpers.classical import base_stock, eoq, matching, qr

N = 14  # demands on a path
WARMUP, COUNTED = 3, 8
LEVELS = 6  # numbers of backorders that are told apart


@jax.jit
def _matched(times, lead_times, start, quantity, phase):
    lots = matching.lot_arrivals(times, lead_times, quantity, N, phase)
    arrivals = matching.unit_times(lots, quantity, start, N)
    sums = matching.measure(times, arrivals, WARMUP, COUNTED)
    window = matching.time_window(times, WARMUP, COUNTED)
    missing = matching._mean_missing(times, lots, quantity, phase, window)
    shifts = start + jnp.arange(LEVELS)
    shares = matching._shares_of_time(times, lots, quantity, shifts, window)
    return arrivals, sums, missing, shares


def _check(times, lead_times, start, quantity, path, phase=0):
    """`path` begins with `phase` demands at time 0, which the package does not know."""
    arrivals, sums, missing, shares = _matched(
        jnp.array(times, float), jnp.array(lead_times, float), start, quantity, phase
    )
    np.testing.assert_array_equal(arrivals, path.arrivals[phase:])

    A = np.array(times, float)[WARMUP : WARMUP + COUNTED]
    U = np.array(path.arrivals, float)[phase + WARMUP : phase + WARMUP + COUNTED]
    if np.isfinite(U).all():
        # Sums are exact; the division by their number is the only rounding.
        np.testing.assert_allclose(sums.held, np.maximum(A - U, 0).mean(), rtol=1e-6)
        np.testing.assert_allclose(sums.waited, np.maximum(U - A, 0).mean(), rtol=1e-6)
    filled = np.array(path.filled[phase + WARMUP : phase + WARMUP + COUNTED])
    np.testing.assert_allclose(sums.filled, filled.mean(), rtol=1e-6)

    begin, end = times[WARMUP - 1], times[WARMUP + COUNTED - 1]
    averages = time_averages(path.history, begin, end)
    close = dict(rtol=1e-6, atol=2e-5)  # on hand is a difference of averages up to 100
    np.testing.assert_allclose(1 - shares[0], float(averages.ready), **close)
    if (
        start >= 0
    ):  # those who wait at time 0 are demands of no run: a warm-up forgets them
        on_hand = start + phase - missing + sums.backorders
        np.testing.assert_allclose(on_hand, float(averages.on_hand), **close)
        waiting = float(averages.backorders)
        np.testing.assert_allclose(sums.backorders, waiting, **close)
    for b in range(1, LEVELS):
        at_least = sum(
            share for level, share in averages.backorder_share.items() if level >= b
        )
        np.testing.assert_allclose(shares[b], float(at_least), **close)


gaps = st.lists(st.integers(0, 20), min_size=N, max_size=N).filter(
    lambda gaps: sum(gaps[WARMUP : WARMUP + COUNTED]) > 0
)
lead_times = st.one_of(
    st.integers(0, 60).map(lambda L: [L] * N),  # one for all
    st.lists(st.integers(0, 60), min_size=N, max_size=N),  # orders cross
)


@settings(max_examples=200)
@given(gaps=gaps, lead_times=lead_times, level=st.integers(0, 6))
def test_base_stock_path_by_path(gaps, lead_times, level):
    times = np.cumsum(gaps).tolist()
    path = base_stock_path(times, lead_times, level)
    assert all(state.inventory_position == level for state in path.history)
    _check(times, lead_times, level, 1, path)


@settings(max_examples=200)
@given(
    gaps=gaps,
    lead_times=lead_times,
    quantity=st.integers(1, 5),
    above=st.integers(0, 8),
    place=st.integers(0, 4),
)
def test_qr_path_by_path(gaps, lead_times, quantity, above, place):
    """From any place of the cycle: as if so many demands had come at time 0 together."""
    point, phase = above - quantity, place % quantity  # r from -Q on
    times = np.cumsum(gaps).tolist()
    path = qr_path([0] * phase + times, lead_times, quantity, point)
    positions = {state.inventory_position for state in path.history}
    assert positions <= set(range(point + 1, point + quantity + 1))
    _check(times, lead_times, above - phase, quantity, path, phase)


@settings(max_examples=50)
@given(gaps=gaps, quantity=st.integers(1, 6))
def test_eoq_path_by_path(gaps, quantity):
    times = np.cumsum(gaps).tolist()
    path = eoq_path(times, quantity)
    assert all(path.filled)
    _check(times, [0] * N, quantity, quantity, path)


def test_one_lead_time_is_as_good_as_equal_ones():
    times = jnp.cumsum(jnp.arange(1.0, 15.0))
    one = matching.lot_arrivals(times, jnp.array(7.0), 3, 5)
    equal = matching.lot_arrivals(times, jnp.full(14, 7.0), 3, 5)
    np.testing.assert_array_equal(one, equal)
    assert np.isinf(one[-1])  # 14 demands bring about 4 orders of 3


def test_inventory_position_on_a_long_path():
    """On hand + on order - backorders, put together from the matched dates alone."""
    key = jax.random.key(11)
    quantity, point = 5, 8
    interarrival = demand.create_distribution("gamma", 1.0, 0.5)
    lead_time = demand.create_distribution("gamma", 12.0, 1.0)
    (A,), (L,) = matching.draw(interarrival, lead_time, 500, 1, key=key)
    V = matching.lot_arrivals(A, L, quantity, 100)
    U = matching.unit_times(V, quantity, point + quantity, 500)
    U = np.asarray(U)
    A, V = np.asarray(A), np.asarray(V)
    for j in range(400):
        now = A[j]  # just after demand j + 1 and the order it may bring about
        on_order = quantity * ((j + 1) // quantity - (now >= V).sum())
        on_hand = (
            point + quantity * (1 + (now >= V).sum()) - (now >= np.maximum(A, U)).sum()
        )
        backorders = (A[: j + 1] > now).sum() + (U[: j + 1] > now).sum()
        assert point < on_hand + on_order - backorders <= point + quantity


def test_random_lengths():
    run = matching.Run(4000, num_demands=200, warmup=7)
    run = matching.with_random_lengths(run, 150.0, key=jax.random.key(2))
    n = np.asarray(run.num_demands)
    assert run.warmup == 7
    # max(200 + round(40 U), 150 + round(150 U')), as the library that it follows.
    assert n.min() >= 200
    assert n.max() <= 300
    rng = np.random.default_rng(0)
    U, V = rng.uniform(size=(2, 400_000))
    expected = np.maximum(200 + np.round(40 * U), 150 + np.round(150 * V))
    error = expected.std() / np.sqrt(n.size)
    assert abs(n.mean() - expected.mean()) < 4 * error


@pytest.mark.parametrize(
    ("num_replications", "num_demands", "rate", "message"),
    [
        (3, 0, 150.0, "num_demands must be an integer >= 1, got 0"),
        (2, [5, 6], 150.0, "num_demands must be an integer >= 1, got \\[5, 6\\]"),
        (3, 200, -1.0, "demand_rate must be > 0, got -1"),
        (0, 200, 150.0, "num_replications must be an integer >= 1, got 0"),
    ],
)
def test_random_lengths_refuse(num_replications, num_demands, rate, message):
    run = matching.Run(num_replications, num_demands)
    with pytest.raises(ValueError, match=message):
        matching.with_random_lengths(run, rate, key=jax.random.key(2))
    with pytest.raises(ValueError, match="key must be a typed key"):
        matching.with_random_lengths(matching.Run(), 150.0, key=0)


def test_more_replications_begin_with_the_same_ones():
    law = demand.create_distribution("gamma", 1.0, 2.0)
    key = jax.random.key(0)
    few, _ = matching.draw(law, law, 50, 3, key=key)
    many, _ = matching.draw(law, law, 50, 8, key=key)
    np.testing.assert_array_equal(few, many[:3])


@pytest.mark.parametrize("model", [base_stock, eoq, qr])
@pytest.mark.parametrize(
    ("run", "message"),
    [
        (None, "run must come from Run of base_stock, eoq or qr, got None"),
        (
            (10, 2000),
            r"run must come from Run of base_stock, eoq or qr, got \(10, 2000\)",
        ),
        (matching.Run(0), "num_replications must be an integer >= 1, got 0"),
        (matching.Run(warmup=-1), "warmup must be an integer >= 0, got -1"),
        (
            matching.Run(max_backorders="a"),
            "max_backorders must be an integer >= 0, got 'a'",
        ),
    ],
)
def test_a_run_without_sense_is_refused_by_every_model(model, run, message):
    policy = (2, 1) if model is qr else (2,)
    laws = (None,) if model is eoq else (None, None)
    with pytest.raises(ValueError, match=message):
        model.simulate(
            model.create_parameters(), *laws, *policy, key=jax.random.key(0), run=run
        )
    with pytest.raises(ValueError, match="run must come from Run"):
        matching.with_random_lengths(run=None, demand_rate=1.0, key=jax.random.key(0))


def test_policies_as_narrow_integers():
    shop, key, run = (
        base_stock.create_parameters(),
        jax.random.key(1),
        matching.Run(2, 50),
    )
    narrow, wide = (
        base_stock.simulate(shop, None, None, np.array([0, 5], t), key=key, run=run)
        for t in (np.uint8, np.int64)
    )
    jax.tree.map(np.testing.assert_array_equal, narrow, wide)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ([1.0, 2.0], "demand_rate must be one number here, got shape"),
        (1e30, "demand_rate must be an integer <= 1073741824, got 1"),
    ],
)
def test_random_lengths_of_rates_without_sense(rate, message):
    with pytest.raises(ValueError, match=message):
        matching.with_random_lengths(matching.Run(), rate, key=jax.random.key(2))


@pytest.mark.parametrize("numbers", [1, 3 * 800, 2**22])
def test_the_branch_for_a_gpu_is_the_same_matching(numbers, monkeypatch):
    """Points one by one, some at a time, or all at once: sums of the same waits."""
    given = base_stock.create_parameters(), None, None, range(5, 12)
    run = base_stock.Run(num_replications=2, num_demands=400)

    def simulate():
        matching._evaluate.clear_cache()
        return base_stock.simulate(*given, key=jax.random.key(3), run=run)

    right = simulate()
    with monkeypatch.context() as patch:
        patch.setattr(jax, "default_backend", lambda: "gpu")
        patch.setattr(matching, "GPU_NUMBERS", numbers)
        found = simulate()
    matching._evaluate.clear_cache()
    np.testing.assert_allclose(found.costs.total, right.costs.total, rtol=1e-5)
    np.testing.assert_allclose(found.fill_rate, right.fill_rate, rtol=1e-6)
    np.testing.assert_allclose(found.mean_on_hand, right.mean_on_hand, rtol=1e-4)


def test_a_gpu_takes_no_more_points_at_once_than_fit_beside_the_replications(
    monkeypatch,
):
    """All points at once, with 200 replications of 100 demands, take six times as much."""
    evaluate, sizes = matching._evaluate, []
    run = base_stock.Run(num_replications=200, num_demands=100, max_backorders=1)

    def measured(*arguments, **settings):
        evaluate.clear_cache()
        program = evaluate.lower(*arguments, **settings).compile()
        evaluate.clear_cache()
        sizes.append(program.memory_analysis().temp_size_in_bytes)
        raise InterruptedError

    monkeypatch.setattr(matching, "_evaluate", measured)
    monkeypatch.setattr(matching, "GPU_NUMBERS", 2**17)
    for backend in ("cpu", "gpu"):
        monkeypatch.setattr(jax, "default_backend", lambda backend=backend: backend)
        with pytest.raises(InterruptedError):
            base_stock.simulate(
                base_stock.create_parameters(), None, None, range(300),
                key=jax.random.key(1), run=run,
            )  # fmt: skip
    assert sizes[1] < 2 * sizes[0]
