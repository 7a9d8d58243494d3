"""Small frozen datasets whose votes follow a planted truth, and a reporter that listens."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from codecs_eval.agreement.dataset import FrozenDataset, write_dataset
from codecs_eval.agreement.pixels import encode_png
from tests.codecs_eval.metrics.pictures import make_damaged, make_picture

STRENGTHS = (3.0, 9.0, 20.0, 45.0)


@dataclass
class Listener:
    """Keeps what it is told; asks to stop at the n-th question if told so."""

    stop_at: int | None = None
    asked: int = 0
    metrics: list[tuple[int, str, float]] = field(default_factory=list)
    notes: list[tuple[float, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def progress(self, done: float, total: float, note: str = "") -> None:
        self.notes.append((done / total, note))

    def log(self, line: str) -> None:
        self.lines.append(line)

    def metric(self, step: int, name: str, value: float) -> None:
        self.metrics.append((step, name, value))

    def should_stop(self) -> bool:
        self.asked += 1
        return self.stop_at is not None and self.asked >= self.stop_at


def make_dataset(
    folder: Path, n_sources: int = 6, size_px: int = 40, is_simulated: bool = True
) -> FrozenDataset:
    """Each source with four strengths of noise and all six pairs; the weaker is mostly closer."""
    rng = np.random.default_rng(7)
    images: dict[str, bytes] = {}
    triplets, judgments = [], []

    def keep(image: np.ndarray) -> str:
        data = encode_png(image)
        sha = hashlib.sha256(data).hexdigest()
        images[sha] = data
        return sha

    for number in range(n_sources):
        picture = make_picture(size_px, size_px, seed=number)
        source = keep(picture)
        shas = [keep(make_damaged(picture, s, seed=100 + number)) for s in STRENGTHS]
        for i in range(len(STRENGTHS)):
            for j in range(i + 1, len(STRENGTHS)):
                first, second = (i, j) if (i + j + number) % 2 else (j, i)
                name = f"t{number}-{i}{j}"
                triplets.append(_triplet(name, f"s{number}", source, shas, first, second))
                judgments += _judgments(name, first < second, rng, is_simulated)
    tables = pd.DataFrame(triplets), pd.DataFrame(judgments)
    return write_planted(folder, "planted", *tables, images, seed=3, is_simulated=is_simulated)


def write_planted(
    folder: Path,
    name: str,
    triplets: pd.DataFrame,
    judgments: pd.DataFrame,
    images: dict[str, bytes],
    *,
    seed: int,
    is_simulated: bool = True,
) -> FrozenDataset:
    """A dataset that came from nowhere and was not filtered."""
    return write_dataset(
        folder,
        name=name,
        origin="import:test",
        question="Which is closer?",
        polarity="closer",
        is_simulated=is_simulated,
        licence="CC0",
        attribution="",
        filters=[],
        triplets=triplets,
        judgments=judgments,
        images=images,
        seed=seed,
    )


def _triplet(
    name: str, source: str, source_image: str, shas: list[str], first: int, second: int
) -> dict[str, object]:
    row: dict[str, object] = {
        "triplet_id": name,
        "source": source,
        "source_sha256": source_image,
        "source_image": source_image,
        "kind": "main",
    }
    for side, index in (("first", first), ("second", second)):
        row[f"{side}_image"] = shas[index]
        row[f"{side}_codec"] = "noise"
        row[f"{side}_settings"] = f'{{"strength": {STRENGTHS[index]}}}'
        row[f"{side}_bpp"] = row[f"{side}_target_bpp"] = None
    return row


def _judgments(
    name: str, is_first_weaker: bool, rng: np.random.Generator, is_simulated: bool
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number in range(3):
        is_first_chosen = is_first_weaker == (rng.random() < 0.85)
        rows.append(
            {
                "judgment_id": f"{name}-{number}",
                "triplet_id": name,
                "choice": "first" if is_first_chosen else "second",
                "observer": f"o{number}",
                "response_ms": 1000.0,
                "is_simulated": is_simulated,
            }
        )
    return rows
