from dataclasses import MISSING, Field, fields, replace
from typing import Any

from django.core.management.base import CommandParser

from codecs_eval import datasets, runs
from codecs_eval.management.running import RunCommand
from codecs_eval.models import Run
from codecs_eval.training.config import PRESETS, TrainMetricConfig


class Command(RunCommand):
    help = "Finetune an LPIPS metric on the judgments of a frozen dataset."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dataset", required=True, help="name or id")
        parser.add_argument(
            "--preset", choices=PRESETS, default="reference", help="where the other settings start"
        )
        for entry in fields(TrainMetricConfig):
            _add_option(parser, entry)

    def launch(self, options: dict[str, Any]) -> Run:
        dataset = datasets.by_name_or_id(options["dataset"])
        given = {
            entry.name: options[entry.name]
            for entry in fields(TrainMetricConfig)
            if options[entry.name] is not None
        }
        config = replace(PRESETS[options["preset"]], **given)
        return runs.create(
            "train_metric",
            config,
            title=f"LPIPS-{config.backbone} on {dataset.name}",
            dataset=dataset,
        )


def _add_option(parser: CommandParser, entry: Field[Any]) -> None:
    """`--learning-rate 0.001`, `--warm-start / --no-warm-start`: made from the dataclass."""
    name = "--" + entry.name.replace("_", "-")
    default = None if entry.default is MISSING else entry.default
    text = f"{entry.metadata.get('help', '')} (default {default})".replace("%", "%%")
    if isinstance(default, bool):
        group = parser.add_mutually_exclusive_group()
        group.add_argument(name, dest=entry.name, action="store_true", default=None, help=text)
        group.add_argument(
            name.replace("--", "--no-"), dest=entry.name, action="store_false", default=None
        )
    else:
        parser.add_argument(name, dest=entry.name, type=type(default), help=text)
