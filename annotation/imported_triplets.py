"""What was compared elsewhere, as rows without pixels: sources, reconstructions, triplets."""

import hashlib
import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from django.utils.text import slugify

from annotation.judgment_rows import Item, JudgmentRow
from annotation.models import Study, Triplet
from codecs_eval.models import Reconstruction, SourceImage

NOT_TOLD = "unknown"
_AT_ONCE = 2000

# A source is known by its collection and name; a reconstruction by its source, what made it, and
# whatever else tells it from its twin.
Source = tuple[str, str]
Key = tuple[Source, Item, str]


@dataclass(frozen=True)
class _Compared:
    """A triplet as the file has it."""

    key: Hashable
    kind: str
    expected: str
    crop: tuple[int, int, int, int]
    first: Key
    second: Key


@dataclass(frozen=True)
class Placed:
    """A triplet in the database; `is_swapped`: its first is the file's second."""

    pk: int
    is_swapped: bool


def triplet_key(row: JudgmentRow) -> Hashable:
    """What makes two rows the same comparison."""
    if row.triplet:
        return row.triplet
    return row.kind, row.collection, row.source, row.first, row.second


class Compared:
    """The triplets of a file, gathered row by row, then stored at once."""

    def __init__(self) -> None:
        self._found: dict[Hashable, _Compared] = {}
        self._sides: dict[tuple[str, Key, Key], Hashable] = {}

    def add(self, row: JudgmentRow) -> None:
        """Raises ValueError where a triplet is told in two ways."""
        key = triplet_key(row)
        known = self._found.get(key)
        new = _compared(key, row)
        if known is None:
            sides = new.kind, new.first, new.second
            if self._sides.setdefault(sides, key) != key:
                # Two triplets of the same sides (other crops, say): twins of their own.
                new = replace(
                    new,
                    first=(*new.first[:2], f"{new.first[2]} {key}"),
                    second=(*new.second[:2], f"{new.second[2]} {key}"),
                )
            self._found[key] = new
        elif (known.kind, known.expected) != (new.kind, new.expected) or (
            known.first[:2],
            known.second[:2],
        ) != (new.first[:2], new.second[:2]):
            raise ValueError(f"triplet {row.triplet} has other sides, kind or answer further up")

    def store(self, study: Study) -> dict[Hashable, Placed]:
        sources = self._sources(study)
        stored = self._reconstructions(study, sources)
        triplets, swapped = [], []
        for index, found in enumerate(self._found.values()):
            first, second = stored[found.first], stored[found.second]
            is_swapped = first > second
            triplets.append(
                _triplet(study, found, sources[found.first[0]].pk, (first, second), index)
            )
            swapped.append(is_swapped)
        Triplet.objects.bulk_create(triplets, batch_size=_AT_ONCE)
        return {
            key: Placed(triplet.pk, is_swapped)
            for key, triplet, is_swapped in zip(self._found, triplets, swapped, strict=True)
        }

    def items(self) -> Iterable[Item]:
        for found in self._found.values():
            yield found.first[1]
            yield found.second[1]

    def _sources(self, study: Study) -> dict[Source, SourceImage]:
        names = dict.fromkeys(found.first[0] for found in self._found.values())
        local: dict[str, str] = {}
        for told in dict.fromkeys(name for name, _ in names):
            local[told] = _free_collection(told, study.slug, set(local.values()))
        rows = {
            (collection, name): SourceImage(
                collection=local[collection], name=name, width=0, height=0, licence="not stated"
            )
            for collection, name in names
        }
        SourceImage.objects.bulk_create(rows.values(), batch_size=_AT_ONCE)
        return rows

    def _reconstructions(self, study: Study, sources: dict[Source, SourceImage]) -> dict[Key, int]:
        keys = self._in_order()
        rows = [_reconstruction(study, sources[key[0]], key) for key in keys]
        Reconstruction.objects.bulk_create(rows, batch_size=_AT_ONCE)
        return {key: row.pk for key, row in zip(keys, rows, strict=True)}

    def _in_order(self) -> list[Key]:
        """Every first before its second, so that triplets keep their sides, where that can be."""
        sorter: TopologicalSorter[Key] = TopologicalSorter()
        for found in self._found.values():
            if found.first == found.second:
                sorter.add(found.first)
            else:
                sorter.add(found.second, found.first)
        try:
            return list(sorter.static_order())
        except CycleError:
            pairs = ((found.first, found.second) for found in self._found.values())
            return list(dict.fromkeys(key for pair in pairs for key in pair))


def _compared(key: Hashable, row: JudgmentRow) -> _Compared:
    source = (row.collection, row.source or f"triplet {row.triplet}")
    twin = "" if row.first.codec else str(key)
    first = (source, row.first, twin)
    second = (source, row.second, twin)
    if row.kind == Triplet.Kind.IDENTICAL:
        second = first
    elif first == second:
        second = (source, row.second, f"{twin} second")
    return _Compared(key, row.kind, row.expected, row.crop, first, second)


def _free_collection(told: str, slug: str, taken: set[str]) -> str:
    """The file's own name, unless photos of this installation stand under it."""
    name = slugify(told)[:80] or slug
    n = 1
    candidate = name
    while candidate in taken or SourceImage.objects.filter(collection=candidate).exists():
        n += 1
        ending = f"-{slug}" if n == 2 else f"-{slug}-{n}"
        candidate = f"{name[: 80 - len(ending)]}{ending}"
    return candidate


def _reconstruction(study: Study, source: SourceImage, key: Key) -> Reconstruction:
    _, item, twin = key
    told = f"{item.settings} {item.bpp!r} {item.state} {twin}"
    return Reconstruction(
        source=source,
        codec=item.codec or NOT_TOLD,
        # Part of what makes a reconstruction unique: its settings are not.
        codec_version=f"imported {study.slug} {hashlib.sha256(told.encode()).hexdigest()[:16]}",
        target_bpp=item.target_bpp,
        bpp=item.bpp,
        state=item.state,
        settings=json.loads(item.settings),
    )


def _triplet(
    study: Study,
    found: _Compared,
    source: int,
    sides: tuple[int, int],
    index: int,
) -> Triplet:
    first, second = sorted(sides)
    is_swapped = sides[0] > sides[1]
    expected = found.expected
    if expected and is_swapped:
        expected = "second" if expected == "first" else "first"
    left, top, width, height = found.crop
    return Triplet(
        study=study,
        source_id=source,
        first_id=first,
        second_id=second,
        kind=found.kind,
        target_bpp=(found.second if is_swapped else found.first)[1].target_bpp,
        crop_left_px=left,
        crop_top_px=top,
        crop_width_px=width,
        crop_height_px=height,
        shuffle=index,
        expected=expected,
    )
