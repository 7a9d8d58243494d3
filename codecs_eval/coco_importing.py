"""A COCO file and a folder of its photos -> a collection, and the file itself in the store."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codecs_eval import ingesting, storing
from codecs_eval.codecs import gathering
from codecs_eval.downstream.coco import CocoFile, CocoImage, read_coco
from codecs_eval.ingesting import ImportReport, OnFile

# Which photos a file names is told by its images; a terabyte of annotations is no such file.
MAX_COCO_BYTES = 2_000_000_000
UNSTATED = "as the data set's owner says"


@dataclass(frozen=True)
class CocoImport:
    """`annotations`: where the file lies in the store. `without_file`: images of the COCO file
    that the folder has no file of; `without_entry`: files of the folder that it does not name."""

    annotations: str
    collection: str
    photos: ImportReport
    without_file: tuple[str, ...]
    without_entry: tuple[str, ...]


def import_coco(
    coco: Path,
    images: Path,
    *,
    collection: str,
    licence: str = UNSTATED,
    shrink_jpeg_born: bool = False,
    on_file: OnFile | None = None,
) -> CocoImport:
    """Only the photos that the file names. Raises ValueError saying what is wrong with either."""
    data = _read(coco)
    file = read_coco(data, name=coco.name, with_masks=False)
    paths = _paths(images)
    matched = files_of(file.images, paths)
    if not matched:
        raise ValueError(
            f"{images}: found none of the {len(file.images)} photos that {coco.name} names, such "
            f"as {file.images[0].file_name}; expected the folder that holds them"
        )
    report = ingesting.import_path(
        images,
        collection=collection,
        licence=licence,
        shrink_jpeg_born=shrink_jpeg_born,
        is_flattened=True,
        only=set(matched.values()),
        on_file=on_file,
    )
    return CocoImport(
        annotations=keep(data, file),
        collection=collection,
        photos=report,
        without_file=tuple(each.file_name for each in file.images if each.id not in matched),
        without_entry=tuple(sorted(set(paths) - set(matched.values()))),
    )


def keep(data: bytes, file: CocoFile) -> str:
    """Where the bytes of a COCO file that could be read lie in the store."""
    return storing.store(data, folder="annotations", extension="json")


def keep_file(coco: Path) -> str:
    """The same for a file of photos that are imported already."""
    data = _read(coco)
    return keep(data, read_coco(data, name=coco.name, with_masks=False))


def files_of(images: Sequence[CocoImage], paths: Sequence[str]) -> dict[int, str]:
    """Image id -> path inside the folder: the same path, else the only file of that name."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_name[path.rpartition("/")[2]].append(path)
    known = set(paths)
    matched = {}
    for image in images:
        named = by_name.get(image.file_name.rpartition("/")[2], [])
        if image.file_name in known:
            matched[image.id] = image.file_name
        elif len(named) == 1:
            matched[image.id] = named[0]
    return matched


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_COCO_BYTES:
            raise ValueError(f"{path}: found more than {MAX_COCO_BYTES:,} bytes, expected less")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path}: cannot be read ({error.strerror}), expected a COCO instances file"
        ) from None


def _paths(images: Path) -> list[str]:
    if not images.is_dir():
        raise ValueError(f"{images}: found no folder there, expected the one with the photos")
    # Nothing is opened yet: how large a file may be is said when it is.
    listing = gathering.list_folder(images, max_file_bytes=0)
    return [entry.path for entry in listing.entries]
