"""Guidance: what it changes, what it must not change, and that it is refused where it cannot work."""

import json
from dataclasses import replace

import pytest
import torch

from echo.encoding.codec import load_codec
from echo.encoding.fit import fit_codec
from echo.encoding.shipped import ship
from echo.encoding.text import TextError, Texts, embed, write_texts
from echo.io.files import write_json
from echo.io.tensors import read_header
from echo.model.backbone import Backbone
from echo.model.base import BASE
from echo.model.row import Row
from echo.rollout.guide import Guide
from echo.rollout.sampler import Sampler
from echo.study.provenance import record_of
from echo.study.shipped import ShippedError
from tests.conftest import tiny_study
from tests.encoding.videos import Videos
from tests.rollout.cases_of_tests import STUDY, batch_of, moved_row, setting_for


def moved_base(scale: float = 0.2) -> Row:
    row, draw = Row(STUDY, BASE), torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in row.parameters():
            weight.add_(scale * torch.randn(weight.shape, generator=draw))
    return row


def sampled(guide: Guide | None, name: str = "context_k5"):
    return Sampler(STUDY, moved_row(name), guide=guide).rollout(batch_of("recall", setting_for("recall")))[0]


def test_a_scale_of_one_is_no_guidance_and_of_zero_the_guide_alone():
    torch.testing.assert_close(sampled(Guide(moved_base(), 1.0)), sampled(None), rtol=1e-5, atol=1e-5)
    alone = Sampler(STUDY, moved_base()).rollout(batch_of("recall", setting_for("recall")))[0]
    torch.testing.assert_close(sampled(Guide(moved_base(), 0.0)), alone, rtol=1e-5, atol=1e-5)


def test_a_guide_that_is_the_row_itself_changes_nothing():
    guide = Guide(moved_row("i2v"), 3.0)
    torch.testing.assert_close(sampled(guide, "i2v"), sampled(None, "i2v"), rtol=1e-4, atol=1e-4)


def test_one_step_is_carried_on_away_from_the_guide():
    """With one Euler step the frames are linear in the velocity, and so in the scale."""
    one, made = (
        STUDY.model_copy(update={"sampler": STUDY.sampler.model_copy(update={"steps": 1})}),
        setting_for("recall"),
    )
    row, weak = moved_row("context_k5", one), moved_base()

    def frames(guide: Guide | None):
        return Sampler(one, row, guide=guide).rollout(batch_of("recall", made))[0]

    weakly, plainly = frames(Guide(weak, 0.0)), frames(None)
    assert not torch.allclose(weakly, plainly)
    torch.testing.assert_close(frames(Guide(weak, 2.5)), weakly + 2.5 * (plainly - weakly), rtol=1e-4, atol=1e-4)


def test_the_guide_sees_nothing_of_the_past_but_the_anchor(monkeypatch):
    """Whatever the true history was, the guide's part is the same: only the row's memory tells two pasts apart."""
    made, weak, seen = setting_for("recall"), moved_base(), []
    forward = weak.backbone.forward
    monkeypatch.setattr(weak.backbone, "forward", lambda *given: seen.append(given) or forward(*given))
    sampler = Sampler(STUDY, moved_row("context_k5"), guide=Guide(weak, 2.0))
    sampler.rollout(batch_of("recall", made))
    assert len(seen) == STUDY.sampler.steps
    for target, _, anchor, _, read in seen:
        assert anchor.count == 1 and read.frames is None and read.text is None and not read.hooks
        assert target.count == STUDY.segment.frames


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guide")
    fit_codec(STUDY.codec, 0, Videos(), folder / "codec.safetensors")
    moved_base().save(folder / "base.safetensors", encoder=load_codec(folder / "codec.safetensors").encoder_digest())
    write_json(record_of(folder / "base.safetensors"), {"recipe": {}, "steps": 1})
    ship(folder / "base.safetensors", folder / "codec.safetensors", folder / "shipped")
    return folder / "shipped"


