"""What was read from sources is found again by other processes, and never for other contents or other code."""

import json
import os
import subprocess
import sys

import pytest

from echo.study import kept
from tests.conftest import ROOT

READ = """
import sys
from pathlib import Path
from echo.study import kept, source
source.parse = lambda text: sys.exit("parsed")
print(source.behaviour(Path(sys.argv[1])), source.constant(Path(sys.argv[1]), "A"), kept.place())
"""


@pytest.fixture
def entries(tmp_path, monkeypatch):
    """A file of entries of this test's own, empty at first."""
    monkeypatch.setattr(kept, "place", lambda: tmp_path / "kept" / "entries.json")
    monkeypatch.setattr(kept, "_added", {})
    monkeypatch.setattr(kept.atexit, "register", lambda function: None)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    kept._entries.cache_clear()
    yield tmp_path / "kept" / "entries.json"
    kept._entries.cache_clear()


def next_process(monkeypatch):
    kept.keep()
    monkeypatch.setattr(kept, "_added", {})
    kept._entries.cache_clear()


def refuse():
    raise AssertionError("made again")


def test_an_entry_is_made_once_for_all_processes(entries, monkeypatch):
    assert kept.get("a", lambda: ["made", ["x"]]) == ["made", ["x"]]
    assert kept.get("a", refuse) == ["made", ["x"]]
    next_process(monkeypatch)
    assert kept.get("a", refuse) == ["made", ["x"]]
    kept.get("b", lambda: [2])
    next_process(monkeypatch)
    assert json.loads(entries.read_text()) == {"a": ["made", ["x"]], "b": [2]}


def test_what_another_process_kept_meanwhile_stays(entries, monkeypatch):
    kept.get("a", lambda: [1])
    entries.parent.mkdir()
    entries.write_text('{"b": [2]}')
    next_process(monkeypatch)
    assert json.loads(entries.read_text()) == {"a": [1], "b": [2]}


def test_a_damaged_file_is_made_anew(entries, monkeypatch):
    entries.parent.mkdir()
    entries.write_text('{"a": [1')
    assert kept.get("a", lambda: [1]) == [1]
    next_process(monkeypatch)
    assert json.loads(entries.read_text()) == {"a": [1]}


def test_where_nothing_may_be_written_nothing_is(entries, monkeypatch):
    kept.get("a", lambda: [1])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    kept.keep()
    assert not entries.parent.exists()
    entries.parent.write_text("a file where the folder would be")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    kept.keep()
    assert entries.parent.is_file()


def test_the_file_does_not_grow_without_end(entries, monkeypatch):
    entries.parent.mkdir()
    entries.write_text(json.dumps({str(number): [number] for number in range(kept.LIMIT + 1)}))
    kept.get("a", lambda: [1])
    kept.keep()
    assert json.loads(entries.read_text()) == {"a": [1]}


def test_another_process_reads_what_this_one_parsed_and_parses_what_has_changed(tmp_path):
    path = tmp_path / "module.py"
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": ""}

    def read(program: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", program, str(path)]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    path.write_text("A = (1, 2)\n")
    first = read(READ.replace('source.parse = lambda text: sys.exit("parsed")', ""))
    assert first.returncode == 0, first.stderr
    assert read(READ).stdout == first.stdout and str(tmp_path / "cache") in first.stdout
    path.write_text("A = (1, 3)\n")
    assert read(READ).stderr.strip() == "parsed"
