"""What is published is whole, and outlives its removal under the published name."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from echo.io.publish import publish, publish_folder, unpublished
from tests.conftest import ROOT


def test_a_published_file_is_the_made_one_and_replaces_an_older(tmp_path):
    made, out = tmp_path / "work" / "a.bin", tmp_path / "out" / "a.bin"
    made.parent.mkdir()
    made.write_bytes(b"new")
    out.parent.mkdir()
    out.write_bytes(b"old")
    publish(made, out)
    assert out.read_bytes() == b"new" and os.listdir(out.parent) == ["a.bin"]
    out.unlink()  # as Snakemake does before it runs a job again
    assert made.read_bytes() == b"new"


def test_a_file_system_without_links_gets_a_copy(tmp_path, monkeypatch):
    def no_links(*_: object) -> None:
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", no_links)
    made = tmp_path / "a.bin"
    made.write_bytes(b"new")
    publish(made, tmp_path / "out" / "a.bin")
    assert (tmp_path / "out" / "a.bin").read_bytes() == b"new"


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    """New files in ``made``; in ``out`` older ones, and one that is nobody's."""
    for folder, word, names in (("made", "new", ("a.csv", "b.csv", "deep/c.npz", "d.csv")),
                                ("out", "old", ("a.csv", "b.csv", "deep/c.npz", "note.txt"))):  # fmt: skip
        for name in names:
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{word} {name}")
    return tmp_path / "made", tmp_path / "out"


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_published_folder_has_the_new_files_and_keeps_others(folders):
    made, out = folders
    publish_folder(made, out)
    assert contents(out) == {**contents(made), "note.txt": "old note.txt"}
    assert sorted(os.listdir(out.parent)) == ["made", "out"]
    publish_folder(made, out.with_name("fresh"))
    assert contents(out.with_name("fresh")) == contents(made)


@pytest.mark.parametrize("fails_at", range(4))
@pytest.mark.parametrize("step", ["copy", "replace"])
def test_after_an_error_at_any_file_every_old_file_is_there(folders, monkeypatch, step, fails_at):
    made, out = folders
    before, calls = contents(out), 0
    place, name = (os, "replace") if step == "replace" else (shutil, "copy2")
    works = getattr(place, name)

    def full(*arguments, **options):
        nonlocal calls
        calls += 1
        if calls == fails_at + 1:
            raise OSError("No space left on device")
        return works(*arguments, **options)

    monkeypatch.setattr(place, name, full)
    if step == "copy":  # whose default was bound when shutil was imported
        copytree = shutil.copytree
        monkeypatch.setattr(shutil, "copytree", lambda source, to, *_, **__: copytree(source, to, copy_function=full))
    with pytest.raises((OSError, shutil.Error)):
        publish_folder(made, out)
    assert contents(out) == before
    assert sorted(os.listdir(out.parent)) == ["made", "made.unpublished", "out"]


@pytest.mark.parametrize("killed_at", range(4))
def test_a_kill_leaves_each_file_old_or_new_and_the_next_run_ends_it(folders, killed_at):
    made, out = folders
    before, wanted = contents(out), contents(made)
    code = (
        "import itertools, os, signal, sys; from pathlib import Path; from echo.io.publish import publish_folder\n"
        "works, calls = os.replace, itertools.count()\n"
        "def replace(*paths):\n"
        f"    os.kill(os.getpid(), signal.SIGKILL) if next(calls) == {killed_at} else works(*paths)\n"
        "os.replace = replace; publish_folder(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    done = subprocess.run([sys.executable, "-c", code, made, out], cwd=ROOT, check=False)
    assert done.returncode == -9
    assert unpublished(made).is_file()
    left = contents(out)
    assert all(left[name] in (before[name], wanted[name]) for name in before if name != "note.txt")
    assert sum(left.get(name) == wanted[name] for name in wanted) == killed_at
    publish_folder(made, out)
    assert contents(out) == {**wanted, "note.txt": "old note.txt"}
    assert sorted(os.listdir(out.parent)) == ["made", "out"]
