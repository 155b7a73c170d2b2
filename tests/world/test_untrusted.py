"""Checks on what others wrote: links, names, numbers, gaps and lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echo.world.errors import PoolError
from echo.world.untrusted import (
    MAX_FRAMES,
    MAX_GAP,
    check_field_of_view,
    check_gaps,
    check_name,
    frame_number,
    locate,
    read_json,
    read_lines,
    shown,
)


def test_links_are_followed_inside_the_folder_alone(tmp_path):
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (tmp_path / "rootless").mkdir()
    (root / "inside").symlink_to("a")
    (root / "outside").symlink_to("../rootless")
    (root / "up").symlink_to("..")
    (tmp_path / "door").symlink_to(root)
    assert locate(root, "inside", "new.txt") == root / "inside" / "new.txt"
    assert locate(tmp_path / "door", "a").is_dir()  # the folder itself may be a link
    for parts in (("outside",), ("outside", "x"), ("up", "rootless"), ("..", "rootless"), ("/etc",)):
        with pytest.raises(PoolError, match="leads out of"):
            locate(root, *parts)


@given(st.integers(0, MAX_FRAMES - 1), st.integers(0, 3))
def test_frame_numbers_are_read_as_integers(number, zeros):
    assert frame_number("0" * zeros + str(number), "here") == number


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1_0", "1e3", "1.0", "\u0661", str(MAX_FRAMES), "9" * 5000])
def test_what_is_no_frame_number_is_refused(text):
    with pytest.raises(PoolError, match="^here: "):
        frame_number(text, "here")


@given(st.sets(st.integers(0, 40_000), max_size=8))
def test_gaps_are_found_like_a_plain_loop(numbers):
    rising, previous, wide = sorted(numbers), -1, False
    for number in rising:
        wide |= number - previous - 1 > MAX_GAP
        previous = number
    if wide:
        with pytest.raises(PoolError, match="in a row are missing before it; expected at most 10,000"):
            check_gaps(np.array(rising, np.int64), "here")
    else:
        check_gaps(np.array(rising, np.int64), "here")


@pytest.mark.parametrize("name", ["a", "L1/clip a", "caf\u00e9", "..a", "a-b_c.d", "n" * 255])
def test_names_of_files_are_taken(name):
    assert check_name(name, "here") == name


@pytest.mark.parametrize("name", ["", ".", "a/..", "/a", "a/", "a\nb", "a\u2028b", "a\udce9", "\u00e9" * 128, "a\x00"])
def test_other_names_are_refused(name):
    with pytest.raises(PoolError, match="^here: video name"):
        check_name(name, "here")


def test_lines_keep_their_numbers(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\n\n  \nfour\x0cand more\n")
    assert read_lines(tmp_path / "a.txt", "words") == [(1, "one"), (4, "four\x0cand more")]


def test_special_files_are_missing_and_not_read(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    for name in ("pipe.json", "zero.json", "none.json"):
        with pytest.raises(PoolError, match=f"{name}: things are missing"):
            read_json(tmp_path / name, "things")


def test_values_in_messages_are_short_and_on_one_line():
    assert shown("a\nb") == r"'a\nb'" and len(shown("x" * 1000)) == 60
    assert check_field_of_view(75.0, "here") == 75.0
    for degrees in (0.5, 179.5, float("nan")):
        with pytest.raises(PoolError, match="here: a field of view of"):
            check_field_of_view(degrees, "here")
