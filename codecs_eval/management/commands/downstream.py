from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.text import slugify

from codecs_eval import coco_importing, detecting, encoding, ingesting
from codecs_eval.codecs.table import CODECS
from codecs_eval.detecting import DownstreamConfig
from codecs_eval.downstream.table import MASK_TASKS, MODELS, TASKS, model_entry
from codecs_eval.downstream.told import KINDS, agreement_of
from codecs_eval.encoding import RATES_BPP
from codecs_eval.ingesting import ImportReport
from codecs_eval.management.commands.encode_ladder import words
from codecs_eval.management.running import RunCommand
from codecs_eval.models import Run


class Command(RunCommand):
    help = (
        "Encode the photos of a COCO file at set rates (real bit streams), let a vision model look "
        "at what comes back, and report its average precision (of class maps, mean IoU) against "
        "the uncompressed photos."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--coco", type=Path, metavar="FILE", help="an instances file; without one, finds are "
            "compared with those in the uncompressed photos",
        )  # fmt: skip
        parser.add_argument("--images", type=Path, metavar="DIR", help="the folder of its photos")
        parser.add_argument(
            "--collection", default="", help="photos that are imported already, or the name that "
            "those of --images get (default: their folder's)",
        )  # fmt: skip
        parser.add_argument("--licence", default=coco_importing.UNSTATED)
        parser.add_argument(
            "--shrink-jpeg-born", action="store_true",
            help="shrink photos that come as JPEG by two, and their instances with them",
        )  # fmt: skip
        parser.add_argument(
            "--codecs", nargs="+", metavar="CODEC", help=f"default: all of {', '.join(CODECS)}"
            " that run here",
        )  # fmt: skip
        parser.add_argument("--rates", nargs="+", type=float, default=RATES_BPP, metavar="BPP")
        parser.add_argument(
            "--task", choices=TASKS, default="", help="segmentation: boxes and masks of things; "
            "semantic: the class of every pixel; text and faces need an optional package",
        )  # fmt: skip
        parser.add_argument("--model", choices=[*MODELS], default="", help="default: by the task")
        parser.add_argument("--tolerance", type=float, default=0.02)
        parser.add_argument("--resamples", type=int, default=2000)
        parser.add_argument("--seed", type=int, default=1)

    def launch(self, options: dict[str, Any]) -> Run:
        model = _model(options["task"], options["model"])
        collection = options["collection"] or _name_of(options)
        config = DownstreamConfig(
            collection=collection,
            codecs=tuple(words(options["codecs"]) or encoding.available_codecs()),
            rates_bpp=tuple(options["rates"]),
            model=model,
            annotations=self._imported(options, collection),
            tolerance=options["tolerance"],
            resamples=options["resamples"],
            seed=options["seed"],
        )
        detecting.check(config)
        title = f"{model_entry(model).label} on {collection}"
        return detecting.create_report(config, title)

    def _imported(self, options: dict[str, Any], collection: str) -> str:
        """Where the COCO file lies in the store; empty without one."""
        coco, images = options["coco"], options["images"]
        if images is None:
            if coco is None:
                return ""
            return coco_importing.keep_file(coco)
        if coco is None:
            report = ingesting.import_path(
                images,
                collection=collection,
                licence=options["licence"],
                shrink_jpeg_born=options["shrink_jpeg_born"],
                is_flattened=True,
            )
            self._tell_photos(report, options)
            return ""
        found = coco_importing.import_coco(
            coco,
            images,
            collection=collection,
            licence=options["licence"],
            shrink_jpeg_born=options["shrink_jpeg_born"],
        )
        self._tell_photos(found.photos, options)
        if not options["json"]:
            for what, names in (
                ("named by the COCO file, not in the folder", found.without_file),
                ("in the folder, not named by the COCO file", found.without_entry),
            ):
                if names:
                    self.stdout.write(f"{len(names)} {what}: {', '.join(names[:5])}")
        return found.annotations

    def _tell_photos(self, report: ImportReport, options: dict[str, Any]) -> None:
        if not options["json"]:
            self.stdout.write(report.summary)
            for refused in report.refused:
                self.stdout.write(f"refused: {refused.reason}")
        if not report.has_sources:
            raise CommandError(f"nothing was imported from {options['images']}")

    def tell_result(self, run: Run, *, as_json: bool) -> None:
        super().tell_result(run, as_json=as_json)
        if as_json or not run.result:
            return
        for kind in run.result["kinds"]:
            found = run.result["uncompressed"][kind][KINDS[kind].main]
            words = f"{KINDS[kind].label} {_with_ends(found)}"
            self.stdout.write(f"  {'uncompressed':<22} {'':<5} {words}")
        for cell in run.result["cells"]:
            said = [
                f"{KINDS[kind].label} {_with_ends(cell[kind][KINDS[kind].main])}, "
                f"{_loss(cell[kind]['difference'])}"
                for kind in run.result["kinds"]
            ]
            if cell["agreement"] is not None:
                same = agreement_of(run.result["task"]).axis
                said.append(f"{same} {_with_ends(cell['agreement'])}")
            self.stdout.write(
                f"  {cell['label']:<22} {cell['target_bpp']:<5g} {'  '.join(said)}  "
                f"{cell['bpp_mean']:.3f} bpp, {cell['hit']} of {cell['n']} hit"
            )
        for row in run.result["bd_rates"]:
            value = row["status"] if row["percent"] is None else f"{row['percent']:+.1f} %"
            self.stdout.write(f"  BD-rate of {row['label']} against {row['against']}: {value}")
        for note in run.result["notes"]:
            self.stdout.write(f"  note: {note}")
        self.stdout.write(f"  page: {run.get_absolute_url()}  files: {run.folder}")


def _model(task: str, name: str) -> str:
    """The model that was named, or the first of the task."""
    if not name:
        wanted = task or "detection"
        return next(entry.name for entry in MODELS.values() if entry.task == wanted)
    # A class map is a segmentation too: a model that is named may be of either kind.
    fitting = MASK_TASKS if task == "segmentation" else (task,)
    if task and model_entry(name).task not in fitting:
        raise ValueError(
            f"Found model {name}, which does {model_entry(name).task}; expected one for {task}: "
            f"{', '.join(entry.name for entry in MODELS.values() if entry.task in fitting)}."
        )
    return name


def _name_of(options: dict[str, Any]) -> str:
    """A collection is called as its folder; shrunk photos are other photos."""
    images = options["images"]
    if images is None:
        raise ValueError("Found neither --images nor --collection; expected the photos.")
    folder = images.resolve()
    name = slugify(folder.parent.name if folder.name == "images" else folder.name) or "photos"
    return f"{name}-shrunk"[:80] if options["shrink_jpeg_born"] else name[:80]


def _with_ends(found: dict[str, Any]) -> str:
    if found["low"] is None:
        return f"{found['value']:.1%} [no interval]"
    return f"{found['value']:.1%} [{found['low']:.1%} .. {found['high']:.1%}]"


def _loss(gap: dict[str, Any]) -> str:
    said = f"{100 * gap['value']:+.1f} points"
    if gap["low"] is None:
        return said
    return f"{said} [{100 * gap['low']:+.1f} .. {100 * gap['high']:+.1f}]"
