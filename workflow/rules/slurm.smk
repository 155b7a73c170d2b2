# A Snakemake that was killed leaves its jobs in Slurm. Started again, it knows nothing of them and would submit them a
# second time, two processes writing the same files; so it stops here until they have ended.
import shutil
import subprocess

ENDED = {
    *("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "PREEMPTED"),
    *("NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE", "REVOKED"),
}


def still_in_slurm():
    """Slurm ids of jobs that an earlier Snakemake submitted and this one is about to run again."""
    if shutil.which("squeue") is None:
        return []
    # The plugin's comment of a job is all that tells what it runs; an array has one comment for all of its tasks.
    # A marker of Snakemake's beside it tells that the job was begun, and so this study's: others may run in this folder.
    store, again = workflow.persistence, {}
    for job in workflow.dag.needrun_jobs():
        if store._filter_incomplete_keys([store._get_key(file) for file in job.output]):
            wildcards = "_".join(job.wildcards).replace("/", "_")
            comment = (
                f"rule_{job.name}_wildcards_{wildcards}"
                if wildcards
                else f"rule_{job.name}"
            )
            again[comment] = f"rule_{job.name}_wildcards_"
    command = ["squeue", "--noheader", "--array", "--states=all"]
    listed = subprocess.run(
        [*command, "--format=%i|%T|%Z|%k"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    found = []
    for line in listed.stdout.splitlines():
        jobid, state, directory, comment = line.split("|", 3)
        if state in ENDED or Path(directory).resolve() != Path.cwd():
            continue
        if comment in again or (
            "_" in jobid and comment.startswith(tuple(again.values()))
        ):
            found.append(jobid)
    return found


onstart:
    if found := still_in_slurm():
        sys.exit(
            f"Jobs of an earlier Snakemake are still in Slurm: {' '.join(found)}. Start again when they have ended, or "
            f"end them first: scancel {' '.join(found)}"
        )
