"""Measures, probes, and what a study costs, as commands of ``python -m echo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from echo.study.config import load_study
from echo.study.options import (
    CodecFile,
    EvidenceFile,
    Fingerprint,
    GuideFolder,
    LatentsFolder,
    MeasuredName,
    MeasuredSeed,
    ModelFile,
    Out,
    OutFolder,
    PoolFolder,
    Pools,
    RolloutFiles,
    RowName,
    Seed,
    StudyFile,
    TextFile,
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
def weights(
    out: OutFolder,
    only: Annotated[list[str] | None, typer.Option("--only", help="a file's name, such as vgg16; repeat it")] = None,
) -> None:
    """Fetch the weights of LPIPS' network and of the embedded judge's; with --only vgg16 the second one's."""
    run_stage("weights", out=out, **({"names": only} if only else {}))


@app.command()
def probe(
    study: StudyFile,
    row: RowName,
    seed: Seed,
    model: ModelFile,
    codec: CodecFile,
    pool: PoolFolder,
    latents: LatentsFolder,
    text: TextFile,
    evidence: EvidenceFile,
    out: Out,
    guide: GuideFolder = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Change a row's memory: the returned frames must move, or must not where the row is inert by design."""
    checked = checked_study(study, "probe", row, fingerprint)
    prepare(threads)
    files = {"model": model, "codec": codec, "pool": pool, "latents": latents, "text": text, "evidence": evidence}
    run_stage("probe", study=checked, row=row, seed=seed, **files, out=out, guide=guide)


@app.command()
def seen(study: StudyFile, pool: Pools, out: Out, fingerprint: Fingerprint = None) -> None:
    """Find which pixels of the measured frames were seen before, from true depth."""
    checked = checked_study(study, "seen", None, fingerprint)
    run_stage("seen", study=checked, pools=by_split(checked, "--pool", pool), out=out)


@app.command()
def measure(
    study: StudyFile,
    row: MeasuredName,
    seed: MeasuredSeed,
    rollout: RolloutFiles,
    pool: Pools,
    weights: WeightsFolder,
    out: OutFolder,
    seen: Annotated[Path | None, typer.Option("--seen", help="masks of seen pixels, where frames have depth")] = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Compare a row's rollouts with the truth."""
    checked = checked_study(study, "measure", row, fingerprint)
    prepare(threads)
    files = {"rollouts": rollout, "pools": by_split(checked, "--pool", pool), "weights": weights, "seen": seen}
    run_stage("measure", study=checked, row=row, seed=seed, **files, out=out)


@app.command()
def true_features(
    study: StudyFile,
    pool: Pools,
    weights: WeightsFolder,
    out: Out,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Embed the true frames that realism is measured against."""
    checked = checked_study(study, "true_features", None, fingerprint)
    prepare(threads)
    run_stage("true_features", study=checked, pools=by_split(checked, "--pool", pool), weights=weights, out=out)


@app.command()
def realism(
    study: StudyFile,
    row: MeasuredName,
    seed: MeasuredSeed,
    rollout: RolloutFiles,
    pool: Pools,
    true: Annotated[Path, typer.Option("--true", help="features of the true frames")],
    weights: WeightsFolder,
    out: Out,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Measure how far a row's frames are, as a set, from true ones."""
    checked = checked_study(study, "realism", row, fingerprint)
    prepare(threads)
    files = {"rollouts": rollout, "pools": by_split(checked, "--pool", pool), "true": true, "weights": weights}
    run_stage("realism", study=checked, row=row, seed=seed, **files, out=out)


@app.command()
def plan(
    config: Annotated[Path, typer.Option("--config", help="the study's YAML file")],
    rows: Annotated[list[str] | None, typer.Option("--rows", help="plan these rows alone; repeat the option")] = None,
    json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="print the tables of docs/scale.md")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="fail where a row does not fit the GPU")] = False,
) -> None:
    """What a study costs in arithmetic, memory and disk, from shapes alone."""
    study = load_study(config)
    from echo.measures.cost.command import report

    raise typer.Exit(report(study, rows, as_json=json, as_markdown=markdown, strict=strict))
