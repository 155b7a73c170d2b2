"""The four commands, from nothing to a page and a leaderboard, and what is wrong with a call in one line."""

from __future__ import annotations

import json

import pytest

from echo.__main__ import main
from echo.protocol.export import truth_of


def complaint(capsys, *arguments) -> str:
    assert main([str(argument) for argument in arguments]) == 1
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_from_nothing_to_a_leaderboard(exported, weights, tmp_path, capsys):
    """Of the set that is there already: the answers of a reference row, their score without references, a table."""
    folder, answers, result = exported[0], tmp_path / "a", tmp_path / "s"
    model = ("--model", "echo.protocol.adapters.reference:Reference", "--option", "row=copy_first", "--name", "first")
    assert main(["answer", "--cases", str(folder), "--out", str(answers), *model]) == 0
    scored = ("score", answers, "--cases", folder, "--out", result, "--weights", weights, "--no-references")
    assert main([str(one) for one in scored]) == 0
    held = json.loads((result / "score.json").read_text())
    assert held["model"]["name"] == "first" and held["rows"]["model"]["branches"]["return_45"]["psnr"]["mean"] == 100
    assert held["certificate"]["revisit_near"]["remembers"] is False
    assert main(["leaderboard", str(result), "--out", str(tmp_path / "board")]) == 0
    assert (tmp_path / "board" / "index.html").is_file()
    assert "1 results in 1 groups" in capsys.readouterr().out


def test_calls_that_cannot_be_served(exported, copies, tmp_path, capsys):
    cases, out = exported[0], tmp_path / "x"
    assert "--size '128': expected one of 64" in complaint(capsys, "export", out, "--size", "128")
    assert "--branch loop: expected some of return_45" in complaint(capsys, "export", out, "--branch", "loop")
    assert "--study: the pool's" in complaint(capsys, "export", out, "--study", "s.yaml")
    assert "expected one of --model" in complaint(capsys, "answer", "--cases", cases, "--out", out)
    line = complaint(capsys, "answer", "--cases", cases, "--out", out, "--model", "a:B", "--option", "row")
    assert "--option row: expected NAME=VALUE" in line
    line = complaint(capsys, "score", tmp_path / "none", "--cases", cases)
    assert "no such folder of answers" in line
    line = complaint(capsys, "score", copies, "--cases", cases, "--truth", tmp_path)
    assert "no truth of Echo-1 there" in line
    assert "no results there" in complaint(capsys, "leaderboard", tmp_path / "none", "--out", out)
    assert not out.exists()


def test_faults_are_listed_before_the_last_line(exported, copies, tmp_path, capsys):
    (tmp_path / "a" / "return_45_000").mkdir(parents=True)
    assert main(["score", str(tmp_path / "a"), "--cases", str(exported[0])]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 5 and lines[0].startswith("return_45_000: an empty folder")
    assert lines[-1].startswith("echo score: ") and "4 answers do not fit" in lines[-1]


def test_truth_lies_beside(exported):
    assert truth_of(exported[0]).name == "cases.truth"


@pytest.mark.parametrize("text", ["judges: []", "other: {}"])
def test_a_file_of_judges_has_a_section(exported, copies, tmp_path, capsys, text):
    (tmp_path / "j.yaml").write_text(text)
    line = complaint(capsys, "score", copies, "--cases", exported[0], "--judges", tmp_path / "j.yaml")
    assert "expected a section `judges`" in line
