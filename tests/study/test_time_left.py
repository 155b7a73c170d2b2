"""How long the rest takes: events as Snakemake logs them, and a clock that the test turns."""

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snakemake_interface_logger_plugins.common import LogEvent

from echo.study.time_left import TimeLeft, places, read_seconds
from tests.conftest import ROOT


class Run:
    """A run of Snakemake, as its log tells it."""

    def __init__(self, path, known, **counts):
        self.now, self.said, self.jobs = 0.0, [], 0
        self.logger = logging.Logger("made")
        self.handler = TimeLeft(known, path / "seconds.json", self.said.append, idle=("total",), clock=lambda: self.now)
        self.logger.addHandler(self.handler)
        self.log(LogEvent.RUN_INFO, stats={**counts, "total": sum(counts.values())})

    def log(self, event, **extra):
        self.logger.info(None, extra={"event": event, **extra})

    def start(self, rule, **wildcards):
        self.jobs += 1
        self.log(LogEvent.JOB_INFO, jobid=self.jobs, rule_name=rule, wildcards=wildcards or None)
        return self.jobs

    def end(self, job):
        self.log(LogEvent.JOB_FINISHED, job_id=job)

    def left(self):
        return self.handler.left()


KNOWN = {"pool": {"": 10.0}, "train": {"row=a": 100.0, "row=b": 300.0}}


def test_known_jobs_are_summed_and_shared_by_those_that_run_side_by_side(tmp_path):
    run = Run(tmp_path, KNOWN, pool=1, train=2)
    assert run.left() == (410, [])
    first = run.start("pool")
    run.now = 10
    run.end(first)
    run.start("train", row="a")
    run.start("train", row="b")
    assert run.left() == (300, [])  # not (100 + 300) / 2: the longest is the end
    run.now = 60
    assert run.left() == (250, [])


def test_a_machine_twice_as_slow_takes_twice_as_long_of_what_it_has_not_done_yet_too(tmp_path):
    run = Run(tmp_path, KNOWN, pool=1, train=2)
    job = run.start("pool")
    run.now = 20
    run.end(job)
    assert run.left() == (800, [])  # by the pool's pace
    job = run.start("train", row="a")
    run.now = 70
    run.end(job)
    assert run.left() == (150, [])  # by its own rule's, of the row that is left


def test_the_first_run_of_a_study_is_told_by_its_rigs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert places("mini", None, ROOT) == places("mini", "mini", ROOT)
    found = places("matched", "mini", ROOT)
    assert [str(place.relative_to(ROOT)) if place.is_absolute() else str(place) for place in found] == [
        "runs/matched/seconds.json",
        "workflow/seconds/matched.json",
        "runs/mini/seconds.json",
        "workflow/seconds/mini.json",
    ]
    assert read_seconds(*found) == read_seconds(ROOT / "workflow/seconds/mini.json") != {}
    for name in ("mini", "matched"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "seconds.json").write_text(json.dumps({name: {"": 1.0}}))
        assert read_seconds(*found) == {name: {"": 1.0}}


def test_of_what_never_ran_nothing_is_assumed(tmp_path):
    run = Run(tmp_path, {}, pool=3, train=1)
    assert run.left() == (0, ["pool", "train"])
    job = run.start("pool", split="a")
    run.now = 7
    run.end(job)
    assert run.left() == (14, ["train"])
    run.log(LogEvent.PROGRESS, done=1, total=4)
    assert run.said == ["about a minute left, and these, which have never run: train"]


def test_a_file_that_cannot_be_written_is_told_and_ends_nothing(tmp_path, capsys):
    run = Run(tmp_path, KNOWN, pool=1, train=2)
    (tmp_path / "seconds.json").mkdir()
    job = run.start("pool")
    run.now = 10
    run.end(job)
    assert "seconds.json" in capsys.readouterr().err and run.left() == (400, [])


def test_many_rules_that_never_ran_are_counted(tmp_path):
    run = Run(tmp_path, {}, **{f"rule_{number}": 1 for number in range(9)})
    run.log(LogEvent.PROGRESS, done=0, total=9)
    assert run.said[0].endswith("never run: rule_0, rule_1, rule_2, rule_3, rule_4, rule_5 and 3 more")


def test_it_says_when_the_end_is_and_nothing_at_the_end(tmp_path):
    run = Run(tmp_path, {"train": {"": 7200.0}}, train=2)
    run.log(LogEvent.PROGRESS, done=0, total=2)
    run.log(LogEvent.PROGRESS, done=2, total=2)
    assert len(run.said) == 1 and re.fullmatch(r"about 4 h 00 min left \(until \d\d:\d\d\)", run.said[0])


def test_a_failed_job_waits_again(tmp_path):
    run = Run(tmp_path, KNOWN, train=1)
    job = run.start("train", row="a")
    run.now = 50
    before = run.left()
    run.log(LogEvent.JOB_ERROR, jobid=job)
    assert before == (50, []) and run.left() == (200, [])  # of which row it is is not known before it begins
    assert not (tmp_path / "seconds.json").exists()


def test_what_jobs_took_is_kept_for_the_next_run_beside_what_they_took_before(tmp_path):
    run = Run(tmp_path, KNOWN, train=1)
    job = run.start("train", row="b")
    run.now = 200.04
    run.end(job)
    kept = read_seconds(tmp_path / "missing.json", tmp_path / "seconds.json")
    assert kept == {"pool": {"": 10.0}, "train": {"row=a": 100.0, "row=b": 200.0}}


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": {"b": "c"}}', '{"a": {"b": null}}', "\x00"])
def test_a_damaged_file_is_as_none(tmp_path, text):
    (tmp_path / "seconds.json").write_text(text)
    assert read_seconds(tmp_path / "seconds.json") == {}


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.1, 1e4)), min_size=1, max_size=12),
    st.integers(1, 3),
)
def test_any_run_ends_with_nothing_left_and_never_says_less_than_the_longest_that_runs(jobs, cores):
    """Of jobs that take what they took before, run in any order on any number of cores."""
    known = {}
    for number, (rule, seconds) in enumerate(jobs):
        known.setdefault(rule, {})[f"n={number}"] = seconds
    counts = {rule: len(of_rule) for rule, of_rule in known.items()}
    waiting, running = list(enumerate(jobs)), []
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), known, **counts)
        while waiting or running:
            while waiting and len(running) < cores:
                number, (rule, seconds) = waiting.pop(0)
                running.append((run.now + seconds, run.start(rule, n=number)))
            running.sort()
            rest = sum(end - run.now for end, _ in running) + sum(seconds for _, (_, seconds) in waiting)
            assert run.left()[0] >= max(end for end, _ in running) - run.now - 1e-6
            assert run.left()[0] <= rest + 1e-6
            run.now, job = running.pop(0)
            run.end(job)
        assert run.left() == (0, [])


SNAKEFILE = """
from pathlib import Path
from snakemake.logging import logger
from echo.study.time_left import TimeLeft, places, read_seconds
logger.addHandler(TimeLeft(read_seconds(Path("seconds.json")), Path("seconds.json"), logger.info, ["total", "all"]))
rule all:
    input: "a.txt", "b.txt"
rule one:
    output: "{name}.txt"
    shell: "touch {output}"
"""


def test_snakemake_tells_it_all_that_it_needs(tmp_path):
    """The events are Snakemake's own here."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    first = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert first.stderr.count("about a minute left (until ") == 2  # `all` is a third step, without work
    assert set(json.loads((tmp_path / "seconds.json").read_text())["one"]) == {"name=a", "name=b"}
