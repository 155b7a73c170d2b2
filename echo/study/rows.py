"""The study's rows: entries of ``config/rows.yaml`` with the study's ``row_options``, as checked profiles.

The file that is blamed for an error is the one that holds what is wrong: the study where ``row_options`` does it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from echo.io.errors import UserError
from echo.study.errors import ConfigError, from_pydantic, refuse
from echo.study.profile import Profile, families, settings_of
from echo.study.sections.section import EXPONENT
from echo.study.study import Study

LARGEST = 65_536  # of a whole number in a row
LARGEST_GRID = 1024  # cells along a side, no more than pixels
LONGEST_LIST = 16
LONGEST_LABEL = 80
NOT_OPTIONS = ("name", "family", "label", "evidence")  # what a row is, which no study changes

Entries = dict[str, Any]


def profiles_of(study: Study, rows: Entries, file: str, rows_file: str) -> dict[str, Profile]:
    """The profiles of the study's rows by name; raises ConfigError."""
    for name in study.rows:
        if name not in rows:
            raise refuse(file, "rows", name, f"no such row; {rows_file} has {', '.join(sorted(rows))}")
    _check_options(study, rows, file, rows_file)
    found = {name: _profile(study, name, rows[name], file, rows_file) for name in study.rows}
    _check_together(study, found, file, rows_file)
    return found


def _family(name: str, entry: Any, rows_file: str) -> str:
    """The family an entry names; raises ConfigError where it is no mapping with a family there is."""
    if not isinstance(entry, dict) or not isinstance(entry.get("family"), str):
        held = entry.get("family") if isinstance(entry, dict) else entry
        raise refuse(rows_file, name, held, f"expected a mapping with a family, one of: {', '.join(families())}")
    _settings(entry["family"], rows_file, f"{name}.family")
    return entry["family"]


def _settings(family: str, file: str, key: str) -> type[Profile]:
    try:
        return settings_of(family)
    except (ValueError, UserError) as error:
        raise ConfigError(f"{file}: `{key}`: {error}", file=file, key=key, value=family) from None


def _check_options(study: Study, rows: Entries, file: str, rows_file: str) -> None:
    """Options of families that there are, and keys that these have; a family need not have a row in this study."""
    for family, options in study.row_options.items():
        key = f"row_options.{family}"
        if family not in families():
            raise refuse(file, key, options, f"no such family; echo/memory has {', '.join(families())}")
        keys = [name for name in settings_of(family).model_fields if name not in NOT_OPTIONS]
        for name, value in options.items():
            if name not in keys:
                raise refuse(file, f"{key}.{name}", value, f"no setting of {family}; it has {', '.join(keys)}")


def _profile(study: Study, name: str, entry: Entries, file: str, rows_file: str) -> Profile:
    """One row's profile."""
    family = _family(name, entry, rows_file)
    options = study.row_options.get(family, {})
    if "name" in entry:
        raise refuse(rows_file, f"{name}.name", entry["name"], "the row's name is its key; remove it")
    merged = {"name": name, **entry, **options}
    try:
        profile = _validate(family, merged)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0]) if error.errors()[0]["loc"] else ""
        if key in options or (not key and _is_valid(family, {"name": name, **entry})):
            raise from_pydantic(error, file, merged, f"row_options.{family}") from None
        raise from_pydantic(error, rows_file, merged, name) from None
    for key, value, reason in _unworkable(profile):
        if key in options:
            raise refuse(file, f"row_options.{family}.{key}", value, reason)
        raise refuse(rows_file, f"{name}.{key}", value, reason)
    if misfit := profile.misfit(study.backbone.heads * study.backbone.head_dim):
        key, reason = misfit
        where = (file, f"row_options.{family}.{key}") if key in options else (rows_file, f"{name}.{key}")
        raise refuse(*where, getattr(profile, key), reason)
    if profile.needs_context_first and profile.layout_in(study.backbone.layout) != "context_first":
        reason = f"row {name} reads its history before the target and needs context_first"
        where = (file, "backbone.layout") if profile.layout is None else (rows_file, f"{name}.layout")
        raise refuse(*where, profile.layout_in(study.backbone.layout), reason)
    return profile


def _validate(family: str, entry: Entries) -> Profile:
    """The profile of an entry by its family's settings, with JSON's strict types: no number for text or truth."""
    plain = {
        key: float(value) if isinstance(value, str) and key != "label" and EXPONENT.fullmatch(value) else value
        for key, value in entry.items()
    }
    return settings_of(family).model_validate_json(json.dumps(plain), strict=True)


def _is_valid(family: str, entry: Entries) -> bool:
    try:
        _validate(family, entry)
    except ValidationError:
        return False
    return True


def _unworkable(profile: Profile) -> Iterator[tuple[str, Any, str]]:
    """Settings that are valid by themselves, and that no machine or figure can work with."""
    for key, value in profile.model_dump(exclude={"name", "family", "label", "seed_stream"}).items():
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
            yield key, value, f"expected at most {LARGEST}"
        if isinstance(value, list | tuple) and len(value) > LONGEST_LIST:
            yield key, list(value), f"expected at most {LONGEST_LIST} values"
        if key == "grid" and isinstance(value, int) and value > LARGEST_GRID:
            yield key, value, f"expected at most {LARGEST_GRID} cells along a side"
    if profile.seed_stream > 2**63 - 1:
        yield "seed_stream", profile.seed_stream, "expected at most 2^63 - 1"
    yield from (("label", profile.label, reason) for reason in _bad_label(profile.label))


def _bad_label(label: str) -> Iterator[str]:
    """Why figures or tables cannot show a label."""
    if not label.strip() or label != label.strip():
        yield "a label has letters, and no spaces around them"
    if "$" in label:
        yield "matplotlib takes $ for mathematics; write the sign itself, such as ∞"
    if label.startswith("_"):
        yield "matplotlib leaves labels that begin with _ out of legends"
    if "|" in label:
        yield "| ends a cell of the tables"
    if len(label) > LONGEST_LABEL or any(unicodedata.category(letter)[0] == "C" for letter in label):
        yield f"expected one line of at most {LONGEST_LABEL} characters"


def _check_together(study: Study, profiles: dict[str, Profile], file: str, rows_file: str) -> None:
    """Rows that figures can tell apart, and that E does not make the same."""
    labels: dict[str, str] = {}
    handed: dict[str, str] = {}
    for name, profile in profiles.items():
        if profile.label in labels:
            reason = f"is the label of {labels[profile.label]} too; figures would mix them up"
            raise refuse(rows_file, f"{name}.label", profile.label, reason)
        labels[profile.label] = name
        values = profile.model_dump(mode="json", exclude={"name", "label"})
        limit = study.evidence.most_frames
        if limit is not None and isinstance(values.get("frames"), int):
            values["frames"] = min(values["frames"], limit)
        same = handed.setdefault(json.dumps(values, sort_keys=True), name)
        if same != name and limit is not None and limit < max(frames_of(profile), frames_of(profiles[same])):
            reason = f"rows {same} and {name} would be handed the same frames and be one row twice"
            raise refuse(file, "evidence.frames", limit, reason)


def frames_of(profile: Profile) -> int:
    """K, where a row has one; else 0."""
    frames = getattr(profile, "frames", 0)
    return frames if isinstance(frames, int) else 0


def short_of_frames(study: Study) -> list[str]:
    """Rows that ask for more frames than E has, with what they ask for."""
    limit = study.evidence.most_frames
    if limit is None:
        return []
    return [f"{name} ({frames_of(row)})" for name, row in study.profiles.items() if frames_of(row) > limit]
