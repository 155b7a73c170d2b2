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


PYTHON = """#!/bin/bash
# Stands for Python: makes a .venv, and notes what pip is asked for.
case "$*" in
  "-m venv .venv")
    mkdir -p .venv/bin .venv/lib/python3.11/site-packages
    cp "$0" .venv/bin/python
    printf '#!/bin/bash\\necho "uv $UV_DEFAULT_INDEX $*" >>asked; exit %s\\n' "$UV_CODE" >.venv/bin/uv
    chmod +x .venv/bin/uv ;;
  *"config get global.index-url") echo "an index" ;;
  *"-m pip "*)
    echo "pip ${*: -1}" >>asked
    [[ $* != *"-r envs/requirements.txt" ]] || { echo "ERROR: none of $UV_CODE"; exit "$PIP_CODE"; } ;;
esac
"""


@pytest.mark.parametrize(("uv", "pip"), [(0, 0), (1, 0), (1, 1)])
def test_it_installs_by_uv_from_pips_index_and_by_pip_where_uv_fails(fresh, uv, pip):
    (fresh / "envs").mkdir()
    (fresh / "envs" / "requirements.txt").write_text("uv==1.2\nother==3\n")
    (fresh / "bin").mkdir()
    (fresh / "bin" / "python3.11").write_text(PYTHON)
    (fresh / "bin" / "python3.11").chmod(0o755)
    env = {"PATH": f"{fresh / 'bin'}:/usr/bin:/bin", "UV_CODE": str(uv), "PIP_CODE": str(pip)}
    done = subprocess.run([fresh / "run", "install"], capture_output=True, text=True, check=False, env=env)
    asked = (fresh / "asked").read_text().splitlines()
    assert asked[0] == "pip uv==1.2"
    assert asked[1].startswith("uv an index pip install") and asked[1].endswith("-r envs/requirements.txt")
    assert asked[2:] == ["pip envs/requirements.txt"] * uv
    assert done.returncode == pip
    assert (fresh / ".venv" / "requirements.installed").exists() == (pip == 0)
    if pip:
        assert "ERROR: none of 1\nrun: the installation failed; the whole log is .venv/install.log" in done.stderr
