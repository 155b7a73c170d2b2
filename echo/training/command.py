"""The base and the rows, as commands of ``python -m echo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from echo.study.config import Study
from echo.study.options import (
    ARGUMENTS,
    EvidenceFile,
    Fingerprint,
    LatentsFolder,
    Out,
    PretrainedFile,
    Processes,
    RowName,
    Seed,
    ShippedFolder,
    StudyFile,
    TextFile,
    Threads,
    application,
    checked_study,
    prepare,
    run_stage,
)

app = application()


def _train(stage: str, study: Study, processes: int | None, threads: int, **values: Any) -> None:
    """Run a training stage here, or start the processes in which it runs (this very command, once in each)."""
    from echo.training import launch

    count = launch.processes(study.train, study.compute.processes if processes is None else processes)
    if count > 1 and not launch.is_worker():
        raise typer.Exit(launch.launch(stage, ["-m", "echo", *ARGUMENTS], count))
    prepare(threads)
    run_stage(stage, study=study, **values)


@app.command()
def base_train(
    study: StudyFile,
    shards: Annotated[list[Path], typer.Option("--shards", help="files of clips, in order; repeat the option")],
    out: Out,
    shipped: ShippedFolder = None,
    fingerprint: Fingerprint = None,
) -> None:
    """Train the base on its own clips, with base.threads threads; what was interrupted goes on."""
    checked = checked_study(study, "base_train", None, fingerprint)
    prepare(checked.base.threads)
    run_stage("base_train", study=checked, shards=shards, out=out, shipped=shipped)


@app.command()
def base(
    study: StudyFile,
    out: Out,
    latents: Annotated[Path | None, typer.Option("--latents", help="folder of the training split's latents")] = None,
    text: Annotated[Path | None, typer.Option("--text", help="embedded captions of the split")] = None,
    evidence: Annotated[Path | None, typer.Option("--evidence", help="ranked evidence of the split")] = None,
    pretrained: PretrainedFile = None,
    shipped: ShippedFolder = None,
    processes: Processes = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Make the starting weights that all rows share: drawn, shipped or pretrained."""
    checked = checked_study(study, "base", None, fingerprint)
    values = {"latents": latents, "text": text, "evidence": evidence, "pretrained": pretrained, "shipped": shipped}
    trains = pretrained is not None and checked.base.steps
    _train("base", checked, processes if trains else 1, threads, **values, out=out)


@app.command()
def train(
    study: StudyFile,
    row: RowName,
    seed: Seed,
    latents: LatentsFolder,
    text: TextFile,
    evidence: EvidenceFile,
    base: Annotated[Path, typer.Option("--base", help="the shared starting weights")],
    out: Out,
    processes: Processes = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Train a row from the base."""
    checked = checked_study(study, "train", row, fingerprint)
    values = {"latents": latents, "text": text, "evidence": evidence, "base": base, "out": out}
    _train("train", checked, processes, threads, row=row, seed=seed, **values)
