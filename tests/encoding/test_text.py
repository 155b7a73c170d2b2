import json
import subprocess
import sys

import pytest
import torch

from echo.encoding import text
from echo.encoding.text import TextError, Texts, embed, write_texts
from echo.io.tensors import NotFiniteError, TensorFileError
from echo.study.config import Text
from tests.conftest import ROOT, tiny_study
from tests.wan_folder import save_wan_folder, wan_study

CAPTIONS = ["brick room with two boxes", "Rock room", "a b c d e f g h i j"]
VIDEOS = {"first": CAPTIONS[0], "second": CAPTIONS[1], "third": CAPTIONS[0]}


def test_words_have_fixed_vectors():
    brick, rock, letters = embed(Text(dim=8, tokens=5), CAPTIONS)
    assert brick.shape == (5, 8) and rock.shape == (2, 8) and letters.shape == (5, 8)
    assert torch.equal(brick[1], rock[1])  # room
    backwards = embed(Text(dim=8, tokens=5), CAPTIONS[::-1])
    assert all(torch.equal(a, b) for a, b in zip([brick, rock, letters], backwards[::-1], strict=True))


def test_another_process_has_the_same_vectors():
    code = (
        "from echo.encoding.text import embed; from echo.study.config import Text; "
        "print(embed(Text(dim=4), ['brick'])[0].sum().item())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(out.stdout) == embed(Text(dim=4), ["brick"])[0].sum().item()


def test_none_is_one_zero_token():
    assert [one.shape for one in embed(Text(kind="none", dim=4), CAPTIONS)] == [(1, 4)] * 3


def test_a_caption_is_kept_once_and_padded_when_read(tmp_path):
    study = tiny_study()
    write_texts(study.text, VIDEOS, tmp_path / "text.safetensors")
    texts = Texts(tmp_path / "text.safetensors", study.text)
    assert torch.equal(texts.of("first"), texts.of("third"))
    assert texts.of("second").shape == (study.text.tokens, study.text.dim)
    assert torch.equal(texts.of("second")[:2], embed(study.text, [CAPTIONS[1]])[0])
    assert not texts.of("second")[2:].any()
    from safetensors import safe_open

    with safe_open(tmp_path / "text.safetensors", "pt") as file:
        assert len(file.keys()) == 2


def test_what_is_missing_or_of_another_encoder_is_named(tmp_path):
    study = tiny_study()
    with pytest.raises(TextError, match="no text embeddings there"):
        Texts(tmp_path / "absent.safetensors", study.text)
    write_texts(study.text, VIDEOS, tmp_path / "text.safetensors")
    with pytest.raises(TextError, match="no caption of 'fourth' among 3 videos"):
        Texts(tmp_path / "text.safetensors", study.text).of("fourth")
    with pytest.raises(TextError, match="the study asks for"):
        Texts(tmp_path / "text.safetensors", Text(dim=8))


def test_a_damaged_file_is_refused(tmp_path):
    study, path = tiny_study(), tmp_path / "text.safetensors"
    write_texts(study.text, VIDEOS, path)
    whole = bytearray(path.read_bytes())
    whole[-3] ^= 1
    path.write_bytes(whole)
    with pytest.raises(TensorFileError, match="text.safetensors: damaged"):
        Texts(path, study.text)


def test_embeddings_that_are_not_finite_are_never_written(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "embed", lambda config, captions: [torch.full((1, 6), float("nan"))] * len(captions))
    with pytest.raises(NotFiniteError, match="6 of 6 values of .* are not finite"):
        write_texts(tiny_study().text, VIDEOS, tmp_path / "text.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_wan_folder(tmp_path_factory.mktemp("hub") / "wan")


def test_the_pretrained_encoder_reads_each_caption_by_itself(folder, tmp_path):
    """Whatever stands beside it in a batch, a caption's tokens are what the encoder alone gives, padding left out."""
    from transformers import AutoTokenizer, UMT5EncoderModel

    study = wan_study(folder)
    write_texts(study.text, VIDEOS, tmp_path / "text.safetensors", folder)
    texts = Texts(tmp_path / "text.safetensors", study.text)
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
    encoder = UMT5EncoderModel.from_pretrained(folder / "text_encoder").eval()
    for video, caption in VIDEOS.items():
        tokens = tokenizer(caption, return_tensors="pt", truncation=True, max_length=24)
        with torch.no_grad():
            expected = encoder(tokens.input_ids).last_hidden_state[0]
        found = texts.of(video)
        assert found.shape == (24, 16) and 3 < len(expected) <= 24
        torch.testing.assert_close(found[: len(expected)], expected, rtol=1e-4, atol=1e-5)
        assert not found[len(expected) :].any()


def test_captions_are_cleaned_as_wan_cleans_them(folder):
    """Entities, double spaces and broken UTF-8 never reach the tokenizer; nor does white space at either end."""
    config = wan_study(folder).text
    untidy = ["a room &amp;amp;  a\u00a0door", " two\nboxes ", "the studentâ€™s desk"]
    clean = ["a room & a door", "two boxes", "the student's desk"]
    for found, expected in zip(text.encode(config, untidy, folder), text.encode(config, clean, folder), strict=True):
        assert torch.equal(found, expected)


def test_an_encoder_of_another_width_is_refused(folder, tmp_path):
    config = json.loads((folder / "text_encoder" / "config.json").read_text())
    study = wan_study(folder, text={"kind": "umt5", "dim": 20, "tokens": 24})
    with pytest.raises(TextError, match=f"text.dim = 20, but this text encoder is {config['d_model']} wide"):
        write_texts(study.text, VIDEOS, tmp_path / "text.safetensors", folder)
    with pytest.raises(TextError, match="needs a pretrained model"):
        write_texts(study.text, VIDEOS, tmp_path / "text.safetensors")
