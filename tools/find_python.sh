#!/usr/bin/env bash
# Print the Python that the course runs on: the one that PYTHON names, or the first that is >= 3.11.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/environment.sh
find_python
echo "$chosen"
