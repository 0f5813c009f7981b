"""s–S inventory dynamics: the exact law of X_t, without simulation.

Write F_t(x) = P(X_t <= x) and H(u) = P(D >= u).  A firm with X_t <= s restocks
and starts its period from S; any other starts from X_t.  Hence, for 0 <= x < B::

    F_{t+1}(x) = F_t(s) H(S - x)                                restocked
               + E[F_t(x + D); s < x + D < B] + H(B - x)
               - F_t(s) P(D > s - x)                            not restocked

where B = max(S, X_0) is the top of the range.  The next CDF thus needs the last
one on [s, B] only, and from t = 1 on it is smooth but for a kink at s: a
lognormal density vanishes with all its derivatives at zero.

So F_t is kept by its values at the Chebyshev points of panels, on each of which
it is a polynomial, and the expectation becomes a matrix: the mean over D is
taken by Gauss–Legendre quadrature in z = (log D - μ) / σ.  One period is one
matrix–vector product.  Panels end at s, S and X_0, and are as wide below each of
them as the law is smooth there: proportional to the distance from where the law
starts anew, up to one demand away; as the square root of it farther on, where
sums of many demands are met.

How exact?  Every result is computed on a grid and on one of halved panels,
halved again until the two agree to `tol`.  They are compared *everywhere*: the
coarser grid's polynomials, at all points of the finer one.  The finer result is
returned, with the last difference as its `error`: that is the error of the
coarser grid, so it overstates the error of what is returned.  A law that the
finest grid does not resolve is refused.

All arithmetic is NumPy's in float64, on the host, whatever JAX's own setting.

Source: derived in the lecture on distribution dynamics (eq:ss-exact).
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev, legendre
from numpy.typing import ArrayLike
from scipy.special import ndtr

from lectures_helpers import checks
from lectures_helpers.dynamics.ss import Parameters, checked_parameters

__all__ = [
    "Flows", "Law", "expectation", "flows", "marginal", "marginals", "nodes", "operator", "restock_pmf",
    "restock_pmf_on_grid", "second_eigenvalue", "stationary", "survival",
]  # fmt: skip

TOLERANCE = 1e-7  # default bound on the difference of two successive grids
LOOSEST = 1e-4  # beyond it the difference of two grids says too little
ROUNDING = 1e-14  # of the sums behind a CDF, whatever the grid
NUM_POINTS = 16  # Chebyshev points per panel
NUM_QUADRATURE = 32  # Gauss–Legendre points per panel
WIDTH = 4.0  # of a panel on the first grid, in standard deviations of what is met there
WIDEST = 2.0  # ... and in logarithms of the distance
MOST_PANELS = 200
NEVER = 1e-20  # a probability that is not carried on
NEAR = 6.5  # |z| beyond which a panel of its own will do: mass 4e-11
Z_MAX = 8.5  # |z| beyond which the standard normal law has mass below 1e-16


# ------------------------------------------------------------------------- the operator


def _standardized(params, u):
    """The z of a demand of u units; minus infinity if u <= 0."""
    with np.errstate(divide="ignore"):
        return (np.log(np.maximum(u, 0.0)) - params.μ) / params.σ


def survival(params: Parameters, u: np.ndarray) -> np.ndarray:
    """Compute P(D >= u) for lognormal demand D [H(u)].

    Args:
        params: the model.
        u: units, any real numbers, of any shape.
    """
    return ndtr(-_standardized(params, u))


def expectation(params: Parameters, edges: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Find weights w with E[f(x + D); s < x + D < B] = w @ f(nodes).

    f is a polynomial on each panel; its mean over demand is taken by
    Gauss–Legendre quadrature.

    Args:
        params: the model.
        edges: (panels + 1,) panel borders on [s, B], units.
        x: (n,) stocks, units.

    Returns:
        (n, panels * 16) weights.
    """
    # Demands that take stocks x down from the panels' borders, standardized.
    z = np.clip(_standardized(params, edges - x[:, None]), -Z_MAX, Z_MAX)
    weights = np.zeros((x.size, edges.size - 1, NUM_POINTS))
    for panel in range(edges.size - 1):
        low, high = edges[panel : panel + 2]
        reached = np.flatnonzero(z[:, panel] < z[:, panel + 1])
        from_z, to_z = z[reached, panel : panel + 2].T[..., None]
        half_width = 0.5 * (to_z - from_z)
        at = from_z + half_width * (GAUSS_POINTS + 1)
        mass = half_width * GAUSS_WEIGHTS * np.exp(-0.5 * at**2) / np.sqrt(2 * np.pi)
        y = x[reached, None] + np.exp(params.μ + params.σ * at)
        ξ = np.clip((2 * y - low - high) / (high - low), -1.0, 1.0)
        T = chebyshev.chebvander(ξ, NUM_POINTS - 1)
        moments = (mass[:, None] @ T)[:, 0]
        weights[reached, panel] = moments @ TO_COEFFICIENTS
    return weights.reshape(x.size, -1)


