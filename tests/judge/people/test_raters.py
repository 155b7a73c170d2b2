import numpy as np
import pandas as pd
import pytest

from echo.judge.people.answers import read_answers
from echo.judge.people.raters import COLUMNS, raters
from echo.judge.people.sample import KEY
from tests.judge.people.made import line, write_answers

PAIRS = [f"p{number:016x}" for number in range(6)]


def scored(*given: tuple[str, int, float, str, int]) -> list[str]:
    """Lines of pairs whose four scores are equal, so that the total is 20 times one of them."""
    return [line(pair, *[score] * 4, rater=rater, showing=showing) for pair, _, score, rater, showing in given]


def test_a_rater_is_told_by_repeats_by_the_others_and_by_controls(tmp_path):
    anna = [(pair, 0, number, "anna", 1) for number, pair in enumerate(PAIRS)]  # 0 .. 5
    anna += [(PAIRS[0], 0, 1, "anna", 2), (PAIRS[1], 0, 1, "anna", 2)]  # 20 points from the first showing, and 0
    ben = [(pair, 0, 5 - number, "ben", 1) for number, pair in enumerate(PAIRS[:4])]
    table = raters(read_answers([write_answers(tmp_path / "a.csv", *scored(*anna, *ben))]), key_of(PAIRS))
    assert tuple(table) == COLUMNS and list(table.index) == ["anna", "ben"]
    one = table.loc["anna"]
    assert (one.pairs, one.twice, one.shared, one.seconds) == (6, 2, 4, 3.2)
    assert one.repeated == pytest.approx((20 + 0) / 2)
    # Of pairs 0 to 3 anna's means are 0.5, 1, 2, 3, ben's fall.
    assert one.agreement == pytest.approx(-1) and table.agreement["ben"] == pytest.approx(-1)
    assert one.same == pytest.approx(100) and one.other == pytest.approx(20 * (0 + 1) / 2)
    assert np.isnan(table.loc["ben", ["repeated", "same"]].astype(float)).all() and table.other["ben"] == 100


def key_of(pairs: list[str]) -> pd.DataFrame:
    """The last pair is a control of each kind, and a row's too; the first is another room's."""
    lines = [(pair, "row", "i2v", 0, "recall", "x") for pair in pairs]
    lines += [(pairs[-1], "same", "", -1, "recall", "x"), (pairs[0], "other", "", -1, "recall", "x")]
    return pd.DataFrame(lines, columns=[*KEY])


def test_one_rater_without_repeats_or_a_key_has_no_agreement(tmp_path):
    table = raters(read_answers([write_answers(tmp_path / "a.csv", *scored((PAIRS[0], 0, 3, "anna", 1)))]))
    assert table.pairs["anna"] == 1 and table.loc["anna", ["repeated", "agreement", "same", "other"]].isna().all()


def test_nobody_is_a_table_without_lines():
    assert tuple(raters([])) == COLUMNS and len(raters([])) == 0
