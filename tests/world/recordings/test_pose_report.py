"""The lines of the check: clips that tell, one that cannot, one that cannot be read."""

import pytest

from echo.study.config import World
from echo.world.errors import RecordingError
from echo.world.recordings import pose_report
from echo.world.recordings.pose_check import Agreement
from echo.world.recordings.pose_report import report
from tests.world.recordings.samples import write_clip

SIZES = {"held_out_videos": 1, "source": "spatialvid"}


def test_each_clip_has_a_line_and_the_last_one_counts(tmp_path, monkeypatch):
    for name in ("g/a", "g/b", "g/c"):
        write_clip(tmp_path / "r", name)
    (tmp_path / "r" / "videos" / "g" / "c.mp4").unlink()
    honest, given = pose_report.agreement, []

    def watched(conventions, read, view):
        given.append((sorted(conventions), view))
        return honest(conventions, read, view)

    monkeypatch.setattr(pose_report, "agreement", watched)
    lines = list(report(World(path=str(tmp_path / "r"), **SIZES), tmp_path / "index", 5))
    assert [line.split(":")[0] for line in lines] == ["g/a", "g/b", "g/c", "world.poses_are"]
    assert given[0] == (["camera_to_world", "world_to_camera"], pytest.approx(71.075, abs=1e-3))
    # Blocks of grey say the same from every side, and the last clip has no frames.
    assert "(0 pairs)" in lines[2] and lines[-1].endswith("cannot tell; the study has world_to_camera")


def test_the_convention_that_most_clips_have_is_counted(tmp_path, monkeypatch):
    write_clip(tmp_path / "r", "g/a")
    scores = {"world_to_camera": 0.2, "camera_to_world": 0.9}
    monkeypatch.setattr(pose_report, "agreement", lambda *given: Agreement(scores, 8))
    *_, last = report(World(path=str(tmp_path / "r"), **SIZES), tmp_path / "index", 1)
    assert "1 for camera_to_world, 0 for world_to_camera, 0 cannot tell" in last


def test_a_format_that_leaves_no_choice_is_refused(tmp_path):
    with pytest.raises(RecordingError, match="realestate10k recordings say how their poses are to be read"):
        list(report(World(path=str(tmp_path), **{**SIZES, "source": "realestate10k"}), tmp_path / "index", 1))
