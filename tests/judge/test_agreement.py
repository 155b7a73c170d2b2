"""Raw agreements become scores frame by frame, and a case has the mean of its frames."""

import numpy as np

from echo.judge.agreement import CHUNK, AgreementJudge
from echo.judge.base import Case, judge_many
from echo.judge.maps import SCORES, Map

MAPS = {name: Map((0.0, 1.0), (0.0, 5.0)) for name in SCORES}


def brightness(cases):
    """Every agreement is the returned frame's brightness; that of the view is missing where it is black."""
    value = np.concatenate([case.returned.mean((1, 2, 3)) / 255 for case in cases])
    return {**dict.fromkeys(SCORES, value), "view": np.where(value > 0, value, np.nan)}


def case(*levels):
    frames = np.stack([np.full((4, 4, 3), level, np.uint8) for level in levels])
    return Case(frames[0], frames if len(levels) > 1 else frames[0], np.ones((4, 4), bool), None)


def test_a_case_has_the_mean_of_its_frames_scores():
    scores = AgreementJudge(brightness, MAPS).judge(case(51, 255))
    assert scores.appearance == np.mean([1, 5]) and scores.scene == 3
    # Of a frame that is recognised by a fifth, two fifths of presence count.
    assert scores.presence == np.mean([1 * 0.4, 5])


def test_one_missing_frame_makes_the_score_missing():
    scores = AgreementJudge(brightness, MAPS).judge(case(0, 255))
    assert np.isnan(scores.view) and scores.appearance == 2.5


def test_many_cases_are_judged_in_chunks_each_as_alone():
    asked = []

    def counted(cases):
        asked.append(len(cases))
        return brightness(cases)

    cases = [case(*range(1 + i, 2 + i + i % 3)) for i in range(2 * CHUNK + 3)]
    judge = AgreementJudge(counted, MAPS)
    batch = judge_many(judge, cases)
    assert asked == [CHUNK, CHUNK, 3]
    assert batch == [judge.judge(one) for one in cases] and judge_many(judge, []) == []
