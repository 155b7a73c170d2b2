"""Maps are monotone and stay in 0..5, and what was not recognised is not present."""

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.judge.maps import SCORES, Map, recognised, scores_of
from echo.study.judges import FOLDER

LINE = Map((0.0, 1.0), (0.0, 5.0))
SHIPPED = sorted(path.stem for path in FOLDER.glob("_*_maps.py"))


def test_a_map_is_linear_between_knots_constant_beyond_and_missing_stays_missing():
    found = Map((0.2, 0.4, 0.8), (1.0, 2.0, 4.0))(np.array([0.0, 0.2, 0.3, 0.6, 0.9, np.nan]))
    np.testing.assert_allclose(found, [1, 1, 1.5, 3, 4, np.nan])


@pytest.mark.parametrize(
    ("raw", "score", "message"),
    [
        ((0.0, 0.0), (0.0, 5.0), "rising agreements"),
        ((0.0, 1.0), (3.0, 2.0), "scores that do not fall"),
        ((0.0, 1.0), (0.0, 5.0, 5.0), "rising agreements"),
        ((0.0,), (5.0,), "rising agreements"),
        ((0.0, float("nan")), (0.0, 5.0), "rising agreements"),
        ((0.0, 1.0), (0.0, 5.5), r"scores in 0\.\.5, got 0\.\.5.5"),
        ((0.0, 1.0), (-0.5, 5.0), r"scores in 0\.\.5, got -0.5\.\.5"),
    ],
)
def test_knots_that_are_no_map_are_refused(raw, score, message):
    with pytest.raises(ValueError, match=message):
        Map(raw, score)


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4), st.sampled_from(SCORES), st.floats(0, 1))
def test_no_score_falls_when_an_agreement_rises(values, name, more):
    raw = {score: np.array([value, value]) for score, value in zip(SCORES, values, strict=True)}
    raw[name] = raw[name] + np.array([0, more])
    for found in scores_of(raw, dict.fromkeys(SCORES, LINE)).values():
        assert 0 <= found[0] <= found[1] <= 5


def test_presence_counts_as_far_as_scene_or_appearance_is_recognised():
    appearance, scene = np.array([5.0, 0.0, 0.0, 1.25, np.nan]), np.array([0.0, 5.0, 0.0, 0.5, 2.5])
    np.testing.assert_allclose(recognised(appearance, scene), [1, 1, 0, 0.5, 1])
    raw = {"appearance": np.array([0.25]), "presence": np.array([0.8]), "view": np.array([1.0]), "scene": np.zeros(1)}
    found = scores_of(raw, dict.fromkeys(SCORES, LINE))
    assert [float(found[name][0]) for name in SCORES] == pytest.approx([1.25, 2.0, 5.0, 0.0])


@pytest.mark.parametrize("module", SHIPPED)
def test_shipped_maps_end_at_5_for_identical_frames_and_begin_below_1(module):
    maps = import_module(f"echo.judge.judges.{module}").MAPS
    assert set(maps) == set(SCORES)
    for one in maps.values():
        assert one(np.array([1.0]))[0] == 5 and one(np.array([0.0]))[0] < 1


def test_every_shipped_map_belongs_to_a_judge():
    assert SHIPPED == [f"_{name}_maps" for name in ("embedded", "embedded_vgg", "oracle")]
    for module in SHIPPED:
        assert (FOLDER / f"{module.removeprefix('_').removesuffix('_maps')}.py").is_file()
