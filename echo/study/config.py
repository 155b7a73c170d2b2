"""The study's configuration: one pydantic model a section, every key checked before any job.

No torch here: Snakemake imports this module to build its graph, and that must take a second.
Every key is described in ``config/README.md``, which is generated from the ``description`` fields
(``python -m echo config-docs``), so the two cannot drift apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError, model_validator

from echo.io.errors import UserError
from echo.study.profile import Profile, parse_row
from echo.study.sections import (
    Backbone,
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

__all__ = [
    "Backbone", "Codec", "Compute", "ConfigError", "Evaluate", "EvidenceConfig", "Pretrained", "Sampler",
    "Segment", "Study", "Text", "Train", "World", "load_rows", "load_study", "parse_study",
]  # fmt: skip


class ConfigError(UserError):
    """A configuration that cannot run: one line that names the key, what it holds and what is allowed."""


class Study(Section):
    """One study: everything a run depends on."""

    study: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = Field(description="name; results/<study>/ is written")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="seed of the world, the cases and the sampling noise")
    train_seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field((0,), description="one run a row and training seed")
    rows: tuple[str, ...] = Field(description="rows of the matrix that run; each is an entry of config/rows.yaml")
    row_options: dict[str, dict[str, int | float | str | bool]] = Field(
        {}, description="per row family: profile values that this study's sizes ask for, e.g. a smaller grid"
    )
    reference: str = Field("i2v", description="the row all others are compared with")
    pretrained: Pretrained = Pretrained()
    world: World = World()
    segment: Segment = Segment()
    codec: Codec = Codec()
    text: Text = Text()
    backbone: Backbone = Backbone()
    evidence: EvidenceConfig = EvidenceConfig()
    train: Train = Train()
    sampler: Sampler = Sampler()
    evaluate: Evaluate = Evaluate()
    compute: Compute = Compute()
    profiles: dict[str, Profile] = Field({}, exclude=True, description="filled from config/rows.yaml")

    @property
    def latent_size(self) -> tuple[int, int]:
        """Latent cells (rows, columns) of a frame."""
        return self.world.height // self.codec.downsample, self.world.width // self.codec.downsample

    @property
    def grid(self) -> tuple[int, int]:
        """Tokens (rows, columns) of a frame."""
        rows, columns = self.latent_size
        return rows // self.backbone.patch, columns // self.backbone.patch

    @property
    def numbers_per_frame(self) -> int:
        """Latent numbers that describe one frame, coded alone."""
        return self.codec.channels * self.latent_size[0] * self.latent_size[1]

    @property
    def target_latents(self) -> int:
        """Latent frames of a segment: T, or 1 + (T - 1) / 4 with temporal latents."""
        return 1 + (self.segment.frames - 1) // self.codec.temporal if self.codec.temporal > 1 else self.segment.frames

    @model_validator(mode="after")
    def _sizes_agree(self):
        unit = self.codec.downsample * self.backbone.patch
        if self.world.height % unit or self.world.width % unit:
            raise ValueError(
                f"world.size = {self.world.size} must be a multiple of codec.downsample x backbone.patch = {unit}"
            )
        if self.codec.temporal > 1:
            if self.codec.kind != "wan":
                raise ValueError(f"codec.temporal = {self.codec.temporal} needs codec.kind: wan, got {self.codec.kind}")
            if (self.segment.frames - 1) % self.codec.temporal:
                raise ValueError(
                    f"codec.temporal = {self.codec.temporal} needs segment.frames = 1 + {self.codec.temporal} n, got "
                    f"{self.segment.frames}"
                )
        if self.text.kind == "umt5" and not self.pretrained.given:
            raise ValueError("text.kind = umt5 is the encoder of a pretrained model: set pretrained.repo or .path")
        share = self.compute.processes * self.train.accumulate
        if self.train.batch % share:
            raise ValueError(
                f"train.batch = {self.train.batch} is not a multiple of compute.processes x train.accumulate = {share}"
            )
        return self

    @model_validator(mode="after")
    def _sections_agree(self):
        if self.evidence.rule.startswith("fov") and not self.world.poses:
            raise ValueError(
                f"evidence.rule = {self.evidence.rule} ranks frames by camera pose, but world.poses = false; "
                "use evidence.rule: recent"
            )
        if self.evaluate.cases > self.world.in_domain_rooms:
            raise ValueError(
                f"evaluate.cases = {self.evaluate.cases}, but world.in_domain_rooms = {self.world.in_domain_rooms}; "
                "each case is a room of its own"
            )
        if self.evaluate.cases > self.world.open_domain_scenes:
            raise ValueError(
                f"evaluate.cases = {self.evaluate.cases}, but world.open_domain_rooms x identities = "
                f"{self.world.open_domain_scenes}"
            )
        if self.evaluate.probe_cases > self.evaluate.cases:
            raise ValueError(
                f"evaluate.probe_cases = {self.evaluate.probe_cases} exceeds evaluate.cases = {self.evaluate.cases}"
            )
        if self.reference not in self.rows:
            raise ValueError(f"reference = {self.reference} is not among rows: {', '.join(self.rows)}")
        if len(set(self.rows)) != len(self.rows):
            raise ValueError("rows lists a row twice")
        for row in self.train.row_lr:
            if row not in self.rows:
                raise ValueError(f"train.row_lr names {row!r}, which is not among rows: {', '.join(self.rows)}")
        if len(set(self.train_seeds)) != len(self.train_seeds) or not self.train_seeds:
            raise ValueError(f"train_seeds must be distinct and not empty, got {list(self.train_seeds)}")
        return self


def _one_line(error: ValidationError, where: str) -> str:
    """The first complaint of a pydantic error as one line: key, what is wrong, what it held."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key `{key}`; config/README.md lists the keys"
    message = first["msg"].removeprefix("Value error, ")
    if not key:
        return f"{where}: {message}"
    return f"{where}: `{key}` = {first['input']!r}: {message}"


