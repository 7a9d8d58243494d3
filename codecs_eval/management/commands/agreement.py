from typing import Any

from django.core.management.base import CommandParser

from codecs_eval import datasets, reports, runs
from codecs_eval.management.commands.encode_ladder import words
from codecs_eval.management.running import RunCommand
from codecs_eval.metrics.table import METRICS
from codecs_eval.models import Run
from codecs_eval.reports import PARTS, AgreementConfig


class Command(RunCommand):
    help = "Report how well metrics agree with the people of a dataset."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--dataset", required=True, help="name or id")
        parser.add_argument(
            "--metrics", nargs="+", default=[*METRICS], help="names from the table, or run:ID"
        )
        parser.add_argument("--sources", choices=PARTS, default="test")
        parser.add_argument("--resamples", type=int, default=2000)
        parser.add_argument("--seed", type=int, default=1)

    def launch(self, options: dict[str, Any]) -> Run:
        dataset = datasets.by_name_or_id(options["dataset"])
        config = AgreementConfig(
            metrics=tuple(words(options["metrics"])),
            sources=options["sources"],
            resamples=options["resamples"],
            seed=options["seed"],
        )
        for name in config.metrics:
            if name.startswith(reports.RUN_PREFIX):
                reports.trained_run(name)
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
        people = run.result.get("people", {})
        for name in ("unbiased", "plugin", "oracle"):
            value = people.get(name)
            said = f"{value['value']:.1%}" if value else f"not estimable: {people.get('reason')}"
            self.stdout.write(f"  people, {name}: {said}")
        for note in run.result.get("notes", []):
            self.stdout.write(f"  note: {note}")
        self.stdout.write(f"  page: {run.get_absolute_url()}  files: {run.folder}")
