import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from annotation.import_formats import FORMATS, is_table, recognised
from annotation.import_report import ImportReport, report_of
from annotation.import_run import write_refused
from annotation.imported_study import import_study
from annotation.importing import import_judgments
from annotation.unpacking import unpack
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = (
        "Bring in judgments that were collected elsewhere: layouts with images become a frozen "
        "dataset; tables in the columns of our own export, or of AIC-3, become a closed study "
        "without images. --report tells what is in the file and stores nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a folder or a zip of it; for tables a file")
        parser.add_argument(
            "--format", choices=[*FORMATS], default="", help="default: what the path looks like"
        )
        parser.add_argument(
            "--name", help="of the dataset; for tables of the study (default: its own)"
        )
        parser.add_argument("--study", default="", help="tables: which one of several in the file")
        parser.add_argument("--licence", default="not stated")
        parser.add_argument("--attribution", default="")
        parser.add_argument(
            "--raters", type=int, default=0, help="bapps without votes.csv: people a triplet"
        )
        parser.add_argument("--seed", type=int, default=1, help="of the split by source")
        parser.add_argument("--test-share", type=float, default=0.25)
        parser.add_argument(
            "--report", action="store_true", help="only tell columns, first rows, refused rows"
        )
        parser.add_argument("--refused", type=Path, help="write the refused rows here, as CSV")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            with _unpacked(options["path"]) as path:
                file_format = options["format"] or recognised(path)
                if options["report"]:
                    self._report(report_of(path, file_format, n_raters=options["raters"]), options)
                    return
                is_study = is_table(file_format)
                told = (_study if is_study else _dataset)(path, file_format, options)
        except ValueError as error:
            raise CommandError(" ".join(str(error).split())) from error
        if options["refused"]:
            refused = [(row["line"], row["reason"]) for row in told["refused"]]
            write_refused(options["refused"], refused)
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        self._tell(told)

    def _tell(self, told: dict[str, Any]) -> None:
        name = told.get("study") or told["name"]
        what = "study" if "study" in told else "dataset"
        self.stdout.write(
            f"{what} {name}: {told['accepted']} judgments of {told['n_triplets']} "
            f"triplets, {told['n_sources']} sources; {len(told['refused'])} rows refused"
        )
        for row in told["refused"]:
            self.stdout.write(f"  line {row['line']}: {row['reason']}")
        for note in told.get("notes", []):
            self.stdout.write(f"  {note}")

    def _report(self, report: ImportReport, options: dict[str, Any]) -> None:
        if options["json"]:
            told = {**vars(report), "refused": _refused(report.refused)}
            self.stdout.write(json.dumps(told, default=str))
            return
        said = "SIMULATED, " if report.is_simulated else ""
        self.stdout.write(
            f"{said}{report.file_format}: {report.n_read} rows, {report.n_good} good, "
            f"{report.n_refused} refused; nothing was stored"
        )
        for column in report.columns:
            self.stdout.write(f"  {column['name']}: {column['meaning'] or 'UNKNOWN, ignored'}")
        for missing in report.missing:
            self.stdout.write(f"  without {missing['name']}: {missing['then']}")
        for line, reason in report.refused:
            self.stdout.write(f"  line {line}: {reason}")
        for note in report.notes:
            self.stdout.write(f"  {note}")


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """A zip as the folder that it holds."""
    if path.suffix.lower() != ".zip":
        yield path
        return
    with TemporaryDirectory(prefix="triad-import-") as folder:
        yield unpack(path, Path(folder, "unpacked"))


def _refused(rows: list[tuple[int, str]]) -> list[dict[str, Any]]:
    return [{"line": line, "reason": reason} for line, reason in rows]


def _dataset(path: Path, file_format: str, options: dict[str, Any]) -> dict[str, Any]:
    if options["name"] is None:
        raise ValueError("Found no --name; expected the name of the new dataset.")
    imported = import_judgments(
        path,
        file_format=file_format,
        name=options["name"],
        licence=options["licence"],
        attribution=options["attribution"],
        n_raters=options["raters"],
        seed=options["seed"],
        test_share=options["test_share"],
    )
    dataset = imported.dataset
    return {
        "dataset": str(dataset.pk),
        "name": dataset.name,
        "accepted": imported.accepted,
        "refused": _refused(imported.refused),
        "n_sources": dataset.n_sources,
        "n_triplets": dataset.n_triplets,
        "n_judgments": dataset.n_judgments,
    }


def _study(path: Path, file_format: str, options: dict[str, Any]) -> dict[str, Any]:
    imported = import_study(
        path,
        file_format=file_format,
        name=options["name"] or "",
        study=options["study"],
        called=options["path"].stem if options["path"].suffix else "",
    )
    study = imported.study
    notes = list(imported.notes)
    if imported.ignored_columns:
        notes.append(f"columns ignored: {', '.join(imported.ignored_columns)}")
    return {
        "study": study.slug,
        "title": study.title,
        "is_simulated": study.is_simulated,
        "url": reverse("study", args=[study.slug]),
        "accepted": imported.accepted,
        "refused": _refused(imported.refused),
        "ignored_columns": imported.ignored_columns,
        "n_sessions": study.sessions.count(),
        "n_sources": study.triplets.values("source").distinct().count(),
        "n_triplets": study.triplets.count(),
        "n_judgments": imported.accepted,
        "notes": notes,
    }
