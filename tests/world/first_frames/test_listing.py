"""The list of pictures: what it may hold, and the one line that says what is wrong with it."""

import itertools
import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from echo.world.errors import PoolError
from echo.world.first_frames.listing import LONGEST, read_listing
from tests.conftest import ROOT
from tests.pictures import write_pictures

HEAD = "file,caption,anchor,mask\n"
GOOD = "garden.jpg,A garden.,ball,\n"


@pytest.fixture
def folder(tmp_path):
    return write_pictures(tmp_path / "pictures")


def test_a_list_is_read_in_its_order(folder):
    garden, hall = read_listing(folder)
    assert (garden.name, garden.caption, garden.anchor) == ("garden", "A garden, at noon.", "red ball")
    assert garden.files == [folder / "garden.jpg", folder / "garden_mask.png"]
    assert (hall.name, hall.mask, hall.files) == ("inside-hall", None, [folder / "inside" / "hall.png"])
    assert hall.line == f"{folder / 'images.csv'}, line 3"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEAD + GOOD,
        (HEAD + GOOD).replace("\n", "\r\n"),
        HEAD + GOOD.rstrip("\n"),
        HEAD + "\n  ,,,\n" + GOOD,
        "anchor , mask, file, caption\nball,,garden.jpg, A garden. \n",
        "file,caption,anchor\ngarden.jpg,A garden.,ball\n",
    ],
    ids=["byte order mark", "CRLF", "no last newline", "blank lines", "other order and spaces", "no column of masks"],
)
def test_what_editors_and_spreadsheets_write_is_read(folder, text):
    (folder / "images.csv").write_text(text, newline="")
    (frame,) = read_listing(folder)
    assert (frame.name, frame.caption, frame.anchor, frame.mask) == ("garden", "A garden.", "ball", None)


def linked_out(folder):
    (folder.parent / "secret.png").write_bytes((folder / "inside" / "hall.png").read_bytes())
    (folder / "link.png").symlink_to(folder.parent / "secret.png")


def pipe(folder):
    os.mkfifo(folder / "pipe.png")


def copied(folder):
    (folder / "garden.png").write_bytes((folder / "inside" / "hall.png").read_bytes())


def braced(folder):
    (folder / "{row}.jpg").write_bytes((folder / "garden.jpg").read_bytes())


def hidden(folder):
    (folder / "garden.jpg").rename(folder / ".hidden.jpg")


def nothing(folder):
    pass


@pytest.mark.parametrize(
    ("text", "message", "prepare"),
    [
        ("", "line 1: expected the columns file,caption,anchor and, if there are masks, mask; got ''", nothing),
        ("file;caption;anchor\n", "line 1: expected the columns file,caption,anchor", nothing),
        ("file,caption,anchor,prompt\n", "line 1: expected the columns", nothing),
        ("file,caption,anchor,file\n", "line 1: expected the columns", nothing),
        ("file,caption\n", "line 1: expected the columns", nothing),
        (HEAD, "images.csv: expected one line per picture, got none", nothing),
        (HEAD + "garden.jpg,A garden, at noon,ball,\n", "line 2: expected 4 cells .*, got 5; .* quotes", nothing),
        (HEAD + 'garden.jpg,"A garden,ball,\n', "line 2: no CSV", nothing),
        (HEAD + GOOD + "lost.png,A hall.,ball,\n", "line 3: .*lost.png: no such file", nothing),
        (HEAD + "garden.jpg,A garden.,ball,lost.png\n", "line 2: .*lost.png: no such file", nothing),
        (HEAD + "../secret.png,A hall.,ball,\n", "line 2: .*leads out of", linked_out),
        (HEAD + "/etc/hostname.png,A hall.,ball,\n", "line 2: .*leads out of", nothing),
        (HEAD + "link.png,A hall.,ball,\n", "line 2: .*link.png: leads out of", linked_out),
        (HEAD + "garden.jpg,A garden.,ball,link.png\n", "line 2: .*link.png: leads out of", linked_out),
        (HEAD + "inside/../garden.jpg,A garden.,ball,\n", "line 2: .*without '.', '..' and '//'", nothing),
        (HEAD + "inside,A hall.,ball,\n", "line 2: 'inside': expected a file .png, .jpg, .jpeg, .webp", nothing),
        (HEAD + "pipe.png,A hall.,ball,\n", "line 2: .*pipe.png: no such file", pipe),
        (HEAD + "garden.jpg,A garden.,ball,garden.jpg\n", "line 2: 'garden.jpg': expected a file .png$", nothing),
        (HEAD + "garden.jpg,A garden.,   ,\n", "line 2: anchor is empty", nothing),
        (HEAD + "garden.jpg,,ball,\n", "line 2: caption is empty", nothing),
        (HEAD + ",A garden.,ball,\n", "line 2: file is empty", nothing),
        (HEAD + 'garden.jpg,"A\ngarden.",ball,\n', "line 3: caption .*line breaks", nothing),
        (HEAD + "garden.jpg,A\tgarden.,ball,\n", "line 2: caption .*control characters", nothing),
        (HEAD + f"garden.jpg,A garden.,{'b' * 201},\n", "line 2: anchor has 201 characters; .*at most 200", nothing),
        (HEAD + GOOD + GOOD, "line 3: 'garden.jpg' would be called 'garden' like the picture of line 2", nothing),
        (HEAD + GOOD + "garden.png,A garden.,ball,\n", "line 3: 'garden.png' would be called 'garden'", copied),
        (HEAD + "{row}.jpg,A garden.,ball,\n", "line 2: '{row}.jpg': braces in its name", braced),
        (HEAD + "garden.jpg,A garden.,ball,{row}.png\n", "line 2: '{row}.png': braces in its name", nothing),
        (HEAD + ".hidden.jpg,A garden.,ball,\n", "line 2: .*without a leading dot", hidden),
    ],
)  # fmt: skip
def test_a_bad_list_is_one_line_with_its_number(folder, text, message, prepare):
    prepare(folder)
    (folder / "images.csv").write_text(text, newline="")
    with pytest.raises(PoolError) as caught:
        read_listing(folder)
    assert re.search(message, str(caught.value)) and "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(folder / "images.csv"))


