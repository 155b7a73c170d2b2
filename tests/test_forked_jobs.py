"""A fork that stands for `python -m echo` is to its caller what the process would be."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
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
LAUNCH = "import sys; from workflow.forked_jobs.__main__ import main; sys.exit(main(sys.argv[1:], imported={}))"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder, with a blank in its name, that holds a package `echo`."""
    place = tmp_path / "a folder"
    (place / "echo").mkdir(parents=True)
    (place / "echo" / "__init__.py").touch()
    (place / "echo" / "__main__.py").write_text(textwrap.dedent(PACKAGE))
    return place


def command(folder: Path, script: str, forked: bool = True, imported: tuple[str, ...] = ("json",)) -> list[str]:
    """What runs a script in a folder; its `python -m echo` as forks, or as processes."""
    plain = ["bash", "-c", f'cd "$1"; {script}', "bash", str(folder)]
    return [sys.executable, "-c", LAUNCH.format(imported), *plain] if forked else plain


def bash(folder: Path, script: str, **how: object) -> subprocess.CompletedProcess:
    """Run `command` to its end."""
    return subprocess.run(command(folder, script, **how), cwd=ROOT, text=True, capture_output=True, check=False,
                          timeout=100)  # fmt: skip


@contextmanager
def ended(started: list[str]) -> Iterator[subprocess.Popen]:
    """A command in a session of its own, of which nothing is left afterwards. It takes SIGINT, as in a terminal.

    A test that runs in the background may have been told to ignore it, which its children would inherit.
    """
    take = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(started, cwd=ROOT, start_new_session=True, preexec_fn=take) as ran:
        try:
            yield ran
        finally:
            with suppress(ProcessLookupError):
                os.killpg(ran.pid, signal.SIGKILL)


def wait_for(place: Path, empty: bool = False) -> str:
    """What is written to a file, as soon as something is."""
    for _ in range(500):
        if place.is_file() and (empty or place.read_text()):
            return place.read_text()
        time.sleep(0.02)
    raise AssertionError(f"{place} was not written")


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


def test_what_an_import_does_that_a_fork_lacks_makes_processes(folder):
    (folder / "starts_a_thread.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    script = "python -m echo 3 < /dev/null"
    code = f"import sys; sys.path.append({str(folder)!r}); " + LAUNCH.format(("starts_a_thread",))
    ran = subprocess.run([sys.executable, "-c", code, *command(folder, script, forked=False)], cwd=ROOT, text=True,
                         capture_output=True, check=False, timeout=100)  # fmt: skip
    process = bash(folder, script, forked=False)
    assert (ran.stdout, ran.returncode) == (process.stdout, 3)
    assert "has started a thread" in ran.stderr


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_the_command_is_ended_in_its_own_way_and_waited_for(folder, name):
    script = f"trap 'echo saved > state; exit 9' {name[3:]}; echo ready > began; while :; do sleep 0.02; done"
    with ended(command(folder, script)) as ran:
        wait_for(folder / "began")
        if name == "SIGTERM":
            ran.send_signal(signal.SIGTERM)
        else:  # as a terminal does, to all
            os.killpg(ran.pid, signal.SIGINT)
        assert ran.wait(timeout=100) == 9
    assert (folder / "state").read_text() == "saved\n"


def test_jobs_are_processes_where_who_forks_is_gone(folder):
    script = "touch began; until [ -e go ]; do sleep 0.02; done; python -m echo 4 < /dev/null > out; echo $? > code"
    with ended(command(folder, script)) as ran:
        wait_for(folder / "began", empty=True)
        ran.kill()
        ran.wait(timeout=100)
        (folder / "go").touch()
        assert wait_for(folder / "code") == "4\n"
        assert "at exit" in (folder / "out").read_text()
