"""Bytes on disk, counted frame by frame."""

from __future__ import annotations

from echo.cost import disk
from tests.cost.steps import small


def test_disk_is_counted_frame_by_frame():
    study = small()
    frames = 6 * (1 + 4 * 4) + 4 * (2 + 7 * 4) + 4 * (6 + (2 + 3 + 3 + 3 + 11 + 19) * 4)
    assert disk.frames(study) == frames
    assert disk.latent_bytes(study) == frames * study.numbers_per_frame * 4
    assert disk.rollout_bytes(study) == 4 * (3 + 4 + 2 + 3 + 1 + 4) * 4 * 32 * 32 * 3
    assert disk.codec_flops(study) == {"frame": 0, "segment": 0, "decode": 0}
