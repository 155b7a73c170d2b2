from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.judge.people.pairs import Pair, balanced, in_order, pair_id
from tests.judge.people.made import made_pair

sizes = st.integers(1, 5)


@settings(max_examples=60, deadline=None)
@given(
    rows=sizes, branches=st.integers(1, 4), cases=st.integers(1, 6), count=st.integers(0, 140), seed=st.integers(0, 9)
)
def test_a_sample_has_no_case_twice_and_all_rows_and_branches_alike(rows, branches, cases, count, seed):
    chosen = balanced(rows, branches, cases, count, np.random.default_rng(seed))
    assert len(chosen) == len(set(chosen)) == min(count, rows * branches * cases)
    by_row = Counter(row for row, _, _ in chosen)
    assert max(by_row.values(), default=0) - min((by_row[row] for row in range(rows)), default=0) <= 1
    for row in range(rows):
        of_row = Counter(branch for one, branch, _ in chosen if one == row)
        assert max(of_row.values(), default=0) - min(of_row[branch] for branch in range(branches)) <= 1


def test_cases_of_a_branch_are_used_alike_too():
    chosen = balanced(20, 3, 64, 170, np.random.default_rng(0))
    assert max(Counter(chosen_case[1:] for chosen_case in chosen).values()) == 1  # 170 of 192 cases, each once
    many = Counter(chosen_case[1:] for chosen_case in balanced(6, 2, 5, 40, np.random.default_rng(0)))
    assert len(many) == 10 and max(many.values()) - min(many.values()) <= 1


def test_another_seed_draws_another_sample_and_the_same_one_the_same():
    drawn = [balanced(5, 2, 8, 20, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] and set(drawn[0]) != set(drawn[2])


def test_a_pair_is_known_by_every_pixel_and_by_nothing_else():
    pair = made_pair(0)
    same = Pair(pair.first.copy(), np.asfortranarray(pair.returned), "another name")
    assert same.id == pair.id == pair_id(pair.first, pair.returned)
    changed = pair.returned.copy()
    changed[1, 3, 3, 2] ^= 1
    others = [
        pair_id(pair.first, changed),
        pair_id(pair.returned[0], pair.returned),
        pair_id(pair.first, pair.returned[::-1]),
        pair_id(pair.first, pair.returned[:1]),
        pair_id(pair.first.reshape(24, 6, 3), pair.returned.reshape(2, 24, 6, 3)),
    ]
    assert len({pair.id, *others}) == 6


def test_each_pair_is_shown_once_and_repeats_come_a_third_of_the_page_later():
    pairs = [made_pair(number) for number in range(30)]
    order = in_order(pairs + pairs[:4], pairs[:20], 5, 0)  # four that two rows drew alike
    first = [showing.pair.id for showing in order if showing.number == 1]
    assert sorted(first) == sorted(pair.id for pair in pairs)
    again = [place for place, showing in enumerate(order) if showing.number == 2]
    assert len(again) == 5 and len(order) == 35
    places = {showing.pair.id: place for place, showing in enumerate(order) if showing.number == 1}
    for place in again:
        assert place - places[order[place].pair.id] > 10
        assert order[place].pair.id in {pair.id for pair in pairs[:20]}


def test_the_order_is_the_seeds():
    pairs = [made_pair(number) for number in range(12)]
    orders = [[showing.pair.id for showing in in_order(pairs, pairs, 2, seed)] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2] and orders[0][:12] != [pair.id for pair in pairs]


def test_more_repeats_than_the_first_third_holds_are_as_many_as_it_holds():
    pairs = [made_pair(number) for number in range(6)]
    assert len(in_order(pairs, pairs, 5, 0)) == 8