def operator(
    params: Parameters, edges: np.ndarray, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find K and r with F_{t+1}(x) = K F_t(nodes) + r F_t(s).

    Args:
        params: the model.
        edges: (panels + 1,) panel borders on [s, B], units.
        x: (n,) stocks, units.

    Returns:
        K, (n, panels * 16), carries firms that do not restock; r, (n,), those that do.

    Source: the law of motion (eq:ss-exact) of the lecture on distribution dynamics.
    """
    K = expectation(params, edges, x)
    K[:, -1] += survival(params, edges[-1] - x)  # F_t = 1 above the top
    K[:, 0] -= survival(params, params.s - x)  # those at or below s restock
    return K, survival(params, params.S - x)


def restock_pmf_on_grid(
    params: Parameters, x_init: float, edges: np.ndarray, num_periods: int
) -> np.ndarray:
    """Compute the law of the number of restocks in the first T periods on one grid.

    Args:
        params: the model.
        x_init: inventory at date 0 [X_0], units.
        edges: (panels + 1,) panel borders on [s, B], units.
        num_periods: periods T.

    Returns:
        (T + 1,) probabilities of 0, 1, ..., T restocks.

    Source: derived in the lecture on restock frequency (eq:ss-count).
    """
    x = nodes(edges)
    K, r = operator(params, edges, x)
    at_once = int(x_init <= params.s)  # every firm restocks in period 0, or none
    # F[i, c] = P(X_t <= x_i, N_t = at_once + c)
    F = survival(params, (params.S if at_once else x_init) - x)[:, None]
    for _ in range(1, num_periods):
        restocked = np.append(0.0, F[0])  # P(X_t <= s, ...), one restock more
        F = np.column_stack([K @ F, np.zeros(x.size)]) + r[:, None] * restocked
        F = F[:, : np.flatnonzero(F[-1] > NEVER)[-1] + 1]
    pmf = np.zeros(num_periods + 1)
    pmf[at_once : at_once + F.shape[1]] = F[-1]
    return pmf


# ------------------------------------------------------------------------- public calls


class Law(NamedTuple):
    """The law of X_t: what `marginal`, `marginals` and `stationary` return.

    Its CDF has an atom at zero (stock-outs) and a density on (0, max(S, X_0)).
    """

    params: Parameters  #: the model
    period: float  #: date t, >= 1; infinite for the stationary law
    mean: float  #: E X_t, units
    std: float  #: standard deviation of X_t, units
    prob_zero: float  #: P(X_t = 0)
    error: float  #: bound on the error of the CDF, and of mean and std over max(S, X_0)
    edges: np.ndarray  #: (panels + 1,) panel borders on [0, max(S, X_0)], units
    values: np.ndarray  #: (panels * 16,) CDF of X_t at the nodes

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """P(X_t <= x) for x of any shape, units; float64, of x's shape."""
        at = _points(x)
        F = np.clip(self._polynomial(TO_COEFFICIENTS.T, at), 0.0, 1.0)
        return np.where(at < 0, 0.0, np.where(at >= self.edges[-1], 1.0, F))

    def density(self, x: ArrayLike) -> np.ndarray:
        """Density of X_t at x > 0, per unit; float64, of x's shape.

        It is the slope of the CDF's polynomials: its error may be up to 450 / w
        times theirs on a panel of w units.
        The atom at zero is no part of it: see `prob_zero`.
        """
        slopes = DERIVATIVE.T * (2 / np.diff(self.edges)[:, None, None])
        at = _points(x)
        f = np.maximum(self._polynomial(slopes, at), 0.0)
        return np.where((at < 0) | (at > self.edges[-1]), 0.0, f)

    def _polynomial(self, to_coefficients, x):
        values = self.values.reshape(-1, 1, NUM_POINTS)
        coefficients = (values @ to_coefficients)[:, 0]
        last = self.edges.size - 2
        panel = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, last)
        low, high = self.edges[panel], self.edges[panel + 1]
        ξ = (2 * np.clip(x, low, high) - low - high) / (high - low)
        return chebyshev.chebval(ξ, coefficients.T[:, panel], tensor=False)


