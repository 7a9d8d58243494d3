from typing import Any

from django.core.management.base import CommandParser

from codecs_eval import runs
from codecs_eval.management.commands.encode_ladder import words
from codecs_eval.management.running import RunCommand
from codecs_eval.metrics.table import USUAL
from codecs_eval.models import Run
from codecs_eval.scoring import ScoreConfig


class Command(RunCommand):
    help = "Score every reconstruction of a collection with metrics; known scores are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--collection", required=True)
        parser.add_argument("--metrics", nargs="+", default=[*USUAL])

    def launch(self, options: dict[str, Any]) -> Run:
        config = ScoreConfig(
            collection=options["collection"], metrics=tuple(words(options["metrics"]))
        )
        return runs.create("score", config, title=f"Scores of {config.collection}")
