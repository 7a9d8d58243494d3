"""How well a saliency map agrees with a given mask: MAE and F-measure, and their means over photos.

Source: Achanta, Hemami, Estrada, Suesstrunk: Frequency-tuned Salient Region Detection, CVPR 2009.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from codecs_eval.saliency.saliency import Map

Levels = NDArray[np.uint8]

# A changed definition of any number below is a new version.
VERSION = "1"
BETA_SQUARED = 0.3
TOP = 255
LEVEL = 0.95
STUDENT_T = "Student's t over photos"


@dataclass(frozen=True)
class MapAgreement:
    """One map against one mask. F is None where the mask marks nothing: it has no recall.

    `mae`: 0..1, lower is better. `f_adaptive`, `f_max`: 0..1, higher is better.
    """

    mae: float
    f_adaptive: float | None
    f_max: float | None


@dataclass(frozen=True)
class MeanOverPhotos:
    """`low` and `high` are None below two photos; `n` counts the photos that have the number."""

    mean: float
    low: float | None
    high: float | None
    n: int
    level: float = LEVEL
    method: str = STUDENT_T


def agreement(found: Map, mask: Map) -> MapAgreement:
    """Of a map with a mask, both (height, width) in [0, 1]; a mask marks what is 0.5 or more.

    The map is read in 8 bits, as it is stored and as maps are published: many pixels share its
    largest value, and one pixel's last digit decides nothing.
    """
    if found.shape != mask.shape or found.ndim != 2:
        raise ValueError(f"found a map of shape {found.shape}; expected {mask.shape} as the mask")
    levels = as_levels(found)
    mae = float(np.mean(np.abs(levels / TOP - mask)))
    marked = mask >= 0.5
    if not marked.any():
        return MapAgreement(mae, None, None)
    return MapAgreement(mae, f_adaptive(levels, marked), f_max(levels, marked))


def as_levels(found: Map) -> Levels:
    """[0, 1] -> 0..255, halves rounded up: 0.5 is 128, still a half or more."""
    if not (found.min() >= 0 and found.max() <= 1):
        raise ValueError(f"found values {found.min():g} to {found.max():g}; expected 0 to 1")
    return np.floor(found.astype(np.float64) * TOP + 0.5).astype(np.uint8)


def f_adaptive(levels: Levels, marked: NDArray[np.bool_]) -> float:
    """F of what is at least twice the map's mean (at most its maximum); what is 0 never counts."""
    threshold = min(2 * float(levels.mean()), float(levels.max()))
    chosen = (levels >= threshold) & (levels > 0)
    counts = (int(np.count_nonzero(each)) for each in (chosen & marked, chosen, marked))
    return float(_f_measure(*counts))


def f_max(levels: Levels, marked: NDArray[np.bool_]) -> float:
    """The largest F over the thresholds 0, 1/255 .. 1, each chosen with knowledge of the mask.

    At threshold 0 everything is chosen, so a map that knows nothing has that F at least.
    """
    chosen = _at_least(levels.ravel())
    right = _at_least(levels[marked])
    return float(np.max(_f_measure(right, chosen, int(np.count_nonzero(marked)))))


def _at_least(levels: Levels) -> NDArray[np.int64]:
    """How many pixels reach each of the 256 levels."""
    counts: NDArray[np.int64] = np.bincount(levels, minlength=TOP + 1)[::-1].cumsum()[::-1]
    return counts


def _f_measure(
    n_right: NDArray[np.int64] | int, n_chosen: NDArray[np.int64] | int, n_marked: int
) -> NDArray[np.float64]:
    """(1 + b2) precision recall / (b2 precision + recall), b2 = 0.3: precision weighs more.

    As counts: (1 + b2) right / (b2 marked + chosen), which is 0 where nothing was chosen.
    """
    denominator = BETA_SQUARED * n_marked + np.asarray(n_chosen)
    # 1.3 n / (0.3 n + n) may round to a hair above 1.
    return np.minimum((1 + BETA_SQUARED) * np.asarray(n_right) / denominator, 1.0)


def mean_over_photos(
    values: Sequence[float | None], bounds: tuple[float, float] = (0.0, 1.0)
) -> MeanOverPhotos | None:
    """Mean with its 95 % t-interval over photos; None where no photo has the number."""
    present = np.array([value for value in values if value is not None], np.float64)
    n = len(present)
    if n == 0:
        return None
    mean = float(present.mean())
    if n < 2:
        return MeanOverPhotos(mean, None, None, n)
    error = float(present.std(ddof=1)) / sqrt(n)
    reach = float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * error
    low, high = np.clip([mean - reach, mean + reach], *bounds)
    return MeanOverPhotos(mean, float(low), float(high), n)
