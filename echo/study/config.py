"""The study's configuration: read, checked whole before any job, and refused with one line.

No torch here: Snakemake imports this module to build its graph, and that must take a second. The models are in
``echo.study.sections`` and ``echo.study.study``; ``config/README.md`` and ``config/schema.json`` are generated from
them (``python -m echo config-docs``, ``config-schema``), so that they cannot drift apart.

Files are read by ``echo.study.reading``: no key twice, no infinity, nothing but plain values. Then come the sections'
own types and bounds, the rows (``echo.study.rows``), and what all of these mean to each other (``echo.study.checks``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from echo.study.checks import check
from echo.study.chosen import departures
from echo.study.errors import ConfigError, from_pydantic, refuse
from echo.study.reading import check_plain, read_mapping, with_types
from echo.study.references import reference_names
from echo.study.rows import profiles_of, short_of_frames
from echo.study.sections import (
    Backbone,
    Base,
    Codec,
    Compute,
    Evaluate,
    EvidenceConfig,
    Pretrained,
    Sampler,
    Section,
    Segment,
    Text,
    Train,
    World,
)
from echo.study.study import NAME, Study

__all__ = [
    "Backbone", "Base", "Codec", "Compute", "ConfigError", "Evaluate", "EvidenceConfig", "Pretrained", "Sampler",
    "Section", "Segment", "Study", "Text", "Train", "World", "load_rows", "load_study", "parse_study", "remarks",
    "study_of_environment", "study_of_snakemake", "study_variable",
]  # fmt: skip

ROWS_FILE = "config/rows.yaml"


def load_rows(path: str | Path) -> dict[str, dict[str, Any]]:
    """The entries of ``config/rows.yaml``: the row's name to its mapping; raises ConfigError."""
    rows = read_mapping(path)
    for name in rows:
        _check_row_name(name, str(path))
    return rows


def _check_row_name(name: str, file: str) -> None:
    """A row's name is a folder, and part of a wildcard of Snakemake's rules."""
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789_")
    if not name or not name[0].isascii() or not name[0].islower() or set(name) - allowed or len(name) > 64:
        raise refuse(file, name, name, f"names of rows match {NAME} and have at most 64 characters")


def parse_study(
    data: Mapping[str, Any],
    rows: Mapping[str, Any],
    where: str = "config",
    rows_file: str = ROWS_FILE,
    whole: bool = True,
) -> Study:
    """Check a study's mapping and its rows; raises ConfigError.

    where, rows_file: the files that errors name. whole: False for a study of which single stages are run,
    on frames that may be smaller than its measures need.
    """
    data, rows = dict(data), dict(rows)
    check_plain(data, where)
    check_plain(rows, rows_file)
    _refuse_dotted(data, where)
    if "profiles" in data:
        raise ConfigError(f"{where}: unknown key `profiles`; rows are in {rows_file}", file=where, key="profiles")
    try:
        study = Study.model_validate(data)
    except ValidationError as error:
        raise from_pydantic(error, where, data) from None
    study = study.model_copy(update={"profiles": profiles_of(study, rows, where, rows_file)})
    check(study, where, whole)
    return study


def _refuse_dotted(data: Mapping[str, Any], where: str) -> None:
    """A dotted key says what was meant; Snakemake's --config does not let one through, a file or a module may."""
    for key, value in data.items():
        section, dot, name = key.partition(".")
        if dot and section in Study.model_fields:
            text = f"{where}: unknown key `{key}`; write {section}: {{{name}: {value}}}, or on the command line "
            raise ConfigError(f"{text}--config '{section}={{{name}: {value}}}'", file=where, key=key, value=value)


def load_study(path: str | Path, rows_path: str | Path | None = None, whole: bool = True) -> Study:
    """Read and check a study file; rows come from ``rows.yaml`` beside it unless given. Raises ConfigError.

    whole: as ``parse_study`` has it.
    """
    path = Path(path)
    data = read_mapping(path)
    rows_path = Path(rows_path or path.parent / "rows.yaml")
    return parse_study(data, load_rows(rows_path), str(path), str(rows_path), whole)


def study_of_snakemake(
    config: Mapping[str, Any],
    files: Sequence[str | Path],
    overrides: Mapping[str, Any],
    rows: Mapping[str, Any],
    rows_file: str = ROWS_FILE,
) -> Study:
    """The study that Snakemake was asked for; raises ConfigError.

    config: what Snakemake made of ``files`` (--configfile) and ``overrides`` (--config). The files are read again,
    because Snakemake keeps the last of two equal keys in silence; and what came from ``overrides`` gets YAML's types,
    because Snakemake leaves all values inside a nested one as text.
    """
    for file in files:
        read_mapping(file)
    where = " and ".join([*map(_shown, files), *(["--config"] if overrides else [])]) or "config"
    return parse_study(with_types(dict(config), overrides), rows, where, rows_file)


def _shown(path: str | Path) -> str:
    """A file as a user knows it: relative to the working directory where it lies there."""
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def remarks(study: Study) -> list[str]:
    """What the study does otherwise than it is asked, one line each.

    A row whose K exceeds E is handed all of E; without depth, what needs it is left out; so is a contrast of a row that
    does not run; settings may depart from what was chosen.
    """
    lines, short = [], short_of_frames(study)
    if short:
        lines.append(f"study {study.study}: `evidence.frames` = {study.evidence.frames}: all that rows get which ask "
                     f"for more: {', '.join(short)}")  # fmt: skip
    if not study.has_depth:
        asked = study.evaluate.references
        without = [name for name in (reference_names() if asked is None else asked) if name not in study.references]
        lines.append(f"study {study.study}: recordings ({study.world.source}) have no depth: left out are the shares "
                     f"of seen pixels and quality on them{', and the reference rows ' if without else ''}"
                     f"{', '.join(without)}")  # fmt: skip
    left = [f"{row} and {other}" for row, other in study.evaluate.contrasts if {row, other} - set(study.rows)]
    if left:
        lines.append(f"study {study.study}: contrasts left out, whose rows it does not run: {', '.join(left)}")
    for folder in study.chosen_in:
        other = departures(folder, study.model_dump(mode="json"))
        if other:
            lines.append(f"study {study.study}: not as chosen in {folder}: {', '.join(other)}")
    return lines


def study_variable(name: str) -> str:
    """The environment variable in which the workflow hands its jobs the study called ``name``."""
    return f"ECHO_STUDY_{name.upper()}"


def study_of_environment(name: str) -> Study:
    """The study called ``name`` that the workflow put into the environment, with its rows.

    Raises ConfigError where there is none.
    """
    text = os.environ.get(study_variable(name))
    where = f"the workflow's study {name}"
    if text is None:
        raise ConfigError(
            f"--study @{name}: the environment has no {study_variable(name)}, which the workflow sets for its jobs; "
            f"give a file instead, such as runs/{name}/study.json"
        )
    held = json.loads(text)
    return parse_study(held["study"], held["rows"], where, whole=False)
