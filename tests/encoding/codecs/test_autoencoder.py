"""AutoencoderKL as a codec: against diffusers' own calls."""

import pytest
import torch

from echo.encoding.codec import CodecError, to_signal
from echo.encoding.codecs.autoencoder import AutoencoderCodec
from tests.encoding.videos import KINDS, Videos, fitted


def test_latents_are_the_mode_of_the_encoders_distribution(tmp_path):
    _, codec = fitted(KINDS["autoencoder"], tmp_path / "codec.safetensors")
    frames = torch.from_numpy(Videos().frames("v1"))
    with torch.no_grad():
        expected = codec.model.encode(to_signal(frames)).latent_dist.mean
    torch.testing.assert_close(codec.encode(frames) * codec.scale + codec.mean, expected, rtol=1e-4, atol=1e-4)


def test_levels_follow_the_cells_unless_options_give_others():
    config = KINDS["autoencoder"]
    assert len(AutoencoderCodec(config).model.config.block_out_channels) == 4  # 8 pixels: halved three times
    given = config.model_copy(update={"options": {"block_out_channels": [8, 8], "norm_num_groups": 4}})
    with pytest.raises(CodecError, match="codec.downsample = 8, but this autoencoder codec covers 2 pixels"):
        AutoencoderCodec(given)
