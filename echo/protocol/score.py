"""Scoring a folder of answers: everything is checked before anything is measured, and one result says it all.

``score.json`` has the set, the measures' and everything's versions, the answers' hashes, each row's cells with
intervals over rooms, and the model's cases one by one; ``page.html`` shows it (``echo.protocol.page``).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from echo.io.files import digest, write_json, write_text
from echo.judge import build_judge
from echo.judge.base import Judge
from echo.protocol import page
from echo.protocol.answers import RECORD, SWAPPED, VIDEO, AnswersError, check_names, check_order, read_answer
from echo.protocol.certificate import certificate
from echo.protocol.errors import ProtocolError
from echo.protocol.files import Frames
from echo.protocol.manifest import CaseSet, Entry
from echo.protocol.measure import Meter
from echo.protocol.references import TRUE
from echo.protocol.rows import departure_error, kept_row, measure_row, plain, reference_sources, summarised
from echo.protocol.truth import TrueCases
from echo.protocol.versions import versions
from echo.protocol.words import MEASURES, SCORE_FORMAT
from echo.study.judges import KIND, judge_names, kind_of
from echo.world.untrusted import read_json

SCORE, PAGE = "score.json", "page.html"
MEASURING = ("echo.protocol.measure", "echo.protocol.rows")  # modules that decide a number


class Record(BaseModel):
    """``answers.json``: who gave the answers, and which cases failed. Optional, and believed only as far as it goes."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(default="", max_length=200)
    definition: str = Field(default="", max_length=64, description="of the set that was answered")
    how: dict[str, Any] = {}
    failed: dict[str, str] = Field(default={}, description="cases that failed, and why")


class Answers:
    """A folder of answers to a set, all of them checked."""

    def __init__(self, folder: Path, cases: TrueCases, failed_as_black: bool = False) -> None:
        """failed_as_black: whether an answer that is missing or does not fit counts as failed, and is not refused.

        Raises AnswersError, which lists all faults, or ProtocolError for a folder or record that is of no use.
        """
        self.folder, self.cases = Path(folder), cases
        if not self.folder.is_dir():
            raise ProtocolError(f"{self.folder}: no such folder of answers")
        self.record = read_record(self.folder)
        made = cases.set
        if self.record.definition and self.record.definition != made.definition:
            raise ProtocolError(
                f"{self.folder / RECORD}: answers to a set with definition {self.record.definition}; {cases.folder} is "
                f"{made.name}, {made.definition}"
            )
        names = {entry.name for entry in made.cases}
        self.failed = {name: why for name, why in self.record.failed.items() if name in names}
        self.hashes: dict[str, str] = {}
        self.resized = 0
        faults = check_names(self.folder, names)
        if (self.folder / SWAPPED).is_dir():
            faults += [f"{SWAPPED}: {fault}" for fault in check_names(self.folder / SWAPPED, names)]
        for entry in made.cases:
            if entry.name in self.failed:
                continue
            try:
                self._check(entry)
                self._check_swapped(entry)
            except ProtocolError as error:
                if failed_as_black:
                    self.failed[entry.name] = str(error)
                else:
                    faults.append(str(error))
        if faults:
            raise AnswersError(self.folder, faults)

    def _check(self, entry: Entry) -> None:
        answer = read_answer(self.folder, entry, self.cases.set.size, self.cases.set.frames_per_second)
        drawn = range(entry.given, entry.frames)
        check_order(
            answer.frames, self.cases.of(entry.name).last[None], self.cases.frames(entry.name, drawn), entry.name
        )
        self.hashes[entry.name] = answer.sha256
        self.resized += answer.resized

    def _check_swapped(self, entry: Entry) -> None:
        folder, (size, rate) = self.folder / SWAPPED, (self.cases.set.size, self.cases.set.frames_per_second)
        if (folder / entry.name).exists() or (folder / f"{entry.name}{VIDEO}").exists():
            try:
                self.hashes[f"{SWAPPED}/{entry.name}"] = read_answer(folder, entry, size, rate).sha256
            except ProtocolError as error:
                raise ProtocolError(f"{SWAPPED}/{error}") from None

    def frames(self, entry: Entry) -> Frames:
        """The frames of a case; a case that failed is black, which is no answer and is not left out."""
        if entry.name in self.failed:
            return np.zeros((entry.frames - entry.given, *self.cases.set.size, 3), np.uint8)
        return read_answer(self.folder, entry, self.cases.set.size, self.cases.set.frames_per_second).frames

    def swapped(self, entry: Entry) -> Frames | None:
        """The answer with another case's history, where there is one."""
        if f"{SWAPPED}/{entry.name}" not in self.hashes:
            return None
        return read_answer(self.folder / SWAPPED, entry, self.cases.set.size, self.cases.set.frames_per_second).frames


