"""The exact test that observers lean to neither side.

Fisher 1935, The Design of Experiments, section 21; Pitman 1937, JRSS Supplement 4, 119: were
there no preference, each observer's balance would be as likely with the opposite sign.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]

SOURCE = "exact sign-flip test over observers (Fisher 1935, Pitman 1937)"
# The Fourier sum is exact to about this much.
_SMALLEST = 1e-14


def sign_flip_p(balance: Floats) -> float:
    """Two-sided p of balances (G,), whole numbers: an observer's answers for one item less those
    for the other. P(|sum of balances with random signs| >= |sum|), over all 2^G signs.

    With one answer an observer this is the sign test. Never below 2^(1 - G'), G' the observers
    whose balance is not 0.
    """
    sizes = np.abs(np.rint(balance)).astype(np.int64)
    if not np.array_equal(sizes, np.abs(balance)):
        raise ValueError("Found balances that are no whole numbers; expected counts.")
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return 1.0
    chance = _chances_of_sums(sizes)
    most, seen = int(sizes.sum()), abs(int(np.rint(balance.sum())))
    if seen == 0:
        return 1.0
    sums = np.arange(-most, most + 1)
    found = float(chance[np.abs(sums) >= seen].sum())
    return min(1.0, max(found, _SMALLEST, 2.0 ** (1 - len(sizes))))


def _chances_of_sums(sizes: NDArray[np.int64]) -> Floats:
    """Chance of each sum -most..most of +-sizes, by its characteristic function: a product of
    cosines, one for each observer."""
    most = int(sizes.sum())
    length = 2 * most + 1
    angle = 2 * np.pi * np.arange(length) / length
    product = np.ones(length)
    for size, times in zip(*np.unique(sizes, return_counts=True), strict=True):
        product *= np.cos(size * angle) ** times
    chance = np.fft.fft(product).real / length
    return np.asarray(np.maximum(np.roll(chance, most), 0.0), dtype=np.float64)


def sign_flip_p_of_moments(
    total: Floats, square: Floats, fourth: Floats, step: float = 1.0
) -> Floats:
    """The same p for many observers, from sums of their balances and of their 2nd and 4th powers.

    Edgeworth's expansion of the sum with random signs: variance `square`, fourth cumulant
    -2 x `fourth`, no third one. step: the greatest common divisor of the balances; sums are twice
    that apart.
    """
    spread = np.sqrt(np.maximum(square, 1e-12))
    z = np.maximum(np.abs(total) - step, 0) / spread
    excess = -2 * fourth / np.maximum(square, 1e-12) ** 2
    found = 2 * norm.sf(z) + 2 * norm.pdf(z) * excess / 24 * (z**3 - 3 * z)
    return np.asarray(np.where(total == 0, 1.0, np.clip(found, 0.0, 1.0)), dtype=np.float64)
