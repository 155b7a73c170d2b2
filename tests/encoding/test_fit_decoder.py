"""Training: better than the linear picture or refused, of the seed alone, and blind to the frames that judge it."""

import pytest
import torch

from echo.encoding.codec import build_codec, to_frames, to_signal
from echo.encoding.fit import fit_codec
from echo.encoding.fit_decoder import HELD_BACK, DecoderError, Loss, fit_decoder
from echo.encoding.perceptual import lpips_network
from echo.io.seeding import generator
from echo.measures.lpips import Lpips
from echo.study.config import Codec
from tests.encoding.videos import CONVOLUTIONAL, Videos, edges


def pictures(count: int, size: int = 32) -> torch.Tensor:
    """Signals of frames with edges."""
    return to_signal(torch.from_numpy(edges(generator(0, "pictures"), count, size)))


def trained(signal: torch.Tensor, seed: int = 0, weights=None, **options):
    """A codec with few numbers a patch, fitted to ``signal``."""
    config = Codec(channels=6, downsample=8, options={**CONVOLUTIONAL, **options})
    codec = build_codec(config)
    codec.fit(signal, seed, weights)
    return codec.eval()


def error(made: torch.Tensor, true: torch.Tensor) -> float:
    return float((made - true).abs().mean())


def test_it_reconstructs_frames_that_it_has_not_seen_better_than_the_linear_picture():
    signal = pictures(260)
    codec = trained(signal[:200])
    with torch.no_grad():
        latents = codec.analyse(signal[200:])
        linear, convolutional = codec.linear_picture(latents), codec.synthesise(latents)
    assert error(convolutional, signal[200:]) < 0.96 * error(linear, signal[200:])


@pytest.mark.parametrize("rate", [10.0, 1.0])
def test_a_training_that_collapses_is_one_line_and_writes_nothing(rate, tmp_path):
    config = Codec(channels=6, downsample=8, train_frames=60, options={**CONVOLUTIONAL, "decoder_rate": rate})
    with pytest.raises(DecoderError, match=f"loss on 3 held-back frames .*lower codec.options.decoder_rate = {rate:g}"):
        fit_codec(config, 0, Videos(), tmp_path / "codec.safetensors")
    assert not list(tmp_path.iterdir())


def test_no_step_leaves_the_linear_picture():
    signal = pictures(40)
    codec = trained(signal, decoder_steps=0)
    latents = codec.analyse(signal)
    torch.testing.assert_close(codec.synthesise(latents), codec.linear_picture(latents), rtol=0, atol=0)


def test_weights_follow_from_the_seed_alone():
    signal, states = pictures(60), []
    for seed, other in ((1, 5), (1, 6), (2, 5)):
        torch.manual_seed(other)
        before = torch.get_rng_state()
        states.append(trained(signal, seed).state_dict())
        assert torch.equal(torch.get_rng_state(), before)
    one, again, third = states
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert {name for name in one if not torch.equal(one[name], third[name])} == {
        name for name in one if name.startswith("decoder.") and name not in ("decoder.middle", "decoder.spread")
    }


def test_frames_held_back_are_not_trained_on():
    signal = pictures(60)
    first = trained(signal)
    changed = signal.clone()
    changed[-60 // HELD_BACK :] *= -1
    second = trained(signal, decoder_steps=0)
    fit_decoder(
        second.decoder, second.analyse, second.linear_picture, changed, first.config.convolutional, 0, None
    )  # with the same linear codec
    for name, value in first.decoder.state_dict().items():
        assert torch.equal(value, second.decoder.state_dict()[name]), name


def test_the_loss_is_the_absolute_error_and_lpips(weights):
    made, true = pictures(4, 40), pictures(8, 40)[4:]
    with torch.no_grad():
        both = Loss(lpips_network(weights), 0.5)(made, true)
    distance = Lpips(weights)(to_frames(made).numpy(), to_frames(true).numpy()).mean()
    assert float(both) == pytest.approx(error(made, true) + 0.5 * distance, rel=1e-3)
    assert float(Loss(None, 0.0)(made, true)) == pytest.approx(error(made, true))


def test_lpips_changes_the_decoder_and_works_at_32_pixels(weights):
    signal = pictures(40)
    plain, with_lpips = trained(signal), trained(signal, weights=weights, decoder_lpips=0.05)
    assert not torch.equal(plain.decoder.last.weight, with_lpips.decoder.last.weight)
    assert torch.equal(plain.basis, with_lpips.basis)


def test_missing_weights_are_named_with_the_command_that_fetches_them():
    with pytest.raises(DecoderError, match=r"decoder_lpips: .*--weights .*python -m echo weights"):
        trained(pictures(40), decoder_lpips=0.05)


def test_one_frame_is_too_few():
    with pytest.raises(DecoderError, match="codec.train_frames: .* two frames"):
        trained(pictures(1))
