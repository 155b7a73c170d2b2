"""What Echo-1 is: constants that never change under this name, another version being another name. No torch, no numpy.

T is the number of frames of a segment. Frame 0 is given, segment s (from 1) covers frames 1 + (s-1) T .. s T, as in a
study (``echo.study.words``), whose branches these are.
"""

from __future__ import annotations

from echo.study.words import BRANCHES as STUDIED
from echo.study.words import Branch

ECHO_1 = "Echo-1"
SEED = 1_260_609_803  # of Echo-1's rooms and paths; no study and no benchmark has it
ROOMS = 64  # of each kind at most: cases of a branch
IN_ECHO_1 = ("return_45", "revisit_near", "revisit_far", "return_far_8", "return_far_16", "replay")
SIZES = {"64": (64, 64), "256": (256, 256), "352x640": (352, 640), "480x832": (480, 832)}  # height, width
FIELD_OF_VIEW = 75.0  # degrees, horizontal
FRAMES = 8  # T, unless it is asked for otherwise
RATE = 8.0  # frames a second, unless it is asked for otherwise

# A camera turns at most 20 degrees a frame where a segment has 8 frames: 8 steps.
TURN_OF_SEGMENT, MOVE_OF_SEGMENT = 20.0, 0.4  # degrees and metres: a step is this over T

MEASURES = "1"  # version of the measures: results of another one are not compared
CASE_FORMAT, SET_FORMAT, SCORE_FORMAT = "echo-case-1", "echo-cases-1", "echo-score-1"
FRAME = "{:05d}.png"  # name of a frame's file, by its number in the case


def branch_of(name: str) -> Branch:
    """A branch by its name."""
    return STUDIED[name]


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of a size's name; raises ValueError for one that is not among ``SIZES``."""
    if text not in SIZES:
        raise ValueError(f"{text!r}: expected one of {', '.join(SIZES)}")
    return SIZES[text]
