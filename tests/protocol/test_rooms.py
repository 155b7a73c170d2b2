"""Echo-1's rooms: pinned for ever, the same at every size, and their paths keep the study's rules as steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from echo.protocol.rooms import DrawnRoom, keeps_rules, scenes
from echo.protocol.words import IN_ECHO_1
from tests.protocol.conftest import SETTING

# Of room 0 of each kind, at T = 8 and 48 x 64: Echo-1 never changes. Another set is another name.
PINNED = {
    "return_45": "fdd2060ca1dd981c",
    "revisit_near": "255f6870a794a685",
    "revisit_far": "6f87427477479cae",
    "return_far_8": "5a8753d198668fed",
    "return_far_16": "1e87621686d6d858",
    "replay": "bac98c12d1caf95f",
}


@pytest.fixture(scope="module")
def first(assets):
    return list(scenes(SETTING, 1, IN_ECHO_1, assets))


def test_the_first_cases_are_what_they_have_always_been(first):
    assert {scene.branch: scene.definition for scene in first} == PINNED


def test_paths_do_not_depend_on_the_size_and_definitions_do(first, assets):
    large = list(scenes(replace(SETTING, size=(256, 256)), 1, ("revisit_near",), assets))[0]
    own = next(scene for scene in first if scene.branch == "revisit_near")
    assert np.array_equal(own.poses, large.poses) and own.caption == large.caption
    assert own.definition != large.definition


def test_rules_are_kept_and_are_rules(first):
    for scene in first:
        assert keeps_rules(scene.branch, scene.poses, 8)
        changed = scene.poses.copy()
        changed[-2:] = changed[0] if scene.branch != "return_45" else changed[3]
        assert keeps_rules(scene.branch, changed, 8) == (scene.branch == "replay")


def test_other_segments_have_paths_of_smaller_steps(assets):
    room = DrawnRoom("open_domain", 0, 12, assets)
    assert len(room.paths["return_45"]) == 25 and len(room.paths["revisit_far"]) == 37
