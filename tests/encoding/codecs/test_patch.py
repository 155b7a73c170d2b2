"""Patches: principal components against numpy's own, and a decoder that uses what the channels hold."""

import numpy as np
import pytest
import torch
from einops import rearrange

from echo.encoding.codec import CodecError
from echo.encoding.codecs.patch import PatchCodec
from echo.encoding.fit import reconstruction
from echo.study.config import Codec
from tests.encoding.videos import CONVOLUTIONAL, KINDS, Edges, Videos, fitted


def test_the_basis_is_the_principal_components(tmp_path):
    _, codec = fitted(KINDS["patch"], tmp_path / "codec.safetensors")
    frames = np.concatenate([Videos().frames(v) for v in Videos.videos[1:]]).astype(np.float64)
    patches = (frames / 127.5 - 1).reshape(-1, 2, 8, 2, 8, 3).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 192)
    _, _, vectors = np.linalg.svd(patches - patches.mean(0), full_matrices=False)
    ours = codec.basis.flatten(1).double().numpy()
    np.testing.assert_allclose(np.abs(np.sum(ours[:5] * vectors[:5], 1)), 1, atol=1e-2)


def test_the_encoder_projects_each_patch_on_the_basis(tmp_path):
    _, codec = fitted(KINDS["patch"], tmp_path / "codec.safetensors")
    signal = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    latents = codec.analyse(signal)
    for frame, row, column in ((0, 0, 1), (1, 1, 0)):
        patch = signal[frame, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        expected = (codec.basis * patch).sum((1, 2, 3)) - codec.middle
        torch.testing.assert_close(latents[frame, :, row, column], expected, rtol=1e-4, atol=1e-5)


def test_the_decoder_paints_each_pixel_from_the_cells_around(tmp_path):
    _, codec = fitted(KINDS["patch"], tmp_path / "codec.safetensors")
    latents = torch.randn(1, 20, 2, 2, generator=torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(latents, (1, 1, 1, 1))[0]
    decoded = codec.synthesise(latents)[0]
    paint = rearrange(codec.paint, "(c i j) k y x -> c i j k y x", i=8, j=8)
    ground = rearrange(codec.ground, "(c i j) -> c i j", i=8, j=8)
    for row, column, i, j in ((0, 0, 0, 0), (1, 0, 7, 2), (1, 1, 3, 7)):
        around = padded[:, row : row + 3, column : column + 3]
        expected = (paint[:, i, j] * around).sum((1, 2, 3)) + ground[:, i, j]
        torch.testing.assert_close(decoded[:, 8 * row + i, 8 * column + j], expected, rtol=1e-4, atol=1e-5)


def test_more_channels_reconstruct_better(tmp_path):
    quality = []
    for channels in (3, 10, 40):
        config = KINDS["patch"].model_copy(update={"channels": channels})
        quality.append(fitted(config, tmp_path / "codec.safetensors")[0]["held_out_psnr"])
    assert quality == sorted(quality) and quality[-1] > quality[0] + 3


def test_more_channels_than_numbers_are_refused():
    with pytest.raises(CodecError, match="codec.channels = 200: a patch has only 192 numbers"):
        PatchCodec(Codec(channels=200, downsample=8))


def test_a_convolutional_decoder_moves_no_bit_of_the_linear_codec(tmp_path):
    """Whatever its settings: what the world model is trained on does not depend on the decoder."""
    plain = KINDS["patch"].model_copy(update={"channels": 6, "options": {"whiten": 0.0}})
    quality, linear = fitted(plain, tmp_path / "linear.safetensors", Edges())
    frames = torch.from_numpy(Edges().frames("v0"))
    for own in (CONVOLUTIONAL, {**CONVOLUTIONAL, "decoder_steps": 60, "decoder_width": 8}):
        config = plain.model_copy(update={"options": {"whiten": 0.0, **own}})
        better, codec = fitted(config, tmp_path / "convolutional.safetensors", Edges())
        state = codec.state_dict()
        for name, value in linear.state_dict().items():
            assert torch.equal(value, state[name]), name
        latents = codec.encode(frames)
        assert torch.equal(latents, linear.encode(frames))
        assert not torch.equal(codec.decode(latents), linear.decode(latents))
        assert better["numbers_per_frame"] == quality["numbers_per_frame"]


def test_a_convolutional_decoder_is_read_back_as_it_was_fitted(tmp_path):
    config = Codec(channels=6, downsample=8, train_frames=60, options=CONVOLUTIONAL)
    first, codec = fitted(config, tmp_path / "a.safetensors", Edges())
    again, _ = fitted(config, tmp_path / "b.safetensors", Edges())
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert first == again and codec.config == config
    held = torch.from_numpy(Edges().frames("v0"))
    assert first["held_out_psnr"] == pytest.approx(reconstruction(codec, held), abs=1e-3)
    alone = torch.cat([codec.decode(part) for part in codec.encode(held).split(4)])
    assert (alone.int() - codec.decode(codec.encode(held)).int()).abs().max() <= 1


def test_a_patch_that_a_decoder_cannot_divide_is_refused():
    with pytest.raises(CodecError, match="codec.downsample = 6: a convolutional decoder needs a multiple of 4"):
        PatchCodec(Codec(channels=6, downsample=6, options=CONVOLUTIONAL))
