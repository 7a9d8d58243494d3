"""`import_images FOLDER_OR_ZIP --collection NAME --licence TEXT`: photos into the store."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from codecs_eval import ingesting
from codecs_eval.ingesting import FileReport, ImportReport
from codecs_eval.management.ready import ReadyCommand

_WORDS = {"already_there": "already there"}


class Command(ReadyCommand):
    help = "Import a folder or a zip of photos into a collection and say what became of each file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("photos", type=Path, metavar="FOLDER_OR_ZIP")
        # Not required here: the verb says what is missing in one sentence, argparse does not.
        parser.add_argument("--collection", default="", metavar="NAME")
        parser.add_argument("--licence", default="", metavar="TEXT")
        parser.add_argument("--attribution", default="", metavar="TEXT")
        parser.add_argument(
            "--shrink-jpeg-born",
            action="store_true",
            help="shrink photos that come as JPEG by two, so that its traces fade",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document instead")

    def handle(self, *args: Any, **options: Any) -> None:
        self.is_json = options["json"]
        self.n_read = 0
        # On a terminal the lines themselves are the progress.
        self.shows_progress = self.stderr.isatty() and (self.is_json or not self.stdout.isatty())
        try:
            report = ingesting.import_path(
                options["photos"],
                collection=options["collection"],
                licence=options["licence"],
                attribution=options["attribution"],
                shrink_jpeg_born=options["shrink_jpeg_born"],
                on_file=self._tell,
            )
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        self._conclude(report, options["collection"])
        if not report.has_sources:
            raise CommandError(
                f"nothing was imported from {options['photos']}: {len(report.refused)} refused, "
                f"the first: {report.refused[0].reason}"
            )

    def _tell(self, file: FileReport) -> None:
        self.n_read += 1
        if self.shows_progress:
            self.stderr.write(f"\r{self.n_read} files read", ending="")
        if not self.is_json:
            notes = f" ({'; '.join(file.conversions)})" if file.conversions else ""
            self.stdout.write(f"{_WORDS.get(file.outcome, file.outcome)}: {file.reason}{notes}")

    def _conclude(self, report: ImportReport, collection: str) -> None:
        if self.shows_progress:
            self.stderr.write("")
        if self.is_json:
            document = {"collection": collection, **report.to_json()}
            self.stdout.write(json.dumps(document, indent=2))
        else:
            self.stdout.write(f"{report.summary} (collection {collection})")
