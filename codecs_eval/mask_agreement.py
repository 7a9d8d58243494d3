"""Maps that were found + masks that were given -> agreement rows, and their means over photos."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db.models import Q

from codecs_eval import storing
from codecs_eval.models import MaskAgreement, SaliencyMap
from codecs_eval.saliency.agreement import VERSION, MeanOverPhotos, agreement, mean_over_photos
from codecs_eval.saliency.saliency import Map
from codecs_eval.saliency.table import SALIENCY

CSV_COLUMNS = (
    "collection",
    "photo",
    "model",
    "model_version",
    "masks",
    "mae",
    "f_adaptive",
    "f_max",
    "definition_version",
)


@dataclass(frozen=True)
class ModelAgreement:
    """A model against one set of masks: means over photos. None: no mask marks anything."""

    model: str
    label: str
    masks: str
    mae: MeanOverPhotos
    f_adaptive: MeanOverPhotos | None
    f_max: MeanOverPhotos | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def agree_where_missing(collection: str, before_each: Callable[[], None] | None = None) -> int:
    """Every found map of the collection with every given mask of its photo; how many are new."""
    maps = SaliencyMap.objects.in_collection(collection)
    found = defaultdict(list)
    for row in maps.found().order_by("source", "model"):
        found[row.source_id].append(row)
    known = set(
        MaskAgreement.objects.filter(mask__in=maps.masks(), version=VERSION).values_list(
            "mask", "saliency_map"
        )
    )
    n_new = 0
    for mask in maps.masks().order_by("source", "model"):
        missing = [row for row in found[mask.source_id] if (mask.pk, row.pk) not in known]
        if missing:
            if before_each is not None:
                before_each()
            n_new += _agree(mask, missing)
    return n_new


def _agree(mask: SaliencyMap, maps: list[SaliencyMap]) -> int:
    given = read_map(mask.path)
    rows = []
    for row in maps:
        numbers = agreement(read_map(row.path), given)
        rows.append(MaskAgreement(saliency_map=row, mask=mask, version=VERSION, **asdict(numbers)))
    MaskAgreement.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def read_map(path: str) -> Map:
    """Our own grey PNG as (height, width) float32 in [0, 1]."""
    return (storing.read_pixels(path)[..., 0] / 255).astype(np.float32)


def agreements(collection: str, masks: str = "") -> list[ModelAgreement]:
    """Each model with each set of masks (or the one called `masks`); models in table order."""
    grouped: dict[tuple[str, str], list[MaskAgreement]] = {}
    for row in _rows(collection, masks):
        grouped.setdefault((row.mask.model, row.saliency_map.model), []).append(row)
    order = list(SALIENCY)
    keys = sorted(grouped, key=lambda key: (key[0], order.index(key[1])))
    return [_summary(masks, model, grouped[masks, model]) for masks, model in keys]


def _summary(masks: str, model: str, rows: list[MaskAgreement]) -> ModelAgreement:
    mae = mean_over_photos([row.mae for row in rows])
    assert mae is not None
    return ModelAgreement(
        model,
        SALIENCY[model].label,
        masks.removeprefix(SaliencyMap.IMPORTED),
        mae,
        mean_over_photos([row.f_adaptive for row in rows]),
        mean_over_photos([row.f_max for row in rows]),
    )


def _rows(collection: str, masks: str = "") -> Iterator[MaskAgreement]:
    shown = SaliencyMap.objects.in_collection(collection)
    wanted = Q(saliency_map__in=shown.found(), mask__in=shown.masks(), version=VERSION)
    if masks:
        wanted &= Q(mask__model=f"{SaliencyMap.IMPORTED}{masks}")
    yield from (
        MaskAgreement.objects.filter(wanted)
        .select_related("saliency_map__source", "mask")
        .order_by("saliency_map__source__name", "mask__model", "saliency_map__model")
    )


def agreements_csv(collection: str) -> str:
    """One row a photo, model and set of masks."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in _rows(collection):
        found = row.saliency_map
        numbers = [_number(value) for value in (row.mae, row.f_adaptive, row.f_max)]
        masks = row.mask.model.removeprefix(SaliencyMap.IMPORTED)
        writer.writerow(
            [collection, found.source.name, found.model, found.model_version, masks]
            + [*numbers, row.version]
        )
    return buffer.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"
