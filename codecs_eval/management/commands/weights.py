import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from codecs_eval import weights
from codecs_eval.management.ready import ReadyCommand
from codecs_eval.scoring import weight_file


class Command(ReadyCommand):
    help = "Obtain all pretrained weights ahead of time, verify them, and list what is present."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", action="store_true", help="only list, fetch nothing")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        missing = [] if options["list"] else _obtain_all()
        local = Path(settings.TRIAD_WEIGHTS) if settings.TRIAD_WEIGHTS else None
        rows = weights.status(settings.TRIAD_HOME / "weights", local)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(row) for row in rows], indent=2, default=str))
        else:
            for row in rows:
                self.stdout.write(
                    f"{row.name:<14} {row.state:<8} {row.path or row.reason} ({row.licence})"
                )
        if missing:
            raise CommandError("\n".join(missing))


def _obtain_all() -> list[str]:
    """What could not be had, in words; one that is out of reach costs none of the others."""
    missing = []
    for name, entry in weights.WEIGHTS.items():
        if entry.is_only_local:
            continue
        try:
            weight_file(name)
        except (ValueError, RuntimeError, OSError) as error:
            missing.append(str(error))
    return missing
