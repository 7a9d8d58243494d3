import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile, UploadedFile
from django.core.management import CommandError, call_command
from django.db.models.signals import pre_save
from django.utils.datastructures import MultiValueDict

from codecs_eval import ingesting, storing
from codecs_eval.agreement.pixels import pixels_sha256
from codecs_eval.forms import ImportImagesForm
from codecs_eval.ingesting import FileReport, ImportReport
from codecs_eval.models import SourceImage
from tests.codecs_eval.photo_files import noise, png_bomb, saved, smooth, zipped

pytestmark = pytest.mark.usefixtures("db", "triad_home")

TERMS: dict[str, Any] = {"collection": "holiday", "licence": "CC BY 4.0", "attribution": "Ada"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def imported(path: Path, **changes: Any) -> ImportReport:
    return ingesting.import_path(path, **{**TERMS, **changes})


def stored_files() -> list[Path]:
    return sorted(path for path in Path(default_storage.location).rglob("*") if path.is_file())  # type: ignore[attr-defined]


def files_of(reports: tuple[FileReport, ...]) -> list[str]:
    return [each.file for each in reports]


def test_a_photo_becomes_a_row_and_a_lossless_file(photos: Path) -> None:
    put(photos, {"My Dog.png": saved(noise())})
    report = imported(photos)
    source = SourceImage.objects.get()
    assert (source.collection, source.name) == ("holiday", "My-Dog")
    assert (source.licence, source.attribution) == ("CC BY 4.0", "Ada")
    assert (source.width, source.height, source.original_format) == (90, 70, "PNG")
    assert source.sha256 == pixels_sha256(noise())
    assert np.array_equal(storing.read_pixels(source.path), noise())
    assert report.imported == (
        FileReport(
            "My Dog.png", "imported", "My Dog.png: imported as holiday/My-Dog.", (), source.pk
        ),
    )


def test_a_jpeg_is_flagged_and_its_conversions_are_kept(photos: Path) -> None:
    put(photos, {"a.jpg": saved(smooth()[..., 0], "JPEG")})
    report = imported(photos)
    source = SourceImage.objects.get()
    assert source.is_jpeg_born
    assert source.conversions == ["greyscale -> RGB, replicated"]
    assert list(report.imported[0].conversions) == source.conversions


def test_only_jpeg_born_photos_are_shrunk(photos: Path) -> None:
    image = noise(height=140, width=180)
    put(photos, {"a.jpg": saved(image, "JPEG"), "b.png": saved(image)})
    imported(photos, shrink_jpeg_born=True)
    sizes = {each.name: (each.width, each.height) for each in SourceImage.objects.all()}
    assert sizes == {"a": (90, 70), "b": (180, 140)}
    assert SourceImage.objects.get(name="a").conversions == ["shrunk by two (box, mean of 2x2)"]


def test_hostile_files_are_refused_and_the_others_imported(photos: Path) -> None:
    hostile = {
        "bomb.png": png_bomb(8000, 8000),
        "cut.jpg": saved(noise(), "JPEG")[:3000],
        "empty.png": b"",
        "gif.png": saved(noise(), "GIF"),
        "notes.txt": b"hello",
        "small.png": saved(noise(height=10)),
    }
    put(photos, {**hostile, "good.png": saved(noise(1)), "later.png": saved(noise(2))})
    report = imported(photos)
    assert files_of(report.imported) == ["good.png", "later.png"]
    assert files_of(report.refused) == sorted(hostile)
    assert all(each.reason.startswith(each.file) for each in report.refused)
    assert SourceImage.objects.count() == 2
    assert len(stored_files()) == 2


def test_a_hostile_zip_gives_its_good_members(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    members = {
        "../evil.png": saved(noise(1)),
        "inner.zip": zipped({"a.png": saved(noise(2))}),
        "__MACOSX/._good.png": b"",
        "sub/": b"",
        "sub/good.png": saved(noise(3)),
    }
    path.write_bytes(zipped(members))
    report = imported(path)
    assert files_of(report.imported) == ["sub/good.png"]
    assert files_of(report.refused) == ["../evil.png", "inner.zip"]
    assert files_of(report.ignored) == ["__MACOSX/._good.png", "sub/"]
    assert [each.name for each in SourceImage.objects.all()] == ["good"]


def test_a_second_import_finds_everything_there(photos: Path) -> None:
    put(photos, {"a.png": saved(noise(1)), "sub/a.png": saved(noise(2))})
    first, second = imported(photos), imported(photos)
    assert len(first.imported) == 2
    assert files_of(second.already_there) == ["a.png", "sub/a.png"]
    assert not (second.imported or second.refused)
    assert {each.source_id for each in first.imported} == {
        each.source_id for each in second.already_there
    }


def test_the_same_pixels_under_another_name_are_already_there(photos: Path) -> None:
    put(photos, {"a.png": saved(noise()), "b.tif": saved(noise(), "TIFF")})
    report = imported(photos)
    assert report.already_there[0].reason == "b.tif: already there as holiday/a."


def test_another_licence_for_a_known_photo_is_said(photos: Path) -> None:
    put(photos, {"a.png": saved(noise())})
    imported(photos)
    again = imported(photos, licence="CC0")
    assert again.already_there[0].reason.endswith("under its licence 'CC BY 4.0'.")
    assert SourceImage.objects.get().licence == "CC BY 4.0"


def test_the_same_name_with_other_pixels_is_refused_with_both_named(photos: Path) -> None:
    put(photos, {"a.png": saved(noise(1)), "a.webp": saved(noise(2), "WEBP")})
    report = imported(photos)
    assert files_of(report.imported) == ["a.png"]
    assert "a.webp: " in report.refused[0].reason
    assert "holiday/a (90x70)" in report.refused[0].reason


def test_two_collections_may_hold_the_same_photo_in_one_file(photos: Path) -> None:
    put(photos, {"a.png": saved(noise())})
    imported(photos)
    imported(photos, collection="other")
    assert SourceImage.objects.count() == 2
    assert len(stored_files()) == 1


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["photo.png", "sub/other.png"], ["photo", "other"]),
        (["photo.png", "sub/photo.png"], ["photo", "sub-photo"]),
        (["a/b/x.png", "a/c/x.png"], ["a-b-x", "a-c-x"]),
        (["=cmd|' C'!A0.png"], ["cmd-C-A0"]),
        (["Größe 日本.png"], ["Größe-日本"]),
        (["---.png"], [""]),
        (["v1.2 final.png"], ["v1.2-final"]),
    ],
)
def test_names_are_readable_and_apart(paths: list[str], names: list[str]) -> None:
    assert list(ingesting.source_names(paths).values()) == names


