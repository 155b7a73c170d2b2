"""Twenty and more malformed answers: each is one line that names the case and says what was expected."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from echo.io.video import write_video
from echo.protocol import answers
from echo.protocol.answers import check_names, check_order, read_answer
from echo.protocol.errors import ProtocolError
from echo.protocol.files import write_frames
from echo.protocol.manifest import Entry

ENTRY = Entry(name="case", branch="revisit_near", room="r", frames=7, given=3, definition="0" * 16, pixels="0" * 16)
NUMBERS, SIZE, RATE = range(3, 7), (32, 48), 8.0
ROWS, COLUMNS = np.mgrid[:32, :48]
FRAMES = np.stack([np.stack([ROWS * 7 % 256, COLUMNS * 5 + 9 * k, ROWS + COLUMNS], -1) for k in range(4)]).astype(
    np.uint8
)


def read(folder: Path):
    return read_answer(folder, ENTRY, SIZE, RATE)


def of_pictures(folder: Path, frames=FRAMES, numbers=NUMBERS) -> Path:
    write_frames(folder / "case", frames, numbers)
    return folder / "case"


def declared(width: int, height: int) -> bytes:
    """A PNG that says it has these pixels, and hardly any data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def enlarged(factor: int) -> np.ndarray:
    return FRAMES.repeat(factor, 1).repeat(factor, 2)


def too_few_pictures(folder):
    of_pictures(folder, FRAMES[:2], range(3, 5))


def too_many_pictures(folder):
    of_pictures(folder, FRAMES[[0, 1, 2, 3, 3]], range(3, 8))


def numbered_from_zero(folder):
    of_pictures(folder, FRAMES, range(4))


def a_gap(folder):
    (of_pictures(folder) / "00005.png").unlink()


def another_file(folder):
    (of_pictures(folder) / "notes.txt").write_text("mine")


def an_empty_folder(folder):
    (folder / "case").mkdir()


def thousands_of_files(folder):
    (folder / "case").mkdir()
    for number in range(100):
        (folder / "case" / f"{number:05d}.png").touch()


def another_shape(folder):
    of_pictures(folder, FRAMES[:, :, :40])


def mixed_sizes(folder):
    Image.fromarray(enlarged(2)[1]).save(of_pictures(folder) / "00004.png")


def too_large(folder):
    of_pictures(folder, enlarged(5))


def no_picture(folder):
    (of_pictures(folder) / "00004.png").write_text("text")


def a_cut_picture(folder):
    path = of_pictures(folder) / "00004.png"
    path.write_bytes(path.read_bytes()[:-60])


def a_bomb_of_pixels(folder):
    (of_pictures(folder) / "00004.png").write_bytes(declared(60_000, 40_000))


def a_folder_for_a_picture(folder):
    (of_pictures(folder) / "00004.png").unlink()
    (folder / "case" / "00004.png").mkdir()


def a_link_out(folder):
    path = of_pictures(folder) / "00004.png"
    path.unlink()
    path.symlink_to("/etc/hostname")


def a_linked_folder(folder):
    (folder / "case").symlink_to("/etc")


def a_huge_file(folder):
    with open(of_pictures(folder) / "00004.png", "ab") as file:
        file.truncate(2**28)


def no_folder(folder):
    (folder / "case").write_text("frames")


def two_answers(folder):
    of_pictures(folder)
    write_video(folder / "case.mp4", FRAMES, RATE)


def no_video(folder):
    (folder / "case.mp4").write_text("text")


