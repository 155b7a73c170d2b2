"""The leaderboard: what does not compare never stands in one column, and what cannot be shown is refused by name."""

from __future__ import annotations

import copy
import gzip
import json

import pytest

from echo.protocol.errors import ProtocolError
from echo.protocol.leaderboard import read_board, render, table, write_board
from echo.world import untrusted


def entry(result, folder, file, **changes):
    """A result under another name, with changes by path."""
    held = copy.deepcopy(result)
    held["model"]["name"] = file
    for path, value in changes.items():
        place = held
        *parents, last = path.split("__")
        for key in parents:
            place = place[key]
        place[last] = value
    (folder / f"{file}.json").write_text(json.dumps(held))


def test_groups_stand_apart_and_judges_have_columns_of_their_own(result, tmp_path):
    entry(result, tmp_path, "a")
    entry(result, tmp_path, "b", judges__oracle="0" * 16, answers__failed={"return_45_000": "x"})
    entry(result, tmp_path, "larger", set__size=[96, 128])
    entry(result, tmp_path, "other", set__definition="1" * 16)
    entry(result, tmp_path, "bits", set__pixels="2" * 16)
    board = read_board(tmp_path)
    groups = sorted([sorted(one.model.name for one in group) for group in board.groups.values()])
    assert groups == [["a", "b", "bits"], ["larger"], ["other"]] and not board.refused
    lines = table(board)
    assert lines.groupby(["group", "row", "branch", "measure"]).size().max() == 1
    judged = lines[lines.measure.str.startswith("judge:")]
    assert judged.groupby(["group", "row"]).measure.nunique().max() == 1
    assert set(judged[judged.row == "a"].measure) != set(judged[judged.row == "b"].measure)
    assert set(lines[lines.row == "copy of the first frame"].group) == set(board.groups)
    page = render(board)
    assert (
        page.count("<h2>") == 3
        and "b <small>1 failed</small>" in page
        and "other last bits than the first: bits" in page
    )


def test_what_cannot_be_shown_is_refused_in_one_line(result, tmp_path):
    entry(result, tmp_path, "good")
    (tmp_path / "again.json").write_text((tmp_path / "good.json").read_text())
    entry(result, tmp_path, "old", measures="0")
    entry(result, tmp_path, "format", format="echo-score-9")
    entry(
        result,
        tmp_path,
        "text",
        rows__model__branches__return_45__psnr={"mean": "high", "low": 0, "high": 1, "cases": 1},
    )
    entry(result, tmp_path, "branch", set__branches={"cellar": 2})
    (tmp_path / "broken.json").write_text('{"format": "echo-score-1"')
    (tmp_path / "link.json").symlink_to("/etc/hostname")
    board = read_board(tmp_path)
    refused = {line.split(":")[0]: line for line in board.refused}
    assert set(refused) == {
        "good.json",
        "old.json",
        "format.json",
        "text.json",
        "branch.json",
        "broken.json",
        "link.json",
    }
    assert "is in again.json too" in refused["good.json"] and "score its answers again" in refused["old.json"]
    assert "leads out of" in refused["link.json"] and all("\n" not in line for line in refused.values())
    assert [one.model.name for group in board.groups.values() for one in group] == ["good"]


def test_a_gzipped_result_is_read_as_it_was_and_one_that_unpacks_to_too_much_is_not(result, tmp_path, monkeypatch):
    for folder in ("plain", "packed"):
        (tmp_path / folder).mkdir()
        entry(result, tmp_path / folder, "a")
    plain = tmp_path / "packed" / "a.json"
    held = plain.read_bytes()
    (tmp_path / "packed" / "a.json.gz").write_bytes(gzip.compress(held))
    plain.unlink()
    boards = [read_board(tmp_path / folder) for folder in ("plain", "packed")]
    assert table(boards[0]).equals(table(boards[1])) and len(boards[1].groups) == 1
    (tmp_path / "packed" / "cut.json.gz").write_bytes(gzip.compress(held)[:-20])
    (tmp_path / "packed" / "none.json.gz").write_bytes(held)
    monkeypatch.setattr(untrusted, "MAX_JSON_BYTES", len(held) - 1)
    refused = {line.split(":")[0]: line for line in read_board(tmp_path / "packed").refused}
    assert f"unpacked, more than {len(held) - 1:,} bytes" in refused["a.json.gz"]
    assert "cannot be read" in refused["cut.json.gz"] and set(refused) == {"a.json.gz", "cut.json.gz", "none.json.gz"}


def test_files_are_written_and_names_are_no_html(result, tmp_path):
    (tmp_path / "in").mkdir()
    entry(result, tmp_path / "in", "x", model__name="<script>alert(1)</script>")
    write_board(read_board(tmp_path / "in"), tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert (tmp_path / "out" / "leaderboard.csv").read_text().startswith("group,set,size,definition,row,branch,measure")
    with pytest.raises(ProtocolError, match="no results there"):
        read_board(tmp_path / "out")
