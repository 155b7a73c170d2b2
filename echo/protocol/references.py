"""Reference rows beside any model: what copies of given pixels score, with the modules of ``echo/rollout/references``.

They are drawn in pixels, without any codec, because a model of somebody else's has one of its own. So a copy of the
first frame is that very frame, and ``copy_first`` here is not what it is in a study's tables, where all rows pass
through one codec. The ridge and the codec's ceiling are about latents, and are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from echo.encoding.codec import Codec
from echo.protocol.files import Frames
from echo.protocol.scenes import Scene, View
from echo.rollout.known import Known, load_reference
from echo.study.config import Codec as Config
from echo.world.camera import overlap

if TYPE_CHECKING:
    from echo.protocol.case import Case

TRUE = "truth"  # the true frames themselves: the ceiling
COPIES = ("copy_first", "copy_best", "mean_colour")  # drawn from what a case gives, when answers are scored
SEES = ("reprojection",)  # drawn with true depth, when a set is written
SEED = 0  # of reference rows that draw at random, of which none is here


class Pixels(Codec):
    """A codec that does nothing: its latents are the pixels, and decoding gives every one back."""

    def __init__(self) -> None:
        super().__init__(Config(channels=3).model_copy(update={"downsample": 1}))

    def analyse(self, signal: Float[Tensor, "f 3 H W"]) -> Float[Tensor, "f c h w"]:
        """The signal."""
        return signal

    def synthesise(self, latents: Float[Tensor, "f c h w"]) -> Float[Tensor, "f 3 H W"]:
        """The latents."""
        return latents


def copied(name: str, case: Case) -> Frames:
    """The frames of one of ``COPIES`` for a case."""
    frames, poses = case.given_frames, np.array(case.about.poses)
    given = len(frames)
    return _draw(name, frames, poses[:given], None, poses[given:], case.about.segment_frames, case.about.field_of_view)


def seeing(name: str, scene: Scene, view: View) -> Frames:
    """The frames of one of ``SEES`` for a case whose true depth is known.

    Given frames that share nothing with any frame to generate, by camera overlap, cannot be seen and are left out.
    """
    given, setting = scene.given, scene.setting
    shared = overlap(
        scene.poses[given:], scene.poses[:given], setting.field_of_view, aspect=setting.size[0] / setting.size[1]
    )
    useful = np.flatnonzero(shared.max(0) > 0)
    useful = useful if len(useful) else np.arange(given)
    depth = None if view.depth is None else view.depth[useful]
    return _draw(
        name, view.rgb[useful], scene.poses[useful], depth, scene.poses[given:], setting.frames, setting.field_of_view
    )


def _draw(
    name: str,
    frames: Frames,
    poses: np.ndarray,
    depth: np.ndarray | None,
    targets: np.ndarray,
    segment: int,
    field_of_view: float,
) -> Frames:
    codec = Pixels()
    latents = codec.encode(torch.from_numpy(np.ascontiguousarray(frames)))
    known = Known(frames, latents, poses, depth, targets, None, segment, field_of_view, SEED)
    return load_reference(name).draw(known, codec)
