#!/usr/bin/env bash
# Runs the tests with real parts in test guests, and says of each tier whether it ran.
# Usage: run.sh "T2 T3" [arguments for pytest]
# What a failed test leaves behind (console, jobs and their output) is in ANSIM_VM_WORK/run-T2 or -T3.
# Exit code 1 if a test failed. A tier that cannot run here is told and fails nothing.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."
tiers=$1
shift
case "$*" in *tests/*) ;; *) set -- tests/hardware "$@" ;; esac
work=${ANSIM_VM_WORK:-${XDG_CACHE_HOME:-$HOME/.cache}/ansim-vm}
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
  if ANSIM_TIER=$tier ANSIM_TEST_PATIENCE_S=${ANSIM_TEST_PATIENCE_S:-600} .venv/bin/python -m pytest -p no:cacheprovider --basetemp="$work/run-$tier" "$@"; then
    told+=("$tier passed in $((SECONDS - prepared)) s (prepared in $((prepared - started)) s)")
  else
    told+=("$tier FAILED after $((SECONDS - prepared)) s")
    failed=1
  fi
done
printf 'test-hardware: %s\n' "${told[@]}"
exit "$failed"
