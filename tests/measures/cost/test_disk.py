"""Bytes on disk, counted frame by frame."""

from __future__ import annotations

from echo.measures.cost import disk
from tests.measures.cost.steps import small


def test_disk_is_counted_frame_by_frame():
    study = small()
    frames = 6 * (1 + 4 * 4) + 4 * (2 + 7 * 4) + 4 * (6 + (2 + 3 + 3 + 3 + 11 + 19) * 4)
    assert disk.frames(study) == frames
    assert disk.latent_bytes(study) == frames * study.numbers_per_frame * 4
    assert disk.rollout_bytes(study) == 4 * (3 + 4 + 2 + 3 + 1 + 4) * 4 * 32 * 32 * 3
    assert disk.codec_flops(study) == {"frame": 0, "segment": 0, "decode": 0}


def test_the_clips_of_a_base_that_is_trained_count_too():
    study = small()
    trained = study.model_copy(update={"base": study.base.model_copy(update={"source": "trained", "rooms": 10,
                                                                               "segments": 3})})  # fmt: skip
    more = disk.latent_bytes(trained) - disk.latent_bytes(study)
    assert more == 10 * (1 + 3 * study.segment.frames) * study.numbers_per_frame * 2
