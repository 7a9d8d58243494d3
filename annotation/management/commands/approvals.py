import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import approving
from annotation.models import Study
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Write who is proposed for payment as CSV, or a crowd provider's bonus file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name")
        parser.add_argument("--bonus", metavar="AMOUNT", help="write a bonus file of so much each")
        parser.add_argument("--only", default="", choices=["trusted"], help="with --bonus")
        parser.add_argument("--provider", default="", help="with --bonus; default: the only one")
        parser.add_argument("--output", type=Path, help="default: standard output")
        parser.add_argument("--json", action="store_true", help="tell what was written, as JSON")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"No study is called {options['study']!r}.")
        if options["json"] and not options["output"]:
            raise CommandError("--json tells about a file; give one with --output.")
        try:
            told = (
                self._bonus(study, options) if options["bonus"] else self._approvals(study, options)
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Cannot write {options['output']}: {error.strerror}.") from error
        if options["json"]:
            self.stdout.write(json.dumps({"file": str(options["output"]), **told}))

    def _approvals(self, study: Study, options: dict[str, Any]) -> dict[str, Any]:
        n_lines = self._write(approving.approvals_csv(study), options["output"])
        return {"n_sessions": n_lines - 1}

    def _bonus(self, study: Study, options: dict[str, Any]) -> dict[str, Any]:
        found = approving.bonuses(
            study, options["bonus"], only=options["only"], provider=options["provider"]
        )
        self._write(found.lines, options["output"])
        return {
            "provider": found.provider,
            "n_people": found.n_people,
            "total": str(found.total),
            "left_out": found.left_out,
        }

    def _write(self, lines: Iterable[str], path: Path | None) -> int:
        file = path.open("w", newline="", encoding="utf-8") if path else self.stdout
        n_lines = 0
        try:
            for line in lines:
                file.write(line)
                n_lines += 1
        finally:
            if path:
                file.close()
        return n_lines
