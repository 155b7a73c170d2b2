"""Answering a set: going on after a kill, failing cases counted, another's answers left alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from echo.protocol.answer import answer_set
from echo.protocol.errors import ProtocolError


class Fragile:
    """Fails on one case, is killed on another, and counts its calls."""

    def __init__(self, killed: str = "", fails: str = "", swaps: bool = False) -> None:
        self.killed, self.fails, self.swaps, self.asked = killed, fails, swaps, []

    def generate(self, case):
        self.asked.append((case.name, case.other is not None))
        if case.name == self.killed:
            raise KeyboardInterrupt
        if case.name == self.fails:
            raise ValueError("out of\nmemory")
        return np.repeat(case.given_frames[:1], len(case.numbers), 0)


def test_a_run_that_was_killed_goes_on_and_a_case_that_fails_is_counted(exported, tmp_path):
    folder, out = exported[0], tmp_path / "a"
    with pytest.raises(KeyboardInterrupt):
        answer_set(folder, out, Fragile(killed="return_45_001"), "mine", {})
    assert sorted(path.name for path in out.iterdir()) == ["answers.json", "return_45_000", "revisit_near_000"]
    second = Fragile(fails="return_45_001")
    assert answer_set(folder, out, second, "mine", {}) == {"return_45_001": "ValueError: out of"}
    assert [name for name, _ in second.asked] == ["return_45_001", "revisit_near_001"]
    assert json.loads((out / "answers.json").read_text())["failed"] == {"return_45_001": "ValueError: out of"}
    third = Fragile()
    assert answer_set(folder, out, third, "mine", {}) and not third.asked
    assert answer_set(folder, out, third, "mine", {}, again=True) == {}
    assert [name for name, _ in third.asked] == ["return_45_001"]


def test_histories_are_swapped_where_a_model_lets_them(exported, tmp_path):
    model = Fragile(swaps=True)
    answer_set(exported[0], tmp_path / "a", model, "mine", {}, video=True)
    assert [name for name, swapped in model.asked if swapped] == ["revisit_near_000", "revisit_near_001"]
    assert (tmp_path / "a" / "swapped" / "revisit_near_001.mp4").is_file()


def test_answers_of_another_are_left_alone(exported, tmp_path):
    answer_set(exported[0], tmp_path / "a", Fragile(), "mine", {"level": 1})
    with pytest.raises(ProtocolError, match="holds answers of mine"):
        answer_set(exported[0], tmp_path / "a", Fragile(), "mine", {"level": 2})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").touch()
    with pytest.raises(ProtocolError, match="holds files, but no answers.json"):
        answer_set(exported[0], tmp_path / "b", Fragile(), "mine", {})
