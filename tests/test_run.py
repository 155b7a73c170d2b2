"""``./run`` says what it can do without installing anything first."""

import shutil
import subprocess

import pytest

from tests.conftest import ROOT


@pytest.fixture
def fresh(tmp_path):
    """A folder with nothing but the script, where an installation would fail."""
    shutil.copy(ROOT / "run", tmp_path / "run")
    return tmp_path


def run(folder, *arguments):
    return subprocess.run([folder / "run", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_help_lists_the_tasks(fresh, arguments):
    done = run(fresh, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"\n  {task} " in done.stdout for task in ("study", "quick", "figures", "test", "install"))
    assert not (fresh / ".venv").exists()


def test_an_unknown_task_is_named(fresh):
    done = run(fresh, "sutdy")
    assert done.returncode == 2 and done.stderr.splitlines()[0] == "run: no task 'sutdy'"
    assert not (fresh / ".venv").exists()
