"""Cases that begin with a lone first frame (``echo.world.first_frames``): what there is of them is handed on, no more.

Latents of frames that nobody knows are NaN, so that whatever would read one is found out: a rollout puts its own
frames in their places, one segment after the other.
"""

from __future__ import annotations

import numpy as np
import torch

from echo.encoding.codec import Codec
from echo.encoding.text import Texts
from echo.evidence.policy import policy_of
from echo.evidence.segments import Segments
from echo.rollout.first_known import first_latent
from echo.rollout.guide import negative_of
from echo.rollout.sampler import CaseBatch
from echo.study.config import Study
from echo.world.first_frames.pool import FirstFramePool


def first_frame_cases(
    study: Study,
    branch: str,
    videos: list[str],
    pool: FirstFramePool,
    texts: Texts,
    codec: Codec,
    device: torch.device | str,
) -> CaseBatch:
    """The cases ``videos`` of a branch, all of whose frames but the first are unknown."""
    poses = {video: pool.poses(video) for video in videos}
    segments = Segments(study, videos, np.stack(list(poses.values())), policy_of(study).rank(study, poses))
    firsts = torch.cat([first_latent(study, pool, video, codec) for video in videos])
    latents = torch.full((len(videos), segments.poses.shape[1], *firsts.shape[1:]), torch.nan)
    latents[:, 0] = firsts
    text = torch.stack([texts.of(video) for video in videos])
    return CaseBatch(branch, videos, segments, latents, text, negative_of(study, texts)).to(device)
