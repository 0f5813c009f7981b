"""Solve the model: values and decisions of the first period, by any of the four methods.

A long run tells how much memory it takes before it starts, shows its progress, saves each
period, and goes on where it was killed.
"""

import contextlib
import functools
import hashlib
import os
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh
from tqdm.auto import tqdm

from lectures_helpers import checks, precision, sharding
from lectures_helpers.expiry import (
    checkpoint as saves,
)
from lectures_helpers.expiry import (
    exhaustive,
    sharded,
    tensor,
    top_down,
)
from lectures_helpers.expiry import period as periods
from lectures_helpers.expiry import (
    thresholds as threshold_rule,
)
from lectures_helpers.expiry.model import Model, checked_model, decode
from lectures_helpers.expiry.period import Period

BACKUPS = {
    "exhaustive": exhaustive.backup,
    "top_down": top_down.backup,
    "threshold": threshold_rule.backup,
    "tensor": tensor.backup,
}
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

    values: jax.Array  #: V_0, (k,) * m, money
    depletion: jax.Array  #: optimal z in the first period, (k,) * m integers, units
    order: jax.Array  #: optimal q in the first period, (k,) * m integers, units
    certificate: Certificate  #: how values and decisions compare with the definition
    depletions: "jax.Array | None" = (
        None  #: z of every period, (T,) + (k,) * m, on request
    )
    orders: "jax.Array | None" = None  #: q of every period, (T,) + (k,) * m, on request


