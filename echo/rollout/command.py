"""Rollouts and reference rows, as commands of ``python -m echo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from echo.study.config import ConfigError
from echo.study.options import (
    CodecFile,
    EvidenceFiles,
    Fingerprint,
    GuideFolder,
    LatentsFolders,
    ModelFile,
    OutFolder,
    PicturesFolder,
    Pools,
    RowName,
    Seed,
    StudyFile,
    TextFiles,
    Threads,
    application,
    by_split,
    checked_study,
    prepare,
    run_stage,
)

app = application()


@app.command()
def rollout(
    study: StudyFile,
    row: RowName,
    seed: Seed,
    model: ModelFile,
    codec: CodecFile,
    pool: Pools,
    latents: LatentsFolders,
    text: TextFiles,
    evidence: EvidenceFiles,
    out: OutFolder,
    guide: GuideFolder = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Roll a row out on every branch."""
    checked = checked_study(study, "rollout", row, fingerprint)
    prepare(threads)
    run_stage(
        "rollout",
        study=checked,
        row=row,
        seed=seed,
        model=model,
        codec=codec,
        pools=by_split(checked, "--pool", pool),
        latents=by_split(checked, "--latents", latents),
        texts=by_split(checked, "--text", text),
        evidence=by_split(checked, "--evidence", evidence),
        out=out,
        guide=guide,
    )


@app.command()
def reference(
    study: StudyFile,
    row: Annotated[str, typer.Option("--row", help="a reference row: a module of echo/rollout/references")],
    codec: CodecFile,
    pool: Pools,
    latents: LatentsFolders,
    out: OutFolder,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Draw a reference row, which needs no training, on every branch."""
    checked = checked_study(study, "reference", row, fingerprint)
    prepare(threads)
    pools, caches = by_split(checked, "--pool", pool), by_split(checked, "--latents", latents)
    run_stage("reference", study=checked, reference=row, codec=codec, pools=pools, latents=caches, out=out)


@app.command()
def open_rollout(
    study: StudyFile,
    row: RowName,
    seed: Seed,
    model: ModelFile,
    codec: CodecFile,
    pool: PicturesFolder,
    text: Annotated[Path, typer.Option("--text", help="embedded captions of the pictures")],
    out: OutFolder,
    guide: GuideFolder = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Roll a row out from pictures."""
    checked = checked_study(study, "open_rollout", row, fingerprint)
    prepare(threads)
    files = {"model": model, "codec": codec, "pool": pool, "text": text}
    run_stage("open_rollout", study=checked, row=row, seed=seed, **files, out=out, guide=guide)


@app.command()
def open_reference(
    study: StudyFile,
    row: Annotated[str, typer.Option("--row", help="a reference row that needs neither depth nor truth")],
    codec: CodecFile,
    pool: PicturesFolder,
    out: OutFolder,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Draw a reference row from pictures."""
    checked = checked_study(study, "open_reference", row, fingerprint)
    if row not in checked.open_references:
        raise ConfigError(f"--row {row}: cannot be drawn from a lone first frame; {', '.join(checked.open_references)}")
    prepare(threads)
    run_stage("open_reference", study=checked, reference=row, codec=codec, pool=pool, out=out)
