"""A run's file that is cut, doubled, another run's or has gaps gives no table, and the message says all of it."""

import shutil

import numpy as np
import pandas as pd
import pytest

from echo.io.files import write_json
from echo.study.provenance import hashes, record_of
from echo.tables.complete import Run, expected, faults, measured, read_table, runs
from echo.tables.gather import gather
from echo.tables.read import TableError


def attempt(made):
    wanted = expected(made.study, {split: pool.info for split, pool in made.pools.items()})
    gather(made.study, wanted, made.current, **made.inputs, tables=made.folder / "tables")


def cut_lines(path, count):
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:count]))


def refused(made, *said):
    """The message of the error that stops the stage, all of ``said`` in it; nothing was written."""
    with pytest.raises(TableError) as error:
        attempt(made)
    message = str(error.value)
    for part in said:
        assert part in message, message
    assert "\n" not in message and not (made.folder / "tables").exists()
    return message


def test_whole_files_are_taken(made_runs):
    attempt(made_runs)
    assert (made_runs.folder / "tables" / "cases.csv.xz").is_file()


@pytest.mark.parametrize("name", ["measures/{}/cases.csv", "judge/{}.csv", "second/{}.csv", "probes/{}.csv"])
def test_a_changed_digit_is_refused(made_runs, name):
    path = made_runs.folder / name.format("context_k5-7")
    text = path.read_text()
    last = max(position for position, letter in enumerate(text) if letter.isdigit())
    path.write_text(text[:last] + str((int(text[last]) + 1) % 10) + text[last + 1 :])
    refused(made_runs, f"{path} (row context_k5, training seed 7): it was changed after its stage wrote it",
            f"run the same snakemake command with --forcerun {path}")  # fmt: skip


def test_a_file_whose_record_is_gone_damaged_or_older_is_refused(made_runs):
    record = made_runs.folder / "measures" / "i2v-0" / "record.json"
    for content, said in (("{", "record.json is damaged"), ("{}", "record.json has None"), (None, "is missing")):
        record.unlink() if content is None else record.write_text(content)
        refused(made_runs, "measures/i2v-0/cases.csv", "measures/i2v-0/frames.parquet", said)


def test_half_of_the_measures_is_refused(made_runs):
    path = made_runs.folder / "measures" / "context_k5-7" / "cases.csv"
    cut_lines(path, 11)  # 4 cases of each branch
    first = made_runs.cases("return_45").index[2]
    refused(
        made_runs, str(path), "row context_k5, training seed 7",
        f"branch return_45: 2 of 4 cases (first missing: {first})",
        "branch return_strict: 0 of 4 cases", f"--forcerun {path}",
    )  # fmt: skip


def test_four_lines_of_the_measures_are_refused(made_runs):
    cut_lines(made_runs.folder / "measures" / "i2v-0" / "cases.csv", 4)
    refused(made_runs, "branch replay: 3 of 4 cases", "branch loop: 0 of 4 cases", "branch recall: 0 of 4 cases")


@pytest.mark.parametrize(
    "name", ["measures/{}/cases.csv", "measures/{}/frames.parquet", "judge/{}.csv", "second/{}.csv", "probes/{}.csv"]
)
@pytest.mark.parametrize("other", ["context_k5-0", "i2v-7"])
def test_another_rows_or_seeds_file_is_refused(made_runs, name, other):
    path = made_runs.folder / name.format("i2v-0")
    shutil.copy(made_runs.folder / name.format(other), path)
    row, seed = other.split("-")
    refused(made_runs, f"{path} (row i2v, training seed 0)", f"belong to row {row}, training seed {seed}")


def test_a_file_that_does_not_say_whose_it_is_is_refused(made_runs):
    path = made_runs.folder / "judge" / "i2v-0.csv"
    pd.read_csv(path).drop(columns="row_name").to_csv(path, index=False)
    refused(made_runs, str(path), "no column 'row_name'")


def test_a_case_that_is_there_twice_or_unknown_is_refused(made_runs):
    path = made_runs.folder / "probes" / "i2v-0.csv"
    table = pd.read_csv(path)
    pd.concat([table, table.iloc[:1].assign(case="elsewhere"), table.iloc[1:2]]).to_csv(path, index=False)
    refused(made_runs, "occurs more than once", "probe erase: elsewhere is not in the study")


