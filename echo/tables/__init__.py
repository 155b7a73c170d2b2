"""Result tables: from one line a case to the paper's tables, each cell with its interval and the paper's number.

``build_tables(folder)`` reads what the evaluation wrote there (cases.csv, frames.parquet, probes.csv, rows.csv) and
writes beside it:

- ``summary.csv``: every row x branch x measure: mean, 95 % interval, cases, scenes, and the paper's number.
- ``table1.csv``, ``table5.csv`` ... ``table8.csv``: the paper's tables of the same numbers, as long tables.
- ``differences.csv``: each row minus the reference row, case by case, with interval, p and Holm's p.
- ``probes_table.csv``: how far the return frames move when the memory is erased or swapped, and the verdict.
- ``drift.csv``: PSNR against the frame's place in the rollout.
- ``tables.md``: all of it, formatted to be read.

A number that was not measured is an empty cell, never 0.
"""

from __future__ import annotations

from pathlib import Path

from echo.io.files import atomic_path, write_text
from echo.tables.compare import differences, probes_table
from echo.tables.markdown import render
from echo.tables.paper import TABLES, paper_table
from echo.tables.read import read_inputs
from echo.tables.summary import drift, summary

WRITES = (
    "summary.csv",
    *(f"table{number}.csv" for number in TABLES),
    "differences.csv",
    "probes_table.csv",
    "drift.csv",
    "tables.md",
)


def build_tables(
    tables: Path, *, reference: str = "i2v", threshold: float = 0.5, resamples: int = 2000, seed: int = 0
) -> None:
    """Write every table of ``WRITES`` into the folder ``tables`` from the evaluation's files there.

    reference: the row that differences are taken against. threshold: grey levels (of 255) of mean change above which
    a probed memory counts as used. resamples: bootstrap resamples an interval. seed: of the bootstrap.
    Raises TableError, naming file and column, where an input does not follow the contract.
    """
    tables = Path(tables)
    inputs = read_inputs(tables)
    whole = summary(inputs.cases, inputs.rows, resamples, seed)
    frames = {
        "summary.csv": whole,
        **{f"table{number}.csv": paper_table(number, whole, inputs.rows) for number in TABLES},
        "differences.csv": differences(inputs.cases, inputs.rows, reference, resamples, seed),
        "probes_table.csv": probes_table(inputs.probes, inputs.cases, inputs.rows, threshold, resamples, seed),
        "drift.csv": drift(inputs.frames, resamples, seed),
    }
    for name, frame in frames.items():
        with atomic_path(tables / name) as temporary:
            frame.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    write_text(tables / "tables.md", render(frames, inputs.rows, inputs.timings, reference))
