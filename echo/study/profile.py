"""A row's profile: the checked mapping that says what one row does with the shared evidence. No torch here.

A family is a package ``echo/memory/<family>/``: ``settings.py`` holds its ``Settings``, a subclass of ``Profile``, and
``memory.py`` its torch modules. Building Snakemake's graph needs the settings alone and must not wait for torch.
"""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

AS_RELEASED = "_released"  # ends the name of a row as its authors trained it: `spatial_released` beside `spatial`
LATER = object()  # marks a setting that later came to be: at its default, a profile is the one that it was before
FOLDER = Path(__file__).parent.parent / "memory"
PACKAGE = "echo.memory"


class Evidence(BaseModel):
    """What a row's authors handed it, for `evidence.policy: as_released` alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Literal["anchor", "fov_retrieval", "previous_chunk_tail", "causal_previous_prefix", "replay"] = Field(
        description="in training: `anchor`, the last frame before the segment alone; `fov_retrieval`, that and a "
        "random sample of the frames that overlap with the segment's middle frame, future ones included; "
        "`previous_chunk_tail` and `causal_previous_prefix`, the last frames before it, of one segment at most; "
        "`replay`, copies of the target's own last frame, which is what the release's filter leaves of it"
    )
    frames: Annotated[int, Field(ge=1, le=1000)] = Field(description="K: frames handed, the anchor included")
    drop: Annotated[float | None, Field(ge=0, lt=1)] = Field(
        default=None, description="the row's own `evidence.drop`; null: the study's"
    )
    continuation: Literal["uniform", "tail", "latents"] = Field(
        default="uniform",
        description="in rollouts, of the segment before: `uniform`, its last frame and others at even spacing; `tail`, "
        "its last frames; `latents`, its last frames, one a latent",
    )


class Profile(BaseModel):
    """What all rows share; a family's ``Settings`` adds its own keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="the row's name")
    family: str = Field(description="package of echo/memory that implements it")
    label: str = Field(description="how figures and tables call it")
    seed_stream: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="rows with the same stream see the same training batches and noise; another stream is an "
        "independent run of the same profile",
    )
    timestep_shift: Annotated[float | None, Field(ge=1e-3, le=1000), LATER] = Field(
        default=None,
        description="the row's own `train.timestep_shift`, in training and sampling; null: the study's",
    )

    layout: Annotated[Literal["context_first", "target_first"] | None, LATER] = Field(
        default=None,
        description="the row's own `backbone.layout`; null: the study's. For released weights, which need their own",
    )
    evidence: Annotated[Evidence | None, LATER] = Field(
        default=None,
        description="what the row's authors handed it, for `evidence.policy: as_released`: `source`, `frames`, `drop` "
        "and `continuation`",
    )

    @model_serializer(mode="wrap")
    def _as_before(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The settings, without those marked ``LATER`` that stand at their defaults.

        So neither fingerprints nor checkpoints' headers of a row change when its family learns a new setting.
        """
        fields = type(self).model_fields
        later = [name for name, field in fields.items() if LATER in field.metadata]
        idle = {name for name in later if getattr(self, name) == fields[name].default}
        return {name: value for name, value in dump(self).items() if name not in idle}

    @property
    def remembers(self) -> bool:
        """Whether the output should depend on more than the anchor; the probes hold a row to this."""
        return True

    @property
    def needs_context_first(self) -> bool:
        """Whether the clean frames must stand before the target in the sequence (``backbone.layout``)."""
        return False

    def layout_in(self, layout: str) -> str:
        """The order of the row's sequence in a study whose ``backbone.layout`` is ``layout``."""
        return self.layout or layout

    def misfit(self, width: int) -> tuple[str, str] | None:
        """The setting that a model of ``width`` channels cannot have, and why; None where it can have all."""
        return None


@cache
def settings_of(family: str) -> type[Profile]:
    """The ``Settings`` of a family.

    Raises:
        ValueError: No such family, with the names of those there are; or its ``settings.py`` has no ``Settings``.

    """
    if family not in families():
        raise ValueError(f"unknown family {family!r}; echo/memory has {', '.join(families())}")
    module = importlib.import_module(f"{PACKAGE}.{family}.settings")
    settings = getattr(module, "Settings", None)
    if not (isinstance(settings, type) and issubclass(settings, Profile)):
        raise ValueError(f"echo/memory/{family}/settings.py has no class Settings(Profile)")
    return settings


def families() -> tuple[str, ...]:
    """Names of all families, sorted: the folders of echo/memory that have a ``settings.py``."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob("*/settings.py")))


def parse_row(name: str, entry: Any) -> Profile:
    """The profile of one entry of config/rows.yaml.

    Raises:
        ValueError: The entry is no mapping, its family is unknown, or its keys are not those of the family's settings.

    """
    if not isinstance(entry, dict) or not isinstance(entry.get("family"), str):
        raise ValueError(f"expected a mapping with a family, one of: {', '.join(families())}")
    return settings_of(entry["family"]).model_validate({"name": name, **entry})
