import numpy as np
import pytest

from echo.judge.base import returned_case
from echo.judge.people.pairs import pair_id
from echo.judge.people.sample import KEY, PeopleError, controls, key, of_rows, read_key
from echo.rollout.frames import Rollout, RolloutError
from echo.study.words import AWAY
from tests.conftest import tiny_study
from tests.scenes import POOLS, STUDY, made_rollout, perfect

BRANCHES = ("return_45", "return_strict", "recall")


def shown(**people):
    return STUDY.model_copy(update={"people": STUDY.people.model_copy(update=people)})


@pytest.fixture
def folders(tmp_path):
    """Rollouts of three rows on the branches that return: the true frames, inverted ones, and the true ones again."""
    changes = {"one": perfect, "two": lambda frames, index: 255 - frames, "three": perfect}
    for row, change in changes.items():
        for branch in BRANCHES:
            made_rollout(branch, change).save(tmp_path / row / f"{branch}.safetensors")
    return {row: tmp_path / row for row in changes}


def test_a_pair_is_what_a_judge_is_asked_about(folders):
    """The same identifier as of the case in the rollout: answers are looked up by it."""
    origins = of_rows(shown(pairs=200), folders, POOLS)
    assert len(origins) == 3 * 3 * 2  # all that there are
    for one in origins:
        rollout = Rollout.load(folders[one.row_name] / f"{one.branch}.safetensors")
        last = rollout.frames[rollout.cases.index(one.case), -2:]
        case = returned_case(POOLS["open_domain"], one.case, last, depth=False)
        assert one.pair.id == pair_id(case.first, case.returned)
        assert one.pair.anchor == case.identity == "duck" and one.kind == "row"
        np.testing.assert_array_equal(one.pair.first, case.first)


def test_a_sample_is_balanced_over_rows_and_leaves_room_for_controls_and_repeats(folders):
    origins = of_rows(shown(pairs=12, repeats=2, controls=1), folders, POOLS)
    assert len(origins) == 9
    assert sorted(one.row_name for one in origins) == sorted(["one", "two", "three"] * 3)
    assert {(one.row_name, one.branch) for one in origins} == {(row, branch) for row in folders for branch in BRANCHES}
    assert len({(one.row_name, one.branch, one.case) for one in origins}) == 9


def test_a_control_is_the_first_view_or_another_rooms_through_the_codec():
    asked = []

    def coded(frame):
        asked.append(frame)
        return 255 - frame

    found = controls(shown(controls=4), POOLS, coded)
    assert [one.kind for one in found] == ["same", "other", "same", "other"]
    for one, frame in zip(found, asked, strict=True):
        np.testing.assert_array_equal(one.pair.returned, [255 - frame] * 2)
        assert (one.kind == "same") == (frame == one.pair.first).all() and one.row_name == ""


def test_what_was_shown_is_a_table_with_every_origin(folders, tmp_path):
    """Two rows drew the same frames: one pair, two lines."""
    study = shown(pairs=200, controls=2)
    table = key(of_rows(study, folders, POOLS) + controls(study, POOLS, lambda frame: frame), study)
    assert tuple(table) == KEY and len(table) == 20
    table.to_csv(tmp_path / "pairs.csv", index=False)
    assert read_key(tmp_path / "pairs.csv").equals(table.astype({"train_seed": "int64"}))
    ones, threes = (set(table.pair[table.row_name == name]) for name in ("one", "three"))
    assert ones == threes and not ones & set(table.pair[table.row_name == "two"])
    assert set(table.pair[table.kind == "same"]) <= ones  # true frames that end as they began


def test_another_table_is_no_key(tmp_path):
    (tmp_path / "cases.csv").write_text("row_name,case\ni2v,a\n")
    for name, message in (("cases.csv", "expected the columns pair, kind"), ("gone.csv", "gone.csv: cannot be read")):
        with pytest.raises(PeopleError, match=message):
            read_key(tmp_path / name)


def test_a_study_whose_branches_do_not_return_has_nothing_to_show(folders):
    study = tiny_study(evaluate={"branches": ["replay", *AWAY]})
    with pytest.raises(PeopleError, match="none comes back to the first view; people need one of return_45"):
        of_rows(study, folders, POOLS)


def test_rollouts_of_other_cases_are_refused(folders):
    study = shown(pairs=200).model_copy(update={"seed": 5, "evaluate": STUDY.evaluate.model_copy(update={"cases": 1})})
    with pytest.raises(RolloutError, match="the rollout's cases are not the study's"):
        of_rows(study, folders, POOLS)
