from typing import Any

from django.core.management.base import CommandParser

from codecs_eval import datasets, outside_metrics, runs
from codecs_eval.agreement.differences import FIRST
from codecs_eval.holding_out import HOLD_OUT
from codecs_eval.management.commands.encode_ladder import words
from codecs_eval.management.running import RunCommand
from codecs_eval.measuring_trained import is_trained, trained_run
from codecs_eval.metrics.table import USUAL
from codecs_eval.models import Run
from codecs_eval.report_conclusion import conclusion
from codecs_eval.reports import PARTS, AgreementConfig


class Command(RunCommand):
    help = "Report how well metrics agree with the people of a dataset."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dataset", required=True, help="name or id")
        parser.add_argument(
            "--metrics",
            nargs="+",
            default=[*USUAL],
            help="names from the table, run:ID, or run:ID+combined with what it was combined with",
        )
        parser.add_argument(
            "--scores",
            nargs="+",
            default=[],
            metavar="FILE:NAME:DIRECTION",
            help="a CSV of scores computed elsewhere, the metric's name, and which value is "
            "better: higher or lower",
        )
        parser.add_argument("--sources", choices=PARTS, default="test")
        parser.add_argument(
            "--reference",
            default=FIRST,
            help="the metric that the others are compared with: its name, first (of the list), "
            "or pairs for every pair",
        )
        parser.add_argument(
            "--hold-out",
            choices=[*HOLD_OUT],
            default="none",
            help="also train heads without each codec or rate, and score them on it",
        )
        parser.add_argument("--resamples", type=int, default=2000)
        parser.add_argument("--seed", type=int, default=1)

    def launch(self, options: dict[str, Any]) -> Run:
        dataset = datasets.by_name_or_id(options["dataset"])
        config = AgreementConfig(
            metrics=tuple(words(options["metrics"])),
            scores=tuple(outside_metrics.kept(text) for text in options["scores"]),
            sources=options["sources"],
            reference=options["reference"],
            hold_out=options["hold_out"],
            resamples=options["resamples"],
            seed=options["seed"],
        )
        for name in config.metrics:
            if is_trained(name):
                trained_run(name)
        return runs.create(
            "agreement", config, title=f"Agreement on {dataset.name}", dataset=dataset
        )

    def tell_result(self, run: Run, *, as_json: bool) -> None:
        super().tell_result(run, as_json=as_json)
        if as_json:
            return
        for metric in run.result.get("metrics", []):
            interval = (
                f"{metric['low']:.1%} .. {metric['high']:.1%}"
                if metric["low"] is not None
                else "no interval"
            )
            self.stdout.write(
                f"  {metric['label']:<44} {metric['agreement']:6.1%}  [{interval}]  "
                f"n {metric['n_triplets']} triplets, {metric['n_judgments']} judgments"
            )
        self._tell_people(run.result.get("people", {}))
        self._tell_differences(run.result.get("differences"))
        for metric in run.result.get("calibration", {}).get("metrics", []):
            self.stdout.write(
                f"  {metric['label']:<44} NLL {metric['nll']['value']:.3f}  "
                f"Brier {metric['brier']['value']:.3f}  ({metric['head']} probability)"
            )
        for training in run.result.get("held_out", []):
            for row in training["rows"]:
                self.stdout.write(f"  {training['label']}, never met {_held_out_words(row)}")
        for note in run.result.get("notes", []):
            self.stdout.write(f"  note: {note}")
        self.stdout.write(f"  {conclusion(run.result)}")
        self.stdout.write(f"  page: {run.get_absolute_url()}  files: {run.folder}")

    def _tell_people(self, people: dict[str, Any]) -> None:
        for name in ("unbiased", "plugin", "left_out", "ideal", "oracle"):
            value = people.get(name)
            said = f"{value['value']:.1%}" if value else f"not estimable: {people.get('reason')}"
            self.stdout.write(f"  people, {name}: {said}")

    def _tell_differences(self, found: dict[str, Any] | None) -> None:
        for row in found["rows"] if found else []:
            if row["p_adjusted"] is not None:
                self.stdout.write(
                    f"  {row['label']} minus {row['against_label']}: "
                    f"{100 * row['difference']:+.1f} points, adjusted p {row['p_adjusted']:.3g}"
                )


def _held_out_words(row: dict[str, Any]) -> str:
    if row["unmet"] is None:
        return f"{row['by']} {row['label']}: {row['reason']}"
    return (
        f"{row['by']} {row['label']}: {row['unmet']['value']:.1%} "
        f"(untouched {row['untouched']['value']:.1%}, trained with it {row['met']['value']:.1%}), "
        f"n {row['n_triplets']} triplets"
    )
