"""How sure a simulation is: intervals over replications, and comparisons with exact values."""

from typing import Any, NamedTuple

import numpy as np
from jax.typing import ArrayLike
from scipy import stats

from lectures_helpers import checks

__all__ = [
    "Interval",
    "check_agreement",
    "check_performance",
    "check_shares",
    "interval",
]

# A lecture makes some ten families of comparisons, and a right one must stop less than once in
# 10,000 runs: each family may be wrong as often as one normal estimate is five standard
# errors off.  Skewed replications fail more often, on the side of their shorter tail: fifty with
# a skewness of 1.4, the worst that was measured, some thirty times as often.
RISK = 2 * stats.norm.sf(5)
#: By how much a sum of probabilities may leave [0, 1].
ROUNDING = 1e-6


class Interval(NamedTuple):
    """A mean over replications, and how far off it may be."""

    mean: np.ndarray  #: mean over the replications
    half_width: np.ndarray  #: half the width of the 95 % interval about it
    standard_error: np.ndarray  #: standard error of the mean


def interval(values: ArrayLike, axis: int = -1) -> Interval:
    """Take the mean over replications, with its 95 % interval by Student's t.

    The interval is exact for normal replications.  Of ten with a skewness of 2.5, as shares of
    time have that are seen in a few clumps, it holds the true mean with some 87 %.

    Args:
        values: independent replications along `axis`, two or more.
        axis: where the replications are.

    Returns:
        Arrays of the shape of `values` without that axis, in 64 bits.

    Raises:
        ValueError: values that are not numbers; fewer than two replications, which say
            nothing about their spread; an axis that is not there.

    >>> mean, half_width, _ = interval([1.0, 2.0, 3.0])
    >>> print(f"{mean:.1f} ± {half_width:.2f}")
    2.0 ± 2.48
    """
    x, n = _replications("values", values, axis)
    error = x.std(axis=axis, ddof=1) / np.sqrt(n)
    return Interval(x.mean(axis=axis), stats.t.ppf(0.975, n - 1) * error, error)


def _replications(name, values, axis):
    """The values in 64 bits, and how many there are along the axis."""
    checks.not_traced(name, values)
    x = checks.numbers(name, values)
    axes = max(x.ndim, 1)
    axis = checks.integer("axis", axis, -axes, axes - 1)
    if (n := x.shape[axis] if x.ndim else 1) < 2:
        raise ValueError(f"{name} must hold num_replications >= 2, got {n}")
    return x, n


def check_agreement(simulated: ArrayLike, exact: ArrayLike, axis: int = -1) -> str:
    """Assert that means over replications agree with exact values, all of them together.

    The comparisons share the risk that one normal estimate is off by five standard
    errors (1 in 1.7 million), however many they are; with few replications Student's t
    stands in for the normal law.

    Args:
        simulated: independent replications along `axis`, two or more.
        exact: exact values, of a shape that broadcasts with the means.
        axis: where the replications are.

    Returns:
        A sentence that says how far off the means are, and which error would have
        been caught.

    Raises:
        AssertionError: one mean is too far off; the message says how far.
        ValueError: as `interval`; exact values that are not finite, or of another shape.
    """
    x, n = _replications("simulated", simulated, axis)
    checks.not_traced("exact", exact)
    exact = checks.numbers("exact", checks.finite("exact", exact))
    mean, _, error = interval(x, axis)
    if checks.common_shape(simulated=mean, exact=exact) != mean.shape:
        raise ValueError(
            f"exact must be of the shape {mean.shape} of the means, got {exact.shape}"
        )
    limit = stats.t.isf(RISK / 2 / mean.size, n - 1)
    gap = np.abs(mean - exact)
    # Where nothing varies (a fill rate of 1, say) only rounding is left to compare.
    rounding = 1e-6 * np.maximum(np.abs(mean), np.abs(exact))
    allowed = limit * error + rounding
    worst = np.unravel_index(np.argmax(gap - allowed), mean.shape)
    assert (gap <= allowed).all(), (
        f"simulated {mean[worst]:.6g} and exact "
        f"{np.broadcast_to(exact, mean.shape)[worst]:.6g} differ by "
        f"{gap[worst]:.3g}, where {allowed[worst]:.3g} is allowed"
    )
    varies = error > rounding
    largest = (gap[varies] / error[varies]).max(initial=0.0)
    size = np.abs(np.broadcast_to(exact, mean.shape))
    caught = f"{np.median(allowed):.2g}"
    if (size > 0).any():
        share = np.median(allowed[size > 0] / size[size > 0])
        caught = f"{share:.0%}" if share >= 0.005 else "less than 1%"
        if share >= 10:  # of two replications, say
            caught = f"{share:,.0f} times the value"
    return (
        f"Simulated and exact values agree ({mean.size} compared): the largest gap is "
        f"{largest:,.1f} standard errors, where {limit:,.1f} are allowed. At a typical "
        f"point, an error of {caught} would have been caught."
    )


