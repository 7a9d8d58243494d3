"""Photos as people have them -> SourceImage rows: guarded, lossless, each file accounted for."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from codecs_eval import storing
from codecs_eval.agreement.pixels import pixels_sha256
from codecs_eval.codecs import gathering, reading
from codecs_eval.codecs.gathering import Entry, Listing
from codecs_eval.codecs.reading import Photo
from codecs_eval.codecs.sniffing import ACCEPTED, Refused
from codecs_eval.models import SourceImage

# A zip may hold this many of the largest files; they are read one at a time.
MAX_FILES_OF_FULL_SIZE = 50
_NAME_LENGTH = 200


@dataclass(frozen=True)
class FileReport:
    """What happened to one file; `outcome` is the field of ImportReport that it stands in."""

    file: str
    outcome: str
    reason: str
    conversions: tuple[str, ...] = ()
    source_id: int | None = None


@dataclass(frozen=True)
class ImportReport:
    imported: tuple[FileReport, ...]
    already_there: tuple[FileReport, ...]
    refused: tuple[FileReport, ...]
    ignored: tuple[FileReport, ...]

    @property
    def has_sources(self) -> bool:
        return bool(self.imported or self.already_there)

    @property
    def summary(self) -> str:
        return (
            f"{len(self.imported)} imported, {len(self.already_there)} already there, "
            f"{len(self.refused)} refused, {len(self.ignored)} ignored"
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Target:
    """Where the photos go and under which terms."""

    collection: str
    licence: str
    attribution: str = ""
    shrink_jpeg_born: bool = False
    is_flattened: bool = False

    def __post_init__(self) -> None:
        try:
            validate_slug(self.collection)
        except ValidationError:
            raise ValueError(
                f"collection is {self.collection!r}, expected letters, digits, - and _, "
                f"for example {slugify(self.collection) or 'my-photos'!r}"
            ) from None
        if not self.licence.strip():
            raise ValueError(
                "licence is empty, expected the terms of the photos, for example 'CC BY 4.0'"
            )
        for field in SourceImage._meta.fields:
            n_characters = len(getattr(self, field.name, ""))
            if n_characters > (field.max_length or n_characters):
                raise ValueError(
                    f"{field.name} has {n_characters} characters, expected at most "
                    f"{field.max_length}"
                )


OnFile = Callable[[FileReport], None]


def import_path(
    path: Path,
    *,
    collection: str,
    licence: str,
    attribution: str = "",
    shrink_jpeg_born: bool = False,
    is_flattened: bool = False,
    only: Collection[str] | None = None,
    on_file: OnFile | None = None,
) -> ImportReport:
    """A folder with all its subfolders, or a zip. Raises ValueError where nothing can be done.

    `only`: paths inside the folder, others are passed over; `is_flattened`: see read_photo.
    """
    target = Target(collection, licence, attribution, shrink_jpeg_born, is_flattened)
    if path.is_dir():
        listing = gathering.list_folder(path, max_file_bytes=settings.MAX_UPLOAD_FILE_BYTES)
        if only is not None:
            wanted = tuple(entry for entry in listing.entries if entry.path in only)
            listing = Listing(wanted, ())
        return _collected(_imported(_filled(listing, path), target), on_file)
    if not path.exists():
        raise ValueError(f"{path} does not exist, expected a folder of photos or a zip archive")
    if path.suffix.lower() != ".zip":
        raise ValueError(f"{path} is neither a folder nor a .zip archive, expected one of them")
    with path.open("rb") as file, _archive(file, path.name) as listing:
        return _collected(_imported(_filled(listing, path), target), on_file)


def import_uploads(
    files: Iterable[UploadedFile],
    *,
    collection: str,
    licence: str,
    attribution: str = "",
    shrink_jpeg_born: bool = False,
    on_file: OnFile | None = None,
) -> ImportReport:
    """Uploaded photos and zips, together; a zip that cannot be opened is refused as one file."""
    target = Target(collection, licence, attribution, shrink_jpeg_born)
    return _collected(_uploaded(list(files), target), on_file)


def _uploaded(files: list[UploadedFile], target: Target) -> Iterator[FileReport]:
    photos = [_upload_entry(each) for each in files if not _is_archive(each)]
    yield from _imported(Listing(tuple(photos), ()), target)
    for each in filter(_is_archive, files):
        name = gathering.printable(str(each.name))
        try:
            with _archive(each, name) as listing:
                yield from _imported(listing, target, inside=f"{name}/")
        except Refused as error:
            yield FileReport(name, "refused", str(error))


def _is_archive(upload: UploadedFile) -> bool:
    return str(upload.name).lower().endswith(".zip")


def _upload_entry(upload: UploadedFile) -> Entry:
    name = gathering.printable(str(upload.name))

    def read() -> bytes:
        upload.seek(0)
        return gathering.read_bounded(upload, name, settings.MAX_UPLOAD_FILE_BYTES)

    return Entry(name, read)


def _archive(file: Any, name: str) -> Any:
    limit = settings.MAX_UPLOAD_FILE_BYTES
    return gathering.open_archive(
        file, name, max_file_bytes=limit, max_total_bytes=MAX_FILES_OF_FULL_SIZE * limit
    )


def _filled(listing: Listing, path: Path) -> Listing:
    if not listing.entries:
        raise ValueError(f"{path} holds no files, expected photos ({ACCEPTED})")
    return listing


def _collected(reports: Iterable[FileReport], on_file: OnFile | None) -> ImportReport:
    by_outcome: dict[str, list[FileReport]] = defaultdict(list)
    for report in reports:
        by_outcome[report.outcome].append(report)
        if on_file is not None:
            on_file(report)
    return ImportReport(
        *(
            tuple(by_outcome[outcome])
            for outcome in ("imported", "already_there", "refused", "ignored")
        )
    )


def _imported(listing: Listing, target: Target, inside: str = "") -> Iterator[FileReport]:
    for ignored in listing.ignored:
        file = inside + ignored.path
        yield FileReport(file, "ignored", f"{file}: {ignored.reason}.")
    names = source_names([entry.path for entry in listing.entries])
    for entry in listing.entries:
        try:
            yield _import_entry(entry, names[entry.path], target, inside)
        except Refused as error:
            yield FileReport(inside + entry.path, "refused", inside + str(error))


def source_names(paths: Iterable[str]) -> dict[str, str]:
    """Path -> readable name: the stem, led by its folders where another folder has that stem."""
    folders_of: dict[str, set[str]] = defaultdict(set)
    paths = list(paths)
    for path in paths:
        folders_of[PurePosixPath(path).stem].add(str(PurePosixPath(path).parent))
    return {
        path: _clean(
            str(PurePosixPath(path).with_suffix(""))
            if len(folders_of[PurePosixPath(path).stem]) > 1
            else PurePosixPath(path).stem
        )
        for path in paths
    }


def _clean(text: str) -> str:
    """Letters, digits, dots, - and _ of any script; empty where nothing is left."""
    words = re.sub(r"[^\w.]+", "-", unicodedata.normalize("NFKC", text))
    return words.strip("-._")[-_NAME_LENGTH:].lstrip("-._")


def _import_entry(entry: Entry, name: str, target: Target, inside: str) -> FileReport:
    photo = reading.read_photo(
        entry.read(),
        name=entry.path,
        max_pixels=settings.MAX_IMAGE_PIXELS,
        is_flattened=target.is_flattened,
    )
    if target.shrink_jpeg_born and photo.is_jpeg_born:
        photo = reading.halved(photo, name=entry.path)
    sha256 = pixels_sha256(photo.image)
    name = name or f"photo-{sha256[:8]}"
    file = inside + entry.path
    known = _known(file, entry.path, name, sha256, target)
    if known is not None:
        return known
    path = storing.store(storing.png_of(photo.image), folder="sources", extension="png")
    try:
        with _forgotten_without_its_row(path), transaction.atomic():
            source = _create(photo, name, sha256, path, target)
    except IntegrityError:
        # Another import stored the same photo or name since we looked; else it is a real fault.
        known = _known(file, entry.path, name, sha256, target)
        if known is None:
            raise
        return known
    return FileReport(
        file, "imported", f"{file}: imported as {source}.", photo.conversions, source.pk
    )


def _known(file: str, path: str, name: str, sha256: str, target: Target) -> FileReport | None:
    """The report for a photo that the collection has; Refused where only its name is taken."""
    sources = SourceImage.objects.in_collection(target.collection)
    same = sources.filter(sha256=sha256).first()
    if same is not None:
        terms = "" if same.licence == target.licence else f", under its licence {same.licence!r}"
        return FileReport(
            file, "already_there", f"{file}: already there as {same}{terms}.", (), same.pk
        )
    taken = sources.filter(name=name).first()
    if taken is not None:
        raise Refused(
            f"{path}: found other pixels than the source {taken} ({taken.width}x{taken.height}) "
            "has, expected a name of its own; rename the file or use another collection."
        )
    return None


def _create(photo: Photo, name: str, sha256: str, path: str, target: Target) -> SourceImage:
    height, width = photo.image.shape[:2]
    return SourceImage.objects.create(
        collection=target.collection,
        name=name,
        sha256=sha256,
        path=path,
        width=width,
        height=height,
        original_format=photo.original_format,
        conversions=list(photo.conversions),
        licence=target.licence.strip(),
        attribution=target.attribution.strip(),
    )


@contextmanager
def _forgotten_without_its_row(path: str) -> Iterator[None]:
    """Deletes the stored file where the block fails, unless somebody else stored the same."""
    is_kept = False
    try:
        yield
        is_kept = True
    finally:
        if not is_kept and not SourceImage.objects.filter(path=path).exists():
            default_storage.delete(path)