def test_a_name_without_a_letter_becomes_the_content_s(photos: Path) -> None:
    put(photos, {"---.png": saved(noise())})
    imported(photos)
    source = SourceImage.objects.get()
    assert source.name == f"photo-{source.sha256[:8]}"


def test_a_very_long_name_still_fits(photos: Path) -> None:
    put(
        photos,
        {f"{'d' * 200}/{'x' * 200}.png": saved(noise()), f"{'x' * 200}.png": saved(noise(1))},
    )
    imported(photos)
    assert sorted(len(each.name) for each in SourceImage.objects.all()) == [200]


def test_a_row_that_fails_leaves_no_file(photos: Path) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("the database went away")

    put(photos, {"a.png": saved(noise())})
    pre_save.connect(fail, sender=SourceImage)
    try:
        with pytest.raises(RuntimeError, match="went away"):
            imported(photos)
    finally:
        pre_save.disconnect(fail, sender=SourceImage)
    assert not SourceImage.objects.exists()
    assert not stored_files()


def test_a_row_that_fails_leaves_the_file_of_another(photos: Path) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("the database went away")

    put(photos, {"a.png": saved(noise())})
    imported(photos)
    pre_save.connect(fail, sender=SourceImage)
    try:
        with pytest.raises(RuntimeError):
            imported(photos, collection="other")
    finally:
        pre_save.disconnect(fail, sender=SourceImage)
    assert len(stored_files()) == 1


class RacingStorage(FileSystemStorage):
    """Another process stores the same photo between our look and our row."""

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        path = super().save(name, content, max_length)
        make_source(path)
        return path


def make_source(path: str) -> SourceImage:
    return SourceImage.objects.create(
        collection="holiday",
        name="theirs",
        sha256=pixels_sha256(noise()),
        path=path,
        width=90,
        height=70,
        original_format="PNG",
        licence="CC0",
    )


def test_two_imports_of_one_photo_at_once_leave_one(photos: Path, settings: Any) -> None:
    storages = dict(settings.STORAGES)
    storages["default"] = {
        **storages["default"],
        "BACKEND": f"{RacingStorage.__module__}.RacingStorage",
    }
    settings.STORAGES = storages
    put(photos, {"a.png": saved(noise())})
    report = imported(photos)
    assert files_of(report.already_there) == ["a.png"]
    assert SourceImage.objects.get().name == "theirs"
    assert default_storage.exists(SourceImage.objects.get().path)


