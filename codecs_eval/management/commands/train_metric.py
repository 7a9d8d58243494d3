import os
from dataclasses import MISSING, Field, fields, replace
from typing import Any

from django.core.management.base import CommandError, CommandParser

from codecs_eval import datasets, runs
from codecs_eval.exporting_metric import training_run
from codecs_eval.management.running import RunCommand
from codecs_eval.models import Dataset, Run
from codecs_eval.run_forms import preset_for
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
        begun = parser.add_mutually_exclusive_group(required=True)
        begun.add_argument("--dataset", help="name or id")
        begun.add_argument(
            "--resume",
            metavar="RUN",
            help="id of a training that was stopped, failed or lost its process: it goes on from "
            "its checkpoint, under torchrun too, with the settings that it began with",
        )
        parser.add_argument(
            "--preset",
            choices=PRESETS,
            help="where the other settings start; reference: the paper's recipe with its judgment "
            "head; small_data: for up to some thousand triplets (default: as the dataset's page, "
            "by the number of triplets; reference for the mode scratch)",
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
        given = {
            entry.name: _as_setting(options[entry.name])
            for entry in fields(TrainMetricConfig)
            if options[entry.name] is not None
        }
        if options["resume"]:
            if given or options["preset"]:
                raise ValueError(
                    f"Found --resume with {', '.join(sorted(given)) or '--preset'}; expected it "
                    f"alone: a training goes on with the settings that it began with."
                )
            # torch: only where it is needed at once.
            from codecs_eval.finetuning import resume

            return resume(training_run(options["resume"]))
        dataset = datasets.by_name_or_id(options["dataset"])
        preset = options["preset"] or _fitting_preset(dataset, given.get("mode", ""))
        config = replace(PRESETS[preset], **given)
        return runs.create(
            "train_metric",
            config,
            title=f"LPIPS-{config.backbone} on {dataset.name}",
            dataset=dataset,
        )


def _fitting_preset(dataset: Dataset, mode: str) -> str:
    # small_data starts at the official heads, which belong to a trunk that scratch does not have.
    return "reference" if mode == "scratch" else preset_for(dataset)


def _as_setting(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _add_option(parser: CommandParser, entry: Field[Any]) -> None:
    """`--learning-rate 0.001`, `--warm-start / --no-warm-start`: made from the dataclass."""
    name = "--" + entry.name.replace("_", "-")
    default = None if entry.default is MISSING else entry.default
    text = f"{entry.metadata.get('help', '')} ({_default_words(entry)})".replace("%", "%%")
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
    elif "choices" in entry.metadata:
        choices = entry.metadata["choices"]
        parser.add_argument(name, dest=entry.name, choices=choices, help=text)
    else:
        parser.add_argument(name, dest=entry.name, type=type(default), help=text)


def _default_words(entry: Field[Any]) -> str:
    """The value a setting has where it is not given: mostly the same in every preset."""
    values = {name: getattr(preset, entry.name) for name, preset in PRESETS.items()}
    if len(set(values.values())) == 1:
        return f"default {entry.default}"
    return ", ".join(f"{name}: {value}" for name, value in values.items())
