"""Where frames come from, as commands of ``python -m echo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from echo.study.options import (
    AssetsFolder,
    Fingerprint,
    Out,
    OutFolder,
    SplitName,
    StudyFile,
    application,
    checked_study,
    known_split,
    run_stage,
)

app = application()


@app.command()
def assets(out: OutFolder) -> None:
    """Fetch the asset pack that rooms are built of."""
    run_stage("assets", out=out)


@app.command()
def index(study: StudyFile, out: Out, fingerprint: Fingerprint = None) -> None:
    """Index the recordings on disk."""
    run_stage("index", study=checked_study(study, "index", None, fingerprint), out=out)


@app.command()
def pool(
    study: StudyFile,
    split: SplitName,
    out: OutFolder,
    assets: AssetsFolder,
    fingerprint: Fingerprint = None,
) -> None:
    """Render one split of rooms."""
    checked = checked_study(study, "pool", None, fingerprint)
    run_stage("pool", study=checked, split=known_split(checked, split), assets=assets, out=out)


@app.command()
def clips(
    study: StudyFile,
    split: SplitName,
    out: OutFolder,
    index: Annotated[Path, typer.Option("--index", help="index of the recordings")],
    fingerprint: Fingerprint = None,
) -> None:
    """Cut one split from recordings."""
    checked = checked_study(study, "clips", None, fingerprint)
    run_stage("clips", study=checked, split=known_split(checked, split), index=index, out=out)


@app.command()
def first_frames(study: StudyFile, out: OutFolder, fingerprint: Fingerprint = None) -> None:
    """Make a pool of pictures without truth: first frames, and cameras that leave and come back."""
    run_stage("first_frames", study=checked_study(study, "first_frames", None, fingerprint), out=out)


@app.command()
def check_poses(
    study: StudyFile,
    out: Annotated[Path, typer.Option("--index", help="where the index of the recordings is kept")],
    clips: Annotated[int, typer.Option("--clips", min=1, help="clips that are looked at, spread over all")] = 20,
) -> None:
    """Compare recordings with their poses, as either convention reads them (world.poses_are)."""
    from echo.world.recordings.pose_report import report

    for line in report(checked_study(study, "index").world, out, clips):
        print(line)
