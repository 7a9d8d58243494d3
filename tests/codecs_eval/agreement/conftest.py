"""A small made-up dataset: a few flat pictures, three judgments a triplet."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from codecs_eval.agreement.dataset import FrozenDataset, write_dataset
from codecs_eval.agreement.pixels import encode_png


def png_of(grey: int, size: tuple[int, int] = (8, 12)) -> tuple[str, bytes]:
    """(sha256, PNG bytes) of a flat picture."""
    data = encode_png(np.full((*size, 3), grey, dtype=np.uint8))
    return hashlib.sha256(data).hexdigest(), data


@dataclass
class Rows:
    """What write_dataset takes, free to be broken by a test."""

    triplets: pd.DataFrame
    judgments: pd.DataFrame
    images: dict[str, bytes]

    def write(self, folder: Path, **changes: Any) -> FrozenDataset:
        facts: dict[str, Any] = {
            "name": "made up",
            "origin": "study:made-up v1",
            "question": "Which one is closer to the picture in the middle?",
            "polarity": "closer",
            "is_simulated": False,
            "licence": "CC0",
            "attribution": "nobody",
            "filters": [{"rule": "excluded sessions", "dropped": 3}],
            "seed": 7,
            "created": datetime(2026, 1, 2, tzinfo=UTC),
        }
        facts |= changes
        return write_dataset(
            folder,
            triplets=self.triplets,
            judgments=self.judgments,
            images=self.images,
            **facts,
        )


@pytest.fixture
def make_rows() -> Callable[..., Rows]:
    def make(n_sources: int = 4, n_judgments: int = 3, is_simulated: bool = False) -> Rows:
        triplets, judgments, images = [], [], {}
        for source in range(n_sources):
            made = [png_of(10 * source + step) for step in range(3)]
            images.update(dict(made))
            for target in (0.23, 1.0):
                triplet_id = f"t{source}-{target}"
                triplets.append(
                    {
                        "triplet_id": triplet_id,
                        "source": f"photo{source}",
                        "source_sha256": made[0][0],
                        "source_image": made[0][0],
                        "first_image": made[1][0],
                        "second_image": made[2][0],
                        "first_codec": "jpeg",
                        "second_codec": "webp",
                        "first_settings": '{"quality": 20}',
                        "second_settings": '{"quality": 30}',
                        "first_bpp": target,
                        "second_bpp": target * 1.01,
                        "first_target_bpp": target,
                        "second_target_bpp": target,
                        "kind": "main",
                    }
                )
                for number in range(n_judgments):
                    judgments.append(
                        {
                            "judgment_id": f"{triplet_id}-{number}",
                            "triplet_id": triplet_id,
                            "choice": "first" if number == 0 else "second",
                            "observer": f"o{number}",
                            "response_ms": 1000.0 + number,
                            "is_simulated": is_simulated,
                        }
                    )
        return Rows(pd.DataFrame(triplets), pd.DataFrame(judgments), images)

    return make
