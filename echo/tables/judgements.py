"""What every judge of a study said of every case, and why answers are missing, from the judges' own files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from echo.study.provenance import read_record, record_of
from echo.tables.complete import SCORES, Run
from echo.tables.compressed import write_compressed

KEYS = ["row_name", "train_seed", "branch", "case"]
COLUMNS = [*KEYS, "scene", "judge_name", *SCORES[:-1], "score"]
MISSING_COLUMNS = ["judge_name", "row_name", "train_seed", "reason", "answers"]
DECIMALS = 3


def judgement_table(scores: Mapping[str, pd.DataFrame], cases: pd.DataFrame) -> pd.DataFrame:
    """A line (``COLUMNS``) for each judge and judged case, judge by judge; a score that was not given is missing.

    scores: each judge's tables of all runs, as ``echo.judge.cases`` makes them. cases: the study's, for their scenes.
    """
    scenes = cases[["branch", "case", "scene"]].drop_duplicates()
    whole = pd.concat([table.assign(judge_name=judge) for judge, table in scores.items()], ignore_index=True)
    whole = whole.rename(columns={SCORES[-1]: "score"}).merge(scenes, on=["branch", "case"], how="left", validate="m:1")
    return whole[COLUMNS]


def missing_answers(judges: Sequence[str], runs: Sequence[Run], files: Sequence[Path]) -> pd.DataFrame:
    """A line (``MISSING_COLUMNS``) for each reason why answers of a judge are missing in a run, by their records.

    Only judges that report reasons have any (``echo.judge.base.ReportingJudge``; their key ``missing``). files: one for
    each judge and run, judge by judge.
    """
    lines = []
    owners = [(judge, run) for judge in judges for run in runs]
    for (judge, run), path in zip(owners, files, strict=True):
        reasons = read_record(record_of(path)).get("judge", {}).get("missing", {})
        lines += [(judge, run.row_name, run.train_seed, reason, count) for reason, count in reasons.items()]
    return pd.DataFrame(lines, columns=MISSING_COLUMNS)


def write_judgements(judgements: pd.DataFrame, path: Path) -> None:
    """Write the table compressed, equal tables as equal bytes."""
    write_compressed(judgements.round(DECIMALS), path)
