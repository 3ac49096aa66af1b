#!/usr/bin/env bash
# Runs the jobs of this folder; started again, it goes on where it was stopped.
#   PROCESSES       processes on this machine, one a GPU; 1 unless set
#   PYTHON          an interpreter that has renaissance; unless set, the one that compiled this
#                   folder, or the first on the path that has it
#   WORKING_FOLDER  where relative paths of the spec start; unless set, where this was compiled
set -uo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
{% include "surroundings.sh" %}

if [ "${PROCESSES:-1}" = 1 ]; then
  exec "$python" -m renaissance run "$folder" "$@"
fi
"$python" -m torch.distributed.run --standalone --nproc-per-node "$PROCESSES" \
  -m renaissance run "$folder" "$@" &
run=$!
trap 'kill -TERM "$run" 2> /dev/null' TERM USR1
trap 'kill -INT "$run" 2> /dev/null' INT
code=0
# `wait` comes back early when a signal is passed on.
while kill -0 "$run" 2> /dev/null; do wait "$run"; code=$?; done
end "$code"
