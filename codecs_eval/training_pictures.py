"""What a codec's training shows while it learns: pictures by step, rates by measurement."""

import re
from pathlib import Path
from typing import Any

from codecs_eval.models import Run

# How the names of measurements at a level begin.
LEVEL = "level "
_SAMPLE = re.compile(r"step-(\d+)\.png")
_POINT = re.compile(r"level ([\d.]+): (bpp|PSNR, dB)")


def sample_path(run: Run, step: int) -> Path:
    return run.folder / "samples" / f"step-{step:07d}.png"


def sample_steps(run: Run) -> list[int]:
    """Steps of which there are pictures, newest first."""
    folder = run.folder / "samples"
    if run.kind != "train_codec" or not folder.is_dir():
        return []
    found = [_SAMPLE.fullmatch(path.name) for path in folder.iterdir()]
    return sorted((int(match[1]) for match in found if match), reverse=True)


def rate_curves(run: Run) -> list[dict[str, Any]]:
    """{"step", "bpp", "psnr_db"} of each measurement, oldest first; levels from coarse to fine."""
    points: dict[int, dict[float, dict[str, float]]] = {}
    for point in run.metrics.filter(name__startswith=LEVEL):
        match = _POINT.fullmatch(point.name)
        if match:
            level = points.setdefault(point.step, {}).setdefault(float(match[1]), {})
            level[match[2]] = point.value
    return [
        {
            "step": step,
            "bpp": [values["bpp"] for _, values in sorted(levels.items())],
            "psnr_db": [values["PSNR, dB"] for _, values in sorted(levels.items())],
        }
        for step, levels in sorted(points.items())
        if all(len(values) == 2 for values in levels.values())
    ]
