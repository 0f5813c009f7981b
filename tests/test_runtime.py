"""Timing, device and source: what the lectures say about their own run."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lectures_helpers.teaching import runtime

# -------------------------------------------------------------------------- timed


def test_timed_calls_once_and_then_as_often_as_asked():
    calls = []

    def fn(*args, **kwargs):
        calls.append((args, kwargs))
        return len(calls)

    timing = runtime.timed(fn, 1, 2, repeats=4, a=3)
    assert calls == [((1, 2), {"a": 3})] * 5
    assert timing.calls == 4
    assert timing.result == 5, "the result of the last call"
    assert len(calls) == 5
    runtime.timed(fn)
    assert len(calls) == 11, "six calls by default"


def test_first_call_stands_apart():
    """The slow first call is in `first`; one slow later call does not move the median."""
    naps = iter([0.05, 0.0, 0.05, 0.0])
    timing = runtime.timed(lambda: time.sleep(next(naps)), repeats=3)
    assert timing.first >= 0.05
    assert 0 <= timing.median < 0.04  # slack for a busy machine


def test_timed_waits_for_every_array(monkeypatch):
    waited = []
    wait = jax.block_until_ready
    monkeypatch.setattr(jax, "block_until_ready", lambda x: waited.append(x) or wait(x))
    timing = runtime.timed(
        lambda: {"a": jnp.ones(2), "b": (jnp.zeros(3), 1.0)}, repeats=2
    )
    assert len(waited) == 3
    assert set(waited[-1]) == {"a", "b"}
    np.testing.assert_array_equal(timing.result["b"][0], np.zeros(3))


def test_compilation_falls_into_the_first_call_alone():
    traced = []

    @jax.jit
    def fn(x):
        traced.append(x)
        return x + 1

    timing = runtime.timed(fn, jnp.ones(3), repeats=6)
    assert len(traced) == 1
    assert np.isfinite([timing.first, timing.median]).all()
    assert (
        timing.first > timing.median > 0
    )  # tracing and compiling against adding three numbers


def test_timing_reads_as_a_sentence():
    timing = runtime.Timing(1.25, 0.00373, "CPU (two cores)", 5, None)
    assert str(timing) == (
        "first call 1.25 s, later calls 3.73 ms (median of 5) on CPU (two cores)"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (12.34, "12.3 s"),
        (1.0, "1 s"),
        (0.5, "500 ms"),
        (2e-5, "20 μs"),
        (3e-8, "0.03 μs"),
    ],
)
def test_seconds_in_a_unit_that_reads_well(seconds, text):
    assert runtime._seconds(seconds) == text


@pytest.mark.parametrize("fn", [3, None, "max"], ids=repr)
def test_timed_refuses_what_cannot_be_called(fn):
    with pytest.raises(ValueError, match=rf"^fn must be callable, got {fn!r}$"):
        runtime.timed(fn)


@pytest.mark.parametrize("repeats", [0, -1, 2.0, None], ids=repr)
def test_timed_refuses_no_later_call(repeats):
    with pytest.raises(
        ValueError, match=rf"^repeats must be an integer >= 1, got {repeats}$"
    ):
        runtime.timed(max, 1, 2, repeats=repeats)


def test_timed_lets_errors_of_the_function_through():
    with pytest.raises(ZeroDivisionError):
        runtime.timed(lambda: 1 // 0)


# ------------------------------------------------------------------ memory, device


def compiled_for(fn, x):
    return jax.jit(fn).lower(x).compile()


def test_memory_counts_results_and_temporaries():
    x = jnp.ones((100, 100))
    assert runtime.memory(compiled_for(lambda x: x + 1, x)) == 100 * 100 * 4
    # Two products: one of them must be kept while the other is computed.
    assert runtime.memory(compiled_for(lambda x: (x @ x) @ x, x)) >= 2 * 100 * 100 * 4


@pytest.mark.parametrize(
    "thing", [3, None, jnp.sum], ids=["number", "nothing", "function"]
)
def test_memory_refuses_what_is_not_compiled(thing):
    with pytest.raises(
        ValueError, match=r"^compiled must be a compiled JAX function, got "
    ):
        runtime.memory(thing)


def test_device_of_the_tests_is_the_cpu():
    summary = runtime.device_summary()
    assert summary.startswith("CPU (")
    assert " core" in summary


@pytest.mark.parametrize(
    ("count", "summary"),
    [(1, "NVIDIA Toy"), (4, "4 × NVIDIA Toy")],
    ids=["one", "four"],
)
def test_gpus_are_named(monkeypatch, count, summary):
    class Device:
        platform, device_kind = "gpu", "NVIDIA Toy"

    monkeypatch.setattr(jax, "devices", lambda: [Device()] * count)
    assert runtime.device_summary() == summary


@pytest.mark.parametrize(("cores", "text"), [(1, "1 core)"), (8, "8 cores)")])
def test_cores_are_counted(monkeypatch, cores, text):
    monkeypatch.setattr(runtime, "_usable_cores", lambda: cores)
    assert runtime.device_summary().endswith(text)


# -------------------------------------------------------------------- show_source


def bare(x):
    return x + 1


def documented(x):
    """Say a lot.

    Over several lines.
    """

    # a comment stays
    return x + 2


@jax.jit
def compiled(x):
    """Add three."""
    return x + 3


BARE = "def bare(x):\n    return x + 1"


def test_source_is_a_block_of_python():
    assert runtime.show_source(bare).data == f"```python\n{BARE}\n```"


def test_source_without_its_docstring():
    expected = "def documented(x):\n    # a comment stays\n    return x + 2"
    assert runtime.show_source(documented).data == f"```python\n{expected}\n```"


def test_source_sees_through_jit():
    expected = "@jax.jit\ndef compiled(x):\n    return x + 3"
    assert runtime.show_source(compiled).data == f"```python\n{expected}\n```"


def test_source_of_several_functions_and_of_nested_ones():
    def nested(y):
        """Documented."""
        return y

    expected = f"{BARE}\n\ndef nested(y):\n    return y"
    assert runtime.show_source(bare, nested).data == f"```python\n{expected}\n```"


def test_every_kernel_of_the_lectures_can_be_shown():
    from lectures_helpers.dynamics import ss

    for fn in (ss.update, ss.advance, ss.snapshots, ss.Parameters, ss.one_period):
        source = runtime.show_source(fn).data
        assert source.startswith("```python\n")
        assert '"""' not in source


@pytest.mark.parametrize("thing", [max, 3], ids=["builtin", "number"])
def test_source_refuses_what_has_none(thing):
    with pytest.raises(ValueError, match="functions must have Python source, got"):
        runtime.show_source(thing)


def test_source_refuses_nothing():
    with pytest.raises(
        ValueError, match="functions must name at least one function, got none"
    ):
        runtime.show_source()
