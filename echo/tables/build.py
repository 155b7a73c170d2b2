"""Compute all other tables of a tables folder from its gathered files.

``build_tables(folder)`` reads the gathered files (``echo.tables.read``) and writes to the same folder:

- ``summary.csv``: every row x branch x measure: mean, 95 % interval, cases, scenes, and the paper's number.
- ``table1.csv``, ``table5.csv`` ... ``table8.csv``: the paper's tables with the same numbers, in long format.
- ``table2.csv``: the constants of every row, as the study, the paper and its release have them.
- ``table3.csv``: the paper's table of judges, ours below it; ``agreement.csv``: how far each pair of judges agrees.
- ``differences.csv``: each row minus the reference row, case by case, with interval, p and Holm-corrected p.
- ``contrasts.csv``: differences between rows that were named before the run, what could have been seen, and what the
  paper's claims would have needed.
- ``rank_correlation.csv``: whether the row that replays best returns best, with interval, and the paper's value.
- ``against_references.csv``: each trained row minus each reference row, case by case, with interval.
- ``seen.csv``: per branch, the share of the measured pixels that was seen before.
- ``probes_table.csv``: how much the returns change and lose when the memory is changed, what it is worth, and the
  verdict.
- ``drift.csv``: PSNR by frame number in the rollout.
- ``tables.md``: all tables, formatted for reading; ``findings.md``: the paper's findings, and whether they hold here.

Everything is computed before the first file is written, so that bad input leaves the folder unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from echo.io.files import atomic_path, write_text
from echo.study.provenance import read_record
from echo.tables.agreement import agreement, table3
from echo.tables.compare import against_references, differences, probes_table
from echo.tables.constants import table2
from echo.tables.contrasts import contrasts
from echo.tables.files import PAPER_TABLES
from echo.tables.findings import findings
from echo.tables.markdown import render
from echo.tables.paper import paper_table
from echo.tables.rank_correlation import rank_correlation
from echo.tables.read import TableError, read_file, read_inputs
from echo.tables.summary import drift, seen_shares, summary


def build_tables(
    tables: Path,
    *,
    reference: str = "i2v",
    named: Sequence[tuple[str, str]] = (),
    threshold: float = 0.5,
    resamples: int = 2000,
    seed: int = 0,
) -> None:
    """Write every file of ``echo.tables.files.COMPUTED`` into the folder ``tables`` from the gathered files there.

    ``reference``: the row that differences are taken against. ``named``: contrasts, as (row, other). ``threshold``:
    grey levels (of 255) of mean change up to which a probed memory hardly moves its row. ``resamples``: bootstrap
    resamples of each interval. ``seed``: of the bootstrap. Raises TableError, naming file and column, if an input does
    not follow the contract.
    """
    tables = Path(tables)
    inputs = read_inputs(tables)
    cells = summary(inputs.cases, inputs.rows, resamples, seed)
    agreed = agreement(inputs.judgements, inputs.rows, resamples, seed)
    frames = {
        "summary.csv": cells,
        **{f"table{number}.csv": paper_table(number, cells, inputs.rows) for number in PAPER_TABLES},
        "table2.csv": table2(inputs.constants, inputs.rows),
        "agreement.csv": agreed,
        "table3.csv": table3(inputs.judgements, inputs.rows, agreed),
        "differences.csv": differences(inputs.cases, inputs.rows, reference, resamples, seed),
        "contrasts.csv": contrasts(inputs.cases, named, resamples, seed),
        "rank_correlation.csv": rank_correlation(inputs.cases, inputs.rows, resamples, seed),
        "against_references.csv": against_references(inputs.cases, inputs.rows, resamples, seed),
        "seen.csv": seen_shares(inputs.cases, resamples, seed),
        "probes_table.csv": probes_table(inputs.probes, inputs.cases, inputs.rows, threshold, resamples, seed),
        "drift.csv": drift(inputs.frames, resamples, seed),
    }
    found = findings(frames["contrasts.csv"], frames["rank_correlation.csv"], inputs.rows, frames["probes_table.csv"])
    page = render(frames, inputs, reference)
    for name, frame in frames.items():
        with atomic_path(tables / name) as temporary:
            frame.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
    write_text(tables / "tables.md", page)
    write_text(tables / "findings.md", found)


def rebuild_tables(tables: Path, **given: Any) -> None:
    """``build_tables`` of a folder that was published, as its study had it, by the record of the stage there.

    ``given``: settings of ``build_tables`` to take instead, None for the study's. Without a record they are the default
    ones. Raises TableError for a row of reference that the tables do not have: every difference would be empty.
    """
    record = tables / "record.json"
    settings: dict[str, Any] = {}
    if record.is_file():
        config = read_record(record)["config"]
        asked = config["evaluate"]
        settings = {
            "reference": config["reference"],
            "named": [(row, other) for row, other in asked.get("contrasts", [])],
            "threshold": asked["probe_threshold"],
            "resamples": asked["bootstrap"],
            "seed": config["seed"],
        }
    settings |= {name: value for name, value in given.items() if value is not None}
    rows = list(read_file(tables, "rows.csv")["row_name"])
    if (reference := settings.setdefault("reference", "i2v")) not in rows:
        raise TableError(f"{tables / 'rows.csv'}: no row {reference!r} to take differences against; --reference names "
                         f"one of {', '.join(rows)}")  # fmt: skip
    build_tables(tables, **settings)
