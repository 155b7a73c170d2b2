"""Which rows' rollouts a study shows as pictures and videos."""

from __future__ import annotations

from echo.study.study import Study

SHOWN_CASES = 4  # of each branch in videos and in the viewer: the first ones
COPY = "copy_best"  # the reference row beside them: what needs no idea of where things are


def shown_rows(study: Study) -> list[str]:
    """The rows whose rollouts are kept as pictures: the reference row and ``evaluate.shown``.

    If the study has no row of that name, its last row is used instead.
    """
    shown = study.evaluate.shown
    return [study.reference, shown if shown in study.rows else study.rows[-1]]


def filmed_rows(study: Study) -> list[str]:
    """The rows in a branch's video: the copy of the best past frame, where the study draws it, then the shown rows."""
    return [*([COPY] if COPY in study.references else []), *dict.fromkeys(shown_rows(study))]
