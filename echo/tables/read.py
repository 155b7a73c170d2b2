"""Reading the gathered files of a tables folder, and checking their columns before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from echo.io.errors import UserError

TEXTS = ("row_name", "branch", "scene", "anchor", "case", "probe", "judge_name", "reason")  # columns
OWN_TEXTS = {"constants.csv": ("value",)}  # of one file
CASE_KEYS = ("row_name", "train_seed", "branch", "split", "scene", "anchor", "case")
COLUMNS = {
    "cases.csv.xz": (*CASE_KEYS, "psnr", "ssim", "lpips"),
    "frames.parquet": (*CASE_KEYS, "segment", "frame", "psnr"),
    "judgements.csv.xz": ("row_name", "train_seed", "branch", "case", "scene", "judge_name", "appearance", "presence",
                          "view", "scene_score", "score"),
    "missing_answers.csv": ("judge_name", "row_name", "train_seed", "reason", "answers"),
    "probes.csv.xz": ("row_name", "train_seed", "probe", "case", "change", "psnr_drop", "seen_drop", "lpips_rise",
                   "judge_drop", "toward"),
    "rows.csv": ("row_name", "family", "label", "remembers", "kept_numbers"),
    "timings.csv": ("stage", "row_name", "seconds", "peak_mb"),
    "realism.csv": ("row_name", "branch", "kind", "value", "low", "high", "floor"),
    "audit.csv": ("row_name", "train_seed", "aspect", "value", "may_differ", "differs"),
    "constants.csv": ("row_name", "constant", "value"),
}  # fmt: skip


class TableError(UserError):
    """An input that does not follow the results contract: one line that names file, column and what was expected."""


@dataclass(frozen=True)
class Inputs:
    """The gathered files, one data frame each."""

    cases: pd.DataFrame
    frames: pd.DataFrame
    judgements: pd.DataFrame
    missing_answers: pd.DataFrame
    probes: pd.DataFrame
    rows: pd.DataFrame
    timings: pd.DataFrame
    realism: pd.DataFrame
    audit: pd.DataFrame
    constants: pd.DataFrame


def read_file(tables: Path, name: str) -> pd.DataFrame:
    """One file of the contract; raises TableError if it is absent or lacks a column."""
    path = tables / name
    if not path.is_file():
        raise TableError(f"{path}: no such file; the stage `tables` writes it")
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        frame = pd.read_csv(path, dtype=dict.fromkeys((*TEXTS, *OWN_TEXTS.get(name, ())), str))
    missing = [column for column in COLUMNS[name] if column not in frame]
    if missing:
        raise TableError(f"{path}: no column {missing[0]!r}; expected {', '.join(COLUMNS[name])}")
    return frame


def read_inputs(tables: Path) -> Inputs:
    """All gathered files, checked: columns, each case once, every row of cases.csv.xz in rows.csv."""
    read = {name.split(".")[0]: read_file(tables, name) for name in COLUMNS}
    inputs = Inputs(**read)
    if inputs.rows["row_name"].duplicated().any():
        raise TableError(f"{tables / 'rows.csv'}: a row is listed twice")
    if inputs.rows["remembers"].dtype != bool:
        raise TableError(f"{tables / 'rows.csv'}: column 'remembers' must hold True or False everywhere")
    keys = ["row_name", "train_seed", "branch", "case"]
    for name, table, unique in (
        ("cases.csv.xz", inputs.cases, keys),
        ("judgements.csv.xz", inputs.judgements, [*keys, "judge_name"]),
    ):
        repeated = table[table.duplicated(unique)]
        if len(repeated):
            raise TableError(f"{tables / name}: {dict(repeated.iloc[0][unique])} is listed twice")
        unknown = sorted(set(table["row_name"]) - set(inputs.rows["row_name"]))
        if unknown:
            raise TableError(f"{tables / name}: row {unknown[0]!r} is not in rows.csv")
    return inputs