def _points(x):
    checks.not_traced("x", x)
    if np.isnan(at := checks.numbers("x", x)).any():
        raise ValueError(f"x must be a number, got {x!r}")
    return at


def marginal(
    params: Parameters, x_init: float, num_periods: int, *, tol: float = TOLERANCE
) -> Law:
    """Compute the exact law of X_t at t = `num_periods`.

    Args:
        params: the model, with σ > 0.
        x_init: inventory at date 0 [X_0], units, a number >= 0.
        num_periods: date t, an integer >= 1.
        tol: largest admissible difference between two successive grids, in (0, 1e-4].

    Returns:
        The law, in float64; `Law.error` says how exact.

    Raises:
        ValueError: a bad argument, or a law that no grid resolves to `tol`.

    Source: derived in the lecture on distribution dynamics (eq:ss-exact).

    >>> from lectures_helpers.dynamics import ss
    >>> law = marginal(ss.create_parameters(), 50.0, 500)
    >>> round(law.mean, 2)
    54.27
    """
    num_periods = checks.integer("num_periods", num_periods, 1)
    return marginals(params, x_init, [num_periods], tol=tol)[0]


def marginals(
    params: Parameters, x_init: float, dates: Sequence[int], *, tol: float = TOLERANCE
) -> list[Law]:
    """Compute the exact laws of X_t at several dates, in one pass.

    Args:
        params: the model, with σ > 0.
        x_init: inventory at date 0 [X_0], units, a number >= 0.
        dates: increasing positive integers.
        tol: largest admissible difference between two successive grids, in (0, 1e-4].

    Returns:
        One `Law` per date.

    Raises:
        ValueError: a bad argument, or laws that no grid resolves to `tol`.
    """
    params, start = _checked(params, x_init, tol)
    days = checks.dates("dates", dates)

    def on_grid(edges, x, above):
        transition = _transition(params, above, x)
        inner = np.ascontiguousarray(transition[-transition.shape[1] :])
        F, today, cdfs = survival(params, start - x), 1, []
        for day in days:
            if day > today:
                above_s = F[-len(inner) :]
                for _ in range(day - today - 1):
                    above_s = inner @ above_s
                F, today = transition @ above_s, day
            cdfs.append(F)
        return _with_moments(edges, x, np.array(cdfs), start)

    return _laws(params, days, *_refine(on_grid, params, start, tol))


def stationary(params: Parameters, *, tol: float = TOLERANCE) -> Law:
    """Compute the law of X_t in the long run, by solving a linear system.

    Args:
        params: the model, with σ > 0.
        tol: largest admissible difference between two successive grids, in (0, 1e-4].

    Returns:
        The stationary law, in float64; its `period` is infinite.

    Raises:
        ValueError: a bad argument, or a law that no grid resolves to `tol`.

    Source: derived in the lecture on distribution dynamics (eq:ss-stationary).

    >>> from lectures_helpers.dynamics import ss
    >>> round(stationary(ss.create_parameters()).mean, 2)
    52.89
    """
    params, start = _checked(params, 0.0, tol)

    def on_grid(edges, x, above):
        transition = _transition(params, above, x)
        size = transition.shape[1]
        # F = K F leaves the total mass free: its last row is replaced by F(S) = 1.
        system, last = np.eye(size) - transition[-size:], np.eye(size)[-1]
        system[-1] = last
        F = transition @ np.linalg.solve(system, last)
        return _with_moments(edges, x, F[None], start)

    return _laws(params, [np.inf], *_refine(on_grid, params, start, tol))[0]


