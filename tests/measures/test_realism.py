"""The kernel distance against slow loops, where the answer is known, and whatever the order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo.io.seeding import generator
from echo.io.tensors import TensorFileError
from echo.measures.realism import Distances, compared, kernel, load_distances, save_distances

WIDTH = 6


def features(draw, rooms=10, frames=3, shift=0.0, spread=1.0):
    """Features of frames of rooms that differ, and each frame's room."""
    of_room = np.repeat(draw.normal(0, spread, (rooms, WIDTH)), frames, 0)
    found = of_room + draw.normal(shift, 0.5, (rooms * frames, WIDTH))
    return found.astype(np.float32), [f"room_{i}" for i in range(rooms) for _ in range(frames)]


def slow_kernel(x, y):
    return (sum(float(a) * float(b) for a, b in zip(x, y, strict=True)) / WIDTH + 1) ** 3


def slow_distance(generated, true, rooms, weights=None):
    """Over pairs of different rooms, the mean over their pairs of frames; ``weights``: how often each room counts."""
    names = sorted(set(rooms))
    weights = weights or dict.fromkeys(names, 1)
    total = count = 0.0
    for a in names:
        for b in names:
            if a == b:
                continue
            pairs = [(i, j) for i, r in enumerate(rooms) for j, q in enumerate(rooms) if (r, q) == (a, b)]
            terms = [slow_kernel(generated[i], generated[j]) + slow_kernel(true[i], true[j])
                     - slow_kernel(generated[i], true[j]) - slow_kernel(true[i], generated[j])
                     for i, j in pairs]  # fmt: skip
            total += weights[a] * weights[b] * np.mean(terms)
            count += weights[a] * weights[b]
    return total / count


def test_the_distance_is_that_of_a_slow_loop_also_where_rooms_differ_in_frames():
    draw = generator(0, "a")
    true, rooms = features(draw, rooms=5)
    generated, keep = features(draw, rooms=5, shift=0.7)[0], [0, 1, 2, 3, 4, 6, 7, 8, 11, 12, 13]
    true, generated, rooms = true[keep], generated[keep], [rooms[i] for i in keep]
    found = Distances.of(generated, true, rooms)
    assert found.distance()[0] == pytest.approx(slow_distance(generated, true, rooms), rel=1e-4)
    weights = {"room_0": 2, "room_1": 0, "room_2": 1, "room_3": 1, "room_4": 1}
    drawn = found.distance(np.array([[2.0, 0, 1, 1, 1]]))[0]
    assert drawn == pytest.approx(slow_distance(generated, true, rooms, weights), rel=1e-4)


def test_frames_drawn_as_the_true_ones_are_at_a_mean_distance_of_zero():
    """Unbiased: with few rooms and frames, and though frames of a room are alike."""
    draw, found = generator(1, "a"), []
    for _ in range(400):
        of_room = draw.normal(0, 1, (6, WIDTH))
        rooms = [str(i) for i in range(6) for _ in range(2)]
        sets = [np.repeat(of_room, 2, 0) + draw.normal(0, 0.5, (12, WIDTH)) for _ in range(2)]
        found.append(Distances.of(*sets, rooms).distance()[0])
    error = np.std(found) / 20
    assert abs(np.mean(found)) < 3 * error and np.min(found) < 0 < np.max(found)


def test_the_distance_estimates_the_same_with_few_rooms_as_with_many():
    draw, means = generator(2, "a"), []
    for rooms, repeats in ((6, 1200), (48, 150)):
        found = []
        for _ in range(repeats):
            (true, names), (generated, _) = (features(draw, rooms, 2, shift, spread=0.3) for shift in (0.0, 0.5))
            found.append(Distances.of(generated, true, names).distance()[0])
        means.append((np.mean(found), np.std(found) / repeats**0.5))
    (few, few_error), (many, many_error) = means
    assert many > 5 * many_error and abs(few - many) < 3 * np.hypot(few_error, many_error)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_neither_the_order_of_frames_nor_the_names_of_rooms_matter(number):
    draw = generator(number, "a")
    (true, rooms), (generated, _) = features(draw), features(draw, shift=0.3)
    order = draw.permutation(len(rooms))
    renamed = [f"x{99 - int(rooms[i][5:])}" for i in order]
    first = Distances.of(generated, true, rooms)
    second = Distances.of(generated[order], true[order], renamed)
    assert second.distance()[0] == pytest.approx(first.distance()[0], rel=1e-3, abs=1e-4)
    swapped = Distances.of(true, generated, rooms)
    assert swapped.distance()[0] == pytest.approx(first.distance()[0], rel=1e-3, abs=1e-4)


