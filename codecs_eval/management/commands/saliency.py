"""`saliency --collection C`: where its photos draw the eye; masks in; agreement with them out."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from codecs_eval import mask_agreement, runs
from codecs_eval.finding_saliency import SaliencyConfig
from codecs_eval.importing_masks import MaskReport, import_coco_masks, import_masks
from codecs_eval.management.running import RunCommand
from codecs_eval.mask_agreement import ModelAgreement
from codecs_eval.models import Run
from codecs_eval.saliency.agreement import MeanOverPhotos
from codecs_eval.saliency.table import DEFAULT, SALIENCY


class Command(RunCommand):
    help = (
        "Find where the photos of a collection draw the eye, import masks made elsewhere, or tell "
        "how well the maps agree with them (MAE, F-measure)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--collection", required=True)
        parser.add_argument("--model", default=DEFAULT, help=f"one of {', '.join(SALIENCY)}")
        masks = parser.add_mutually_exclusive_group()
        masks.add_argument(
            "--import-masks", type=Path, metavar="FOLDER", help="grey masks called as the photos"
        )
        masks.add_argument(
            "--import-coco", type=Path, metavar="JSON", help="masks from COCO instances' polygons"
        )
        masks.add_argument(
            "--agreement-with", metavar="NAME", help="tell the agreement with imported masks"
        )
        parser.add_argument("--name", default="", help="what the imported masks are called")

    def launch(self, options: dict[str, Any]) -> Run:
        config = SaliencyConfig(collection=options["collection"], model=options["model"])
        return runs.create("saliency", config, title=f"Saliency of {config.collection}")

    def handle(self, **options: Any) -> None:
        if options["import_masks"] or options["import_coco"]:
            self._tell_import(_imported(options), as_json=options["json"])
        elif options["agreement_with"]:
            self._tell_agreement(options)
        else:
            super().handle(**options)

    def _tell_import(self, report: MaskReport, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(report.to_json(), indent=2))
            return
        for reason in report.refused:
            self.stdout.write(f"refused: {reason}")
        for photo in report.photos_without_mask:
            self.stdout.write(f"no mask for the photo {photo}")
        for file in report.files_without_photo:
            self.stdout.write(f"no photo for the mask {file}")
        self.stdout.write(f"{report.summary} (masks {report.name})")

    def _tell_agreement(self, options: dict[str, Any]) -> None:
        collection, masks = options["collection"], options["agreement_with"]
        mask_agreement.agree_where_missing(collection)
        rows = mask_agreement.agreements(collection, masks)
        if not rows:
            raise CommandError(
                f"{collection} has no photo with both a map and a mask called {masks}: find maps "
                f"with saliency --collection {collection}, import masks with --import-masks"
            )
        if options["json"]:
            self.stdout.write(json.dumps([row.to_json() for row in rows], indent=2))
            return
        for row in rows:
            self.stdout.write(_line(row))


def _imported(options: dict[str, Any]) -> MaskReport:
    terms = {"collection": options["collection"], "name": options["name"]}
    try:
        if options["import_coco"]:
            return import_coco_masks(options["import_coco"], **terms)
        return import_masks(options["import_masks"], **terms)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _line(row: ModelAgreement) -> str:
    numbers = [
        f"{label} {_mean(mean)}"
        for label, mean in (("MAE", row.mae), ("F", row.f_adaptive), ("max F", row.f_max))
    ]
    return f"{row.label:<20} {'  '.join(numbers)}"


def _mean(mean: MeanOverPhotos | None) -> str:
    if mean is None:
        return "not estimable: no mask marks anything"
    if mean.low is None or mean.high is None:
        return f"{mean.mean:.3f} (n {mean.n})"
    return f"{mean.mean:.3f} ({mean.low:.3f} to {mean.high:.3f}, n {mean.n})"
