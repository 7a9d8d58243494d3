import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import designing
from annotation.models import Study
from codecs_eval.encoding import RATES_BPP
from codecs_eval.management.commands.encode_ladder import words
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Make a study with its triplets from an encoded collection."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slug", required=True, help="short name, part of the address")
        parser.add_argument("--title", help="default: the short name")
        parser.add_argument("--collection", required=True)
        parser.add_argument("--codecs", nargs="+", help="default: all that are encoded")
        parser.add_argument("--rates", nargs="+", type=float, default=RATES_BPP)
        parser.add_argument("--crop", choices=Study.Crop.values, default=Study.Crop.CENTRE)
        parser.add_argument("--crop-px", type=int, default=384)
        parser.add_argument("--judgments-per-triplet", type=int, default=3)
        parser.add_argument("--session-length", type=int, default=30)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--allow-not-sure", action="store_true")
        parser.add_argument(
            "--simulated", action="store_true", help="for simulated observers, never for people"
        )
        parser.add_argument("--open", action="store_true", help="open it at once")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            design = designing.Design(
                title=options["title"] or options["slug"],
                slug=options["slug"],
                collection=options["collection"],
                codecs=tuple(
                    words(options["codecs"]) or designing.encoded_codecs(options["collection"])
                ),
                rates_bpp=tuple(options["rates"]),
                crop=options["crop"],
                crop_px=options["crop_px"],
                judgments_per_triplet=options["judgments_per_triplet"],
                session_length=options["session_length"],
                seed=options["seed"],
                allow_not_sure=options["allow_not_sure"],
                is_simulated=options["simulated"],
            )
            study, planned = designing.create_study(design)
            if options["open"]:
                designing.change_state(study, Study.State.OPEN)
        except ValueError as error:
            raise CommandError(str(error)) from error
        result = {
            "study": study.slug,
            "state": study.state,
            "n_triplets": planned.n_triplets,
            "left_out": planned.left_out,
            "is_simulated": study.is_simulated,
            "url": None if study.is_simulated else f"/s/{study.slug}/",
        }
        if options["json"]:
            self.stdout.write(json.dumps(result))
            return
        self.stdout.write(f"study {study.slug} ({study.state}): {planned.n_triplets} triplets")
        for reason, n in planned.left_out.items():
            self.stdout.write(f"  left out {n}: {reason}")
