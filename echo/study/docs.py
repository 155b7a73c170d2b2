"""config/README.md, from the descriptions in the models: ``python -m echo config-docs > config/README.md``."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from echo.study.config import Study
from echo.study.profile import Profile, families, settings_of

HEAD = """# Configuration

A study is one YAML file: `config.yaml` (the default study, `mini`), `quick.yaml` (four rows, about ten minutes),
`smoke.yaml` (tests), `paper.yaml` (the paper's study: Wan 2.1 1.3B, eight GPUs a row). `rows.yaml` holds the matrix: an
entry a row, of which a study runs those it lists under `rows`.

    snakemake --cores all                                    # config.yaml
    snakemake --cores all --configfile config/quick.yaml     # another study
    snakemake --cores all --config seed=1                    # one key changed

A key that is not below, a wrong type or a combination that cannot work stops before any job starts, with one line that
names the key and what is allowed. This file is generated: `python -m echo config-docs > config/README.md`.
"""


def render() -> str:
    """The whole document."""
    parts = [HEAD, "## Top level\n", _table(Study, skip=("profiles",))]
    for name, field in Study.model_fields.items():
        if isinstance(field.default, BaseModel):
            parts += [f"## `{name}`\n", f"{_first_line(type(field.default))}\n", _table(type(field.default))]
    parts += ["## Rows (`rows.yaml`)\n", "Every entry is `name: {family, label, ...}`; all families share:\n",
              _table(Profile, skip=("name",))]  # fmt: skip
    for family in families():
        settings = settings_of(family)
        parts += [f"### family `{family}`\n", _table(settings, skip=tuple(Profile.model_fields))]
    return "\n".join(parts)


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _table(model: type[BaseModel], skip: tuple[str, ...] = ()) -> str:
    lines = ["| key | default | allowed | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name in skip or isinstance(field.default, BaseModel):
            continue
        meaning = (field.description or "").replace("|", "\\|")
        lines.append(f"| `{name}` | {_default(field)} | {_allowed(field)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _default(field) -> str:
    if field.default is PydanticUndefined:
        return "(required)"
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    return f"`{value}`"


def _allowed(field) -> str:
    """Type and bounds, or the choices."""
    kind = getattr(field.annotation, "__name__", None)
    if kind in ("int", "float", "bool", "str"):
        names = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
        bounds = [f"{sign} {getattr(rule, name)}" for rule in field.metadata for name, sign in names.items()
                  if hasattr(rule, name)]  # fmt: skip
        return ", ".join([kind, *bounds])
    text = str(field.annotation).replace("typing.", "").replace("Literal", "one of ").replace("'", "")
    if "Annotated" in text:
        text = text.split("Annotated[")[0] + text.split("Annotated[")[1].split(",")[0] + ", ...]"
    return text.replace("|", "or")
