"""The environment files come from one list of pins."""

import re
import tomllib

import pytest

from envs import make
from tests.conftest import ROOT

TEXT = "# a comment\n## core: needed\na==1\n## gpu: fast\nfast==2\n## in turn: more\nb==3\n"


def pins(text: str) -> list[str]:
    return re.findall(r"^\w\S*==\S+", text, re.M)


def test_committed_files_are_up_to_date():
    assert make.main(["--check"]) == 0


def test_gpu_pins_are_the_cpus_and_the_optional_ones_are_apart():
    written = make.files(TEXT)
    assert pins(written["requirements.txt"]) == pins(written["requirements-gpu.txt"]) == ["a==1", "b==3"]
    assert pins(written["extras/gpu.txt"]) == ["fast==2"] and pins(written["extras/core.txt"]) == ["a==1"]
    assert "-r requirements-gpu.txt" in written["environment-gpu.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## core: x\ntorch>=2\n", "line 2: expected name==version in a section, got 'torch>=2'"),
        ("a==1\n", "line 1: expected name==version in a section"),
        ("## extra: x\n", "line 1: section 'extra'"),
    ],
)
def test_a_line_that_pins_nothing_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        make.files(text)


def test_a_stale_file_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "packages.txt").write_text(TEXT)
    monkeypatch.setattr(make, "FOLDER", tmp_path)
    monkeypatch.setattr(make, "SOURCE", tmp_path / "packages.txt")
    assert make.main([]) == 0 and make.main(["--check"]) == 0
    (tmp_path / "packages.txt").write_text(TEXT.replace("a==1", "a==2"))
    assert make.main(["--check"]) == 1
    assert "requirements.txt" in capsys.readouterr().err


def test_the_installed_package_has_its_dependencies_from_the_one_list():
    dynamic = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["dynamic"]
    listed = [dynamic["dependencies"], *dynamic["optional-dependencies"].values()]
    generated = make.files(make.SOURCE.read_text())
    assert all(f"{file}".removeprefix("envs/") in generated for one in listed for file in one["file"])
