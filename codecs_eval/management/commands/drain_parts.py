from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from codecs_eval import run_parts, runs


class Command(BaseCommand):
    help = "Do the free parts of a run, one after the other (started by a command or by hand)."

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run")

    def handle(self, **options: Any) -> None:
        run_parts.drain(runs.new_owner(), options["run"])