def solve(
    model: Model,
    num_periods,
    *,
    method="tensor",
    dtype=None,
    progress=False,
    checkpoint=None,
    keep_policies=False,
    mesh=None,
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
        A `Solution`.  With ``num_periods`` 0 values are ``s |x|`` and decisions are 0.
        Arrays are JAX's; those in float64 while JAX computes in 32 bits are NumPy's, and
        so are those of a mesh whose devices do not divide num_levels.

    Raises:
        ValueError: a bad argument, a demand law whose rows are not `num_periods`, a save
            that is damaged or of another run, or a model that a device cannot hold.

    >>> from lectures_helpers.expiry import create_model, poisson_pmf
    >>> model = create_model(4, 10, poisson_pmf(8.0, 19), salvage=1, holding=0.5,
    ...                      order_cost=3, price=5, disposal=2, discount=0.95)
    >>> solution = solve(model, 5, dtype="float64")
    >>> solution.values.shape, bool(solution.certificate.gap < 1e-12)
    ((10, 10, 10, 10), True)
    """
    model = checked_model(model)
    num_periods = checks.integer("num_periods", num_periods, 0)
    _check_method(method)
    dtype = checked_dtype(dtype)
    check_rows(model, num_periods)
    check_range(model, num_periods, dtype)
    path = None if checkpoint is None else _checked_path(checkpoint)
    mesh = _checked_mesh(mesh, model, method)

    with in_precision(dtype):
        _check_memory(model, num_periods, method, dtype, keep_policies, mesh)
        solution = _solve(
            model, num_periods, method, dtype, progress, path, keep_policies, mesh
        )
    return released(solution, dtype)


def thresholds(model: Model, num_periods, *, dtype=None) -> list[np.ndarray]:
    """Compute the thresholds of the first period, one array for each class.

    The i-th array, z̄_i, (k,) * (m - i), tells how many units of class i are kept when the
    newer classes hold (x_{i+1}, ..., x_m): k - 1 where all are kept.  Where the newer
    classes are themselves sold off, nothing of class i is kept, and z̄_i is 0.

    Args:
        model: the model.
        num_periods: number of periods [T], an integer >= 1.
        dtype: as in `solve`.

    Raises:
        ValueError: a bad argument, or an optimal depletion that is not of this form.
    """
    checks.integer("num_periods", num_periods, 1)
    return threshold_rule.read_off(solve(model, num_periods, dtype=dtype).depletion)


def required_memory(
    model: Model, *, method="tensor", dtype=None, keep_policies=0, mesh=None
) -> int:
    """Bytes that a solve holds at its peak: what its compiled backup takes, and its results.

    Args:
        model: the model.
        method, dtype, mesh: as in `solve`; on a mesh, the bytes are those of each device.
        keep_policies: number of periods whose decisions are kept, on the host.

    Raises:
        ValueError: a bad argument.
    """
    model, dtype = checked_model(model), checked_dtype(dtype)
    _check_method(method)
    keep_policies = checks.integer("keep_policies", keep_policies, 0)
    mesh = _checked_mesh(mesh, model, method)
    with in_precision(dtype):
        return _required(model, method, dtype, keep_policies, mesh)


# ------------------------------------------------------------------------ the run


def _solve(model, T, method, dtype, progress, path, keep_policies, mesh):
    m, k = model.m, model.k
    laws = periods.periods(model, dtype)
    decide = periods.decision_dtype(model)
    kept = {}
    run = _describe(model, T, method, dtype, keep_policies)
    start, values = T, None
    if path is not None:
        saves.remove_unfinished(path)
        if (found := saves.load(path, run)) is not None:
            start, arrays = found
            _check_save(path, start, arrays, model, T, dtype, keep_policies)
            values = _placed(arrays.pop("values"), mesh)
            for name, array in arrays.items():
                kept[int(name.removeprefix("decision_"))] = array
    if mesh is not None and jax.process_count() > 1:
        _check_agreement({**run, "period to start from": start})
    if values is None:
        values = _terminal_values(model, dtype, mesh)
    if T == 0:
        none = jnp.zeros((k,) * m, decide)
        every = jnp.zeros((0, *none.shape), decide) if keep_policies else None
        values = _trimmed(values, k, mesh)
        return Solution(values, none, none, Certificate(0.0, 0.0, 0), every, every)

    worst = Certificate(0.0, 0.0, 0)
    bar = tqdm(total=T, initial=T - start, disable=not progress, unit="period")
    with contextlib.closing(bar):
        for t in reversed(range(start)):
            certified = t == 0 or method in ASSUMING
            decides = decide if certified or keep_policies else None
            backup = _compiled(method, m, k, _sizes(laws), dtype, decides, _where(mesh))
            last, law = values, laws[t if len(laws) > 1 else 0]
            values, decision = jax.block_until_ready(
                backup(last, law)
            )  # or they queue up
            if certified:
                worst = _worse(worst, certify(values, decision, last, law, mesh))
            if keep_policies:
                kept[t] = np.stack([_on_host(a, k, mesh) for a in decision])
            if path is not None and t > 0:
                _save(path, run, t, _on_host(values, k, mesh), kept, mesh)
            bar.update()

    values, decision = (
        jax.tree.map(lambda a: _trimmed(a, k, mesh), a) for a in (values, decision)
    )
    depletions = orders = None
    if keep_policies:
        depletions, orders = np.stack([kept[t] for t in range(T)], axis=1)
    return Solution(
        values, decision.depletion, decision.order, worst, depletions, orders
    )


def _worse(one, other):
    """The worse of two certificates, number by number; NaN is worst."""
    return Certificate(
        *(float(np.maximum(a, b)) for a, b in zip(one[:2], other[:2], strict=True)),
        other[2],
    )


def _save(path, run, t, values, kept, mesh):
    """Save a period; on several machines the first one does, and the others wait."""
    if mesh is None or jax.process_index() == 0:
        named = {f"decision_{n}": array for n, array in kept.items()}
        saves.save(path, run, t, {"values": values, **named})
    if mesh is not None and jax.process_count() > 1:
        multihost_utils.sync_global_devices(f"save of period {t}")


def certify(values, decision, later, law: Period, mesh=None) -> Certificate:
    """Hold values and decisions of a period against the exhaustive search, given V_{t+1}."""
    m, k = values.ndim, law.waste.size
    x = spread_states(m, k, CERTIFIED)
    at = partial(_at_states, mesh=mesh, k=k)
    tie = periods.tie_of(later)
    best, _ = _best_actions(later, x, law, tie, mesh=mesh)
    z, q = (at(a, x).astype(int) for a in decision)
    taken = _action_value(later, x, z, q, law, mesh=mesh)
    scale = max(1.0, float(jnp.max(jnp.abs(values))))
    gap = float(jnp.max(jnp.abs(at(values, x) - best))) / scale
    regret = float(jnp.maximum(jnp.max(best - taken), 0)) / scale
    return Certificate(gap, regret, len(x))


def _look_up(values, mesh, k):
    if mesh is None:
        return exhaustive.look_up(values)
    return sharded.look_up(values, mesh, k)


@partial(jax.jit, static_argnames=("mesh", "k"))
def _at_states(values, x, *, mesh, k):
    return _look_up(values, mesh, k)(x)


@partial(jax.jit, static_argnames="mesh")
def _best_actions(later, x, law, tie, *, mesh):
    look_up = _look_up(later, mesh, law.waste.size)
    return exhaustive.best_actions(look_up, x, law, tie)


@partial(jax.jit, static_argnames="mesh")
def _action_value(later, x, z, q, law, *, mesh):
    look_up = _look_up(later, mesh, law.waste.size)
    return exhaustive.action_value(look_up, x, z, q, law)


def spread_states(m, k, most) -> np.ndarray:
    """All states if they are few, else `most` of them spread over the grid, (n, m)."""
    if k**m <= most:
        return decode(np.arange(k**m), m, k)
    # The corners (nothing, everything), and steps by the golden ratio, which never cluster.
    steps = np.modf(np.arange(1, most - 1) * (np.sqrt(5) - 1) / 2)[0]
    index = np.unique(np.concatenate([[0, k**m - 1], (steps * k**m).astype(np.int64)]))
    return decode(index, m, k)


def _check_save(path, start, arrays, model, T, dtype, keep_policies):
    """Raise unless a save has the arrays of a run that has come to this period."""
    states = (model.k,) * model.m
    decisions = range(start, T) if keep_policies else ()
    shapes = {"values": states} | {f"decision_{t}": (2, *states) for t in decisions}
    if not (
        1 <= start < T
        and {name: array.shape for name, array in arrays.items()} == shapes
        and arrays["values"].dtype == dtype
    ):
        raise ValueError(
            f"checkpoint = {str(path)!r} is damaged: it does not hold what a run has saved "
            f"that has period {start} behind it; remove it, or name another file"
        )


def _check_agreement(run):
    """Raise on every machine unless all of them make the same call from the same save.

    They would wait for one another for ever otherwise.
    """
    digest = hashlib.sha256(repr(run).encode()).digest()
    digests = multihost_utils.process_allgather(np.frombuffer(digest, np.uint8))
    if (digests != digests[0]).any():
        raise ValueError(
            "solve must be called alike by every process, with a checkpoint folder that "
            f"all of them see, got on process {jax.process_index()}: {run}"
        )


def _describe(model, T, method, dtype, keep_policies):
    """What tells a run from others, in words that an error message can use."""
    return {
        "num_ages": model.m,
        "num_levels": model.k,
        "num_periods": T,
        "method": method,
        "dtype": dtype,
        "keep_policies": bool(keep_policies),
        "salvage": model.s,
        "holding": model.h,
        "order_cost": model.c,
        "price": model.r,
        "disposal": model.θ,
        "discount": model.α,
        "demand law (SHA-256)": hashlib.sha256(
            repr(model.demand_pmf.shape).encode() + model.demand_pmf.tobytes()
        ).hexdigest()[:16],
    }


# ------------------------------------------------------------- one device, or a mesh


def _checked_mesh(mesh, model, method):
    """The mesh, or None where states are not shared."""
    if sharding.checked_mesh(mesh) is None:
        return None
    if method != "tensor":
        raise ValueError(f"mesh must be None with method {method!r}, got {mesh}")
    if not mesh.local_devices:
        raise ValueError(
            f"mesh must hold devices of every process, got none of {jax.process_index()}"
        )
    if model.m < 3:
        raise ValueError(
            f"mesh must be None for num_ages = {model.m}: states are shared from 3 ages on"
        )
    return mesh


def _where(mesh):
    """The mesh, or the device on which JAX computes."""
    default = jax.config.jax_default_device
    if isinstance(default, str):
        default = jax.devices(default)[0]
    return mesh or default or jax.local_devices()[0]


def _terminal_values(model, dtype, mesh):
    if mesh is None:
        return periods.terminal_values(model, dtype)
    return sharded.start(model, dtype, mesh)


def _placed(values, mesh):
    """Values out of a save, where they belong."""
    if mesh is None:
        return jnp.asarray(values)
    cut, m = sharded.CUT, values.ndim
    widths = [(0, 0)] * m
    widths[cut] = (0, sharded.padded(values.shape[cut], mesh) - values.shape[cut])
    return sharding.from_host(np.pad(values, widths), sharding.spread(mesh, cut, m))


def _on_host(array, k, mesh):
    """The whole array in this process's memory, without padding."""
    if mesh is None:
        return np.asarray(array)
    return sharding.to_host(array)[:, :k]


def _trimmed(array, k, mesh):
    """A result without padding: on the host if there is any."""
    if mesh is None or array.shape[sharded.CUT] == k:
        return array
    return _on_host(array, k, mesh)


# --------------------------------------------------------------- memory, compilation


@functools.lru_cache(maxsize=64)
def _compiled(method, m, k, sizes, dtype, decide, where):
    """A backup compiled for these sizes: once, and never again in this process."""
    law = Period(*(jax.ShapeDtypeStruct(shape, dtype) for shape in sizes))
    if not isinstance(where, Mesh):
        values = jax.ShapeDtypeStruct((k,) * m, dtype)
        return BACKUPS[method].lower(values, law, decide=decide).compile()
    shape = [k] * m
    shape[sharded.CUT] = sharded.padded(k, where)
    cut, whole = sharding.spread(where, sharded.CUT, m), sharding.everywhere(where)
    values = jax.ShapeDtypeStruct(tuple(shape), dtype, sharding=cut)
    law = Period(*(jax.ShapeDtypeStruct(a.shape, dtype, sharding=whole) for a in law))
    return sharded.backup(where, m, decide).lower(values, law).compile()


def _sizes(laws):
    return tuple(array.shape for array in laws[0])


def _required(model, method, dtype, keep_policies, mesh):
    """Bytes at the peak: V_{t+1}, the backup with decisions, the decisions kept on the host."""
    _check_index(model, method)
    sizes = _sizes(periods.periods(model._replace(demand_pmf=_first(model)), dtype))
    decide = periods.decision_dtype(model)
    backup = _compiled(method, model.m, model.k, sizes, dtype, decide, _where(mesh))
    analysis = backup.memory_analysis()
    states = model.k**model.m
    return (
        analysis.argument_size_in_bytes
        + analysis.temp_size_in_bytes
        + analysis.output_size_in_bytes
        + 2 * keep_policies * states * np.dtype(decide).itemsize
    )


def _first(model):
    pmf = model.demand_pmf
    return pmf if pmf.ndim == 1 else pmf[0]


def _check_memory(model, T, method, dtype, keep_policies, mesh):
    devices = 1 if mesh is None else mesh.size
    # Virtual devices of a CPU share one memory.
    shared = (
        1
        if mesh is None or mesh.devices.flat[0].platform != "cpu"
        else len(
            [d for d in mesh.devices.flat if d.process_index == jax.process_index()]
        )
    )
    there = available_memory(None if mesh is None else mesh.local_devices[0]) // shared
    needed = 2 * model.k**model.m * np.dtype(dtype).itemsize // devices  # values alone
    if needed <= there:  # else there is no use in compiling for it
        needed = _required(model, method, dtype, T if keep_policies else 0, mesh)
    if needed > there:
        each = "" if devices == 1 else f" on each of {devices} devices"
        raise ValueError(
            f"num_levels^num_ages = {model.k}^{model.m} = {model.k**model.m:,} states need "
            f"{_gib(needed)}{each} with method {method!r} in {dtype}, but there are "
            f"{_gib(there)}; take a smaller model, another method or dtype, or more devices"
        )


def _check_method(method):
    if not isinstance(method, str) or method not in BACKUPS:
        raise ValueError(f"method must be one of {list(BACKUPS)}, got {method!r}")


def check_range(model, num_periods, dtype):
    """Raise if values might overflow: nothing earns more than all prices on full shelves."""
    prices = {"salvage": model.s, "holding": model.h, "order_cost": model.c}
    prices |= {"price": model.r, "disposal": model.θ}
    full = (num_periods + 1.0) * (model.m + 1) * model.k
    bound = float(np.finfo(dtype).max) / 1e3 / full
    for name, value in prices.items():
        if abs(value) > bound:
            raise ValueError(
                f"{name} must be within ±{bound:.1e}, so that values are finite in {dtype}, "
                f"got {value!r}"
            )


def _check_index(model, method):
    """State numbers are 32-bit integers inside the methods that look values up."""
    if model.k**model.m > 2**50:
        raise ValueError(
            "num_levels^num_ages must be below 2^50, got "
            f"{model.k}^{model.m} = {model.k**model.m:,}"
        )
    if method != "tensor" and model.k**model.m >= 2**31:
        raise ValueError(
            f"num_levels^num_ages must be below 2^31 with method {method!r}, got "
            f"{model.k}^{model.m}; method 'tensor' takes more"
        )


def _gib(size):
    return f"{size / 2**30:.3g} GiB" if size >= 2**20 else f"{size / 2**20:.3g} MiB"


def available_memory(device=None) -> int:
    """Bytes that a device, by default JAX's default one, can still hold."""
    stats = (device or _where(None)).memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = {line.split(":")[0]: line.split()[1] for line in lines}
        there = 1024 * int(free["MemAvailable"])
    except (OSError, KeyError, ValueError):  # not Linux: all that is built in
        try:
            there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (AttributeError, ValueError, OSError):
            return 2**63 - 1
    group = Path("/sys/fs/cgroup")  # a container may allow less than the machine has
    with contextlib.suppress(OSError, ValueError, KeyError):
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
        cached = dict(line.split() for line in lines)["inactive_file"]  # given back
        there = min(there, max(0, limit - used + int(cached)))
    return there


# ------------------------------------------------------------------------- arguments


def checked_dtype(dtype) -> str:
    """The name of a floating-point type that the solver works in."""
    if dtype is None:
        return "float64" if jax.config.jax_enable_x64 else "float32"
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = None
    if name not in periods.TIES:
        raise ValueError(f"dtype must be one of {list(periods.TIES)}, got {dtype!r}")
    return name


def in_precision(dtype):
    """Context in which JAX computes in this type."""
    return precision.enable_x64(dtype == "float64")


def released(result, dtype):
    """Results as the caller can use them: JAX in 32-bit mode would round float64 arrays."""
    if dtype == "float64" and not jax.config.jax_enable_x64:
        return jax.tree.map(
            lambda a: sharding.to_host(a) if isinstance(a, jax.Array) else a, result
        )
    return result


def check_rows(model, num_periods):
    pmf = model.demand_pmf
    if pmf.ndim == 2 and len(pmf) != num_periods:
        raise ValueError(
            f"demand_pmf must have num_periods = {num_periods} rows, got {len(pmf)}"
        )


def check_fits(model, arrays):
    """Raise if the host cannot hold so many arrays of 8-byte numbers, one a state."""
    needed, there = 8 * arrays * model.k**model.m, available_memory()
    if needed > there:
        raise ValueError(
            f"num_levels^num_ages = {model.k}^{model.m} = {model.k**model.m:,} states need "
            f"{_gib(needed)}, but there are {_gib(there)}"
        )


def _checked_path(checkpoint):
    try:
        path = Path(checkpoint)
        folder_exists, is_folder = path.parent.is_dir(), path.is_dir()
    except TypeError:
        raise ValueError(f"checkpoint must be a path, got {checkpoint!r}") from None
    except (ValueError, OSError) as error:  # a byte of zero, a name too long
        raise ValueError(
            f"checkpoint must be a path, got {checkpoint!r} ({error})"
        ) from None
    if not folder_exists:
        raise ValueError(
            f"checkpoint must lie in a folder that exists, got {str(checkpoint)!r}"
        )
    if is_folder:
        raise ValueError(f"checkpoint must be a file, got the folder {str(path)!r}")
    saves.check_writable(path)
    return path
