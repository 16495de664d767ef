#!/usr/bin/env bash
# Writes the pinned, hashed locks in packaging/lock from the names in pyproject.toml. The files hold
# hashes for every platform that the registry has, arm64 too, and no address of a registry.
# Usage: packaging/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."

tool=.venv/lock-tool
if [ ! -x "$tool/bin/uv" ]; then
  "${PYTHON:-.venv/bin/python}" -m venv "$tool"
  "$tool/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
    --requirement packaging/lock/tool.txt
fi

compile() { # python, output, arguments...
  local python=$1 output=$2
  shift 2
  "$tool/bin/uv" pip compile --system-certs --quiet --no-progress --generate-hashes --no-header \
    --no-emit-index-url --no-emit-find-links --no-annotate --python-version "$python" \
    --constraint packaging/lock/limits.in \
    --output-file "packaging/lock/$output" "$@" >/dev/null
}

for python in 3.11 3.13; do
  short=${python/./}
  compile "$python" "hub-py$short.txt" "${@}" --extra hub pyproject.toml
  # The tools stand on the hub's versions, so that tests run on what a hub runs on.
  compile "$python" "dev-py$short.txt" "${@}" --extra hub --extra dev \
    --constraint "packaging/lock/hub-py$short.txt" pyproject.toml
done
compile 3.11 build.txt "${@}" packaging/lock/build.in
compile 3.11 tool.txt "${@}" packaging/lock/tool.in
