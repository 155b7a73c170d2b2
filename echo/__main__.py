"""The one command line: ``python -m echo COMMAND``, or ``echo-study COMMAND`` where the package is installed.

Every stage of a study is one command, and Snakemake's rules are these lines; ``figure``, ``notebook``, ``plan`` and the
printers of documentation stand beside them. Nothing heavy is imported before the command that needs it runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from echo.io.errors import UserError
from echo.protocol.command import app as protocol
from echo.study.config import ConfigError, Study, load_study, study_of_environment
from echo.study.provenance import stage_digest, stages
from echo.study.words import EVALUATED, SPLITS, UNTRAINED, splits_of

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)

StudyFile = Annotated[Path, typer.Option("--study", help="the study: YAML, a run's study.json, or @NAME in a job")]
RowName = Annotated[str, typer.Option("--row", help="a row of the study")]
MeasuredName = Annotated[str, typer.Option("--row", help="a row of the study, or a reference row")]
Seed = Annotated[int, typer.Option("--seed", help="training seed")]
MeasuredSeed = Annotated[int, typer.Option("--seed", help=f"training seed; {UNTRAINED} for a reference row")]
SplitName = Annotated[str, typer.Option("--split", help=f"one of {', '.join(SPLITS)}")]
Threads = Annotated[int, typer.Option("--threads", min=1, help="CPU threads; more than one changes the last bits")]
Fingerprint = Annotated[
    str | None,
    typer.Option("--fingerprint", help="refuse to run unless configuration and code have this fingerprint"),
]
Processes = Annotated[int | None, typer.Option("--processes", help="processes; the study's compute.processes if none")]
Out = Annotated[Path, typer.Option("--out", help="what is written: a file, or a folder where the stage writes several")]
OutFolder = Annotated[Path, typer.Option("--out", help="folder that is written")]
PoolFolder = Annotated[Path, typer.Option("--pool", help="folder of the split's pool")]
CodecFile = Annotated[Path, typer.Option("--codec", help="the fitted codec")]
LatentsFolder = Annotated[Path, typer.Option("--latents", help="folder of the split's latents")]
TextFile = Annotated[Path, typer.Option("--text", help="embedded captions of the split")]
EvidenceFile = Annotated[Path, typer.Option("--evidence", help="ranked evidence of the split")]
PretrainedFile = Annotated[Path | None, typer.Option("--pretrained", help="manifest of the pretrained model")]
GuideFolder = Annotated[Path | None, typer.Option("--guide", help="folder of the shipped base that guides")]
ShippedFolder = Annotated[Path | None, typer.Option("--shipped", help="folder of the shipped base")]
AssetsFolder = Annotated[Path, typer.Option("--assets", help="folder of the asset pack")]
ModelFile = Annotated[Path, typer.Option("--model", help="the row's checkpoint")]
WeightsFolder = Annotated[Path, typer.Option("--weights", help="folder of the networks' weights")]
_PER_SPLIT = f"one for each of {' '.join(EVALUATED['reported'])} (evaluate.splits: choosing: one); repeat the option"
Pools = Annotated[list[Path], typer.Option("--pool", help=f"folders of pools: {_PER_SPLIT}")]
LatentsFolders = Annotated[list[Path], typer.Option("--latents", help=f"folders of latents: {_PER_SPLIT}")]
TextFiles = Annotated[list[Path], typer.Option("--text", help=f"embedded captions: {_PER_SPLIT}")]
EvidenceFiles = Annotated[list[Path], typer.Option("--evidence", help=f"ranked evidence: {_PER_SPLIT}")]
JudgeName = Annotated[str | None, typer.Option("--judge", help="one of the study's judges; evaluate.judge if none")]
RolloutFiles = Annotated[list[Path], typer.Option("--rollout", help="one rollout a branch of the study; repeat it")]
REFERENCES_ALONE = ("reference", "open_reference")  # stages that run for reference rows, and
UNTRAINED_TOO = (*REFERENCES_ALONE, "measure", "realism", "judge", "open_judge")  # for these too


def _run(stage: str, **values: Any) -> None:
    """Run a stage's module with these values, once the files that it reads are known to be there.

    Networks' weights are looked for by who loads them, who knows how they are fetched; some judges need none.
    """
    for name, value in values.items():
        paths = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        for path in paths:
            if isinstance(path, Path) and name not in ("out", "resources", "weights") and not path.exists():
                raise ConfigError(f"{path}: no such file or folder (--{name}); run the stage that makes it first")
    import_module(stages()[stage]).run(**values)


def _study(
    path: Path, stage: str, row: str | None = None, fingerprint: str | None = None, judge: str | None = None
) -> Study:
    """The study, once it is known to have the row and, where one was asked for, the fingerprint.

    judge: one of its judges, which is the only one of the study that comes back; by default they are all kept.
    """
    # One stage alone; Snakemake has checked that the whole study can run.
    name = str(path)
    study = study_of_environment(name[1:]) if name.startswith("@") else load_study(path, whole=False)
    trained = () if stage in REFERENCES_ALONE else study.profiles
    known = (*trained, *(study.references if stage in UNTRAINED_TOO else ()))
    if row is not None and row not in known:
        raise ConfigError(f"--row {row}: {path} has {', '.join(known)}")
    if judge is not None:
        if judge not in study.all_judges:
            raise ConfigError(f"--judge {judge}: {path} has {', '.join(study.all_judges)} (evaluate.judge and .judges)")
        study = study.judged_by(judge)
    if fingerprint is not None and stage_digest(study, stage, row) != fingerprint:
        raise ConfigError(
            f"{path}: the study or the code has changed since this job was planned (stage {stage}: fingerprint "
            f"{stage_digest(study, stage, row)}, planned {fingerprint}); run the same snakemake command again"
        )
    return study


def _split(study: Study, name: str) -> str:
    """A split that the study has: it builds either what is reported or what settings are chosen on."""
    known = splits_of(study.evaluate.splits)
    if name not in known:
        raise ConfigError(
            f"--split {name}: expected one of {', '.join(known)} (evaluate.splits: {study.evaluate.splits})"
        )
    return name


def _own_pool(study: Study, folder: Path) -> Path:
    """The folder of a pool, once it is known to be of a split that the study may open, or of pictures."""
    if folder.exists():
        from echo.world.first_frames.pool import SPLIT
        from echo.world.pool import open_pool

        open_pool(folder, (*splits_of(study.evaluate.splits), SPLIT))
    return folder


def _by_split(study: Study, option: str, paths: list[Path]) -> dict[str, Path]:
    splits = EVALUATED[study.evaluate.splits]
    if len(paths) != len(splits):
        raise ConfigError(f"{option}: expected {len(splits)} paths ({', '.join(splits)}), got {len(paths)}")
    return dict(zip(splits, paths, strict=True))


def _prepare(threads: int) -> None:
    """Fix the number of threads and ask torch for the same bits every time.

    Like ``torch.use_deterministic_algorithms(True, warn_only=True)``, but for compiled models, of which there are none:
    that one imports torch's compiler, a second in every job.
    """
    import torch

    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("warn")


# --- Frames ------------------------------------------------------------------------------------------------------


@app.command()
def assets(out: OutFolder) -> None:
    """Fetch the asset pack that rooms are built of."""
    _run("assets", out=out)


@app.command()
def weights(
    out: OutFolder,
    only: Annotated[list[str] | None, typer.Option("--only", help="a file's name, such as vgg16; repeat it")] = None,
) -> None:
    """Fetch the weights of LPIPS' network and of the embedded judge's; with --only vgg16 the second one's."""
    _run("weights", out=out, **({"names": only} if only else {}))


