"""Gathered files that break the contract are named, and nothing is written."""

import pandas as pd
import pytest

from echo.tables.build import build_tables
from echo.tables.read import TableError
from tests.synthetic import write_tables


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("cases.csv.xz", lambda frame: frame.drop(columns="lpips"), "no column 'lpips'"),
        ("cases.csv.xz", lambda frame: pd.concat([frame, frame.iloc[:1]]), "is listed twice"),
        ("judgements.csv.xz", lambda frame: frame.drop(columns="score"), "no column 'score'"),
        ("judgements.csv.xz", lambda frame: pd.concat([frame, frame.iloc[:1]]), "is listed twice"),
        ("judgements.csv.xz", lambda frame: frame.replace("i2v", "other"), "row 'other' is not in rows.csv"),
        ("rows.csv", lambda frame: frame.iloc[1:], "row 'i2v' is not in rows.csv"),
        ("rows.csv", lambda frame: frame.assign(remembers="maybe"), "must hold True or False"),
        ("probes.csv.xz", None, "no such file"),
    ],
)
def test_inputs_that_break_the_contract_are_named(tmp_path, name, change, said):
    folder = write_tables(tmp_path, rows=("i2v", "context_k5"), cases=4)
    if change is None:
        (folder / name).unlink()
    else:
        change(pd.read_csv(folder / name)).to_csv(folder / name, index=False)
    with pytest.raises(TableError, match=said) as error:
        build_tables(folder, resamples=100)
    assert name in str(error.value)
    assert not (folder / "summary.csv").exists()
