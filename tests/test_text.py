import subprocess
import sys

import torch

from echo.config import Text
from echo.text import embed
from tests.conftest import ROOT

CAPTIONS = ["brick room with two boxes", "Rock room", "a b c d e f g h i j"]


def test_words_have_fixed_vectors():
    out = embed(Text(dim=8, tokens=5), CAPTIONS)
    assert out.shape == (3, 5, 8)
    assert torch.equal(out[0, 1], out[1, 1])  # room
    assert not out[1, 2:].any()
    assert torch.equal(embed(Text(dim=8, tokens=5), CAPTIONS[::-1]), out.flip(0))


def test_another_process_has_the_same_vectors():
    code = (
        "from echo.text import embed; from echo.config import Text; print(embed(Text(dim=4), ['brick']).sum().item())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(out.stdout) == embed(Text(dim=4), ["brick"]).sum().item()


def test_none_is_one_zero_token():
    assert embed(Text(kind="none", dim=4), CAPTIONS).shape == (3, 1, 4)
    assert not embed(Text(kind="none", dim=4), CAPTIONS).any()