@app.command()
def index(study: StudyFile, out: Out, fingerprint: Fingerprint = None) -> None:
    """Index the recordings on disk."""
    _run("index", study=_study(study, "index", None, fingerprint), out=out)


@app.command()
def pool(
    study: StudyFile,
    split: SplitName,
    out: OutFolder,
    assets: AssetsFolder,
    fingerprint: Fingerprint = None,
) -> None:
    """Render one split of rooms."""
    checked = _study(study, "pool", None, fingerprint)
    _run("pool", study=checked, split=_split(checked, split), assets=assets, out=out)


@app.command()
def preview(
    pool: Annotated[Path, typer.Argument(help="folder of a split's pool, such as runs/quick/pool/train")],
    out: Annotated[Path, typer.Option("--out", help="file to write: .jpg, .png, .pdf or .svg")] = Path("preview.jpg"),
    videos: Annotated[int, typer.Option("--videos", min=1, help="how many, spread over the trajectories")] = 8,
    video: Annotated[list[str] | None, typer.Option("--video", help="a video by name; repeat the option")] = None,
) -> None:
    """Look at a pool before anything is trained on it: frames, captions, and paths from above."""
    from echo.figures import preview as drawn
    from echo.figures.saving import save
    from echo.world.pool import open_pool

    opened = open_pool(pool)
    print(drawn.summary(opened))
    save(drawn.draw(opened, video or drawn.spread(opened, videos)), out)
    print(f"{out}: written")


