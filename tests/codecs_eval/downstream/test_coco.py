"""COCO files of any origin: the three forms of masks, odd ids, and what is refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codecs_eval.downstream import coco, masks
from codecs_eval.downstream.categories import mapped
from codecs_eval.downstream.coco import CocoFile, read_coco
from codecs_eval.downstream.coco_classes import COCO_80
from tests.codecs_eval.downstream.coco_files import make_coco, make_row


def read(**values: object) -> CocoFile:
    return read_coco(make_coco(**values), name="instances.json")


def runs_of(mask: masks.Mask) -> list[int]:
    """COCO's run lengths the long way: column by column, beginning with background."""
    runs, at = [0], False
    for value in mask.T.ravel():
        if bool(value) != at:
            runs.append(0)
            at = bool(value)
        runs[-1] += 1
    return runs


@settings(max_examples=40)
@given(arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_a_mask_comes_back_from_its_run_lengths_packed_or_not(mask: masks.Mask) -> None:
    height, width = mask.shape
    packed = masks.rle_of(mask)
    assert np.array_equal(masks.mask_of(packed), mask)
    for segmentation in (
        packed.to_coco(),
        {"size": [height, width], "counts": runs_of(mask)},
    ):
        found = masks.rle_from_coco(segmentation, height, width, "here")
        assert found is not None
        assert np.array_equal(masks.mask_of(found), mask)
    assert masks.area_of(packed) == mask.sum()


def test_a_polygon_becomes_the_pixels_inside_it() -> None:
    (instance,) = read().instances
    assert instance.mask is not None
    mask = masks.mask_of(instance.mask)
    assert mask.shape == (80, 100)
    assert mask[20:50, 10:50].all() and mask.sum() == 30 * 40


def test_ids_may_be_zero_and_have_gaps_and_photos_may_be_empty() -> None:
    file = read()
    assert [image.id for image in file.images] == [0, 7]
    assert file.instances[0].image_id == 0 and file.instances[0].category_id == 0
    assert any(note.startswith("1 photos without an instance") for note in file.notes)


def test_a_missing_box_and_area_come_from_the_mask() -> None:
    row = make_row(bbox=None, area=None)
    (instance,) = read(annotations=[row]).instances
    assert instance.box == (10, 20, 40, 30)
    assert instance.area_px == 1200


def test_polygons_of_two_corners_are_passed_over_and_a_box_stands_for_them() -> None:
    file = read(annotations=[make_row(segmentation=[[1, 2, 3, 4]])])
    (mask,) = [each.mask for each in file.instances]
    assert mask is not None and masks.area_of(mask) == 1200
    assert any("no mask" in note for note in file.notes)


def test_crowds_are_told_and_instances_without_width_are_left_out() -> None:
    rows = [make_row(iscrowd=1), make_row(id=9, bbox=[1, 1, 0, 5])]
    file = read(annotations=rows)
    assert [each.is_crowd for each in file.instances] == [True]
    assert any("left out" in note for note in file.notes)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"images": None}, "found nothing under 'images'"),
        ({"categories": []}, "found no categories"),
        ({"annotations": [make_row(image_id=5)]}, "image_id 5, which no image"),
        ({"annotations": [make_row(category_id=5)]}, "category_id 5, which no category"),
        ({"annotations": [make_row(category_id="apple")]}, "found category_id 'apple', expected"),
        ({"annotations": [make_row(bbox=[1, 2, 3])]}, r"found bbox \[1, 2, 3\]"),
        ({"annotations": [make_row(segmentation=[[1, 2, 3]])]}, "a polygon of 3 numbers"),
        (
            {"annotations": [make_row(segmentation={"size": [80, 100], "counts": [9]})]},
            "run lengths of 9 pixels in all, expected 8000",
        ),
        (
            {"annotations": [make_row(segmentation={"size": [100, 80], "counts": [8000]})]},
            r"size \[100, 80\], expected \[80, 100\]",
        ),
        (
            {"annotations": [make_row(segmentation={"size": [80, 100], "counts": "Q"})]},
            "run lengths of",
        ),
        (
            {"images": [{"id": 1, "file_name": "a", "width": 0, "height": 3}]},
            "found width 0, expected a whole number from 1",
        ),
    ],
)
def test_a_broken_file_is_told_with_what_was_expected(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(**values)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff\xfe"])
def test_what_is_no_coco_file_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="instances.json: found"):
        read_coco(data, name="instances.json")


def test_two_photos_of_one_id_are_refused() -> None:
    images = json.loads(make_coco())["images"]
    with pytest.raises(ValueError, match="found 0 more than once"):
        read(images=[images[0], {**images[1], "id": 0}])


def test_an_instance_shrinks_with_its_photo() -> None:
    half = coco.halved(read().instances[0])
    assert half is not None and half.mask is not None
    assert half.box == (5, 10, 20, 15) and half.area_px == 300
    assert masks.box_of(half.mask) == half.box
    assert (half.mask.height, half.mask.width) == (40, 50)


def test_categories_are_mapped_by_name_and_what_was_not_is_told() -> None:
    names = ["APPLE", "Banan", "cell-phone", "Bag", "wine_glass"]
    categories = [{"id": 3 * i, "name": name} for i, name in enumerate(names)]
    rows = [make_row(), make_row(id=1, category_id=9), make_row(id=2, category_id=9)]
    found = mapped(COCO_80, read(categories=categories, annotations=rows))
    assert found.by_label == {"apple": 0, "banana": 3, "cell phone": 6, "wine glass": 12}
    assert found.unknown == {"Bag": 2} and found.renamed == {"Banan": "banana"}
    assert found.n_instances == 1
    assert "Bag (2)" in " ".join(found.notes())


def test_a_file_of_which_the_model_knows_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="found the categories Nebula; expected at least one"):
        mapped(COCO_80, read(categories=[{"id": 0, "name": "Nebula"}]))