def test_identical_frames_are_at_distance_zero_and_farther_ones_farther():
    draw = generator(3, "a")
    true, rooms = features(draw)
    assert Distances.of(true, true, rooms).distance()[0] == pytest.approx(0, abs=1e-6)
    near, far = (Distances.of(true + shift, true, rooms).distance()[0] for shift in (0.3, 1.0))
    assert 0 < near < far


def test_the_floor_is_the_distance_between_halves_of_the_rooms():
    true, rooms = features(generator(4, "a"), rooms=7)
    found = Distances.of(true, true, rooms)
    splits = found.floor(3000, generator(0, "floor"))
    names, halves = sorted(set(rooms)), generator(0, "floor").random((3000, 7)).argsort(axis=1) < 3
    for split in range(3):
        one = [n for n, side in zip(names, halves[split], strict=True) if side]
        pairs = {"in": [], "out": [], "across": []}
        for i, a in enumerate(rooms):
            for j, b in enumerate(rooms):
                if a != b:
                    kind = "across" if (a in one) != (b in one) else "in" if a in one else "out"
                    pairs[kind].append(slow_kernel(true[i], true[j]))
        expected = np.mean(pairs["in"]) + np.mean(pairs["out"]) - 2 * np.mean(pairs["across"])
        assert splits[split] == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert abs(splits.mean()) < 3 * splits.std() / 3000**0.5
    assert np.isnan(Distances.of(true[:9], true[:9], rooms[:9]).floor(5, generator(0, "a"))).all()


def test_one_room_has_no_distance():
    true, rooms = features(generator(6, "a"), rooms=1)
    assert np.isnan(Distances.of(true, true, rooms).distance()).all()


def test_compared_frames_are_the_middle_and_the_last():
    assert list(np.arange(1, 25)[compared(np.arange(1, 25))]) == [12, 24]
    assert list(np.arange(17, 25)[compared(np.arange(17, 25))]) == [20, 24]
    assert list(compared(np.array([5]))) == [0]


def test_the_kernel_is_kids():
    a, b = features(generator(7, "a"))[0], features(generator(8, "a"))[0][:4]
    np.testing.assert_allclose(kernel(a, b), [[slow_kernel(x, y) for y in b] for x in a], rtol=1e-6)


def test_a_file_holds_what_was_saved_and_a_changed_one_is_refused(tmp_path):
    true, rooms = features(generator(9, "a"))
    saved = {"replay": Distances.of(true + 0.1, true, rooms), "all": Distances.of(true, true, rooms)}
    save_distances(tmp_path / "a.safetensors", saved, row_name="i2v", train_seed=3)
    found, header = load_distances(tmp_path / "a.safetensors")
    assert header == {"row_name": "i2v", "train_seed": 3} and set(found) == {"all", "replay"}
    for name, one in saved.items():
        assert found[name].rooms == one.rooms and found[name].frames == one.frames == 30
        np.testing.assert_array_equal(found[name].h, one.h)
        np.testing.assert_array_equal(found[name].t, one.t)
    data = bytearray((tmp_path / "a.safetensors").read_bytes())
    data[-9] ^= 1
    (tmp_path / "a.safetensors").write_bytes(data)
    with pytest.raises(TensorFileError, match="damaged"):
        load_distances(tmp_path / "a.safetensors")
