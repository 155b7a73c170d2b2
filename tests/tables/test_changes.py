"""What one factor changes in each row, on tables whose changes are known."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from echo.tables.changes import CHANGES, changes
from echo.tables.policies import read_compared
from tests.tables.made_policies import ROOMS, ROWS, write_study

GIVEN = dict(zip(ROWS, (0.0, 0.5, -2.0, 1.0, 0.0), strict=True))  # what the factor changes, in dB
SEEDS = (0, 1, 2)


def with_cases(study, moved):
    """The study with the cases of three trainings, each row's PSNR moved by ``moved``; a room's luck is the same."""
    parts = []
    for seed in SEEDS:
        cases = study.cases.assign(train_seed=seed)
        luck = cases["scene"].str[-1].astype(int) * 3.0 + seed  # of rooms and trainings, the same in both studies
        parts.append(cases.assign(psnr=20 + luck + cases["row_name"].map(moved)))
    made = dataclasses.replace(study)
    made.__dict__["cases"] = pd.concat(parts, ignore_index=True)
    return made


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two studies that differ in evidence alone, ``mini`` better by ``GIVEN``."""
    folder = tmp_path_factory.mktemp("changes")
    one, other = (read_compared(write_study(folder, name, 0.5)) for name in ("matched", "mini"))
    return with_cases(one, dict.fromkeys(ROWS, 0.0)), with_cases(other, GIVEN)


def test_a_change_is_the_mean_of_paired_differences_whatever_rooms_and_trainings_differ_by(pair):
    found = changes(pair, resamples=200)
    assert list(found.columns) == CHANGES
    psnr = found[found["measure"] == "psnr"]
    assert set(psnr["branch"]) == {"return_45", "replay"} and (psnr["factor"] == "evidence").all()
    assert (psnr["one"] == "matched").all() and (psnr["other"] == "mini").all()
    for line in psnr.itertuples():
        assert line.change == pytest.approx(GIVEN[line.row]) and line.label == f"label of {line.row}"
        assert line.low == pytest.approx(line.change) and line.high == pytest.approx(line.change)
        assert (line.cases, line.scenes, line.train_seeds) == (ROOMS, ROOMS, len(SEEDS))
        same = GIVEN[line.row] == 0
        assert (line.p == 1) if same else (line.p < 0.05 and line.p_holm >= line.p)


def test_the_other_way_round_it_has_the_other_sign(pair):
    there, back = (changes(studies, resamples=50).set_index(["row", "branch", "measure"]) for studies in
                   (pair, pair[::-1]))  # fmt: skip
    np.testing.assert_allclose(there["change"], -back["change"].loc[there.index])


def test_cases_that_one_study_has_alone_count_for_nothing(pair):
    one, other = pair
    more = dataclasses.replace(other)
    extra = other.cases.assign(case=other.cases["case"] + "_more", psnr=99.0)
    more.__dict__["cases"] = pd.concat([other.cases, extra], ignore_index=True)
    pd.testing.assert_frame_equal(changes([one, more], 50), changes(pair, 50))
    fewer = dataclasses.replace(other)
    fewer.__dict__["cases"] = other.cases[other.cases["train_seed"] == 1]
    assert set(changes([one, fewer], 50)["train_seeds"]) == {1}


def test_pairs_that_differ_in_more_or_have_other_rooms_are_left_out(pair, tmp_path):
    released = read_compared(write_study(tmp_path, "as_released", 0.5))
    assert set(changes([released, *pair], 20)["one"]) == {"matched"}
    one, other = pair
    elsewhere = dataclasses.replace(other, config={**other.config, "seed": 7})
    assert changes([one, elsewhere], 20).empty
    nothing = changes([one, one], 20)  # a study and itself differ in nothing
    assert nothing.empty and list(nothing.columns) == CHANGES
