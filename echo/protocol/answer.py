"""Answering a whole set: case by case, with progress; a run that was killed goes on, a case that fails is counted.

An answer is whole or not there: its frames are written beside its place and moved there. ``answers.json`` says whose
they are, to which set, and which cases failed.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tqdm import tqdm

from echo.io.files import write_json
from echo.io.video import write_video
from echo.protocol.answers import RECORD, SWAPPED, VIDEO, read_answer
from echo.protocol.case import Case, load_case, load_set
from echo.protocol.errors import ProtocolError
from echo.protocol.files import write_frames
from echo.protocol.manifest import CaseSet, Entry
from echo.protocol.models import Model, checked
from echo.protocol.score import read_record
from echo.world.untrusted import first_line


def answer_set(
    cases: Path, out: Path, model: Model, name: str, how: dict[str, Any], again: bool = False, video: bool = False
) -> dict[str, str]:
    """Answer every case that has no answer yet; returns those that failed, and why.

    how: what the model is, for the record. again: whether cases that failed are tried again. video: mp4 in place of
    PNG; it is smaller, and loses a little. Where the model ``swaps``, cases with a history are answered with another's
    too.
    Raises ProtocolError where ``out`` holds answers of another model, or to another set.
    """
    made, out = load_set(cases), Path(out)
    held = _record(out, made, name, how)
    if again:
        held["failed"] = {}
    write_json(out / RECORD, held)
    work = [(entry, False) for entry in made.cases]
    work += [(entry, True) for entry in made.cases if model.swaps and _swaps(cases, entry)]
    for entry, swapped in tqdm(work, desc=name, mininterval=5):
        folder = out / SWAPPED if swapped else out
        if _is_there(folder, entry, made) or entry.name in held["failed"]:
            continue
        try:
            case = load_case(cases, entry.name)
            frames = checked(model.generate(_with_other(cases, case) if swapped else case), case)
            _write(folder, case, frames, video)
            _check(folder, entry, made)
        except Exception as error:  # whatever a model raises is an answer that failed, and the next case's turn
            _remove(folder, entry.name)
            why = first_line(error)
            if not isinstance(error, ProtocolError):
                why = f"{type(error).__name__}: {why}"
            if swapped:
                tqdm.write(f"{entry.name}, with another's history: {why}")
                continue
            held["failed"][entry.name] = why
            tqdm.write(f"{entry.name}: {why}")
            write_json(out / RECORD, held)
    return held["failed"]


def _record(out: Path, made: CaseSet, name: str, how: dict[str, Any]) -> dict[str, Any]:
    """The record of this run: a new one, or that of the run which it continues."""
    if not (out / RECORD).exists():
        if out.is_dir() and any(out.iterdir()):
            raise ProtocolError(f"{out}: holds files, but no {RECORD}; give a new folder, or --folder {out}")
        return {"model": name, "definition": made.definition, "how": how, "failed": {}}
    held = read_record(out)
    if (held.model, held.definition, held.how) != (name, made.definition, how):
        raise ProtocolError(
            f"{out}: holds answers of {held.model} ({held.how}) to {held.definition}; this run is {name} ({how}) to "
            f"{made.definition}; give a new folder"
        )
    return held.model_dump()


def _swaps(cases: Path, entry: Entry) -> bool:
    return entry.given > 1 and load_case(cases, entry.name).about.swap is not None


def _with_other(cases: Path, case: Case) -> Case:
    return case.swapped(load_case(cases, str(case.about.swap)))


def _is_there(folder: Path, entry: Entry, made: CaseSet) -> bool:
    """Whether a case is answered; what is there and does not fit was not written here, and is replaced."""
    try:
        _check(folder, entry, made)
    except ProtocolError:
        return False
    return True


def _check(folder: Path, entry: Entry, made: CaseSet) -> None:
    read_answer(folder, entry, made.size, made.frames_per_second)


def _write(folder: Path, case: Case, frames: Any, video: bool) -> None:
    _remove(folder, case.name)
    if video:
        write_video(folder / f"{case.name}{VIDEO}", frames, case.about.frames_per_second)
        return
    part = folder / f".{case.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    write_frames(part, frames, case.numbers)
    part.rename(folder / case.name)


def _remove(folder: Path, name: str) -> None:
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / f"{name}{VIDEO}").unlink(missing_ok=True)