@app.command()
def clips(
    study: StudyFile,
    split: SplitName,
    out: OutFolder,
    index: Annotated[Path, typer.Option("--index", help="index of the recordings")],
    fingerprint: Fingerprint = None,
) -> None:
    """Cut one split from recordings."""
    checked = _study(study, "clips", None, fingerprint)
    _run("clips", study=checked, split=_split(checked, split), index=index, out=out)


# --- What all rows share -----------------------------------------------------------------------------------------


@app.command()
def pretrained(
    study: StudyFile,
    resources: Annotated[Path, typer.Option("--resources", help="folder that a download goes to")],
    out: Out,
) -> None:
    """Find or download the pretrained model, and write the manifest of its files."""
    _run("pretrained", study=_study(study, "pretrained"), resources=resources, out=out)


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
    checked = _study(study, "text", None, fingerprint)
    _prepare(threads)
    _run("text", study=checked, pool=_own_pool(checked, pool), out=out, pretrained=pretrained)


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
    checked = _study(study, "codec", None, fingerprint)
    _prepare(threads)
    _run("codec", study=checked, pool=pool, out=out, pretrained=pretrained, shipped=shipped, weights=weights)


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
    checked = _study(study, "codec_quality", None, fingerprint)
    _prepare(threads)
    _run("codec_quality", study=checked, pool=pool, codec=codec, out=out)


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
    checked = _study(study, "latents_share", None, fingerprint)
    _prepare(threads)
    _run("latents_share", study=checked, pool=_own_pool(checked, pool), codec=codec, share=share, out=out)


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
    checked = _study(study, "latents", None, fingerprint)
    _run("latents", study=checked, pool=_own_pool(checked, pool), codec=codec, shares=share, out=out)


@app.command()
def evidence(study: StudyFile, latents: LatentsFolder, out: Out, fingerprint: Fingerprint = None) -> None:
    """Rank a split's evidence."""
    _run("evidence", study=_study(study, "evidence", None, fingerprint), latents=latents, out=out)


# --- Rows --------------------------------------------------------------------------------------------------------


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
    checked = _study(study, "base_clips", None, fingerprint)
    _prepare(threads)
    _run("base_clips", study=checked, shard=shard, codec=codec, assets=assets, out=out)


