import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation.importing import FORMATS, import_judgments
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Freeze judgments that were collected elsewhere, with their images, into a dataset."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--format", choices=FORMATS, required=True)
        parser.add_argument("--name", required=True, help="of the dataset")
        parser.add_argument("--licence", default="not stated")
        parser.add_argument("--attribution", default="")
        parser.add_argument("--seed", type=int, default=1, help="of the split by source")
        parser.add_argument("--test-share", type=float, default=0.25)
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            imported = import_judgments(
                options["folder"],
                file_format=options["format"],
                name=options["name"],
                licence=options["licence"],
                attribution=options["attribution"],
                seed=options["seed"],
                test_share=options["test_share"],
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        dataset = imported.dataset
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "dataset": str(dataset.pk),
                        "name": dataset.name,
                        "accepted": imported.accepted,
                        "refused": [
                            {"line": line, "reason": reason} for line, reason in imported.refused
                        ],
                        "n_sources": dataset.n_sources,
                        "n_triplets": dataset.n_triplets,
                        "n_judgments": dataset.n_judgments,
                    }
                )
            )
            return
        self.stdout.write(
            f"dataset {dataset.name}: {imported.accepted} judgments of {dataset.n_triplets} "
            f"triplets, {dataset.n_sources} sources; {len(imported.refused)} rows refused"
        )
        for line, reason in imported.refused:
            self.stdout.write(f"  line {line}: {reason}")
