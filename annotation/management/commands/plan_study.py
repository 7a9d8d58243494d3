from typing import Any

from django.core.management.base import CommandParser

from annotation import long_planning
from annotation.models import Study
from codecs_eval.management.running import RunCommand
from codecs_eval.models import Run


class Command(RunCommand):
    help = "Plan a draft's triplets anew, from its collection's ladder as it is now."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--study", required=True, help="short name")

    def launch(self, options: dict[str, Any]) -> Run:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise ValueError(f"No study is called {options['study']!r}.")
        return long_planning.start(study)