def check_performance(simulated: Any, exact: Any) -> str:
    """Assert that fill rates and relevant costs of replications agree with exact ones.

    Args:
        simulated: a policy's, or several policies', simulated performance, with the
            replications along the last axis.
        exact: their exact performance.

    Returns:
        What `check_agreement` says, of each; nothing where fills or waits are so rare
        that they have no normal error.

    Raises:
        AssertionError: as `check_agreement`.
    """
    usual = np.abs(exact.fill_rate - 0.5) < 0.498
    pairs = [
        (simulated.fill_rate, exact.fill_rate),
        (simulated.costs.relevant, exact.costs.relevant),
    ]
    return "\n".join(
        check_agreement(runs[usual], target[usual])
        for runs, target in pairs
        if usual.any()
    )


def check_shares(shares: ArrayLike, exact: ArrayLike, num_samples: int) -> str:
    """Assert that shares of independent samples agree with probabilities, all together.

    The counts are judged by the binomial law itself, so that rare events and sure ones
    may be among them; the comparisons share one risk, as in `check_agreement`.

    Args:
        shares: shares of the samples in which each event happened.
        exact: the events' probabilities, of the same shape.
        num_samples: how many samples, >= 1.

    Returns:
        A sentence that says how far off the shares are.

    Raises:
        AssertionError: one share is too far off; the message says how far.
        ValueError: shares or probabilities out of [0, 1], or of different shapes.

    >>> check_shares([0.3, 0.0], [0.31, 1e-9], 1000)
    'Shares and probabilities agree (2 compared): the largest gap is 0.7 standard errors.'
    """
    num_samples = checks.integer("num_samples", num_samples, 1)
    given = {"shares": shares, "exact": exact}
    for name, some in given.items():
        checks.not_traced(name, some)
        checks.within(name, some, -ROUNDING, 1 + ROUNDING)
    checks.common_shape(**given)
    share, p = np.broadcast_arrays(
        *(np.clip(some, 0.0, 1.0) for some in given.values())
    )
    count = np.rint(share * num_samples)
    tail = np.minimum(
        stats.binom.cdf(count, num_samples, p),
        stats.binom.sf(count - 1, num_samples, p),
    )
    worst = np.unravel_index(np.argmin(tail), tail.shape)
    gap = np.abs(share - p)
    assert (2 * tail * tail.size > RISK).all(), (
        f"simulated {share[worst]:.6g} and exact {p[worst]:.6g} differ by "
        f"{gap[worst]:.3g}, which happens with probability {2 * tail[worst]:.1g}"
    )
    error = np.sqrt(p * (1 - p) / num_samples)
    often = error * num_samples > 1
    largest = (gap[often] / error[often]).max(initial=0.0)
    return (
        f"Shares and probabilities agree ({tail.size} compared): the largest gap is "
        f"{largest:.1f} standard errors."
    )
