"""What reference rows and trained ones know of a picture."""

import numpy as np
import pytest
import torch

from echo.encoding.codec import build_codec
from echo.rollout.first_known import first_latent, known_of_picture
from echo.rollout.known import load_reference
from echo.world.first_frames.listing import read_listing
from echo.world.first_frames.pool import FirstFramePool
from echo.world.first_frames.write import write_pool
from tests.conftest import tiny_study
from tests.pictures import write_pictures

BRANCH = "return_45"


def study_of(folder, **sections):
    return tiny_study(open_domain={"images": str(folder)}, **sections)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures") / "own")


@pytest.fixture(scope="module")
def pool(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("pool")
    write_pool(study_of(folder), read_listing(folder), out)
    return FirstFramePool(out)


@pytest.fixture(scope="module")
def codec(folder):
    codec = build_codec(study_of(folder).codec)
    codec.fit(torch.rand(64, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1, 0)
    return codec.eval()


def test_a_first_frame_is_what_a_cache_of_latents_would_hold(folder, pool, codec):
    study = study_of(folder, codec={"storage": "bfloat16"})
    video = pool.cases(BRANCH)[0]
    exact = codec.encode(torch.from_numpy(pool.frames(video, [0])))
    assert torch.equal(first_latent(study, pool, video, codec), exact.bfloat16().float())
    assert not torch.equal(exact, exact.bfloat16().float())


def test_reference_rows_are_handed_the_picture_and_poses_alone(folder, pool, codec):
    study, video = study_of(folder), pool.cases(BRANCH)[0]
    known = known_of_picture(study, BRANCH, video, pool, codec)
    assert known.truth is known.depth is None and len(known.frames) == len(known.poses) == len(known.latents) == 1
    np.testing.assert_array_equal(known.targets, pool.poses(video)[1:])
    drawn = {name: load_reference(name).draw(known, codec) for name in study.open_references}
    assert set(drawn) == {"copy_best", "copy_first", "mean_colour", "ridge"}
    copy = codec.decode(known.latents).numpy()
    np.testing.assert_array_equal(drawn["copy_first"], np.repeat(copy, 8, 0))
    assert all(frames.shape == (8, 16, 16, 3) for frames in drawn.values())
