"""The study on a real one-node Slurm, and what a cluster does to it: jobs that fail, are cancelled or preempted, and a
Snakemake that is killed. The tests go on from each other's files, in this order.

``python -m pytest tests/slurm`` as root, where Slurm's Debian packages are installed; ``.ci/run`` does it.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter

from tests.slurm.conftest import Project, control, wait_for

ROWS = ("i2v", "context_k5")
FIGURE = "results/slurm_test/figures/drift.png"


def comment(row: str) -> str:
    return f"rule_train_wildcards_{row}_0"


def checkpointed(project: Project) -> bool:
    return all((project.run / "train" / f"{row}-0" / "resume.safetensors").is_file() for row in ROWS)


def test_a_study_whose_snakemake_is_killed_reaches_its_figure_and_runs_nothing_twice(project):
    """One figure needs all tables, and these need every job; the smoke study draws the others."""
    first = project.start(FIGURE)
    wait_for(lambda: first.poll() is not None or checkpointed(project), 600)
    assert first.poll() is None, project.end(first)[-4000:]
    first.kill()
    first.wait(10)
    training = [project.running(comment(row)) for row in ROWS]
    for job in training:
        control("scontrol", "suspend", job)  # so that they are still there below, however fast this machine is

    assert "--unlock" in project.snakemake(FIGURE, code=1)  # the lock of the killed one
    project.snakemake(FIGURE, "--unlock")
    refused = project.snakemake(FIGURE, code=1)
    assert "Jobs of an earlier Snakemake are still in Slurm" in refused.splitlines()[-1]
    assert all(job in refused.splitlines()[-1] for job in training)

    for job in training:
        control("scontrol", "resume", job)
    wait_for(lambda: not any(project.running(comment(row)) for row in ROWS))
    project.snakemake(FIGURE)

    assert (project.folder / FIGURE).is_file()
    jobs = project.jobs()
    assert {job["state"] for job in jobs} == {"COMPLETED"}
    assert set(Counter(job["comment"] for job in jobs).values()) == {1}
    assert "Nothing to be done" in project.snakemake(FIGURE)


def test_a_failed_job_is_reported_with_its_logs(project):
    base, kept = project.run / "base.safetensors", project.folder / "kept"
    shutil.copy(base, kept)
    base.write_bytes(kept.read_bytes()[:1000])
    target = f"runs/slurm_test/train/{ROWS[0]}-0/model.safetensors"
    printed = project.snakemake(target, "--retries", "0", code=1)
    shutil.copy(kept, base)

    job = project.jobs()[-1]
    assert job["state"] == "FAILED"
    slurm_log = project.folder / "runs" / "slurm" / "rule_train" / f"{ROWS[0]}_0" / f"{job['id']}.log"
    own_log = f"runs/slurm_test/logs/train_{ROWS[0]}-0.log"
    assert f"log: {own_log}, {slurm_log}" in printed
    assert "Error in rule train" in slurm_log.read_text()
    error = (project.folder / own_log).read_text().splitlines()[-1]
    assert "base.safetensors" in error and error in printed  # what went wrong stands where the user looks first


def test_cancelled_and_preempted_trainings_go_on_where_they_were(project):
    for row in ROWS:
        shutil.rmtree(project.run / "train" / f"{row}-0", ignore_errors=True)
    before = len(project.jobs())
    targets = [f"runs/slurm_test/train/{row}-0/model.safetensors" for row in ROWS]
    process = project.start(*targets, "--forcerun", "train")
    wait_for(lambda: process.poll() is not None or checkpointed(project))
    assert process.poll() is None, project.end(process)[-4000:]
    control("scancel", project.running(comment(ROWS[0])))  # SIGTERM, and after a while SIGKILL
    control("scancel", "--signal=USR1", project.running(comment(ROWS[1])))  # what --signal=USR1@120 sends
    printed = project.end(process)
    assert process.returncode == 0, printed[-4000:]

    for row, ended in zip(ROWS, ("CANCELLED", "FAILED"), strict=True):
        tries = [job for job in project.jobs()[before:] if job["comment"] == comment(row)]
        assert [job["state"] for job in tries] == [ended, "COMPLETED"]
        assert [job["limit"] for job in tries] == ["1:00:00", "2:00:00"]  # more time for the second
        stopped = int(re.search(rf"stopped by a signal after step (\d+) of 500.*train/{row}-0/", printed)[1])
        resumed = re.search(r"(\d+)/500", (project.run / "logs" / f"train_{row}-0.log").read_text())
        assert 10 <= stopped == int(resumed[1]) < 500  # the first line of the second attempt's progress
        assert not (project.run / "train" / f"{row}-0" / "resume.safetensors").exists()
