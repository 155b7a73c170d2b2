"""What a case's digest is of: all that is asked, and nothing that another machine's arithmetic changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from echo.protocol.scenes import Scene, Setting


def scene(**changes) -> Scene:
    poses = np.zeros((17, 6))
    poses[:, 5] = np.minimum(np.arange(17), 16 - np.arange(17)) * 2.5
    made = Scene(
        Setting("s", (16, 16), 75.0, 8, 8.0), "a", "return_45", "r", "v", "x", "vase", "a room", poses, True, list
    )
    return replace(made, **changes)


def test_what_is_asked_decides_and_rounding_does_not():
    own = scene()
    assert own.given == 1 and own.steps["frames"][0] == [0, 0, 1]
    assert scene(poses=own.poses + 1e-12).definition == own.definition == scene(video="w", look=dict).definition
    others = [scene(caption="b"), scene(anchor="key"), scene(spelled=False), scene(poses=own.poses + 0.1),
              scene(setting=replace(own.setting, rate=4.0)), scene(branch="return_strict")]  # fmt: skip
    assert len({one.definition for one in [own, *others]}) == 7