def read_record(folder: Path) -> Record:
    """``answers.json`` of a folder; an empty one without it."""
    path = Path(folder) / RECORD
    if not path.exists():
        return Record()
    try:
        return Record.model_validate(read_json(path, "answers"))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ProtocolError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def score(
    answers: Answers, weights: Path, name: str, judges: Mapping[str, Mapping[str, Any]], references: bool = True
) -> dict[str, Any]:
    """The result: JSON-able. name: of the model; judges: as the section ``judges`` of a study has them."""
    cases, built = answers.cases, _judges(judges, weights)
    meter, made = Meter(cases, weights), answers.cases.set
    code = versions(*MEASURING)
    own = measure_row(meter, answers.frames, built, name)
    rows = {"model": {"label": name, "branches": summarised(made, own, list(built))}}
    error: dict[str, Any] = {}
    for key, (label, source) in (reference_sources(cases) if references else {}).items():
        row = kept_row(meter, key, source, built, code["code"])
        rows[key] = {"label": label, "branches": summarised(made, row, list(built))}
        error = departure_error(row, made) if key == TRUE else error
    return plain(
        {
            "format": SCORE_FORMAT,
            "set": about(made),
            "measures": MEASURES,
            "judges": {judge: _judge_digest(judge, judges) for judge in built},
            "model": {"name": name, "said": answers.record.model, "how": _no_places(answers.record.how)},
            "answers": {
                "sha256": digest(answers.hashes),
                "count": len(made.cases) - len(answers.failed),
                "failed": answers.failed,
                "resized": answers.resized,
            },
            "rows": rows,
            "cases": own["cases"],
            "departure_error": error,
            "certificate": certificate(cases, answers.frames, answers.swapped),
            "versions": code,
            "command": ["python -m echo", *map(_no_place, sys.argv[1:])],
        },
        None,
    )


def about(made: CaseSet) -> dict[str, Any]:
    """What of a set decides whether results are comparable, and what else a reader wants to know."""
    counts = {branch: sum(entry.branch == branch for entry in made.cases) for branch in made.branches}
    return {**made.model_dump(mode="json", exclude={"format", "cases", "made_with"}), "branches": counts}


def write_result(result: Mapping[str, Any], answers: Answers, out: Path) -> None:
    """Write ``score.json`` and ``page.html``."""
    write_json(out / SCORE, result)
    write_text(out / PAGE, page.render(result, page.shown(answers.cases, answers.frames)))


def _no_place(word: str) -> str:
    """An argument without the machine's folders: of an absolute path the last part alone."""
    return Path(word).name if word.startswith("/") else word


def _no_places(said: Any) -> Any:
    """What answers say of how they were made, its options and commands without the machine's folders."""
    if isinstance(said, dict):
        return {key: _no_places(value) for key, value in said.items()}
    return " ".join(map(_no_place, said.split(" "))) if isinstance(said, str) else said


def _judges(given: Mapping[str, Mapping[str, Any]], weights: Path) -> dict[str, Judge]:
    built = {}
    for name, settings in given.items():
        kind = kind_of(name, given)
        if kind not in judge_names():
            raise ProtocolError(f"--judge {name}: {kind}: expected one of {', '.join(judge_names())}")
        built[name] = build_judge(kind, weights, {key: value for key, value in settings.items() if key != KIND})
    return built


def _judge_digest(name: str, given: Mapping[str, Mapping[str, Any]]) -> str:
    """Digest of a judge: its code and its settings. Points of judges of two digests are not compared."""
    code = versions(f"echo.judge.judges.{kind_of(name, given)}")["code"]
    return digest([code, dict(given[name])])
