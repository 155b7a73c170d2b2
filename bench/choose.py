"""Choose a study's settings on the split ``choosing``, one choice after the other, and keep the table.

    python -m bench.choose [--choices config/choices.yaml] [--out results/choosing] [--cores 2]

- Each variant is a study. Variants that train alike share a folder of ``runs/``, and all whose rooms, codec and base
  are the same share those; one that has another base alone begins with hard links to the rooms that are there. So
  nothing is made twice, in whatever order values win.
- A variant that would evaluate on a reported split is refused, and the graph of one that does not has no rule that
  makes, lists or opens a reported split.
- A variant that stands in the table with the same digest, of its configuration and of the code of all its stages, is
  not run again: the script may be killed and started again at any time.
- The rule by which a value wins is in the file of choices, and was written before any variant was run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from echo.io.errors import UserError
from echo.io.files import atomic_path, digest, write_json, write_text
from echo.study.config import Study, load_rows, parse_study
from echo.study.provenance import stage_digest, stages
from echo.study.reading import read_mapping

ROOT = Path(__file__).resolve().parents[1]
MEASURES = ("psnr", "ssim", "lpips")
CHOOSING = "choosing"
REALISM = "kernel distance"
COLUMNS = ["choice", "value", "digest", "row_name", "branch", *MEASURES, REALISM, "criterion", "chosen"]
# The stages whose outputs studies may share (key ``rig``).
ROOM_STAGES = ("assets", "pool", "clips", "index", "text", "pretrained", "codec", "latents")
CLIP_STAGES = ("base_clips",)
BASE_STAGES = (*CLIP_STAGES, "base_train", "base")


class ChoiceError(UserError):
    """Choices that cannot be made: a file that does not fit, a variant that would see reported rooms, a failed run."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Criterion(_Model):
    """What is compared: the mean of ``measure`` over ``rows`` and ``branches``, each cell with equal weight."""

    measure: str
    lower_is_better: bool
    rows: Annotated[tuple[str, ...], Field(min_length=1)]
    branches: Annotated[tuple[str, ...], Field(min_length=1)]
    tolerance: Annotated[float, Field(ge=0)]


class Choices(_Model):
    """The file of choices. ``choices``: by name, the values to try, each a part of a study's configuration."""

    start: str
    settings: dict[str, Any]
    criterion: Criterion
    choices: Annotated[dict[str, Annotated[list[dict[str, Any]], Field(min_length=1)]], Field(min_length=1)]


@dataclass(frozen=True)
class Variant:
    """One value of one choice, on top of what was chosen before it."""

    choice: str
    value: dict[str, Any]
    config: dict[str, Any]
    study: Study

    @property
    def digest(self) -> str:
        """Of its configuration and of the code of every stage."""
        code = [stage_digest(self.study, stage, row) for stage in stages() for row in self._rows(stage)]
        return digest([self.study.model_dump(mode="json"), code])

    def _rows(self, stage: str) -> tuple[str | None, ...]:
        return self.study.rows if stage in ("train", "rollout", "probe") else (None,)


def merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the keys of ``more``, section by section."""
    result = deepcopy(dict(base))
    for key, value in more.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else deepcopy(value)
    return result


def read_choices(path: Path) -> Choices:
    """The file of choices; raises ChoiceError, in one line, where it does not fit."""
    try:
        return Choices.model_validate(read_mapping(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise ChoiceError(f"{path}: `{'.'.join(map(str, first['loc']))}`: {first['msg']}") from None


def variant(path: Path, choice: str, config: dict[str, Any], value: dict[str, Any]) -> Variant:
    """A value on top of ``config``.

    Raises ConfigError for a study that cannot run, and ChoiceError for one that would see a reported split.
    """
    whole = merged(config, value)
    study = parse_study(whole, load_rows(ROOT / "config" / "rows.yaml"), f"{path} ({choice})")
    if study.evaluate.splits != CHOOSING:
        raise ChoiceError(
            f"{path}: choice {choice}: evaluate.splits = {study.evaluate.splits}; settings are chosen with "
            f"evaluate.splits = {CHOOSING} alone, so that no reported room is seen"
        )
    shared = (ROOM_STAGES, CLIP_STAGES, BASE_STAGES) if study.base.source == "trained" else (ROOM_STAGES,)
    parts = [digest([stage_digest(study, stage) for stage in part]) for part in shared]
    trained = digest([parts, [stage_digest(study, "train", row) for row in study.rows]])
    rig = "_".join([study.study, "rig", *(part[:8] for part in parts)])
    whole |= {"study": f"{study.study}_{trained[:8]}", "rig": rig}
    return Variant(choice, value, whole, study.model_copy(update={"study": whole["study"], "rig": whole["rig"]}))


def share(rig: str) -> None:
    """Begin a rig that is new with hard links to an earlier one's rooms, and to its base's clips where those are alike.

    A rig is named NAME_rig_ROOMS, or NAME_rig_ROOMS_CLIPS_BASE where a base is trained; one without a base is left.
    """
    folder = Path("runs", rig)
    name, _, parts = rig.rpartition("_rig_")
    rooms, *base = parts.split("_")
    if folder.exists() or not base:
        return
    alike = f"{name}_rig_{rooms}_{base[0]}_*"
    for pattern, clips in ((alike, True), (f"{name}_rig_{rooms}*", False)):
        for other in sorted(Path("runs").glob(pattern)):
            own = shutil.ignore_patterns("base.*", "base", "logs", "benchmarks")
            shutil.copytree(other, folder, copy_function=os.link, ignore=own)
            if clips and Path(other, "base", "clips").is_dir():
                shutil.copytree(Path(other, "base", "clips"), Path(folder, "base", "clips"), copy_function=os.link)
            return


def run(one: Variant, cores: int) -> pd.DataFrame:
    """The summary table of a variant's study, after Snakemake has made it; ChoiceError where it fails.

    Of realism it has the kernel distance, as one more measure.
    """
    share(one.config["rig"])
    summary = summary_of(one.config, f"choice {one.choice}, {json.dumps(one.value)}", cores)
    realism = pd.read_csv(Path("runs", one.config["study"], "tables", "realism.csv"))
    distances = realism[realism["kind"] == REALISM].rename(columns={"kind": "measure"})
    return pd.concat([summary, distances])


def summary_of(config: dict[str, Any], name: str, cores: int) -> pd.DataFrame:
    """summary.csv of the study that ``config`` describes, after Snakemake has made it; ChoiceError where it fails.

    The study's tables stay in ``runs/``: nothing is published to ``results/``.
    """
    folder = Path("runs", config["study"])
    file, table = folder / "variant.json", folder / "tables" / "summary.csv"
    write_json(file, config)
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "workflow" / "Snakefile"), str(table),
               "--cores", str(cores), "--configfile", str(file), "--quiet", "rules"]  # fmt: skip
    if subprocess.run(command, check=False).returncode:
        raise ChoiceError(f"{name}: the run failed; `{' '.join(command)}`")
    return pd.read_csv(table)


def measured(one: Variant, summary: pd.DataFrame, criterion: Criterion) -> pd.DataFrame:
    """A variant's cells: row, branch, measures, criterion, digest; raises ChoiceError for a cell that is missing."""
    wide = summary[summary["measure"].isin([*MEASURES, REALISM])].pivot_table(
        index=["row_name", "branch"], columns="measure", values="value", sort=False
    )
    cells = [(row, branch) for row in criterion.rows for branch in criterion.branches]
    missing = [cell for cell in cells if cell not in wide.index]
    if missing:
        raise ChoiceError(f"choice {one.choice}: the tables have no row {missing[0][0]} on branch {missing[0][1]}")
    lines = wide.loc[cells].reindex(columns=[*MEASURES, REALISM]).reset_index()
    return lines.assign(criterion=wide.loc[cells, criterion.measure].mean(), digest=one.digest)


def winner(scores: list[float], criterion: Criterion) -> int:
    """Position of the first score within the tolerance of the best."""
    sign = 1 if criterion.lower_is_better else -1
    best = min(sign * score for score in scores)
    return next(n for n, score in enumerate(scores) if sign * score <= best + criterion.tolerance)


def choose(path: Path, out: Path, cores: int) -> dict[str, Any]:
    """Run all choices and write ``choices.csv`` and ``chosen.json`` to ``out``; returns what was chosen, merged."""
    choices = read_choices(path)
    config = merged(read_mapping(ROOT / choices.start), choices.settings)
    for name, values in choices.choices.items():  # all are checked before any is run
        for value in values:
            variant(path, name, config, value)
    table = out / "choices.csv"
    known = pd.read_csv(table).reindex(columns=COLUMNS) if table.is_file() else pd.DataFrame(columns=COLUMNS)
    parts: list[pd.DataFrame] = []
    chosen: dict[str, Any] = {}
    for name, values in choices.choices.items():
        tried = []
        for value in values:
            one = variant(path, name, config, value)
            held = known[known["digest"] == one.digest].drop_duplicates(["row_name", "branch"])
            lines = held if len(held) else measured(one, run(one, cores), choices.criterion)
            lines = lines.assign(choice=name, value=json.dumps(value, sort_keys=True), chosen=False)[COLUMNS]
            known = lines if known.empty else pd.concat([known, lines])
            tried.append(lines)
            _save(table, [*parts, *tried])
        first = winner([float(lines["criterion"].iloc[0]) for lines in tried], choices.criterion)
        tried[first] = tried[first].assign(chosen=True)
        parts += tried
        _save(table, parts)
        chosen, config = merged(chosen, values[first]), merged(config, values[first])
        print(f"{name}: {json.dumps(values[first])}", flush=True)
    record = {"choices": choices.model_dump(mode="json"), "chosen": chosen, "table": table.name,
              "command": f"python -m bench.choose --choices {path} --out {out}"}  # fmt: skip
    write_text(out / "chosen.json", json.dumps(record, indent=1) + "\n")
    return chosen


def _save(path: Path, parts: list[pd.DataFrame]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        pd.concat(parts).to_csv(temporary, index=False, float_format="%.6g")


def main() -> None:
    """The command line; errors meant for users are one line."""
    parser = argparse.ArgumentParser(description="Choose a study's settings on rooms that no reported split uses.")
    parser.add_argument("--choices", type=Path, default=Path("config/choices.yaml"), help="what is tried")
    parser.add_argument("--out", type=Path, default=Path("results/choosing"), help="folder of the table")
    parser.add_argument("--cores", type=int, default=2, help="for Snakemake")
    asked = parser.parse_args()
    try:
        choose(asked.choices, asked.out, asked.cores)
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
