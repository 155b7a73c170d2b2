"""What all codecs share: frames coded alone, number formats, files."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from echo.encoding.codec import CodecError, build_codec, load_codec, to_frames, to_signal
from echo.io.tensors import TensorFileError, save_tensors
from tests.encoding.videos import KINDS, WAN, Videos, fitted


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_frame_is_coded_alone(kind, tmp_path):
    _, codec = fitted(KINDS[kind], tmp_path / "codec.safetensors")
    frames = torch.from_numpy(Videos().frames("v1"))
    together = codec.encode(frames)
    alone = torch.cat([codec.encode(frame[None]) for frame in frames])
    assert together.shape == (9, KINDS[kind].channels, 2, 2)
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-4)
    decoded = codec.decode(together)
    assert decoded.shape == frames.shape and decoded.dtype == torch.uint8


def test_frame_by_frame_segments_are_their_frames(tmp_path):
    _, codec = fitted(KINDS["patch"], tmp_path / "codec.safetensors")
    segments = torch.from_numpy(Videos().frames("v1")[1:]).unflatten(0, (2, 4))
    latents = codec.encode_segments(segments)
    assert torch.equal(latents.flatten(0, 1), codec.encode(segments.flatten(0, 1)))
    assert torch.equal(codec.decode_segments(latents), codec.decode(latents.flatten(0, 1)))
    assert torch.equal(codec.decode_end(latents[0], 2), codec.decode(latents[0, -2:]))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (KINDS["wan"].model_copy(update={"downsample": 16}), "this wan codec covers 8 pixels"),
        (
            KINDS["wan"].model_copy(update={"temporal": 4, "options": {**WAN, "temperal_downsample": [False] * 3}}),
            "codec.temporal = 4, but this Wan autoencoder joins 1 frames",
        ),
    ],
)
def test_what_does_not_fit_is_named(config, message):
    with pytest.raises(CodecError, match=message):
        build_codec(config)


@given(st.integers(0, 255), st.integers(0, 255))
def test_signal_and_frames_are_inverse(low, high):
    frames = torch.tensor([low, high], dtype=torch.uint8).repeat(6).reshape(1, 2, 2, 3)
    signal = to_signal(frames)
    assert signal.shape == (1, 3, 2, 2) and -1 <= signal.min() and signal.max() <= 1
    assert torch.equal(to_frames(signal), frames)


def test_a_signal_beyond_the_pixels_is_clipped():
    assert to_frames(torch.tensor([-3.0, 0.0, 3.0]).reshape(1, 3, 1, 1)).flatten().tolist() == [0, 128, 255]


def test_a_file_of_something_else_is_refused(tmp_path):
    save_tensors(tmp_path / "other.safetensors", {"a": torch.zeros(1)}, {"profile": "x"})
    with pytest.raises(CodecError, match="not a codec"):
        load_codec(tmp_path / "other.safetensors")


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "codec.safetensors"
    fitted(KINDS["patch"], path)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(TensorFileError, match="damaged: its contents have sha256 .* run the same snakemake command"):
        load_codec(path)
