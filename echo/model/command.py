"""Released checkpoints, as commands of ``python -m echo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from echo.study.options import Fingerprint, Out, RowName, StudyFile, application, checked_study, run_stage

app = application()


@app.command()
def import_released(
    study: StudyFile,
    row: RowName,
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="the released file")],
    out: Out,
    sha256: Annotated[str | None, typer.Option("--sha256", help="of that file; another one is refused")] = None,
    fingerprint: Fingerprint = None,
) -> None:
    """Convert a checkpoint that the paper's authors released."""
    run_stage(
        "import_released",
        study=checked_study(study, "import_released", row, fingerprint),
        row=row,
        checkpoint=checkpoint,
        out=out,
        sha256=sha256,
    )


@app.command("released-file")
def released_file(study: StudyFile, row: RowName, out: Out) -> None:
    """Download the checkpoint that the paper's authors released and a row is made of."""
    run_stage("released_file", study=checked_study(study, "released_file", row), row=row, out=out)
