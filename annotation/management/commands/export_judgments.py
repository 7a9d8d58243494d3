import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.exported_tables import write_judgments
from annotation.exporting import judgments_csv
from annotation.models import Study
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Write judgments as CSV, one row each, streamed. More formats: export_study."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", help="short name; default: every study")
        parser.add_argument("--output", type=Path, help="default: standard output")
        parser.add_argument("--json", action="store_true", help="tell what was written, as JSON")

    def handle(self, **options: Any) -> None:
        study = None
        if options["study"]:
            study = Study.objects.filter(slug=options["study"]).first()
            if study is None:
                known = ", ".join(Study.objects.values_list("slug", flat=True)) or "none yet"
                raise CommandError(f"No study is called {options['study']!r}; known: {known}.")
        if options["json"] and not options["output"]:
            raise CommandError("--json tells about a file; give one with --output.")
        if not options["output"]:
            for text in judgments_csv(study):
                self.stdout.write(text, ending="")
            return
        try:
            with options["output"].open("wb") as file:
                n_judgments = write_judgments(file, "csv", study)
        except OSError as error:
            raise CommandError(f"Cannot write {options['output']}: {error.strerror}.") from error
        if options["json"]:
            told = {"file": str(options["output"]), "n_judgments": n_judgments}
            self.stdout.write(json.dumps(told))
