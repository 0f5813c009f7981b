#!/usr/bin/env bash
# Run the tests and the lectures on the lowest versions that pyproject.toml allows.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/environment.sh
venv=.venv-lowest
python=$venv/bin/python
constraints=$venv/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK=1

lowest() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; }

if ! { lowest "$python" && is_whole $venv; }; then
  for candidate in ${PYTHON:-} python3.11 ~/.pyenv/versions/3.11.*/bin/python python3; do
    if lowest "$candidate"; then found=$candidate; break; fi
  done
  [ -n "${found:-}" ] || { echo "make lowest needs Python 3.11, the lowest that pyproject.toml allows: install it (pyenv install 3.11) and try again." >&2; exit 1; }
  rm -rf $venv
  make_folder $venv "$found"
fi

# name>=1.2 becomes name==1.2, which is 1.2.0. What the package does not name itself is the newest
# that goes with it, and so are the tools of requirements.txt.
$python - > $constraints <<'PY'
import re
import sys
import tomllib

with open("pyproject.toml", "rb") as file:
    dependencies = tomllib.load(file)["project"]["dependencies"]
for dependency in dependencies:
    if not re.fullmatch(r"[\w-]+>=[\d.]+", dependency):
        sys.exit(f"pyproject.toml: write {dependency!r} as name>=version, so that the lowest can be tested")
    print(dependency.replace(">=", "=="))
PY
echo "Installing the lowest versions into $venv ..."
(install $venv -c $constraints -r requirements.txt) \
  || refuse "If pip names a conflict, no set of packages has the lowest versions of pyproject.toml: raise the bound that stands in the way."

# (The built book is not tested here: it is the same, whatever the versions.)
$python -m pytest --ignore tests/test_site.py --ignore tests/test_site_files.py -n "${WORKERS:-2}" --dist loadfile --nbval-lax --nbval-cell-timeout=300
echo "The tests pass on the lowest versions: $(tr '\n' ' ' < $constraints)"
