"""What a model found in one photo, and how that is kept on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_eval.downstream.masks import Rle

Floats = NDArray[np.float64]
# A find is kept up to this many a photo, best first, as COCO's scores count them.
MOST_FINDS = 100


@dataclass(frozen=True, eq=False)
class Found:
    """Finds, best first: boxes (n, 4) left, top, width, height in px; scores (n,) in 0..1.

    `labels`: the class of each, by the model's own name; of a text reader, the word.
    """

    boxes: Floats
    scores: Floats
    labels: tuple[str, ...]
    masks: tuple[Rle, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.labels)
        if self.boxes.shape != (n, 4) or self.scores.shape != (n,):
            raise ValueError(
                f"found {self.boxes.shape} boxes and {self.scores.shape} scores of {n} labels, "
                f"expected ({n}, 4) and ({n},)"
            )
        if self.masks and len(self.masks) != n:
            raise ValueError(f"found {len(self.masks)} masks of {n} finds, expected {n} or none")

    def above(self, least_score: float) -> Found:
        kept = np.flatnonzero(self.scores >= least_score)
        return Found(
            self.boxes[kept],
            self.scores[kept],
            tuple(self.labels[i] for i in kept),
            tuple(self.masks[i] for i in kept) if self.masks else (),
        )

    def to_json(self) -> str:
        finds: dict[str, Any] = {
            "boxes": np.round(self.boxes, 3).tolist(),
            "scores": self.scores.tolist(),
            "labels": list(self.labels),
            "masks": [mask.to_coco() for mask in self.masks],
        }
        return json.dumps(finds, separators=(",", ":"))


def sorted_finds(
    boxes: Floats, scores: Floats, labels: list[str], masks: list[Rle] | None = None
) -> Found:
    """Best first, at most MOST_FINDS."""
    order = np.argsort(-scores, kind="stable")[:MOST_FINDS]
    return Found(
        np.asarray(boxes, dtype=np.float64).reshape(-1, 4)[order],
        np.asarray(scores, dtype=np.float64)[order],
        tuple(labels[i] for i in order),
        tuple(masks[i] for i in order) if masks else (),
    )


def from_json(text: str) -> Found:
    tree = json.loads(text)
    return Found(
        np.asarray(tree["boxes"], dtype=np.float64).reshape(-1, 4),
        np.asarray(tree["scores"], dtype=np.float64),
        tuple(tree["labels"]),
        tuple(Rle(each["size"][0], each["size"][1], each["counts"]) for each in tree["masks"]),
    )
