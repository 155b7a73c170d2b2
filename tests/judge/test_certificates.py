"""What a memory is worth, against slow sums over pixels; and what a judge or depth that is missing leaves out."""

import numpy as np
import pandas as pd
import pytest

from echo.judge.certificates import COLUMNS, certificates
from echo.judge.rubric import Scores
from echo.measures.probed import Probed
from echo.measures.seen import SeenBranch
from echo.measures.verdict import PROBES

CASES, SCENES, SIZE = ["a0", "a1", "b0"], ["a", "a", "b"], 6
TRUTH = {case: np.random.default_rng(i).integers(0, 256, (9, SIZE, SIZE, 3), np.uint8) for i, case in enumerate(CASES)}


class InventedPool:
    """Videos of nine frames; the anchor stands in the upper half."""

    info = pd.DataFrame({"anchor": {case: "sofa" for case in CASES}})

    def frames(self, case, index=slice(None)):
        return TRUTH[case][index]

    def masks(self, case):
        return np.repeat((np.arange(SIZE) < SIZE // 2)[None, :, None], 9, 0) & np.ones((9, SIZE, SIZE), bool)


class Brightness:
    """A judge whose scores are the brightness of what returned; it says what it was shown."""

    def __init__(self, silent=None):
        self.seen, self.silent = [], silent

    def judge(self, case):
        self.seen.append(case)
        score = float(case.last.mean() / 51)
        return Scores(*[float("nan") if self.silent and case.last.mean() == self.silent else score] * 4)


def distance(a, b):
    return np.abs(a.astype(float) - b).mean((1, 2, 3)) / 255


def invented():
    draw = np.random.default_rng(9)
    return Probed({name: draw.integers(0, 256, (3, 2, SIZE, SIZE, 3), np.uint8) for name in ("intact", *PROBES)}, CASES)


def masks():
    given = np.zeros((4, 2, SIZE, SIZE), bool)
    given[:, :, :, :3] = True
    return SeenBranch(["other", *CASES], np.array([7, 8]), given, given)


def db(a, b):
    decibels = []
    for one, other in zip(a, b, strict=True):
        pairs = zip(one.ravel().tolist(), other.ravel().tolist(), strict=True)
        decibels.append(10 * np.log10(255**2 / np.mean([(x - y) ** 2 for x, y in pairs])))
    return np.mean(decibels)


def test_each_number_against_a_slow_sum():
    probed, judge = invented(), Brightness()
    table = certificates(probed, SCENES, InventedPool(), distance, judge, masks())
    assert tuple(table) == COLUMNS and len(table) == len(PROBES) * 3
    others = {"a0": "b0", "a1": "b0", "b0": "a0"}
    for line in table.to_dict("records"):
        i, probe = CASES.index(line["case"]), line["probe"]
        truth, intact, shown = TRUTH[line["case"]][-2:], probed.frames["intact"][i], probed.frames[probe][i]
        assert line["change"] == pytest.approx(np.abs(shown.astype(float) - intact).mean())
        assert line["psnr_drop"] == pytest.approx(db(intact, truth) - db(shown, truth))
        left = [x[:, :, :3] for x in (intact, truth, shown)]
        assert line["seen_drop"] == pytest.approx(db(left[0], left[1]) - db(left[2], left[1]))
        assert line["lpips_rise"] == pytest.approx((distance(shown, truth) - distance(intact, truth)).mean())
        if probe == "swap":
            theirs = TRUTH[others[line["case"]]][-2:]
            assert line["toward"] == pytest.approx(db(shown, theirs) - db(intact, theirs))
            assert line["judge_drop"] == pytest.approx(20 * (intact.mean() - shown.mean()) / 51)
        else:
            assert np.isnan([line["toward"], line["judge_drop"]]).all()
    for case, name in zip(judge.seen, CASES * 2, strict=True):
        np.testing.assert_array_equal(case.first, TRUTH[name][0])
        np.testing.assert_array_equal(case.truth.frames, TRUTH[name][-2:])
        assert case.mask[: SIZE // 2].all() and not case.mask[SIZE // 2 :].any() and case.identity == "sofa"
        assert case.truth.depth is None


def test_equal_frames_lose_nothing_and_have_finite_decibels():
    truth = np.stack([TRUTH[case][-2:] for case in CASES])
    probed = Probed(dict.fromkeys(("intact", *PROBES), truth), CASES)
    table = certificates(probed, SCENES, InventedPool(), distance, Brightness(), masks())
    assert (table[["change", "psnr_drop", "seen_drop", "lpips_rise"]] == 0).all(axis=None)


def test_without_depth_or_with_a_silent_judge_numbers_are_missing_and_not_0():
    probed = invented()
    silent = Brightness(silent=probed.frames["swap"][1].mean())
    table = certificates(probed, SCENES, InventedPool(), distance, silent, None).set_index(["probe", "case"])
    assert table["seen_drop"].isna().all()
    assert table.loc["swap", "judge_drop"].isna().tolist() == [False, True, False]
