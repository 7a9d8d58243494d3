from typing import Any

from django.core.management.base import CommandParser

from annotation import dry_running
from annotation.models import Study
from codecs_eval.management.running import RunCommand
from codecs_eval.models import Run


class Command(RunCommand):
    help = "Try a study out: simulated observers answer a copy of it, apart from people's data."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--study", required=True, help="short name")
        parser.add_argument(
            "--observers", type=int, default=0, help="default: as many as the design needs"
        )
        parser.add_argument("--seed", type=int, default=1, help="of the simulated observers")

    def launch(self, options: dict[str, Any]) -> Run:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise ValueError(f"No study is called {options['study']!r}.")
        return dry_running.start(study, observers=options["observers"], seed=options["seed"])

    def tell_result(self, run: Run, *, as_json: bool) -> None:
        super().tell_result(run, as_json=as_json)
        if not as_json:
            self.stdout.write("  SIMULATED: nothing here is a finding about people")
