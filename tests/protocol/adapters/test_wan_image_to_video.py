"""diffusers' own pipeline from a folder, tiny and with random weights, answering a case."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from echo.protocol.adapters.wan_image_to_video import WanImageToVideo
from echo.protocol.errors import ProtocolError
from tests.wan_folder import SIZES, TEXT, VAE, save_tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    from diffusers import AutoencoderKLWan, FlowMatchEulerDiscreteScheduler, WanTransformer3DModel
    from diffusers.pipelines.wan.pipeline_wan_i2v import WanImageToVideoPipeline
    from transformers import T5TokenizerFast, UMT5Config, UMT5EncoderModel

    path = tmp_path_factory.mktemp("wan")
    save_tokenizer(path / "letters")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        # The given frame and its mask come in beside the noise: 4 + 4 latent channels and 4 of the mask.
        transformer = WanTransformer3DModel(**{**SIZES, "in_channels": 12, "num_layers": 1})
        pipeline = WanImageToVideoPipeline(
            tokenizer=T5TokenizerFast.from_pretrained(path / "letters"),
            text_encoder=UMT5EncoderModel(UMT5Config(**TEXT)),
            vae=AutoencoderKLWan(**VAE),
            scheduler=FlowMatchEulerDiscreteScheduler(),
            transformer=transformer,
        )
    pipeline.save_pretrained(path / "pipeline")
    return path / "pipeline"


def test_it_answers_a_case_of_any_length_alike_each_time(folder, cases):
    model = WanImageToVideo(str(folder), steps=1, guidance=1.0)
    case = cases.of("revisit_near_000")
    frames = model.generate(case)
    assert frames.shape == (8, 48, 64, 3) and frames.dtype == np.uint8 and frames.std() > 0
    assert np.array_equal(model.generate(case), frames)


def test_a_folder_without_a_pipeline_is_one_line(tmp_path):
    with pytest.raises(ProtocolError, match="no Wan image-to-video pipeline"):
        WanImageToVideo(str(tmp_path))
