"""A model in this process, tiny and random: it is asked as it should be, and what it says does not depend on chance."""

import numpy as np
import pytest
import torch

from echo.judge.settings.vision_language import Settings
from echo.judge.vision_language.local import LocalModel, ModelError
from echo.judge.vision_language.question import Question, png
from tests.judge.tiny_model import save_tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("model"))


def settings(folder, **given):
    return Settings(model=str(folder), revision=None, side=56, max_tokens=16, **given)


def question(shade=0, repeat=0):
    frame = np.full((56, 56, 3), shade, np.uint8)
    return Question(png(frame, 56), (png(frame, 56), png(255 - frame, 56)), "sofa", "first_view_first", repeat)


def test_equal_questions_have_equal_replies_and_frames_count(folder):
    model = LocalModel(settings(folder))
    state = torch.random.get_rng_state()
    first = model.reply(question())
    assert first.finish == "length" and first.model == str(folder)
    assert model.reply(question()).text == first.text != model.reply(question(shade=130)).text
    assert torch.equal(torch.random.get_rng_state(), state)


def test_repeats_differ_with_a_temperature_and_are_repeatable(folder):
    model = LocalModel(settings(folder, temperature=2.0))
    replies = [model.reply(question(repeat=repeat)).text for repeat in (0, 1, 0)]
    assert replies[0] == replies[2] != replies[1]


def test_a_model_that_is_not_there_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"the judge's model .*nowhere \(revision None\) cannot be loaded") as error:
        LocalModel(settings(tmp_path / "nowhere"))
    assert "\n" not in str(error.value)
