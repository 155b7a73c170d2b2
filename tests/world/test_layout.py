"""Files of the layout: what is written is read, and tables of text that looks like numbers stay text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from echo.world.errors import PoolError
from echo.world.layout import check_spans, frame_name, info_table, pose_rows, read_captions, read_info


@given(
    st.dictionaries(
        st.text("abc/é _", min_size=1, max_size=6).filter(lambda name: all(name.split("/")) and name.strip() == name),
        st.lists(
            st.tuples(st.integers(1, 50), st.text(st.characters(exclude_characters="\r\n\0"), max_size=8)), min_size=1
        ),
        max_size=4,
    )
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_captions_that_were_written_are_read(tmp_path, videos):
    spans, lines = {}, []
    for video, pieces in videos.items():
        first = 0
        for length, caption in pieces:
            spans.setdefault(video, []).append((first, first + length - 1, caption))
            lines.append(f"{video}/{first}_{first + length - 1}.mp4\t{caption}\n")
            first += length
    try:
        text = "".join(lines).encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text
    (tmp_path / "captions.txt").write_bytes(text)
    assert read_captions(tmp_path / "captions.txt") == spans


def test_names_that_look_like_numbers_stay_text(tmp_path):
    rows = [("0007", "train", "1e3", "NA", "train", 3), ("1e3", "train", "nan", "", "train", 4)]
    table = info_table(rows)
    table.reset_index().to_csv(tmp_path / "videos.csv", index=False)
    assert read_info(tmp_path / "videos.csv").equals(table)
    assert table.index.tolist() == ["0007", "1e3"] and table.room.tolist() == ["1e3", "nan"]
    assert table.frames.tolist() == [3, 4] and table.frames.dtype == np.int64


def test_poses_are_position_then_rotation():
    cameras = {"3": {"position": [1, 2, 3], "rotation": [4, 5, 6.5]}, "0": {"position": [0] * 3, "rotation": [0] * 3}}
    assert pose_rows(cameras, [3, 0], Path("a.json"), "a").tolist() == [[1, 2, 3, 4, 5, 6.5], [0] * 6]
    assert pose_rows(cameras, [], Path("a.json"), "a").shape == (0, 6)
    with pytest.raises(PoolError, match="a.json: poses of a are malformed: frame 1: expected"):
        pose_rows(cameras, [1], Path("a.json"), "a")


def test_spans_end_within_the_video_and_frames_have_four_digits():
    check_spans([(0, 4, "x"), (5, 9, "y")], 10, Path("captions.txt"), "a")
    with pytest.raises(PoolError, match="the caption of frames 5 to 9 of a reaches beyond its 9 frames"):
        check_spans([(0, 4, "x"), (5, 9, "y")], 9, Path("captions.txt"), "a")
    assert [frame_name(i) for i in (0, 76, 12345)] == ["0000.png", "0076.png", "12345.png"]
