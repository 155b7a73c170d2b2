"""config/README.md, from the descriptions in the models: ``python -m echo config-docs > config/README.md``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from echo.study.judges import judge_names
from echo.study.judges import settings_of as settings_of_judge
from echo.study.profile import Evidence, Profile, families, settings_of
from echo.study.sections.checkpoint import Checkpoint
from echo.study.sections.codec import OPTIONS, Options
from echo.study.study import Study

HEAD = """# Configuration

A study is one YAML file: `config.yaml` (the default study, `mini`), `quick.yaml` (four rows, about ten minutes),
`smoke.yaml` (tests), `workstation.yaml` (one GPU of 24 GB, one night), `paper.yaml` (the paper's study: Wan 2.1 1.3B,
eight GPUs per row), `paper_one_gpu.yaml` (that model, Wan's blocks frozen and all else cut, for one GPU of 80 GB).
`rows.yaml` holds the matrix: one entry per row, of which a study runs those it lists under `rows`.

    snakemake --cores all                                    # config.yaml
    snakemake --cores all --configfile config/quick.yaml     # another study
    snakemake --cores all --config seed=1                    # one key changed
    snakemake --cores all --config 'train={steps: 300}'      # one key of a section changed

Snakemake takes no dotted keys such as `train.steps=300`. A key that is not below or that stands twice, a wrong type, a
number that is not finite, or a combination that no later stage can work with stops before any job starts, with one line
that names the file, the key and what is allowed. Types are strict: `"8"` and `true` are no numbers.

A row that asks for more frames than `evidence.frames` is handed all there are; Snakemake says so at the start. Two rows
that become the same by it are refused.

This file is generated: `python -m echo config-docs > config/README.md`. Editors that know JSON schemas read
`schema.json` and `rows.schema.json` (`python -m echo config-schema`, and with `--rows`, print them).
"""

BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def render() -> str:
    """The whole document."""
    parts = [HEAD, "## Top level\n", _table(Study, skip=("profiles",)),
             "### `checkpoints`: of each row\n", f"{_first_line(Checkpoint)}\n", _table(Checkpoint)]  # fmt: skip
    for name, field in Study.model_fields.items():
        if isinstance(field.default, BaseModel):
            section = type(field.default)
            parts += [f"## `{name}`\n", f"{_first_line(section)}\n", _table(section)]
            if name == "codec":
                parts += _options()
    for kind in judge_names():
        if settings_of_judge(kind).model_fields:
            parts += [f"## `judges`: settings of kind `{kind}`\n", f"{_first_line(settings_of_judge(kind))}\n",
                      _table(settings_of_judge(kind))]  # fmt: skip
    parts += ["## Rows (`rows.yaml`)\n", "Every entry is `name: {family, label, ...}`; all families share:\n",
              _table(Profile, skip=("name",)),
              "### `evidence` of a row\n", f"{_first_line(Evidence)}\n", _table(Evidence)]  # fmt: skip
    for family in families():
        parts += [f"### Family `{family}`\n", _table(settings_of(family), skip=tuple(Profile.model_fields))]
    return "\n".join(parts)


def _options() -> list[str]:
    """``codec.options`` of every kind."""
    parts = ["### `codec.options` of every kind\n", _table(Options)]
    for kind, options in OPTIONS.items():
        if options is not Options:
            parts += [f"### `codec.options` of kind `{kind}`\n", _table(options, skip=tuple(Options.model_fields))]
    return parts


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _table(model: type[BaseModel], skip: tuple[str, ...] = ()) -> str:
    """A table of a model's keys: default, what is allowed, meaning."""
    schema = model.model_json_schema()
    lines = ["| key | default | allowed | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name in skip or isinstance(field.default, BaseModel):
            continue
        known = schema["properties"][name]
        default = "(required)" if field.is_required() else f"`{_plain(field.get_default())}`"
        allowed, meaning = (text.replace("|", "\\|") for text in (_allowed(known), field.description or ""))
        lines.append(f"| `{name}` | {default} | {allowed} | {meaning} |")
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    """A default as YAML writes it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return str(value)


def _allowed(schema: dict[str, Any]) -> str:
    """Type and bounds, or the choices, of a key's JSON schema."""
    if len(schema.get("anyOf", ())) > 4:
        return "number, text, true or false, or a list of these"
    if "$ref" in schema:
        return "mapping"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_allowed(one) for one in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return f"one of {', '.join(map(str, schema.get('enum', [schema.get('const')])))}"
    kind = schema.get("type")
    if kind == "array":
        inner = schema.get("items") or {"anyOf": schema.get("prefixItems", [{}])}
        return f"list of ({_allowed(inner)})"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"mapping to ({_allowed(inner)})" if isinstance(inner, dict) else "mapping"
    names = {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}
    text = {"null": "null"}.get(kind or "", names.get(kind or "", kind or "any"))
    bounds = [f"{sign} {schema[name]:g}" if isinstance(schema[name], float) else f"{sign} {schema[name]}"
              for name, sign in BOUNDS.items() if name in schema]  # fmt: skip
    if "pattern" in schema:
        bounds.append(f"as `{schema['pattern']}`")
    return ", ".join([text, *bounds])
