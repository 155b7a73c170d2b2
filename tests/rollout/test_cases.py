"""Which trajectories are cases."""

import pandas as pd
import pytest

from echo.rollout.cases import CasesError, choose_cases
from tests.conftest import tiny_study
from tests.rollout.cases_of_tests import STUDY


def info(rooms=4, identities=2) -> pd.DataFrame:
    rows = [(f"r{r}_{i}__{kind}", "open_domain", f"r{r}", str(i), kind, 13)
            for r in range(rooms) for i in range(identities) for kind in ("return_45", "return_strict")]  # fmt: skip
    return pd.DataFrame(rows, columns=["video", "split", "room", "anchor", "trajectory", "frames"]).set_index("video")


def test_cases_spread_over_scenes_and_are_the_seeds_alone():
    cases = choose_cases(STUDY, "recall", info())
    assert len(cases) == 4 and set(cases.room) == {"r0", "r1", "r2", "r3"}
    assert list(cases.index) == list(choose_cases(STUDY, "return_strict", info()).index)
    assert list(cases.index) == list(choose_cases(STUDY, "recall", info()).index)
    assert list(cases.index) != list(choose_cases(tiny_study(seed=5), "recall", info()).index)


def test_too_few_videos_are_an_error():
    with pytest.raises(CasesError, match="evaluate.cases = 4, but the open_domain pool has 2 videos"):
        choose_cases(STUDY, "recall", info(rooms=1))


def test_no_scene_has_two_cases_more_than_another():
    cases = choose_cases(tiny_study(evaluate={"cases": 4}), "return_45", info(rooms=3, identities=2))
    assert sorted(cases.groupby("room").size()) == [1, 1, 2]
    assert set(cases.trajectory) == {"return_45"} and cases.index.is_unique
