"""Reading the gathered files of a tables folder, and checking their columns before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from echo.io.errors import UserError

CASE_KEYS = ("row_name", "train_seed", "branch", "split", "scene", "anchor", "case")
COLUMNS = {
    "cases.csv.gz": (*CASE_KEYS, "psnr", "ssim", "lpips"),
    "frames.parquet": (*CASE_KEYS, "segment", "frame", "psnr"),
    "probes.csv": ("row_name", "train_seed", "probe", "case", "change", "psnr_drop", "seen_drop", "lpips_rise",
                   "judge_drop", "toward"),
    "rows.csv": ("row_name", "family", "label", "remembers", "state_numbers"),
    "timings.csv": ("stage", "row_name", "seconds", "peak_mb"),
    "realism.csv": ("row_name", "branch", "kind", "value", "low", "high", "floor"),
    "audit.csv": ("row_name", "train_seed", "aspect", "value", "may_differ", "differs"),
}  # fmt: skip


class TableError(UserError):
    """An input that does not follow the results contract: one line that names file, column and what was expected."""


@dataclass(frozen=True)
class Inputs:
    """The gathered files, one data frame each."""

    cases: pd.DataFrame
    frames: pd.DataFrame
    probes: pd.DataFrame
    rows: pd.DataFrame
    timings: pd.DataFrame
    realism: pd.DataFrame
    audit: pd.DataFrame


def read_file(tables: Path, name: str) -> pd.DataFrame:
    """One file of the contract; raises TableError if it is absent or lacks a column."""
    path = tables / name
    if not path.is_file():
        raise TableError(f"{path}: no such file; the stage `tables` writes it")
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        frame = pd.read_csv(path, dtype=dict.fromkeys(("row_name", "branch", "scene", "anchor", "case", "probe"), str))
    missing = [column for column in COLUMNS[name] if column not in frame]
    if missing:
        raise TableError(f"{path}: no column {missing[0]!r}; expected {', '.join(COLUMNS[name])}")
    return frame


def read_inputs(tables: Path) -> Inputs:
    """All gathered files, checked: columns, each case once, every row of cases.csv.gz in rows.csv."""
    read = {name.split(".")[0]: read_file(tables, name) for name in COLUMNS}
    inputs = Inputs(**read)
    if inputs.rows["row_name"].duplicated().any():
        raise TableError(f"{tables / 'rows.csv'}: a row is listed twice")
    if inputs.rows["remembers"].dtype != bool:
        raise TableError(f"{tables / 'rows.csv'}: column 'remembers' must hold True or False everywhere")
    keys = ["row_name", "train_seed", "branch", "case"]
    repeated = inputs.cases[inputs.cases.duplicated(keys)]
    if len(repeated):
        raise TableError(f"{tables / 'cases.csv.gz'}: {dict(repeated.iloc[0][keys])} is listed twice")
    unknown = sorted(set(inputs.cases["row_name"]) - set(inputs.rows["row_name"]))
    if unknown:
        raise TableError(f"{tables / 'cases.csv.gz'}: row {unknown[0]!r} is not in rows.csv")
    return inputs