def load_rows(path: str | Path) -> dict[str, dict]:
    """The row entries of ``config/rows.yaml``: name to mapping."""
    rows = yaml.safe_load(Path(path).read_text())
    if not isinstance(rows, dict):
        raise ConfigError(f"{path}: expected a mapping of row names, got {type(rows).__name__}")
    return rows


def parse_study(data: dict, rows: dict[str, dict], where: str = "config") -> Study:
    """Check a study's mapping and its rows; raises ConfigError with one line."""
    try:
        study = Study.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_one_line(error, where)) from None
    unknown = [name for name in study.rows if name not in rows]
    if unknown:
        raise ConfigError(f"{where}: `rows` names {unknown[0]!r}; config/rows.yaml has {', '.join(sorted(rows))}")
    profiles = {}
    for name in study.rows:
        entry = dict(rows[name])
        entry.update(study.row_options.get(entry.get("family"), {}))
        try:
            profiles[name] = parse_row(name, entry)
        except ValidationError as error:
            raise ConfigError(_one_line(error, f"config/rows.yaml: {name}")) from None
        except ValueError as error:
            raise ConfigError(f"config/rows.yaml: {name}: {error}") from None
        if profiles[name].needs_context_first and study.backbone.layout != "context_first":
            raise ConfigError(
                f"{where}: row {name} reads its history before the target and needs backbone.layout = context_first, "
                f"got {study.backbone.layout}"
            )
    return study.model_copy(update={"profiles": profiles})


def load_study(path: str | Path, rows_path: str | Path | None = None) -> Study:
    """Read and check a study file; rows come from ``rows.yaml`` beside it unless given."""
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"{path}: no such configuration file")
    data = yaml.safe_load(path.read_text())
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping, got {type(data).__name__}")
    return parse_study(data, load_rows(rows_path or path.parent / "rows.yaml"), str(path))