def test_bytes_that_are_no_utf8_a_missing_list_and_a_missing_folder_are_named(folder, tmp_path):
    (folder / "images.csv").write_bytes(HEAD.encode() + b"garden.jpg,caf\xe9,ball,\n")
    with pytest.raises(PoolError, match="images.csv, line 2: pictures: expected UTF-8, got the byte 0xe9"):
        read_listing(folder)
    (folder / "images.csv").unlink()
    with pytest.raises(PoolError, match="images.csv: pictures are missing"):
        read_listing(folder)
    (tmp_path / "{row}").mkdir()
    with pytest.raises(PoolError, match=r"\{row\}: braces in its name"):
        read_listing(tmp_path / "{row}")
    with pytest.raises(PoolError, match=r"nowhere: no such folder; .*\(open_domain.images\)"):
        read_listing(tmp_path / "nowhere")


def test_the_list_itself_may_not_lead_out_of_the_folder(folder, tmp_path):
    (folder / "images.csv").rename(tmp_path / "images.csv")
    (folder / "images.csv").symlink_to(tmp_path / "images.csv")
    with pytest.raises(PoolError, match="leads out of"):
        read_listing(folder)


def test_more_pictures_than_can_be_meant_are_refused(folder, monkeypatch):
    monkeypatch.setattr("echo.world.first_frames.listing.MOST", 1)
    with pytest.raises(PoolError, match="line 3: more than 1 pictures"):
        read_listing(folder)


def blocks():
    """The lists that the documentation shows."""
    lines = (ROOT / "docs" / "open_domain.md").read_text().splitlines()
    for start in [i for i, line in enumerate(lines) if line.startswith("    file,caption,anchor")]:
        yield list(itertools.takewhile(lambda line: line.startswith("    "), lines[start:]))


def test_the_lists_in_the_documentation_can_be_read(tmp_path):
    counts = []
    for number, block in enumerate(blocks()):
        folder = tmp_path / str(number)
        for file in re.findall(r"[\w/]+\.(?:png|jpg)", "\n".join(block)):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).touch()
        (folder / "images.csv").write_text("\n".join(line.strip() for line in block) + "\n")
        counts.append(len(read_listing(folder)))
    assert counts == [2, 8]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.lists(st.text(max_size=30), max_size=5), max_size=4))
def test_any_text_is_a_list_or_one_line(folder, cells):
    text = HEAD + "\n".join(",".join(row) for row in cells)
    (folder / "images.csv").write_bytes(text.encode(errors="surrogatepass"))
    try:
        frames = read_listing(folder)
    except PoolError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000
    else:
        assert all(len(frame.caption) <= LONGEST["caption"] and frame.anchor for frame in frames)


def test_a_list_is_read_without_decoding_a_picture(folder, monkeypatch):
    def fail(*arguments, **options):
        raise AssertionError("opened")

    monkeypatch.setattr(Image, "open", fail)
    assert len(read_listing(folder)) == 2
