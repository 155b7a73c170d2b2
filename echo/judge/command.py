"""Judges, certificates and people, as commands of ``python -m echo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from echo.study.options import (
    CodecFile,
    Fingerprint,
    JudgeName,
    MeasuredName,
    MeasuredSeed,
    OpenRolloutFiles,
    Out,
    PicturesFolder,
    PoolFolder,
    Pools,
    RolloutFiles,
    RowName,
    Seed,
    StudyFile,
    Threads,
    WeightsFolder,
    application,
    by_split,
    checked_study,
    prepare,
    run_stage,
)

app = application()


@app.command()
def judge(
    study: StudyFile,
    row: MeasuredName,
    seed: MeasuredSeed,
    rollout: RolloutFiles,
    pool: Pools,
    weights: WeightsFolder,
    out: Out,
    judge: JudgeName = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Judge a row's returns."""
    checked = checked_study(study, "judge", row, fingerprint, judge)
    prepare(threads)
    pools = by_split(checked, "--pool", pool)
    run_stage("judge", study=checked, row=row, seed=seed, rollouts=rollout, pools=pools, weights=weights, out=out)


@app.command()
def people(
    study: StudyFile,
    rollout: Annotated[
        list[Path], typer.Option("--rollout", help="folders of rollouts, row by row, then of reference rows; repeat it")
    ],
    pool: Pools,
    codec: CodecFile,
    out: Out,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Write the page on which people judge returns, and beside it which pair is of which row."""
    checked = checked_study(study, "people", None, fingerprint)
    prepare(threads)
    pools = by_split(checked, "--pool", pool)
    run_stage("people", study=checked, rollouts=rollout, pools=pools, codec=codec, out=out)


@app.command()
def raters(
    answers: Annotated[list[Path], typer.Option("--answers", help="a file that the page saved; repeat the option")],
    pairs: Annotated[Path | None, typer.Option("--pairs", help="the page's pairs.csv, which tells controls")] = None,
) -> None:
    """Print how far raters agree with themselves and with each other."""
    from echo.judge.people.answers import read_answers
    from echo.judge.people.raters import raters as table
    from echo.judge.people.sample import read_key

    print(table(read_answers(answers), read_key(pairs) if pairs else None).round(2).to_string())


@app.command()
def certificate(
    study: StudyFile,
    row: RowName,
    seed: Seed,
    probes: Annotated[Path, typer.Option("--probes", help="the row's probed frames")],
    pool: PoolFolder,
    weights: WeightsFolder,
    out: Out,
    seen: Annotated[Path | None, typer.Option("--seen", help="masks of seen pixels, where frames have depth")] = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Measure what a row's memory is worth: its returns, less those with another scene's memory."""
    checked = checked_study(study, "certificate", row, fingerprint)
    prepare(threads)
    files = {"probes": probes, "pool": pool, "weights": weights, "seen": seen}
    run_stage("certificate", study=checked, row=row, seed=seed, **files, out=out)


@app.command()
def open_judge(
    study: StudyFile,
    row: MeasuredName,
    seed: MeasuredSeed,
    rollout: OpenRolloutFiles,
    pool: PicturesFolder,
    weights: WeightsFolder,
    out: Out,
    judge: JudgeName = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Judge a row's returns to pictures."""
    checked = checked_study(study, "open_judge", row, fingerprint, judge)
    prepare(threads)
    files = {"rollouts": rollout, "pool": pool, "weights": weights}
    run_stage("open_judge", study=checked, row=row, seed=seed, **files, out=out)
