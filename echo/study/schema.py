"""JSON schemas of the configuration, for editors.

``config/`` holds them as they are printed by::

    python -m echo config-schema > config/schema.json
    python -m echo config-schema --rows > config/rows.schema.json

They hold the keys, types, bounds and descriptions of ``echo.study.sections`` and of the families' settings. Rules
between keys are not in them: those are checked when the study is read.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from echo.study.profile import families, settings_of
from echo.study.study import NAME, Study

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILES = {"schema.json": "study", "rows.schema.json": "rows"}


def render(which: str = "study") -> str:
    """One schema as text: of a ``study``, or of the ``rows`` of ``rows.yaml``."""
    schema = study_schema() if which == "study" else rows_schema()
    return json.dumps({"$schema": DIALECT, **schema}, indent=2, ensure_ascii=False) + "\n"


def study_schema() -> dict[str, Any]:
    """The schema of a study file."""
    schema = Study.model_json_schema()
    del schema["properties"]["profiles"], schema["$defs"]["Profile"]  # filled from rows.yaml
    _tidy(schema)
    return schema


def rows_schema() -> dict[str, Any]:
    """The schema of ``rows.yaml``: a mapping from names of rows to entries, each of its family's keys."""
    entries, definitions = [], {}
    for family in families():
        entry = TypeAdapter(settings_of(family)).json_schema(ref_template="#/$defs/{model}")
        definitions |= entry.pop("$defs", {})
        del entry["properties"]["name"]
        entry["required"] = [key for key in entry["required"] if key != "name"]
        entry["properties"]["family"] = {**entry["properties"]["family"], "const": family}
        entry["title"] = family
        entries.append(entry)
    schema: dict[str, Any] = {
        "title": "Rows",
        "description": "The matrix: one entry per row.",
        "type": "object",
        "patternProperties": {NAME: {"oneOf": entries}},
        "additionalProperties": False,
        **({"$defs": definitions} if definitions else {}),
    }
    _tidy(schema)
    return schema


def _tidy(schema: Any) -> None:
    """Remove titles that pydantic makes of the keys' names, which say nothing more."""
    if isinstance(schema, dict):
        for value in schema.get("properties", {}).values():
            value.pop("title", None)
        for value in schema.values():
            _tidy(value)
    elif isinstance(schema, list):
        for value in schema:
            _tidy(value)
