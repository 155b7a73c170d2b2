"""Where a result comes from: what a stage depends on, as a fingerprint, and what a run of it was, as a record.

A stage is a module ``echo/<folder>/stages/<stage>.py``. Nothing about it is listed here:
- which code it depends on follows from its imports (``echo.study.source.closure``);
- which keys of the configuration it reads stands in its own ``READS``, and it is handed these and no others
  (``part_of``), so that a key that is missing there is an error and not a stale result;
- modules that the configuration chooses by name stand in its ``CHOOSES``: key to the module's name, ``{}`` in it for
  the key's value; a row's memory family is chosen so as well.

A stage's input files bring the rest: when a stage runs, everything after it runs.
"""

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
from typing import Any, cast

from pydantic import BaseModel

from echo.io.files import digest, sha256, write_json
from echo.study import references, source
from echo.study.config import Study

ROOT = Path(__file__).parent.parent
VECTORS = ("avx2", "avx512f", "amx_bf16")
LIBRARIES = ("torch", "torchvision", "diffusers", "numpy", "embreex", "scikit-image", "lpips", "timm")

# Modules that cannot change a result, or whose effect on it is in the fingerprint already.
LEFT_OUT = (
    # The configuration and its checks: what they let through counts by its values.
    *(f"echo.study.{name}" for name in ("config", "study", "sections", "profile", "rows", "checks", "parameters")),
    *(f"echo.study.{name}" for name in ("reading", "errors", "schema", "docs", "provenance", "source", "shipped")),
    "echo.study.kept",
    "echo.study.references",
    "echo.study.judges",
    "echo.study.released",
    "echo.io.errors",
    # How a training is spread over processes, as `compute` is no part of it: results agree to rounding.
    "echo.training.distributed",
    "echo.training.launch",
    "echo.training.preemption",
)
MEMORY = "echo.memory.{}.memory"  # the module of a row's family
REFERENCE = references.MODULE  # the module of a reference row


@cache
def stages() -> dict[str, str]:
    """Every stage and its module: ``{"codec": "echo.encoding.stages.codec", ...}``."""
    found = {}
    for path in sorted(ROOT.glob("*/stages/*.py")):
        if path.stem != "__init__":
            found[path.stem] = f"echo.{path.parent.parent.name}.stages.{path.stem}"
    return found


def _constant(stage: str, name: str, default: Any) -> Any:
    path = source.module_file(ROOT, stages()[stage])
    value = source.constant(path, name) if path else None
    return default if value is None else value


def stage_modules(study: Study, stage: str, row: str | None = None) -> dict[str, Path]:
    """Every module that a stage depends on, and its file; of ``row``, or reference row, where the stage has one."""
    chosen = [pattern.format(_value(study, key)) for key, pattern in _constant(stage, "CHOOSES", {}).items()]
    if row is not None:
        trained = row in study.profiles
        chosen.append(MEMORY.format(study.profiles[row].family) if trained else REFERENCE.format(row))
    return source.closure(ROOT, stages()[stage], *chosen, leave_out=LEFT_OUT)


def reads(stage: str) -> tuple[str, ...]:
    """The keys of a study that a stage depends on, sections and parts of sections."""
    return tuple(_constant(stage, "READS", ()))


def code_digest(*modules: str) -> str:
    """Digest of modules of this package and of all that they import: comments, docstrings and layout do not count."""
    found = source.closure(ROOT, *modules, leave_out=LEFT_OUT)
    return digest({name: source.behaviour(path) for name, path in found.items()})


def stage_digest(study: Study, stage: str, row: str | None = None) -> str:
    """Fingerprint of what a stage depends on beside its input files, configuration and code; of ``row`` if given."""
    values = {key: _plain(_value(study, key)) for key in _constant(stage, "READS", ())}
    profile = study.profiles[row].model_dump() if row in study.profiles else None
    code = {name: source.behaviour(path) for name, path in stage_modules(study, stage, row).items()}
    return digest([values, profile, code])


