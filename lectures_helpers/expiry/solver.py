"""Solve the model: values and decisions of the first period, by any of the four methods.

A long run tells how much memory it takes before it starts, shows its progress, saves each
period, and goes on where it was killed.  Where the values lie is the business of `sharded`.
"""

import hashlib
import warnings
from functools import lru_cache, partial
from os import PathLike
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh
from numpy.typing import DTypeLike
from tqdm.auto import tqdm

from lectures_helpers import checks, sharding
from lectures_helpers.expiry import (
    exhaustive,
    memory,
    saves,
    sharded,
    tensor,
    threshold,
    top_down,
)
from lectures_helpers.expiry.model import (
    Model,
    check_range,
    checked_horizon,
    checked_model,
    decode,
)
from lectures_helpers.expiry.periods import (
    TIES,
    Decision,
    Period,
    checked_dtype,
    create_periods,
    decision_dtype,
    relative,
    with_ties,
)
from lectures_helpers.precision import enable_x64

__all__ = ["BACKUPS", "Certificate", "Solution", "required_memory", "solve"]

#: The methods of `solve`: functions (values, period, decide) -> (values, decision).
BACKUPS = {
    "exhaustive": exhaustive.backup,
    "top_down": top_down.backup,
    "threshold": threshold.backup,
    "tensor": tensor.backup,
}
ASSUMING = ("top_down", "threshold")  # methods that are wrong where the structure fails
CERTIFIED = 64  # states in which a solution is compared with the exhaustive search
MOST_LOSS = 0.01  # of the largest value: what a solve may lose without a word


class Certificate(NamedTuple):
    """A solution held against the definition, state by state; amounts in money.

    Values of a period are compared with a search over every (z, q), given those of the
    next one.  For ``"tensor"`` and ``"exhaustive"``, which assume nothing, the first period
    is compared; for ``"top_down"`` and ``"threshold"`` every one that this call computed,
    and the numbers are those of the worst.

    `loss` is a bound, in every state, for those models that a method is right for: the sum
    over the horizon of ties and of rounding in the worst case (see `_loss`).
    """

    gap: float  #: largest ``|V_t(x) - max over (z, q) of the definition|``, given V_{t+1}
    regret: float  #: most that the (z, q) found falls short of that maximum
    loss: float  #: most that the rule earns less than the optimum, over all periods
    num_states: int  #: states compared: all, or 64 spread over the grid


class Solution(NamedTuple):
    """Optimal values and decisions, and what certifies them."""

    values: np.ndarray  #: V_0, (k,) * m, money
    depletion: np.ndarray  #: optimal z in the first period, (k,) * m integers, units
    order: np.ndarray  #: optimal q in the first period, (k,) * m integers, units
    certificate: Certificate  #: how values and decisions compare with the definition
    depletions: np.ndarray | None = None  #: z of all periods, (T,) + (k,) * m, if kept
    orders: np.ndarray | None = None  #: q of all periods, (T,) + (k,) * m, if kept


