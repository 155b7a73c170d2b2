"""The studies that are put side by side are those of the configuration, one of each evidence policy."""

import yaml

from echo.study.sections.evidence import READ_BY
from echo.study.words import BRANCHES
from echo.tables.files import table_files
from echo.tables.side_by_side import READS, STUDIES
from tests.conftest import ROOT


def test_each_study_is_configured_and_each_evidence_policy_has_one():
    found = [yaml.safe_load(path.read_text()) for path in (ROOT / "config").glob("*.yaml") if "rows" not in path.stem]
    there = [one for one in found if one.get("study") in STUDIES]
    assert {one["study"] for one in there} == set(STUDIES)
    # A study that takes another one apart changes a part of it, and not always the evidence.
    policies = {one["study"]: one["evidence"]["policy"] for one in there if "evidence" in one}
    assert set(policies.values()) == set(READ_BY)
    assert [policies[study] for study in ("as_released", "matched", "mini")] == ["as_released", "matched", "streaming"]


def test_what_is_read_are_tables_of_every_study():
    assert set(READS) <= {*table_files(tuple(BRANCHES)), "record.json"}
