"""The files ``set.json`` of a case set and ``case.json`` of a case: what they hold, as models that check them.

Their JSON schema, which is written into every set, is made of these models. Both are read as files that others wrote.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from echo.protocol.errors import ProtocolError
from echo.protocol.words import CASE_FORMAT, SET_FORMAT
from echo.study.words import BRANCHES
from echo.world.errors import PoolError
from echo.world.untrusted import MAX_FRAMES, locate, read_json

SET, CASE, TRUTH = "set.json", "case.json", "truth.json"
CASES = "cases"  # the folder of the cases in a set
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$"  # of a case: it names files
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")]
Name = Annotated[str, Field(pattern=NAME)]
Count = Annotated[int, Field(ge=1, le=MAX_FRAMES)]
Size = tuple[Annotated[int, Field(ge=16, le=4096)], Annotated[int, Field(ge=16, le=4096)]]
Row = list[float]


class _Held(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Entry(_Held):
    """A case as the set lists it."""

    name: Name
    branch: Literal[tuple(BRANCHES)]  # pyright: ignore[reportInvalidTypeForm]
    room: str = Field(description="what is resampled: cases of one room share its difficulty")
    frames: Count = Field(description="of the whole case, given and to be generated")
    given: Count = Field(description="true frames that a model is given: the first, or all before the last segment")
    definition: Digest = Field(description="of what the case asks, pixels not among it")
    pixels: Digest = Field(description="of all frames: another machine's renderer may differ in the last bit")


class CaseSet(_Held):
    """``set.json``."""

    format: Literal[SET_FORMAT]  # pyright: ignore[reportInvalidTypeForm]
    name: str = Field(description="version of the set: one name is one set of cases, for ever")
    size: Size = Field(description="height and width of a frame, pixels")
    field_of_view: float = Field(gt=1, lt=179, description="horizontal, degrees")
    segment_frames: Count = Field(description="T: frames of a segment; frame 0 stands before the first one")
    frames_per_second: float = Field(gt=0, le=1000)
    definition: Digest = Field(description="of all cases' definitions: answers to sets of one are comparable")
    pixels: Digest
    made_with: dict[str, Any] = Field(description="versions of what made it")
    cases: Annotated[list[Entry], Field(min_length=1)]

    def entry(self, name: str) -> Entry:
        """A case by its name; raises ProtocolError for another."""
        found = next((entry for entry in self.cases if entry.name == name), None)
        if found is None:
            raise ProtocolError(f"{name}: no such case in {self.name}; it has {len(self.cases)}")
        return found

    @property
    def branches(self) -> list[str]:
        """In the order of the cases."""
        return list(dict.fromkeys(entry.branch for entry in self.cases))


class Steps(_Held):
    """A path of steps (``echo.protocol.steps``)."""

    turn_degrees: float
    move_metres: float
    frames: list[tuple[int, int, int]] = Field(
        description="of each frame after the first: forward, right, turns to the right; negative for back and left"
    )


class CaseFile(_Held):
    """``case.json``."""

    format: Literal[CASE_FORMAT]  # pyright: ignore[reportInvalidTypeForm]
    set: str
    name: Name
    branch: str
    video: str = Field(description="what a study calls it; a study's row names its noise by it")
    caption: str
    anchor: str = Field(description="the object in mask.png, which a return must show again; may be empty")
    size: Size
    field_of_view: float
    segment_frames: Count
    frames_per_second: float
    frames: Count = Field(description="of the whole case; they are numbered from 0")
    given: Count = Field(description="frames 0 to given - 1 are given; the others are to be generated")
    intrinsics: list[Row] = Field(description="3 x 3, pixels; pixel (0, 0) has its centre at (0.5, 0.5)")
    poses: list[Row] = Field(description="frames x 6: x, y, z (metres), roll, pitch, yaw (degrees)")
    relative: list[Row] = Field(description="frames x 12, in the axes (forward, right, up) of frame number `given`")
    camera_to_world: list[list[Row]] = Field(description="frames x 4 x 4, OpenCV; frame 0 is the identity")
    steps: Steps | None = Field(description="the same path as steps; null where it is not made of them")
    swap: str | None = Field(description="whose history a swapped one is: a case of the same branch, or null")


Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], folder: Path, name: str) -> Model:
    """A JSON file ``name`` of a folder, checked; raises ProtocolError of one line for anything else."""
    try:
        path = locate(Path(folder), name)
        return model.model_validate(read_json(path, model.__name__))
    except PoolError as error:
        raise ProtocolError(f"{error}; expected a folder that `python -m echo export` wrote") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise ProtocolError(f"{Path(folder) / name}: {place}: {first['msg']} ({error.error_count()} faults)") from None
