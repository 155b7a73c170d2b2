"""AUROC, monotonicity and their rooms against slow counts."""

import numpy as np
import pandas as pd
import pytest

from echo.judge.base import Truth
from echo.judge.calibration import COLUMNS, SCORES, SUMMARY, auroc, calibration, judged, summary
from echo.judge.edits import AMOUNTS, Pair
from echo.judge.rubric import WEIGHTS, Scores
from echo.judge.targets import target


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


def test_yes_is_the_share_of_at_least_four_of_five():
    scores = invented(lambda edit, amount, room: 4.0 if room < 3 else 3.9)
    scores["total"] = np.where(scores["room"] < 6, 80.0, 79.9)
    table = calibration(scores)
    assert line(table, "removed", 1, "appearance")["yes"] == 0.25 and line(table, "removed", 1)["yes"] == 0.5


def right(edit, amount, room):
    """A judge that says what is right, and 2.5 where it is a matter of taste."""
    return {name: np.nan_to_num(value, nan=2.5) for name, value in target(edit, amount).items()}


def given(judge):
    """Scores of a judge, a function as ``right``, with their totals."""
    lines = [
        {"judge": "one", "room": room, "edit": edit, "amount": float(amount), **judge(edit, amount, room)}
        for room in range(4) for edit, amounts in AMOUNTS.items() for amount in amounts
    ]  # fmt: skip
    table = pd.DataFrame(lines)
    return table.assign(total=20 * sum(weight * table[name] for name, weight in WEIGHTS.items()))


def test_a_right_judge_has_floor_ceiling_no_bias_and_no_error():
    scores = given(right)
    table = summary(scores, scores).set_index("score")
    assert tuple(summary(scores, scores)) == SUMMARY and list(table.index) == list(SCORES)
    assert (table["floor"] == 0).all() and list(table["ceiling"]) == [5, 5, 5, 5, 100]
    assert (table["yes_bias"] == 0).all() and (table["error"].dropna() == 0).all() and (table["repeat"] == 0).all()
    assert np.isnan(table.loc["total", "error"])


def test_a_judge_that_says_yes_to_all_has_no_floor_and_all_bias():
    scores = given(lambda edit, amount, room: dict.fromkeys(WEIGHTS, 5.0))
    table = summary(scores, scores).set_index("score")
    assert (table["yes_bias"] == 1).all() and (table["floor"] == table["ceiling"]).all()
    # Of appearance's targets 5: codec, identical; 3.75, 2.5 and 0: recoloured; 0: replaced, removed, unrelated.
    assert table.loc["appearance", "error"] == pytest.approx((1.25 + 2.5 + 5 + 15) / 8)


def test_repetition_is_measured_on_what_was_asked_again():
    scores = given(right)
    again = scores[scores["room"] < 2].copy()
    again.loc[(again["room"] == 1) & (again["edit"] == "removed"), "view"] -= 0.75
    table = summary(scores, again).set_index("score")
    assert table.loc["view", "repeat"] == 0.75 and table.loc["scene", "repeat"] == 0
