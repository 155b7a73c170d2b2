"""Random access to video files: every frame by its number, against decoding all of it in order."""

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from echo.world.recordings import RecordingError
from echo.world.recordings.video import read_at, time_stamps
from tests.world.recordings.samples import number_of, write_video

FRAMES = 130


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """130 frames at 30 a second, B-frames, a key frame a dozen frames."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(path, FRAMES)
    return path, time_stamps(path, "film")[0]


def test_every_frame_has_a_time_stamp(film):
    path, stamps = film
    assert len(stamps) == FRAMES
    _, unit, size = time_stamps(path, "film")
    np.testing.assert_allclose(np.diff(stamps) * unit, 1 / 30, rtol=1e-6)
    assert size == (48, 96)


@given(st.lists(st.integers(0, FRAMES - 1), min_size=1, max_size=12, unique=True))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_frames_are_the_right_ones(film, numbers):
    path, stamps = film
    numbers = sorted(numbers)
    assert [number_of(frame) for frame in read_at(path, "film", stamps[numbers])] == numbers


def test_random_access_gives_the_bytes_of_decoding_in_order(film):
    path, stamps = film
    with av.open(str(path)) as container:
        whole = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    wanted = [0, 1, 11, 12, 13, 60, 129]
    assert np.array_equal(read_at(path, "film", stamps[wanted]), np.stack([whole[i] for i in wanted]))


def test_a_single_key_frame_will_do(tmp_path):
    write_video(tmp_path / "long.mp4", 100, g="1000")
    stamps, *_ = time_stamps(tmp_path / "long.mp4", "long")
    assert [number_of(f) for f in read_at(tmp_path / "long.mp4", "long", stamps[[3, 98]])] == [3, 98]


@pytest.mark.parametrize("container", ["mkv", "mov"])
def test_other_containers(tmp_path, container):
    path = tmp_path / f"film.{container}"
    write_video(path, 40)
    stamps, *_ = time_stamps(path, "film")
    assert [number_of(f) for f in read_at(path, "film", stamps[[0, 17, 39]])] == [0, 17, 39]


def test_a_transport_stream_that_is_named_mp4_is_read(tmp_path):
    """It has no table of key frames: what cannot be sought is decoded from the start."""
    path = tmp_path / "film.mp4"
    write_video(path, FRAMES, container_format="mpegts")
    stamps, *_ = time_stamps(path, "film")
    assert len(stamps) == FRAMES
    for wanted in ([0, 1, 2], [5, 100], [17], [60, 61, 129]):
        assert [number_of(f) for f in read_at(path, "film", stamps[wanted])] == wanted


@pytest.mark.parametrize("turned", [1, 2, 3])
def test_a_rotation_that_players_are_asked_for_is_done(tmp_path, turned):
    path = tmp_path / "film.mp4"
    write_video(path, 12, turned=turned)
    stamps, _, size = time_stamps(path, "film")
    frames = read_at(path, "film", stamps[[3, 9]])
    assert size == (48, 96) == frames.shape[1:3]
    assert [number_of(frame) for frame in frames] == [3, 9]


def test_pixels_that_are_not_square_are_refused(tmp_path):
    path = tmp_path / "film.mp4"
    write_video(path, 4, pixels=Fraction(4, 3))
    with pytest.raises(RecordingError, match="film.mp4: walk has pixels of 4:3, expected square ones; convert it"):
        time_stamps(path, "walk")


def test_a_truncated_video_is_one_line(film, tmp_path):
    path = tmp_path / "cut.mp4"
    path.write_bytes(film[0].read_bytes()[:2000])
    with pytest.raises(RecordingError, match="cut.mp4: walk is truncated or no video") as error:
        time_stamps(path, "walk")
    assert "\n" not in str(error.value)


def test_a_video_whose_end_is_missing_gives_its_beginning(tmp_path):
    """With the table at the front (faststart) a cut file opens; what is there is read, what is not is named."""
    write_video(tmp_path / "whole.mp4", FRAMES)
    with av.open(str(tmp_path / "whole.mp4")) as source, av.open(
        str(tmp_path / "front.mp4"), "w", options={"movflags": "faststart"}
    ) as target:  # fmt: skip
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    whole = time_stamps(tmp_path / "front.mp4", "film")[0]
    data = (tmp_path / "front.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: int(len(data) * 0.7)])
    assert len(time_stamps(path, "film")[0]) < FRAMES
    assert [number_of(f) for f in read_at(path, "film", whole[[0, 20]])] == [0, 20]
    with pytest.raises(RecordingError, match="cut.mp4.*film"):
        read_at(path, "film", whole[[0, 129]])
