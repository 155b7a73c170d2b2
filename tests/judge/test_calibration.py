"""AUROC, monotonicity and their rooms against slow counts."""

import numpy as np
import pandas as pd
import pytest

from echo.judge.base import Truth
from echo.judge.calibration import COLUMNS, SCORES, auroc, calibration, judged
from echo.judge.edits import AMOUNTS, Pair
from echo.judge.rubric import Scores


def test_auroc_counts_pairs_and_ties_half():
    draw = np.random.default_rng(0)
    clean, faulty = draw.integers(0, 5, 20).astype(float), draw.integers(0, 4, 30).astype(float)
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in clean for b in faulty]
    assert auroc(clean, faulty) == pytest.approx(np.mean(wins))
    assert np.isnan(auroc(clean, np.zeros(0)))


def invented(total, rooms=12):
    """Scores of one judge: ``total(edit, amount, room)`` for every score."""
    lines = [
        {"judge": "one", "room": room, "edit": edit, "amount": float(amount),
         **dict.fromkeys(SCORES, total(edit, amount, room))}
        for room in range(rooms) for edit, amounts in AMOUNTS.items() for amount in amounts
    ]  # fmt: skip
    return pd.DataFrame(lines)


def line(table, edit, amount, score="total"):
    (found,) = table[(table["edit"] == edit) & (table["amount"] == amount) & (table["score"] == score)].to_dict(
        "records"
    )
    return found


def test_a_perfect_judge_and_a_blind_one():
    perfect = calibration(
        invented(lambda edit, amount, room: 90 - (0 if edit in ("identical", "codec") else 20 + amount))
    )
    assert tuple(perfect) == COLUMNS and len(perfect) == len(SCORES) * sum(map(len, AMOUNTS.values()))
    for edit, amounts in AMOUNTS.items():
        if edit not in ("identical", "codec"):
            found = line(perfect, edit, max(amounts))
            assert (found["auroc"], found["low"], found["high"], found["pairs"]) == (1, 1, 1, 12)
            assert found["monotone"] == 1 or len(amounts) == 1
    assert np.isnan(line(perfect, "identical", 0)["auroc"])
    blind = calibration(invented(lambda edit, amount, room: float(room)))
    assert line(blind, "moved", 1.2)["auroc"] == 0.5 and np.isnan(line(blind, "moved", 1.2)["monotone"])
    draw = np.random.default_rng(0)
    found = line(calibration(invented(lambda edit, amount, room: draw.uniform())), "moved", 1.2)
    assert found["low"] < 0.5 < found["high"] and found["low"] < found["auroc"] < found["high"]


def test_a_score_that_rises_with_the_fault_is_monotone_the_wrong_way():
    table = calibration(invented(lambda edit, amount, room: float(amount)))
    assert line(table, "blurred", 4)["monotone"] == -1 and np.isnan(line(table, "blurred", 2)["monotone"])
    assert line(table, "blurred", 4)["auroc"] == 0


def test_missing_scores_are_left_out_and_counted():
    scores = invented(lambda edit, amount, room: 90.0 if edit == "codec" else 10.0)
    scores.loc[(scores["edit"] == "removed") & (scores["room"] < 4), list(SCORES)] = np.nan
    found = line(calibration(scores), "removed", 1)
    assert (found["pairs"], found["mean"], found["auroc"]) == (8, 10, 1)


def test_a_judge_is_shown_each_pair_as_it_is():
    class Echoes:
        def judge(self, case):
            named = 5.0 if case.identity == "vase" else 0.0
            return Scores(case.first.mean() / 51, case.last.mean() / 51, case.mask.mean(), named)

    frame = np.full((4, 4, 3), 51, np.uint8)
    mask = np.eye(4, dtype=bool)
    truth = Truth(frame[None], mask[None])
    pairs = [Pair(room, "removed", 1.0, frame, 2 * frame, mask, "vase", truth) for room in range(2)]
    table = judged("one", Echoes(), pairs)
    assert table["room"].tolist() == [0, 1] and (table["judge"] == "one").all()
    assert table.loc[0, ["appearance", "presence", "view", "scene"]].tolist() == [1, 2, 0.25, 5]
    assert table.loc[0, "total"] == pytest.approx(20 * (0.45 * 1 + 0.25 * 2 + 0.2 * 0.25 + 0.1 * 5))