def part_of(study: Study, stage: str) -> Study:
    """The part of a study that a stage's ``READS`` lists: another key raises AttributeError that names both."""
    allowed: dict[str, Any] = {}
    for key in _constant(stage, "READS", ()):
        section, _, name = key.partition(".")
        if not name:
            allowed[section] = None
        elif allowed.get(section, {}) is not None:
            allowed.setdefault(section, {})[name] = None
    return cast("Study", _Part(study, allowed, stage, "study"))


class _Part:
    """Attributes of a configuration that may be read; nested where only some keys of a section may."""

    def __init__(self, whole: object, allowed: dict[str, Any], stage: str, path: str) -> None:
        self._whole, self._allowed, self._stage, self._path = whole, allowed, stage, path

    @property
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        """What it stands for, so that checks of types take it as that."""
        return type(self._whole)

    def __getattr__(self, name: str) -> Any:
        if name not in self._allowed:
            raise AttributeError(f"stage {self._stage} reads {self._path}.{name}, which its READS does not list")
        value, inner = getattr(self._whole, name), self._allowed[name]
        return value if inner is None else _Part(value, inner, self._stage, f"{self._path}.{name}")


def _value(study: Study, key: str) -> Any:
    value: Any = study
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):  # of profiles
        return {key: _plain(one) for key, one in value.items()}
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def pool_stage(study: Study) -> str:
    """The stage that fills a study's pools: rooms are rendered, recordings are cut to clips."""
    return "pool" if study.world.source == "rooms" else "clips"


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, Any]:
    """What the last digits of a sum may depend on: processor and vector instructions, as far as Linux tells."""
    found: dict[str, Any] = {"processor": platform.machine(), "cores": os.cpu_count(), "system": platform.system()}
    if cpuinfo.is_file():
        pairs = (line.partition(":") for line in cpuinfo.read_text().splitlines())
        told = {name.strip(): value.strip() for name, _, value in pairs}
        flags = set(told.get("flags", "").split())
        found |= {"model": told.get("model name"), "vectors": [name for name in VECTORS if name in flags]}
    return found


def describe(study: Study, stage: str, row: str | None = None) -> dict[str, Any]:
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
        "machine": machine(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],  # no path of the machine
    }


@contextmanager
def recorded(path: Path, study: Study, stage: str, row: str | None = None) -> Iterator[dict[str, Any]]:
    """Time a stage and write its record beside its output on success; add to the yielded dict what else matters.

    ``seconds`` is wall time, a resumed run's earlier part included if the caller adds it as ``seconds_before``;
    ``peak_mb`` the process's largest resident size. In the processes of a job that write nothing, all but the first,
    the record is dropped.
    """
    if int(os.environ.get("RANK", 0)):
        yield {}
        return
    record = describe(study, stage, row)
    start = time.monotonic()
    yield record
    record["seconds"] = round(time.monotonic() - start + record.pop("seconds_before", 0.0), 2)
    record["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    write_json(path, record)


def read_record(path: Path) -> dict[str, Any]:
    """A record that ``recorded`` wrote."""
    return json.loads(Path(path).read_text())


def hashes(*outputs: Path) -> dict[str, dict[str, str]]:
    """For the record of a stage whose files cannot hold a hash of their own (csv, parquet): sha256 by file name."""
    return {"outputs": {path.name: sha256(path) for path in outputs}}


def altered(path: Path) -> str:
    """What is wrong where a file is not the one that its stage recorded by ``hashes``, in a phrase; empty if it is.

    The record lies beside the file, by its name or as the folder's ``record.json``.
    """
    record = next((one for one in (record_of(path), path.with_name("record.json")) if one.is_file()), None)
    if record is None:
        return f"its record is missing ({record_of(path).name} or record.json)"
    try:
        stated = read_record(record).get("outputs", {}).get(path.name)
    except ValueError:
        return f"its record {record.name} is damaged"
    held = sha256(path)
    if stated == held:
        return ""
    return f"it was changed after its stage wrote it (sha256 {held[:16]}, {record.name} has {str(stated)[:16]})"


def record_of(path: Path) -> Path:
    """Where the record of a file lies: ``model.safetensors`` has ``model.record.json`` beside it."""
    return path.with_name(f"{path.stem}.record.json")
