import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import designing, screening
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Open, pause or close a study. The first opening freezes its design for ever."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name")
        parser.add_argument("--state", required=True, choices=list(designing.ALLOWED))
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            study = screening.study_called(options["study"])
            before = study.state
            designing.change_state(study, options["state"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        told = {"study": study.slug, "before": before, "state": study.state}
        self.stdout.write(
            json.dumps(told) if options["json"] else f"{study.slug}: {before} -> {study.state}"
        )
