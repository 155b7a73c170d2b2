"""Who answers: a class, a command, a folder; what is wrong with each is one line."""

from __future__ import annotations

import shlex
import sys

import numpy as np
import pytest

from echo.protocol.errors import ProtocolError
from echo.protocol.models import Command, Folder, checked, load_class
from echo.protocol.references import copied

COPY = (
    "import shutil, sys; [shutil.copy(sys.argv[1] + '/first.png', sys.argv[2] + f'/{n:05d}.png') for n in range(1, 17)]"
)


class Grey:
    """A user's class."""

    def __init__(self, level: int = 128) -> None:
        self.level = level

    def generate(self, case):
        return np.full((len(case.numbers), *case.size, 3), self.level, np.uint8)


class Mute:
    """No model."""


def test_a_class_is_made_with_its_keywords(cases):
    model = load_class(f"{__name__}:Grey", {"level": 7})
    assert not model.swaps and (model.generate(cases.of("return_45_000")) == 7).all()


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        ("nowhere.at.all:Grey", {}, "No module named 'nowhere'; is its folder on PYTHONPATH?"),
        (f"{__name__}:White", {}, "has no White"),
        (f"{__name__}:Grey", {"colour": 3}, "unexpected keyword argument 'colour'"),
        (f"{__name__}:Mute", {}, "has no generate"),
        ("Grey", {}, "expected package.module:Class"),
        (f"{__name__}:os.system", {}, "expected package.module:Class"),
    ],
)
def test_another_class_is_one_line(spec, options, message):
    with pytest.raises(ProtocolError, match=message.replace(".", r"\.").replace("?", r"\?")):
        load_class(spec, options)


def test_a_command_is_given_two_folders(cases):
    """One process without site packages: what it copies is the answer."""
    line = f"{sys.executable} -S -E -c {shlex.quote(COPY)} {{case}} {{out}}"
    case = cases.of("return_45_000")
    assert np.array_equal(Command(line).generate(case), np.repeat(case.given_frames, 16, 0))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("false {case} {out}", "the command ended with 1: it said nothing"),
        ("ls /nowhere {case} {out}", "the command ended with 2: ls: "),
        ("no-such-program {case} {out}", "the command cannot be run"),
        ("true {case} {out}", "an empty folder; expected 16 frames"),
        ("sh -c 'sleep 9' {case} {out}", "the command did not end within 0.2 s"),
    ],
)
def test_a_command_that_fails_is_one_line(cases, line, message):
    with pytest.raises(ProtocolError, match=f"return_45_000: {message}"):
        Command(line, seconds=0.2 if "sleep" in line else 30).generate(cases.of("return_45_000"))


def test_a_command_sees_a_swapped_history(cases, tmp_path):
    own, other = cases.of("revisit_near_000"), cases.of("revisit_near_001")
    files = " ".join(f"{{case}}/history/{n:05d}.png" for n in range(8))
    script = "shift; for f in $(seq 1 8); do eval a=\\${$f}; cp $a $0/$(printf %05d $((16 + f))).png; done"
    drawn = Command(f"bash -c {shlex.quote(script)} {{out}} x {files}").generate(own.swapped(other))
    assert np.array_equal(drawn, other.given_frames[:8])


def test_a_line_without_the_folders_and_a_folder(copies, cases):
    with pytest.raises(ProtocolError, match="expected {case} and {out} in it"):
        Command("run {case}")
    own, other = (cases.of(f"revisit_near_00{number}") for number in range(2))
    made, model = [], Folder(copies)
    for case in (own, own.swapped(other)):
        made.append(model.generate(case))
        assert np.array_equal(made[-1], copied("copy_best", case))
    assert model.swaps and not np.array_equal(*made)


def test_what_a_class_returns_is_checked(cases):
    case = cases.of("return_45_000")
    with pytest.raises(ProtocolError, match=r"expected uint8 frames .*, got float64 \(16, 48, 64, 3\)"):
        checked(np.zeros((16, 48, 64, 3)), case)
    with pytest.raises(ProtocolError, match="return_45_000: 9 frames; expected 16"):
        checked(np.zeros((9, 48, 64, 3), np.uint8), case)
