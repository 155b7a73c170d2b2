"""Where a result comes from: what a stage depends on, as a digest, and what a run of it was, as a record."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path

from echo.io.files import digest, write_json
from echo.study.config import Study
from echo.study.source import behaviour

PACKAGE = Path(__file__).parent.parent
LIBRARIES = ("torch", "diffusers", "numpy", "embreex", "scikit-image")

# What each stage reads of the configuration (a section, or one key of it) and of the code. A stage's inputs bring the
# rest: when a stage runs, everything after it runs. How a training step is spread over processes (``distributed``) is
# no part of it, as ``compute`` is none: results agree to rounding.
WORLD = ("seed", "world", "segment")
RIG = ("seed", "world", "segment", "codec", "text", "backbone", "evidence", "train")
ROW = ("evidence/frames", "evidence/segments", "evidence/retrieval", "model/backbone", "model/blocks", "model/row",
       "model/flow", "memory/base", "memory/registry", "world/camera")  # fmt: skip
TRAIN = (*ROW, "training/trainer", "training/objective", "evidence/clips", "training/muon")
STAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pool": (WORLD, ("world/camera", "world/paths", "io/seeding", "world/layout", "world/rooms")),
    "index": (("world.source", "world.path"), ("world/recordings",)),
    "clips": (WORLD, ("world/recordings", "world/camera", "world/paths", "io/seeding", "world/layout")),
    "text": (("text",), ("encoding/text",)),
    "codec": (("seed", "codec"), ("encoding/codec",)),
    "latents": (("codec", "segment.frames"), ("encoding/latents",)),
    "evidence": (("segment", "evidence"), ("evidence/retrieval", "evidence/segments", "world/camera")),
    "base": (RIG, (*TRAIN, "memory/context")),
    "train": (RIG, TRAIN),
    "import_released": (RIG, (*ROW, "model/released")),
    "rollout": (
        ("seed", "segment", "sampler", "evaluate.cases", "evaluate.branches", "evaluate.batch"),
        (*ROW, "rollout/sampler", "rollout/cases"),
    ),
    "probe": (
        ("seed", "segment", "sampler", "evaluate.cases", "evaluate.probe_cases", "evaluate.probe_threshold"),
        (*ROW, "rollout/sampler", "rollout/cases", "rollout/probes"),
    ),
    "measure": (
        ("segment", "evaluate.cases", "evaluate.branches"),
        ("measures/cases", "measures/images", "rollout/cases"),
    ),
    "judge": (
        ("evaluate.cases", "evaluate.branches", "evaluate.judge"),
        ("measures/cases", "rollout/cases", "judge"),
    ),
    "tables": (("reference", "rows", "evaluate"), ("tables",)),
}


@cache
def code_digest(module: str) -> str:
    """Digest of a module or package of echo ("train", "memory/base", "world"): comments, docstrings, layout ignored."""
    path = PACKAGE / module
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return digest([behaviour(file) for file in files])


def stage_digest(study: Study, stage: str, row: str | None = None) -> str:
    """Digest of all that a stage depends on beside its input files: configuration and code; of ``row`` where given."""
    sections, modules = STAGES[stage]
    include: dict = {}
    for name in sections:
        section, _, key = name.partition(".")
        include[section] = include.get(section, set()) | {key} if key else True
    values = study.model_dump(mode="json", include=include)
    profile = study.profiles[row] if row else None
    if profile is not None:
        modules = (*modules, f"memory/{profile.family}")
    return digest([values, profile and profile.model_dump(), [code_digest(module) for module in modules]])


def pool_stage(study: Study) -> str:
    """The stage that fills a study's pools: rooms are rendered, recordings are cut to clips."""
    return "pool" if study.world.source == "rooms" else "clips"


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", "-C", str(PACKAGE), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def describe(study: Study, stage: str, row: str | None = None) -> dict:
    """The record of a run that begins now: configuration, code, libraries, machine."""
    # Results are written by the run itself.
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)results")
    return {
        "stage": stage,
        "row": row,
        "study": study.study,
        "seed": study.seed,
        "digest": stage_digest(study, stage, row),
        "config": study.model_dump(mode="json"),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(changed) if changed is not None else None,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],  # no path of the machine
    }


@contextmanager
def recorded(path: Path, study: Study, stage: str, row: str | None = None) -> Iterator[dict]:
    """Time a stage and write its record beside its output on success; add to the yielded dict what else matters.

    ``seconds`` is wall time, a resumed run's earlier part included if the caller adds it as ``seconds_before``;
    ``peak_mb`` the process's largest resident size.
    """
    record = describe(study, stage, row)
    start = time.monotonic()
    yield record
    record["seconds"] = round(time.monotonic() - start + record.pop("seconds_before", 0.0), 2)
    record["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    write_json(path, record)


def read_record(path: Path) -> dict:
    """A record that ``recorded`` wrote."""
    return json.loads(Path(path).read_text())
