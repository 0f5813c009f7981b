#!/usr/bin/env bash
# make_env.sh FOLDER REQUIREMENTS: bring the virtual environment FOLDER up to date. It is made once,
# and installed into when REQUIREMENTS or pyproject.toml change. PYTHON may name the Python.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/environment.sh
folder=$1 requirements=$2
stamp=$folder/.installed
# What the files say, not their dates: after a change of branch and back there is nothing to do.
wanted=$(cat "$requirements" pyproject.toml | cksum)

of_the_named_python() {
  [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of "$folder/bin/python")" ]
}
is_ready() {
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && recent "$folder/bin/python" \
    && of_the_named_python && is_finished "$folder"
}

if is_ready; then exit; fi
find_python
for place in "$(pwd)" "$folder"; do
  [ ! -e "$place" ] || [ -w "$place" ] \
    || refuse "$place cannot be written to: copy the course to a folder of your own, and run make there."
done
exec 9<.
"$chosen" tools/alone.py
if is_ready; then exit; fi # the other make has done it
if [ -e "$folder/bin/python" ] && ! { recent "$folder/bin/python" && of_the_named_python; }; then
  echo "Making $folder anew: its Python is $(version_of "$folder/bin/python" || echo gone)."
  rm -rf "$folder"
fi
make_folder "$folder" "$chosen"
echo "Installing into $folder (some minutes the first time) ..."
install "$folder" -r "$requirements"
echo "$wanted" >"$stamp"