def test_uploads_of_photos_and_zips_go_in_together() -> None:
    report = ingesting.import_uploads(
        [
            SimpleUploadedFile("a.png", saved(noise(1))),
            SimpleUploadedFile("many.zip", zipped({"b.png": saved(noise(2)), "../c.png": b"x"})),
            SimpleUploadedFile("broken.zip", b"no zip"),
            SimpleUploadedFile("zip.png", zipped({"d.png": saved(noise(3))})),
            on_disk("e.png", saved(noise(4))),
        ],
        **TERMS,
    )
    assert files_of(report.imported) == ["a.png", "e.png", "many.zip/b.png"]
    assert files_of(report.refused) == ["zip.png", "many.zip/../c.png", "broken.zip"]
    assert all(each.reason.startswith(f"{each.file}: found") for each in report.refused)


def on_disk(name: str, data: bytes) -> UploadedFile:
    upload = TemporaryUploadedFile(name, "image/png", len(data), None)
    upload.write(data)
    return upload


def test_a_file_over_the_limit_is_refused(settings: Any) -> None:
    settings.MAX_UPLOAD_FILE_BYTES = 5000
    report = ingesting.import_uploads([SimpleUploadedFile("a.png", saved(noise()))], **TERMS)
    assert "more than 5,000 bytes" in report.refused[0].reason


def test_the_form_s_data_are_the_verb_s_arguments() -> None:
    files: list[UploadedFile] = [
        SimpleUploadedFile("a.png", saved(noise(1))),
        SimpleUploadedFile("b.png", saved(noise(2))),
        SimpleUploadedFile("empty.png", b""),
    ]
    form = ImportImagesForm(TERMS, MultiValueDict({"files": files}))
    assert form.is_valid(), form.errors
    report = ingesting.import_uploads(**form.cleaned_data)
    assert files_of(report.imported) == ["a.png", "b.png"]
    assert files_of(report.refused) == ["empty.png"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"collection": "my photos"}, "collection"), ({"licence": ""}, "licence"), ({}, "files")],
)
def test_the_form_says_which_field_is_wrong(changes: dict[str, str], field: str) -> None:
    uploads: list[UploadedFile] = [SimpleUploadedFile("a.png", b"x")]
    files = {} if field == "files" else {"files": uploads}
    form = ImportImagesForm({**TERMS, **changes}, MultiValueDict(files))
    assert list(form.errors) == [field]


def command(path: Path, *extra: str) -> str:
    out = io.StringIO()
    call_command(
        "import_images", str(path), "--collection=holiday", "--licence=CC0", *extra, stdout=out
    )
    return out.getvalue()


def test_the_command_says_per_file_what_happened(photos: Path) -> None:
    put(photos, {"a.png": saved(noise()[..., 0]), "b.png": saved(noise(), "GIF"), ".DS_Store": b""})
    lines = command(photos).splitlines()
    assert lines[0] == "ignored: .DS_Store: a hidden or system file."
    assert lines[1] == ("imported: a.png: imported as holiday/a. (greyscale -> RGB, replicated)")
    assert lines[2].startswith("refused: b.png: found a GIF file")
    assert lines[3] == ("1 imported, 0 already there, 1 refused, 1 ignored (collection holiday)")


def test_the_command_prints_one_json_document(photos: Path) -> None:
    put(photos, {"a.png": saved(noise()), "b.png": b""})
    document = json.loads(command(photos, "--json", "--attribution=Ben"))
    assert document["collection"] == "holiday"
    assert [each["file"] for each in document["imported"]] == ["a.png"]
    assert document["imported"][0]["source_id"] == SourceImage.objects.get().pk
    assert [each["file"] for each in document["refused"]] == ["b.png"]
    assert SourceImage.objects.get().attribution == "Ben"


@pytest.mark.parametrize(
    ("name", "extra", "words"),
    [
        ("nowhere", [], "does not exist, expected a folder of photos or a zip"),
        ("empty", [], "holds no files"),
        ("a.png", [], "neither a folder nor a .zip archive"),
        ("broken.zip", [], "found no readable zip archive"),
        ("good", ["--collection=My Photos"], "'My Photos', expected letters.* 'my-photos'"),
        ("good", ["--collection="], "collection is ''"),
        ("good", ["--licence= "], "licence is empty"),
        ("good", [f"--licence={'x' * 201}"], "201 characters, expected at most 200"),
        ("bad", [], "nothing was imported from .* 1 refused, the first: text.png"),
    ],
)
def test_the_command_ends_with_one_clear_sentence(
    photos: Path, name: str, extra: list[str], words: str
) -> None:
    put(photos, {"a.png": b"x", "broken.zip": b"x", "bad/text.png": b"x"})
    put(photos, {"good/a.png": saved(noise())})
    (photos / "empty").mkdir()
    with pytest.raises(CommandError, match=words) as error:
        command(photos / name, *extra)
    assert "\n" not in str(error.value)
    assert not SourceImage.objects.exists()
