import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from codecs_eval import exporting_metric
from codecs_eval.archiving import stream_zip
from codecs_eval.management.running import RunCommand
from codecs_eval.models import Run


class Command(RunCommand):
    help = (
        "Export a trained metric: card, heads for lpips and torchmetrics, safetensors, ONNX, "
        "scores; as a folder laid out for model hubs, or as one zip."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("training", metavar="RUN", help="id of a finished training run")
        parser.add_argument("--folder", type=Path, help="copy the export to this new folder")
        parser.add_argument("--zip", type=Path, help="write the export to this zip file")

    def launch(self, options: dict[str, Any]) -> Run:
        if options["queue"] and (options["folder"] or options["zip"]):
            raise ValueError(
                "Found --queue with --folder or --zip; expected one of them: a queued export "
                "stays in the run's folder and on its page."
            )
        if options["folder"] and options["folder"].exists():
            raise ValueError(f"{options['folder']} exists; expected a new folder.")
        self.folder, self.zip = options["folder"], options["zip"]
        self.training = exporting_metric.trained_run(options["training"])
        return exporting_metric.create_export(self.training)

    def tell_result(self, run: Run, *, as_json: bool) -> None:
        if run.state == Run.State.DONE:
            self._hand_over()
        super().tell_result(run, as_json=as_json)
        if run.state == Run.State.DONE and not as_json:
            made = exporting_metric.export_folder(self.training)
            self.stdout.write(f"  folder: {self.folder or made}")
            if self.zip:
                self.stdout.write(f"  zip: {self.zip}")

    def _hand_over(self) -> None:
        made = exporting_metric.export_folder(self.training)
        try:
            if self.folder:
                shutil.copytree(made, self.folder)
            if self.zip:
                names = exporting_metric.exported_files(self.training)
                inside = exporting_metric.export_name(self.training)
                with self.zip.open("wb") as file:
                    file.writelines(stream_zip(made, names, inside=inside))
        except OSError as error:
            raise CommandError(f"The export is in {made}, but not copied: {error}") from error
