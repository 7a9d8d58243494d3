import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from codecs_eval import weights
from codecs_eval.scoring import weight_file


class Command(BaseCommand):
    help = "Obtain all pretrained weights ahead of time, verify them, and list what is present."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", action="store_true", help="only list, fetch nothing")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        if not options["list"]:
            for name in weights.WEIGHTS:
                try:
                    weight_file(name)
                except (ValueError, RuntimeError, OSError) as error:
                    raise CommandError(str(error)) from error
        rows = weights.status(settings.TRIAD_HOME / "weights", settings.TRIAD_WEIGHTS)
        if options["json"]:
            self.stdout.write(json.dumps([row.to_json() for row in rows], indent=2))
            return
        for row in rows:
            self.stdout.write(str(row))
