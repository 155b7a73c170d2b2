"""What an answer says: four numbers, or why it says nothing. A reply that is not exactly an answer is missing, never 0.

One JSON object is an answer, alone or inside one fence of three backquotes, as models write without guided decoding.
Its four keys have numbers of JSON from 0 to 5. Decided on purpose: a number as text (``"4.5"``, ``"5/5"``, full-width
digits), ``true``, ``null``, NaN and infinities, a key twice, a missing or further key, words around the object, and a
number outside the scale are all no answer; nothing is clipped, rounded or guessed.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from echo.judge.rubric import TOP, WEIGHTS, Scores

LONGEST = 20_000  # characters of a reply that are looked at; the answer itself has some eighty
FENCE = re.compile(r"\A```(?:json)?[ \t]*\n(.*)\n```\Z", re.DOTALL)


class Malformed(Exception):
    """A reply that is no answer; the message is the reason in a few words, equal for equal faults."""


def read_scores(reply: str) -> Scores:
    """The scores of a model's reply; raises Malformed."""
    if len(reply) > LONGEST:
        raise Malformed("too long")
    text = reply.strip()
    if not text:
        raise Malformed("empty")
    fenced = FENCE.match(text)
    try:
        held = json.loads(fenced[1] if fenced else text, object_pairs_hook=_each_key_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(held, dict):
        raise Malformed("not an object")
    if set(held) != set(WEIGHTS):
        raise Malformed("other keys" if set(held) - set(WEIGHTS) else "a key is missing")
    return Scores(**{name: _number(held[name]) for name in WEIGHTS})


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed("not a number")
    if isinstance(value, float) and not math.isfinite(value):  # 1e999
        raise Malformed("not a finite number")
    if not 0 <= value <= TOP:
        raise Malformed("outside 0 to 5")
    return float(value)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise Malformed("a key twice")
    return held


def _no_number(name: str) -> NoReturn:
    raise Malformed("not a finite number")
