#!/usr/bin/env bash
# Run the lectures' cells under other arithmetic than they were written on: what a law says must
# hold there too. The nearest thing to a GPU that a machine without one has.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

lectures() {
  echo "The lectures, $1:"
  shift
  env JAX_PLATFORMS=cpu LECTURES_STRICT=0 "$@" .venv/bin/python -m pytest -q -n "${WORKERS:-2}" \
    --dist loadfile --nbval-lax --nbval-cell-timeout=600 book || failed=1
}

lectures "in 64 bits" JAX_ENABLE_X64=1
lectures "in fast arithmetic" XLA_FLAGS=--xla_cpu_enable_fast_math=true
lectures "on 3 devices" XLA_FLAGS=--xla_force_host_platform_device_count=3
lectures "on 8 devices" XLA_FLAGS=--xla_force_host_platform_device_count=8
lectures "as on a GPU" PYTHONPATH=tests/as_on_a_gpu
exit $failed