def solve(
    model: Model,
    num_periods: int,
    *,
    method: str = "tensor",
    dtype: DTypeLike | None = None,
    progress: bool = False,
    checkpoint: str | PathLike | None = None,
    keep_policies: bool = False,
    mesh: Mesh | None = None,
) -> Solution:
    """Compute V_0 and the optimal decisions.

    Of several best decisions, the one with the smallest z is returned, and among those the
    one with the smallest q.  Values that differ by no more than 1e-10 (float64) or 1e-5
    (float32) of what a period can earn and cost, and of the largest difference between
    V_{t+1} and that of the empty stock, count as equal there.  What that and rounding can
    cost over all periods is the certificate's `loss`; a warning tells when it is more than
    a hundredth of the largest value.

    Args:
        model: the model, from `create_model`.
        num_periods: number of periods [T], an integer >= 0.
        method: ``"tensor"``, right for every model; ``"exhaustive"``, the definition, slow;
            ``"top_down"`` or ``"threshold"``, right where h >= 0, r >= 0 and -θ <= s <= r
            (thm-tree of the lecture on structure); beyond, the certificate may show that
            they are wrong.
        dtype: ``"float32"`` or ``"float64"``; default JAX's own setting.
        progress: whether to show a bar that moves with each period.
        checkpoint: path of a file in which each period is saved; if it holds a save of the
            same run, the run goes on from there, bit for bit.
        keep_policies: whether to return the decisions of every period.
        mesh: devices that share the states, from `sharding.create_mesh`, for method
            ``"tensor"`` and three ages or more; default one device.  Shares are even where
            the devices divide num_levels; elsewhere some hold padding.  On several
            machines all of them make the call, and a save's folder is one that all see.

    Returns:
        A `Solution`, whose arrays are NumPy's: whole, on the host, on every machine.  With
        ``num_periods`` 0 values are ``s |x|`` and decisions are 0.

    Raises:
        ValueError: a bad argument, a demand law whose rows are not `num_periods`, a save
            that is damaged, of another run, or of one that is not over, or a model that a
            device cannot hold.

    >>> from lectures_helpers.expiry import create_model
    >>> solution = solve(create_model(), 5, dtype="float64")
    >>> solution.values.shape, bool(solution.certificate.gap < 1e-12)
    ((10, 10, 10, 10), True)
    """
    model, num_periods = checked_horizon(model, num_periods, 0)
    run = _checked_run(model, num_periods, method, dtype, mesh)
    run = run._replace(keep_policies=checks.flag("keep_policies", keep_policies))
    progress = checks.flag("progress", progress)
    check_range(model, num_periods, run.dtype)
    writes = not _together(mesh) or jax.process_index() == 0
    with saves.owned(checkpoint, writes) as path, enable_x64(run.dtype == "float64"):
        laws = create_periods(model, run.dtype)
        _check_memory(run, laws)
        return _solve(run, laws, path, progress)


def required_memory(
    model: Model,
    *,
    method: str = "tensor",
    dtype: DTypeLike | None = None,
    keep_policies: int = 0,
    mesh: Mesh | None = None,
) -> int:
    """Bytes that a solve holds at its peak: what its compiled backup takes, and its results.

    Args:
        model: the model.
        method, dtype, mesh: as in `solve`; on a mesh, the bytes are those of each device.
        keep_policies: number of periods whose decisions are kept, on the host.

    Returns:
        Bytes.

    Raises:
        ValueError: a bad argument.
    """
    keep_policies = checks.integer("keep_policies", keep_policies, 0)
    run = _checked_run(checked_model(model), keep_policies, method, dtype, mesh)
    with enable_x64(run.dtype == "float64"):
        return _required(run, create_periods(run.model, run.dtype))


# ------------------------------------------------------------------------ the run


class _Run(NamedTuple):
    """What is to be computed, and where."""

    model: Model
    num_periods: int
    method: str
    dtype: str
    mesh: Mesh | None
    keep_policies: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.model.num_levels,) * self.model.num_ages


def _checked_run(model, num_periods, method, dtype, mesh):
    """A run of a model that has been checked."""
    if not isinstance(method, str) or method not in BACKUPS:
        raise ValueError(f"method must be one of {list(BACKUPS)}, got {method!r}")
    run = _Run(model, num_periods, method, checked_dtype(dtype), mesh)
    if sharding.checked_mesh(mesh) is None:
        return run
    if method != "tensor":
        raise ValueError(f"mesh must be None with method {method!r}, got {mesh}")
    if not mesh.local_devices:
        raise ValueError(
            f"mesh must hold devices of every process, got none of {jax.process_index()}"
        )
    if model.num_ages < 3:
        raise ValueError(
            f"mesh must be None for num_ages = {model.num_ages}: states are shared from "
            "3 ages on"
        )
    return run


