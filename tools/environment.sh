# shellcheck shell=bash
# What the scripts that make an environment share; to be sourced, from the repository's root.

trap 'exit 130' INT # Ctrl-C is no fault of a Python, and wants no advice

refuse() { printf '%s\n' "$*" >&2; exit 1; }

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# The Python that makes the environment, as $chosen: the one that PYTHON names, or the first that
# is new enough.
find_python() {
  if [ -n "${PYTHON:-}" ]; then
    local version
    version=$(version_of "$PYTHON") || refuse "PYTHON=$PYTHON is no Python that runs here."
    recent "$PYTHON" || refuse "PYTHON=$PYTHON is Python $version: 3.11 or newer is needed."
    chosen=$PYTHON
    return
  fi
  for chosen in python3.11 python3.12 python3.13 python3.14 python3 python; do
    if recent "$chosen"; then return; fi
  done
  refuse "Python 3.11 or newer is needed: install it, or name it with make PYTHON=/path/to/python3."
}

has_room() { # FOLDER: for an environment without packages
  local status=0
  { head -c 20000000 /dev/zero >"$1/.room"; } 2>/dev/null || status=1
  rm -f "$1/.room"
  return $status
}

disk_is_full() { refuse "The disk is full: the environment needs some 2 GB here. Make room, then run make again."; }

# Finished (what is broken off leaves .unfinished), and where it was made: programs hold their path.
is_finished() { # FOLDER
  [ ! -e "$1/.unfinished" ] || return 1
  [ ! -e "$1/.place" ] || [ "$(cat "$1/.place")" = "$(pwd -P)" ]
}

is_whole() { is_finished "$1" && "$1/bin/python" -m pip --version >/dev/null 2>&1; }

# An environment in FOLDER: one that is there and whole is kept, another is removed.
make_folder() { # FOLDER PYTHON
  local folder=$1 python=$2 said=""
  if [ -e "$folder" ] || [ -L "$folder" ]; then
    if is_whole "$folder"; then return; fi
    echo "Making $folder anew: it is half-made, or was made elsewhere."
    rm -rf "$folder"
  fi
  "$python" -c 'import venv, ensurepip; ensurepip.version()' 2>/dev/null \
    || refuse "$python cannot make an environment: on Debian and Ubuntu, apt install python3-venv (for a Python that is not the system's own: python$(version_of "$python")-venv). Then run make again."
  if ! { mkdir "$folder" && touch "$folder/.unfinished" && said=$("$python" -m venv "$folder" 2>&1) && pwd -P >"$folder/.place"; }; then
    if ! { has_room "$folder" && has_room "${TMPDIR:-/tmp}"; }; then rm -rf "$folder"; disk_is_full; fi
    rm -rf "$folder"
    refuse "$said"$'\n'"$python could not make the environment $folder: see its message above."
  fi
}

# Install into FOLDER; where that fails, say what to do.
install() { # FOLDER PIP-ARGUMENTS...
  local folder=$1 said
  shift
  touch "$folder/.unfinished" || disk_is_full
  if said=$("$folder/bin/python" -m pip install -qq "$@" 2>&1); then
    [ -z "$said" ] || printf '%s\n' "$said" >&2
    rm "$folder/.unfinished"
    return
  fi
  printf '%s\n' "$said" >&2
  case $said in
    *"No space left"* | *"Errno 28"* | *"quota exceeded"*) disk_is_full ;;
    *"Permission denied"* | *"Read-only file system"*)
      refuse "pip may not write there (see its message above)." ;;
    *"from versions: none"* | *"name resolution"* | *"onnection"* | *"roxy"* | *SSLError* | *"timed out"*)
      rm "$folder/.unfinished" # pip fetches everything before it installs anything
      refuse "pip found no packages (see its message above): is there a network, is a proxy needed? Then run make again." ;;
    *) refuse "The installation failed: see pip's message above." ;;
  esac
}
