"""Bases that come with the project: where they lie, and whether one fits a study. No torch: Snakemake asks this.

``shipped/<name>/`` holds ``base.safetensors`` and ``codec.safetensors``, both in half precision, and ``record.json``:
the sizes they are for, the recipe, and the hash of each file. It is looked for in the working directory, where the
target ``ship`` writes, and then beside the package, in the project's folder; an installed package has none beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from echo.io.errors import UserError
from echo.study.study import Study, model_sizes

FOLDER = "shipped"
FILES = ("base", "codec")  # the stems of the tensor files
RECORD = "record.json"
CODEC_SECTIONS = ("codec", "world")  # of the sizes in a record, what a codec is for
PROJECT = Path(__file__).parents[2]


class ShippedError(UserError):
    """A shipped base that is not there, damaged, or for other sizes."""


def find_shipped(name: str) -> Path:
    """The folder of the shipped base ``name``, relative where it lies in the working directory.

    Raises ShippedError, naming both places, where there is none.
    """
    places = (Path(FOLDER, name), PROJECT / FOLDER / name)
    for place in places:
        if (place / RECORD).is_file():
            return place
    raise ShippedError(
        f"no {RECORD} in {places[0]} (working directory) nor in {places[1]}; run in the project's folder, or make it "
        "with: snakemake ship --cores all --config 'base={source: trained}' 'sampler={guide: null, guidance: 1}'"
    )


def read_shipped(folder: Path) -> dict[str, Any]:
    """The record of a shipped base; raises ShippedError where it cannot be read."""
    path = folder / RECORD
    try:
        record = json.loads(path.read_text())
        record["sizes"], *(record["files"][name]["sha256"] for name in FILES)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ShippedError(f"{path}: not the record of a shipped base ({error}); {restoring(folder)}") from None
    return record


def restoring(folder: Path) -> str:
    """What to do about a damaged file."""
    return f"restore it with: git checkout -- {folder}"


def misfits(study: Study, record: dict[str, Any], weights: bool = True) -> Iterator[tuple[str, Any, Any]]:
    """Keys in which a study differs from the sizes of a record: key, the study's value, the record's.

    weights: whether the base's weights are taken too; the codec alone fits any transformer, text and length of segment.
    A key that came into being after the record was written has its default there.
    """
    for section, wanted in model_sizes(study).items():
        if not weights and section not in CODEC_SECTIONS:
            continue
        held = record["sizes"].get(section, {})
        fields = type(getattr(study, section)).model_fields
        for key, value in wanted.items():
            made_for = held.get(key, fields[key].default)
            if made_for != value:
                yield f"{section}.{key}", value, made_for