@app.command()
def base_train(
    study: StudyFile,
    shards: Annotated[list[Path], typer.Option("--shards", help="files of clips, in order; repeat the option")],
    out: Out,
    shipped: ShippedFolder = None,
    fingerprint: Fingerprint = None,
) -> None:
    """Train the base on its own clips, with base.threads threads; what was interrupted goes on."""
    checked = _study(study, "base_train", None, fingerprint)
    _prepare(checked.base.threads)
    _run("base_train", study=checked, shards=shards, out=out, shipped=shipped)


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
    checked = _study(study, "base", None, fingerprint)
    values = {"latents": latents, "text": text, "evidence": evidence, "pretrained": pretrained, "shipped": shipped}
    trains = pretrained is not None and checked.base.steps
    _train("base", checked, processes if trains else 1, threads, **values, out=out)


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
    checked = _study(study, "train", row, fingerprint)
    values = {"latents": latents, "text": text, "evidence": evidence, "base": base, "out": out}
    _train("train", checked, processes, threads, row=row, seed=seed, **values)


def _train(stage: str, study: Study, processes: int | None, threads: int, **values: Any) -> None:
    """Run a training stage here, or start the processes in which it runs (this very command, once in each)."""
    from echo.training import launch

    count = launch.processes(study.train, study.compute.processes if processes is None else processes)
    if count > 1 and not launch.is_worker():
        raise typer.Exit(launch.launch(stage, ["-m", "echo", *_ARGUMENTS], count))
    _prepare(threads)
    _run(stage, study=study, **values)


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
    _run(
        "import_released",
        study=_study(study, "import_released", row, fingerprint),
        row=row,
        checkpoint=checkpoint,
        out=out,
        sha256=sha256,
    )


