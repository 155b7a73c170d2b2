"""Wan's autoencoder as a codec: against diffusers' own class."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan

from echo.encoding.codec import CodecError, to_frames, to_signal
from tests.encoding.videos import WAN, Videos, pretrained_codec, saved_vae


def test_wan_loads_a_diffusers_folder(tmp_path):
    real = saved_vae(tmp_path)
    codec = pretrained_codec(tmp_path, temporal=1)
    frames = torch.from_numpy(Videos().frames("v1"))
    with torch.no_grad():
        expected = real.encode(to_signal(frames)[:, :, None]).latent_dist.mode()[:, :, 0]
    torch.testing.assert_close(codec.encode(frames) * codec.scale + codec.mean, expected, rtol=1e-4, atol=1e-4)
    assert codec.mean.flatten().tolist() == pytest.approx([0.1, -0.2, 0.0, 0.3])
    assert codec.scale.flatten().tolist() == pytest.approx([0.9, 1.1, 1.0, 1.3])


def test_whole_segments_are_coded_one_and_then_four_at_a_time(tmp_path):
    """As diffusers' own class codes a video; the first latent is the first frame's own."""
    real = saved_vae(tmp_path)
    codec = pretrained_codec(tmp_path, temporal=4)
    segments = torch.from_numpy(np.stack([Videos().frames(v) for v in ("v1", "v2")]))  # 9 frames each
    latents = codec.encode_segments(segments)
    assert latents.shape == (2, 3, 4, 2, 2)
    with torch.no_grad():
        video = to_signal(segments.flatten(0, 1)).unflatten(0, (2, 9)).transpose(1, 2)
        raw = real.encode(video).latent_dist.mode()
        frames = real.decode(raw).sample.transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(latents * codec.scale + codec.mean, raw.transpose(1, 2), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(latents[:, 0], codec.encode(segments[:, 0]), rtol=1e-3, atol=1e-3)
    decoded = codec.decode_segments(latents)
    assert decoded.shape == (18, 16, 16, 3)
    assert (decoded.int() - to_frames(frames).int()).abs().max() <= 1
    assert torch.equal(codec.decode_end(latents[1], 2), decoded[-2:])


def test_a_pretrained_autoencoder_without_its_statistics_is_refused(tmp_path):
    AutoencoderKLWan(z_dim=4, **WAN).save_pretrained(tmp_path / "vae")
    with pytest.raises(CodecError, match="16 latents_mean and 16 latents_std, expected z_dim = 4 of each"):
        pretrained_codec(tmp_path, temporal=1)
