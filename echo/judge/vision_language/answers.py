"""Answers, kept by content: what has been asked once is not asked again, and what was paid for is never lost.

Each answer is a file of its own, ``<folder>/<first two digits>/<key>.json``, written whole as soon as it has come. The
key is the digest of all that the answer depends on: model and revision, words, frames, order, repeat, sampling. So a
folder may be shared by studies, and a changed prompt or frame is another question. Replies that are no answer are kept
too: they were given, and are counted.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from echo.io.files import digest, write_json
from echo.judge.settings.vision_language import Settings
from echo.judge.vision_language.question import Question


@dataclass(frozen=True)
class Reply:
    """What a model replied, raw. ``model``: as the one who answered calls itself; ``finish``: why it ended, if said."""

    text: str
    model: str
    finish: str | None
    seconds: float


class Answers:
    """The folder of answers to one judge's questions."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings

    def key(self, question: Question) -> str:
        """Digest of all that the answer to a question depends on."""
        return digest(self._asked(question))

    def _asked(self, question: Question) -> dict[str, object]:
        chosen = ("model", "revision", "temperature", "max_tokens", "json_schema")
        return {
            **{name: getattr(self.settings, name) for name in chosen},
            "prompt": question.prompt_hash,
            "images": question.image_hashes,
            "order": question.order,
            "repeat": question.repeat,
        }

    def _file(self, question: Question) -> Path:
        key = self.key(question)
        return self.folder / key[:2] / f"{key}.json"

    def find(self, question: Question) -> Reply | None:
        """The reply that is kept, or None; a file that is damaged is said, and its question will be asked again."""
        path = self._file(question)
        if not path.is_file():
            return None
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            if held["asked"] != self._asked(question):
                raise ValueError
            return Reply(**held["reply"])
        except (ValueError, KeyError, TypeError):
            print(f"{path}: a damaged answer; its question is asked again", flush=True)
            return None

    def keep(self, question: Question, reply: Reply, time: str) -> None:
        """Write a reply, with what was asked and when (ISO 8601), atomically."""
        path = self._file(question)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"asked": self._asked(question), "time": time, "reply": asdict(reply)})
