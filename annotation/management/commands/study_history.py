import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import history, screening
from annotation.models import StudyChange
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Every change to a study: who, when, what stood before and what stands since."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--csv", action="store_true", help="as the page's download has it")
        form.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            study = screening.study_called(options["study"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["csv"]:
            for line in history.history_csv(study):
                self.stdout.write(line, ending="")
            return
        changes = list(history.changes_of(study))
        if options["json"]:
            self.stdout.write(json.dumps([_told(change) for change in changes]))
            return
        for change in changes:
            values = "; ".join(
                f"{line.name}: {line.before if line.had else '-'} -> "
                f"{line.after if line.has else '-'}"
                for line in history.lines_of(change)
            )
            self.stdout.write(f"{change.at:%Y-%m-%d %H:%M:%S %Z}  {change.by}  {change.what}")
            if values:
                self.stdout.write(f"    {values}")


def _told(change: StudyChange) -> dict[str, Any]:
    return {
        "at": change.at.isoformat(),
        "by": change.by,
        "what": change.what,
        "before": change.before,
        "after": change.after,
    }
