#!/usr/bin/env bash
# Runs the tests with real parts in test guests, and says of each tier whether it ran.
# Usage: run.sh "T2 T3" [arguments for pytest]
# Exit code 1 if a test failed. A tier that cannot run here is told and fails nothing.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."
tiers=$1
shift
case "$*" in *tests/*) ;; *) set -- tests/hardware "$@" ;; esac
told=()
failed=0
for tier in $tiers; do
  started=$SECONDS
  why=$("$here/prepare.sh" "$tier")
  case $? in
    0) ;;
    77)
      told+=("$tier did NOT run: ${why##*$'\n'}")
      continue
      ;;
    *)
      told+=("$tier did NOT run: it could not be prepared")
      failed=1
      continue
      ;;
  esac
  prepared=$SECONDS
  if ANSIM_TIER=$tier .venv/bin/python -m pytest -p no:cacheprovider "$@"; then
    told+=("$tier passed in $((SECONDS - prepared)) s (prepared in $((prepared - started)) s)")
  else
    told+=("$tier FAILED after $((SECONDS - prepared)) s")
    failed=1
  fi
done
printf 'test-hardware: %s\n' "${told[@]}"
exit "$failed"