def test_a_guide_comes_from_a_shipped_base_of_the_same_codec(shipped, tmp_path):
    study = STUDY.model_copy(update={"sampler": STUDY.sampler.model_copy(update={"guidance": 1.5})})
    guide = Guide.load(study, shipped, load_codec(shipped / "codec.safetensors"))
    assert guide.scale == 1.5 and json.loads(read_header(shipped / "base.safetensors")["profile"])["name"] == "base"
    wanted = moved_base().state_dict()
    for name, value in guide.row.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, wanted[name], rtol=1e-3, atol=1e-4)
    fit_codec(tiny_study(codec={"options": {"whiten": 0.5}}).codec, 0, Videos(), tmp_path / "other.safetensors")
    with pytest.raises(ShippedError, match="a guide for latents of encoder .* sampler.guide: null"):
        Guide.load(study, shipped, load_codec(tmp_path / "other.safetensors"))


def text_guided(scale: float, negative: torch.Tensor | None = None, name: str = "context_k5") -> torch.Tensor:
    """Frames of two recall cases; negative: the embedded prompt, by default all zeros."""
    sampler = STUDY.sampler.model_copy(update={"text_guidance": scale, "steps": 1})
    study, batch = STUDY.model_copy(update={"sampler": sampler}), batch_of("recall", setting_for("recall"))
    if scale > 1:
        batch = replace(batch, negative=torch.zeros_like(batch.text[0]) if negative is None else negative)
    return Sampler(study, moved_row(name, study)).rollout(batch)[0]


def test_text_guidance_of_one_is_none_to_the_bit(tmp_path):
    one = STUDY.model_copy(update={"sampler": STUDY.sampler.model_copy(update={"text_guidance": 1.0})})
    made = batch_of("recall", setting_for("recall"))
    assert torch.equal(Sampler(one, moved_row("context_k5")).rollout(made)[0], sampled(None))
    write_texts(one.text, {"a": "a room"}, tmp_path / "plain.safetensors")
    with pytest.raises(TextError, match="no embedding of the negative prompt ''"):
        Texts(tmp_path / "plain.safetensors", one.text).negative("")


def test_guidance_by_text_without_the_prompt_is_an_error():
    sampler = STUDY.sampler.model_copy(update={"text_guidance": 2.0})
    study = STUDY.model_copy(update={"sampler": sampler})
    with pytest.raises(ValueError, match="text_guidance = 2: a batch without the embedded negative prompt"):
        Sampler(study, moved_row("i2v", study)).rollout(batch_of("recall", setting_for("recall")))


def test_text_guidance_leads_away_from_the_negative_prompt():
    """With one Euler step frames are linear in the scale; the caption itself as the prompt changes nothing."""
    plain, twice, thrice = (text_guided(scale) for scale in (1.0, 2.0, 3.0))
    assert not torch.allclose(plain, twice)
    torch.testing.assert_close(thrice - twice, twice - plain, rtol=1e-3, atol=1e-3)
    own = batch_of("recall", setting_for("recall")).text[0]
    torch.testing.assert_close(text_guided(5.0, own)[0], plain[0], rtol=1e-4, atol=1e-4)


def test_the_negative_prompt_reads_the_same_memory(monkeypatch):
    seen, forward = [], Backbone.forward
    monkeypatch.setattr(Backbone, "forward", lambda self, *given: seen.append(given) or forward(self, *given))
    text_guided(2.0)
    (_, _, anchor, text, read), (_, _, other_anchor, other_text, other_read) = seen
    assert read is other_read and anchor is other_anchor and text.any() != other_text.any()


def test_the_negative_prompt_is_embedded_with_the_captions(tmp_path):
    path = tmp_path / "text.safetensors"
    write_texts(STUDY.text, {"a": "a room", "b": "two boxes"}, path, negative="static")
    texts = Texts(path, STUDY.text)
    assert torch.equal(texts.negative("static")[:1], embed(STUDY.text, ["static"])[0])
    assert texts.negative("static").shape == texts.of("a").shape and list(texts.videos) == ["a", "b"]
    with pytest.raises(TextError, match="no embedding of the negative prompt 'blurry'"):
        texts.negative("blurry")
