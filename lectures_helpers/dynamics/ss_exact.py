"""s–S inventory dynamics: the exact law of X_t, without simulation.

Write F_t(x) = P(X_t <= x) and H(u) = P(D >= u).  A firm with X_t <= s restocks
and starts its period from S; any other starts from X_t.  Hence, for 0 <= x < B::

    F_{t+1}(x) = F_t(s) H(S - x)                                restocked
               + E[F_t(x + D); s < x + D < B] + H(B - x)
               - F_t(s) P(D > s - x)                            not restocked

where B = max(S, X_0) is the top of the range.  The next CDF thus needs the last
one on [s, B] only, and there it is smooth: from t = 1 on, all its derivatives
exist, because a lognormal density vanishes with all its derivatives at zero.

So F_t is kept by its values at Chebyshev points of a few panels, and the
expectation becomes a matrix: on each panel F_t is a polynomial, and its mean
over D is taken by Gauss–Legendre quadrature in z = (log D - μ) / σ.  One period
is one matrix–vector product.  Panels shrink geometrically towards S and towards
X_0, where the law starts anew.  *Between* the points the CDF is evaluated by
the same formula, not by interpolation.

How exact?  Every result is computed on a grid and on one of twice as many
panels, doubled again until the two agree to `tol`.  The finer one is returned,
with the last difference as its `error`: that is the error of the coarser grid,
so it overstates the error of what is returned.  With the default `tol` and
S - s thirty mean demands, σ may lie between about 0.08 and 1.5: less is refused
because no grid resolves so narrow a law, more because demand's tail is too heavy.

All arithmetic is float64, on the host, whatever JAX's own setting.

Source: derived in the lecture on distribution dynamics (eq:ss-exact).
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jax.typing import ArrayLike
from numpy.polynomial import chebyshev, legendre

from lectures_helpers import checks, precision
from lectures_helpers.dynamics.ss import Parameters, create_parameters

__all__ = [
    "Law", "expectation", "marginal", "marginals", "nodes", "operator", "restock_pmf",
    "restock_pmf_on_grid", "second_eigenvalue", "stationary", "survival",
]  # fmt: skip

TOLERANCE = 1e-7  # default bound on the difference of two successive grids
LOOSEST = 1e-4  # beyond it the difference of two grids says too little
NUM_POINTS = 16  # Chebyshev points per panel
NUM_QUADRATURE = 32  # Gauss–Legendre points per panel
FEWEST_PANELS, MOST_PANELS = 3, 96  # per segment: [0, s], [s, X_0] and [X_0, S]
REFINEMENT = 0.07  # a segment's last panel against its first, if they are many
Z_MAX = 8.5  # |z| beyond which the standard normal law has mass below 1e-16
FEW, BLOCK = 16, 512  # points at which a CDF is evaluated at once


# ------------------------------------------------------------------------- the operator


def survival(params: Parameters, u: jax.Array) -> jax.Array:
    """Compute P(D >= u) for lognormal demand D [H(u)].

    Args:
        params: the model.
        u: units, any real numbers, of any shape.
    """
    return ndtr((params.μ - jnp.log(jnp.maximum(u, 0.0))) / params.σ)


def expectation(params: Parameters, edges: jax.Array, x: jax.Array) -> jax.Array:
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

    def on_panel(borders):
        def standardized(y):  # the demand that takes stocks x down from y
            z = (jnp.log(jnp.maximum(y - x, 0.0)) - params.μ) / params.σ
            return jnp.clip(z, -Z_MAX, Z_MAX)

        low, high = borders
        z_low = standardized(low)[:, None]
        half_width = 0.5 * (standardized(high)[:, None] - z_low)
        z = z_low + half_width * (GAUSS_POINTS + 1)
        mass = half_width * GAUSS_WEIGHTS * jnp.exp(-0.5 * z**2) / jnp.sqrt(2 * jnp.pi)
        y = x[:, None] + jnp.exp(params.μ + params.σ * z)
        ξ = jnp.clip((2 * y - low - high) / (high - low), -1.0, 1.0)
        return _chebyshev_moments(ξ, mass) @ TO_COEFFICIENTS

    weights = jax.lax.map(on_panel, (edges[:-1], edges[1:]))
    return jnp.moveaxis(weights, 0, 1).reshape(x.size, -1)


def _chebyshev_moments(ξ, mass):
    """Sums over the last axis of mass * T_k(ξ), k = 0, ..., NUM_POINTS - 1."""
    T_last, T = jnp.ones_like(ξ), ξ
    moments = [jnp.sum(mass, -1), jnp.sum(mass * ξ, -1)]
    for _ in range(NUM_POINTS - 2):
        T_last, T = T, 2 * ξ * T - T_last
        moments.append(jnp.sum(mass * T, -1))
    return jnp.stack(moments, -1)


def operator(
    params: Parameters, edges: jax.Array, x: jax.Array
) -> tuple[jax.Array, jax.Array]:
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
    K = K.at[:, -1].add(survival(params, edges[-1] - x))  # F_t = 1 above the top
    K = K.at[:, 0].add(-survival(params, params.s - x))  # those at or below s restock
    return K, survival(params, params.S - x)


def restock_pmf_on_grid(
    params: Parameters, start: float, edges: jax.Array, at_once: int, counts: jax.Array
) -> jax.Array:
    """Compute the law of the number of restocks in the first T periods on one grid.

    Args:
        params: the model.
        start: stock in period 0, after restocking, units.
        edges: (panels + 1,) panel borders on [s, B], units.
        at_once: restocks in period 0, 0 or 1.
        counts: (T + 1,) the numbers 0, 1, ..., T.

    Returns:
        (T + 1,) probabilities of so many restocks.

    Source: derived in the lecture on restock frequency (eq:ss-count).
    """
    x = nodes(edges)
    K, r = operator(params, edges, x)

    def one_period(_, F):  # F[i, c] = P(X_t <= x_i, N_t = c)
        restocked = jnp.concatenate([jnp.zeros(1), F[0, :-1]])
        return K @ F + r[:, None] * restocked[None]

    first = survival(params, start - x)[:, None]
    F = jnp.where(counts[None] == at_once, first, 0.0)
    F = jax.lax.fori_loop(1, counts.size - 1, one_period, F)
    return F[-1]


# ------------------------------------------------------------------------- public calls


class Law(NamedTuple):
    """The law of X_t: what `marginal`, `marginals` and `stationary` return.

    Its CDF has an atom at zero (stock-outs) and a density on (0, S).
    """

    params: Parameters  #: the model
    period: float  #: date t, >= 1; infinite for the stationary law
    mean: float  #: E X_t, units
    std: float  #: standard deviation of X_t, units
    prob_zero: float  #: P(X_t = 0)
    error: float  #: estimate of the largest error of the CDF, and of mean and std over max(S, X_0)
    start: float  #: stock in period 0 after restocking, units; S if X_0 <= s, else X_0
    edges: np.ndarray  #: (2 * panels + 1,) panel borders on [s, max(S, X_0)], units
    #: (2 * panels * NUM_POINTS,) CDF of X_{t-1} at the nodes; empty if t = 1
    previous: np.ndarray

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """P(X_t <= x) for x of any shape, units; float64, of x's shape."""
        x = np.asarray(x, dtype=float)
        inside = np.clip(_in_blocks(_cdf, self, x), 0.0, 1.0)
        return np.where(x < 0, 0.0, np.where(x >= self.edges[-1], 1.0, inside))

    def density(self, x: ArrayLike) -> np.ndarray:
        """Density of X_t at x > 0, per unit; float64, of x's shape.

        The atom at zero is no part of it: see `prob_zero`.
        """
        x = np.asarray(x, dtype=float)
        inside = np.maximum(_in_blocks(_density, self, x), 0.0)
        return np.where((x < 0) | (x > self.edges[-1]), 0.0, inside)


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
        ValueError: a bad argument, or a `tol` that the finest grid does not reach.

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
        ValueError: a bad argument, or a `tol` that the finest grid does not reach.
    """
    params, start = _checked(params, x_init, tol)
    days = np.array(checks.dates("dates", dates))
    edges, (cdfs, moments, _), error = _refine(_marginals, params, start, tol, days)
    laws = []
    for t, F, (mean, std, zero) in zip(days, cdfs, moments.tolist(), strict=True):
        previous = F if t > 1 else F[:0]
        laws.append(
            Law(params, float(t), mean, std, zero, error, start, edges, previous)
        )
    return laws


def stationary(params: Parameters, *, tol: float = TOLERANCE) -> Law:
    """Compute the law of X_t in the long run, by solving a linear system.

    Args:
        params: the model, with σ > 0.
        tol: largest admissible difference between two successive grids, in (0, 1e-4].

    Returns:
        The stationary law, in float64; its `period` is infinite.

    Raises:
        ValueError: a bad argument, or a `tol` that the finest grid does not reach.

    Source: derived in the lecture on distribution dynamics (eq:ss-stationary).

    >>> from lectures_helpers.dynamics import ss
    >>> round(stationary(ss.create_parameters()).mean, 2)
    52.89
    """
    params, start = _checked(params, 0.0, tol)

    edges, (cdf, moments, _), error = _refine(_stationary, params, start, tol)
    mean, std, zero = moments.tolist()
    return Law(params, np.inf, mean, std, zero, error, start, edges, cdf)


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
        ValueError: a bad argument, or a `tol` that the finest grid does not reach.

    >>> from lectures_helpers.dynamics import ss
    >>> λ = second_eigenvalue(ss.create_parameters())
    >>> print(f"{2 * np.pi / np.angle(λ):.1f}")  # the length of a tooth, in periods
    29.9
    """
    params, start = _checked(params, 0.0, tol)

    def on_grid(*grid):
        λ = sorted(np.linalg.eigvals(_transition_at_nodes(*grid)), key=abs)[-2]
        return complex(λ.real, abs(λ.imag))

    return _refine(on_grid, params, start, tol)[1]


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
        ValueError: a bad argument, or a `tol` that the finest grid does not reach.

    Source: derived in the lecture on restock frequency (eq:ss-count).

    >>> from lectures_helpers.dynamics import ss
    >>> pmf = restock_pmf(ss.create_parameters())
    >>> round(float(pmf[2:].sum()), 5)
    0.44717
    """
    params, start = _checked(params, x_init, tol)
    num_periods = checks.integer("num_periods", num_periods, 1)
    at_once, counts = int(float(x_init) <= params.s), np.arange(num_periods + 1)
    _, pmf, _ = _refine(_restock_pmf, params, start, tol, at_once, counts)
    return np.maximum(pmf, 0.0)  # rounding leaves -1e-18 where the probability is nil


def _checked(params, x_init, tol):
    """The parameters, and the stock from which period 0 starts, after restocking."""
    if not isinstance(params, Parameters):
        raise ValueError(f"params must come from ss.create_parameters, got {params!r}")
    for name, value in {**params._asdict(), "x_init": x_init, "tol": tol}.items():
        if checks.is_traced(value):
            raise ValueError(f"{name} must be a concrete number here, got {value}")
        if shape := np.shape(value):
            raise ValueError(f"{name} must be a number, got an array of shape {shape}")
    params = create_parameters(*params)
    if params.σ == 0:
        raise ValueError("σ must be > 0 for an exact law with a density, got 0")
    checks.at_least("x_init", x_init, 0.0)
    if not 0 < checks.finite("tol", tol) <= LOOSEST:
        raise ValueError(f"tol must be in (0, {LOOSEST:g}], got {tol:g}")
    params, x_init = Parameters(*map(float, params)), float(x_init)
    return params, (params.S if x_init <= params.s else x_init)


# ----------------------------------------------- laws on a grid, in float64 on the host


def _float64_on_host(fn):
    """Run a JAX function in float64 on the CPU, and return NumPy arrays."""
    fn = jax.jit(fn)

    def run(*args):
        with precision.enable_x64(True), precision.on_cpu():
            results = fn(*args)
            if any(map(checks.is_traced, jax.tree.leaves(results))):
                rule = "the exact law must be computed outside of jax.jit and its like"
                raise ValueError(f"{rule}, got a call that JAX is tracing")
            return jax.tree.map(np.asarray, results)

    return run


def _transition(params, edges, x):
    """The matrix from F_t at the nodes to F_{t+1} at x: restocked firms join the same law."""
    K, r = operator(params, edges, x)
    return K.at[:, 0].add(r)


@_float64_on_host
def _marginals(params, start, edges, dates):
    points, weights, K = _read_off(params, edges)
    transition = K[-K.shape[1] :]
    first = survival(params, start - points)

    def to_next_date(F, interval):
        date, steps = interval
        F = jax.lax.fori_loop(0, steps, lambda _, F: transition @ F, F)
        cdf = jnp.where(date == 1, first, K @ F)
        return F, (F, *_moments(points, weights, cdf, start, edges[-1]))

    # From date 1 to the date before each one recorded.
    steps = jnp.diff(jnp.maximum(dates - 1, 1), prepend=1)
    return jax.lax.scan(to_next_date, first[-K.shape[1] :], (dates, steps))[1]


@_float64_on_host
def _stationary(params, start, edges):
    points, weights, K = _read_off(params, edges)
    # F = K F leaves the total mass free: its last row, F(S) = F(S), is replaced by F(S) = 1.
    last = jnp.zeros(K.shape[1]).at[-1].set(1.0)
    system = (jnp.eye(last.size) - K[-last.size :]).at[-1].set(last)
    F = jnp.linalg.solve(system, last)
    return F, *_moments(points, weights, K @ F, start, edges[-1])


@_float64_on_host
def _transition_at_nodes(params, start, edges):
    return _transition(params, edges, nodes(edges))


_restock_pmf = _float64_on_host(restock_pmf_on_grid)


@_float64_on_host
def _cdf(law, x):
    if law.previous.size == 0:
        return survival(law.params, law.start - x)
    K, r = operator(law.params, law.edges, x)
    return K @ law.previous + r * law.previous[0]


def _demand_density(params, u):
    """Density at u of lognormal demand, per unit; zero for u <= 0."""
    u = jnp.where(u > 0, u, jnp.inf)
    z = (jnp.log(u) - params.μ) / params.σ
    return jnp.exp(-0.5 * z**2) / (jnp.sqrt(2 * jnp.pi) * params.σ * u)


@_float64_on_host
def _density(law, x):
    if law.previous.size == 0:
        return _demand_density(law.params, law.start - x)
    widths = jnp.diff(law.edges)[:, None]
    slopes = law.previous.reshape(-1, NUM_POINTS) @ DIFFERENTIATE * (2 / widths)
    restocked = law.previous[0] * _demand_density(law.params, law.params.S - x)
    return expectation(law.params, law.edges, x) @ slopes.ravel() + restocked


def _in_blocks(fn, law, x):
    """Evaluate ``fn(law, x)`` for any number of points, a block at a time."""
    flat = x.ravel()
    size = FEW if flat.size <= FEW else BLOCK  # two sizes, two compilations
    padded = np.concatenate([flat, np.zeros(-flat.size % size)])
    blocks = [fn(law, block) for block in padded.reshape(-1, size)]
    return np.concatenate([*blocks, np.zeros(0)])[: flat.size].reshape(x.shape)


# -------------------------------------------------------------------------------- grids


def nodes(edges: jax.Array) -> jax.Array:
    """Place the Chebyshev points of every panel, at which a CDF is kept.

    Args:
        edges: (panels + 1,) panel borders, units.

    Returns:
        (panels * 16,) points, units.
    """
    low, high = edges[:-1, None], edges[1:, None]
    return (low + 0.5 * (high - low) * (POINTS[None] + 1)).ravel()


def _edges(params, start, panels):
    """Panel borders on [s, B]: two segments that meet where a law may start anew.

    Doubling `panels` keeps every border and puts one more into each panel.
    """
    middle, top = min(start, params.S), max(start, params.S)
    if not params.s < middle < top:
        middle = 0.5 * (params.s + top)
    low, high = _graded(params.s, middle, panels), _graded(middle, top, panels)
    return np.concatenate([low, high[1:]])


def _graded(low, high, panels):
    """Borders of `panels` panels on [low, high], shrinking geometrically towards `high`."""
    fractions = (1 - REFINEMENT ** (np.arange(panels + 1) / panels)) / (1 - REFINEMENT)
    fractions[-1] = 1.0
    return low + (high - low) * fractions


def _refine(on_grid, params, start, tol, *args):
    """Double the panels until two grids agree to `tol`; return the finer one's results.

    `on_grid` takes the parameters, the start, panel borders and `args`; the last of its
    results is what grids are compared by.
    """
    panels, coarse = FEWEST_PANELS, np.inf
    while panels <= MOST_PANELS:
        edges = _edges(params, start, panels)
        results = on_grid(params, start, edges, *args)
        fine = jax.tree.leaves(results)[-1]
        error = float(np.max(np.abs(fine - coarse)))
        if error <= tol:
            return edges, results, error
        panels, coarse = 2 * panels, fine
    model = ", ".join(f"{name} = {value:g}" for name, value in params._asdict().items())
    raise ValueError(
        f"tol must be >= {2 * error:.1g}: the finest grid ({edges.size - 1} panels on "
        f"[s, {edges[-1]:g}]) comes to about half of that for {model}; got {tol:g}"
    )


def _chebyshev(num_points):
    """Points on [-1, 1], the matrix from values to coefficients, integration weights."""
    points = -np.cos(np.pi * np.arange(num_points) / (num_points - 1))
    orders = np.arange(num_points)
    to_coefficients = np.linalg.inv(np.cos(orders * np.arccos(points)[:, None]))
    integrals = np.where(orders % 2 == 0, 2 / (1 - orders**2 + (orders == 1)), 0.0)
    return points, to_coefficients, integrals @ to_coefficients


POINTS, TO_COEFFICIENTS, WEIGHTS = _chebyshev(NUM_POINTS)
GAUSS_POINTS, GAUSS_WEIGHTS = np.array(legendre.leggauss(NUM_QUADRATURE))[:, None]
# From values at the points to the derivative there of the polynomial through them.
DIFFERENTIATE = chebyshev.chebval(POINTS, chebyshev.chebder(TO_COEFFICIENTS))


def _read_off(params, edges):
    """Points on all of [0, B] where laws are read off, integration weights, transition."""
    # On [0, s], where nothing needs to be remembered, half as many panels.
    low_edges = jnp.asarray(_graded(0.0, 1.0, (edges.size - 1) // 2)) * params.s
    points = jnp.concatenate([nodes(low_edges), nodes(edges)])
    widths = jnp.concatenate([jnp.diff(low_edges), jnp.diff(edges)])
    weights = (0.5 * widths[:, None] * WEIGHTS[None]).ravel()
    return points, weights, _transition(params, edges, points)


def _moments(points, weights, cdf, start, top):
    """Mean, standard deviation and atom at zero from the CDF at the points.

    Also what two grids are compared by: these, over `top`, and the CDF at common borders.
    Moments are taken about zero or about `start`, whichever is closer to the mean, lest
    the variance of a narrow law be lost in the difference of two large numbers.
    """
    # Panel by panel: a border belongs to two panels, which take different tails there.
    middles = jnp.mean(points.reshape(-1, NUM_POINTS), axis=1)

    def about(center):  # E(X - center) and E(X - center)²
        below = jnp.repeat(middles < center, NUM_POINTS)
        tail = weights * jnp.where(below, -cdf, 1 - cdf)
        return jnp.sum(tail), 2 * jnp.sum((points - center) * tail)

    center = jnp.where(about(0.0)[0] < 0.5 * start, 0.0, start)
    first, second = about(center)
    std = jnp.sqrt(jnp.maximum(second - first**2, 0.0))
    moments = jnp.stack([center + first, std, jnp.maximum(cdf[0], 0.0)])
    borders = cdf[:: cdf.size // (3 * FEWEST_PANELS)]
    return moments, jnp.concatenate([moments / jnp.stack([top, top, 1.0]), borders])
