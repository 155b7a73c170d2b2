"""Rollouts of pictures are read whole or not at all."""

import numpy as np
import pytest

from echo.rollout.first_frames import load_rollout
from echo.rollout.frames import Rollout, RolloutError
from echo.study.words import generated_frames
from echo.world.first_frames.listing import read_listing
from echo.world.first_frames.pool import FirstFramePool
from echo.world.first_frames.write import write_pool
from tests.conftest import tiny_study
from tests.pictures import write_pictures

BRANCH = "return_45"


def test_a_rollout_of_other_pictures_or_frames_is_refused(tmp_path):
    folder, path = write_pictures(tmp_path / "own"), tmp_path / "return_45.safetensors"
    study = tiny_study(open_domain={"images": str(folder)})
    write_pool(study, read_listing(folder), tmp_path / "pool")
    pool = FirstFramePool(tmp_path / "pool")
    index, videos = np.array(generated_frames(BRANCH, 4)), pool.cases(BRANCH)
    frames = np.zeros((2, 8, 16, 16, 3), np.uint8)
    Rollout(frames, index, videos).save(path)
    assert load_rollout(study, BRANCH, pool, path).cases == videos
    Rollout(frames, index, videos[::-1]).save(path)
    with pytest.raises(RolloutError, match="cases are not the pictures of"):
        load_rollout(study, BRANCH, pool, path)
    for wrong in (Rollout(frames[:, :6], index[:6], videos), Rollout(frames[:, :6], index, videos)):
        wrong.save(path)
        with pytest.raises(RolloutError, match="expected frames 1 to 8"):
            load_rollout(study, BRANCH, pool, path)
