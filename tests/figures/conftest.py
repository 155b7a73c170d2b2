"""Synthetic tables that the figure tests share."""

import numpy as np
import pandas as pd
import pytest

from echo.io.pictures import load_pictures, save_pictures
from echo.tables.build import build_tables
from tests.synthetic import REFERENCES, write_tables


@pytest.fixture(scope="session")
def full(tmp_path_factory):
    """Tables of all rows and all reference rows, by three judges, one of a long name."""
    judges = ("embedded", "second", "a_judge_whose_name_is_longer_than_an_axis")
    folder = write_tables(tmp_path_factory.mktemp("full"), cases=8, references=tuple(REFERENCES), judges=judges)
    build_tables(folder, resamples=100)
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Tables of four rows, by one judge."""
    rows = ("i2v", "context_k5", "spatial_inject_none", "ssm_blockwise")
    folder = write_tables(tmp_path_factory.mktemp("small"), rows=rows, cases=4)
    build_tables(folder, resamples=100)
    return folder


@pytest.fixture(scope="session")
def gappy(tmp_path_factory):
    """Tables of four rows with much missing: a branch, the judge, and each kind of number of some row."""
    rows = ("i2v", "context_k5", "spatial", "ssm_blockwise")
    folder = write_tables(tmp_path_factory.mktemp("gappy"), rows=rows, cases=4, judges=("embedded", "second"))
    judged = pd.read_csv(folder / "judgements.csv.xz")
    silent = (judged["judge_name"] == "second") & (judged["branch"] == "return_45")
    judged.loc[silent, ["appearance", "score"]] = np.nan
    judged.to_csv(folder / "judgements.csv.xz", index=False)
    cases = pd.read_csv(folder / "cases.csv.xz").drop(columns="judge")
    cases = cases[(cases["branch"] != "loop") & ~((cases["row_name"] == "spatial") & (cases["branch"] == "recall"))]
    cases.to_csv(folder / "cases.csv.xz", index=False)
    frames = pd.read_parquet(folder / "frames.parquet")
    frames[frames["row_name"] != "spatial"].to_parquet(folder / "frames.parquet")
    for file in ("probes.csv.xz", "timings.csv"):
        frame = pd.read_csv(folder / file)
        frame[frame["row_name"] != "ssm_blockwise"].to_csv(folder / file, index=False)
    table = pd.read_csv(folder / "rows.csv")
    table.loc[table["row_name"] == "ssm_blockwise", "kept_numbers"] = np.nan
    table.to_csv(folder / "rows.csv", index=False)
    samples = load_pictures(folder / "samples" / "recall.npz")
    kept = samples["rows"] != "spatial"
    samples |= {"rows": samples["rows"][kept], "images": samples["images"][kept]}
    save_pictures(folder / "samples" / "recall.npz", **samples)
    build_tables(folder, resamples=100)
    return folder
