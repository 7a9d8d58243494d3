"""Jackknife over observers: how a figure of agreement changes without each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.preference.intervals import (
    SPREAD_TOLERANCE,
    UNVARIED,
    Estimate,
    Interval,
    student_limits,
    too_few,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

METHOD = "Student's t over observers (jackknife)"
NOTHING = "no unit with two judgments that could differ"
NOTHING_LEFT = "leaving one observer out leaves nothing to compare"

# Votes (units, values) -> sums of each unit (units, columns); sums (rows, columns) -> a figure.
Sums = Callable[[Floats], Floats]
Figure = Callable[[Floats], Floats]


@dataclass(frozen=True)
class AgreementEstimate(Estimate):
    """`n_judgments` by `n_observers`: those of units with two or more judgments."""

    n_judgments: int = 0
    n_observers: int = 0


class Votes:
    """How often each unit (a triplet) got each value; an observer judges a unit once.

    unit, observer: (m,) codes; value: (m,) codes 0..n_values - 1. ValueError on a second
    judgment of one unit by one observer: leave repeats out.
    """

    def __init__(
        self, unit: ArrayLike, observer: ArrayLike, value: ArrayLike, n_values: int
    ) -> None:
        self.unit: Ints = np.unique(np.asarray(unit), return_inverse=True)[1].astype(np.int64)
        self.observer: Ints = np.unique(np.asarray(observer), return_inverse=True)[1].astype(
            np.int64
        )
        self.value = np.asarray(value, dtype=np.int64)
        if not len(self.unit) == len(self.observer) == len(self.value):
            raise ValueError("Found columns of different lengths; expected (m,) each.")
        if self.value.size and not 0 <= self.value.min() <= self.value.max() < n_values:
            raise ValueError(f"Found values outside 0..{n_values - 1}.")
        self.n_values = n_values
        self.n_observers = int(self.observer.max(initial=-1)) + 1
        self.n_units = int(self.unit.max(initial=-1)) + 1
        key = self.unit * max(self.n_observers, 1) + self.observer
        if len(np.unique(key)) != len(key):
            raise ValueError("Found two judgments of one unit by one observer; expected one.")
        self.table: Floats = np.zeros((self.n_units, n_values))
        np.add.at(self.table, (self.unit, self.value), 1.0)

    def paired(self) -> Votes:
        """Those of units with two or more judgments: what can be compared at all."""
        kept = self.table.sum(axis=1)[self.unit] >= 2
        return Votes(self.unit[kept], self.observer[kept], self.value[kept], self.n_values)

    def estimate(self, sums: Sums, figure: Figure, level: float) -> AgreementEstimate:
        """The figure of the votes that can be compared, with Student's t over observers.

        A jackknife over the observers of units with two or more judgments (Quenouille 1956; Tukey
        1958, Annals of Mathematical Statistics 29, 614). The value is nan, with the reason, where
        the figure is not defined.
        """
        votes = self.paired()
        found = votes._jackknife(sums, figure, level)
        return AgreementEstimate(
            found.value, found.interval, found.reason, len(votes.unit), votes.n_observers
        )

    def _jackknife(self, sums: Sums, figure: Figure, level: float) -> Estimate:
        by_unit = sums(self.table)
        whole = by_unit.sum(axis=0)
        value = float(figure(whole[None])[0])
        if not np.isfinite(value):
            return Estimate(value, None, NOTHING)
        reason = too_few(self.n_observers)
        if reason is not None:
            return Estimate(value, None, reason)
        left_out = figure(whole + self._changes(sums, by_unit))
        if not np.all(np.isfinite(left_out)):
            return Estimate(value, None, NOTHING_LEFT)
        spread = left_out - left_out.mean()
        g = self.n_observers
        error = float(np.sqrt((g - 1) / g * (spread**2).sum()))
        if not error > SPREAD_TOLERANCE:
            return Estimate(value, None, UNVARIED)
        low, high = student_limits(value, error, g - 1, level)
        return Estimate(value, Interval(low, min(high, 1.0), level, g, METHOD))

    def _changes(self, sums: Sums, by_unit: Floats) -> Floats:
        """(observers, columns): what the sums change by when an observer is left out."""
        without = self.table[self.unit]
        without[np.arange(len(without)), self.value] -= 1
        change = sums(without) - by_unit[self.unit]
        found = np.zeros((self.n_observers, by_unit.shape[1]))
        np.add.at(found, self.observer, change)
        return found
