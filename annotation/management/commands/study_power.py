import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import powering
from annotation.models import Study
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "How many observers a study's design needs to tell a share from half, by simulation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name")
        parser.add_argument("--share", type=float, default=0.55, help="to be told from 0.5")
        parser.add_argument("--alpha", type=float, default=0.05, help="two-sided")
        parser.add_argument("--power", type=float, default=0.8)
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"No study is called {options['study']!r}.")
        try:
            found = powering.power_of_design(
                study, options["share"], options["alpha"], options["power"]
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"study": study.slug, **_numbers(found)}))
            return
        for label, row in found.rows:
            self.stdout.write(f"{found.odds}, {label.lower()}: {_told(row)}")
        self.stdout.write(
            f"planned: about {found.n_planned} sessions, {found.judgments_of_pair_planned:.1f} "
            f"judgments of each of {found.n_condition_pairs} pairs of conditions"
        )


def _told(row: powering.Needed) -> str:
    if row.n_observers is None:
        return str(row.reason)
    return (
        f"{row.n_observers} observers ({row.n_observers_low} to {row.n_observers_high}), "
        f"{row.judgments_of_pair} judgments of the pair, {row.judgments} in all"
    )


def _numbers(found: powering.Power) -> dict[str, Any]:
    return {
        "is_simulated": True,
        "one_pair": asdict(found.one),
        "all_together": asdict(found.all_together),
        "n_condition_pairs": found.n_condition_pairs,
        "n_sessions_planned": found.n_planned,
        "judgments_of_pair_planned": found.judgments_of_pair_planned,
        "is_enough": found.is_enough,
    }
