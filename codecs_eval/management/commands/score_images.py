import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from codecs_eval import image_scoring
from codecs_eval.image_pairs import Pair, pairs_from_csv, pairs_of, unused_references
from codecs_eval.image_scoring import ScoredPair
from codecs_eval.management.commands.encode_ladder import words
from codecs_eval.management.ready import ReadyCommand
from codecs_eval.management.running import BAR
from codecs_eval.metrics.table import METRICS
from codecs_eval.named_metrics import NamedMetric, named_metric

STANDARD_OUTPUT = "-"


class Command(ReadyCommand):
    help = (
        "Score image files: one reference and an image or a folder, two folders matched by name, "
        "or the pairs of a CSV file. Images are never resized; what cannot be scored is named."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reference", nargs="?", type=Path, help="an image, or a folder")
        parser.add_argument("distorted", nargs="?", type=Path, help="an image, or a folder")
        parser.add_argument(
            "--pairs", type=Path, metavar="CSV", help="columns reference, distorted"
        )
        parser.add_argument(
            "--metric",
            nargs="+",
            action="extend",
            metavar="NAME",
            help=f"some of {', '.join(METRICS)}, or run:ID (psnr, ssim, ms-ssim)",
        )
        parser.add_argument("--json", metavar="FILE", help="write JSON; - is standard output")
        parser.add_argument("--csv", metavar="FILE", help="write CSV; - is standard output")

    def handle(self, **options: Any) -> None:
        if options["json"] == options["csv"] == STANDARD_OUTPUT:
            raise CommandError("Found --json - and --csv -; expected one of them to name a file.")
        try:
            pairs = self._pairs(options)
            names = dict.fromkeys(words(options["metric"] or ["psnr", "ssim", "ms-ssim"]))
            metrics = [named_metric(name) for name in names]
            scored = image_scoring.score_pairs(pairs, metrics, self._show)
            unused = self._unused(options["reference"], pairs)
            self._write(scored, metrics, unused, options)
        except (ValueError, RuntimeError, OSError) as error:
            raise CommandError(str(error)) from error
        wrong = [row for row in scored if row.errors]
        for row in wrong:
            self.stderr.write("\n".join(row.errors))
        if wrong:
            raise CommandError(f"{len(wrong)} of {len(scored)} pairs lack a score; see above why.")

    def _pairs(self, options: dict[str, Any]) -> list[Pair]:
        reference, distorted, table = (options[key] for key in ("reference", "distorted", "pairs"))
        if table is not None and reference is None:
            return pairs_from_csv(table)
        if table is not None or distorted is None:
            raise ValueError("Expected a reference and an image or folder, or --pairs FILE alone.")
        return pairs_of(reference, distorted)

    def _unused(self, reference: Path | None, pairs: Sequence[Pair]) -> list[Path]:
        """References without a reconstruction; told, for one may have been forgotten."""
        unused = [] if reference is None else unused_references(reference, pairs)
        if unused:
            names = ", ".join(str(path) for path in unused)
            self.stderr.write(f"No reconstruction of {len(unused)} references: {names}")
        return unused

    def _write(
        self,
        scored: Sequence[ScoredPair],
        metrics: Sequence[NamedMetric],
        unused: Sequence[Path],
        options: dict[str, Any],
    ) -> None:
        if self.stderr.isatty():
            self.stderr.write("")
        if options["json"]:
            result = image_scoring.as_json(scored, metrics, unused)
            self._put(options["json"], json.dumps(result, indent=2, allow_nan=False) + "\n")
        if options["csv"]:
            self._put(options["csv"], image_scoring.as_csv(scored, metrics))
        if not options["json"] and not options["csv"]:
            self._tell(scored, metrics)

    def _put(self, target: str, text: str) -> None:
        if target == STANDARD_OUTPUT:
            self.stdout.write(text, ending="")
            return
        path = Path(target)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)

    def _tell(self, scored: Sequence[ScoredPair], metrics: Sequence[NamedMetric]) -> None:
        widths = [max(len(metric.name), 10) for metric in metrics]
        heads = [metric.name.rjust(width) for metric, width in zip(metrics, widths, strict=True)]
        self.stdout.write("  ".join([*heads, "distorted"]))
        for row in scored:
            values = [row.values.get(metric.name) for metric in metrics]
            cells = [
                ("-" if value is None else f"{value:.4f}").rjust(width)
                for value, width in zip(values, widths, strict=True)
            ]
            self.stdout.write("  ".join([*cells, row.distorted]))
        for metric in metrics:
            better = "higher" if metric.higher_is_better else "lower"
            self.stdout.write(f"{metric.name}: {better} is better; {metric.definition}")

    def _show(self, done: int, total: int, note: str) -> None:
        if self.stderr.isatty():
            filled = round(done / total * BAR)
            bar = f"[{'#' * filled}{'.' * (BAR - filled)}]"
            self.stderr.write(f"\r{bar} {done} of {total} {note[:50]:<50}", ending="")
