from dataclasses import replace
from typing import Any

from django.core.management.base import CommandParser

from codecs_eval import datasets, runs
from codecs_eval.exporting_metric import training_run
from codecs_eval.management.config_options import add_options, given_settings
from codecs_eval.management.training import TrainingCommand, refuse_settings_of_resumed
from codecs_eval.models import Dataset, Run
from codecs_eval.run_forms import preset_for
from codecs_eval.training.config import PRESETS, TrainMetricConfig


class Command(TrainingCommand):
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
        add_options(parser, TrainMetricConfig, PRESETS)

    def launch(self, options: dict[str, Any]) -> Run:
        given = given_settings(TrainMetricConfig, options)
        if options["resume"]:
            refuse_settings_of_resumed(given, options["preset"])
            # torch: only where it is needed at once.
            from codecs_eval.training_together import resume

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
