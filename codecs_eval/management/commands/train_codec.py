from dataclasses import replace
from typing import Any

from django.core.management.base import CommandParser

from codecs_eval import learning_codec, runs
from codecs_eval.exporting_metric import training_run
from codecs_eval.management.config_options import add_options, given_settings
from codecs_eval.management.training import TrainingCommand, refuse_settings_of_resumed
from codecs_eval.models import Run
from codecs_eval.training.codec.config import PRESETS, TrainCodecConfig


class Command(TrainingCommand):
    help = (
        "Train a learned codec on a collection of photos: for squared error, or for a metric too, "
        "guided by saliency if wanted. When it is done it is a codec like any other, called "
        "learned-XXXXXXXX. Several GPUs train together under torchrun, one process for each: "
        "torchrun --nproc-per-node 4 manage.py train_codec --collection NAME --preset gpu."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--resume",
            metavar="RUN",
            help="id of a training that was stopped, failed or lost its process: it goes on from "
            "its checkpoint, under torchrun too, with the settings that it began with",
        )
        parser.add_argument(
            "--preset",
            choices=PRESETS,
            help="where the other settings start; demo: two minutes; cpu: half an hour on one "
            "core; gpu: days on a graphics card (default: cpu)",
        )
        parser.add_argument("--title", default="", help="what the codec is called on every page")
        add_options(parser, TrainCodecConfig, PRESETS)

    def launch(self, options: dict[str, Any]) -> Run:
        given = given_settings(TrainCodecConfig, options)
        if options["resume"]:
            refuse_settings_of_resumed(given, options["preset"])
            # torch: only where it is needed at once.
            from codecs_eval.training_together import resume

            return resume(training_run(options["resume"], kind="train_codec"))
        config = replace(PRESETS[options["preset"] or "cpu"], **given)
        learning_codec.check_codec_training(config)
        return runs.create(
            "train_codec",
            config,
            title=options["title"] or learning_codec.title_of(config),
            is_simulated=learning_codec.is_simulated(config),
        )
