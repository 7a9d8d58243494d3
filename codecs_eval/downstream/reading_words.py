"""Words in a photo by PP-OCR, an optional task: rapidocr brings its own weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codecs_eval.downstream.found import Found, sorted_finds


class WordReader:
    """Each word is one find; its box is that of its line."""

    labels: tuple[str, ...] = ()

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def find(self, image: NDArray[np.uint8]) -> Found:
        # rapidocr takes arrays as OpenCV has them: blue first.
        read = self._engine(np.ascontiguousarray(image[:, :, ::-1]))
        boxes: list[list[float]] = []
        scores: list[float] = []
        words: list[str] = []
        if read.txts is not None:
            for corners, text, score in zip(read.boxes, read.txts, read.scores, strict=True):
                low, high = np.min(corners, axis=0), np.max(corners, axis=0)
                for word in text.split():
                    boxes.append([*low, *(high - low)])
                    scores.append(float(score))
                    words.append(word)
        return sorted_finds(np.asarray(boxes, dtype=np.float64), np.asarray(scores), words)


def rapid_ocr(weights: Callable[[str], Path]) -> WordReader:
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise RuntimeError(
            "reading words needs a package that is not installed: pip install rapidocr==3.10.0"
        ) from error
    # Of itself it tells of every photo without text, and uses every core.
    quiet = {"Global.log_level": "error"}
    alone = {f"EngineConfig.onnxruntime.{what}_op_num_threads": 1 for what in ("intra", "inter")}
    return WordReader(RapidOCR(params={**quiet, **alone}))
