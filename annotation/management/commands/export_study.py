import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.export_formats import FORMATS, ROWS, ExportConfig
from annotation.exporting import export_name, write_export
from annotation.formats.bundle import folder_bundle, zip_bundle
from annotation.models import Study
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = (
        "Write a study as a folder or a zip: its data in one format, with a data dictionary, a "
        "datasheet and Croissant."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name")
        parser.add_argument("--format", choices=[*FORMATS], default="csv")
        parser.add_argument("--rows", choices=[*ROWS], default="all", help="of tables")
        parser.add_argument(
            "--out",
            type=Path,
            help="a new folder, or a new file that ends in .zip; default: its own name, here",
        )
        parser.add_argument("--json", action="store_true", help="tell what was written, as JSON")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            known = ", ".join(Study.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"No study is called {options['study']!r}; known: {known}.")
        config = ExportConfig(study.slug, options["format"], options["rows"])
        out = options["out"] or Path(export_name(study, config))
        try:
            told = _write(study, config, out)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"Cannot write {out}: {error.strerror}.") from error
        unit = FORMATS[config.file_format].unit
        self.stdout.write(
            json.dumps(told) if options["json"] else f"{out}: {told['n_rows']} {unit}"
        )


def _write(study: Study, config: ExportConfig, out: Path) -> dict[str, Any]:
    if out.suffix == ".zip":
        if out.exists():
            raise ValueError(f"{out} exists already; expected a new file.")
        with zip_bundle(out, export_name(study, config)) as bundle:
            n_rows = write_export(study, config, bundle)
        n_files = len(bundle.members)
    else:
        with folder_bundle(out) as folder:
            n_rows = write_export(study, config, folder)
        n_files = len(folder.members)
    return {
        "out": str(out),
        "study": study.slug,
        "is_simulated": study.is_simulated,
        "format": config.file_format,
        "n_rows": n_rows,
        "n_files": n_files,
    }
