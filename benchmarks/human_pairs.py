"""What trained metrics are worth on real people: 452 choices between JPEG-coded photos.

Heads of LPIPS, and a whole trunk, trained by the small-data recipe in folds over the photos, beside
all metrics that need no training; with "+ PSNR" and without. Writes the report's own table, its
comparisons and its conclusion as Markdown.

python -m benchmarks.human_pairs ../shared/data/human_jpeg_pairs --output docs/human_jpeg_pairs.md
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from codecs_eval.metrics.table import METRICS
from codecs_eval.report_conclusion import conclusion
from codecs_eval.training.config import PRESETS

NAME = "human_jpeg_pairs"
BACKBONES = ("alex", "squeeze", "vgg")
ATTRIBUTION = "choices CC BY 4.0, images CC BY-SA 4.0 (Cloudinary)"
UNTRAINED = (
    "psnr", "psnr-y", "ssim", "ms-ssim", "psnr-hvs", "vmaf", "ssimulacra2", "dists",
    "lpips-alex", "lpips-squeeze", "lpips-vgg",
)  # fmt: skip


def command(home: Path, *words: str) -> Any:
    """A command of manage.py in a home of its own; what it tells as JSON."""
    env = {**os.environ, "TRIAD_HOME": str(home), "DJANGO_SETTINGS_MODULE": "config.settings"}
    started_s = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "manage.py", *words, "--json"], env=env, stdout=subprocess.PIPE, text=True
    )
    print(f"{' '.join(words)}: {time.perf_counter() - started_s:.0f} s", flush=True)
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])


def trainings(options: argparse.Namespace) -> list[list[str]]:
    """Settings of each training: heads of each backbone, and the smallest whole trunk."""
    small = ["--preset", "small_data", "--folds", str(options.folds)]
    found = [
        [*small, "--backbone", backbone, "--combine-with", "psnr"] for backbone in options.backbones
    ]
    if options.tune_epochs:
        epochs = ["--epochs-flat", str(options.tune_epochs), "--epochs-decay", "0", "--bf16"]
        parts = ["--batch-size", "20", "--accumulation", "5"]
        found.append([*small, "--mode", "tune", *epochs, *parts])
    return found


def measure(home: Path, options: argparse.Namespace) -> str:
    """The Markdown of the whole report."""
    if not options.also:
        command(
            home, "import_judgments", str(options.folder), "--format", "pairs", "--name", NAME,
            "--licence", "CC BY-SA 4.0", "--attribution", ATTRIBUTION,
        )  # fmt: skip
    metrics = [*options.metrics, *(f"run:{run}" for run in options.also)]
    for settings in trainings(options):
        run = command(home, "train_metric", "--dataset", NAME, *settings)
        metrics += [f"run:{run['run']}"]
        metrics += [f"run:{run['run']}+combined"] if "--combine-with" in settings else []
    report = command(
        home, "agreement", "--dataset", NAME, "--sources", "all", "--metrics", *metrics
    )  # fmt: skip
    table = (home / "runs" / report["run"] / "table.md").read_text(encoding="utf-8")
    recipes = {
        row["label"]: _recipe(home / "runs" / row["name"].removeprefix("run:"))
        for row in report["metrics"]
        if row["name"].startswith("run:") and not row["name"].endswith("+combined")
    }
    return written(report, table, recipes)


def _recipe(folder: Path) -> str:
    """In what a training's settings differ from its preset's."""
    found = json.loads((folder / "config.json").read_text())["config"]
    preset = json.loads(json.dumps(PRESETS["small_data"].to_json()))
    said = [f"{key} {found[key]}" for key, value in preset.items() if found[key] != value]
    return "preset small_data with " + ", ".join(said)


def _not_scored(report: dict[str, Any]) -> str:
    scored = {row["name"] for row in report["metrics"]}
    missing = [METRICS[name].label for name in UNTRAINED if name not in scored]
    return f" Not scored here: {', '.join(missing)}." if missing else ""


def written(report: dict[str, Any], table: str, recipes: dict[str, str]) -> str:
    compared = ["| | minus | points | 95 % interval | adjusted p |", "|:--|:--|--:|--:|--:|"]
    for row in report["differences"]["rows"]:
        compared.append(
            f"| {row['label']} | {row['against_label']} | {100 * row['difference']:+.1f} "
            f"| {100 * row['low']:+.1f} to {100 * row['high']:+.1f} | {row['p_adjusted']:.2g} |"
        )
    notes = [f"- {note}" for note in report["notes"]]
    parts = [
        "# Metrics and trained heads on choices by real people",
        "Written by `python -m benchmarks.human_pairs`; every training is scored on photos that "
        f"its heads did not see (folds over the photos). Of whole trunks only AlexNet's is trained "
        f"here: the others' are too dear for a few CPU cores.{_not_scored(report)}",
        conclusion(report),
        table.strip(),
        "\n".join(f"- {label}: {recipe}." for label, recipe in recipes.items()),
        "## In pairs",
        "\n".join(compared),
        *(["## Notes", "\n".join(notes)] if notes else []),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="human_jpeg_pairs")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--metrics", nargs="+", default=UNTRAINED, help="that need no training")
    parser.add_argument("--backbones", nargs="*", default=BACKBONES, choices=BACKBONES)
    parser.add_argument("--tune-epochs", type=int, default=4, help="0: no trunk is trained")
    parser.add_argument("--home", type=Path, help="where the runs stay; default: thrown away")
    parser.add_argument(
        "--also", nargs="+", default=[], help="ids of finished trainings in the home that join"
    )
    parser.add_argument("--output", type=Path, help="the Markdown; default: the terminal")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as thrown_away:
        told = measure(options.home or Path(thrown_away), options)
    if options.output:
        options.output.write_text(told, encoding="utf-8")
    else:
        print(told)


if __name__ == "__main__":
    main()
