"""Shipping: a base with the codec that it speaks, in half precision, and nothing else."""

import json

import pytest
import torch

from echo.encoding import shipped
from echo.encoding.codec import load_codec
from echo.encoding.fit import fit_codec, quality, take_codec
from echo.encoding.shipped import ship, verified
from echo.io.files import write_json
from echo.io.tensors import load_tensors, read_header, save_tensors, stored_hash
from echo.study.shipped import ShippedError
from echo.study.study import MODEL_SECTIONS, model_sizes
from tests.conftest import tiny_study
from tests.encoding.videos import KINDS, Videos

STUDY = tiny_study()


@pytest.fixture
def sources(tmp_path):
    """A base and a codec as the stages write them."""
    codec, base = tmp_path / "codec.safetensors", tmp_path / "base.safetensors"
    fit_codec(KINDS["patch"], 0, Videos(), codec)
    rig = {**model_sizes(STUDY), "train": {"timestep_shift": 7.0}}
    header = {"profile": "{}", "rig": json.dumps(rig), "encoder": load_codec(codec).encoder_digest(), "steps": "3"}
    draw = torch.Generator().manual_seed(0)
    tensors = {"a": torch.randn(3, 4, generator=draw), "count": torch.arange(3)}
    save_tensors(base, tensors, header)
    write_json(tmp_path / "base.record.json", {"recipe": {"steps": 3}, "steps": 3, "seconds": 1.5, "commit": "c"})
    return base, codec


def test_what_is_shipped_is_the_source_in_half_precision(sources, tmp_path):
    base, codec = sources
    record = ship(base, codec, tmp_path / "out")
    held, full = load_tensors(verified(tmp_path / "out", "base")), load_tensors(base)
    assert torch.equal(held["a"], full["a"].half()) and torch.equal(held["count"], full["count"])
    assert read_header(tmp_path / "out" / "base.safetensors") == read_header(base)
    assert json.loads((tmp_path / "out" / "record.json").read_text()) == record
    assert record["sizes"] == json.loads(json.dumps(model_sizes(STUDY))) and set(record["sizes"]) == set(MODEL_SECTIONS)
    assert record["training"] == {"recipe": {"steps": 3}, "steps": 3, "seconds": 1.5, "commit": "c"}
    for name, path in (("base", base), ("codec", codec)):
        file = tmp_path / "out" / f"{name}.safetensors"
        assert record["files"][name] == {
            "sha256": stored_hash(file), "bytes": file.stat().st_size, "full_precision_sha256": stored_hash(path)
        }  # fmt: skip


def test_a_shipped_codec_decodes_as_its_source(sources, tmp_path):
    base, codec = sources
    ship(base, codec, tmp_path / "out")
    take_codec(verified(tmp_path / "out", "codec"), tmp_path / "taken.safetensors")
    first, second = load_codec(codec), load_codec(tmp_path / "taken.safetensors")
    frames = torch.from_numpy(Videos().frames("v0"))
    assert all(value.dtype == torch.float32 for value in second.state_dict().values())
    torch.testing.assert_close(second.encode(frames), first.encode(frames), rtol=0, atol=0.01)
    assert (second.decode(second.encode(frames)).int() - first.decode(first.encode(frames)).int()).abs().max() <= 2
    found = quality(second, 0, Videos())
    assert found["numbers_per_frame"] == 20 * 4 and found["held_out_psnr"] > 20


def test_another_codecs_base_is_refused(sources, tmp_path):
    base, _ = sources
    other = tmp_path / "other.safetensors"
    fit_codec(KINDS["patch"].model_copy(update={"train_frames": 30}), 1, Videos(), other)
    with pytest.raises(ShippedError, match="other.safetensors: its encoder is .* was trained on latents of encoder"):
        ship(base, other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_only_a_base_of_the_recipe_is_shipped(sources, tmp_path):
    base, codec = sources
    (tmp_path / "base.record.json").unlink()
    with pytest.raises(ShippedError, match="not a base with its record"):
        ship(base, codec, tmp_path / "out")


def test_files_that_are_too_large_are_refused(sources, tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "LARGEST", 1000)
    with pytest.raises(ShippedError, match="bytes in half precision, expected at most 1000"):
        ship(*sources, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_weight_beyond_half_precision_is_named(sources, tmp_path):
    base, codec = sources
    save_tensors(base, {"a": torch.tensor([1.0, 1e6])}, read_header(base))
    with pytest.raises(ShippedError, match="base.safetensors: a has values beyond the range"):
        ship(base, codec, tmp_path / "out")
    assert not (tmp_path / "out").exists()
