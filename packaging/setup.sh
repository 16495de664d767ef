#!/usr/bin/env bash
# Makes everything ready that `make demo`, `make test` and `make check` need, on a fresh Debian 12
# or 13 or Raspberry Pi OS: what is missing of the distribution's packages (with sudo where needed
# and only then), a virtual environment in .venv, the pinned and hashed requirements, this project.
# A second run finds its stamp and costs well under a second.
#
# Usage: packaging/setup.sh hub|dev|test
#   hub   what a hub runs on               (make demo)
#   dev   and the tools                    (make check)
#   test  and a second Python in .venv/other, if this machine has one, to compare 3.11 with 3.13
#
# ANSIM_PYTHON chooses the interpreter (3.11 or 3.13).
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

want=${1:-hub}
case $want in hub | dev | test) ;; *) echo "usage: packaging/setup.sh hub|dev|test" >&2; exit 2 ;; esac

say() { printf 'setup: %s\n' "$*"; }
stop() { printf 'setup: cannot go on: %s\n' "$*" >&2; exit 1; }

# ------------------------------------------------------------------------- the distribution

apt_install() { # packages...
  command -v apt-get >/dev/null || stop "apt-get is not here; install these by hand and try again: $*"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null \
      || stop "packages are missing and there is no sudo; as root run: apt-get install -y $*"
    if [ ! -t 0 ] && ! sudo -n true 2>/dev/null; then
      stop "packages are missing and sudo would ask for a password; run: sudo apt-get install -y $*"
    fi
    as_root=(sudo)
  fi
  say "installing from the distribution${as_root:+ with sudo}: $*"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120)
  local install=("${as_root[@]}" "${apt[@]}" install -y -qq --no-install-recommends "$@")
  local log
  log=$(mktemp)
  # A fresh image has no package lists, an old one has stale lists: then fetch them and try again.
  if ! "${install[@]}" >"$log" 2>&1 </dev/null; then
    say "fetching the package lists"
    "${as_root[@]}" "${apt[@]}" update -qq >"$log" 2>&1 </dev/null || true
    if ! "${install[@]}" >"$log" 2>&1 </dev/null; then
      tail -n 15 "$log" >&2
      rm -f "$log"
      stop "apt-get could not install: $*  (its last words are above; is the network there?)"
    fi
  fi
  rm -f "$log"
}

# --------------------------------------------------------------------------------- Python

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

find_python() { # versions... -> path of the first interpreter of one of them
  local candidate found version
  for candidate in ${ANSIM_PYTHON:+"$ANSIM_PYTHON"} python3.11 python3.13 python3 \
    /usr/bin/python3.11 /usr/bin/python3.13 /usr/bin/python3 \
    "${PYENV_ROOT:-${HOME}/.pyenv}"/versions/3.1[13].*/bin/python; do
    # A version manager's shim may be there without its Python: only one that runs counts.
    found=$(version_of "$candidate") || continue
    for version in "$@"; do
      if [ "$found" = "$version" ]; then
        "$candidate" -c 'import sys; print(sys.executable)'
        return 0
      fi
    done
  done
  return 1
}

has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
has_headers() {
  "$1" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'
}

pip_install() { # python of a venv, arguments...
  local python=$1
  shift
  "$python" -m pip --disable-pip-version-check install -qq --no-input "$@" \
    || stop "pip could not install the pinned requirements (its words are above; is the network there?)"
}

fill() { # python of a venv, locks...
  local python=$1 short lock
  shift
  short=$(version_of "$python")
  short=${short/./}
  pip_install "$python" --require-hashes --requirement packaging/lock/build.txt
  for lock in "$@"; do
    # Without build isolation: what comes as source is built with the pinned setuptools too.
    pip_install "$python" --no-build-isolation --require-hashes \
      --requirement "packaging/lock/$lock-py$short.txt"
  done
  pip_install "$python" --no-build-isolation --no-deps --editable .
}

# ---------------------------------------------------------------------------------- stamps

print_of() { # what this installation was made from
  { pwd; cat pyproject.toml packaging/setup.sh packaging/lock/*.txt; echo "${ANSIM_PYTHON:-}"; } \
    | sha256sum | cut -d' ' -f1
}
print=$(print_of)

ready() { # which
  [ "$(cat ".venv/.stamp-$1" 2>/dev/null)" = "$print" ] \
    && [ -x .venv/bin/python ] && command -v mosquitto >/dev/null
}

exec 9<Makefile
flock 9 # two makes at once: the second waits and then finds everything done
ready "$want" && exit 0

started=$SECONDS

# ------------------------------------------------------------------------------------- do it

missing=()
command -v mosquitto >/dev/null || missing+=(mosquitto)
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
command -v pkg-config >/dev/null || missing+=(pkg-config)
pkg-config --exists libsystemd 2>/dev/null || missing+=(libsystemd-dev)
python=$(find_python 3.11 3.13) || missing+=(python3)
if [ -z "$python" ] || ! has_venv "$python"; then missing+=(python3-venv); fi
if [ -z "$python" ] || ! has_headers "$python"; then missing+=(python3-dev); fi
# A D-Bus daemon of its own for each test of the radio; a hub has the system's.
if [ "$want" = test ] && ! command -v dbus-daemon >/dev/null; then missing+=(dbus-daemon); fi
if [ ${#missing[@]} -gt 0 ]; then apt_install "${missing[@]}"; fi

[ -n "$python" ] || python=$(find_python 3.11 3.13) \
  || stop "neither Python 3.11 nor 3.13 is here; set ANSIM_PYTHON to one of them"
has_venv "$python" || stop "$python cannot make virtual environments; install its venv package"
has_headers "$python" || stop "$python has no header files; install its -dev package"

if [ "$(version_of .venv/bin/python || true)" != "$(version_of "$python")" ] \
  || [ "$(cat .venv/.place 2>/dev/null)" != "$(pwd)" ]; then
  say "making .venv with $python ($(version_of "$python"))"
  "$python" -m venv --clear .venv || stop "$python could not make .venv"
  pwd >.venv/.place
fi

if ! ready hub; then
  say "installing what a hub runs on (pinned, hashed)"
  fill .venv/bin/python hub
  echo "$print" >.venv/.stamp-hub
fi
if [ "$want" != hub ] && ! ready dev; then
  say "installing the tools for tests and checks (pinned, hashed)"
  fill .venv/bin/python dev
  echo "$print" >.venv/.stamp-dev
fi
if [ "$want" = test ]; then
  other=3.13
  [ "$(version_of "$python")" = 3.11 ] || other=3.11
  rm -rf .venv/other
  if found=$(ANSIM_PYTHON='' find_python "$other") && has_venv "$found" && has_headers "$found"; then
    say "installing for Python $other too, to compare"
    "$found" -m venv .venv/other || stop "$found could not make .venv/other"
    fill .venv/other/bin/python hub
  else
    say "no Python $other here: what compares two Pythons will be skipped"
  fi
  echo "$print" >.venv/.stamp-test
fi
say "ready after $((SECONDS - started)) s"
