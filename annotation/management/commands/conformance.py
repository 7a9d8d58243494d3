import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.template.loader import render_to_string

from annotation import screening
from annotation.conformance_items import Conformance
from annotation.conforming import conformance
from codecs_eval.management.ready import ReadyCommand

ENDINGS = (".pdf", ".html", ".json")


class Command(ReadyCommand):
    help = "Report a study as ITU-T P.910, ITU-R BT.500 and AIC-3 ask: PDF, HTML or JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name, or a title that is unique")
        parser.add_argument(
            "--out", type=Path, help="file that ends in .pdf, .html or .json; default: JSON here"
        )

    def handle(self, **options: Any) -> None:
        path: Path | None = options["out"]
        if path is not None and path.suffix not in ENDINGS:
            raise CommandError(f"Found {path.name}; expected a name with {', '.join(ENDINGS)}.")
        try:
            report = conformance(screening.study_called(options["study"]))
        except ValueError as error:
            raise CommandError(str(error)) from error
        if path is None:
            self.stdout.write(_written(report, ".json").decode())
            return
        try:
            path.write_bytes(_written(report, path.suffix))
        except OSError as error:
            raise CommandError(f"Cannot write {path}: {error.strerror}.") from error
        mark = "SIMULATED: " if report.is_simulated else ""
        n_items = sum(len(section.items) for section in report.sections)
        self.stdout.write(f"{mark}{n_items} items of {report.title} in {path}")


def _written(report: Conformance, ending: str) -> bytes:
    if ending == ".pdf":
        from annotation.conformance_pdf import pdf

        return pdf(report)
    if ending == ".html":
        return render_to_string("annotation/conformance_file.html", {"report": report}).encode()
    return json.dumps(report.to_json(), ensure_ascii=False, indent=1).encode()