@app.command("released-file")
def released_file(study: StudyFile, row: RowName, out: Out) -> None:
    """Download the checkpoint that the paper's authors released and a row is made of."""
    _run("released_file", study=_study(study, "released_file", row), row=row, out=out)


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
    checked = _study(study, "rollout", row, fingerprint)
    _prepare(threads)
    _run(
        "rollout",
        study=checked,
        row=row,
        seed=seed,
        model=model,
        codec=codec,
        pools=_by_split(checked, "--pool", pool),
        latents=_by_split(checked, "--latents", latents),
        texts=_by_split(checked, "--text", text),
        evidence=_by_split(checked, "--evidence", evidence),
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
    checked = _study(study, "reference", row, fingerprint)
    _prepare(threads)
    pools, caches = _by_split(checked, "--pool", pool), _by_split(checked, "--latents", latents)
    _run("reference", study=checked, reference=row, codec=codec, pools=pools, latents=caches, out=out)


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
    checked = _study(study, "probe", row, fingerprint)
    _prepare(threads)
    files = {"model": model, "codec": codec, "pool": pool, "latents": latents, "text": text, "evidence": evidence}
    _run("probe", study=checked, row=row, seed=seed, **files, out=out, guide=guide)


# --- Measures, tables, figures -----------------------------------------------------------------------------------


@app.command()
def seen(study: StudyFile, pool: Pools, out: Out, fingerprint: Fingerprint = None) -> None:
    """Find which pixels of the measured frames were seen before, from true depth."""
    checked = _study(study, "seen", None, fingerprint)
    _run("seen", study=checked, pools=_by_split(checked, "--pool", pool), out=out)


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
    checked = _study(study, "measure", row, fingerprint)
    _prepare(threads)
    files = {"rollouts": rollout, "pools": _by_split(checked, "--pool", pool), "weights": weights, "seen": seen}
    _run("measure", study=checked, row=row, seed=seed, **files, out=out)


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
    checked = _study(study, "true_features", None, fingerprint)
    _prepare(threads)
    _run("true_features", study=checked, pools=_by_split(checked, "--pool", pool), weights=weights, out=out)


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
    checked = _study(study, "realism", row, fingerprint)
    _prepare(threads)
    files = {"rollouts": rollout, "pools": _by_split(checked, "--pool", pool), "true": true, "weights": weights}
    _run("realism", study=checked, row=row, seed=seed, **files, out=out)


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
    checked = _study(study, "judge", row, fingerprint, judge)
    _prepare(threads)
    pools = _by_split(checked, "--pool", pool)
    _run("judge", study=checked, row=row, seed=seed, rollouts=rollout, pools=pools, weights=weights, out=out)


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
    checked = _study(study, "people", None, fingerprint)
    _prepare(threads)
    pools = _by_split(checked, "--pool", pool)
    _run("people", study=checked, rollouts=rollout, pools=pools, codec=codec, out=out)


@app.command()
def video(
    study: StudyFile,
    branch: Annotated[str, typer.Option("--branch", help="a branch of the study")],
    rollout: Annotated[list[Path], typer.Option("--rollout", help="the shown rows' rollouts of it; repeat the option")],
    pool: PoolFolder,
    out: Out,
    fingerprint: Fingerprint = None,
) -> None:
    """Write a branch's video, as mp4 and GIF: the truth, a copy, and two rows side by side."""
    checked = _study(study, "video", None, fingerprint)
    if branch not in checked.evaluate.branches:
        raise ConfigError(f"--branch: no branch {branch!r}; the study has {', '.join(checked.evaluate.branches)}")
    _run("video", study=checked, branch=branch, rollouts=rollout, pool=pool, out=out)


@app.command()
def viewer(
    study: StudyFile,
    rollout: Annotated[
        list[Path], typer.Option("--rollout", help="folders of rollouts, row by row, then of reference rows; repeat it")
    ],
    probes: Annotated[list[Path], typer.Option("--probes", help="probed frames, row by row; repeat the option")],
    pool: Pools,
    out: Out,
    fingerprint: Fingerprint = None,
) -> None:
    """Write the page on which to look at one case after the other, in a browser."""
    checked = _study(study, "viewer", None, fingerprint)
    pools = _by_split(checked, "--pool", pool)
    _run("viewer", study=checked, rollouts=rollout, probes=probes, pools=pools, out=out)


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
    checked = _study(study, "certificate", row, fingerprint)
    _prepare(threads)
    files = {"probes": probes, "pool": pool, "weights": weights, "seen": seen}
    _run("certificate", study=checked, row=row, seed=seed, **files, out=out)


@app.command()
def tables(
    study: StudyFile,
    measures: Annotated[list[Path], typer.Option("--measures", help="a run's folder of measures; repeat the option")],
    judge: Annotated[list[Path], typer.Option("--judge", help="a run's judgements, judge by judge; repeat the option")],
    probes: Annotated[list[Path], typer.Option("--probes", help="a run's certificate; repeat the option")],
    realism: Annotated[list[Path], typer.Option("--realism", help="a run's distances; repeat the option")],
    rollout: Annotated[list[Path], typer.Option("--rollout", help="rollouts of the first seed, row by row")],
    record: Annotated[list[Path], typer.Option("--record", help="the records of all stages; repeat the option")],
    pool: Pools,
    out: OutFolder,
    reference: Annotated[list[Path] | None, typer.Option("--reference", help="records of reference rows")] = None,
    fingerprint: Fingerprint = None,
) -> None:
    """Gather the study's tables. Runs are given in the study's order: row by row, seed by seed, then reference rows."""
    checked = _study(study, "tables", None, fingerprint)
    _run(
        "tables",
        study=checked,
        measures=measures,
        judged=judge,
        probes=probes,
        realism=realism,
        rollouts=rollout,
        references=reference or [],
        records=record,
        pools=_by_split(checked, "--pool", pool),
        out=out,
    )


TablesFolder = Annotated[Path, typer.Option("--tables", help="results/<study>/tables")]


@app.command()
def publish(
    tables: Annotated[Path, typer.Option("--tables", help="the run's tables, runs/<study>/tables")],
    out: Annotated[Path, typer.Option("--out", help="the folder that is committed, results/<study>/tables")],
) -> None:
    """Replace the committed tables by a run's; after an error the old ones are as they were."""
    from echo.io.publish import publish_folder

    publish_folder(tables, out)


@app.command()
def result_tables(
    tables: TablesFolder,
    reference: Annotated[str, typer.Option("--reference", help="row that differences are taken against")] = "i2v",
    threshold: Annotated[
        float, typer.Option("--threshold", help="grey levels above which a probed memory counts as used")
    ] = 0.5,
    resamples: Annotated[int, typer.Option("--resamples", help="bootstrap resamples of an interval")] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="seed of the bootstrap")] = 0,
) -> None:
    """Compute a folder's result tables again from its gathered ones (cases.csv.gz and its companions)."""
    from echo.study.provenance import read_record
    from echo.tables.build import build_tables

    record = tables / "record.json"  # contrasts are named in the study's configuration alone
    known = read_record(record)["config"]["evaluate"].get("contrasts", []) if record.is_file() else []
    named = [(row, other) for row, other in known]
    build_tables(tables, reference=reference, named=named, threshold=threshold, resamples=resamples, seed=seed)


