"""Solve the model: values and decisions of the first period, by any of the four methods.

A long run tells how much memory it takes before it starts, shows its progress, saves each
period, and goes on where it was killed.  Where the values lie is the business of a place:
`one_device`, or `sharded` for a mesh, two modules with the same functions.
"""

import contextlib
import hashlib
from functools import partial
from os import PathLike
from types import ModuleType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh
from numpy.typing import DTypeLike
from tqdm.auto import tqdm

from lectures_helpers import checks, sharding
from lectures_helpers.expiry import exhaustive, memory, one_device, saves, sharded
from lectures_helpers.expiry.model import (
    Model,
    check_range,
    checked_horizon,
    checked_model,
    decode,
)
from lectures_helpers.expiry.periods import (
    Decision,
    Period,
    checked_dtype,
    create_periods,
    decision_dtype,
    in_period,
    in_precision,
    tie_of,
)

__all__ = ["Certificate", "Solution", "required_memory", "solve"]

ASSUMING = ("top_down", "threshold")  # methods that are wrong where the structure fails
CERTIFIED = 64  # states in which a solution is compared with the exhaustive search


class Certificate(NamedTuple):
    """A solution held against the definition, state by state.

    Values of a period are compared with a search over every (z, q), given those of the
    next one.  Both numbers are relative to ``max(1, max |V_t|)``; rounding alone leaves about
    1e-15 in float64 and 1e-6 in float32.  For ``"tensor"`` and ``"exhaustive"``, which
    assume nothing, the first period is compared; for ``"top_down"`` and ``"threshold"``
    every one that this call computed, and the numbers are those of the worst.
    """

    gap: float  #: largest ``|V_t(x) - max over (z, q) of the definition|``, given V_{t+1}
    regret: float  #: most that the (z, q) found falls short of that maximum
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
    (float32) times ``max(1, max |V_{t+1}|)`` count as equal there.

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
            that is damaged or of another run, or a model that a device cannot hold.

    >>> from lectures_helpers.expiry import create_model
    >>> solution = solve(create_model(), 5, dtype="float64")
    >>> solution.values.shape, bool(solution.certificate.gap < 1e-12)
    ((10, 10, 10, 10), True)
    """
    model, num_periods = checked_horizon(model, num_periods, 0)
    _check_method(method)
    dtype = checked_dtype(dtype)
    check_range(model, num_periods, dtype)
    path = None if checkpoint is None else saves.checked_path(checkpoint)
    where = _checked_where(mesh, model, method)
    run = _Run(model, num_periods, method, dtype, bool(keep_policies), where)

    with in_precision(dtype):
        laws = create_periods(model, dtype)
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
    model, dtype = checked_model(model), checked_dtype(dtype)
    _check_method(method)
    keep_policies = checks.integer("keep_policies", keep_policies, 0)
    where = _checked_where(mesh, model, method)
    run = _Run(model, keep_policies, method, dtype, True, where)
    with in_precision(dtype):
        return _required(run, create_periods(model, dtype))


# ------------------------------------------------------------------------ the run


class _Run(NamedTuple):
    """What is to be computed, and where."""

    model: Model
    num_periods: int
    method: str
    dtype: str
    keep_policies: bool
    where: "jax.Device | Mesh"

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.model.num_levels,) * self.model.num_ages


def _solve(run, laws, path, progress):
    T, where, place = run.num_periods, run.where, _place(run.where)
    decide = decision_dtype(run.model)
    start, values, kept = _start(run, path)
    decision = Decision(*np.zeros((2, *run.shape), decide))
    worst = Certificate(0.0, 0.0, 0)
    bar = tqdm(total=T, initial=T - start, disable=not progress, unit="period")
    with contextlib.closing(bar):
        for t in reversed(range(start)):
            certified = t == 0 or run.method in ASSUMING
            decides = decide if certified or run.keep_policies else None
            backup, law = _compiled(run, laws, decides), in_period(laws, t)
            later = values
            values, decision = backup(later, law)
            jax.block_until_ready(values)  # or they queue
            if certified:
                worst = _worse(worst, certify(values, decision, later, law, where))
            if run.keep_policies:
                kept[:, t] = [place.fetch(where, a) for a in decision]
            if path is not None and t > 0:
                _save(run, path, t, place.fetch(where, values), kept)
            bar.update()
    values, *decision = (place.fetch(where, a) for a in (values, *decision))
    return Solution(
        values, *decision, worst, *(kept if run.keep_policies else (None, None))
    )


def _place(where: "jax.Device | Mesh") -> ModuleType:
    """The module with what is done there."""
    return sharded if isinstance(where, Mesh) else one_device


def _compiled(run, laws, decide):
    law = tuple(array.shape for array in laws[0])
    return _place(run.where).compiled(
        run.where, run.method, run.shape, law, run.dtype, decide
    )


def _start(run, path):
    """The period to start from, values where they belong, and decisions of later periods."""
    place, told = _place(run.where), _describe(run)
    periods = run.num_periods if run.keep_policies else 0
    kept = np.zeros((2, periods, *run.shape), decision_dtype(run.model))
    found = None
    if path is not None:
        saves.remove_unfinished(path)
        found = saves.load(path, told)
    start, arrays = found or (run.num_periods, {})
    if found:
        _check_save(run, path, start, arrays)
    if _together(run.where):
        _check_agreement({**told, "period to start from": start})
    if not found:
        return start, place.start(run.where, run.model, run.dtype), kept
    values = place.put(run.where, arrays.pop("values"))
    for name, array in arrays.items():
        kept[:, int(name.removeprefix("decision_"))] = array
    return start, values, kept


def _save(run, path, t, values, kept):
    """Save a period; on several machines the first one does, and the others wait."""
    together = _together(run.where)
    if not together or jax.process_index() == 0:
        decided = {f"decision_{n}": kept[:, n] for n in range(t, kept.shape[1])}
        saves.save(path, _describe(run), t, {"values": values, **decided})
    if together:
        multihost_utils.sync_global_devices(f"save of period {t}")


def _together(where):
    """Whether several processes make this run."""
    return isinstance(where, Mesh) and jax.process_count() > 1


# ----------------------------------------------------------------- the certificate


def certify(
    values: jax.Array,
    decision: Decision,
    later: jax.Array,
    law: Period,
    where: "jax.Device | Mesh",
) -> Certificate:
    """Hold values and decisions of a period against the exhaustive search, given V_{t+1}."""
    x = spread_states(values.ndim, values.shape[0], CERTIFIED)
    gap, regret, scale = map(float, _compare(values, decision, later, law, x, where))
    return Certificate(gap / scale, regret / scale, len(x))


@partial(jax.jit, static_argnames="where")
def _compare(values, decision, later, law, x, where):
    """Gap and regret in the states x, and the size of the values."""
    look_up = partial(_place(where).look_up, where)
    best, _ = exhaustive.best_actions(look_up(later), x, law, tie_of(later))
    z, q = (look_up(a)(x).astype(int) for a in decision)
    short = best - exhaustive.action_value(look_up(later), x, z, q, law)
    gap = jnp.max(jnp.abs(look_up(values)(x) - best))
    scale = jnp.maximum(jnp.max(jnp.abs(values)), 1)
    return gap, jnp.maximum(jnp.max(short), 0), scale


def _worse(one, other):
    """The worse of two certificates, number by number; NaN is worst."""
    gap, regret = (
        float(np.maximum(*ab)) for ab in zip(one[:2], other[:2], strict=True)
    )
    return Certificate(gap, regret, other.num_states)


def spread_states(num_ages: int, num_levels: int, most: int) -> np.ndarray:
    """All states if they are few, else `most` of them spread over the grid, (n, m)."""
    m, k = num_ages, num_levels
    if k**m <= most:
        return decode(np.arange(k**m), m, k)
    # The corners (nothing, everything), and steps by the golden ratio, which never cluster.
    steps = np.modf(np.arange(1, most - 1) * (np.sqrt(5) - 1) / 2)[0]
    index = np.unique(np.concatenate([[0, k**m - 1], (steps * k**m).astype(np.int64)]))
    return decode(index, m, k)


# ---------------------------------------------------------------------- refusals


def _required(run, laws):
    """Bytes at the peak: the backup with decisions, and the decisions kept on the host."""
    _check_index(run)
    decide = decision_dtype(run.model)
    kept = run.num_periods if run.keep_policies else 0
    return (
        memory.program_bytes(_compiled(run, laws, decide))
        + 2
        * kept
        * run.model.num_levels**run.model.num_ages
        * np.dtype(decide).itemsize
    )


def _check_memory(run, laws):
    devices = run.where.size if isinstance(run.where, Mesh) else 1
    states = run.model.num_levels**run.model.num_ages
    there = memory.available_memory(run.where)
    needed = 2 * states * np.dtype(run.dtype).itemsize // devices  # values alone
    if needed <= there:  # else there is no use in compiling for it
        needed = _required(run, laws)
    if needed > there:
        each = "" if devices == 1 else f" on each of {devices} devices"
        raise ValueError(
            f"{memory.states(run.model)} need {memory.size(needed)}{each} with method "
            f"{run.method!r} in {run.dtype}, but there are {memory.size(there)}; take a "
            "smaller model, another method or dtype, or more devices"
        )


def _check_method(method):
    if not isinstance(method, str) or method not in one_device.BACKUPS:
        known = list(one_device.BACKUPS)
        raise ValueError(f"method must be one of {known}, got {method!r}")


def _checked_where(mesh, model, method):
    """The mesh, or the device on which JAX computes."""
    if sharding.checked_mesh(mesh) is None:
        return memory.default_device()
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
    return mesh


def _check_index(run):
    """State numbers are 32-bit integers inside the methods that look values up."""
    m, k = run.model.num_ages, run.model.num_levels
    bits = 50 if run.method == "tensor" else 31
    if k**m >= 2**bits:
        raise ValueError(
            f"num_levels^num_ages must be below 2^{bits} with method {run.method!r}, got "
            f"{k}^{m} = {k**m:,}"
        )


def _check_save(run, path, start, arrays):
    """Raise unless a save has the arrays of a run that has come to this period."""
    decisions = range(start, run.num_periods) if run.keep_policies else ()
    shapes = {"values": run.shape}
    shapes |= {f"decision_{t}": (2, *run.shape) for t in decisions}
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