class Flows(NamedTuple):
    """What happens in a period, in the long run: what `flows` returns."""

    restocks: float  #: share of periods with a restock, P(X <= s)
    on_hand: float  #: mean stock at a period's end, units
    ordered: float  #: units that a period's restock brings, on average
    lost: float  #: units of demand that a period loses, on average


def flows(params: Parameters, *, tol: float = TOLERANCE) -> Flows:
    """Compute what a firm orders, holds and loses in a period of the long run.

    Args:
        params: the model, with σ > 0.
        tol: as for `stationary`.

    Returns:
        A `Flows`; each is exact to some S times the law's error.

    Raises:
        ValueError: as `stationary`.

    Source: (eq:ss-flows) of the lecture on where s and S come from.

    >>> from lectures_helpers.dynamics import ss
    >>> restocks, on_hand, ordered, lost = flows(ss.create_parameters())
    >>> round(restocks, 4), round(ordered, 3)
    (0.0335, 3.08)
    """
    law = stationary(params, tol=tol)
    s, S, μ, σ = law.params
    panels = int(np.searchsorted(law.edges, s))
    weights = 0.5 * np.diff(law.edges[: panels + 1])[:, None] * WEIGHTS
    below = weights.ravel() @ law.values[: weights.size]  # E[(s - X)^+]
    restocks = float(law.cdf(s))
    ordered = float((S - s) * restocks + below)  # E[S - X; X <= s]
    # What is sold is bought, in the long run; the rest of demand is lost.
    lost = max(float(np.exp(μ + 0.5 * σ**2)) - ordered, 0.0)
    return Flows(restocks, law.mean, ordered, lost)


def second_eigenvalue(params: Parameters, *, tol: float = TOLERANCE) -> complex:
    """Compute the eigenvalue λ of the law of motion that is largest in modulus after 1.

    It says how fast the start is forgotten: the distance of ψ_t from the
    stationary law falls with the t-th power of its modulus, while it swings with
    period 2π / arg λ.

    Args:
        params: the model, with σ > 0.
        tol: largest admissible difference between two successive grids, in (0, 1e-4].

    Returns:
        λ, with Im λ >= 0.

    Raises:
        ValueError: a bad argument, or an eigenvalue that no grid resolves to `tol`.

    >>> from lectures_helpers.dynamics import ss
    >>> λ = second_eigenvalue(ss.create_parameters())
    >>> print(f"{2 * np.pi / np.angle(λ):.1f}")  # the length of a tooth, in periods
    29.9
    """
    params, start = _checked(params, 0.0, tol)

    def on_grid(edges, x, above):
        inner = _transition(params, above, nodes(above))
        λ = sorted(np.linalg.eigvals(inner), key=abs)[-2]
        return NOTHING, np.array([complex(λ.real, abs(λ.imag))])

    return complex(_refine(on_grid, params, start, tol)[2][0])


