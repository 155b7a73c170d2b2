"""A row's profile: the checked mapping that says what one row does with the shared evidence. No torch here.

A family's module (``echo/memory/<family>.py``) holds its ``Settings`` class, a subclass of ``Profile``, beside its
torch modules, so that a new memory is one file. Building Snakemake's graph needs only the settings and must not pay
for importing torch, so ``settings_of`` compiles that one class from the module's source.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

FOLDER = Path(__file__).parent.parent / "memory"
NAMES = {"Annotated": Annotated, "Literal": Literal, "Field": Field, "model_validator": model_validator}


class Profile(BaseModel):
    """What all rows share; a family's ``Settings`` adds its own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="the row's name")
    family: str = Field(description="module of echo/memory that implements it")
    label: str = Field(description="how figures and tables call it")
    seed_stream: Annotated[int, Field(ge=0)] = Field(
        0,
        description="rows with the same stream see the same training batches and noise; another stream is an "
        "independent run of the same profile",
    )

    @property
    def remembers(self) -> bool:
        """Whether the output should depend on more than the anchor; the probes hold a row to this."""
        return True

    @property
    def needs_context_first(self) -> bool:
        """Whether the target must follow the clean frames in the sequence (``backbone.layout``)."""
        return False


@cache
def settings_of(family: str) -> type[Profile]:
    """The ``Settings`` class of a family, compiled without running the rest of its module.

    Raises ValueError, naming the families there are, where the module or the class is missing.
    """
    path = FOLDER / f"{family}.py"
    if not path.is_file() or not family.isidentifier():
        raise ValueError(f"unknown family {family!r}; echo/memory has {', '.join(families())}")
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == "Settings":
            scope = {**NAMES, "Profile": Profile, "__name__": f"echo.memory.{family}"}
            exec(compile(ast.Module([node], []), str(path), "exec", dont_inherit=True), scope)
            return scope["Settings"]
    raise ValueError(f"{path} has no class Settings(Profile)")


@cache
def families() -> tuple[str, ...]:
    """Families there are: the modules of echo/memory that hold a ``Settings`` class."""
    return tuple(sorted(p.stem for p in FOLDER.glob("*.py") if "\nclass Settings(" in p.read_text()))


def parse_row(name: str, entry: dict) -> Profile:
    """Check one entry of config/rows.yaml and return its profile."""
    if not isinstance(entry, dict) or "family" not in entry:
        raise ValueError(f"expected a mapping with a family, one of: {', '.join(families())}")
    return settings_of(entry["family"]).model_validate({"name": name, **entry})
