"""An uploaded file -> a study or a dataset, as a run: each row that was refused is named."""

import csv
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from annotation.import_formats import FORMATS, is_table, recognised
from annotation.imported_study import import_study
from annotation.importing import import_judgments
from annotation.unpacking import unpack
from codecs_eval.models import Run
from codecs_eval.run_kinds import config_of
from codecs_eval.runs import RunReporter
from codecs_eval.storing import sha256_of_chunks

FOLDER = "imports"
ENDINGS = (".csv", ".jsonl", ".ndjson", ".parquet", ".zip")
REFUSED = "refused.csv"


@dataclass(frozen=True)
class ImportConfig:
    """What was uploaded, and what becomes of it."""

    upload: str = field(metadata={"help": "The stored file: its sha256 and ending."})
    file: str = field(default="", metadata={"help": "What it was called."})
    file_format: str = field(default="", metadata={"label": "Format"})
    name: str = field(default="", metadata={"help": "Of the new study or dataset."})
    study: str = field(default="", metadata={"help": "Which of several in the file."})
    licence: str = "not stated"
    attribution: str = ""
    n_raters: int = field(default=0, metadata={"label": "Raters a triplet", "help": "0: told"})
    seed: int = 1
    test_share: float = 0.25

    def __post_init__(self) -> None:
        stem, _, ending = self.upload.partition(".")
        if len(stem) != 64 or not stem.isalnum() or f".{ending}" not in ENDINGS:
            raise ValueError(f"Found upload {self.upload[:80]!r}; expected a stored file.")
        if self.file_format and self.file_format not in FORMATS:
            raise ValueError(
                f"Found format {self.file_format!r}; expected one of {', '.join(FORMATS)}."
            )
        if not 0 <= self.n_raters <= 10_000:
            raise ValueError(f"Found {self.n_raters} raters a triplet; expected 0 to 10,000.")


def store_upload(upload: UploadedFile) -> str:
    """Keep an uploaded file under its own hash; the name that `ImportConfig.upload` takes.

    Raises ValueError where its ending is none of `ENDINGS`.
    """
    ending = Path(upload.name or "").suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"Found a file {upload.name!r}; expected {', '.join(ENDINGS)}.")
    name = f"{sha256_of_chunks(upload.chunks())}{ending}"
    if not default_storage.exists(f"{FOLDER}/{name}"):
        default_storage.save(f"{FOLDER}/{name}", upload)
    return name


@contextmanager
def opened(upload: str) -> Iterator[Path]:
    """The stored file on this machine's disk, a zip unpacked; gone afterwards.

    Raises ValueError where it is not there any more, or the zip is hostile.
    """
    stored = f"{FOLDER}/{upload}"
    if not default_storage.exists(stored):
        raise ValueError("The uploaded file is not there any more; upload it again.")
    with TemporaryDirectory(prefix="triad-import-") as folder:
        path = Path(folder, f"upload.{upload.partition('.')[2]}")
        with default_storage.open(stored, "rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield unpack(path, Path(folder, "unpacked")) if path.suffix == ".zip" else path


def import_in_run(run: Run, reporter: RunReporter) -> dict[str, Any]:
    config: ImportConfig = config_of(run.kind, run.config)
    run.refresh_from_db(fields=["result"])
    if run.result.get("study"):
        # An attempt before this one stored everything, and was killed before it could say so.
        return run.result
    reporter.progress(0.05, 1, "reading")
    with opened(config.upload) as path:
        file_format = config.file_format or recognised(path)
        if is_table(file_format):
            return _study(run, config, path, file_format)
        return _dataset(run, config, path, file_format)


def _study(run: Run, config: ImportConfig, path: Path, file_format: str) -> dict[str, Any]:
    with transaction.atomic():
        imported = import_study(
            path,
            file_format=file_format,
            name=config.name,
            study=config.study,
            called=Path(config.file).stem,
            user=run.created_by,
        )
        result = {
            "study": imported.study.slug,
            "format": file_format,
            "n_accepted": imported.accepted,
            "n_refused": len(imported.refused),
            "columns ignored": ", ".join(imported.ignored_columns) or "none",
            "notes": imported.notes,
        }
        Run.objects.filter(pk=run.pk).update(
            result=result, is_simulated=imported.study.is_simulated
        )
    write_refused(run.folder / REFUSED, imported.refused)
    return result


def _dataset(run: Run, config: ImportConfig, path: Path, file_format: str) -> dict[str, Any]:
    imported = import_judgments(
        path,
        file_format=file_format,
        name=config.name or Path(config.file).stem,
        licence=config.licence,
        attribution=config.attribution,
        n_raters=config.n_raters,
        seed=config.seed,
        test_share=config.test_share,
        user=run.created_by,
        dataset_id=run.pk,
    )
    dataset = imported.dataset
    Run.objects.filter(pk=run.pk).update(dataset=dataset, is_simulated=dataset.is_simulated)
    write_refused(run.folder / REFUSED, imported.refused)
    return {
        "dataset": str(dataset.pk),
        "format": file_format,
        "n_accepted": imported.accepted,
        "n_refused": len(imported.refused),
    }


def write_refused(path: Path, refused: Sequence[tuple[int, str]]) -> None:
    """Every refused row by its line, with its reason."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "reason"])
        writer.writerows(refused)
