"""A real Slurm of one node, and a copy of the project whose jobs run on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.copied import copy_project

HERE = Path(__file__).parent
STUDY = "slurm_test"


def wait_for(what, seconds: float = 300):
    """What ``what()`` returns once it is true; fails after ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds} s in vain")


class Project:
    """The copy, and what is asked of its Snakemake and its Slurm."""

    def __init__(self, folder: Path, home: Path):
        self.folder, self.run = folder, folder / "runs" / STUDY
        # No configuration of the user's: what `--profile slurm` needs must be in the repository.
        self.env = {**os.environ, "PYTHONPATH": str(folder), "HOME": str(home), "XDG_CONFIG_HOME": str(home)}

    def start(self, *arguments: str) -> subprocess.Popen:
        """``snakemake ARGUMENTS --profile slurm`` in the background; its output is read by ``end``."""
        command = [sys.executable, str(HERE / "impatient.py"), *arguments, "--profile", "slurm"]
        command += ["--configfile", "study.yaml", "--jobs", "6"]
        with (self.folder / "snakemake.out").open("w") as out:
            return subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=out, stderr=subprocess.STDOUT)

    def end(self, process: subprocess.Popen, seconds: float = 600) -> str:
        """Wait for it; what it printed."""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError((self.folder / "snakemake.out").read_text()[-4000:]) from None
        return (self.folder / "snakemake.out").read_text()

    def snakemake(self, *arguments: str, code: int = 0) -> str:
        """Run it to its end and expect its exit code; what it printed."""
        process = self.start(*arguments)
        printed = self.end(process)
        assert process.returncode == code, printed[-4000:]
        return printed

    def jobs(self) -> list[dict[str, str]]:
        """Every job that Slurm was given, in the order of submission."""
        command = ["squeue", "--noheader", "--states=all", "--sort=i", "--format=%i|%T|%l|%k"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        keys = ("id", "state", "limit", "comment")
        return [dict(zip(keys, line.split("|", 3), strict=True)) for line in done.stdout.splitlines()]

    def running(self, comment: str) -> str | None:
        """The id of a running job."""
        return next((job["id"] for job in self.jobs() if (job["comment"], job["state"]) == (comment, "RUNNING")), None)


def control(*command: str) -> None:
    """scancel, scontrol: with a timeout, as everything that talks to Slurm."""
    subprocess.run(command, check=True, timeout=30)


@pytest.fixture(scope="session")
def cluster():
    """munged, slurmctld and slurmd, ended after the tests."""
    subprocess.run([HERE / "cluster-down.sh", "--clean"], check=True, timeout=60)
    subprocess.run([HERE / "cluster-up.sh"], check=True, timeout=60)
    yield
    subprocess.run([HERE / "cluster-down.sh", "--clean"], check=True, timeout=60)


@pytest.fixture(scope="session")
def project(cluster, tmp_path_factory) -> Project:
    folder = copy_project(tmp_path_factory.mktemp("project"), "resources")
    shutil.copy(HERE / "study.yaml", folder / "study.yaml")
    return Project(folder, tmp_path_factory.mktemp("home"))
