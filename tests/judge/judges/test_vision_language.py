"""The vision-language judge: means over orders, blindness, what is missing, and that nothing paid for is lost."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import astuple

import numpy as np
import pytest

from echo.judge.base import Case, ReportingJudge, Truth, judge_many
from echo.judge.judges.vision_language import UnansweredError, build
from echo.judge.rubric import overall
from echo.judge.settings.vision_language import Settings
from echo.judge.vision_language.endpoint import EndpointError
from tests.conftest import ROOT
from tests.judge.endpoints import GOOD, completion, images_of, serving
from tests.judge.worker import MASK, frames


def judged(server, folder, cases=1, **given):
    """Scores of cases, each with two returned frames, and the judge."""
    given = {"side": 28, "timeout": 5, "longest_pause": 0.01, "lost": 0, **given}
    judge = build(folder, Settings(endpoint=server.url, answers=str(folder), **given))
    shown = [Case(frame, np.stack([255 - frame, 200 - frame]), MASK, "sofa") for frame in frames(cases)]
    return judge_many(judge, shown), judge


def is_first_order(body):
    """Whether the first view stands first."""
    return body["messages"][1]["content"][0]["text"] == "FIRST VIEW:"


def says(**scores):
    return json.dumps({**GOOD, **scores})


def test_both_orders_count_alike_whatever_their_number_of_answers(tmp_path):
    """Order one: 5, 5 and no answer; order two: 1, 2, 3. The mean of 5 and 2, not of five answers."""

    def behaviour(attempt, body):
        if is_first_order(body):
            return says(view=5) if body["seed"] < 2 else "no answer"
        return says(view=1 + body["seed"])

    with serving(behaviour) as server:
        (scores,), judge = judged(server, tmp_path, repeats=3, temperature=1.0)
        assert len(server.requests) == 6
    assert (scores.view, scores.appearance) == (3.5, 4)
    assert isinstance(judge, ReportingJudge)
    assert judge.report()["missing"] == {"no answer: not JSON": 1}


def test_a_case_without_an_answer_in_one_order_is_missing_and_not_0(tmp_path):
    with serving(lambda attempt, body: says() if is_first_order(body) else says(view=5.5)) as server:
        (scores,), judge = judged(server, tmp_path)
    assert np.isnan(astuple(scores)).all() and np.isnan(overall(scores))
    assert judge.report() == {
        "asked": 2, "kept": 0, "lost": 0, "questions": 2, "cases without scores": 1,
        "missing": {"no answer: outside 0 to 5": 1},
    }  # fmt: skip


def test_what_was_answered_is_never_asked_again_answer_or_not(tmp_path):
    with serving(lambda attempt, body: says() if is_first_order(body) else "I refuse") as server:
        first, _ = judged(server, tmp_path, cases=3)
        again, judge = judged(server, tmp_path, cases=3)
        assert len(server.requests) == 6
    np.testing.assert_array_equal([astuple(scores) for scores in again], [astuple(scores) for scores in first])
    assert (judge.counts["kept"], judge.counts["asked"]) == (6, 0)
    assert judge.report()["missing"] == {"no answer: not JSON": 3}


def test_equal_cases_are_one_question(tmp_path):
    with serving(lambda attempt, body: says()) as server:
        judge = build(tmp_path, Settings(endpoint=server.url, answers=str(tmp_path), side=28))
        frame = frames(1)[0]
        scores = judge_many(judge, [Case(frame, frame, MASK, None)] * 4)
        assert len(server.requests) == 2
    assert len({astuple(one) for one in scores}) == 1


def test_the_truth_is_not_asked_about(tmp_path):
    """A case with the truth is the same question as one without: nothing is asked again."""
    with serving(lambda attempt, body: says()) as server:
        judge = build(tmp_path, Settings(endpoint=server.url, answers=str(tmp_path), side=28))
        first, last = frames(2)
        judge.judge(Case(first, last, MASK, "sofa"))
        judge.judge(Case(first, last, MASK, "sofa", Truth(first[None], MASK[None], np.ones((1, 8, 8), np.float32))))
        assert len(server.requests) == 2


def test_questions_say_nothing_of_rows_and_come_in_no_order(tmp_path):
    with serving(lambda attempt, body: says()) as server:
        judged(server, tmp_path, cases=40, parallel=1)
        bodies = [body for body, _ in server.requests]
    text = json.dumps([[part for part in body["messages"][1]["content"] if part["type"] == "text"] for body in bodies])
    assert not [name for name in ("i2v", "context", "row", "seed", "recall", "branch") if name in text]
    firsts = [images_of(body)[0 if is_first_order(body) else -1] for body in bodies]
    order = [sorted(set(firsts)).index(first) for first in firsts]
    assert sorted(order) == sorted([*range(40)] * 2) and order != sorted(order)
    assert abs(np.corrcoef(order, range(80))[0, 1]) < 0.3


@pytest.mark.parametrize("status", [401, 404])
def test_a_wrong_key_stops_the_job_in_one_line(tmp_path, status):
    with serving(lambda attempt, body: {"status": status}) as server:
        with pytest.raises(EndpointError, match=f"status {status}"):
            judged(server, tmp_path, cases=50, parallel=2)
        assert len(server.requests) < 20


def test_too_many_lost_questions_fail_the_job_and_keep_the_others(tmp_path):
    def behaviour(attempt, body):
        return says() if hashlib.sha256(images_of(body)[0]).digest()[0] % 2 else {"status": 500}

    with serving(behaviour) as server:
        with pytest.raises(UnansweredError, match=r"status 500\), of 40 in all.*lost = 0\.1 .*run the same snakemake"):
            judged(server, tmp_path, cases=20, attempts=1, lost=0.1, parallel=2)
        assert len(server.requests) < 40
    kept = len(list(tmp_path.rglob("*.json")))
    assert 0 < kept < 40
    with serving(lambda attempt, body: says()) as server:
        scores, _ = judged(server, tmp_path, cases=20)
        assert len(server.requests) == 40 - kept
    assert not np.isnan([overall(one) for one in scores]).any()


FAULTS = (
    {"status": 429, "headers": {"Retry-After": "0"}}, {"status": 500}, {"status": 502, "body": "<html>"},
    {"reset": True}, {"cut": 30}, {"body": "<html></html>", "headers": {"Content-Type": "text/html"}},
    {"body": completion(7)}, {"sleep": 1.5}, {"body": "x" * 2_000_000},
)  # fmt: skip
NO_ANSWERS = ("", "null", says(view="5/5"), says(view="4.5"), says(view=True), says(view=7), says(view=-1),
              says()[:20], "word " * 30_000, '{"appearance": NaN, "presence": 1, "view": 1, "scene": 1}')  # fmt: skip


def test_500_questions_a_third_of_them_faulty(tmp_path):
    """A third meets faults that pass, a tenth of the rest has no answer: none is lost, none counts as 0."""
    sure = random.Random(0)
    plans: dict[bytes, tuple] = {}

    def behaviour(attempt, body):
        name = b"".join(images_of(body)) + bytes(is_first_order(body))
        with server.lock:
            if name not in plans:
                draw = sure.random()
                faults = sure.choices(FAULTS, k=sure.randint(1, 3)) if draw < 1 / 3 else []
                plans[name] = (faults, sure.choice(NO_ANSWERS) if draw > 0.9 else says(view=sure.randint(1, 5)))
        faults, text = plans[name]
        return faults[attempt] if attempt < len(faults) else text

    with serving(behaviour) as server:
        scores, judge = judged(server, tmp_path, cases=250, parallel=16, timeout=0.5, attempts=8)
        requests = len(server.requests)
    faulty = sum(len(faults) for faults, _ in plans.values())
    silent = Counter(text in NO_ANSWERS for _, text in plans.values())[True]
    assert len(plans) == 500 and sum(bool(faults) for faults, _ in plans.values()) > 140 and silent > 30
    assert requests >= 500 + faulty  # a loaded machine may let some attempt time out that was to succeed
    report = judge.report()
    assert (report["asked"], report["lost"]) == (500, 0) and len(list(tmp_path.rglob("*.json"))) == 500
    assert sum(report["missing"].values()) == silent
    missing = np.isnan([overall(one) for one in scores])
    assert missing.sum() == report["cases without scores"] and silent / 2 <= missing.sum() <= silent
    assert min(one.view for one in scores if not np.isnan(one.view)) >= 1


def test_a_job_killed_in_the_middle_loses_nothing_that_was_answered(tmp_path):
    """Of the answered questions only those that were under way at the kill are asked again."""
    folder = tmp_path / "answers"
    with serving(lambda attempt, body: {"sleep": 0.02}) as server:
        command = [sys.executable, "-m", "tests.judge.worker", str(folder), server.url]
        worker = subprocess.Popen(command, cwd=ROOT)
        deadline = time.monotonic() + 120
        while len(list(folder.rglob("[!.]*.json"))) < 40 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        time.sleep(0.2)
        asked, kept = len(server.requests), len(list(folder.rglob("[!.]*.json")))
        assert 40 <= kept < 120 and asked - kept <= 4
        subprocess.run(command, cwd=ROOT, check=True)
        assert len(server.requests) - asked == 120 - kept
