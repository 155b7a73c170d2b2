"""The environment files come from one list of pins."""

import re

import pytest

from envs import make


def test_committed_files_are_up_to_date():
    assert make.main(["--check"]) == 0


def test_gpu_pins_are_the_cpus_and_the_optional_ones_are_apart():
    source = "# a comment\n# Direct:\na==1\nfast==2  # optional on GPUs\nb==3\n"
    written = make.files(source)
    cpu, gpu = (re.findall(r"^\w\S*==\S+", written[f"requirements{kind}.txt"], re.M) for kind in ("", "-gpu"))
    assert cpu == gpu == ["a==1", "b==3"]
    assert written["requirements-flash.txt"].splitlines()[2:] == ["-r requirements-gpu.txt", "fast==2"]
    assert "-r requirements-gpu.txt" in written["environment-gpu.yaml"]


def test_a_package_without_its_version_is_named():
    with pytest.raises(ValueError, match="line 2: expected name==version, got 'torch>=2'"):
        make.files("# x\ntorch>=2\n")


def test_a_stale_file_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "packages.txt").write_text("# x\na==1\n")
    monkeypatch.setattr(make, "FOLDER", tmp_path)
    monkeypatch.setattr(make, "SOURCE", tmp_path / "packages.txt")
    assert make.main([]) == 0 and make.main(["--check"]) == 0
    (tmp_path / "packages.txt").write_text("# x\na==2\n")
    assert make.main(["--check"]) == 1
    assert "requirements.txt" in capsys.readouterr().err
