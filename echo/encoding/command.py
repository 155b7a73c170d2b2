"""Codec, captions and latents, as commands of ``python -m echo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from echo.study.config import ConfigError, Study
from echo.study.options import (
    AssetsFolder,
    CodecFile,
    Fingerprint,
    Out,
    OutFolder,
    PoolFolder,
    PretrainedFile,
    ShippedFolder,
    StudyFile,
    Threads,
    application,
    checked_study,
    prepare,
    run_stage,
)
from echo.study.words import splits_of

app = application()


def _own_pool(study: Study, folder: Path) -> Path:
    """The folder of a pool, once it is known to be of a split that the study may open, or of pictures."""
    if folder.exists():
        from echo.world.first_frames.pool import SPLIT
        from echo.world.pool import open_pool

        open_pool(folder, (*splits_of(study.evaluate.splits), SPLIT))
    return folder


@app.command()
def pretrained(
    study: StudyFile,
    resources: Annotated[Path, typer.Option("--resources", help="folder that a download goes to")],
    out: Out,
) -> None:
    """Find or download the pretrained model, and write the manifest of its files."""
    run_stage("pretrained", study=checked_study(study, "pretrained"), resources=resources, out=out)


@app.command()
def text(
    study: StudyFile,
    pool: PoolFolder,
    out: Out,
    pretrained: PretrainedFile = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Embed a split's captions."""
    checked = checked_study(study, "text", None, fingerprint)
    prepare(threads)
    run_stage("text", study=checked, pool=_own_pool(checked, pool), out=out, pretrained=pretrained)


@app.command()
def codec(
    study: StudyFile,
    out: Out,
    pool: Annotated[Path | None, typer.Option("--pool", help="the training pool, for a codec that is fitted")] = None,
    pretrained: PretrainedFile = None,
    shipped: ShippedFolder = None,
    weights: Annotated[Path | None, typer.Option("--weights", help="folder of the weights of LPIPS' network")] = None,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Fit the codec, or take the pretrained or the shipped one."""
    checked = checked_study(study, "codec", None, fingerprint)
    prepare(threads)
    run_stage("codec", study=checked, pool=pool, out=out, pretrained=pretrained, shipped=shipped, weights=weights)


@app.command()
def codec_quality(
    study: StudyFile,
    pool: PoolFolder,
    codec: CodecFile,
    out: Out,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Try the codec on held-out training videos."""
    checked = checked_study(study, "codec_quality", None, fingerprint)
    prepare(threads)
    run_stage("codec_quality", study=checked, pool=pool, codec=codec, out=out)


@app.command()
def latents_share(
    study: StudyFile,
    pool: PoolFolder,
    codec: CodecFile,
    share: Annotated[int, typer.Option("--share", min=0, help="number of the share, from 0")],
    out: OutFolder,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Encode one share of a split."""
    checked = checked_study(study, "latents_share", None, fingerprint)
    prepare(threads)
    run_stage("latents_share", study=checked, pool=_own_pool(checked, pool), codec=codec, share=share, out=out)


@app.command()
def latents(
    study: StudyFile,
    pool: PoolFolder,
    codec: CodecFile,
    share: Annotated[list[Path], typer.Option("--share", help="folders of the shares, in order; repeat the option")],
    out: OutFolder,
    fingerprint: Fingerprint = None,
) -> None:
    """Join the shares of a split."""
    checked = checked_study(study, "latents", None, fingerprint)
    run_stage("latents", study=checked, pool=_own_pool(checked, pool), codec=codec, shares=share, out=out)


@app.command()
def base_clips(
    study: StudyFile,
    codec: CodecFile,
    assets: AssetsFolder,
    shard: Annotated[int, typer.Option("--shard", min=0, help="number of the shard, from 0")],
    out: Out,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Render and encode one shard of the clips that the base is trained on."""
    checked = checked_study(study, "base_clips", None, fingerprint)
    prepare(threads)
    run_stage("base_clips", study=checked, shard=shard, codec=codec, assets=assets, out=out)


@app.command()
def ship(
    base: Annotated[Path, typer.Option("--base", help="a base that base.source: trained made, with its record")],
    codec: CodecFile,
    out: OutFolder,
) -> None:
    """Keep a trained base and its codec in half precision, with their record, for other studies to start from."""
    from echo.encoding import shipped

    for name, path in (("base", base), ("codec", codec)):
        if not path.is_file():
            raise ConfigError(f"{path}: no such file (--{name}); run the stage that makes it first")
    shipped.ship(base, codec, out)
