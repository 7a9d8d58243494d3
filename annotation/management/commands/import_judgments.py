import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from annotation.imported_study import import_study
from annotation.importing import FORMATS, import_judgments
from codecs_eval.management.ready import ReadyCommand

CSV = "csv"


class Command(ReadyCommand):
    help = (
        "Bring in judgments that were collected elsewhere: pairs with their images become a frozen "
        "dataset; csv, in the columns of our own export, becomes a closed study without images."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="a folder; for csv a file or its folder")
        parser.add_argument("--format", choices=[*FORMATS, CSV], required=True)
        parser.add_argument(
            "--name", help="of the dataset; for csv of the study (default: its own)"
        )
        parser.add_argument("--study", default="", help="csv: which one of several in the file")
        parser.add_argument("--licence", default="not stated")
        parser.add_argument("--attribution", default="")
        parser.add_argument("--seed", type=int, default=1, help="of the split by source")
        parser.add_argument("--test-share", type=float, default=0.25)
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            told = _study(options) if options["format"] == CSV else _dataset(options)
        except ValueError as error:
            raise CommandError(" ".join(str(error).split())) from error
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
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


def _refused(rows: list[tuple[int, str]]) -> list[dict[str, Any]]:
    return [{"line": line, "reason": reason} for line, reason in rows]


def _dataset(options: dict[str, Any]) -> dict[str, Any]:
    if options["name"] is None:
        raise ValueError("Found no --name; expected the name of the new dataset.")
    imported = import_judgments(
        options["path"],
        file_format=options["format"],
        name=options["name"],
        licence=options["licence"],
        attribution=options["attribution"],
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


def _study(options: dict[str, Any]) -> dict[str, Any]:
    imported = import_study(options["path"], name=options["name"] or "", study=options["study"])
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
