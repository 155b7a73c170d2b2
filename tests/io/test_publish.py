"""What is published is whole, and outlives its removal under the published name."""

import os

from echo.io.publish import publish


def test_a_published_file_is_the_made_one_and_replaces_an_older(tmp_path):
    made, out = tmp_path / "work" / "a.bin", tmp_path / "out" / "a.bin"
    made.parent.mkdir()
    made.write_bytes(b"new")
    out.parent.mkdir()
    out.write_bytes(b"old")
    publish(made, out)
    assert out.read_bytes() == b"new" and os.listdir(out.parent) == ["a.bin"]
    out.unlink()  # as Snakemake does before it runs a job again
    assert made.read_bytes() == b"new"


def test_a_file_system_without_links_gets_a_copy(tmp_path, monkeypatch):
    def no_links(*_: object) -> None:
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", no_links)
    made = tmp_path / "a.bin"
    made.write_bytes(b"new")
    publish(made, tmp_path / "out" / "a.bin")
    assert (tmp_path / "out" / "a.bin").read_bytes() == b"new"
