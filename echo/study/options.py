"""What commands of all folders share: their options, and how a command finds its study and runs a stage.

A folder's commands are in its ``command.py``, a Typer application each, which ``echo.__main__`` puts together. Nothing
heavy is imported before the command that needs it runs.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from echo.study.config import ConfigError, Study, load_study, study_of_environment
from echo.study.provenance import stage_digest, stages
from echo.study.words import EVALUATED, SPLITS, UNTRAINED, splits_of

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
TablesFolder = Annotated[Path, typer.Option("--tables", help="results/<study>/tables")]
PicturesFolder = Annotated[Path, typer.Option("--pool", help="folder of the pictures' pool")]
OpenRolloutFiles = Annotated[list[Path], typer.Option("--rollout", help="one rollout a branch; repeat the option")]
ARGUMENTS: list[str] = []  # of this call, for the processes that a training starts


def application() -> typer.Typer:
    """A folder's commands, for its functions to join."""
    return typer.Typer(rich_markup_mode=None)


def run_stage(stage: str, **values: Any) -> None:
    """Run a stage's module with these values, once the files that it reads are known to be there.

    Networks' weights are looked for by who loads them, who knows how they are fetched; some judges need none.
    """
    for name, value in values.items():
        paths = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        for path in paths:
            if isinstance(path, Path) and name not in ("out", "resources", "weights") and not path.exists():
                raise ConfigError(f"{path}: no such file or folder (--{name}); run the stage that makes it first")
    import_module(stages()[stage]).run(**values)


def checked_study(
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


def known_split(study: Study, name: str) -> str:
    """A split that the study has: it builds either what is reported or what settings are chosen on."""
    known = splits_of(study.evaluate.splits)
    if name not in known:
        raise ConfigError(
            f"--split {name}: expected one of {', '.join(known)} (evaluate.splits: {study.evaluate.splits})"
        )
    return name


def by_split(study: Study, option: str, paths: list[Path]) -> dict[str, Path]:
    """Paths that an option was given once for each evaluated split, by split."""
    splits = EVALUATED[study.evaluate.splits]
    if len(paths) != len(splits):
        raise ConfigError(f"{option}: expected {len(splits)} paths ({', '.join(splits)}), got {len(paths)}")
    return dict(zip(splits, paths, strict=True))


def prepare(threads: int) -> None:
    """Fix the number of threads and ask torch for the same bits every time.

    Like ``torch.use_deterministic_algorithms(True, warn_only=True)``, but for compiled models, of which there are none:
    that one imports torch's compiler, a second in every job.
    """
    import torch

    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("warn")
