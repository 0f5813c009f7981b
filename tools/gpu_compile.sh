#!/usr/bin/env bash
# Compile the kernels for GPUs on a machine that has none: tools/gpu_compile.py in an environment of
# its own, with JAX's plugin for CUDA and NVIDIA's assembler, and without CUDA's libraries.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/environment.sh
venv=.venv-gpu
find_python
make_folder $venv "$chosen"
echo "Installing JAX and its plugin for CUDA into $venv ..."
install $venv -e .
jax=$($venv/bin/python -c 'from importlib.metadata import version; print(version("jax"))')
install $venv "jax-cuda12-plugin==$jax" "jax-cuda12-pjrt==$jax" nvidia-cuda-nvcc-cu12
$venv/bin/python -m tools.gpu_compile "$@"
