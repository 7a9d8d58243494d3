from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from codecs_eval import runs


class Command(BaseCommand):
    help = "Do the work of a run that this worker has claimed (started by the queue)."

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run")
        parser.add_argument("owner")

    def handle(self, **options: Any) -> None:
        runs.execute(options["run"], options["owner"])
