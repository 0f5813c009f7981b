#!/usr/bin/env bash
# make_env.sh FOLDER PYTHON PIP-ARGUMENTS...: make the virtual environment FOLDER, if it is not
# there or is broken, and install into it. PYTHON may be empty: then the first one that is >= 3.11.
set -euo pipefail
folder=$1 python=$2
shift 2

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if ! { [ -x "$folder/bin/python" ] && recent "$folder/bin/python"; }; then
  for candidate in $python python3.11 python3.12 python3.13 python3.14 python3; do
    if recent "$candidate"; then chosen=$candidate; break; fi
  done
  [ -n "${chosen:-}" ] || { echo "Python 3.11 or newer is needed: install it, or name it with make PYTHON=/path/to/python3." >&2; exit 1; }
  "$chosen" -m venv --clear "$folder" \
    || { echo "$chosen has no venv module: on Debian and Ubuntu, apt install python3-venv." >&2; exit 1; }
fi
echo "Installing into $folder (some minutes the first time) ..."
"$folder/bin/python" -m pip install -qq "$@" \
  || { echo "The installation failed (see pip's message above): is there a network? Run make again." >&2; exit 1; }
