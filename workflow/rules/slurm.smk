# A Snakemake that was killed leaves its jobs in Slurm. Started again, it knows nothing of them and would submit them a
# second time, two processes writing the same files; so it stops here until they have ended.
import shutil
import subprocess

ENDED = {
    *("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "PREEMPTED"),
    *("NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE", "REVOKED"),
}
# A job that has begun leaves its number with its study: two studies may run in one folder at a time, and Slurm knows
# the folder alone. (Inside a job this file is read once more.)
if own := os.environ.get("SLURM_JOB_ID"):
    Path(RUN, "slurm").mkdir(parents=True, exist_ok=True)
    Path(RUN, "slurm", own).touch()


def still_in_slurm():
    """Slurm numbers of jobs of this folder that an earlier Snakemake submitted, but for those of another study."""
    if shutil.which("squeue") is None:
        return []
    command = ["squeue", "--noheader", "--array", "--states=all"]
    listed = subprocess.run(
        [*command, "--format=%i|%T|%Z|%k"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    others = {
        path.name
        for path in Path("runs").glob("*/slurm/*")
        if path.parents[1] != Path(RUN)
    }
    jobs = []
    for line in listed.stdout.splitlines():
        number, state, directory, comment = line.split("|", 3)
        here = Path(directory).resolve() == Path.cwd()
        if here and state not in ENDED and comment.startswith("rule_"):
            if number not in others:
                jobs.append(number)
    return jobs


def refuse_jobs_of_an_earlier_snakemake():
    """End here while Slurm still has jobs of this folder."""
    if jobs := still_in_slurm():
        sys.exit(
            f"Jobs of an earlier Snakemake are still in Slurm: {' '.join(jobs)}. Start again when they have ended, or "
            f"end them first: scancel {' '.join(jobs)}"
        )
