"""A finding holds, does not, or cannot be told, by the contrasts that say so and nothing else."""

import numpy as np
import pandas as pd
import pytest

from echo.tables.contrasts import COLUMNS
from echo.tables.findings import (
    BEYOND,
    DISAGREE,
    FAILS,
    FINDINGS,
    HOLDS,
    MISSING,
    NULL,
    OPEN,
    OUTCOMES,
    disagree,
    findings,
    told,
)

ONE, TWO = FINDINGS[1], FINDINGS[4]  # of one claim, of two


def contrast(row, other, difference, p=0.001, branch="revisit_far", measure="psnr"):
    spread = abs(difference) / 2
    line = dict.fromkeys(COLUMNS, np.nan) | {"row_name": row, "other": other, "branch": branch, "measure": measure}
    return line | {"difference": difference, "low": difference - spread, "high": difference + spread, "p_holm": p,
                   "detectable": 0.5, "train_seeds": 3}  # fmt: skip


def table(*lines):
    return pd.DataFrame(lines, columns=COLUMNS)


@pytest.mark.parametrize(
    ("difference", "p", "said"),
    [(2.0, 0.01, HOLDS), (-2.0, 0.01, FAILS), (2.0, 0.2, OPEN), (-2.0, 0.2, OPEN), (2.0, np.nan, MISSING)],
)
def test_one_claim(difference, p, said):
    assert told(ONE, table(contrast("context_k5", "i2v", difference, p)), "revisit_far", "psnr") == said


def test_a_contrast_that_was_named_the_other_way_round_says_the_same():
    assert told(ONE, table(contrast("i2v", "context_k5", -2.0)), "revisit_far", "psnr") == HOLDS


def test_rows_as_released_tell_the_papers_findings():
    named = table(contrast("context_k5_released", "i2v_released", 2.0))
    assert told(ONE, named, "revisit_far", "psnr") == HOLDS


def test_less_lpips_is_better():
    lower = table(contrast("context_k5", "i2v", -0.1, measure="lpips"))
    assert told(ONE, lower, "revisit_far", "lpips") == HOLDS
    assert told(ONE, lower, "revisit_far", "psnr") == MISSING


def test_all_claims_must_hold_and_one_against_is_enough():
    first, second = TWO.claims
    good = contrast(*first, 1.0)
    assert told(TWO, table(good, contrast(*second, 1.0)), "revisit_far", "psnr") == HOLDS
    assert told(TWO, table(good, contrast(*second, 1.0, p=0.3)), "revisit_far", "psnr") == OPEN
    assert told(TWO, table(good, contrast(*second, -1.0)), "revisit_far", "psnr") == FAILS
    assert told(TWO, table(good), "revisit_far", "psnr") == MISSING


@pytest.mark.parametrize(
    ("seeds", "difference", "said"),
    [(1, 1.2, OPEN), (1, -1.2, OPEN), (1, 1.3, HOLDS), (1, -1.3, FAILS), (2, 0.01, HOLDS), (3, 0.01, HOLDS)],
)
def test_one_seed_tells_what_is_beyond_students_limit_for_two_trainings_of_one_profile(seeds, difference, said):
    lines = [contrast("context_k5", "i2v", difference), contrast(*NULL, -0.1)]
    assert told(ONE, table(*[line | {"train_seeds": seeds} for line in lines]), "revisit_far", "psnr") == said
    assert BEYOND == pytest.approx(12.706, abs=1e-3)


def test_one_seed_tells_nothing_where_no_two_trainings_of_one_profile_were_compared():
    assert told(ONE, table(contrast("context_k5", "i2v", 9.0) | {"train_seeds": 1}), "revisit_far", "psnr") == OPEN


@pytest.mark.parametrize(("low", "high", "said"), [(-0.5, 0.2, HOLDS), (0.7, 0.9, FAILS), (0.2, 0.8, OPEN),
                                                   (np.nan, np.nan, MISSING)])  # fmt: skip
def test_replay_and_return_disagree_where_their_correlation_is_low(low, high, said):
    ranks = pd.DataFrame([{"branch": "return_45", "measure": "judge", "low": low, "high": high, "train_seeds": 2}])
    assert disagree(ranks, "return_45", "judge") == said
    assert disagree(ranks.assign(train_seeds=1), "return_45", "judge") == (MISSING if np.isnan(low) else OPEN)
    assert disagree(ranks, "recall", "psnr") == MISSING


def test_the_page_has_every_finding_and_the_numbers_of_the_tables(built):
    lines = [contrast("context_k5", "i2v", 1.234, p=0.03), contrast("context_k5", "i2v", -5.0, branch="return_45",
                                                                     measure="judge")]  # fmt: skip
    ranks, rows, probes = (pd.read_csv(built / f"{name}.csv") for name in ("rank_correlation", "rows", "probes_table"))
    page = findings(table(*lines), ranks, rows, probes)
    assert "3 training seeds; intervals and p are over rooms and trainings." in page
    for title in (*(finding.title for finding in FINDINGS), DISAGREE):
        assert f"| {title} |" in page
    assert f"| {ONE.title} | {FAILS} | {HOLDS} | {MISSING} |" in page and len(OUTCOMES) == 3
    assert "`context_k5` minus `i2v`, far revisit, PSNR: 1.23 (0.62 to 1.85), p = 0.03" in page
    assert "`context_k5` minus `i2v`, 45° return, judge: −5.0 (−7.5 to −2.5)" in page
    alone = findings(table(*[line | {"train_seeds": 1} for line in lines]), ranks, rows, probes)
    assert "One training seed" in alone and "nan" not in page + alone
    assert f"| {probes.label[1]} |" in page


def test_a_page_of_no_contrasts_says_that_nothing_was_measured(built):
    ranks, rows, probes = (pd.read_csv(built / f"{name}.csv") for name in ("rank_correlation", "rows", "probes_table"))
    page = findings(table(), ranks[:0], rows, probes)
    assert f"| {ONE.title} | {MISSING} | {MISSING} | {MISSING} |" in page
