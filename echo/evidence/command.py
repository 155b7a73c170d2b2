"""Evidence, as commands of ``python -m echo``."""

from __future__ import annotations

from echo.study.options import Fingerprint, LatentsFolder, Out, StudyFile, application, checked_study, run_stage

app = application()


@app.command()
def evidence(study: StudyFile, latents: LatentsFolder, out: Out, fingerprint: Fingerprint = None) -> None:
    """Rank a split's evidence."""
    run_stage("evidence", study=checked_study(study, "evidence", None, fingerprint), latents=latents, out=out)
