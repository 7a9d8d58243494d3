import json
from argparse import ArgumentTypeError, BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import models

from annotation import designing
from annotation.design.presets import PRESETS
from annotation.models import Study
from codecs_eval.encoding import RATES_BPP
from codecs_eval.management.commands.encode_ladder import words
from codecs_eval.management.ready import ReadyCommand


def _add_setting(parser: CommandParser, name: str) -> None:
    """One option for each setting of a study, as its column describes it."""
    field: Any = Study._meta.get_field(name)
    flag, text = f"--{name.replace('_', '-')}", str(field.help_text)
    if isinstance(field, models.JSONField):
        parser.add_argument(
            flag, nargs="+", type=_pair, metavar="CODEC:CODEC", help="two codecs to compare"
        )
        return
    if isinstance(field, models.BooleanField):
        parser.add_argument(flag, action=BooleanOptionalAction, help=text)
        return
    is_whole, is_real = isinstance(field, models.IntegerField), isinstance(field, models.FloatField)
    kind: type = int if is_whole else float if is_real else str
    choices = [key for key, _ in field.choices] if field.choices else None
    shown = text.replace("%", "%%") or f"default: {field.get_default()}"
    parser.add_argument(flag, type=kind, choices=choices, help=shown)


def _pair(text: str) -> tuple[str, str]:
    one, colon, other = text.partition(":")
    if not colon:
        raise ArgumentTypeError(f"found {text!r}, expected two codecs as jpeg:webp")
    return one, other


def _design(options: dict[str, Any]) -> designing.Design:
    """What was said on the command line; what was not is the preset's, or the default."""
    said = {name: options[name] for name in designing.SETTINGS if options[name] is not None}
    if "chosen_pairs" in said:
        said["chosen_pairs"] = tuple(said["chosen_pairs"])
    values = {
        **said,
        "title": options["title"] or options["slug"],
        "slug": options["slug"],
        "collection": options["collection"],
        "codecs": tuple(
            words(options["codecs"]) or designing.encoded_codecs(options["collection"])
        ),
        "rates_bpp": tuple(options["rates"]),
        **{name: options[name] or "" for name in designing.TEXTS},
        "is_simulated": options["simulated"],
    }
    preset = options["preset"]
    if preset:
        return designing.Design.of_preset(preset, **values)
    return designing.Design(**values)


class Command(ReadyCommand):
    help = "Make a study with its triplets from an encoded collection."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slug", required=True, help="short name, part of the address")
        parser.add_argument("--title", help="default: the short name")
        parser.add_argument("--collection", required=True)
        parser.add_argument("--codecs", nargs="+", help="default: all that are encoded")
        parser.add_argument("--rates", nargs="+", type=float, default=RATES_BPP)
        parser.add_argument("--preset", choices=PRESETS, help="a published way of asking")
        for name in designing.TEXTS:
            parser.add_argument(f"--{name}", help="default: the words that belong to the mode")
        for name in designing.SETTINGS:
            _add_setting(parser, name)
        parser.add_argument(
            "--simulated", action="store_true", help="for simulated observers, never for people"
        )
        parser.add_argument("--open", action="store_true", help="open it at once")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            design = _design(options)
            study, planned = designing.create_study(design)
            if options["open"]:
                designing.change_state(study, Study.State.OPEN)
        except ValueError as error:
            raise CommandError(str(error)) from error
        result = {
            "study": study.slug,
            "state": study.state,
            "n_triplets": planned.n_triplets,
            "n_checks": planned.n_checks,
            "preset": study.preset,
            "left_out": planned.left_out,
            "is_simulated": study.is_simulated,
            "url": None if study.is_simulated else f"/s/{study.slug}/",
        }
        if options["json"]:
            self.stdout.write(json.dumps(result))
            return
        self.stdout.write(f"study {study.slug} ({study.state}): {planned.n_triplets} triplets")
        for kind, n in planned.n_checks.items():
            self.stdout.write(f"  {n} {kind}")
        for reason, n in planned.left_out.items():
            self.stdout.write(f"  left out {n}: {reason}")
