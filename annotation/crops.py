"""Where each triplet of a study is cut from its photo."""

import io
import random
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from django.db.models import Count
from numpy.typing import NDArray
from PIL import Image

from annotation.design.cropping import place_of_most, squared_difference
from annotation.models import Study
from codecs_eval import storing
from codecs_eval.models import Reconstruction, SaliencyMap, SourceImage
from codecs_eval.saliency.table import DEFAULT, SALIENCY

Box = tuple[int, int, int, int]
# As many copies of one photo at one rate are kept decoded as a study has codecs, mostly.
KEPT_DECODED = 12
# Reading and comparing a megapixel takes 0.05 to 0.1 s: more than this is no work for a page.
MEGAPIXELS_AT_ONCE = 24.0
# Crops that are found by reading pictures.
READING = (Study.Crop.MOST_DIFFERENT, Study.Crop.SALIENT)


class NoSaliency(ValueError):
    """The study cuts where people look, and nobody has looked yet; says how it can be found."""

    def __init__(self, collection: str, n_missing: int, n: int) -> None:
        super().__init__(
            f"{n_missing} of {n} photos in collection {collection!r} have no saliency map, which "
            "decides the crop. Find them first, on the collection's saliency page or by "
            f"manage.py saliency --collection {collection}."
        )
        self.collection = collection


def megapixels_read(study: Study, pairs: Iterable[tuple[Reconstruction, Reconstruction]]) -> float:
    """How many million pixels `Crops` reads and compares for these pairs."""
    if study.crop == Study.Crop.MOST_DIFFERENT:
        return sum(one.source.pixels for one, _ in pairs) / 1e6
    if study.crop == Study.Crop.SALIENT:
        return sum({one.source_id: one.source.pixels for one, _ in pairs}.values()) / 1e6
    return 0.0


class Crops:
    """left, top, width, height of each triplet's crop; the same settings give the same ones.

    Whole, centre, random and salient are one place a photo, so that all its triplets show the
    same. Where the copies differ most is a place of the triplet's own: two copies are compared,
    and a place that all pairs of a photo share may show two that do not differ there at all.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self.pixels = lru_cache(maxsize=KEPT_DECODED)(storing.read_pixels)
        self._salient: dict[int, tuple[int, int]] = {}
        self._maps = maps_of(study) if study.crop == Study.Crop.SALIENT else {}

    def of(self, first: Reconstruction, second: Reconstruction) -> Box:
        study, source = self._study, first.source
        if study.crop == Study.Crop.WHOLE:
            return 0, 0, source.width, source.height
        width, height = min(study.crop_px, source.width), min(study.crop_px, source.height)
        return *self._place(first, second, width, height), width, height

    def _place(
        self, first: Reconstruction, second: Reconstruction, width: int, height: int
    ) -> tuple[int, int]:
        study, source = self._study, first.source
        if study.crop == Study.Crop.MOST_DIFFERENT:
            return self._most_different(first, second, width, height)
        if study.crop == Study.Crop.SALIENT:
            if source.pk not in self._salient:
                self._salient[source.pk] = place_of_most(
                    _read_map(self._maps[source.pk]), width, height
                )
            return self._salient[source.pk]
        if study.crop == Study.Crop.CENTRE:
            return (source.width - width) // 2, (source.height - height) // 2
        place = random.Random(f"{study.seed}:{source.sha256}")
        return place.randint(0, source.width - width), place.randint(0, source.height - height)

    def _most_different(
        self, first: Reconstruction, second: Reconstruction, width: int, height: int
    ) -> tuple[int, int]:
        """Of an identical pair: where the copy differs most from its original."""
        other = first.source.path if first.pk == second.pk else second.path
        found = squared_difference(self.pixels(first.path), self.pixels(other))
        return place_of_most(found, width, height)


def maps_of(study: Study) -> dict[int, str]:
    """The path of each photo's map: by the one model that knows most photos, the usual one first.

    Raises NoSaliency where it does not know all of them.
    """
    sources = SourceImage.objects.in_collection(study.collection)
    n = sources.count()
    maps = SaliencyMap.objects.in_collection(study.collection)
    counts = dict(maps.order_by().values_list("model").annotate(n=Count("source", distinct=True)))
    # A model before masks that were given, which may mark what nobody looks at.
    order = [DEFAULT, *(name for name in SALIENCY if name != DEFAULT), *sorted(counts)]
    model = max(order, key=lambda name: counts.get(name, 0))
    if counts.get(model, 0) < n:
        raise NoSaliency(study.collection, n - counts.get(model, 0), n)
    return dict(maps.filter(model=model).values_list("source", "path"))


def _read_map(path: str) -> NDArray[Any]:
    with Image.open(io.BytesIO(storing.read(path)), formats=["PNG"]) as image:
        return np.asarray(image.convert("L"))
