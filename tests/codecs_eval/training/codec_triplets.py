"""A dataset of many codecs and rates whose images are flat, and made-up features of its pairs."""

import hashlib
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from codecs_eval.agreement.dataset import FrozenDataset
from codecs_eval.agreement.pixels import encode_png
from codecs_eval.training.features import Pair, PairFeatures
from tests.codecs_eval.training.datasets import write_planted

RATES = (0.25, 1.0)


def make_dataset(
    folder: Path, n_sources: int, n_codecs: int, n_triplets: int | None = None, n_votes: int = 3
) -> FrozenDataset:
    """Every pair of codecs at both rates for each source, or the first `n_triplets` of a shuffle.

    People mind channel 0 of `make_features` alone.
    """
    rng = np.random.default_rng(4)
    images: dict[str, bytes] = {}

    def keep(number: int) -> str:
        colour = (number % 256, number // 256 % 256, number // 65536)
        data = encode_png(np.full((2, 2, 3), colour, dtype=np.uint8))
        sha = hashlib.sha256(data).hexdigest()
        images[sha] = data
        return sha

    rows, number = [], 0
    for source in range(n_sources):
        original, number = keep(number), number + 1
        for rate in RATES:
            shas = [keep(number + codec) for codec in range(n_codecs)]
            number += n_codecs
            for first, second in combinations(range(n_codecs), 2):
                rows.append((source, original, shas[first], shas[second], first, second, rate))
    if n_triplets is not None:
        rows = [rows[index] for index in rng.permutation(len(rows))[:n_triplets]]
    triplets, judgments = [], []
    for at, (source, original, one, other, first, second, rate) in enumerate(rows):
        name = f"t{at:05}"
        triplets.append(
            {
                "triplet_id": name,
                "source": f"photo{source:03}",
                "source_sha256": original,
                "source_image": original,
                "first_image": one,
                "second_image": other,
                **{f"{side}_settings": "{}" for side in ("first", "second")},
                "first_codec": f"codec{first}",
                "second_codec": f"codec{second}",
                **{f"{side}_bpp": rate for side in ("first", "second")},
                **{f"{side}_target_bpp": rate for side in ("first", "second")},
                "kind": "main",
            }
        )
        gap = _minded(original, one) - _minded(original, other)
        is_second = rng.random(n_votes) < 1 / (1 + np.exp(-3.0 * gap))
        judgments += [
            {
                "judgment_id": f"{name}-{vote}",
                "triplet_id": name,
                "choice": "second" if is_second[vote] else "first",
                "observer": f"o{(at + vote) % 12}",
                "response_ms": 900.0,
                "is_simulated": True,
            }
            for vote in range(n_votes)
        ]
    used = {
        row[column]
        for row in triplets
        for column in ("source_image", "first_image", "second_image")
    }
    shown = {str(sha): images[str(sha)] for sha in used}
    tables = pd.DataFrame(triplets), pd.DataFrame(judgments)
    return write_planted(folder / "frozen", "codecs", *tables, shown, seed=2)


def make_features(dataset: FrozenDataset, n_channels: int) -> PairFeatures:
    """Spatial means drawn from each pair's own name; noise variances a tenth of their squares."""
    pairs: list[Pair] = []
    for side in ("first_image", "second_image"):
        found = zip(dataset.triplets["source_image"], dataset.triplets[side], strict=True)
        pairs += [(str(source), str(image)) for source, image in found]
    pairs = sorted(set(pairs))
    means = np.stack([_means(*pair, n_channels) for pair in pairs]).astype(np.float32)
    values = np.stack([means, 0.1 * means**2], axis=1)
    rows = {pair: row for row, pair in enumerate(pairs)}
    return PairFeatures("made up", dataset.folder / "features.npy", rows, values)


def _means(source: str, image: str, n_channels: int) -> np.ndarray:
    seed = int(hashlib.sha256(f"{source}{image}".encode()).hexdigest()[:8], 16)
    return np.random.default_rng(seed).exponential(size=n_channels)


def _minded(source: str, image: str) -> float:
    return float(_means(source, image, 1)[0])