@app.command()
def findings(
    tables: Annotated[
        list[Path] | None, typer.Option("--tables", help="tables of a study; repeat it; the reported studies' if none")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="docs/findings.md; printed if not given")] = None,
) -> None:
    """Put the findings of the committed studies side by side, one page for all evidence policies."""
    from echo.io.files import write_text
    from echo.tables.findings_page import findings_page
    from echo.tables.told import reported

    page = findings_page(tables or reported(Path("results")))
    if out is None:
        print(page, end="")
    else:
        write_text(out, page)


@app.command()
def policies(
    out: OutFolder,
    tables: Annotated[
        list[Path] | None,
        typer.Option(
            "--tables", help="tables of a study; repeat it; those of the compared studies that are there if none"
        ),
    ] = None,
    resamples: Annotated[int, typer.Option("--resamples", help="bootstrap resamples of an interval")] = 2000,
) -> None:
    """Compare studies that differ in evidence and recipe: how ranks move, and what explains the spread."""
    import pandas as pd

    from echo.figures.policies import draw_ranks
    from echo.figures.saving import save
    from echo.tables.policies_page import write_policies
    from echo.tables.side_by_side import STUDIES

    there = [Path("results", name, "tables") for name in STUDIES]
    write_policies(tables or [path for path in there if (path / "record.json").is_file()], out, resamples)
    save(draw_ranks(pd.read_csv(out / "ranks.csv")), out / "ranks.png")


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="name of the figure: a module of echo/figures")],
    tables: TablesFolder,
    out: Annotated[Path, typer.Option("--out", help="file to write: .png, .jpg, .pdf or .svg")],
) -> None:
    """Draw one figure from a study's tables."""
    from echo.figures import draw_to

    draw_to(name, tables, out)


@app.command()
def captions(
    files: Annotated[list[str], typer.Argument(help="names of figures' files, in the page's order")],
    out: Annotated[Path, typer.Option("--out", help="the page, beside these files")],
) -> None:
    """Write a page of figures with their captions."""
    from echo.figures.captions import page
    from echo.io.files import write_text

    write_text(out, page(files))


@app.command()
def notebook(
    path: Annotated[Path, typer.Argument(help="for example notebooks/01_answer.ipynb")],
    tables: TablesFolder,
    out: Annotated[Path, typer.Option("--out", help="the executed notebook")],
) -> None:
    """Execute a notebook on a study's tables."""
    from echo.figures.notebook import execute

    execute(path, out, tables)


# --- Lone first frames -------------------------------------------------------------------------------------------

PicturesFolder = Annotated[Path, typer.Option("--pool", help="folder of the pictures' pool")]
OpenRolloutFiles = Annotated[list[Path], typer.Option("--rollout", help="one rollout a branch; repeat the option")]


