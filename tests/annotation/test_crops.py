"""Where triplets are cut, on made pictures whose answer is known."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation import triplets
from annotation.crops import Crops, NoSaliency
from annotation.models import Study, Triplet
from codecs_eval import storing
from codecs_eval.models import SaliencyMap, SourceImage
from codecs_eval.saliency.table import DEFAULT, SALIENCY
from tests.factories import make_reconstruction, make_source, make_study

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("triad_home")]

WIDTH, HEIGHT = 200, 150


def grey(value: int = 128) -> NDArray[np.uint8]:
    return np.full((HEIGHT, WIDTH, 3), value, dtype=np.uint8)


def with_spot(left: int, top: int, size: int = 10) -> NDArray[np.uint8]:
    pixels = grey()
    pixels[top : top + size, left : left + size] = 255
    return pixels


def make_photo(collection: str = "kodak", **copies: NDArray[np.uint8]) -> SourceImage:
    source = make_source(collection, pixels=grey())
    for codec, pixels in copies.items():
        make_reconstruction(source, codec, pixels=pixels)
    return source


def make_map(source: SourceImage, left: int, top: int, model: str = DEFAULT) -> SaliencyMap:
    pixels = np.zeros((source.height, source.width), dtype=np.uint8)
    pixels[top : top + 10, left : left + 10] = 200
    return SaliencyMap.objects.create(
        source=source,
        model=model,
        model_version=SALIENCY[model].version if model in SALIENCY else "1",
        path=storing.store(storing.png_of(pixels), folder="saliency", extension="png"),
        origin="made for this test",
    )


def holds(box: tuple[int, int, int, int], left: int, top: int, size: int = 10) -> bool:
    return box[0] <= left and box[1] <= top and box[2] >= left + size and box[3] >= top + size


def make_cut(crop: str, **values: Any) -> Study:
    return make_study(collection="kodak", crop=crop, crop_px=64, state=Study.State.DRAFT, **values)


def test_each_pair_is_cut_where_its_own_copies_differ_most() -> None:
    make_photo(avif=grey(), jpeg=with_spot(150, 10), webp=with_spot(5, 120))
    study = make_cut("differ", codecs=("avif", "jpeg", "webp"))
    boxes = {frozenset((t.first.codec, t.second.codec)): t.box for t in study.triplets.all()}
    assert holds(boxes[frozenset(("avif", "jpeg"))], 150, 10)
    assert holds(boxes[frozenset(("avif", "webp"))], 5, 120)
    assert all(right - left == bottom - top == 64 for left, top, right, bottom in boxes.values())


def test_an_identical_pair_is_cut_where_its_copy_differs_from_the_photo() -> None:
    make_photo(jpeg=with_spot(150, 10), webp=with_spot(150, 10))
    study = make_cut("differ", identical_share=0.1, session_length=10)
    alike = study.triplets.filter(kind=Triplet.Kind.IDENTICAL)
    assert alike.count() == 2
    assert all(holds(triplet.box, 150, 10) for triplet in alike)


def test_copies_that_do_not_differ_at_all_are_cut_from_the_centre() -> None:
    make_photo(jpeg=grey(), webp=grey())
    (triplet,) = make_cut("differ").triplets.all()
    assert triplet.box == (68, 43, 132, 107)


def test_planning_again_cuts_the_same() -> None:
    make_photo(jpeg=with_spot(150, 10), webp=with_spot(5, 120))
    study = make_cut("differ")
    before = [triplet.box for triplet in study.triplets.all()]
    triplets.plan_triplets(study)
    assert [triplet.box for triplet in study.triplets.all()] == before


def test_all_pairs_of_a_photo_are_cut_where_people_look() -> None:
    source = make_photo(avif=grey(), jpeg=with_spot(150, 10), webp=with_spot(5, 120))
    make_map(source, 100, 60)
    study = make_cut("salient", codecs=("avif", "jpeg", "webp"))
    boxes = {triplet.box for triplet in study.triplets.all()}
    assert len(boxes) == 1
    assert holds(boxes.pop(), 100, 60)


def test_without_a_map_it_is_said_how_to_make_one() -> None:
    make_photo(jpeg=grey(), webp=grey())
    with pytest.raises(NoSaliency, match="1 of 1 photos .*manage.py saliency --collection kodak"):
        make_cut("salient")


def test_a_found_map_goes_before_given_masks_that_know_as_many_photos() -> None:
    source = make_photo(jpeg=grey(), webp=grey())
    make_map(source, 5, 5, model="imported:people")
    make_map(source, 150, 100)
    (triplet,) = make_cut("salient").triplets.all()
    assert holds(triplet.box, 150, 100)


def test_a_map_of_an_older_version_is_none() -> None:
    source = make_photo(jpeg=grey(), webp=grey())
    found = make_map(source, 5, 5)
    SaliencyMap.objects.filter(pk=found.pk).update(model_version="ancient")
    with pytest.raises(NoSaliency):
        make_cut("salient")


def test_a_copy_of_a_photo_is_decoded_once_for_all_its_pairs() -> None:
    make_photo(avif=grey(1), jpeg=grey(2), webp=grey(3))
    study = make_cut("centre", codecs=("avif", "jpeg", "webp"))
    study.crop = Study.Crop.MOST_DIFFERENT
    crops = Crops(study)
    for triplet in study.triplets.select_related("first__source", "second__source"):
        crops.of(triplet.first, triplet.second)
    assert crops.pixels.cache_info().misses == 3
