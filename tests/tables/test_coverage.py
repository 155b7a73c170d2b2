"""Simulated studies of the default study's size: how often intervals cover the truth, and how often tests err.

64 rooms with one case each, one to three training seeds. A difference between two rows varies with the room, with the
training, and with both; the truth is 0. Whatever varies more, an interval is to cover 0 in 95 of 100 studies and a test
to find a difference in 5 of 100 at most. Where trainings do not differ both err on the safe side, since case noise then
counts twice.
"""

import numpy as np
import pytest

from echo.io.seeding import generator
from echo.tables.statistics import interval, paired_difference, sign_flip

ROOMS, STUDIES, RESAMPLES = 64, 500, 400
VARIANCES = {  # between trainings, between rooms, of both together
    "trainings do not differ": (0.0, 1.0, 0.3),
    "case noise alone": (0.0, 0.1, 1.0),
    "trainings move the mean as rooms do": (1 / ROOMS, 1.0, 0.3),
    "trainings alone": (1.0, 0.1, 0.1),
}
SLACK = 3 * (0.05 * 0.95 / STUDIES) ** 0.5  # three standard errors of a rate of 5 %


def studies(name, seeds, heavy=False):
    """Differences (seeds, ROOMS) of simulated studies, and a generator for what is drawn from them."""
    draw = generator(0, "coverage", name, seeds, str(heavy))
    of_training, of_room, of_both = VARIANCES[name]
    rooms = (lambda size: draw.standard_t(4, size) / 2**0.5) if heavy else draw.standard_normal
    for _ in range(STUDIES):
        yield (
            draw,
            (
                draw.normal(0, of_training**0.5, (seeds, 1))
                + of_room**0.5 * rooms((1, ROOMS))
                + of_both**0.5 * draw.standard_normal((seeds, ROOMS))
            ),
        )


def difference(values, draw):
    seeds = len(values)
    return paired_difference(values, np.zeros_like(values), range(seeds), range(ROOMS), RESAMPLES, draw)


@pytest.mark.parametrize(
    ("name", "seeds", "heavy"),
    [("case noise alone", 1, False), ("case noise alone", 1, True),
     *((name, seeds, False) for name in VARIANCES for seeds in (2, 3)),
     ("trainings move the mean as rooms do", 3, True)],
)  # fmt: skip
def test_intervals_cover_and_tests_err_as_they_say(name, seeds, heavy):
    found = [difference(values, draw) for draw, values in studies(name, seeds, heavy)]
    missed = np.mean([not one.low <= 0 <= one.high for one in found])
    wrong = np.mean([one.p < 0.05 for one in found])
    assert max(missed, wrong) <= 0.05 + SLACK
    if seeds == 1 or name == "trainings alone":  # nothing counts twice: both are at their nominal rate
        assert min(missed, wrong) >= 0.05 - SLACK


def test_flipping_rooms_alone_finds_trainings_that_are_only_lucky():
    """What p was over rooms alone: with three seeds it finds a difference in most studies in which there is none."""
    of_rooms, covered = [], []
    for draw, values in studies("trainings alone", 3):
        rooms = np.tile(np.arange(ROOMS), len(values))
        of_rooms.append(sign_flip(values.ravel(), rooms, RESAMPLES, draw))
        _, low, high = interval(values.ravel(), rooms, RESAMPLES, draw)
        covered.append(low <= 0 <= high)
    assert np.mean([p < 0.05 for p in of_rooms]) > 0.6
    assert np.mean(covered) < 0.4


def percentile_over_seeds(values, draw):
    """The plain percentile interval: seeds and rooms drawn with replacement."""
    seeds = draw.integers(0, len(values), (RESAMPLES, len(values), 1))
    rooms = draw.integers(0, ROOMS, (RESAMPLES, 1, ROOMS))
    return np.quantile(values[seeds, rooms].mean((1, 2)), [0.025, 0.975])


@pytest.mark.parametrize(("seeds", "most"), [(2, 0.6), (3, 0.82)])
def test_percentiles_over_few_seeds_cover_far_too_little(seeds, most):
    covered = []
    for draw, values in studies("trainings alone", seeds):
        low, high = percentile_over_seeds(values, draw)
        covered.append(low <= 0 <= high)
    assert np.mean(covered) < most


def test_a_difference_far_beyond_the_luck_of_trainings_is_found_with_three_seeds():
    each = studies("trainings move the mean as rooms do", 3)
    assert np.mean([difference(values + 5, draw).p < 0.05 for draw, values in each]) > 0.99