def a_cut_video(folder):
    write_video(folder / "case.mp4", FRAMES, RATE)
    data = (folder / "case.mp4").read_bytes()
    (folder / "case.mp4").write_bytes(data[: len(data) // 2])


def a_short_video(folder):
    write_video(folder / "case.mp4", FRAMES[:3], RATE)


def a_long_video(folder):
    write_video(folder / "case.mp4", FRAMES[[0] * 9], RATE)


def another_rate(folder):
    write_video(folder / "case.mp4", FRAMES, 30.0)


def a_video_of_another_shape(folder):
    write_video(folder / "case.mp4", FRAMES[:, :, :32], RATE)


def a_folder_called_video(folder):
    (folder / "case.mp4").mkdir()


def a_pickle(folder):
    (of_pictures(folder) / "00004.png").write_bytes(b"\x80\x04cposix\nsystem\n(S'touch pwned'\ntR.")


MALFORMED = {
    too_few_pictures: "2 frames, 00005.png is missing; expected 4 frames, 00003.png to 00006.png",
    too_many_pictures: "5 frames, 00003.png to 00007.png; expected 4",
    numbered_from_zero: "holds '00000.png'; expected 4 frames, 00003.png to 00006.png",
    a_gap: "3 frames, 00005.png is missing",
    another_file: "holds 'notes.txt'; expected 4 frames",
    an_empty_folder: "an empty folder; expected 4 frames",
    thousands_of_files: "more than 68 files; expected 4 frames",
    another_shape: "00003.png has 32 x 40 (height x width) pixels, another shape than 32 x 48",
    mixed_sizes: "frames of 32 x 48 (height x width) and of 64 x 96",
    too_large: "00003.png has 160 x 240 (height x width) pixels; expected at most 4 times 32 x 48",
    no_picture: "00004.png: frame of case cannot be read",
    a_cut_picture: "00004.png: frame of case cannot be read",
    a_bomb_of_pixels: "00004.png: frame of case",
    a_folder_for_a_picture: "00004.png is no file",
    a_link_out: "00004.png: leads out of",
    a_linked_folder: "leads out of",
    a_huge_file: "bytes; expected at most 1,146,880 for its frames",
    no_folder: "case is no folder of frames; a video is case.mp4",
    two_answers: "two answers, case.mp4 and the folder case; expected one",
    no_video: "case.mp4: case is truncated or no video",
    a_cut_video: "case.mp4: case is truncated or no video",
    a_short_video: "case.mp4 has 3 frames; expected 4, those to generate",
    a_long_video: "case.mp4 has 9 frames; expected 4",
    another_rate: "case.mp4 has 30 frames a second; expected 8",
    a_video_of_another_shape: "case.mp4 has 32 x 32 (height x width) pixels, another shape",
    a_folder_called_video: "case.mp4 is no file",
    a_pickle: "00004.png: frame of case cannot be read",
    Path.exists: "no answer; expected case.mp4 or a folder case in",
}


@pytest.mark.parametrize("spoil", MALFORMED, ids=lambda spoil: spoil.__name__)
def test_what_does_not_fit_is_one_line_with_the_cases_name(tmp_path, monkeypatch, spoil):
    monkeypatch.chdir(tmp_path)
    spoil(tmp_path)
    with pytest.raises(ProtocolError) as caught:
        read(tmp_path)
    line = str(caught.value)
    assert line.startswith("case: ") and MALFORMED[spoil] in line and "\n" not in line
    assert not (tmp_path / "pwned").exists()


def test_pictures_and_videos_are_read_and_other_sizes_are_resized(tmp_path):
    of_pictures(tmp_path)
    whole = read(tmp_path)
    assert np.array_equal(whole.frames, FRAMES) and not whole.resized
    (tmp_path / "v").mkdir()
    write_video(tmp_path / "v" / "case.mp4", FRAMES, RATE)
    video = read(tmp_path / "v")
    assert np.abs(video.frames.astype(int) - FRAMES).mean() < 25 and video.sha256 != whole.sha256
    of_pictures(tmp_path / "large", enlarged(2))
    large = read(tmp_path / "large")
    assert large.resized and large.frames.shape == FRAMES.shape
    smooth = np.asarray(Image.fromarray(enlarged(2)[0]).resize((48, 32), Image.Resampling.LANCZOS))
    assert np.array_equal(large.frames[0], smooth)


def test_nothing_is_decoded_that_is_too_large(tmp_path, monkeypatch):
    """The header alone is read of a bomb, and a file's size is known before it is opened."""
    monkeypatch.setattr(answers, "read_images", None)
    a_bomb_of_pixels(tmp_path)
    with pytest.raises(ProtocolError):
        read(tmp_path)
    monkeypatch.setattr(answers, "image_size", None)
    (tmp_path / "b").mkdir()
    a_huge_file(tmp_path / "b")
    with pytest.raises(ProtocolError, match="bytes"):
        read(tmp_path / "b")


def test_frames_that_run_backward_are_found_where_that_can_be_told(cases):
    entry = cases.set.entry("revisit_near_000")
    truth, last = cases.frames(entry.name, range(17, 25)), cases.of(entry.name).last[None]
    check_order(truth, last, truth, "case")
    check_order(np.repeat(last, 8, 0), last, truth, "case")  # frozen
    check_order(np.zeros_like(truth), last, truth, "case")
    with pytest.raises(ProtocolError, match="case: its last frame looks like the last given one"):
        check_order(truth[::-1], last, truth, "case")
    back = cases.frames("return_45_000", range(1, 17))  # ends where it starts: nothing can be told
    check_order(back[::-1], cases.of("return_45_000").last[None], back, "case")


def test_names_that_no_case_has_are_listed(tmp_path):
    for name in ("case", "swapped", "other", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("case.mp4", "answers.json", "weights.pt"):
        (tmp_path / name).touch()
    assert check_names(tmp_path, {"case"}) == ["'other': no case has this name", "'weights.pt': no case has this name"]
