"""Writes that are whole or not there, and folders that belong to what they were made for."""

import pytest

from echo.io.files import FolderError, atomic_path, digest, fingerprint_of, reset_if_stale, sha256, write_json


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_a_folder_is_emptied_for_another_fingerprint_only(tmp_path):
    folder = tmp_path / "pool"
    reset_if_stale(folder, "a")
    (folder / "video").write_text("kept")
    reset_if_stale(folder, "a")
    assert (folder / "video").read_text() == "kept"
    reset_if_stale(folder, "b")
    assert fingerprint_of(folder) == "b" and not (folder / "video").exists()


def test_somebodys_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(FolderError, match="holds files, but no fingerprint.txt"):
        reset_if_stale(tmp_path, "a")
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_digests_do_not_depend_on_key_order(tmp_path):
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})
    write_json(tmp_path / "x.json", {"b": 2, "a": 1})
    write_json(tmp_path / "y.json", {"a": 1, "b": 2})
    assert sha256(tmp_path / "x.json") == sha256(tmp_path / "y.json")
