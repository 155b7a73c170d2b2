"""An entry of ``checkpoints``."""

import pytest
from pydantic import ValidationError

from echo.study.sections.checkpoint import Checkpoint

HUB = {"repo": "Echo-Team/Echo-Memory", "file": "context_k1/epoch-0.safetensors", "revision": "0123456789abcdef"}


def test_a_file_lies_where_it_is_and_a_download_below_its_commit():
    assert Checkpoint(path="data/epoch-0.safetensors").local == "data/epoch-0.safetensors"
    expected = "resources/released/Echo-Team--Echo-Memory@0123456789ab/context_k1/epoch-0.safetensors"
    assert Checkpoint(**HUB, sha256="a" * 64).local == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "expected either path, or repo, file and revision"),
        ({"sha256": "a" * 64}, "expected either path"),
        ({**HUB, "path": "x"}, "expected either path"),
        ({**HUB, "revision": None}, "a download needs repo, file and revision"),
        ({**HUB, "file": "../x.safetensors"}, "a path within the repository"),
        ({**HUB, "file": "epoch-0.pt"}, "pattern"),
        ({"path": "x", "sha256": "A" * 64}, "pattern"),
        ({"path": "x", "sha256": "abc"}, "pattern"),
    ],
)
def test_a_checkpoint_has_one_place(values, message):
    with pytest.raises(ValidationError, match=message):
        Checkpoint.model_validate(values)
