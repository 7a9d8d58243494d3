from typing import Any

from django.core.management.base import CommandParser

from codecs_eval import comparing_codecs
from codecs_eval.comparing_codecs import CompareCodecsConfig
from codecs_eval.encoding import RATES_BPP
from codecs_eval.management.running import RunCommand
from codecs_eval.models import Run


class Command(RunCommand):
    help = (
        "Compare trained codecs on photos that none learned from: rate, PSNR, LPIPS, metrics in "
        "and out of the loss, salient part and background, patterns and tints that a metric in "
        "the loss may have been pleased with; pictures of saliency and of where bits went."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--codecs", nargs="+", required=True, help="the first is what others are compared with"
        )
        parser.add_argument("--collection", required=True, help="photos that none learned from")
        parser.add_argument("--rates", nargs="+", type=float, default=list(RATES_BPP))
        parser.add_argument("--saliency", choices=("u2netp", "spectral-residual"), default="u2netp")
        parser.add_argument("--most-photos", type=int, default=24)

    def launch(self, options: dict[str, Any]) -> Run:
        config = CompareCodecsConfig(
            codecs=tuple(options["codecs"]),
            collection=options["collection"],
            rates_bpp=tuple(options["rates"]),
            saliency=options["saliency"],
            most_photos=options["most_photos"],
        )
        comparing_codecs.check_comparison(config)
        return comparing_codecs.create_comparison(config)
