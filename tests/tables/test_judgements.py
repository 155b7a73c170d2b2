"""Judgements of several judges as one table, and the reasons of missing answers."""

import numpy as np
import pandas as pd
import pytest

from echo.io.files import write_json
from echo.study.provenance import record_of
from echo.tables.complete import Run
from echo.tables.judgements import COLUMNS, MISSING_COLUMNS, judgement_table, missing_answers, write_judgements


def scores(value):
    names = ("appearance", "presence", "view", "scene_score", "judge")
    keys = {"row_name": "i2v", "train_seed": 0, "branch": "recall"}
    return pd.DataFrame([{**keys, "case": case, **dict.fromkeys(names, value)} for case in ("a", "b")])


CASES = pd.DataFrame({"branch": ["recall", "recall", "replay"], "case": ["b", "a", "a"], "scene": ["B", "A", "other"]})


def test_judges_follow_each_other_and_scenes_come_from_the_cases():
    table = judgement_table({"main": scores(1.0), "second": scores(np.nan)}, CASES)
    assert list(table) == COLUMNS
    assert table["judge_name"].tolist() == ["main", "main", "second", "second"]
    assert table["scene"].tolist() == ["A", "B", "A", "B"]
    assert table["score"].tolist()[:2] == [1, 1] and table["score"].isna().tolist()[2:] == [True, True]


def test_cases_that_lie_in_two_scenes_are_an_error():
    twice = pd.concat([CASES, CASES.assign(scene="another")])
    with pytest.raises(pd.errors.MergeError):
        judgement_table({"main": scores(1.0)}, twice)


def test_reasons_are_those_of_judges_that_report_any(tmp_path):
    runs, files = [Run("i2v", 0), Run("spatial", 3)], [tmp_path / f"{number}.csv" for number in range(4)]
    said = [{}, {"judge": {"asked": 3}}, {"judge": {"missing": {}}}, {"judge": {"missing": {"empty": 2, "cut off": 1}}}]
    for path, record in zip(files, said, strict=True):
        write_json(record_of(path), record)
    table = missing_answers(["main", "second"], runs, files)
    assert list(table) == MISSING_COLUMNS
    assert table.to_numpy().tolist() == [["second", "spatial", 3, "cut off", 1], ["second", "spatial", 3, "empty", 2]]


def test_equal_tables_are_equal_bytes_of_three_decimals(tmp_path):
    table = judgement_table({"main": scores(1.23456)}, CASES)
    for name in ("one", "two"):
        write_judgements(table, tmp_path / f"{name}.csv.xz")
    assert (tmp_path / "one.csv.xz").read_bytes() == (tmp_path / "two.csv.xz").read_bytes()
    assert (pd.read_csv(tmp_path / "one.csv.xz")["score"] == 1.235).all()
