"""The contract that every row's memory keeps, and the types it is written in."""

import jaxtyping
import numpy as np
import pytest
import torch

from echo.memory.base import Estimate, Memory, ReadOut, state_bytes, state_size
from echo.model.row import Row
from tests.conftest import of_each_kind, tiny_study

STUDY = tiny_study()


def written_and_read(row: Row, setting, evidence):
    with torch.no_grad():
        state = row.write(None, evidence, setting.text)
        return state, row.read(state, setting.target(3), evidence.span(0, 1))


@pytest.mark.parametrize("name", of_each_kind())
def test_a_memory_draws_no_random_numbers(name, setting):
    row = Row(STUDY, STUDY.profiles[name])
    before = torch.get_rng_state(), repr(np.random.get_state())
    written_and_read(row, setting, setting.evidence(3))
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == repr(np.random.get_state())


@pytest.mark.parametrize("name", of_each_kind())
def test_a_memory_is_written_from_the_anchor_alone(name, setting):
    """For a first segment, for dropped history, and when a probe erases the memory."""
    row = Row(STUDY, STUDY.profiles[name])
    state, read = written_and_read(row, setting, setting.evidence(3, anchor_only=True))
    assert all(len(value) == 2 for value in state.values())
    assert read.frames is None or read.frames.count > 0


@pytest.mark.parametrize("name", of_each_kind())
def test_writing_and_reading_change_no_state(name, setting):
    row = Row(STUDY, STUDY.profiles[name])
    state, _ = written_and_read(row, setting, setting.evidence(2))
    copy = {key: value.clone() for key, value in state.items()}
    with torch.no_grad():
        row.write(state, setting.evidence(3), setting.text)
        row(setting.target(3), torch.tensor([0.3, 0.8]), setting.evidence(3, anchor_only=True), setting.text, state)
    assert all(torch.equal(state[key], value) for key, value in copy.items()) and state.keys() == copy.keys()


def test_write_and_read_must_be_defined():
    with pytest.raises(TypeError, match="abstract methods? .*read.*write"):
        Memory()


def test_a_hook_point_that_blocks_do_not_have_is_refused(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match="inside_block"):
        ReadOut(hook_point="inside_block")


def test_an_estimate_and_its_confidence_are_of_the_same_frames(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ValueError, match="Estimate.confidence starts with"):
        Estimate(torch.zeros(2, 4, 5, 2, 2), torch.zeros(2, 3, 4))


def test_a_states_size_is_that_of_one_case_without_its_integers():
    state = {"a": torch.zeros(3, 4, 5), "b": torch.zeros(3, 2).bfloat16(), "index": torch.zeros(3, 7).long()}
    assert state_size(state) == 22
    assert state_bytes(state) == 4 * 20 + 2 * 2
