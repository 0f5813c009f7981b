"""Intervals over replications, and when simulated and exact values agree."""

import re

import numpy as np
import pytest
from scipy import stats

from lectures_helpers.teaching.intervals import (
    RISK,
    check_agreement,
    check_shares,
    interval,
)


def test_interval_is_students():
    x = np.random.default_rng(1).normal(3.0, 2.0, (4, 10))
    mean, half_width, error = interval(x)
    for row, m, h, e in zip(x, mean, half_width, error, strict=True):
        low, high = stats.t.interval(0.95, 9, row.mean(), stats.sem(row))
        np.testing.assert_allclose([m - h, m + h, e], [low, high, stats.sem(row)])
    np.testing.assert_array_equal(interval(x.T, axis=0).mean, mean)


@pytest.mark.parametrize("values", [[1.0], 1.0, np.ones((5, 1))])
def test_one_replication_has_no_interval(values):
    with pytest.raises(ValueError, match="num_replications >= 2, got 1"):
        interval(values)


def test_agreement_is_of_the_family():
    """Right programs fail once in 1.7 million runs, however many values they compare."""
    rng = np.random.default_rng(2)
    limit = stats.t.isf(stats.norm.sf(5) / 200, 9)
    # The largest of 200 gaps: exact tail by independence, against the level promised.
    risk = 1 - (1 - 2 * stats.t.sf(limit, 9)) ** 200
    assert risk == pytest.approx(2 * stats.norm.sf(5), rel=1e-3)
    for _ in range(200):
        said = check_agreement(rng.normal(1.0, 0.1, (200, 10)), np.ones(200))
    assert said.startswith("Simulated and exact values agree (200 compared)")


def test_agreement_with_nothing_says_an_error_in_the_values_unit():
    x = np.random.default_rng(3).normal(0.0, 0.1, (3, 10))
    assert re.search(r"an error of 0\.\d+ would", check_agreement(x, np.zeros(3)))
    said = check_agreement(x + np.array([[0], [1], [1]]), np.array([0.0, 1.0, 1.0]))
    assert re.search(r"an error of \d+% would", said)
    said = check_agreement(x[:, :2] * 1000 + 1.0, np.ones(3))  # two say next to nothing
    assert re.search(r"an error of [\d,]+ times the value would", said)


def test_the_risk_stays_small_where_replications_are_skewed():
    """As skewed as the line behind one machine, the worst that was measured, with fifty runs."""
    x = np.random.default_rng(7).gamma(2.0, size=(100_000, 50))
    t = (x.mean(axis=1) - 2.0) / (x.std(axis=1, ddof=1) / np.sqrt(50))
    failed = (np.abs(t) > stats.t.isf(RISK / 2, 49)).mean()
    assert failed < 1e-4  # what a whole lecture may


def test_few_skewed_replications_hold_the_mean_less_often():
    """As `interval` says, and as often as it says for normal ones."""
    rng = np.random.default_rng(8)
    skewed = rng.gamma(4 / 2.5**2, size=(20_000, 10))
    for x, true, promised in (
        (rng.normal(size=(20_000, 10)), 0.0, 0.95),
        (skewed, 4 / 2.5**2, 0.87),
    ):
        mean, half_width, _ = interval(x)
        assert (np.abs(mean - true) < half_width).mean() == pytest.approx(
            promised, abs=0.01
        )


def test_disagreement_says_where():
    x = np.random.default_rng(3).normal(1.0, 0.01, (5, 20))
    exact = np.array([1.0, 1.0, 1.0, 1.5, 1.0])
    with pytest.raises(
        AssertionError, match=r"exact 1\.5 differ by 0\.\d+, where 0\.0"
    ):
        check_agreement(x, exact)


def test_what_does_not_vary_may_only_round():
    said = check_agreement(np.full((3, 5), 1 + 1e-7), np.ones(3))
    assert "agree" in said
    assert "an error of less than 1% would" in said
    with pytest.raises(AssertionError, match=r"differ by 0\.001"):
        check_agreement(np.full((3, 5), 1.001), np.ones(3))


def test_shares_of_a_right_program_agree():
    """Rare, sure and impossible events among them; the risk summed up exactly."""
    n, p = 1000, np.array([0.0, 1e-9, 1e-3, 0.3, 0.999, 1.0])
    rng = np.random.default_rng(4)
    for _ in range(200):
        check_shares(rng.binomial(n, p) / n, p, n)
    counts = np.arange(n + 1)
    risk = 0.0
    for one in p:
        law = stats.binom.pmf(counts, n, one)
        for count in counts[law > 0]:
            try:
                check_shares([count / n] + [0.0] * 5, [one] + [0.0] * 5, n)
            except AssertionError:
                risk += law[count]
    assert risk <= 2 * stats.norm.sf(5)


@pytest.mark.parametrize(
    ("share", "p"), [(0.01, 0.0), (0.999, 1.0), (0.4, 0.3), (0.01, 1e-6)]
)
def test_shares_that_disagree(share, p):
    with pytest.raises(AssertionError, match=f"simulated {share} and exact .* differ"):
        check_shares([0.3, share], [0.3, p], 10_000)


@pytest.mark.parametrize("number", [1, 20])
def test_agreement_ends_at_the_quantile_of_the_family(number):
    """One of several means, moved to either side of where it is no longer allowed."""
    x = np.tile(np.arange(10.0), (number, 1))  # of mean 4.5
    limit = stats.t.isf(stats.norm.sf(5) / number, 9) * stats.sem(x[0])
    for sign in (-1, 1):
        x[-1] = np.arange(10.0) + sign * 0.99 * limit
        assert "agree" in check_agreement(x, np.full(number, 4.5))
        x[-1] += sign * 0.02 * limit
        with pytest.raises(AssertionError, match=r"and exact 4\.5 differ by"):
            check_agreement(x, np.full(number, 4.5))
