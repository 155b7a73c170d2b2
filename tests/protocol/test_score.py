"""Scoring folders of answers: the truth is the ceiling, a copy is its reference row, shuffled cases are chance."""

from __future__ import annotations

import json
import shutil

import pytest

from echo.io.video import write_video
from echo.measures.images import psnr
from echo.protocol.answers import AnswersError
from echo.protocol.errors import ProtocolError
from echo.protocol.files import write_frames
from echo.protocol.rows import measure_row, reference_sources, summarised
from echo.protocol.score import Answers, read_record, score, write_result
from echo.protocol.truth import entries_of


def test_a_copy_has_the_reference_rows_numbers_to_the_last_digit(result):
    assert result["rows"]["model"]["branches"] == result["rows"]["copy_best"]["branches"]
    assert result["rows"]["model"]["branches"]["revisit_near"]["psnr"]["mean"] < 30


def test_the_truth_is_the_ceiling(result, cases, meter):
    own = measure_row(meter, reference_sources(cases)["truth"][1], {}, "truth")
    cells = summarised(cases.set, own, [])
    for branch in cases.set.branches:
        measured, kept = cells[branch], result["rows"]["truth"]["branches"][branch]
        assert (measured["psnr"]["mean"], measured["ssim"]["mean"], measured["lpips"]["mean"]) == (100, 1, 0)
        assert measured["psnr_seen"]["mean"] == 100 and measured["departed"]["mean"] == 1
        assert measured["psnr"] == kept["psnr"] and measured["realism"]["mean"] == kept["realism"]["mean"] == 0
    assert result["departure_error"]["return_45"]["median"] < 2


def test_shuffled_cases_are_chance(result, cases, meter):
    """Each case is answered with the truth of another room: what PSNR says of two rooms, and no realism lost."""
    other = {}
    for branch in cases.set.branches:
        entries = entries_of(cases.set, branch)
        other |= dict(zip((one.name for one in entries), entries[::-1], strict=True))

    def shuffled(entry):
        return cases.frames(other[entry.name].name, range(entry.given, entry.frames))

    cells = summarised(cases.set, measure_row(meter, shuffled, {}, "shuffled"), [])
    for branch in cases.set.branches:
        ends = [
            cases.frames(entry.name, [entry.frames - 2, entry.frames - 1]) for entry in entries_of(cases.set, branch)
        ]
        assert cells[branch]["psnr"]["mean"] == pytest.approx(psnr(*ends).mean())
        assert cells[branch]["psnr"]["mean"] < 20 < result["rows"]["copy_best"]["branches"][branch]["psnr"]["mean"]


def test_a_result_says_what_it_was_made_with(result, cases, exported):
    assert result["set"]["definition"] == exported[1].definition and result["set"]["branches"]["return_45"] == 2
    # How answers were made, without the folders of the machine.
    how = {"command": "python copy.py {case} {out}", "options": {"row": "copy_best", "run": "mini"}}
    assert result["model"] == {"name": "copies", "said": "copies", "how": how}
    assert result["answers"]["count"] == 4 and result["versions"]["libraries"]["torch"]
    assert set(result["judges"]) == {"oracle"} and len(result["judges"]["oracle"]) == 16
    assert result["rows"]["model"]["branches"]["return_45"]["judge:oracle"]["mean"] > 90
    assert result["rows"]["model"]["branches"]["return_45"]["gated_judge:oracle"]["mean"] is None  # it never left
    assert json.loads(json.dumps(result)) == result


def test_a_certificate_where_a_history_was_swapped(result):
    """A copy of the best past frame has no other memory than its history."""
    found = result["certificate"]
    assert set(found) == {"revisit_near"}
    assert found["revisit_near"]["seen_drop"]["low"] > 0 and found["revisit_near"]["remembers"]
    assert found["revisit_near"]["toward"]["mean"] > 0


def test_malformed_answers_are_listed_and_nothing_is_scored(cases, copies, tmp_path):
    folder = shutil.copytree(copies, tmp_path / "a")
    (folder / "return_45_000" / "00003.png").unlink()
    shutil.rmtree(folder / "return_45_001")
    (folder / "stranger.mp4").touch()
    entry = cases.set.entry("revisit_near_000")
    backward = cases.frames(entry.name, range(17, 25))[::-1]
    write_frames(folder / entry.name, backward, range(17, 25))
    (folder / "swapped" / "revisit_near_001" / "00017.png").write_text("")
    with pytest.raises(AnswersError, match="5 answers do not fit") as caught:
        Answers(folder, cases)
    starts = sorted(fault.split(":")[0] for fault in caught.value.faults)
    assert starts == [
        "'stranger.mp4'",
        "return_45_000",
        "return_45_001",
        "revisit_near_000",
        "swapped/revisit_near_001",
    ]
    (folder / "stranger.mp4").unlink()
    black = Answers(folder, cases, failed_as_black=True)
    assert set(black.failed) == {"return_45_000", "return_45_001", "revisit_near_000", "revisit_near_001"}
    assert not black.frames(entry).any() and len(black.frames(entry)) == 8


def test_a_record_is_believed_as_far_as_it_goes(cases, copies, tmp_path):
    folder = shutil.copytree(copies, tmp_path / "a")
    record = {
        "model": "mine",
        "definition": cases.set.definition,
        "failed": {"return_45_000": "no memory left", "x": "y"},
    }
    (folder / "answers.json").write_text(json.dumps(record))
    shutil.rmtree(folder / "return_45_000")
    assert Answers(folder, cases).failed == {"return_45_000": "no memory left"}
    (folder / "answers.json").write_text(json.dumps(record | {"definition": "f" * 16}))
    with pytest.raises(ProtocolError, match="answers to a set with definition ffff"):
        Answers(folder, cases)
    for text in ('{"model": 3}', "[", '{"failed": {"a": 1}}'):
        (folder / "answers.json").write_text(text)
        with pytest.raises(Exception, match=r"answers.json") as caught:
            read_record(folder)
        assert "\n" not in str(caught.value)


def test_another_judge_is_refused_before_anything_is_measured(cases, copies, weights):
    with pytest.raises(ProtocolError, match="--judge nobody: nobody: expected one of embedded"):
        score(Answers(copies, cases), weights, "m", {"nobody": {}})


def test_videos_are_scored_too_and_the_page_is_written(result, cases, copies, tmp_path):
    folder = tmp_path / "a"
    for entry in cases.set.cases:
        write_video_of(cases, entry, folder)
    answers = Answers(folder, cases)
    assert len(answers.hashes) == 4 and not answers.resized
    write_result(result, answers, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "score.json").read_text()) == result
    assert (tmp_path / "out" / "page.html").stat().st_size > 20_000


def write_video_of(cases, entry, folder):
    frames = cases.frames(entry.name, range(entry.given, entry.frames))
    write_video(folder / f"{entry.name}.mp4", frames, 8.0)
