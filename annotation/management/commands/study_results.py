import json
from typing import Any

from django.core.management.base import CommandParser

from annotation import screening
from annotation.results_config import USUAL, StudyResultsConfig
from annotation.running_results import create_results
from codecs_eval.management.commands.encode_ladder import words
from codecs_eval.management.running import RunCommand
from codecs_eval.measuring_trained import is_trained, trained_run
from codecs_eval.models import Run


class Command(RunCommand):
    help = "Compute who won at which rate in a study, as screened and with everybody."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--study", required=True, help="short name, or a title that is unique")
        parser.add_argument(
            "--metrics",
            nargs="*",
            default=[*USUAL],
            help="compared with people: names from the table, run:ID; none: no metric",
        )
        parser.add_argument("--anchor", default="", help="codec that all are compared with")
        parser.add_argument("--resamples", type=int, default=1000, help="draws of observers")
        parser.add_argument("--seed", type=int, default=1)

    def launch(self, options: dict[str, Any]) -> Run:
        study = screening.study_called(options["study"])
        config = StudyResultsConfig(
            study=study.slug,
            metrics=tuple(words(options["metrics"])),
            anchor=options["anchor"],
            resamples=options["resamples"],
            seed=options["seed"],
        )
        for name in config.metrics:
            if is_trained(name):
                trained_run(name)
        return create_results(study, config)

    def tell_result(self, run: Run, *, as_json: bool) -> None:
        if as_json:
            told = {"run": str(run.pk), "state": run.state, **run.result}
            self.stdout.write(json.dumps(told, allow_nan=False))
            return
        if run.is_simulated:
            self.stdout.write("SIMULATED observers: nothing below is a finding about people.")
        super().tell_result(run, as_json=False)
        for choice, words_of in (("screened", "as screened"), ("everybody", "with everybody")):
            for rate in run.result.get(choice, {}).get("rates", []):
                self.stdout.write(f"  {words_of}, {_rate_words(rate)}")
        for note in run.result.get("metrics", {}).get("notes", []):
            self.stdout.write(f"  note: {note}")


def _rate_words(rate: dict[str, Any]) -> str:
    closest = rate["closest"]
    first = ", ".join(closest["codecs"]) or closest["reason"]
    tied = " (tied for first)" if closest["is_tied"] else ""
    shares = ", ".join(f"{row['codec']} {_share(row['share'])}" for row in rate["codecs"])
    n = rate["counts"]["n_judgments"]
    return f"{rate['rate_bpp']:g} bpp: closest {first}{tied}; won {shares}; n {n} judgments"


def _share(found: dict[str, Any]) -> str:
    if found["low"] is None:
        return f"{found['value']:.1%}"
    return f"{found['value']:.1%} [{found['low']:.1%} .. {found['high']:.1%}]"
