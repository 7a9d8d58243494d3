import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.models import Study
from annotation.simulating import simulate
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Let simulated observers answer a study that was made for them (never people's data)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True)
        parser.add_argument("--observers", type=int, default=12)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"No study is called {options['study']!r}.")
        try:
            done = simulate(
                study,
                n_observers=options["observers"],
                seed=options["seed"],
                on_progress=self._show,
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "study": study.slug,
                        "is_simulated": True,
                        "n_observers": done.n_observers,
                        "n_judgments": done.n_judgments,
                    }
                )
            )
        else:
            self.stdout.write(
                f"SIMULATED: {done.n_observers} observers gave {done.n_judgments} judgments"
            )

    def _show(self, done: int, total: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(
                f"\r{done} of {total} observers", ending="\n" if done == total else ""
            )
