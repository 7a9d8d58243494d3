import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import scheduling
from annotation.models import Study
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Plan the next block of a study with the active scheduler; the queue does so by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name")
        parser.add_argument("--size", type=int, help="triplets; default: enough for some seconds")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"No study is called {options['study']!r}.")
        try:
            block = scheduling.plan_block(study, size=options["size"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            told = asdict(block) if block else None
            self.stdout.write(json.dumps({"study": study.slug, "block": told}))
        elif block is None:
            self.stdout.write("No block: the balanced order serves as well for now.")
        else:
            self.stdout.write(f"After {block.n_judgments} judgments these tell most:")
            for each in block.planned:
                self.stdout.write(
                    f"{each.first_codec} / {each.second_codec} at {each.target_bpp:g} bpp, "
                    f"triplet {each.triplet}"
                )
