"""A released file from the model hub: pinned, verified, and refused in one line where it cannot be had."""

import pytest

from echo.io.files import sha256
from echo.model.released_file import ReleasedFileError, fetch
from echo.study.sections.checkpoint import Checkpoint


def test_a_download_is_pinned_verified_and_removed_where_it_is_another_file(tmp_path, monkeypatch):
    asked, out = [], tmp_path / "held" / "k1" / "epoch-0.safetensors"

    def download(repo, file, revision, local_dir):
        asked.append((repo, file, revision, local_dir))
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(b"weights")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    hub = {"repo": "a/b", "file": "k1/epoch-0.safetensors", "revision": "abc"}
    fetch(Checkpoint(**hub), out)
    held = sha256(out)
    fetch(Checkpoint(**hub, sha256=held), out)
    assert asked == [("a/b", "k1/epoch-0.safetensors", "abc", tmp_path / "held")] * 2
    with pytest.raises(ReleasedFileError, match=f"has sha256 {held}, expected {'0' * 64}"):
        fetch(Checkpoint(**hub, sha256="0" * 64), out)
    assert not out.exists()

    def unreachable(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", unreachable)
    with pytest.raises(ReleasedFileError, match=r"did not finish \(no route to host\).*hf download a/b k1/epoch-0"):
        fetch(Checkpoint(**hub), out)
