"""Section ``world``: where frames come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from echo.study.sections.section import Exponent, Flag, Integer, Path, Section

Pixels = Annotated[Integer, Field(ge=16, le=1024)]
Rooms = Annotated[Integer, Field(ge=1, le=1_000_000)]


class World(Section):
    """Where frames come from: rooms rendered here, or videos on disk."""

    source: Literal["rooms", "context_as_memory", "realestate10k", "spatialvid"] = Field(
        default="rooms",
        description="`rooms`: rendered here; otherwise the layout of the videos at `world.path` (docs/data.md)",
    )
    path: Path | None = Field(default=None, description="folder of the videos, unless rooms are rendered")
    size: Pixels | tuple[Pixels, Pixels] = Field(
        default=64,
        description="pixels of a frame: one number for a square, or [height, width]; LPIPS needs 31 along each side",
    )
    poses_are: Literal["world_to_camera", "camera_to_world"] = Field(
        default="world_to_camera",
        description="how `spatialvid`'s poses are read, on which its users disagree; `python -m echo check-poses` says "
        "which agrees with the frames",
    )
    field_of_view: Annotated[float, Strict(), Field(gt=10, lt=150), Exponent] = Field(
        default=75.0, description="horizontal field of view, in degrees; pixels are square, so the vertical one follows"
    )
    train_rooms: Rooms = Field(default=1200, description="training rooms, one clip each; clips cut from videos on disk")
    in_domain_rooms: Rooms = Field(
        default=64,
        description="held-out rooms built of training assets; clips of each kind cut from held-out stretches",
    )
    open_domain_rooms: Rooms = Field(
        default=64,
        description="held-out rooms built of textures, portraits and anchors never seen in training; clips of each "
        "kind cut from held-out videos",
    )
    choosing_rooms: Rooms = Field(
        default=64,
        description="rooms that settings are chosen on (`evaluate.splits: choosing`), of assets in no other split; "
        "recordings have none",
    )
    held_out_videos: Annotated[Integer, Field(ge=0, le=1_000_000)] = Field(
        default=0, description="videos on disk that are kept from training; the open domain is cut from them"
    )
    stride: Annotated[Integer, Field(ge=1, le=10_000)] = Field(
        default=1, description="recorded frames from one frame of a clip to the next"
    )
    returning: Annotated[float, Strict(), Field(ge=0, le=1), Exponent] = Field(
        default=0.0,
        description="share of the training clips cut from videos on disk whose last segment sees again what was out of "
        "sight; all others begin at random",
    )
    identities: Annotated[Integer, Field(ge=1, le=8)] = Field(
        default=1,
        description="identity anchors each open-domain and choosing room is rendered with, in turn out of all",
    )
    packed: Flag = Field(
        default=True,
        description="one file per video; false: the Context-as-Memory layout, one PNG per frame (read alike)",
    )
    poses: Flag = Field(default=True, description="whether the pool has camera poses; retrieval by view needs them")

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.size if isinstance(self.size, int) else self.size[0]

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.size if isinstance(self.size, int) else self.size[1]

    def rooms(self, split: str) -> int:
        """Rooms of a split; of recordings, clips of each kind."""
        rooms = {
            "train": self.train_rooms,
            "in_domain": self.in_domain_rooms,
            "open_domain": self.open_domain_rooms,
            "choosing": self.choosing_rooms,
        }
        return rooms[split]

    def scenes(self, split: str) -> int:
        """Videos of each kind in a split."""
        several = self.source == "rooms" and split in ("open_domain", "choosing")
        return self.rooms(split) * (self.identities if several else 1)

    @model_validator(mode="after")
    def _source_and_path(self) -> World:
        """A path where videos are read, and what belongs to them nowhere else."""
        if self.source != "spatialvid" and self.poses_are != "world_to_camera":
            raise ValueError(f"world.poses_are = {self.poses_are}: only world.source = spatialvid leaves a choice")
        if self.source == "rooms":
            if self.path is not None:
                raise ValueError(f"world.path = {self.path}, but world.source = rooms renders its own frames")
            if self.height != self.width:
                raise ValueError(f"world.size = [{self.height}, {self.width}]: rendered rooms are square")
            for key, default in (("held_out_videos", 0), ("stride", 1), ("returning", 0.0)):
                if getattr(self, key) != default:
                    raise ValueError(f"world.{key} = {getattr(self, key)} is of videos on disk; world.source = rooms")
        elif not self.path:
            raise ValueError(f"world.source = {self.source} reads videos from disk: set world.path to their folder")
        elif not self.held_out_videos:
            raise ValueError(f"world.source = {self.source}: world.held_out_videos must be at least 1")
        return self
