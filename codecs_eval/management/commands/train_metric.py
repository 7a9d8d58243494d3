import os
from dataclasses import MISSING, Field, fields, replace
from typing import Any

from django.core.management.base import CommandError, CommandParser

from codecs_eval import datasets, runs
from codecs_eval.management.running import RunCommand
from codecs_eval.models import Run
from codecs_eval.training.config import PRESETS, TrainMetricConfig


class Command(RunCommand):
    help = (
        "Finetune an LPIPS metric on the judgments of a frozen dataset. Several GPUs or machines "
        "train the modes tune and scratch together under torchrun, one process for each GPU: "
        "torchrun --nproc-per-node 2 manage.py train_metric --dataset NAME --mode tune. Machines "
        "share one DATABASE_URL and the dataset's folder; see torchrun --help for --nnodes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dataset", required=True, help="name or id")
        parser.add_argument(
            "--preset",
            choices=PRESETS,
            help="where the other settings start; reference: the paper's recipe with its judgment "
            "head; small_data: for up to some thousand triplets (default: the defaults below)",
        )
        for entry in fields(TrainMetricConfig):
            _add_option(parser, entry)

    def handle(self, **options: Any) -> None:
        n_processes = int(os.environ.get("WORLD_SIZE", "1"))
        if n_processes == 1:
            super().handle(**options)
            return
        if options["queue"]:
            raise CommandError(
                "Found --queue under torchrun; expected one of them: a worker trains in one "
                "process."
            )
        # torch: only where it is needed at once.
        from codecs_eval.finetuning import help_train
        from codecs_eval.training.processes import joined

        try:
            with joined() as processes:
                if processes.is_first:
                    super().handle(**options)
                else:
                    help_train()
        except ValueError as error:
            raise CommandError(str(error)) from error

    def launch(self, options: dict[str, Any]) -> Run:
        dataset = datasets.by_name_or_id(options["dataset"])
        given = {
            entry.name: _as_setting(options[entry.name])
            for entry in fields(TrainMetricConfig)
            if options[entry.name] is not None
        }
        start = PRESETS[options["preset"]] if options["preset"] else TrainMetricConfig()
        config = replace(start, **given)
        return runs.create(
            "train_metric",
            config,
            title=f"LPIPS-{config.backbone} on {dataset.name}",
            dataset=dataset,
        )


def _as_setting(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


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
    elif isinstance(default, tuple):
        parser.add_argument(
            name, dest=entry.name, nargs="*", choices=entry.metadata["choices"], help=text
        )
    elif isinstance(default, tuple):
        known = entry.metadata.get("choices")
        parser.add_argument(name, dest=entry.name, nargs="*", choices=known, help=text)
    elif "choices" in entry.metadata:
        choices = entry.metadata["choices"]
        parser.add_argument(name, dest=entry.name, choices=choices, help=text)
    else:
        parser.add_argument(name, dest=entry.name, type=type(default), help=text)
