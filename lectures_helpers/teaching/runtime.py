"""What the lectures run on, how long a call takes, and what a function's source says."""

import ast
import inspect
import os
import platform
import re
import textwrap
import time
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import jax
from IPython.display import Markdown

from lectures_helpers import checks

__all__ = ["Timing", "device_summary", "memory", "show_source", "timed"]


class Timing(NamedTuple):
    """Run times of one function, compile time apart."""

    first: float  #: first call, seconds; compilation included if JAX compiled in it
    median: float  #: median of the later calls, seconds
    device: str  #: where it ran
    calls: int  #: number of later calls
    result: Any  #: what the last call returned

    def __str__(self) -> str:
        first, later = _seconds(self.first), _seconds(self.median)
        calls = f"first call {first}, later calls {later} (median of {self.calls})"
        return f"{calls} on {self.device}"


def timed(fn: Callable, *args: Any, repeats: int = 5, **kwargs: Any) -> Timing:
    """Time ``fn(*args, **kwargs)``: the first call, then the median of later ones.

    Each call is waited for until all arrays in its result are computed.  A key
    among the arguments gives the same draws every time: the repetitions time
    the work again and add no new sample.

    Args:
        fn: the function to call.
        *args: its positional arguments.
        repeats: number of later calls, >= 1.
        **kwargs: its keyword arguments.

    Returns:
        The two times, in seconds, with the last call's result.

    Raises:
        ValueError: `fn` is not callable or `repeats` < 1.

    >>> timed(max, 1, 2).result
    2
    """
    if not callable(fn):
        raise ValueError(f"fn must be callable, got {fn!r}")
    repeats = checks.integer("repeats", repeats, 1)
    seconds, result = [], None
    for _ in range(1 + repeats):
        result = None  # so that two results need not fit in memory
        start = time.perf_counter()
        result = jax.block_until_ready(fn(*args, **kwargs))
        seconds.append(time.perf_counter() - start)
    return Timing(seconds[0], median(seconds[1:]), device_summary(), repeats, result)


def memory(compiled: jax.stages.Compiled) -> int:
    """Bytes that XLA sets aside for a compiled function: temporaries and results.

    Args:
        compiled: what ``jax.jit(fn).lower(*args).compile()`` returns.

    Raises:
        ValueError: `compiled` is something else.

    >>> import jax.numpy as jnp
    >>> add_one = jax.jit(lambda x: x + 1).lower(jnp.zeros(1000, "float32"))
    >>> memory(add_one.compile())
    4000
    """
    if not isinstance(compiled, jax.stages.Compiled):
        raise ValueError(f"compiled must be a compiled JAX function, got {compiled!r}")
    analysis: Any = compiled.memory_analysis()
    return analysis.temp_size_in_bytes + analysis.output_size_in_bytes


def device_summary() -> str:
    """Describe the default device in a few words: a CPU with its cores, or GPUs by name."""
    devices = jax.devices()
    kind = devices[0].device_kind
    if devices[0].platform == "cpu":
        cores = _usable_cores()
        return f"CPU ({platform.machine()}, {cores} core{'s' if cores > 1 else ''})"
    return kind if len(devices) == 1 else f"{len(devices)} × {kind}"


def show_source(*functions: Callable) -> Markdown:
    """Return the source of functions for display, without their docstrings.

    Highlighted in page, Jupyter and Colab alike.
    Works through decorators such as ``jax.jit`` that keep the function they wrap.

    Args:
        *functions: the functions (or classes) to show, one below the other.

    Raises:
        ValueError: nothing to show, or something that has no Python source.

    >>> print(show_source(device_summary).data.splitlines()[1])
    def device_summary() -> str:
    """
    if not functions:
        raise ValueError("functions must name at least one function, got none")
    sources = "\n\n".join(_source(fn) for fn in functions)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", sources)), default=0))
    return Markdown(f"{fence}python\n{sources}\n{fence}")


def _source(fn):
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(fn))).rstrip()
        definition = ast.parse(source).body[0]
        documented = ast.get_docstring(definition) is not None
    except (TypeError, OSError, SyntaxError):
        raise ValueError(f"functions must have Python source, got {fn!r}") from None
    lines, (first, *others) = source.splitlines(), definition.body
    # A docstring goes if it has lines of its own and leaves a statement.
    if documented and others and others[0].lineno > first.end_lineno:
        blank_after = not lines[first.end_lineno].strip()
        del lines[first.lineno - 1 : first.end_lineno + blank_after]
    return "\n".join(lines)


def _seconds(seconds: float) -> str:
    """Seconds in a unit that reads well, three digits."""
    units = ((1.0, "s"), (1e-3, "ms"), (1e-6, "μs"))
    size, unit = next((each for each in units if seconds >= each[0]), units[-1])
    return f"{seconds / size:.3g} {unit}"


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS or Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
