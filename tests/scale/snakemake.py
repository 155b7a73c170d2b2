"""Snakemake in a copy of the project, its jobs forks of one process."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def snakemake(folder: Path, *arguments: str) -> None:
    """Run Snakemake with two cores in a folder that holds a copy of the project; what it says where it fails."""
    forked = [sys.executable, "-m", "workflow.forked_jobs", "env", "-C", str(folder), f"PYTHONPATH={folder}"]
    done = subprocess.run([*forked, sys.executable, "-m", "snakemake", "--cores", "2", *arguments], cwd=ROOT,
                          capture_output=True, text=True, check=False, timeout=1200)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
