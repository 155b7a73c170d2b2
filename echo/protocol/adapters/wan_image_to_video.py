"""diffusers' Wan image-to-video pipeline: a model without a camera and without a memory, the honest floor.

    --model echo.protocol.adapters.wan_image_to_video:WanImageToVideo --option folder=Wan2.1-I2V-14B-480P-Diffusers

It is given the last frame before the ones to generate and the caption, and draws all of them in one call. Wan draws
1 + 4 n frames, of which the first is the given one: the shortest such number that covers the case is drawn, and what
exceeds the case is left off. Sides must be multiples of 16, as all of Echo-1's sizes are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from echo.io.device import device
from echo.io.seeding import torch_generator
from echo.protocol.case import Case
from echo.protocol.errors import ProtocolError
from echo.protocol.files import Frames

MULTIPLE = 16  # pixels: eight of the autoencoder times two of a patch
NEGATIVE = ""


class WanImageToVideo:
    """The pipeline of a folder in diffusers' layout, which is never downloaded here."""

    swaps = False  # it is given one frame, which a swapped history leaves alone

    def __init__(
        self,
        folder: str,
        steps: int = 50,
        guidance: float = 5.0,
        negative: str = NEGATIVE,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        """steps, guidance, negative: the pipeline's; seed: of the noise, a stream of its own for each case."""
        from diffusers.pipelines.wan.pipeline_wan_i2v import WanImageToVideoPipeline

        try:
            self.pipeline: Any = WanImageToVideoPipeline.from_pretrained(
                folder, torch_dtype=getattr(torch, dtype), local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise ProtocolError(f"folder = {folder}: no Wan image-to-video pipeline ({error})") from None
        self.pipeline.to(device())
        self.pipeline.set_progress_bar_config(disable=True)
        self.steps, self.guidance, self.negative, self.seed = steps, guidance, negative, seed

    def generate(self, case: Case) -> Frames:
        """All frames of the case after its last given one."""
        height, width = case.size
        if height % MULTIPLE or width % MULTIPLE:
            raise ProtocolError(f"{case.name}: sides of {height} x {width}; Wan needs multiples of {MULTIPLE}")
        count = len(case.numbers)
        made = self.pipeline(
            image=Image.fromarray(case.last),
            prompt=case.caption,
            negative_prompt=self.negative,
            height=height,
            width=width,
            num_frames=1 + 4 * -(-count // 4),
            num_inference_steps=self.steps,
            guidance_scale=self.guidance,
            generator=torch_generator(self.seed, "wan", case.name),
            output_type="np",
        ).frames[0]
        return np.rint(np.clip(made[1 : 1 + count], 0, 1) * 255).astype(np.uint8)
