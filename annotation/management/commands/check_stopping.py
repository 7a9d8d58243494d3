import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import screening, stopping
from annotation.models import Study
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = (
        "Hold the stop rule of a study, or of every open one that has one, against its intervals; "
        "pause the study where it is met. Beat does so every minute."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", help="short name; default: every open study with a rule")
        parser.add_argument(
            "--points", type=float, metavar="X", help="set the rule first: pause at ± X points"
        )
        parser.add_argument("--no-rule", action="store_true", help="take the rule away")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            studies = self._studies(options)
        except ValueError as error:
            raise CommandError(str(error)) from error
        told = [_told(study, stopping.stop_if_met(study)) for study in studies]
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        for row in told:
            self.stdout.write("; ".join(f"{name} {value}" for name, value in row.items()))
        if not told:
            self.stdout.write("No open study has a stop rule.")

    def _studies(self, options: dict[str, Any]) -> list[Study]:
        is_changed = options["points"] is not None or options["no_rule"]
        if not options["study"]:
            if is_changed:
                raise ValueError("Say of which --study the rule is to change.")
            with_rule = Study.objects.exclude(stop_half_width=None)
            return list(with_rule.filter(state=Study.State.OPEN))
        study = screening.study_called(options["study"])
        if is_changed:
            points = None if options["no_rule"] else options["points"]
            stopping.set_rule(study, None if points is None else points / 100)
        return [study]


def _told(study: Study, found: stopping.Checked) -> dict[str, Any]:
    return {
        "study": study.slug,
        "is_simulated": study.is_simulated,
        "state": study.state,
        "wanted_half_width": found.half_width,
        "widest_half_width": found.widest,
        "n_observers": found.n_observers,
        "n_shares": found.n_shares,
        "n_narrow": found.n_narrow,
        "is_met": found.is_met,
    }
