#!/usr/bin/env bash
# Run every twin in a copy of Colab's environment: its Python, its versions, our package.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/environment.sh
pins=tools/colab-requirements.txt
venv=.venv-colab
python=$venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK=1

is_313() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }

if ! { is_313 "$python" && is_whole $venv; }; then
  for candidate in python3.13 ~/.pyenv/versions/3.13.*/bin/python /usr/local/bin/python3.13; do
    if is_313 "$candidate"; then found=$candidate; break; fi
  done
  [ -n "${found:-}" ] || { echo "make colab needs Python 3.13, the version that Colab runs: install it (pyenv install 3.13) and try again." >&2; exit 1; }
  rm -rf $venv
  make_folder $venv "$found"
fi
if [ ! $venv/.installed -nt $pins ]; then
  echo "Installing Colab's versions into $venv ..."
  install $venv -r $pins
  touch $venv/.installed
fi

# With its dependencies: were a bound too high for Colab, pip would replace a pinned version here.
before=$($python -m pip freeze --exclude lectures_helpers --exclude-editable)
install $venv -e .
after=$($python -m pip freeze --exclude lectures_helpers --exclude-editable)
if [ "$before" != "$after" ]; then
  diff <(echo "$before") <(echo "$after") >&2 || true
  echo "Installing the package changed Colab's own packages: lower the bounds in pyproject.toml." >&2
  rm -f $venv/.installed
  exit 1
fi

# The test runner may add packages; it may not move a pinned one.
install $venv -c $pins pytest pytest-xdist nbval
check='
import sys
from importlib.metadata import version
pins = dict(l.split("==") for l in open("tools/colab-requirements.txt").read().split("\n") if "==" in l)
moved = [f"{n} {version(n)} instead of {v}" for n, v in pins.items() if version(n) != v]
sys.exit("Not the versions of Colab: " + ", ".join(moved) if moved else 0)
'
$python -c "$check"

JAX_PLATFORMS=${JAX_PLATFORMS:-cpu} $python -m pytest -o testpaths=book -o addopts=--strict-markers -o filterwarnings=ignore \
  -n "${WORKERS:-2}" --dist loadfile --nbval-lax --nbval-cell-timeout=300 book
$python -c "$check"
echo "Every lecture runs in Colab's environment, and its packages are as they were."