@app.command()
def first_frames(study: StudyFile, out: OutFolder, fingerprint: Fingerprint = None) -> None:
    """Make a pool of pictures without truth: first frames, and cameras that leave and come back."""
    _run("first_frames", study=_study(study, "first_frames", None, fingerprint), out=out)


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
    checked = _study(study, "open_rollout", row, fingerprint)
    _prepare(threads)
    files = {"model": model, "codec": codec, "pool": pool, "text": text}
    _run("open_rollout", study=checked, row=row, seed=seed, **files, out=out, guide=guide)


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
    checked = _study(study, "open_reference", row, fingerprint)
    if row not in checked.open_references:
        raise ConfigError(f"--row {row}: cannot be drawn from a lone first frame; {', '.join(checked.open_references)}")
    _prepare(threads)
    _run("open_reference", study=checked, reference=row, codec=codec, pool=pool, out=out)


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
    checked = _study(study, "open_judge", row, fingerprint, judge)
    _prepare(threads)
    files = {"rollouts": rollout, "pool": pool, "weights": weights}
    _run("open_judge", study=checked, row=row, seed=seed, **files, out=out)


@app.command()
def open_domain(
    study: StudyFile,
    rollout: Annotated[list[Path], typer.Option("--rollout", help="rollouts of all runs, run by run, then by branch")],
    judge: Annotated[list[Path], typer.Option("--judge", help="a run's judgements, judge by judge; repeat the option")],
    pool: PicturesFolder,
    weights: WeightsFolder,
    out: OutFolder,
    fingerprint: Fingerprint = None,
    threads: Threads = 1,
) -> None:
    """Tables and strips of the rollouts from pictures; runs as for `tables`, with the reference rows there can be."""
    checked = _study(study, "open_domain", None, fingerprint)
    _prepare(threads)
    _run("open_domain", study=checked, rollouts=rollout, judged=judge, pool=pool, weights=weights, out=out)


@app.command()
def check_poses(
    study: StudyFile,
    out: Annotated[Path, typer.Option("--index", help="where the index of the recordings is kept")],
    clips: Annotated[int, typer.Option("--clips", min=1, help="clips that are looked at, spread over all")] = 20,
) -> None:
    """Compare recordings with their poses, as either convention reads them (world.poses_are)."""
    from echo.world.recordings.pose_report import report

    for line in report(_study(study, "index").world, out, clips):
        print(line)


# --- Before anything is run --------------------------------------------------------------------------------------


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


@app.command()
def config_docs() -> None:
    """Print config/README.md."""
    from echo.study.docs import render

    print(render(), end="")


@app.command()
def config_schema(
    rows: Annotated[
        bool, typer.Option("--rows", help="print config/rows.schema.json, the schema of rows.yaml")
    ] = False,
) -> None:
    """Print config/schema.json, the JSON schema of a study's file."""
    from echo.study.schema import render

    print(render("rows" if rows else "study"), end="")


app.add_typer(protocol)  # for anybody's world model: export, answer, score, leaderboard

USAGE = typer.BadParameter.__bases__  # an error in the way the command was called; typer does not export its class
_ARGUMENTS: list[str] = []  # of this call, for the processes that a training starts


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    An error meant for users (``UserError``) is one line on stderr and exit code 1; any other keeps its trace. Training
    that SIGTERM or SIGUSR1 told to stop checkpoints, and exits with ``echo.training.preemption.PREEMPTED``.
    """
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    _ARGUMENTS[:] = sys.argv[1:] if arguments is None else arguments
    command: Callable[..., Any] = typer.main.get_command(app)
    try:
        return int(command(args=list(_ARGUMENTS), prog_name="echo", standalone_mode=False) or 0)
    except typer.Exit as exit:
        return exit.exit_code
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> int:
    """Tell why the command ends; returns the exit code, or raises ``error`` where its trace is what is needed."""
    if isinstance(error, USAGE):
        message = getattr(error, "format_message", error.__str__)()
        print(f"echo: {message} (python -m echo COMMAND --help lists the options)", file=sys.stderr)
        return 2
    stage = next((word for word in _ARGUMENTS if not word.startswith("-")), "")
    if isinstance(error, UserError) and "RANK" not in os.environ:
        print(f"echo {stage}: {' '.join(str(error).split())}", file=sys.stderr)
        return int(getattr(error, "exit_code", 1))
    from echo.training import launch

    return launch.report(stage, error, isinstance(error, UserError))


if __name__ == "__main__":
    sys.exit(main())