def _solve(run, laws, path, progress):
    (m, k, *_, discount), fetch = run.model, partial(sharded.fetch, run.mesh)
    start, values, (lowered, loss), kept = _start(run, path)
    values, _, size = relative(values)
    decision = Decision(*np.zeros((2, *run.shape), kept.dtype))
    x = _spread_states(m, k)
    worst, compared = np.zeros(2), 0
    T = run.num_periods
    with tqdm(total=T, initial=T - start, disable=not progress, unit="period") as bar:
        for t in reversed(range(start)):
            certified = t == 0 or run.method in ASSUMING
            decides = kept.dtype.name if certified or run.keep_policies else None
            law, later = with_ties(laws[t % len(laws)], float(size)), values
            values, decision = _compiled(run, laws, decides)(later, law)
            if certified:
                found = _compare(values, decision, later, law, x)
                worst, compared = np.maximum(worst, found), len(x)  # NaN is worst
            values, empty, size = relative(values)
            lowered = float(empty) + discount * lowered  # waits, or periods queue
            loss = _loss(run, law) + discount * loss
            if run.keep_policies:
                kept[:, t] = [fetch(a) for a in decision]
            if path is not None and t > 0:
                _save(run, path, t, fetch(values), (lowered, loss), kept)
            bar.update()
    values = fetch(values) + np.asarray(lowered, run.dtype)
    _warn_of_loss(run, values, loss)
    return Solution(
        values,
        *map(fetch, decision),
        Certificate(*worst.tolist(), loss, compared),
        *(kept if run.keep_policies else (None, None)),
    )


def _compiled(run, laws, decide):
    law = tuple(array.shape for array in laws[0])
    where = run.mesh or memory.default_device()
    return compiled(where, run.method, run.shape, law, run.dtype, decide)


@lru_cache(maxsize=64)
def compiled(
    where: jax.Device | Mesh,
    method: str,
    shape: tuple,
    law: tuple,
    dtype: str,
    decide: str | None,
) -> jax.stages.Compiled:
    """A backup compiled for these sizes: once, and never again in this process.

    Args:
        where: the device, or a mesh, for the tensor method.
        method: one of `BACKUPS`.
        shape: that of the values, (k,) * m.
        law: shapes of the arrays of a `Period`.
        dtype: type of the values.
        decide: integer type of the decisions, or None for values alone.
    """
    mesh = where if isinstance(where, Mesh) else None
    shape, cut, whole = sharded.layout(mesh, shape)
    values = jax.ShapeDtypeStruct(shape, dtype, sharding=cut)
    period = Period._make(jax.ShapeDtypeStruct(a, dtype, sharding=whole) for a in law)
    if mesh is None:
        return BACKUPS[method].lower(values, period, decide=decide).compile()
    return sharded.backup.lower(values, period, mesh=mesh, decide=decide).compile()


def _start(run, path):
    """The period to start from, values, sums, and decisions of later periods."""
    told = _describe(run)
    periods = run.num_periods if run.keep_policies else 0
    kept = np.zeros((2, periods, *run.shape), decision_dtype(run.model))
    found = None if path is None else saves.load(path, told)
    start, arrays = found or (run.num_periods, {})
    if found:
        _check_save(run, path, start, arrays, kept)
    if _together(run.mesh):
        _check_agreement({**told, "period to start from": start})
    if not found:
        return start, sharded.start(run.mesh, run.model, run.dtype), (0.0, 0.0), kept
    kept[:, start:] = arrays["decisions"]
    values = sharded.put(run.mesh, arrays["values"])
    return start, values, arrays["sums"].tolist(), kept


def _save(run, path, t, values, sums, kept):
    """Save a period; on several machines the first one does, and the others wait."""
    if not (together := _together(run.mesh)) or jax.process_index() == 0:
        arrays = {"values": values, "sums": np.asarray(sums), "decisions": kept[:, t:]}
        saves.save(path, _describe(run), t, arrays)
    if together:
        multihost_utils.sync_global_devices(f"save of period {t}")


def _together(mesh):
    """Whether several processes make this run."""
    return mesh is not None and jax.process_count() > 1


# ----------------------------------------------------------------- the certificate


@jax.jit
def _compare(values, decision, later, law, x):
    """Gap and regret of a period in the states x, against the search, given V_{t+1}."""

    def look_up(array, x):
        """By class: on a mesh each device looks into its piece, and no number is large."""
        return array[tuple(jnp.moveaxis(x, -1, 0))]

    afterwards = partial(look_up, later)
    best, _ = exhaustive.best_actions(afterwards, x, law)
    z, q = (look_up(a, x).astype(int) for a in decision)
    short = best - exhaustive.action_value(afterwards, x, z, q, law)
    gap = jnp.max(jnp.abs(look_up(values, x) - best))
    return jnp.stack([gap, jnp.maximum(jnp.max(short), 0)])


