"""Masks made elsewhere -> SaliencyMap rows called imported:NAME, paired with photos by name."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug

from codecs_eval.finding_saliency import store_map
from codecs_eval.ingesting import source_names
from codecs_eval.mask_agreement import agree_where_missing
from codecs_eval.models import SaliencyMap, SourceImage
from codecs_eval.saliency.coco_masks import MarkedPhoto, marked_photos
from codecs_eval.saliency.masks import mask_files, paired, read_mask
from codecs_eval.saliency.saliency import Map

VERSION = "1"
LONGEST_NAME = 40

ReadMask = Callable[[SourceImage], Map]


@dataclass(frozen=True)
class MaskReport:
    """What became of every mask and photo; `refused` says why."""

    name: str
    imported: tuple[str, ...]
    already_there: tuple[str, ...]
    refused: tuple[str, ...]
    photos_without_mask: tuple[str, ...]
    files_without_photo: tuple[str, ...]
    n_agreements: int

    @property
    def summary(self) -> str:
        return (
            f"{len(self.imported)} imported, {len(self.already_there)} already there, "
            f"{len(self.refused)} refused, {len(self.photos_without_mask)} photos without a mask, "
            f"{len(self.files_without_photo)} masks without a photo"
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def import_masks(folder: Path, *, collection: str, name: str) -> MaskReport:
    """A folder of grey masks, called as the photos' files are. Raises ValueError for no match."""
    sources = _photos(collection, name)
    files = mask_files(folder)
    names = source_names([str(path.relative_to(folder)) for path in files])
    pairing = paired({path: names[str(path.relative_to(folder))] for path in files}, sources)

    def reader(photo: str) -> tuple[str, ReadMask]:
        path = pairing.pairs[photo]
        return path.name, lambda source: read_mask(path, source.height, source.width)

    return _imported(
        sources,
        name,
        {photo: reader(photo) for photo in pairing.pairs},
        pairing.photos_without_mask,
        pairing.files_without_photo,
    )


def import_coco_masks(instances: Path, *, collection: str, name: str) -> MaskReport:
    """The union of each photo's polygons in a COCO instances file."""
    sources = _photos(collection, name)
    marked = {Path(photo.file_name): photo for photo in marked_photos(instances)}
    names = source_names([str(path) for path in marked])
    pairing = paired({path: names[str(path)] for path in marked}, sources)

    def reader(photo: str) -> tuple[str, ReadMask]:
        found = marked[pairing.pairs[photo]]
        return f"{instances.name}: {found.file_name}", lambda source: _drawn(found, source)

    return _imported(
        sources,
        name,
        {photo: reader(photo) for photo in pairing.pairs},
        pairing.photos_without_mask,
        pairing.files_without_photo,
    )


def _drawn(photo: MarkedPhoto, source: SourceImage) -> Map:
    if (photo.width, photo.height) != (source.width, source.height):
        raise ValueError(
            f"{photo.file_name}: found {photo.width}x{photo.height} px; expected "
            f"{source.width}x{source.height} px as the photo has"
        )
    return photo.mask()


def _photos(collection: str, name: str) -> dict[str, SourceImage]:
    try:
        validate_slug(name)
    except ValidationError:
        raise ValueError(
            f"the masks' name is {name!r}; expected letters, digits, - and _"
        ) from None
    if len(name) > LONGEST_NAME:
        raise ValueError(f"the masks' name has {len(name)} characters; at most {LONGEST_NAME}")
    sources = {row.name: row for row in SourceImage.objects.in_collection(collection)}
    if not sources:
        raise ValueError(f"Found no photo with pixels in a collection {collection!r}.")
    return sources


def _imported(
    sources: Mapping[str, SourceImage],
    name: str,
    readers: Mapping[str, tuple[str, ReadMask]],
    photos_without_mask: tuple[str, ...],
    files_without_photo: tuple[str, ...],
) -> MaskReport:
    if not readers:
        raise ValueError(
            f"found {len(files_without_photo)} masks, such as {files_without_photo[0]}; expected "
            f"some to be called as a photo is, such as {photos_without_mask[0]}"
        )
    outcomes: dict[str, list[str]] = {"imported": [], "already_there": [], "refused": []}
    for photo, (origin, read) in readers.items():
        try:
            is_new = _import(sources[photo], name, origin, read)
            outcomes["imported" if is_new else "already_there"].append(photo)
        except ValueError as error:
            outcomes["refused"].append(str(error))
    return MaskReport(
        name,
        tuple(outcomes["imported"]),
        tuple(outcomes["already_there"]),
        tuple(outcomes["refused"]),
        photos_without_mask,
        files_without_photo,
        agree_where_missing(next(iter(sources.values())).collection),
    )


def _import(source: SourceImage, name: str, origin: str, read: ReadMask) -> bool:
    """Whether it is new. Raises ValueError where the name has another mask of this photo."""
    path = store_map(read(source))
    row, is_new = SaliencyMap.objects.get_or_create(
        source=source,
        model=f"{SaliencyMap.IMPORTED}{name}",
        model_version=VERSION,
        defaults={"path": path, "origin": origin[-200:]},
    )
    if row.path != path:
        raise ValueError(
            f"{origin}: found another mask of {source.name} than {name} has; expected the same, "
            f"or a name of its own"
        )
    return is_new
