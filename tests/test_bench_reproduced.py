"""Whether a study that was run again has the published numbers: equal, a digit off, lines gone, other seeds."""

import shutil
import subprocess

import pandas as pd
import pytest

from bench import reproduced
from bench.reproduced import FILES, compared
from tests.synthetic import write_tables

ROWS = ("i2v", "spatial")


@pytest.fixture
def cases(tmp_path):
    return pd.read_csv(write_tables(tmp_path / "own", rows=ROWS, cases=3) / "cases.csv.xz")


def test_equal_tables_differ_in_nothing_whatever_their_order_and_where_values_are_missing(cases):
    cases.loc[2, "psnr"] = float("nan")
    assert compared("cases.csv.xz", cases, cases.sample(frac=1, random_state=0)) == []


def test_a_digit_and_a_word_that_changed_are_counted(cases):
    other = cases.copy()
    other.loc[3, "psnr"] += 0.25
    other.loc[[4, 5], "anchor"] = "another"
    lines = f"{len(cases):,} lines"
    assert set(compared("cases.csv.xz", cases, other)) == {
        f"anchor differs in 2 of {lines}", f"psnr differs in 1 of {lines}, by 0.25 at most"
    }  # fmt: skip
    other.loc[3, "psnr"] = float("nan")
    assert any("psnr differs in 1" in text for text in compared("cases.csv.xz", cases, other))


def test_lines_that_are_missing_or_new_are_named(cases):
    found = compared("cases.csv.xz", cases, cases.iloc[1:])
    assert found == ["missing lines: 1, such as i2v 0 replay in_000__replay"]
    assert compared("cases.csv.xz", cases.iloc[1:], cases)[0].startswith("new lines: 1, such as i2v 0 ")


def test_training_seeds_of_one_alone_are_left_out_and_none_in_common_is_said(cases):
    three = pd.concat([cases, cases.assign(train_seed=1, psnr=0.0)])
    assert compared("cases.csv.xz", three, cases) == []
    assert compared("cases.csv.xz", three, cases.assign(train_seed=7)) == ["no line in common"]


def test_the_command_compares_with_a_commit_and_its_code_says_whether_all_is_equal(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = write_tables(tmp_path / "results" / "mini" / "tables", rows=ROWS, cases=3)
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@b commit -qm tables"):
        subprocess.run(["git", *command.split()], check=True)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["reproduced", *arguments])
        with pytest.raises(SystemExit) as ended:
            reproduced.main()
        return ended.value.code, capsys.readouterr().out.splitlines()

    code, lines = run()
    assert not code and len(lines) == len(FILES) and all(line.endswith(": all equal") for line in lines)
    probes = pd.read_csv(folder / "probes.csv.xz")
    probes["change"] += 1
    probes.to_csv(folder / "probes.csv.xz", index=False)
    code, lines = run()
    assert code and "change differs in" in lines[-1] and lines[0].endswith("all equal")
    shutil.copytree(folder, tmp_path / "results" / "other" / "tables")
    assert "results/other/tables/cases.csv.xz: not in commit HEAD" in str(run("--study", "other")[0])
    (folder / "cases.csv.xz").unlink()
    assert "cases.csv.xz: no such file; run the study first: ./run study" in str(run()[0])
