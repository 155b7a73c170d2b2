"""Hostile pools: what is done to a sound folder of each layout, and the message that names it.

A case's damage is a function of the folder. What ``read_all`` meets is either a value or the line of a PoolError; the
case's pattern must match one of the lines.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pandas as pd
from PIL import Image

from echo.world.errors import PoolError
from echo.world.layout import COLUMNS
from echo.world.pool import open_pool
from echo.world.recordings import open_recordings
from echo.world.rooms.pool_writer import Video, write_tables, write_video
from tests.world.recordings.samples import picture, turning_poses, write_cameras, write_clip, write_scene
from tests.world.recordings.samples import write_video as write_film

CAM, RE, SV, POOL = "context_as_memory", "realestate10k", "spatialvid", "pool"
LAYOUTS = (CAM, RE, SV, POOL)
FRAMES = 6
SECRET = "secret"  # a folder beside the pool that nothing may read


def write_sound(layout: str, folder: Path) -> None:
    """Two sound videos of ``FRAMES`` frames or a little more in the layout, the first of them to be damaged."""
    if layout == CAM:
        for scene in ("a", "b"):
            write_scene(folder, scene, turning_poses(FRAMES))
    elif layout == RE:
        for name in ("a", "b"):
            write_cameras(folder / f"{name}.txt", [1000 * i for i in range(FRAMES)])
            (folder / name).mkdir()
            for i in range(FRAMES):
                Image.fromarray(picture(i)).save(folder / name / f"{1000 * i}.png")
        write_cameras(folder / "film.txt", [round(i * 1e6 / 30) for i in range(FRAMES)], aspect=0.5)
        write_film(folder / "film.mp4", FRAMES)
    elif layout == SV:
        for name in ("g/a", "g/b"):
            write_clip(folder, name, frames=FRAMES, indexes=[0, 3, 5])
    else:
        write_rendered(folder)


def write_rendered(folder: Path) -> None:
    """A pool as the renderer writes it, of noise: ``a`` unpacked, ``b`` packed."""
    draw, rows, captions = np.random.default_rng(0), [], {}
    for name, packed in (("a", False), ("b", True)):
        shape = (FRAMES, 8, 8)
        rgb, ids = draw.integers(0, 256, (*shape, 3), np.uint8), draw.integers(0, 256, shape, np.uint8)
        depth, overlapping = draw.random(shape, np.float32), np.eye(FRAMES, dtype=bool)
        write_video(folder, Video(name, rgb, depth, ids, turning_poses(FRAMES), overlapping, f"room {name}"), packed)
        rows.append((name, "train", name, "duckie", "train", FRAMES))
        captions[name] = f"room {name}"
    write_tables(folder, pd.DataFrame(rows, columns=COLUMNS), captions)


def read_all(layout: str, folder: Path) -> list[str]:
    """Open the folder and read all of every video; the messages of all PoolErrors, in order."""
    messages: list[str] = []

    def attempt(read: Callable[[], object]) -> object:
        try:
            return read()
        except PoolError as error:
            messages.append(str(error))
            return None

    if layout == POOL:
        pool = attempt(lambda: open_pool(folder))
        for video in (pool and attempt(lambda: pool.videos)) or []:
            for name in ("length", "frames", "poses", "caption", "masks", "depth"):
                attempt(lambda name=name, video=video: getattr(pool, name)(video))
            attempt(lambda video=video: pool.overlapping(video, 0))
        return messages
    recordings = attempt(lambda: open_recordings(layout, folder, folder.parent / "index.safetensors"))
    if recordings is None:
        return messages
    for video in recordings.videos:
        attempt(lambda video=video: recordings.size(video))
        attempt(lambda video=video: recordings.poses(video))
        attempt(lambda video=video: recordings.frames(video, range(recordings.length(video))))
        attempt(lambda video=video: recordings.caption(video))
        if layout == CAM:
            attempt(lambda video=video: recordings.overlapping(video, 0))
    messages += [problem for problem in recordings.index.problems if problem]
    return messages


@dataclass(frozen=True)
class Case:
    """One hostile pool. pattern: what a message must match; None where the oddity is taken as it is meant."""

    name: str
    layout: str
    damage: Callable[[Path], None]
    pattern: str | None


def _bytes(file: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / file).write_bytes(content)


def _text(file: str, content: str) -> Callable[[Path], None]:
    return _bytes(file, content.encode())


def _replaced(file: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    """Damage that replaces the first ``old`` of a file."""

    def damage(folder: Path) -> None:
        content = (folder / file).read_bytes()
        assert old in content
        (folder / file).write_bytes(content.replace(old, new, 1))

    return damage


def _linked(file: str, target: str) -> Callable[[Path], None]:
    """Damage that puts a symbolic link in place of a file or folder."""

    def damage(folder: Path) -> None:
        path = folder / file
        if path.exists() or path.is_symlink():
            os.rename(path, path.with_name(f".{path.name}.old"))
        path.symlink_to(target.replace("SECRET", str(folder.parent / SECRET)))

    return damage


def _cameras(change: Callable[[dict], None]) -> Callable[[Path], None]:
    """Damage to ``jsons/a.json``: ``change`` edits the mapping of frame numbers to cameras."""

    def damage(folder: Path) -> None:
        path = folder / "jsons" / "a.json"
        content = json.loads(path.read_text())
        change(content["CineCameraActor"])
        path.write_text(json.dumps(content))

    return damage


def _pose(name: str, value: object) -> Callable[[Path], None]:
    return _cameras(lambda cameras: cameras["2"].update({name: value}))


def png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that declares any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def npy(shape: tuple[int, ...], data: bytes = b"\0" * 56) -> bytes:
    """An npy file of a few bytes that declares any shape of float64."""
    header = repr({"descr": "<f8", "fortran_order": False, "shape": shape}).encode()
    header = header.ljust(118 - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def _wide_film(folder: Path) -> None:
    """A film of 16,400 x 16 pixels, which compresses to nothing."""
    with av.open(str(folder / "film.mp4"), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 16_400, 16, "yuv420p"
        for _ in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 16_400, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _caption(line: str) -> Callable[[Path], None]:
    return _text("captions.txt", f"b/0_5.mp4\tsound\n{line}\n")


LINE_2 = r"captions.txt, line 2: "
BIG = 10**12

CASES = [
    # Numbers that ask for terabytes.
    Case("a pose number of 10^12", CAM, _cameras(lambda c: c.update({str(BIG): c["0"]})),
         r"a.json: poses of a: frame number 1000000000000: a video has at most 10,000,000 frames"),
    Case("a pose number of 5,000 digits", CAM, _cameras(lambda c: c.update({"9" * 5000: c["0"]})),
         r"a.json: poses of a: frame number 9{50,60}\.*: a video has at most"),
    Case("a pose far beyond all others", CAM, _cameras(lambda c: c.update({"9999999": c["0"]})),
         r"a.json: poses of a: frame 9999999: 9,999,993 frames in a row are missing before it"),
    Case("a frame file numbered 10^12", CAM, lambda f: (f / "frames/a/1000000000000.png").write_bytes(png(32, 24)),
         r"frames/a: frames of a: frame number 1000000000000: a video has at most"),
    Case("a frame file far beyond all others", CAM, lambda f: (f / "frames/a/9999999.png").write_bytes(png(32, 24)),
         r"frames/a: frames of a: frame 9999999: 9,999,993 frames in a row are missing"),
    Case("a frame file of 200 digits", CAM, lambda f: (f / f"frames/a/{'7' * 200}.png").write_bytes(b""),
         r"frames/a: frames of a: frame number 7+\.*: a video has at most"),
    Case("a caption up to frame 10^12", CAM, _caption(f"a/0_{BIG}.mp4\tx"),
         LINE_2 + r"frame number 1000000000000: a video has at most"),
    Case("captions of nobody, millions of frames long", CAM, _caption("nobody/0_9999998.mp4\tx"),
         r"nobody has neither frames nor poses"),
    Case("an overlap label of frame 10^12", CAM, _text("overlap_labels/a/0.json", f'{{"overlapping_frames": [{BIG}]}}'),
         r"0.json: overlap labels of a are malformed: .* frame numbers from 0 to 5"),
    Case("an index of frame 10^12", SV, _text("annotations/g/a/indexes.txt", f"0 0\n1 3\n2 {BIG}\n"),
         r"indexes.txt, line 3: frame number 1000000000000: a video has at most"),
    Case("an index far beyond the film", SV, _text("annotations/g/a/indexes.txt", "0 0\n1 3\n2 9999999\n"),
         r"indexes.txt: poses of g/a: frame 9999999: 9,999,993 frames in a row are missing"),
    Case("an npy header of 10^12 poses", SV, _bytes("annotations/g/a/poses.npy", npy((BIG, 7))),
         r"poses.npy: poses of g/a cannot be read"),
    Case("an npy header of more than memory addresses", SV, _bytes("annotations/g/a/poses.npy", npy((2**62, 2**62, 7))),
         r"poses.npy: poses of g/a cannot be read"),
    Case("a timestamp of 1e300", RE, _replaced("a.txt", b"\n5000 ", b"\n1e300 "),
         r"a.txt, line 7: .*expected a timestamp"),
    Case("a table of 10^12 frames", POOL, _replaced("videos.csv", b"train,6\n", b"train,1000000000000\n"),
         r"videos.csv, line 2: frame number 1000000000000: a video has at most"),
    # Paths and links that lead out of the pool.
    Case("a caption path that climbs out", CAM, _caption("../secret/x/0_5.mp4\tx"),
         LINE_2 + r"video name '../secret/x': expected names .* inside the pool"),
    Case("an absolute caption path", CAM, _caption("/etc/x/0_5.mp4\tx"),
         LINE_2 + r"video name '/etc/x': expected names"),
    Case("a caption path with an empty part", CAM, _caption("a//b/0_5.mp4\tx"), LINE_2 + r"video name 'a//b'"),
    Case("a caption of no video", CAM, _caption("/0_5.mp4\tx"), LINE_2 + r"video name ''"),
    Case("a video name of 300 bytes", CAM, _caption(f"{'n' * 300}/0_5.mp4\tx"), LINE_2 + r"video name 'n+\.\.\."),
    Case("a video name with an escape sequence", CAM, _caption("\x1b[2J/0_5.mp4\tx"),
         LINE_2 + r"video name '\\x1b\[2J'"),
    Case("a video name that climbs out, in the pool's table", POOL,
         _replaced("videos.csv", b"\na,", b"\n../secret/a,"), r"videos.csv, line 2: video name '../secret/a'"),
    Case("a folder name with a line break", CAM, lambda f: (f / "frames" / "x\ny").mkdir(), r"video name 'x\\ny'"),
    Case("a folder name in latin-1", CAM, lambda f: os.mkdir(os.fsencode(f / "frames") + b"/caf\xe9"),
         r"video name 'caf\\udce9'"),
    Case("frames that link out", CAM, _linked("frames/a", "SECRET"), r"frames/a: leads out of .* expected a copy"),
    Case("one frame that links out", CAM, _linked("frames/a/0003.png", "SECRET/0003.png"),
         r"frames/a/0003.png: leads out of"),
    Case("poses that link out", CAM, _linked("jsons/a.json", "SECRET/a.json"), r"jsons/a.json: leads out of"),
    Case("captions that link out", CAM, _linked("captions.txt", "SECRET/captions.txt"), r"captions.txt: leads out of"),
    Case("a camera file that links out", RE, _linked("a.txt", "SECRET/a.txt"), r"a.txt: leads out of"),
    Case("images that link out", RE, _linked("a", "../secret"), r"/a: leads out of"),
    Case("a film that links out", SV, _linked("videos/g/a.mp4", "SECRET/a.mp4"), r"videos/g/a.mp4: leads out of"),
    Case("a group that links out", SV, _linked("videos/h", "SECRET"), r"videos/h: leads out of"),
    Case("packed arrays that link out", POOL, _linked("packed/b.safetensors", "SECRET/b.safetensors"),
         r"packed/b.safetensors: leads out of"),
    Case("poses in a circle of links", CAM, _linked("jsons/a.json", "a.json"), r"a.json: symbolic links in a circle"),
    Case("frames in a circle of links", CAM, _linked("frames/a", "a"), r"frames/a: symbolic links in a circle"),
    Case("a camera file in a circle of links", RE, _linked("a.txt", "a.txt"), r"a.txt: symbolic links in a circle"),
    Case("a link to the folder above", CAM, _linked("frames/loop", "."), r"loop has neither frames nor poses"),
    Case("a playlist that names another file", RE, _text("film.mp4", "#EXTM3U\n#EXTINF:1,\n../secret/film.mp4\n"),
         r"film.mp4: film is truncated or no video"),
    Case("a concatenation that names another file", RE, _text("film.mp4", "ffconcat version 1.0\nfile '/etc/passwd'\n"),
         r"film.mp4: film is truncated or no video"),
    # Pixel bombs.
    Case("a frame of 100,000 x 100,000 pixels", CAM, _bytes("frames/a/0002.png", png(100_000, 100_000)),
         r"0002.png: frame of a (declares 100000 x 100000 pixels|cannot be read \(.*exceeds limit)"),
    Case("a frame of 12,000 x 12,000 pixels", CAM, _bytes("frames/a/0000.png", png(12_000, 12_000)),
         r"0000.png: frame of a declares 12000 x 12000 pixels; expected sides"),
    Case("an image of 20,000 x 1 pixels", RE, _bytes("a/2000.png", png(20_000, 1)),
         r"2000.png: frame of a declares 20000 x 1 pixels"),
    Case("a film of 16,400 x 16 pixels", RE, _wide_film, r"film.mp4: film declares 16400 x 16 pixels; expected sides"),
    Case("a frame that is no PNG", CAM, _text("frames/a/0002.png", "%!PS-Adobe-3.0 EPSF-3.0\n"),
         r"0002.png: frame of a cannot be read"),
    # Spans.
    Case("a reversed span", CAM, _caption("a/5_0.mp4\tx"), LINE_2 + r"the span 5_0 ends before it begins"),
    Case("a negative span", CAM, _caption("a/-3_5.mp4\tx"), LINE_2 + r"expected a frame number, got '-3'"),
    Case("overlapping spans", CAM, _text("captions.txt", "a/0_4.mp4\tx\nb/0_5.mp4\ty\na/3_5.mp4\tz\n"),
         r"captions.txt, line 3: the span overlaps with that of line 1"),
    Case("a span twice", CAM, _text("captions.txt", "a/0_5.mp4\tx\na/0_5.mp4\ty\n"),
         r"captions.txt, line 2: the span overlaps with that of line 1"),
    Case("a span beyond the video", CAM, _caption("a/0_99.mp4\tx"),
         r"captions.txt: the caption of frames 0 to 99 of a reaches beyond its 6 frames"),
    Case("a span with digits of another script", CAM, _caption("a/\u0660_\u0665.mp4\tx"),
         LINE_2 + r"expected a frame number"),
    Case("a span with underscores in a number", CAM, _caption("a/0_1_0.mp4\tx"), LINE_2 + "expected a frame number"),
    Case("a caption without a tab", CAM, _caption("a/0_5.mp4 x"), LINE_2 + r"expected <video>/<start>_<end>.mp4<TAB>"),
    Case("a span beyond a rendered video", POOL, _replaced("captions.txt", b"a/0_5", b"a/0_50"),
         r"videos.csv gives a 6 frames, captions.txt captions 51; make it again: snakemake"),
    # Text.
    Case("captions in latin-1", CAM, _bytes("captions.txt", b"b/0_5.mp4\tx\na/0_5.mp4\tcaf\xe9\n"),
         LINE_2 + r"captions: expected UTF-8, got the byte 0xe9"),
    Case("captions in UTF-16", CAM, _bytes("captions.txt", "a/0_5.mp4\tx\n".encode("utf-16")),
         r"captions.txt, line 1: captions: expected UTF-8, got the byte 0xff"),
    Case("a NUL in a caption", CAM, _caption("a/0_5.mp4\tx\0y"), LINE_2 + r"captions: expected text, got a NUL byte"),
    Case("lines that end as on old Macs", CAM, _bytes("captions.txt", b"a/0_2.mp4\tx\ra/3_5.mp4\ty\r"),
         r"captions.txt, line 1: captions: a carriage return inside a line"),
    Case("camera lines in latin-1", RE, _replaced("a.txt", b"\n2000 ", b"\n2000\xa0 "),
         r"a.txt, line 4: cameras of a: expected UTF-8, got the byte 0xa0"),
    Case("a blank line and then a short one", RE, _replaced("a.txt", b"\n2000 ", b"\n\n2000 0 "),
         r"a.txt, line 5: expected 19 numbers .* got 20"),
    Case("a caption in latin-1", RE, _bytes("a.caption.txt", b"caf\xe9"), r"a.caption.txt, line 1: .*0xe9"),
    Case("half a surrogate pair", SV, _text("annotations/g/a/caption.json", '{"caption": "\\ud800"}'),
         r"caption.json: caption holds half a surrogate pair"),
    Case("a table in latin-1", POOL, _replaced("videos.csv", b"duckie", b"duck\xe9"), r"videos.csv, line 2: .*0xe9"),
    # JSON and numbers.
    Case("JSON nested 100,000 deep", CAM, _text("jsons/a.json", "[" * 100_000), r"a.json: poses of a: JSON nested"),
    Case("caption mappings nested 100,000 deep", SV, _text("annotations/g/a/caption.json", '{"a":' * 100_000),
         r"caption.json: captions: JSON nested too deeply"),
    Case("a frame twice", CAM, _replaced("jsons/a.json", b'"3": {', b'"2": {'), r"a.json: .*key '2' twice"),
    Case("a frame number with zeros in front", CAM, _cameras(lambda c: c.update({"003": c["3"]})),
         r"a.json: .*frame number '003': expected no leading zeros"),
    Case("poses that are a list", CAM, _text("jsons/a.json", "[1, 2]"), r'a.json: .*expected "CineCameraActor" to map'),
    Case("a pose that is NaN", CAM, _pose("position", [0, float("nan"), 0]), r"a.json: .*frame 2: expected 3 finite"),
    Case("a pose that is infinite", CAM, _pose("rotation", [0, float("inf"), 0]), r"a.json: .*frame 2: expected 3 fin"),
    Case("a pose of 1e300", CAM, _pose("position", [1e300, 0, 0]), r"a.json: .*frame 2: expected 3 finite numbers"),
    Case("a pose of 400 digits", CAM, _pose("position", [10**400, 0, 0]), r"a.json: .*frame 2: expected 3 finite"),
    Case("a pose of text", CAM, _pose("position", ["1", "2", "3"]), r"a.json: .*frame 2: expected 3 finite numbers"),
    Case("a pose of truth values", CAM, _pose("position", [True, 0, 0]), r"a.json: .*frame 2: expected 3 finite"),
    Case("four numbers and two", CAM, _cameras(lambda c: c.update({"2": {"position": [0] * 4, "rotation": [0] * 2}})),
         r"a.json: .*frame 2: expected 3 finite numbers in position and 3 in rotation"),
    Case("overlap labels of text", CAM, _text("overlap_labels/a/0.json", '{"overlapping_frames": "123"}'),
         r"0.json: overlap labels of a are malformed"),
    Case("a camera of NaN", RE, _replaced("a.txt", b"\n2000 0.8", b"\n2000 nan"),
         r"a.txt, line 4: expected finite numbers, got 'nan'"),
    Case("a camera number with an underscore", RE, _replaced("a.txt", b"\n2000 0.8", b"\n2000 0_8"),
         r"a.txt, line 4: expected finite numbers, got '0_8'"),
    Case("a negative timestamp", RE, _replaced("a.txt", b"\n2000 ", b"\n-2000 "), r"a.txt, line 4: .*timestamp of 0"),
    Case("a focal length of 1e-300", RE, lambda f: (f / "a.txt").write_text(
        (f / "a.txt").read_text().replace(" 0.8 ", " 1e-300 ")), r"a.txt: a field of view of 180 degrees; expected"),
    Case("two images of a timestamp", RE, lambda f: (f / "a/02000.png").write_bytes(b""),
         r"two images of the timestamp 2000 of a"),
    Case("poses of complex numbers", SV, lambda f: np.save(f / "annotations/g/a/poses.npy", np.ones((3, 7), complex)),
         r"poses.npy: poses of g/a: expected \(N, 7\) finite numbers up to .*, got .*complex"),
    Case("poses that are infinite", SV, lambda f: np.save(f / "annotations/g/a/poses.npy", np.full((3, 7), np.inf)),
         r"poses.npy: poses of g/a: expected \(N, 7\) finite numbers up to"),
    Case("an archive in place of an array", SV,
         lambda f: np.savez((f / "annotations/g/a/poses.npy").open("wb"), a=np.zeros(3)), r"poses.npy: .*cannot be"),
    # Rendered pools: tables and files that do not belong together.
    Case("a video twice in the table", POOL, _replaced("videos.csv", b"\nb,", b"\na,"), r"videos.csv, line 3: video"),
    Case("a cut table", POOL, lambda f: (f / "videos.csv").write_bytes((f / "videos.csv").read_bytes()[:-12]),
         r"videos.csv, line 3: expected 6 cells .* got \d"),
    Case("a table that lost its last line", POOL, lambda f: (f / "videos.csv").write_text(
        "".join((f / "videos.csv").read_text().splitlines(True)[:-1])), r"captions.txt has b, videos.csv has not"),
    Case("a table of other columns", POOL, _replaced("videos.csv", b"video,", b"film,"), r"csv, line 1: expected"),
    Case("an open quote in the table", POOL, _replaced("videos.csv", b"\nb,", b'\n"b,'), r"videos.csv, line 3: no"),
    Case("poses deleted", POOL, lambda f: (f / "jsons/b.json").unlink(), r"jsons/b.json: poses of b are missing"),
    Case("packed arrays deleted", POOL, lambda f: (f / "packed/b.safetensors").unlink(),
         r"frames of b are missing \(packed/b.safetensors, .*; make it again: snakemake --cores all --forcerun pool"),
    Case("packed arrays cut", POOL, lambda f: os.truncate(f / "packed/b.safetensors", 900),
         r"b.safetensors: arrays of b are damaged .*; make it again: snakemake"),
    Case("depth deleted", POOL, lambda f: (f / "depth/a.safetensors").unlink(), r"depth of a is missing; make it"),
]  # fmt: skip

ACCEPTED = [
    Case("a byte order mark", CAM, _bytes("captions.txt", b"\xef\xbb\xbfa/0_5.mp4\tfine\nb/0_5.mp4\tfine\n"), None),
    Case("lines that end with CRLF", CAM, _bytes("captions.txt", b"a/0_5.mp4\tfine\r\nb/0_5.mp4\tfine\r\n"), None),
    Case("blank lines", CAM, _bytes("captions.txt", b"\n\na/0_5.mp4\tfine\n \nb/0_5.mp4\tfine\n\n"), None),
    Case("no line break at the end", CAM, _bytes("captions.txt", b"b/0_5.mp4\tfine\na/0_5.mp4\tfine"), None),
    Case("spans that share the frame at which they meet", CAM,
         _bytes("captions.txt", b"a/0_3.mp4\tfine\na/3_5.mp4\tlater\nb/0_5.mp4\tfine\n"), None),
    Case("a link inside the pool", CAM, _linked("frames/a/0003.png", "0002.png"), None),
]  # fmt: skip
