"""What is committed under results/ stays small enough to be cloned with the code."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMIT = 20_000_000


def test_committed_results_are_under_20_megabytes():
    """Studies that somebody has run here and not committed do not count."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "results"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    assert len(files) > 100
    assert sum(path.stat().st_size for path in files) < LIMIT
