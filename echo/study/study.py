"""A whole study: its sections, its rows, and the sizes that follow from them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from echo.study.judges import KIND, kind_of, settings_of
from echo.study.profile import Profile
from echo.study.references import needs_depth, reads_truth, reference_names
from echo.study.sections import (
    Backbone,
    Base,
    Codec,
    Compute,
    Evaluate,
    EvidenceConfig,
    Flag,
    Integer,
    Number,
    OpenDomain,
    People,
    Pretrained,
    Sampler,
    Section,
    Seed,
    Segment,
    Text,
    Train,
    World,
)
from echo.study.sections.checkpoint import Checkpoint
from echo.study.sections.section import Path

NAME = r"^[a-z][a-z0-9_]*$"  # of studies and rows: they are names of folders and parts of rules' wildcards
Name = Annotated[str, Field(pattern=NAME, max_length=64)]
Value = Flag | Integer | Number | str | list[Flag] | list[Integer] | list[Number] | list[str]


class Study(Section):
    """One study: everything a run depends on. ``parse_study`` makes it, and checks what sections mean to each other."""

    study: Name = Field(description="name; results/<study>/ is written")
    rig: Name | None = Field(
        default=None,
        description="study whose rig this one shares: pools, texts, codec, latents and a base that is trained here are "
        "those of runs/<rig>/; by default its own",
    )
    chosen_in: tuple[Path, ...] = Field(
        default=(),
        description="folders of the tables that chose this study's settings, made by `python -m bench.choose`; records "
        "name them, and where the study departs from them it is said",
    )
    seed: Seed = Field(default=0, description="seed of the world, the cases and the sampling noise")
    train_seeds: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=1000)] = Field(
        default=(0,), description="each row is trained once with each of these"
    )
    rows: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)] = Field(
        description="rows of the matrix that run; each is an entry of config/rows.yaml"
    )
    row_options: dict[str, dict[str, Value]] = Field(
        default={}, description="per row family: settings that this study's sizes ask for, e.g. a smaller grid"
    )
    judges: dict[Name, dict[str, Value | None]] = Field(
        default={},
        description="judges with settings, by a name of their own: `kind`, the module of echo/judge/judges (by default "
        "the name), and that module's settings",
    )
    checkpoints: dict[Name, Checkpoint] = Field(
        default={},
        description="rows that are not trained: each is made of a checkpoint that the paper's authors released, `path` "
        "or `repo`, `file` and `revision`, with its `sha256` (docs/released.md)",
    )
    reference: Name = Field(default="i2v", description="the row all others are compared with")
    pretrained: Pretrained = Pretrained()
    world: World = World()
    segment: Segment = Segment()
    codec: Codec = Codec()
    text: Text = Text()
    backbone: Backbone = Backbone()
    evidence: EvidenceConfig = EvidenceConfig()
    base: Base = Base()
    train: Train = Train()
    sampler: Sampler = Sampler()
    evaluate: Evaluate = Evaluate()
    open_domain: OpenDomain = OpenDomain()
    people: People = People()
    compute: Compute = Compute()
    profiles: dict[str, Profile] = Field(default={}, exclude=True, description="filled from config/rows.yaml")

    @field_validator("rows", "train_seeds")
    @classmethod
    def _each_once(cls, values: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """A run is known by its row and seed."""
        for value in values:
            if values.count(value) > 1:
                raise ValueError(f"lists {value} twice")
        return values

    @property
    def trained_rows(self) -> tuple[str, ...]:
        """The rows that are trained here: all but those with a released checkpoint."""
        return tuple(row for row in self.rows if row not in self.checkpoints)

    @property
    def has_depth(self) -> bool:
        """Whether frames come with true depth: rendered ones do, recordings do not."""
        return self.world.source == "rooms"

    @property
    def references(self) -> tuple[str, ...]:
        """Reference rows that this study can draw: of ``evaluate.references`` those whose needs its frames meet."""
        asked = reference_names() if self.evaluate.references is None else self.evaluate.references
        return tuple(name for name in asked if self.has_depth or not needs_depth(name))

    @property
    def all_judges(self) -> tuple[str, ...]:
        """The study's judge, then the judges beside it."""
        return (self.evaluate.judge, *self.evaluate.judges)

    def judged_by(self, judge: str) -> Study:
        """The same study with ``judge``, one of ``all_judges``, as its only one: all that judging depends on."""
        return self.model_copy(update={"evaluate": self.evaluate.model_copy(update={"judge": judge, "judges": ()})})

    @property
    def open_references(self) -> tuple[str, ...]:
        """Reference rows that can be drawn from a lone first frame: with neither depth nor the frames to be drawn."""
        return tuple(name for name in self.references if not needs_depth(name) and not reads_truth(name))

    @property
    def judge_kind(self) -> str:
        """The module of the study's judge."""
        return kind_of(self.evaluate.judge, self.judges)

    @property
    def judge_settings(self) -> dict[str, Any]:
        """Settings of the study's judge, with their defaults."""
        given = {key: value for key, value in self.judges.get(self.evaluate.judge, {}).items() if key != KIND}
        return settings_of(self.judge_kind).model_validate(given).model_dump(mode="json")

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

    @property
    def base_study(self) -> Study:
        """The study as the training of its base sees it: whatever the base does not depend on has its default.

        Clips have ``base.segments`` segments; a training batch is made of single segments, each with the frame before
        it, so only a first segment is ever a target (``history_weights``).
        """
        base, size, fov = self.base, self.world.size, self.world.field_of_view
        train = {key: getattr(base, key) for key in Train.model_fields if key in Base.model_fields}
        return Study(
            study="base",
            seed=base.seed,
            rows=("base",),
            world=World(size=size, field_of_view=fov),
            segment=Segment(
                frames=self.segment.frames,
                train_segments=base.segments,
                history_weights=(1.0,) + (0.0,) * (base.segments - 1),
            ),
            codec=Codec(**{key: getattr(self.codec, key) for key in CODEC_SIZES}),
            text=self.text,
            backbone=self.backbone,
            evidence=EvidenceConfig(frames=1, rule="recent", drop=0.0),
            base=base.model_copy(update={"source": "trained", "shipped": "mini"}),
            train=Train(**train),
        )


CODEC_SIZES = ("kind", "channels", "downsample", "temporal")  # of a codec, what a model of its latents depends on

MODEL_SECTIONS = ("segment", "text", "backbone", "codec", "world")  # of ``model_sizes``


def model_sizes(study: Study) -> dict[str, dict[str, Any]]:
    """The keys of a study that the weights of its base fit: sizes, camera, text; JSON-able."""
    return {
        "segment": {"frames": study.segment.frames},
        "text": study.text.model_dump(mode="json"),
        "backbone": study.backbone.model_dump(mode="json"),
        "codec": study.codec.model_dump(mode="json", include=set(CODEC_SIZES)),
        "world": study.world.model_dump(mode="json", include={"size", "field_of_view"}),
    }
