"""What a device can hold, and what a compiled program will."""

import contextlib
import os
from pathlib import Path
from typing import Any

import jax
from jax.sharding import Mesh

from lectures_helpers.expiry.model import Model

__all__ = ["available_memory"]


def default_device() -> jax.Device:
    """The device on which JAX computes."""
    default = jax.config.jax_default_device  # type: ignore[attr-defined]  # made at run time
    if isinstance(default, str):
        default = jax.devices(default)[0]
    return default or jax.local_devices()[0]


def available_memory(where: jax.Device | Mesh | None = None) -> int:
    """Bytes that a device can still hold.

    Args:
        where: a device, by default the one on which JAX computes; or a mesh, whose
            devices are alike: then the bytes are those of each.

    Returns:
        Bytes.  On a CPU they are the system's, less what a container may not have.
    """
    if isinstance(where, Mesh):
        device = where.local_devices[0]
        virtual = device.platform == "cpu"  # they share one memory
        return available_memory(device) // (len(where.local_devices) if virtual else 1)
    stats = (where or default_device()).memory_stats()
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


def program_bytes(program: jax.stages.Compiled) -> int:
    """Bytes that a compiled program holds on each device: what goes in, between, and out."""
    analysis: Any = program.memory_analysis()
    return (
        analysis.argument_size_in_bytes
        + analysis.temp_size_in_bytes
        + analysis.output_size_in_bytes
    )


def size(num_bytes: int) -> str:
    """A number of bytes for people."""
    unit, name = (2**30, "GiB") if num_bytes >= 2**20 else (2**20, "MiB")
    return f"{num_bytes / unit:.3g} {name}"


def states(model: Model) -> str:
    """The number of states for people."""
    m, k = model.num_ages, model.num_levels
    return f"num_levels^num_ages = {k}^{m} = {k**m:,} states"


def check_fits(what: str, needed: int, mesh: Mesh | None = None, how: str = "") -> None:
    """Raise if the device, or each of a mesh, cannot hold so many bytes."""
    if needed > (there := available_memory(mesh)):
        raise ValueError(
            f"{what} need {size(needed)}{how}, but there are {size(there)}"
        )
