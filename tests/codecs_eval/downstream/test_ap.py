"""Average precision: known answers, and our resampled AP against faster-coco-eval's."""

import numpy as np
import pytest

from codecs_eval.downstream import masks
from codecs_eval.downstream.ap import Photo, coco_scores, instances_by_size
from codecs_eval.downstream.coco import Instance
from codecs_eval.downstream.found import Found, from_json, sorted_finds
from codecs_eval.downstream.resampled_ap import draws, ranked, resampled_ap
from tests.codecs_eval.downstream.coco_files import make_found, make_instance, make_photo

LABELS = {"apple": 1, "dog": 4}


def make_crowded_scene(
    seed: int, *, n_photos: int = 12, decimals: int = 1
) -> tuple[list[Photo], list[Found]]:
    """Random truth with crowds and sizes of every class; finds near it, and from nowhere.

    Scores of one decimal: many finds are equally sure.
    """
    rng = np.random.default_rng(seed)
    photos, found = [], []
    for number in range(n_photos):
        truth, boxes, labels = [], [], []
        for _ in range(rng.integers(0, 6)):
            label = ["apple", "dog"][rng.integers(2)]
            size = float(rng.choice([20, 60, 150]))
            box = np.array([*rng.uniform(0, 400, 2), size, size * rng.uniform(0.5, 1.5)])
            area = float(box[2] * box[3])
            is_crowd = bool(rng.random() < 0.15)
            left, top, width, height = (float(value) for value in box)
            truth.append(
                Instance(number, LABELS[label], (left, top, width, height), area, is_crowd, None)
            )
            for _ in range(rng.integers(0, 4)):
                boxes.append(box + rng.normal(scale=size * rng.choice([0.02, 0.1]), size=4))
                labels.append(label)
        for _ in range(rng.integers(0, 4)):
            boxes.append(np.array([*rng.uniform(0, 400, 2), 50, 50]))
            labels.append(["apple", "dog", "cat"][rng.integers(3)])
        scores = np.round(rng.random(len(boxes)), decimals)
        photos.append(Photo(number, str(number), 640, 640, tuple(truth)))
        found.append(sorted_finds(np.abs(np.array(boxes)).reshape(-1, 4), scores, labels))
    return photos, found


def with_masks(photos: list[Photo], found: list[Found]) -> tuple[list[Photo], list[Found]]:
    """Every box filled in."""

    def filled(box: np.ndarray) -> masks.Rle:
        mask = np.zeros((640, 640), dtype=bool)
        left, top, width, height = np.round(box).astype(int)
        mask[top : top + height + 1, left : left + width + 1] = True
        return masks.rle_of(mask)

    filled_photos = [
        Photo(
            photo.id, photo.name, 640, 640,
            tuple(
                Instance(t.image_id, t.category_id, t.box, t.area_px, t.is_crowd,
                         filled(np.array(t.box)))
                for t in photo.truth
            ),
        )
        for photo in photos
    ]  # fmt: skip
    filled_finds = [
        Found(f.boxes, f.scores, f.labels, tuple(filled(box) for box in f.boxes)) for f in found
    ]
    return filled_photos, filled_finds


def test_perfect_finds_have_an_ap_of_one() -> None:
    photos = [make_photo(0, make_instance(0), make_instance(200, 4)), make_photo(1)]
    found = [make_found((0, 0.9, "apple"), (200, 0.8, "dog")), make_found()]
    scores = coco_scores(photos, found, LABELS)
    # The tiny number that keeps the evaluation from dividing by nought shows in the last digits.
    assert scores["ap"] == pytest.approx(1) and scores["ap50"] == pytest.approx(1)
    assert scores["ap_medium"] == pytest.approx(1) and scores["ap_large"] is None
    assert instances_by_size(photos) == {"small": 0, "medium": 2, "large": 0}


def test_a_false_find_that_is_surer_halves_precision() -> None:
    """By hand: the one true find stands second, so precision is 1/2 at every recall."""
    photos = [make_photo(0, make_instance(0))]
    scores = coco_scores(photos, [make_found((300, 0.9, "apple"), (0, 0.8, "apple"))], LABELS)
    assert scores["ap"] == pytest.approx(0.5)


def test_one_of_two_found_reads_51_of_101_recalls() -> None:
    """By hand: recall 0..0.50 at precision 1 are 51 of the 101 places; beyond is nothing."""
    photos = [make_photo(0, make_instance(0), make_instance(200))]
    scores = coco_scores(photos, [make_found((0, 0.9, "apple"))], LABELS)
    assert scores["ap"] == pytest.approx(51 / 101)


def test_a_box_moved_by_a_tenth_counts_up_to_its_own_overlap() -> None:
    """By hand: squares of 50 moved by 5 overlap 45/55 = .818, which passes 7 of 10 thresholds."""
    scores = coco_scores([make_photo(0, make_instance(0))], [make_found((5, 0.9, "apple"))], LABELS)
    assert scores["ap"] == pytest.approx(0.7) and scores["ap50"] == pytest.approx(1)


def test_nothing_found_scores_nothing_and_finds_on_a_crowd_cost_nothing() -> None:
    photos = [make_photo(0, make_instance(0), make_instance(200, size=100, is_crowd=True))]
    assert coco_scores(photos, [make_found()], LABELS)["ap"] == 0
    found = [make_found((205, 0.9, "apple"), (0, 0.8, "apple"), (240, 0.7, "apple"))]
    assert coco_scores(photos, found, LABELS)["ap"] == pytest.approx(1)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("by_mask", [False, True])
def test_our_ap_on_every_photo_once_is_that_of_faster_coco_eval(seed: int, by_mask: bool) -> None:
    photos, found = make_crowded_scene(seed)
    if by_mask:
        photos, found = with_masks(photos, found)
    theirs = coco_scores(photos, found, LABELS, by_mask=by_mask)
    ours = resampled_ap(ranked(photos, found, LABELS, by_mask=by_mask), np.ones((1, len(photos))))
    assert ours[0][0] == pytest.approx(theirs["ap"], abs=1e-9)
    assert ours[1][0] == pytest.approx(theirs["ap50"], abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_our_ap_of_a_resample_is_that_of_its_photos_evaluated_again(seed: int) -> None:
    # No two finds equally sure: their order would be another one among copies.
    photos, found = make_crowded_scene(seed, decimals=15)
    weights = draws(len(photos), 5, seed)
    ours, _ = resampled_ap(ranked(photos, found, LABELS), weights)
    for row, value in zip(weights, ours, strict=True):
        drawn = np.repeat(np.arange(len(photos)), row.astype(int))
        copies = [
            Photo(copy, photos[i].name, 640, 640, photos[i].truth) for copy, i in enumerate(drawn)
        ]
        theirs = coco_scores(copies, [found[i] for i in drawn], LABELS)
        assert value == pytest.approx(theirs["ap"], abs=1e-9)


def test_the_same_seed_draws_the_same_photos() -> None:
    assert np.array_equal(draws(9, 50, 3), draws(9, 50, 3))
    assert not np.array_equal(draws(9, 50, 3), draws(9, 50, 4))
    assert (draws(9, 50, 3).sum(axis=1) == 9).all()


def test_finds_come_back_from_disk() -> None:
    photos, found = with_masks(*make_crowded_scene(2))
    for before in found:
        after = from_json(before.to_json())
        assert after.labels == before.labels and after.masks == before.masks
        assert np.allclose(after.boxes, before.boxes, atol=1e-3)
        assert np.array_equal(after.scores, before.scores)
