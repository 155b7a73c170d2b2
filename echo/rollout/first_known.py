"""What is known of a lone first frame: its pixels, its latent and its pose; for reference rows as for trained ones."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from echo.encoding.codec import Codec
from echo.encoding.latents import STORAGE
from echo.rollout.known import Known
from echo.study.config import Study
from echo.study.words import generated_frames
from echo.world.first_frames.pool import FirstFramePool


def first_latent(study: Study, pool: FirstFramePool, video: str, codec: Codec) -> Float[Tensor, "1 c h w"]:
    """The latent of a picture, as a cache of latents would hold it."""
    picture = torch.from_numpy(pool.frames(video, [0]))
    return codec.encode(picture).to(STORAGE[study.codec.storage]).float()


def known_of_picture(study: Study, branch: str, video: str, pool: FirstFramePool, codec: Codec) -> Known:
    """What a reference row is handed of a case: the picture, and the poses to be drawn; no depth, no truth."""
    poses, drawn = pool.poses(video), np.array(generated_frames(branch, study.segment.frames))
    return Known(
        pool.frames(video, [0]),
        first_latent(study, pool, video, codec),
        poses[:1],
        None,
        poses[drawn],
        None,
        study.segment.frames,
        study.world.field_of_view,
        study.seed,
    )
