from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation import demo


class Command(BaseCommand):
    help = "Go round the loop on photographs, beside a running site (started by `demo`)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--photos", type=Path)

    def handle(self, **options: Any) -> None:
        try:
            demo.fill(options["photos"], self._say)
        except (ValueError, RuntimeError) as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
