#!/usr/bin/env bash
# Start a real one-node Slurm (munged + slurmctld + slurmd) as root, without systemd, cgroups or a database.
# Debian 12: apt-get install -y --no-install-recommends slurm-wlm slurm-client munge   (Slurm 22.05.8)
# CPUs, memory and GPUs are declared, not real: the node exists to test that jobs are submitted, run, fail and retry.
# Everything it writes is under $ECHO_SLURM_STATE, but for three links in /etc/slurm: the Snakemake plugin's job step
# strips every SLURM_* variable, SLURM_CONF too, before its inner srun, so the configuration must be at the default place.
set -euo pipefail
S=${ECHO_SLURM_STATE:-/tmp/echo-slurm}
CPUS=${ECHO_SLURM_CPUS:-16}
MEM=${ECHO_SLURM_MEM_MB:-64000}
GPUS=${ECHO_SLURM_GPUS:-8}
PART=${ECHO_SLURM_PARTITION:-gpu}
CTLPORT=${ECHO_SLURM_CTLPORT:-6817}
DPORT=${ECHO_SLURM_DPORT:-6818}
HOST=$(hostname -s)

mkdir -p /etc/slurm
for f in slurm gres cgroup; do
  t=/etc/slurm/$f.conf
  if [ -e "$t" ] && [ "$(readlink "$t")" != "$S/$f.conf" ]; then
    echo "cluster-up: $t exists and is not ours: is this a real cluster?" >&2
    exit 1
  fi
done

mkdir -p "$S"/{munge,ctld,d,log,gpu}
chmod 0755 "$S" "$S"/munge
chmod 0700 "$S"/ctld "$S"/d

# munge with a key and socket of its own: /etc/munge and /run/munge stay untouched
if [ ! -s "$S/munge/key" ]; then
  dd if=/dev/urandom of="$S/munge/key" bs=1024 count=1 status=none
  chmod 0400 "$S/munge/key"
fi
munged --force --key-file="$S/munge/key" --socket="$S/munge/sock" --pid-file="$S/munge/pid" \
       --log-file="$S/log/munged.log" --seed-file="$S/munge/seed" --num-threads=2

# slurmd insists on device nodes for a GPU: these are twins of /dev/null
for i in $(seq 0 $((GPUS - 1))); do [ -e "$S/gpu/nvidia$i" ] || mknod "$S/gpu/nvidia$i" c 1 3; done

cat > "$S/slurm.conf" <<CONF
ClusterName=lab
SlurmctldHost=$HOST(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$S/munge/sock
CredType=cred/munge
SlurmctldPort=$CTLPORT
SlurmdPort=$DPORT
StateSaveLocation=$S/ctld
SlurmdSpoolDir=$S/d
SlurmctldPidFile=$S/slurmctld.pid
SlurmdPidFile=$S/slurmd.pid
SlurmctldLogFile=$S/log/slurmctld.log
SlurmdLogFile=$S/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=0,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
KillWait=3
CompleteWait=0
InactiveLimit=0
Waittime=0
NodeName=$HOST NodeAddr=127.0.0.1 CPUs=$CPUS Boards=1 SocketsPerBoard=1 CoresPerSocket=$CPUS ThreadsPerCore=1 RealMemory=$MEM Gres=gpu:$GPUS State=UNKNOWN
PartitionName=$PART Nodes=$HOST Default=YES MaxTime=INFINITE State=UP
PartitionName=cpu Nodes=$HOST MaxTime=INFINITE State=UP
CONF
echo "NodeName=$HOST Name=gpu File=$S/gpu/nvidia[0-$((GPUS - 1))]" > "$S/gres.conf"
printf 'CgroupAutomount=no\nConstrainCores=no\nConstrainRAMSpace=no\n' > "$S/cgroup.conf"
for f in slurm gres cgroup; do ln -sfn "$S/$f.conf" "/etc/slurm/$f.conf"; done

unset SLURM_CONF
slurmctld -f /etc/slurm/slurm.conf
slurmd -f /etc/slurm/slurm.conf

for _ in $(seq 1 150); do
  if [ "$(sinfo -h -N -p "$PART" -o %T 2>/dev/null)" = idle ]; then
    echo "cluster-up: $HOST idle: $CPUS cpus, $MEM MB, $GPUS gpus (declared)"
    exit 0
  fi
  sleep 0.2
done
echo "cluster-up: the node is not idle after 30 s" >&2
sinfo -N -l >&2 || true
for f in "$S"/log/*.log; do echo "== $f"; tail -n 20 "$f"; done >&2
exit 1