def _loss(run, law):
    """What the decisions of a period can cost at most, money of its start.

    Let M bound all numbers that a period adds up: what it earns and costs, and V_{t+1}.
    An option's value is a sum of up to 8 (m + 1) k numbers, each rounded by M eps / 2.
    The decision taken is worth two ties less than the best at most, one for each part of
    it, and two roundings; the period's own values are wrong by one, and so is what they
    are compared with.
    """
    roundings = 4 * 4 * (run.model.num_ages + 1) * run.model.num_levels
    ties = 2 + roundings * float(np.finfo(run.dtype).eps) / TIES[run.dtype]
    return float(law.tie) * ties


def _warn_of_loss(run, values, loss):
    """Say so where single precision may have decided wrongly."""
    largest = np.abs(values).max()
    if run.dtype == "float32" and loss > MOST_LOSS * largest:
        warnings.warn(
            f"in float32 the decisions may cost {loss:.3g} over {run.num_periods} periods, "
            f"where the largest value is {largest:.3g}; dtype='float64' tells more apart",
            stacklevel=4,
        )


def _spread_states(m, k):
    """All states if they are few, else some of them spread over the grid, (n, m)."""
    if k**m <= CERTIFIED:
        return decode(np.arange(k**m), m, k)
    # The corners (nothing, everything), and steps by the golden ratio, which never cluster.
    steps = np.modf(np.arange(1, CERTIFIED - 1) * (np.sqrt(5) - 1) / 2)[0]
    index = np.unique(np.concatenate([[0, k**m - 1], (steps * k**m).astype(np.int64)]))
    return decode(index, m, k)


# ---------------------------------------------------------------------- refusals


def _required(run, laws):
    """Bytes at the peak: the backup with decisions, and the decisions kept on the host."""
    _check_index(run)
    decide = decision_dtype(run.model)
    kept = 2 * run.num_periods * run.keep_policies * np.dtype(decide).itemsize
    states = run.model.num_levels**run.model.num_ages
    return memory.program_bytes(_compiled(run, laws, decide)) + kept * states


def _check_memory(run, laws):
    devices = run.mesh.size if run.mesh else 1
    how = f" on each of {devices} devices" if devices > 1 else ""
    how += f" with method {run.method!r} in {run.dtype}"
    states = run.model.num_levels**run.model.num_ages
    check = partial(memory.check_fits, memory.states(run.model), mesh=run.mesh, how=how)
    # V_t and V_{t+1}: where they do not fit there is no use in compiling for them.
    check(2 * states * np.dtype(run.dtype).itemsize // devices)
    check(_required(run, laws))


def _check_index(run):
    """State numbers are 32-bit integers inside the methods that look values up."""
    m, k = run.model.num_ages, run.model.num_levels
    bits = 50 if run.method == "tensor" else 31
    if k**m >= 2**bits:
        raise ValueError(
            f"num_levels^num_ages must be below 2^{bits} with method {run.method!r}, got "
            f"{k}^{m} = {k**m:,}"
        )


def _check_save(run, path, start, arrays, kept):
    """Raise unless a save has the arrays of a run that has come to this period."""
    shapes = {"values": run.shape, "sums": (2,), "decisions": kept[:, start:].shape}
    if not (
        1 <= start < run.num_periods
        and {name: array.shape for name, array in arrays.items()} == shapes
        and arrays["values"].dtype == run.dtype
    ):
        raise ValueError(
            f"checkpoint = {str(path)!r} is damaged: it does not hold what a run has saved "
            f"that has period {start} behind it; remove it, or name another file"
        )


def _check_agreement(told):
    """Raise on every machine unless all of them make the same call from the same save.

    They would wait for one another for ever otherwise.
    """
    digest = hashlib.sha256(repr(told).encode()).digest()
    digests = multihost_utils.process_allgather(np.frombuffer(digest, np.uint8))
    if (digests != digests[0]).any():
        raise ValueError(
            "solve must be called alike by every process, with a checkpoint folder that "
            f"all of them see, got on process {jax.process_index()}: {told}"
        )


def _describe(run):
    """What tells a run from others, in words that an error message can use."""
    told = run.model._asdict()
    law = told.pop("demand_pmf")
    digest = hashlib.sha256(repr(law.shape).encode() + law.tobytes()).hexdigest()
    names = ("num_periods", "method", "dtype", "keep_policies")
    told |= {name: getattr(run, name) for name in names}
    return told | {"demand law (SHA-256)": digest[:16]}
