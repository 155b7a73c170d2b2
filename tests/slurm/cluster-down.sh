#!/usr/bin/env bash
# End just the daemons that cluster-up.sh started, by their pid files. --clean also removes its state folder.
set -u
S=${ECHO_SLURM_STATE:-/tmp/echo-slurm}
unset SLURM_CONF
if [ "$(readlink /etc/slurm/slurm.conf)" = "$S/slurm.conf" ]; then # only ever our own cluster's jobs
  timeout 10 scancel --state=RUNNING,PENDING --user="$(id -un)" 2>/dev/null || true
fi
for f in "$S/slurmd.pid" "$S/slurmctld.pid" "$S/munge/pid"; do
  [ -s "$f" ] || continue
  p=$(cat "$f")
  kill "$p" 2>/dev/null || continue
  for _ in $(seq 1 50); do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
  kill -0 "$p" 2>/dev/null && kill -KILL "$p"
done
for f in slurm gres cgroup; do
  [ "$(readlink "/etc/slurm/$f.conf")" = "$S/$f.conf" ] && rm -f "/etc/slurm/$f.conf"
done
[ "${1:-}" = --clean ] && rm -rf "$S"
exit 0