def restock_pmf(
    params: Parameters,
    x_init: float = 70.0,
    num_periods: int = 50,
    *,
    tol: float = TOLERANCE,
) -> np.ndarray:
    """Compute the exact law of the number of restocks in the first T periods.

    A firm restocks in period t = 0, ..., num_periods - 1 when X_t <= s.

    Args:
        params: the model, with σ > 0.
        x_init: inventory at date 0 [X_0], units, a number >= 0.
        num_periods: periods T, an integer >= 1.
        tol: largest admissible difference between two successive grids, in (0, 1e-4].

    Returns:
        (num_periods + 1,) probabilities of 0, 1, ..., num_periods restocks, float64.

    Raises:
        ValueError: a bad argument, or a law that no grid resolves to `tol`.

    Source: derived in the lecture on restock frequency (eq:ss-count).

    >>> from lectures_helpers.dynamics import ss
    >>> pmf = restock_pmf(ss.create_parameters())
    >>> round(float(pmf[2:].sum()), 5)
    0.44717
    """
    params, start = _checked(params, x_init, tol)
    num_periods = checks.integer("num_periods", num_periods, 1)

    def on_grid(edges, x, above):
        return NOTHING, restock_pmf_on_grid(params, float(x_init), above, num_periods)

    pmf = _refine(on_grid, params, start, tol)[2]
    return np.maximum(pmf, 0.0)  # rounding leaves -1e-18 where the probability is nil


def _checked(params, x_init, tol):
    """The parameters, and the stock from which period 0 starts, after restocking."""
    params = checked_parameters(params)
    for name, value in {**params._asdict(), "x_init": x_init, "tol": tol}.items():
        checks.not_traced(name, value)
        if shape := np.shape(checks.finite(name, value)):
            raise ValueError(f"{name} must be a number, got an array of shape {shape}")
    if params.σ == 0:
        raise ValueError("σ must be > 0 for an exact law with a density, got 0")
    checks.at_least("x_init", x_init, 0.0)
    if not 0 < tol <= LOOSEST:
        raise ValueError(f"tol must be in (0, {LOOSEST:g}], got {tol:g}")
    params, x_init = Parameters(*map(float, params)), float(x_init)
    return params, (params.S if x_init <= params.s else x_init)


# ----------------------------------------------------------------------- laws on a grid


def _transition(params, edges, x):
    """The matrix from F_t at the nodes to F_{t+1} at x: restocked firms join the same law."""
    K, r = operator(params, edges, x)
    K[:, 0] += r
    return K


def _with_moments(edges, x, cdfs, start):
    """CDFs at the nodes x, and their laws' means and standard deviations over the top.

    Moments are taken about zero or about `start`, whichever is closer to the mean, lest
    the variance of a narrow law be lost in the difference of two large numbers.
    """
    weights = (0.5 * np.diff(edges)[:, None] * WEIGHTS).ravel()
    # Panel by panel: a border belongs to two panels, which take different tails there.
    middles = np.repeat(0.5 * (edges[1:] + edges[:-1]), NUM_POINTS)
    center = np.where((1 - cdfs) @ weights < 0.5 * start, 0.0, start)[:, None]
    tails = weights * np.where(middles < center, -cdfs, 1 - cdfs)
    first, second = tails.sum(1), 2 * ((x - center) * tails).sum(1)
    std = np.sqrt(np.maximum(second - first**2, 0.0))
    return cdfs, np.stack([center[:, 0] + first, std]) / x[-1]


def _laws(params, dates, edges, cdfs, moments, error):
    return [
        Law(params, float(t), mean, std, max(float(F[0]), 0.0), error, edges, F)
        for t, F, (mean, std) in zip(
            dates, cdfs, (moments.T * edges[-1]).tolist(), strict=True
        )
    ]


# -------------------------------------------------------------------------------- grids


def nodes(edges: np.ndarray) -> np.ndarray:
    """Place the Chebyshev points of every panel, at which a CDF is kept.

    Args:
        edges: (panels + 1,) panel borders, units.

    Returns:
        (panels * 16,) points, units.
    """
    low, high = edges[:-1, None], edges[1:, None]
    return (low + 0.5 * (high - low) * (POINTS + 1)).ravel()


def _edges(params, start):
    """Panel borders on [0, B]: segments that end at s, S and X_0."""
    ends = sorted({params.s, start, params.S})
    segments = [_borders(params, *pair, np.inf) for pair in itertools.pairwise(ends)]
    # Below s a firm is one demand away from where it restocks, and never two.
    below = _borders(params, 0.0, params.s, NEAR * params.σ) if params.s else []
    return np.concatenate([below, *segments, ends[-1:]])


