from typing import Any

from django.core.management.base import CommandParser

from annotation.freezing import FreezeConfig
from annotation.models import Study
from codecs_eval import runs
from codecs_eval.management.running import RunCommand
from codecs_eval.models import Run


class Command(RunCommand):
    help = "Freeze a study's judgments and images into a dataset that never changes."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--study", required=True, help="short name")
        parser.add_argument("--name", default="", help="of the dataset; default: the short name")
        parser.add_argument("--seed", type=int, default=1, help="of the split by source")
        parser.add_argument("--test-share", type=float, default=0.25)

    def launch(self, options: dict[str, Any]) -> Run:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            known = ", ".join(Study.objects.values_list("slug", flat=True)) or "none yet"
            raise ValueError(f"No study is called {options['study']!r}; known: {known}.")
        config = FreezeConfig(
            study=study.slug,
            name=options["name"],
            seed=options["seed"],
            test_share=options["test_share"],
        )
        return runs.create(
            "freeze_dataset",
            config,
            title=f"Freeze {config.name or study.slug}",
            is_simulated=study.is_simulated,
        )
