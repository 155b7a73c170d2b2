"""README.md of a case set: all that a model's author needs to answer it."""
# ruff: noqa: E501 rows of tables are one line each

from __future__ import annotations

from echo.protocol.answers import ASPECT, RATE_TOLERANCE
from echo.protocol.cameras import CELL
from echo.protocol.manifest import CaseSet
from echo.protocol.words import branch_of

TEXT = """# {name}: {count} cases, frames of {height} x {width} pixels (height x width)

Made by `python -m echo export` of echo-study; definition `{definition}`, pixels `{pixels}`. The camera leaves a view
and comes back to it, or beside it. A model is given the first frame, or all frames before the last segment, and generates
the others. What the true frames to generate are is not in this folder.

| branch | cases | frames | given | to generate |
|---|---|---|---|---|
{branches}

Frames are numbered from 0 and shown {rate:g} a second; a segment has {frames}. In `cases/NAME/`:

| file | holds |
|---|---|
| `case.json` | caption, numbers of frames, and all cameras; `schema.json` describes every key |
| `first.png` | frame 0 |
| `mask.png` | where the object `anchor` is in it, white |
| `history/00000.png` .. | the given frames, where more than the first is given; `history.mp4` is the same, compressed |
| `cameras.txt` | cameras of all frames as RealEstate10K's text has them: time in microseconds, fx fy cx cy as parts of width and height, 0 0, world-to-camera 3 x 4 |
| `plucker.npy` | float32 (frames to generate, rows, columns, 6): moment o x d, then unit direction d, through the centres of cells of {cell} pixels, in OpenCV axes of frame 0 |
| `actions.txt` | where the path is made of steps: a line for each frame after frame 0, played in the order in which it stands: turns, then moves along and across the new heading |

Cameras in `case.json`, a row for every frame, given or not:

| key | convention |
|---|---|
| `camera_to_world`, `intrinsics` | OpenCV: x right, y down, z forward; frame 0 is the identity; metres; pixel (0, 0) has its centre at (0.5, 0.5) |
| `relative` | 12 numbers: translation, then row-major rotation, in the axes (forward, right, up) of the first frame to generate |
| `poses` | x, y, z (metres), roll, pitch, yaw (degrees); x forward, y right, z up; a positive yaw turns right |
| `steps` | counts of forward, right and right turns for each frame after frame 0 (negative: back, left), with the size of a step |

The horizontal field of view is {fov:g} degrees; pixels are square.

## What an answer is

A folder with, for each case, `NAME.mp4`, or a folder `NAME` of PNG files named by the frame's number as `history` is
({example}). It holds the frames to generate and no others, in order. `answers.json` is optional.

- Frames of another size but this shape (sides' ratio within {aspect:.0%}) are resized to it by Lanczos' filter, and the
  result says how many were. Another shape is refused: crop it yourself, and say so.
- A video's frame rate must be {rate:g} a second, within {tolerance:.0%}.
- A case without an answer, or with one that does not fit, is named in one line, and nothing is scored.

    python -m echo score ANSWERS --cases THIS_FOLDER --out RESULT

Where a model's history can be swapped, answers of the same form in `ANSWERS/swapped`, made with the history of the case
that `swap` in case.json names (all its given frames but the last, which stays the case's own), give a certificate: what
the memory is worth.
"""


def render(made: CaseSet) -> str:
    """The page of one set."""
    lines = []
    for branch in made.branches:
        cases = [entry for entry in made.cases if entry.branch == branch]
        one = cases[0]
        about = branch_of(branch).explained or branch_of(branch).label
        lines.append(f"| `{branch}`: {about} | {len(cases)} | {one.frames} | {one.given} | {one.frames - one.given} |")
    first = made.cases[0]
    return TEXT.format(
        name=made.name, count=len(made.cases), height=made.size[0], width=made.size[1], definition=made.definition,
        pixels=made.pixels, branches="\n".join(lines), rate=made.frames_per_second, frames=made.segment_frames,
        cell=CELL, fov=made.field_of_view, example=f"`{first.name}/{first.given:05d}.png` is the first one of `{first.name}`",
        aspect=ASPECT, tolerance=RATE_TOLERANCE,
    )  # fmt: skip
