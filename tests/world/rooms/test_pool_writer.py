"""The layout on disk, and what counts as written."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest

from echo.world.rooms.pool_writer import is_written


def test_the_layout_is_the_context_as_memory_datasets(pools):
    folder = pools["unpacked"]
    video = "open_000_medkit__return_45"
    cameras = json.loads((folder / "jsons" / f"{video}.json").read_text())["CineCameraActor"]
    assert set(cameras) == {str(i) for i in range(9)}
    assert set(cameras["0"]) == {"position", "rotation"} and len(cameras["0"]["rotation"]) == 3
    assert (folder / "frames" / video / "0008.png").is_file()
    assert "overlapping_frames" in json.loads((folder / "overlap_labels" / video / "0.json").read_text())
    line = (folder / "captions.txt").read_text().splitlines()[0]
    assert line.startswith("open_000_tree_pine__return_45/0_8.mp4\t")
    assert list(pd.read_csv(folder / "metadata.csv")) == ["video", "prompt", "video_name", "start_frame", "end_frame"]


VIDEO = "open_000_medkit__return_45"


@pytest.mark.parametrize(
    ("layout", "part"),
    [
        ("packed", f"jsons/{VIDEO}.json"),
        ("packed", f"packed/{VIDEO}.safetensors"),
        ("unpacked", f"jsons/{VIDEO}.json"),
        ("unpacked", f"frames/{VIDEO}"),
        ("unpacked", f"overlap_labels/{VIDEO}"),
        ("unpacked", f"depth/{VIDEO}.safetensors"),
        ("unpacked", f"masks/{VIDEO}.safetensors"),
    ],
)
def test_a_video_is_written_once_all_its_files_are_there(pools, tmp_path, layout, part):
    shutil.copytree(pools[layout], tmp_path / "pool")
    assert is_written(tmp_path / "pool", VIDEO, layout == "packed")
    path = tmp_path / "pool" / part
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert not is_written(tmp_path / "pool", VIDEO, layout == "packed")
