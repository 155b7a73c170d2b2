"""Who answers: a Python class, a command, or a folder that has been filled already. All give frames for a case.

A class and a command are the caller's own code, named on the command line; nothing of a case or an answer names any.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from echo.io.video import write_video
from echo.protocol.answers import SWAPPED, VIDEO, read_answer
from echo.protocol.case import Case
from echo.protocol.errors import ProtocolError
from echo.protocol.files import Frames, write_frames, write_mask
from echo.protocol.manifest import CASE, Entry
from echo.world.images import read_images

ANSWER = f"answer{VIDEO}"  # what a command may write in place of numbered PNG files


class Model(Protocol):
    """What answers cases. A class of a user's has ``generate`` alone, and may say that ``swaps`` is true."""

    @property
    def swaps(self) -> bool:
        """Whether the frames that are given may be another case's, but for the last: for the certificate."""
        ...

    def generate(self, case: Case) -> Frames:
        """The frames ``case.numbers``: uint8 (F, height, width, 3), RGB."""
        ...


def load_class(spec: str, options: Mapping[str, Any]) -> Model:
    """An object of the class ``package.module:Class``, made with the options as keywords.

    Raises ProtocolError where there is no such class, it takes other options, or it has no ``generate``.
    """
    module, colon, name = spec.partition(":")
    if not (module and colon and name.isidentifier()):
        raise ProtocolError(f"--model {spec}: expected package.module:Class")
    try:
        made = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise ProtocolError(f"--model {spec}: {error}; is its folder on PYTHONPATH?") from None
    except AttributeError:
        raise ProtocolError(f"--model {spec}: {module} has no {name}") from None
    try:
        model = made(**options)
    except TypeError as error:
        raise ProtocolError(f"--model {spec}: {error} (--option NAME=VALUE are its keywords)") from None
    if not callable(getattr(model, "generate", None)):
        raise ProtocolError(f"--model {spec}: has no generate(case)")
    if not hasattr(model, "swaps"):
        model.swaps = False
    return model


@dataclass(frozen=True)
class Command:
    """A command that is given a case's folder and one for its answer; no shell reads it.

    line: with ``{case}`` and ``{out}`` in it. It leaves PNG files named by the frames' numbers, or ``answer.mp4``.
    seconds: after which it is ended. Raises ProtocolError for a line without the two.
    """

    line: str
    seconds: float | None = None
    swaps: bool = False

    def __post_init__(self) -> None:
        if not ("{case}" in self.line and "{out}" in self.line):
            raise ProtocolError(f"--command {self.line!r}: expected {{case}} and {{out}} in it, the two folders")

    def generate(self, case: Case) -> Frames:
        """Run it and read what it left."""
        with tempfile.TemporaryDirectory() as scratch:
            folder, out = case.folder.resolve(), Path(scratch) / "answers"
            own = out / case.name
            own.mkdir(parents=True)
            if case.other is not None:
                folder = _written(case, Path(scratch) / case.name)
            words = [word.replace("{case}", str(folder)).replace("{out}", str(own)) for word in shlex.split(self.line)]
            try:
                done = subprocess.run(words, capture_output=True, text=True, timeout=self.seconds, check=False)
            except subprocess.TimeoutExpired:
                raise ProtocolError(f"{case.name}: the command did not end within {self.seconds:g} s") from None
            except OSError as error:
                raise ProtocolError(f"{case.name}: the command cannot be run ({error})") from None
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
                raise ProtocolError(f"{case.name}: the command ended with {done.returncode}: {last}")
            if (own / ANSWER).is_file():
                (own / ANSWER).rename(out / f"{case.name}{VIDEO}")
                own.rmdir()
            return _read(out, case)


@dataclass(frozen=True)
class Folder:
    """Answers that lie in a folder already; those to cases with another's history in its folder ``swapped``."""

    folder: Path

    @property
    def swaps(self) -> bool:
        """Whether there are any of the second kind."""
        return (self.folder / SWAPPED).is_dir()

    def generate(self, case: Case) -> Frames:
        """Read them."""
        return _read(self.folder if case.other is None else self.folder / SWAPPED, case)


def _read(folder: Path, case: Case) -> Frames:
    about = case.about
    entry = Entry(name=case.name, branch=about.branch, room="", frames=about.frames, given=about.given,
                  definition="0" * 16, pixels="0" * 16)  # fmt: skip
    return read_answer(folder, entry, case.size, about.frames_per_second).frames


def _written(case: Case, folder: Path) -> Path:
    """A folder as the set has it, of a case whose history is another's."""
    given = case.given_frames
    write_frames(folder / "history", given, range(len(given)))
    write_video(folder / "history.mp4", given, case.about.frames_per_second)
    write_frames(folder, given[:1], [0])
    (folder / "00000.png").rename(folder / "first.png")
    other = case.other or case
    write_mask(folder / "mask.png", read_images([other.folder / "mask.png"], case.name)[0, ..., 0] > 127)
    for name in (CASE, "cameras.txt", "plucker.npy", "actions.txt"):
        if (case.folder / name).is_file():
            (folder / name).write_bytes((case.folder / name).read_bytes())
    return folder


def checked(frames: Any, case: Case) -> Frames:
    """What ``generate`` returned, as an array; raises ProtocolError for another type or number of frames."""
    array = np.asarray(frames)
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[-1] != 3:
        raise ProtocolError(
            f"{case.name}: expected uint8 frames (F, height, width, 3), got {array.dtype} {array.shape}"
        )
    if len(array) != len(case.numbers):
        raise ProtocolError(f"{case.name}: {len(array)} frames; expected {len(case.numbers)}, those to generate")
    return array
