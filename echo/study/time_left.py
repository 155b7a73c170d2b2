"""How long a study still takes, said while Snakemake runs it: a handler of Snakemake's log.

A job that waits is expected to take as long as the jobs of its rule that have ended, or took in an earlier run: row by
row, as rows differ, and scaled by how fast this machine proves to be. Of rules that never ran nothing is assumed: the
line says which they are. What each job took is kept in ``seconds.json`` (``{rule: {wildcards: seconds}}``).
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from statistics import mean

from echo.io.files import write_json

KEPT = "seconds.json"
NAMED = 6  # of the rules that never ran
Seconds = dict[str, dict[str, float]]  # by rule, by the job's wildcards


def read_seconds(*places: Path) -> Seconds:
    """What jobs took, from the first of these files that is there and whole; it is only used to estimate."""
    for place in places:
        try:
            found = json.loads(place.read_text())
            return {rule: {key: float(value) for key, value in jobs.items()} for rule, jobs in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            continue
    return {}


def places(study: str, rig: str | None, root: Path) -> list[Path]:
    """Where seconds are looked for: this checkout's runs of the study, what is shipped of it, then the same of its rig.

    A study has its rig's rows and rules, so that its first run is told by what its rig's jobs took. root: the project.
    """
    names = dict.fromkeys((study, rig or study))
    return [place for name in names for place in (Path("runs", name, KEPT), root / "workflow/seconds" / f"{name}.json")]


class TimeLeft(logging.Handler):
    """Says after each job how long the rest takes.

    ``known``: what jobs took before. ``kept``: where this run's are written. ``say``: prints a line. ``idle``: what
    Snakemake counts among its rules and is none, or has no work to do. ``clock``: seconds, for tests.
    """

    def __init__(
        self,
        known: Seconds,
        kept: Path,
        say: Callable[[str], object],
        idle: Container[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.known, self.kept, self.say, self.idle, self.clock = known, kept, say, idle, clock
        self.counts: Counter[str] = Counter()  # jobs of this run by rule
        self.running: dict[int, tuple[str, str, float]] = {}  # by job: rule, wildcards, when it began
        self.ended: Seconds = defaultdict(dict)
        self.at_once = 1  # the most jobs that ran side by side

    def emit(self, record: logging.LogRecord) -> None:
        """Follow one of Snakemake's events. A fault here is told, as handlers do, and ends no study."""
        try:
            self._follow(record)
        except Exception:
            self.handleError(record)

    def _follow(self, record: logging.LogRecord) -> None:
        event = getattr(getattr(record, "event", None), "value", None)
        if event == "run_info":
            self.counts = Counter(
                {rule: count for rule, count in vars(record)["stats"].items() if rule not in self.idle}
            )
        elif event == "job_info":
            told = vars(record)
            key = _key(told["wildcards"] or {})
            self.running[told["jobid"]] = (told["rule_name"], key, self.clock())
            self.at_once = max(self.at_once, len(self.running))
        elif event == "job_finished":
            self._end(vars(record)["job_id"])
        elif event == "job_error":
            self.running.pop(vars(record)["jobid"], None)
        elif event == "progress" and vars(record)["done"] < vars(record)["total"]:
            self.say(self.line())

    def _end(self, job: int) -> None:
        if job not in self.running:
            return
        rule, key, began = self.running.pop(job)
        self.ended[rule][key] = self.clock() - began
        kept = {name: dict(jobs) for name, jobs in self.known.items()}
        for name, jobs in self.ended.items():
            kept.setdefault(name, {}).update({job: round(seconds, 1) for job, seconds in jobs.items()})
        write_json(self.kept, kept)

    def line(self) -> str:
        """``about 12 min left (until 14:05)``, and of which rules nothing is known yet."""
        seconds, unknown = self.left()
        text = f"about {_spoken(seconds)} left"
        if unknown:
            more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
            return f"{text}, and these, which have never run: {', '.join(unknown[:NAMED])}{more}"
        end = datetime.now() + timedelta(seconds=seconds)
        return f"{text} (until {end:%H:%M})"

    def left(self) -> tuple[float, list[str]]:
        """Seconds until the last job of a known kind has ended, and the rules of which nothing is known."""
        work, longest, unknown = 0.0, 0.0, []
        running: dict[str, dict[str, float]] = defaultdict(dict)
        for rule, key, began in self.running.values():
            running[rule][key] = self.clock() - began
        for rule, count in self.counts.items():
            waiting = count - len(self.ended.get(rule, ())) - len(running[rule])
            if waiting <= 0 and not running[rule]:
                continue
            expected = self._expected(rule)
            if expected is None:
                unknown.append(rule)
                continue
            rest = [max(0.0, expected(key) - elapsed) for key, elapsed in running[rule].items()]
            unseen = [key for key in self.known.get(rule, {}) if key not in running[rule] and key not in
                      self.ended.get(rule, {})]  # fmt: skip
            each = mean(map(expected, unseen)) if unseen else expected("")
            work += sum(rest) + max(waiting, 0) * each
            longest = max([longest, *rest, each if waiting > 0 else 0.0])
        return max(work / self.at_once, longest), sorted(unknown)

    def _expected(self, rule: str) -> Callable[[str], float] | None:
        """What a job of the rule takes, by its wildcards; None where no job of it has ended, now or before."""
        before, now = self.known.get(rule, {}), self.ended.get(rule, {})
        if not before and not now:
            return None
        if not before:
            return lambda _: mean(now.values())
        pace, usual = self._pace(rule), mean(before.values())
        return lambda key: pace * before.get(key, usual)

    def _pace(self, rule: str) -> float:
        """This run's seconds over the known ones: of the rule's jobs that have ended, or of all, or 1."""
        for rules in ((rule,), tuple(self.ended)):
            took, usual = _compared(self.ended, self.known, rules)
            if usual > 0:
                return took / usual
        return 1.0


def _compared(ended: Mapping[str, dict[str, float]], known: Seconds, rules: tuple[str, ...]) -> tuple[float, float]:
    """What these rules' jobs took now and before, of the jobs that are in both."""
    both = [(rule, key) for rule in rules for key in ended.get(rule, {}) if key in known.get(rule, {})]
    return sum(ended[rule][key] for rule, key in both), sum(known[rule][key] for rule, key in both)


def _key(wildcards: Mapping[str, object]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(wildcards.items()))


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "a minute"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
