import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import extending, screening
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Ask for more judgments of each triplet than before; the question stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name")
        parser.add_argument(
            "--judgments", type=int, required=True, metavar="N", help="a triplet, in all"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            study = screening.study_called(options["study"])
            before = study.judgments_per_triplet
            extending.extend(study, options["judgments"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        told = {
            "study": study.slug,
            "before": before,
            "judgments_per_triplet": study.judgments_per_triplet,
            "state": study.state,
        }
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(
            f"{study.slug} ({study.state}): {before} -> {study.judgments_per_triplet} judgments "
            "a triplet"
        )
