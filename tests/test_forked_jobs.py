"""A fork that stands for `python -m echo` in the check is to its caller what the process would be."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.conftest import ROOT

# A package of the project's name, so that what is tested is how a job is run and not what it does.
PACKAGE = """
import atexit, os, sys, time
atexit.register(print, "at exit", flush=True)
print(os.getcwd(), sys.argv[1:], os.environ.get("GIVEN"), __package__, __name__, sys.path[0], sys.stdin.read())
if sys.argv[1:] == ["words"]:
    sys.exit("words, and no number")
if sys.argv[1:] == ["fails"]:
    raise KeyError("of the job")
if sys.argv[1:] == ["waits"]:
    open("pid", "w").write(str(os.getpid()))
    time.sleep(60)
sys.exit(int(sys.argv[1]))
"""
LAUNCH = "import sys; from tests.forked_jobs.__main__ import main; sys.exit(main(sys.argv[1:], imported=['json']))"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder, with a blank in its name, that holds a package `echo`."""
    place = tmp_path / "a folder"
    (place / "echo").mkdir(parents=True)
    (place / "echo" / "__main__.py").write_text(textwrap.dedent(PACKAGE))
    return place


def bash(folder: Path, script: str, forked: bool = True) -> subprocess.CompletedProcess:
    """Run a script in a folder; its `python -m echo` as forks, or as processes."""
    command = ["bash", "-c", f'cd "$1"; {script}', "bash", str(folder)]
    return subprocess.run([sys.executable, "-c", LAUNCH, *command] if forked else command, cwd=ROOT, text=True,
                          capture_output=True, check=False, timeout=100)  # fmt: skip


@pytest.mark.parametrize(
    "script",
    [
        "python -m echo 0 < /dev/null; echo $?",
        "echo from the pipe | GIVEN='a value' python -m echo 7 | cat; echo ${PIPESTATUS[@]}",
        "python -m echo 3 'two words' '' '$x' < /dev/null > log 2>&1; echo $?; cat log",
        "python -m echo words < /dev/null; exit $?",
        "mkdir -p below; cp -r echo below; cd below; python -m echo 0 < /dev/null",
        "python -c 'print(1)' && python -m json.tool --help | head -1",
    ],
)
def test_a_fork_is_to_its_caller_what_the_process_would_be(folder, script):
    forked, process = bash(folder, script), bash(folder, script, forked=False)
    assert process.stdout and forked.stdout == process.stdout
    assert (forked.stderr, forked.returncode) == (process.stderr, process.returncode)


def test_a_job_that_fails_keeps_its_trace(folder):
    ran = bash(folder, "python -m echo fails < /dev/null")
    assert ran.returncode == 1 and "KeyError: 'of the job'" in ran.stderr


def test_a_job_ends_with_who_asked_for_it(folder):
    ran = bash(
        folder,
        """(python -m echo waits < /dev/null) & until [ -s pid ]; do sleep 0.02; done
        pkill -KILL -P $! || kill -KILL $!
        for _ in $(seq 500); do [ -e /proc/$(cat pid) ] || exit 5; sleep 0.02; done""",
    )
    assert ran.returncode == 5


def test_a_killed_job_is_no_success(folder):
    ran = bash(
        folder,
        "(until [ -s pid ]; do sleep 0.02; done; kill -KILL $(cat pid)) & python -m echo waits < /dev/null; exit $?",
    )
    assert ran.returncode == 1 and "it was killed" in ran.stderr
