"""Too few recordings: one message with every kind that is short, and a study that they can give."""

import re

import pytest
import yaml

from echo.study.provenance import part_of
from echo.world.errors import RecordingError
from echo.world.recordings import open_recordings
from echo.world.recordings.clip_choice import Wanted, splits
from echo.world.recordings.clips import cut_pool
from echo.world.recordings.shortage import BACK, counts, fitting, shortage
from tests.world.recordings.samples import clip_study, turning_poses, write_scene

SPLITS = ("train", "in_domain", "open_domain")


@pytest.fixture(scope="module")
def recordings(turning_pool, tmp_path_factory):
    return open_recordings("context_as_memory", turning_pool, tmp_path_factory.mktemp("index") / "index.safetensors")


def test_every_kind_that_is_short_is_in_the_message_whichever_split_is_cut(recordings, tmp_path):
    study = clip_study(train_rooms=9000, in_domain_rooms=80, open_domain_rooms=900)
    short = {count.kind for count in counts(Wanted.of(study), recordings) if count.found < count.asked}
    assert {"train", "loop", "return_45", "return_strict"} <= short
    messages = set()
    for split in SPLITS:
        with pytest.raises(RecordingError) as error:
            cut_pool(part_of(study, "clips"), split, tmp_path / split, recordings)
        messages.add(str(error.value))
    (message,) = messages
    assert len(message.splitlines()) == 1
    assert set(re.findall(r"(\w+): \d+ of \d+ \(", message)) == short
    assert not list(tmp_path.glob("*/clips.safetensors"))


def test_what_the_message_offers_is_cut(recordings, tmp_path):
    """The second try works."""
    message = shortage(Wanted.of(clip_study(train_rooms=9000, in_domain_rooms=80, open_domain_rooms=900)), recordings)
    offered = yaml.safe_load(re.search(r"`(world: {.*?})`", message)[1])["world"]
    assert set(offered) == {"train_rooms", "in_domain_rooms", "open_domain_rooms"}
    for split in SPLITS:
        cut_pool(clip_study(**offered), split, tmp_path / split, recordings)
    cases = int(re.search(r"at most (\d+) evaluate.cases", message)[1])
    assert cases == min(offered["in_domain_rooms"], offered["open_domain_rooms"])


def test_a_study_that_fits_is_left_as_it_is(recordings):
    wanted = Wanted.of(clip_study())
    assert fitting(wanted, recordings, counts(wanted, recordings)) is wanted


def test_training_clips_that_come_back_are_counted_apart(recordings, tmp_path):
    """The camera of these turns on and on: few clips come back."""
    study = clip_study(returning=1.0, train_rooms=200)
    found = {count.kind: count for count in counts(Wanted.of(study), recordings)}
    assert found[BACK].asked == 200 and found[BACK].found < 200
    message = shortage(Wanted.of(study), recordings)
    assert f"{BACK}: {found[BACK].found} of 200 (33 frames in a row, which see again what was out of sight)" in message
    smaller = fitting(Wanted.of(study), recordings, list(found.values()))
    if smaller is not None:
        assert smaller.world.returning < 1
        keys = ("train_rooms", "in_domain_rooms", "open_domain_rooms", "returning")
        offered = {key: getattr(smaller.world, key) for key in keys}
        cut_pool(clip_study(**offered), "train", tmp_path / "train", recordings)


def test_where_a_kind_has_no_clip_at_all_no_number_is_offered(tmp_path):
    for scene in range(3):
        write_scene(tmp_path / "pool", f"Still_{scene}", turning_poses(80, degrees=0.0), labels=False)
    still = open_recordings("context_as_memory", tmp_path / "pool", tmp_path / "index.safetensors")
    wanted = Wanted.of(clip_study())
    assert splits(wanted, still)["open_domain"]
    message = shortage(wanted, still)
    assert "no number of rooms fits, as there is no loop, return_45, return_strict" in message
    assert "`world:" not in message
