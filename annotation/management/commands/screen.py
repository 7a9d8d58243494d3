import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import screening
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Screen the answers of a study: a verdict, a suspicion and its reasons for each session."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name, or a title that is unique")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            study = screening.study_called(options["study"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        told = screening.told(study, screening.screen(study))
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        label = "SIMULATED: " if study.is_simulated else ""
        counts = ", ".join(f"{n} {verdict}" for verdict, n in told["counts"].items())
        self.stdout.write(f"{label}{study.title}: {len(told['sessions'])} sessions, {counts}")
        for row in sorted(told["sessions"], key=_worst_first):
            self.stdout.write(
                f"{row['session'][:12]:<12}  {row['verdict']:<9}  {_share(row['suspicion'])}  "
                f"{row['n_judged']:>4}  {'; '.join(row['reasons'])}"
            )


def _worst_first(row: dict[str, Any]) -> tuple[float, str]:
    suspicion = row["suspicion"]
    return (-2.0 if suspicion is None else -suspicion), row["session"]


def _share(suspicion: float | None) -> str:
    return "  by a person" if suspicion is None else f"{100 * suspicion:9.1f} %"
