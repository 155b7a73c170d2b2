"""Where a shipped base is found, and what is said where none is."""

import json

import pytest

from echo.study import shipped
from echo.study.shipped import ShippedError, find_shipped, misfits, read_shipped
from echo.study.study import model_sizes
from tests.conftest import tiny_study


def write(folder, study):
    folder.mkdir(parents=True)
    files = {name: {"sha256": "0"} for name in shipped.FILES}
    (folder / "record.json").write_text(json.dumps({"sizes": model_sizes(study), "files": files}))


def test_the_working_directory_comes_before_the_project(tmp_path, monkeypatch):
    project, here = tmp_path / "project", tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(shipped, "PROJECT", project)
    with pytest.raises(ShippedError, match=r"shipped/tiny \(working directory\) nor in .*project/shipped/tiny"):
        find_shipped("tiny")
    write(project / "shipped" / "tiny", tiny_study())
    assert find_shipped("tiny") == project / "shipped" / "tiny"
    write(here / "shipped" / "tiny", tiny_study())
    assert (here / find_shipped("tiny")) == here / "shipped" / "tiny"


def test_the_project_is_the_folder_that_holds_the_package():
    assert (shipped.PROJECT / "echo" / "study" / "shipped.py").is_file()


def test_a_key_that_came_later_had_its_default(tmp_path):
    write(tmp_path / "tiny", tiny_study())
    record = read_shipped(tmp_path / "tiny")
    assert list(misfits(tiny_study(), record)) == []
    assert list(misfits(tiny_study(codec={"channels": 6}), record)) == [("codec.channels", 6, 5)]
    del record["sizes"]["backbone"]["camera"]
    assert list(misfits(tiny_study(), record)) == []
    changed = tiny_study(backbone={"camera": "attention"})
    assert list(misfits(changed, record)) == [("backbone.camera", "attention", "add")]
    assert list(misfits(changed, record, weights=False)) == []
    other = tiny_study(codec={"channels": 6}, backbone=record["sizes"]["backbone"] | {"layers": 9})
    assert list(misfits(other, record, weights=False)) == [("codec.channels", 6, 5)]


def test_a_record_that_is_none_says_how_to_restore_it(tmp_path):
    (tmp_path / "record.json").write_text('{"sizes": {}}')
    with pytest.raises(ShippedError, match="not the record of a shipped base .*git checkout -- ") as error:
        read_shipped(tmp_path)
    assert "\n" not in str(error.value)
