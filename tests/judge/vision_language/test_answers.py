"""Answers are found again by content, and by nothing less."""

import json

import pytest

from echo.judge.settings.vision_language import Settings
from echo.judge.vision_language.answers import Answers, Reply
from echo.judge.vision_language.question import Question

QUESTION = Question(b"first", (b"one",), "sofa", "first_view_first", 0)
REPLY = Reply("lone surrogate \ud800, and {", "served", "stop", 1.5)


@pytest.fixture
def answers(tmp_path) -> Answers:
    held = Answers(tmp_path, Settings())
    held.keep(QUESTION, REPLY, "2026-01-01T00:00:00+00:00")
    return held


def test_a_reply_is_found_as_it_was_kept(answers):
    assert answers.find(QUESTION) == REPLY


@pytest.mark.parametrize(
    "change",
    [{"first": b"x"}, {"returned": (b"x",)}, {"anchor": "table"}, {"order": "first_view_last"}, {"repeat": 1}],
)
def test_another_question_has_another_answer(answers, change):
    assert answers.find(Question(**{**vars(QUESTION), **change})) is None


@pytest.mark.parametrize(
    "change", [{"model": "x"}, {"revision": None}, {"temperature": 1.0}, {"max_tokens": 300}, {"json_schema": False}]
)
def test_what_an_answer_depends_on_makes_another_question(answers, change):
    assert Answers(answers.folder, Settings(**change)).find(QUESTION) is None


@pytest.mark.parametrize("change", [{"endpoint": "http://other/v1"}, {"parallel": 2}, {"attempts": 1}, {"lost": 0.5}])
def test_how_a_model_is_reached_makes_none(answers, change):
    assert Answers(answers.folder, Settings(**change)).find(QUESTION) == REPLY


def test_a_file_says_what_was_asked_and_no_key(answers, monkeypatch):
    path = next(answers.folder.rglob("*.json"))
    held = json.loads(path.read_text())
    assert held["asked"] | {"prompt": "", "images": []} == {
        "model": "Qwen/Qwen3-VL-30B-A3B-Instruct", "revision": Settings().revision, "temperature": 0.0, "prompt": "",
        "max_tokens": 256, "json_schema": True, "images": [], "order": "first_view_first", "repeat": 0,
    }  # fmt: skip
    assert held["asked"]["prompt"] == QUESTION.prompt_hash and held["asked"]["images"] == QUESTION.image_hashes
    assert held["time"].startswith("2026")


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"asked": {}, "reply": {}}', '{"reply": 3}'])
def test_a_damaged_file_is_said_and_asked_again(answers, damage, capsys):
    path = next(answers.folder.rglob("*.json"))
    path.write_text(damage)
    assert answers.find(QUESTION) is None
    assert f"{path}: a damaged answer" in capsys.readouterr().out
