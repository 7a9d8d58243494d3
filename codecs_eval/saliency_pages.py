"""What the saliency page shows: which maps there are, and each photo with its map and numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count

from codecs_eval.models import MaskAgreement, SaliencyMap, SourceImage
from codecs_eval.saliency.agreement import VERSION
from codecs_eval.saliency.table import SALIENCY


@dataclass(frozen=True)
class MapChoice:
    """A model, or a set of given masks, that has maps in a collection."""

    model: str
    label: str
    n_maps: int
    is_imported: bool


@dataclass(frozen=True)
class ShownPhoto:
    """None: there is no map, no mask, or no number (the mask marks nothing) of this photo."""

    source: SourceImage
    map: SaliencyMap | None
    mask: SaliencyMap | None
    agreement: MaskAgreement | None


def choices_of(collection: str) -> list[MapChoice]:
    """Models in the table's order, then given masks by name."""
    rows = SaliencyMap.objects.in_collection(collection).order_by()
    counts: dict[str, int] = dict(rows.values_list("model").annotate(n=Count("pk")))
    names = [name for name in SALIENCY if name in counts]
    names += sorted(name for name in counts if name not in SALIENCY)
    return [_choice(name, counts[name]) for name in names]


def _choice(model: str, n_maps: int) -> MapChoice:
    if model in SALIENCY:
        return MapChoice(model, SALIENCY[model].label, n_maps, is_imported=False)
    name = model.removeprefix(SaliencyMap.IMPORTED)
    return MapChoice(model, f"Masks: {name}", n_maps, is_imported=True)


def masks_of(choices: Sequence[MapChoice], wanted: str) -> MapChoice | None:
    """The given masks that were asked for, else the first ones; None where there are none."""
    given = [choice for choice in choices if choice.is_imported]
    asked = [choice for choice in given if choice.model == wanted]
    return next(iter(asked or given), None)


def shown_photos(
    sources: Iterable[SourceImage], chosen: MapChoice, masks: MapChoice | None
) -> list[ShownPhoto]:
    """Photos with their map, mask and agreement, in two queries."""
    sources = list(sources)
    wanted = [chosen.model] if masks is None else [chosen.model, masks.model]
    versions = {entry.name: entry.version for entry in SALIENCY.values()}
    maps: dict[tuple[int, str], SaliencyMap] = {
        (row.source_id, row.model): row
        for row in SaliencyMap.objects.filter(source__in=sources, model__in=wanted)
        if row.is_imported or row.model_version == versions.get(row.model)
    }
    numbers = {
        (row.saliency_map_id, row.mask_id): row
        for row in MaskAgreement.objects.filter(mask__in=maps.values(), version=VERSION)
    }
    photos = []
    for source in sources:
        found = maps.get((source.pk, chosen.model))
        mask = maps.get((source.pk, masks.model)) if masks else None
        number = numbers.get((found.pk, mask.pk)) if found and mask else None
        photos.append(ShownPhoto(source, found, mask, number))
    return photos