def test_a_frame_that_is_missing_is_named(made_runs):
    path = made_runs.folder / "measures" / "i2v-7" / "frames.parquet"
    frames = pd.read_parquet(path)
    gone = (frames.branch == "recall") & (frames.frame == frames.frame[frames.branch == "recall"].max())
    frames[~gone].to_parquet(path, index=False)
    first = made_runs.cases("recall").index[0]
    refused(made_runs, str(path), f"branch recall: 12 of 16 frames (first missing: {first} frame 12")


@pytest.mark.parametrize(
    ("name", "column", "group"),
    [
        ("measures/i2v-0/cases.csv", "lpips", "branch replay"),
        ("measures/i2v-0/cases.csv", "first_psnr", "branch loop"),
        ("measures/i2v-0/cases.csv", "departed", "branch revisit_far"),
        ("measures/i2v-0/frames.parquet", "psnr", "branch replay"),
        ("probes/i2v-0.csv", "change", "probe erase"),
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gap_where_a_number_must_be_is_named(made_runs, name, column, group, value):
    path = made_runs.folder / name
    table = read_table(path)
    place = table.index[table[group.split()[0]] == group.split()[1]][1]
    table.loc[place, column] = value
    table.to_parquet(path, index=False) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    refused(made_runs, str(path), f"{group}: {column} is not a number in 1 of", str(table.loc[place, "case"]))


def test_what_the_branch_or_the_judge_does_not_measure_may_be_empty(made_runs):
    cases = pd.read_csv(made_runs.folder / "measures" / "i2v-0" / "cases.csv")
    assert cases.first_psnr[cases.branch == "replay"].isna().all()  # there is no return to the first view
    path = made_runs.folder / "judge" / "i2v-0.csv"
    scores = pd.read_csv(path)
    scores.loc[0, "judge"] = np.nan
    scores.to_csv(path, index=False)
    write_json(record_of(path), hashes(path))
    attempt(made_runs)


@pytest.mark.parametrize("name", ["measures/i2v-0/cases.csv", "measures/i2v-0/frames.parquet", "judge/i2v-0.csv"])
@pytest.mark.parametrize("left", [0, 1, 0.5, -1])
def test_a_file_cut_at_any_byte_is_refused(made_runs, name, left):
    path = made_runs.folder / name
    data = path.read_bytes()
    path.write_bytes(data[: int(left * len(data)) if isinstance(left, float) else left])
    refused(made_runs, str(path), f"--forcerun {path}")


def test_a_reference_rows_measures_must_be_whole_too(made_runs):
    path = made_runs.folder / "measures" / "copy_first" / "cases.csv"
    cut_lines(path, 2)
    refused(made_runs, f"{path} (reference row copy_first): branch replay: 1 of 4 cases", f"--forcerun {path}")


def test_all_broken_files_stand_in_one_command(made_runs):
    one, two = made_runs.folder / "probes" / "i2v-0.csv", made_runs.folder / "measures" / "i2v-7" / "cases.csv"
    one.unlink()
    cut_lines(two, 2)
    refused(made_runs, f"{one} (row i2v, training seed 0): no such file", f"--forcerun {two} {one}")


def test_runs_are_row_by_row_and_seed_by_seed(made_runs):
    assert runs(made_runs.study) == [Run("i2v", 0), Run("i2v", 7), Run("context_k5", 0), Run("context_k5", 7)]
    assert measured(made_runs.study) == [*runs(made_runs.study), Run("codec_ceiling", -1), Run("copy_first", -1)]
    assert str(Run("i2v", 7)) == "row i2v, training seed 7"


def test_expected_cases_are_those_that_a_rollout_takes(made_runs):
    wanted = expected(made_runs.study, {split: pool.info for split, pool in made_runs.pools.items()})
    for branch in made_runs.study.evaluate.branches:
        assert list(wanted.cases[branch]) == list(made_runs.cases(branch).index)
    assert {branch for branch, _ in wanted.judged_keys} == {"return_45", "return_strict", "recall"}
    assert len(wanted.probe_keys) == 5 * made_runs.study.evaluate.probe_cases


def test_nothing_is_wrong_with_a_whole_table():
    table = pd.DataFrame(
        {"row_name": "a", "train_seed": 0, "branch": ["x", "x"], "case": ["1", "2"], "psnr": [1.0, 2.0]}
    )
    wanted = [("x", "1"), ("x", "2")]
    assert faults(table, Run("a", 0), ["branch", "case"], wanted, {"x": ("psnr",)}) == []
    assert faults(table[:0], Run("a", 0), ["branch", "case"], wanted, {}) == [
        "branch x: 0 of 2 cases (first missing: 1)"
    ]
