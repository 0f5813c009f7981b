"""What a compiled program launches is counted right. (Nothing is compiled for a GPU here.)"""

import jax
import jax.numpy as jnp
import pytest

from tools import gpu_compile

PROGRAM = """HloModule jit_f

%fused_add (p: f32[8]) -> f32[8] {
  %p = f32[8]{0} parameter(0)
  ROOT %add.1 = f32[8]{0} add(%p, %p)
}

%body.2 (arg: (s32[], f32[8])) -> (s32[], f32[8]) {
  %arg = (s32[], f32[8]{0}) parameter(0)
  %i = s32[] get-tuple-element(%arg), index=0
  %x = f32[8]{0} get-tuple-element(%arg), index=1
  %f.1 = f32[8]{0} fusion(%x), kind=kLoop, calls=%fused_add
  %i.1 = s32[] fusion(%i), kind=kLoop, calls=%fused_add
  ROOT %t = (s32[], f32[8]{0}) tuple(%i.1, %f.1)
}

%condition.2 (arg: (s32[], f32[8])) -> pred[] {
  %arg.1 = (s32[], f32[8]{0}) parameter(0)
  ROOT %c = pred[] fusion(%arg.1), kind=kLoop, calls=%fused_add
}

%nested (arg: f32[8]) -> f32[8] {
  %arg.2 = f32[8]{0} parameter(0)
  %w.1 = (s32[], f32[8]{0}) while(%arg.2), condition=%condition.2, body=%body.2
  ROOT %s = f32[8]{0} get-tuple-element(%w.1), index=1
}

ENTRY %main (x: f32[8]) -> f32[8] {
  %x.1 = f32[8]{0} parameter(0)
  %b = f32[4,2]{1,0} bitcast(%x.1)
  %cub = (f32[8]{0}, u8[99]{0}) custom-call(%x.1), custom_call_target="__cub$DeviceRadixSort"
  %w = (s32[], f32[8]{0}) while(%cub), condition=%condition.2, body=%body.2, backend_config={"known_trip_count":{"n":"10"}}
  %called = f32[8]{0} call(%x.1), to_apply=%nested
  ROOT %copy.3 = f32[8]{0} copy(%called)
}
"""


@pytest.mark.parametrize("turns", [1, 7])
def test_launches_are_counted_turn_by_turn(turns):
    """Ten turns of three; a loop whose length nobody knows; a sort and a copy."""
    found = gpu_compile.count(PROGRAM, turns)
    assert found.launches == 10 * 3 + turns * 3 + 2
    assert found.turns == turns


def test_random_words_are_counted_through_loops():
    def draws(key, n):
        def step(total, t):
            drawn = jax.random.bits(jax.random.fold_in(key, t), (5, 3))
            return total + drawn.sum(), None

        total, _ = jax.lax.scan(step, jnp.uint32(0), jnp.arange(11))
        more = jax.lax.fori_loop(
            0,
            n,
            lambda t, x: x + jax.random.bits(jax.random.fold_in(key, 100 + t)),
            total,
        )
        return more

    traced = jax.jit(draws).trace(jax.random.key(0), 4)
    assert gpu_compile.random_words(traced.jaxpr.jaxpr, turns=4) == 11 * 15 + 4


def test_examples_are_noted_as_they_are_called():
    from lectures_helpers.dynamics import ss

    calls = gpu_compile.record(
        lambda: ss.sample_path(ss.create_parameters(), 50.0, 3, key=jax.random.key(0))
    )
    assert [call.name for call in calls] == ["ss._sample_path"]
    assert not isinstance(ss._sample_path, gpu_compile.Recorder)
    assert calls[0].function is ss._sample_path


def test_a_prediction_is_no_less_than_the_card_s_limit():
    row = {
        "argument_bytes": 4,
        "result_bytes": 4,
        "temporary_bytes": 160_000_000,
        "launches": 100,
    }
    found = gpu_compile.predict(row, "T4", 10**6)
    assert found["limit_s"] == pytest.approx(
        1e-3, rel=1e-6
    )  # 320 MB at 320 GB a second
    assert found["predicted_s"] == pytest.approx([1.4e-3, 1.5e-3], rel=1e-6)
