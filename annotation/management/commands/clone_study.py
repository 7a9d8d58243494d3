import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import revising
from annotation.models import Study
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = (
        "Copy a study's design: as an independent draft, or as the next version of an opened one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name of what is copied")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--name", help="short name of the independent draft")
        # Django's commands have a --version of their own.
        what.add_argument(
            "--as-version", action="store_true", help="the next version, called NAME-vN"
        )
        parser.add_argument("--title", default="", help="of the independent draft")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"No study is called {options['study']!r}.")
        try:
            if options["as_version"]:
                made = revising.new_version(study)
            else:
                made = revising.clone(study, options["name"], title=options["title"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        result = {
            "study": made.slug,
            "version": made.version,
            "state": made.state,
            "copied_from": study.slug,
            "n_triplets": made.triplets.filter(kind="main").count(),
            "is_simulated": made.is_simulated,
        }
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            self.stdout.write(
                f"study {made.slug}, version {made.version} ({made.state}): "
                f"{result['n_triplets']} triplets from {study.slug}"
            )
