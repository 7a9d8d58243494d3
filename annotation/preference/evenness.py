"""Whether a share is one half, and how wide an interval would become with more observers."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, t

from annotation.preference.intervals import SPREAD_TOLERANCE, too_few
from annotation.preference.shares import ratio_error

Floats = NDArray[np.float64]


def even_p(won: Floats, n: Floats) -> float | None:
    """Two-sided p of "the share is one half", from observers' won of n > 0 answers, (G,) each.

    Student's t over observers with the share's own jackknife error; None for too few observers.
    Where all observers have the same share, each counts as one answer (exact binomial test).
    """
    g = len(n)
    if too_few(g) is not None:
        return None
    share, error = float(won.sum() / n.sum()), ratio_error(won, n)
    if not error > SPREAD_TOLERANCE:
        return 1.0 if share == 0.5 else float(binomtest(round(share * g), g).pvalue)
    return float(2 * t.sf(abs(share - 0.5) / error, g - 1))


def even_p_assuming_independence(n_one: int, n_both: int) -> float | None:
    """The exact binomial test of one half, as if every answer were another person's."""
    return float(binomtest(n_one, n_both).pvalue) if n_both else None


def forecast_half_width(half_width: float, n: float, n_wanted: float) -> float:
    """The half width once n_wanted answers are in instead of n, by 1 / sqrt(observers).

    A forecast: it takes for granted that the further observers answer as many and spread as much.
    """
    if not n > 0:
        raise ValueError(f"Found {n} answers; expected more than 0 to forecast from.")
    return half_width * sqrt(n / max(n, n_wanted))
