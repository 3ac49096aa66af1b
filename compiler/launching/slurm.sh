#!/usr/bin/env bash
# Runs the jobs of this folder under Slurm: `sbatch slurm.sh`, from the folder. Before its time is
# over the job stops with a checkpoint and goes back into the queue, {{ restarts }} times at most (RESTARTS).
# Batches are the same for any number of nodes and GPUs, so these may be changed.
#SBATCH --job-name={{ name }}
#SBATCH --nodes={{ nodes }}
#SBATCH --ntasks-per-node=1
{% if gpus %}
#SBATCH --gpus-per-node={{ gpus }}
{% endif %}
#SBATCH --cpus-per-task={{ cpus }}
#SBATCH --time={{ time }}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@{{ notice }}
#SBATCH --output=%x-%j.out
##SBATCH --account=… --partition=… --qos=…
##SBATCH --exclusive --mem=0
set -uo pipefail
folder=
# Slurm runs a copy of this script that lies elsewhere.
for candidate in "${SLURM_SUBMIT_DIR:-.}" {{ folder }}; do
  if grep -qs '"spec_hash": "{{ spec_hash }}"' "$candidate/lock.json"; then
    folder="$(cd "$candidate" && pwd)"; break
  fi
done
[ -n "$folder" ] || { echo "error: the job folder is not where it was; submit from inside it" >&2; exit 2; }
{% include "surroundings.sh" %}

{% if not gpus %}
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-${SLURM_CPUS_PER_TASK:-1}}"
{% endif %}
head="${MASTER_ADDR:-$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)}"
# A signal to srun itself would end the processes at once, with nothing saved.
again=
trap 'again=1; scancel --signal=TERM "$SLURM_JOB_ID"' USR1
srun --kill-on-bad-exit=1 "$python" -m torch.distributed.run \
  --nnodes "$SLURM_NNODES" --nproc-per-node "${PROCESSES:-{{ processes }}}" \
  --rdzv-backend c10d --rdzv-id "$SLURM_JOB_ID-${SLURM_RESTART_COUNT:-0}" \
  --rdzv-endpoint "$head:$((20000 + SLURM_JOB_ID % 10000))" \
  -m renaissance run "$folder" &
run=$!
code=0
# `wait` comes back early when the trap has run.
while kill -0 "$run" 2> /dev/null; do wait "$run"; code=$?; done
if [ -n "$again" ] && [ "$code" -ne 0 ]; then
  if [ "${SLURM_RESTART_COUNT:-0}" -ge "${RESTARTS:-{{ restarts }}}" ]; then
    echo "stopped with a checkpoint, for the last time: submit it again to go on" >&2
  elif scontrol requeue "$SLURM_JOB_ID"; then
    sleep 60  # until Slurm ends this script
  else
    echo "stopped with a checkpoint; Slurm does not requeue it: submit it again to go on" >&2
  fi
fi
end "$code"
