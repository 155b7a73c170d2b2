"""A vision-language model as a judge: the paper's headline, with every question asked in both orders.

- Each case is asked about with the first view shown first and shown last, ``repeats`` times each. A score is the mean
  over the orders of the mean over the answers in that order, so that a liking for what is shown first evens out. A case
  with no answer in one of the orders is missing.
- Questions carry nothing of what drew the frames, and are asked in a shuffled order.
- Replies that are no answer (``scores``) and questions without a reply are missing and counted, by reason, in
  ``report``; they are never a score of 0.

Mask and truth are not used: where the anchor is, is for the model to see.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any, Protocol, runtime_checkable

import numpy as np

from echo.io.errors import UserError
from echo.io.seeding import generator
from echo.judge.base import Case
from echo.judge.rubric import WEIGHTS as RUBRIC
from echo.judge.rubric import Scores
from echo.judge.settings.vision_language import Settings
from echo.judge.vision_language.answers import Answers, Reply
from echo.judge.vision_language.endpoint import Endpoint, Lost
from echo.judge.vision_language.question import ORDERS, Question, png
from echo.judge.vision_language.scores import Malformed, read_scores

MISSING = Scores(np.nan, np.nan, np.nan, np.nan)


class UnansweredError(UserError):
    """More questions than ``Settings.lost`` allows stayed without any reply."""


@runtime_checkable
class Model(Protocol):
    """Who is asked: an endpoint, or a model in this process."""

    def reply(self, question: Question) -> Reply:
        """The model's reply; raises Lost where there is none."""
        ...


class VisionLanguageJudge:
    """A ``Judge``; ``model`` makes who is asked, when a question is not answered yet."""

    def __init__(self, settings: Settings, model: Callable[[Settings], Model]) -> None:
        self.settings, self._make, self._model = settings, model, None
        self.answers = Answers(Path(settings.answers), settings)
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def judge(self, case: Case) -> Scores:
        """Scores of one case."""
        return self.judge_batch([case])[0]

    def judge_batch(self, cases: Sequence[Case]) -> list[Scores]:
        """Scores of many cases; raises UnansweredError where too many questions stay without a reply."""
        asked = [self._questions(case) for case in cases]
        replies = self._replies([question for questions in asked for question in questions])
        return [
            self._scores([(question.order, replies[self.answers.key(question)]) for question in questions])
            for questions in asked
        ]

    def report(self) -> dict[str, Any]:
        """For the record: how many questions were asked, answered and lost, and why replies are no answers."""
        return {**dict(sorted(self.counts.items())), "missing": dict(sorted(self.reasons.items()))}

    def _questions(self, case: Case) -> list[Question]:
        side = self.settings.side
        shown, returned = png(case.first, side), tuple(png(frame, side) for frame in case.returned)
        repeats = range(self.settings.repeats)
        return [Question(shown, returned, case.identity, order, repeat) for order in ORDERS for repeat in repeats]

    def _replies(self, questions: Sequence[Question]) -> dict[str, Reply | None]:
        """By key, the reply to each question, or None where there is none; kept ones are not asked for again."""
        by_key = {self.answers.key(question): question for question in questions}
        kept = {key: self.answers.find(question) for key, question in by_key.items()}
        self.counts["questions"] += len(by_key)
        open_ = sorted(key for key, reply in kept.items() if reply is None)
        self.counts["kept"] += len(by_key) - len(open_)
        shuffled = [open_[i] for i in generator(0, "judge", "questions").permutation(len(open_))]
        asked = self._ask({key: by_key[key] for key in shuffled}) if shuffled else {}
        return {**kept, **asked}

    def _ask(self, questions: dict[str, Question]) -> dict[str, Reply | None]:
        """Ask all, several at a time; each reply is kept as it comes."""
        if self._model is None:
            self._model = self._make(self.settings)
        replies: dict[str, Reply | None] = {}
        lost: Counter[str] = Counter()
        # One thread for a model in this process: it has no more to give to several.
        threads = self.settings.parallel if self.settings.endpoint else 1
        with ThreadPoolExecutor(threads) as pool:
            waiting: dict[Future[Reply], str] = {
                pool.submit(self._keep, self._model, question): key for key, question in questions.items()
            }
            try:
                for number, done in enumerate(as_completed(waiting), 1):
                    try:
                        replies[waiting[done]] = done.result()
                    except Lost as error:
                        replies[waiting[done]] = None
                        lost[str(error)] += 1
                        self._check_lost(lost, number, len(questions))
                    if number % 100 == 0:
                        print(f"{number} of {len(questions)} questions", file=sys.stderr, flush=True)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        self.counts["asked"] += len(questions)
        self.counts["lost"] += lost.total()
        self.reasons.update({f"no reply: {reason}": count for reason, count in lost.items()})
        return replies

    def _check_lost(self, lost: Counter[str], asked: int, questions: int) -> None:
        """Raise UnansweredError as soon as more are lost than may be, before the rest is tried in vain."""
        if lost.total() > self.settings.lost * questions:
            reason, count = lost.most_common(1)[0]
            raise UnansweredError(
                f"{lost.total()} of the first {asked} questions stayed without a reply ({count} times: {reason}), of "
                f"{questions} in all, more than the judge's lost = {self.settings.lost:g} allows; other replies are "
                f"kept in {self.answers.folder}: run the same snakemake command again once the model can be reached"
            )

    def _keep(self, model: Model, question: Question) -> Reply:
        reply = model.reply(question)
        self.answers.keep(question, reply, datetime.now(UTC).isoformat(timespec="seconds"))
        return reply

    def _scores(self, replies: Sequence[tuple[str, Reply | None]]) -> Scores:
        """Scores of a case from the replies to its questions, each with the order it was asked in."""
        by_order: dict[str, list[Scores]] = {order: [] for order in ORDERS}
        for order, reply in replies:
            if reply is None:
                continue
            try:
                by_order[order].append(read_scores(reply.text))
            except Malformed as error:
                self.reasons[f"no answer: {'cut off' if reply.finish == 'length' else error}"] += 1
        if not all(by_order.values()):
            self.counts["cases without scores"] += 1
            return MISSING
        means = {
            name: fmean(fmean(getattr(scores, name) for scores in held) for held in by_order.values())
            for name in RUBRIC
        }
        return Scores(**means)


def build(weights: Path, settings: Settings) -> VisionLanguageJudge:
    """The judge as the study uses it; ``weights`` are not used: the model brings its own."""
    return VisionLanguageJudge(settings, Endpoint if settings.endpoint else _local)


def _local(settings: Settings) -> Model:
    from echo.judge.vision_language.local import LocalModel  # transformers takes seconds, an endpoint none of it

    return LocalModel(settings)
