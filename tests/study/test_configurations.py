"""A short fault campaign: ``python -m bench.configurations`` runs a longer one."""

import pytest

from bench import configurations
from bench.configurations import BASE, Case, campaign, mutated, outcome_of
from echo.study.config import parse_study
from tests.conftest import ROWS


@pytest.mark.filterwarnings("ignore")
def test_mutated_configurations_are_refused_in_one_line_or_work():
    outcomes, wrong = campaign(40, seed=1)
    assert not wrong, "\n".join(wrong)
    assert outcomes["accepted"] >= 4 and outcomes["refused"] >= 12


def test_a_mutation_is_a_function_of_its_number():
    assert [mutated(0, n).changes for n in range(20)] == [mutated(0, n).changes for n in range(20)]


@pytest.mark.filterwarnings("ignore")
def test_the_campaign_notices_a_check_that_is_missing(monkeypatch):
    """A size that LPIPS refuses, let through on purpose, is found by the later stages."""
    case = Case({**BASE, "world": {**BASE["world"], "size": 16}}, ROWS, "i2v")
    assert outcome_of(case)[0] == "refused"

    def load(path, rows_path=None):
        return parse_study(case.study, case.rows, str(path), whole=False)

    monkeypatch.setattr(configurations, "load_study", load)
    assert outcome_of(case)[0] == "accepted, then refused"


@pytest.mark.filterwarnings("ignore")
def test_the_campaign_notices_a_silent_change(monkeypatch):
    case = Case({**BASE, "seed": 5}, ROWS, "i2v", given={"seed": 6})
    assert outcome_of(case) == ("silent change", "seed holds 5")
