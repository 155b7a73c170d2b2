"""Rollouts from lone first frames see the picture, its caption and the poses, and nothing else."""

import numpy as np
import pytest
import torch

from echo.encoding.codec import build_codec
from echo.encoding.text import Texts, write_texts
from echo.rollout.first_cases import first_frame_cases
from echo.rollout.sampler import Sampler
from echo.world.first_frames.listing import read_listing
from echo.world.first_frames.pool import FirstFramePool
from echo.world.first_frames.write import write_pool
from tests.conftest import tiny_study
from tests.pictures import write_pictures
from tests.rollout.cases_of_tests import moved_row

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
def texts(folder, pool, tmp_path_factory):
    path, config = tmp_path_factory.mktemp("text") / "text.safetensors", study_of(folder).text
    write_texts(config, {video: pool.caption(video) for video in pool.videos}, path)
    return Texts(path, config)


@pytest.fixture(scope="module")
def codec(folder):
    codec = build_codec(study_of(folder).codec)
    codec.fit(torch.rand(64, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1, 0)
    return codec.eval()


def cases(study, pool, texts, codec):
    return first_frame_cases(study, BRANCH, pool.cases(BRANCH), pool, texts, codec, "cpu")


@pytest.mark.parametrize("policy", ["matched", "streaming"])
@pytest.mark.parametrize("name", ["i2v", "context_k20", "compress_hybrid_r2", "spatial", "ssm_blockwise"])
def test_rows_of_every_family_roll_out_though_no_later_frame_is_known(folder, pool, texts, codec, policy, name):
    """Unknown latents are NaN: to read one would end in latents that are not finite, which the sampler refuses."""
    study = study_of(folder, evidence={"policy": policy})
    batch = cases(study, pool, texts, codec)
    assert batch.latents[:, 0].isfinite().all() and batch.latents[:, 1:].isnan().all()
    latents, index = Sampler(study, moved_row(name, study)).rollout(batch)
    assert latents.isfinite().all() and index.tolist() == list(range(1, 9))


def test_text_and_poses_are_the_pictures_own(folder, pool, texts, codec):
    batch = cases(study_of(folder), pool, texts, codec)
    for number, video in enumerate(pool.cases(BRANCH)):
        assert torch.equal(batch.text[number], texts.of(video))
        np.testing.assert_array_equal(batch.segments.poses[number], pool.poses(video))
    assert not torch.equal(*batch.text)


def test_guidance_by_text_reaches_pictures_too(folder, pool, texts, codec, tmp_path):
    study = study_of(folder, sampler={"text_guidance": 2.0, "negative_prompt": "blurry"})
    write_texts(study.text, {v: pool.caption(v) for v in pool.videos}, tmp_path / "t.safetensors", negative="blurry")
    batch = cases(study, pool, Texts(tmp_path / "t.safetensors", study.text), codec)
    assert batch.negative is not None and batch.negative.shape == batch.text.shape[1:]
    assert cases(study_of(folder), pool, texts, codec).negative is None
