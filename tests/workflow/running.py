"""Snakemake, and what its dry runs list."""

import re
import subprocess
from pathlib import Path

import yaml

from tests import forked
from tests.conftest import ROOT

MINI, PAPER = (yaml.safe_load((ROOT / "config" / name).read_text()) for name in ("config.yaml", "paper.yaml"))


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return forked.snakemake(folder, "--cores", "2", *arguments)


def jobs(out: str, rule: str) -> int:
    """Jobs of a rule that a dry run lists."""
    return len(re.findall(rf"^(?:local)?rule {rule}:", out, re.MULTILINE))
