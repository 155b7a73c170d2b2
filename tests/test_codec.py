import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan

from echo.codec import CodecError, fit_codec, load_codec, reconstruction, to_frames, to_signal
from echo.config import Codec, World
from echo.seeding import generator
from tests.conftest import tiny_study

WAN = {"base_dim": 4, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1, "temperal_downsample": [False, True, True]}
KINDS = {
    "patch": Codec(kind="patch", channels=20, downsample=8, train_frames=60),
    "autoencoder": Codec(kind="autoencoder", channels=4, downsample=8, train_frames=40, train_steps=5),
    "wan": Codec(kind="wan", channels=4, downsample=8, train_frames=40, train_steps=2, options=WAN),
}


class Videos:
    """Smooth random pictures in a pool's interface."""

    videos = [f"v{i}" for i in range(8)]

    def length(self, video):
        return 9

    def frames(self, video, indices=None):
        draw = generator(0, video)
        coarse = torch.from_numpy(draw.uniform(0, 255, (9, 3, 4, 4)))
        fine = torch.nn.functional.interpolate(coarse, size=(16, 16), mode="bilinear")
        frames = fine.permute(0, 2, 3, 1).round().to(torch.uint8).numpy()
        return frames if indices is None else frames[indices]


def fitted(kind, path):
    study = tiny_study().model_copy(update={"codec": KINDS[kind], "world": World(size=16)})
    return fit_codec(study, Videos(), path), load_codec(path)


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_frame_is_coded_alone(kind, tmp_path):
    _, codec = fitted(kind, tmp_path / "codec.safetensors")
    frames = torch.from_numpy(Videos().frames("v1"))
    together = codec.encode(frames)
    alone = torch.cat([codec.encode(frame[None]) for frame in frames])
    assert together.shape == (9, KINDS[kind].channels, 2, 2)
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)
    decoded = codec.decode(together)
    assert decoded.shape == frames.shape and decoded.dtype == torch.uint8


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_saved_codec_is_the_fitted_one(kind, tmp_path):
    first, codec = fitted(kind, tmp_path / "a.safetensors")
    again, _ = fitted(kind, tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert first == again
    held = torch.from_numpy(Videos().frames("v0"))
    assert first["held_out_psnr"] == pytest.approx(reconstruction(codec, held), abs=1e-3)


def test_latents_have_unit_variance_overall_whatever_the_whitening(tmp_path):
    frames = torch.from_numpy(np.concatenate([Videos().frames(v) for v in Videos.videos[1:]]))
    unequal = []
    for whiten in (0.0, 0.5, 1.0):
        config = KINDS["patch"].model_copy(update={"options": {"whiten": whiten}})
        study = tiny_study().model_copy(update={"codec": config, "world": World(size=16)})
        fit_codec(study, Videos(), tmp_path / "codec.safetensors")
        latents = load_codec(tmp_path / "codec.safetensors").encode(frames)
        assert latents.std() == pytest.approx(1, abs=0.1)
        spread = latents.std((0, 2, 3))
        unequal.append(float(spread.max() / spread.min()))
    assert unequal[0] > unequal[1] > unequal[2] == pytest.approx(1, abs=0.2)


def test_the_patch_basis_is_the_principal_components(tmp_path):
    _, codec = fitted("patch", tmp_path / "codec.safetensors")
    frames = np.concatenate([Videos().frames(v) for v in Videos.videos[1:]]).astype(np.float64)
    patches = (frames / 127.5 - 1).reshape(-1, 2, 8, 2, 8, 3).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 192)
    _, _, vectors = np.linalg.svd(patches - patches.mean(0), full_matrices=False)
    ours = codec.basis.flatten(1).double().numpy()
    np.testing.assert_allclose(np.abs(np.sum(ours[:5] * vectors[:5], 1)), 1, atol=1e-2)


def test_more_channels_reconstruct_better(tmp_path):
    quality = []
    for channels in (3, 10, 40):
        config = KINDS["patch"].model_copy(update={"channels": channels})
        study = tiny_study().model_copy(update={"codec": config, "world": World(size=16)})
        quality.append(fit_codec(study, Videos(), tmp_path / "codec.safetensors")["held_out_psnr"])
    assert quality == sorted(quality) and quality[-1] > quality[0] + 3


def test_wan_loads_a_diffusers_folder(tmp_path):
    torch.manual_seed(0)
    real = AutoencoderKLWan(z_dim=4, **WAN).eval()
    real.save_pretrained(tmp_path / "vae")
    config = KINDS["wan"].model_copy(update={"options": {}})
    study = tiny_study().model_copy(update={"codec": config, "world": World(size=16)})
    fit_codec(study, Videos(), tmp_path / "codec.safetensors")
    codec = load_codec(tmp_path / "codec.safetensors")
    frames = torch.from_numpy(Videos().frames("v1"))
    with torch.no_grad():
        expected = real.encode(to_signal(frames)[:, :, None]).latent_dist.mode()[:, :, 0]
    torch.testing.assert_close(codec.encode(frames) * codec.scale + codec.mean, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (Codec(channels=200, downsample=8), "codec.channels = 200: a patch has only 192 numbers"),
        (KINDS["wan"].model_copy(update={"downsample": 16}), "this wan codec covers 8 pixels"),
        (KINDS["wan"].model_copy(update={"options": {"path": "/absent"}}), "no config.json there"),
    ],
)
def test_what_does_not_fit_is_named(config, message, tmp_path):
    study = tiny_study().model_copy(update={"codec": config, "world": World(size=16)})
    with pytest.raises(CodecError, match=message):
        fit_codec(study, Videos(), tmp_path / "codec.safetensors")


def test_signal_and_frames_are_inverse():
    frames = torch.randint(0, 256, (2, 4, 4, 3), dtype=torch.uint8)
    assert torch.equal(to_frames(to_signal(frames)), frames)