def _borders(params, low, high, farthest):
    """Borders of panels on [low, high) below a point `high` where the law starts anew.

    At a distance of exp(μ + d) the law is smooth on the scale of σ times that distance
    if d <= 0, where one demand is met, and of σ exp(μ + d / 2) if sums of many are.
    So panels are even in a variable v, which is d up to zero and 2 (exp(d / 2) - 1) from
    there on; or d throughout, where one demand is met only, up to `farthest`.
    """
    many = farthest == np.inf
    nearest, last = -NEAR * params.σ, min(np.log(high - low) - params.μ, farthest, 20.0)
    v_last = 2 * np.expm1(last / 2) if many and last > 0 else last
    number = int(np.ceil((v_last - nearest) / min(WIDTH * params.σ, WIDEST)))
    if number > MOST_PANELS:
        return np.full(number, low)  # refused by their number
    v = np.linspace(nearest, v_last, max(number, 0) + 1)
    d = np.where(v > 0, 2 * np.log1p(np.maximum(v, 0) / 2), v) if many else v
    inside = high - np.exp(params.μ + d[::-1])
    margin = 1e-12 * (high - low)
    keep = (inside > low + margin) & (inside < high - margin)
    return np.concatenate([[low], inside[keep]])


def _refine(on_grid: Callable, params: Parameters, start: float, tol: float) -> Any:
    """Halve the panels until two grids agree to `tol`.

    ``on_grid(edges, nodes(edges), edges from s on)`` returns CDFs at the nodes, (k, nodes),
    and numbers.  Both are compared, the CDFs everywhere.

    Returns:
        The finer grid's borders and results, and the largest difference.
    """
    edges, top = _edges(params, start), max(start, params.S)
    s, S, μ, σ = params
    model = f"s = {s:g}, S = {S:g}, μ = {μ:g} and σ = {σ:g} on [0, {top:g}]"
    if 2 * edges.size > MOST_PANELS:
        raise ValueError(
            f"σ must be larger, or max(S, x_init) - s fewer demands, for an exact law: "
            f"{model} need at least {2 * edges.size} panels, where {MOST_PANELS} are the most"
        )

    def results():
        return on_grid(edges, nodes(edges), edges[np.searchsorted(edges, s) :])

    cdfs, numbers = results()
    while 2 * edges.size <= MOST_PANELS:
        edges = np.sort(np.append(edges, 0.5 * (edges[1:] + edges[:-1])))
        finer_cdfs, finer = results()
        halved = (cdfs.reshape(-1, NUM_POINTS) @ HALVE).reshape(finer_cdfs.shape)
        differences = finer_cdfs - halved, finer - numbers
        error = ROUNDING + max(float(np.abs(d).max(initial=0.0)) for d in differences)
        if error <= tol:
            return edges, finer_cdfs, finer, error
        cdfs, numbers = finer_cdfs, finer
    raise ValueError(
        f"tol must be >= {2 * error:.1g}: the finest grid ({edges.size - 1} panels) comes to "
        f"about half of that for {model}; got {tol:g}"
    )


# On [-1, 1]: where values are kept, and the matrices that make of them the polynomial's
# coefficients, those of its slope, and its integral.
POINTS = chebyshev.chebpts2(NUM_POINTS)
TO_COEFFICIENTS = np.linalg.inv(chebyshev.chebvander(POINTS, NUM_POINTS - 1))
DERIVATIVE = chebyshev.chebder(TO_COEFFICIENTS)
WEIGHTS = chebyshev.chebval(1.0, chebyshev.chebint(TO_COEFFICIENTS, lbnd=-1))
GAUSS_POINTS, GAUSS_WEIGHTS = legendre.leggauss(NUM_QUADRATURE)
NOTHING = np.empty((0, NUM_POINTS))  # no CDF
# From a panel's values to those at the points of its halves.
HALVES = np.concatenate([POINTS - 1, POINTS + 1]) / 2
HALVE = (chebyshev.chebvander(HALVES, NUM_POINTS - 1) @ TO_COEFFICIENTS).T
