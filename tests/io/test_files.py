"""Writes that are whole or not there, and folders that belong to what they were made for."""

import numpy as np
import pytest
import torch

from echo.io.files import about_of, atomic_path, claim, digest, sha256, write_json
from echo.io.tensors import read_header, save_tensors


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_a_claimed_folder_is_emptied_for_another_digest_only(tmp_path):
    folder = tmp_path / "pool"
    claim(folder, "a")
    (folder / "video").write_text("kept")
    claim(folder, "a")
    assert (folder / "video").read_text() == "kept"
    claim(folder, "b")
    assert about_of(folder) == "b" and not (folder / "video").exists()


def test_somebodys_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ValueError, match="holds files, but no about.txt"):
        claim(tmp_path, "a")
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_digests_do_not_depend_on_key_order(tmp_path):
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})
    write_json(tmp_path / "x.json", {"b": 2, "a": 1})
    write_json(tmp_path / "y.json", {"a": 1, "b": 2})
    assert sha256(tmp_path / "x.json") == sha256(tmp_path / "y.json")


@pytest.mark.parametrize("wrap", [np.asarray, torch.as_tensor])
def test_tensors_and_header_come_back_and_views_are_not_scrambled(tmp_path, wrap):
    values = wrap(np.arange(12.0).reshape(3, 4))
    save_tensors(tmp_path / "x.safetensors", {"t": values.T}, {"b": [1, 2], "a": "x"})
    if isinstance(values, torch.Tensor):
        from safetensors.torch import load_file
    else:
        from safetensors.numpy import load_file
    assert (load_file(tmp_path / "x.safetensors")["t"] == values.T).all()
    assert read_header(tmp_path / "x.safetensors") == {"a": "x", "b": [1, 2]}
    save_tensors(tmp_path / "y.safetensors", {"t": values})
    assert read_header(tmp_path / "y.safetensors") == {}
