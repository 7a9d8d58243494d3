"""Is a probability from a metric's distances worth believing: NLL, Brier score, reliability bins.

p(second is closer) = sigmoid(a (d_first - d_second)), antisymmetric by construction. A metric that
brings a probability of its own is judged by that; for any other, a is fitted without the source
that it is then judged on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from codecs_eval.agreement.estimates import estimate_json
from codecs_eval.agreement.folds import deal_sources
from codecs_eval.agreement.intervals import Bootstrap, Estimate
from codecs_eval.agreement.judged import Judged, MetricDistances

Floats = NDArray[np.float64]

OWN = "own"
FITTED = "fitted"
MAX_FOLDS = 10
# Folded to the image that is called closer, so from a coin toss to certainty.
BIN_EDGES = np.round(np.linspace(0.5, 1.0, 11), 2)
COIN_NLL, COIN_BRIER = float(np.log(2)), 0.25

# A stated certainty of 1 that is wrong once would cost infinitely much.
_SUREST = 1 - 1e-12


@dataclass(frozen=True)
class Bin:
    """Judgments whose stated probability lies in low..high, and the share that proved it right."""

    low: float
    high: float
    predicted: float
    observed: Estimate
    n_judgments: int

    def to_json(self) -> dict[str, Any]:
        return {
            "bin_low": self.low,
            "bin_high": self.high,
            "predicted": self.predicted,
            **estimate_json(self.observed, "observed"),
            "n_judgments": self.n_judgments,
        }


@dataclass(frozen=True)
class MetricCalibration:
    """`nll` in nats a judgment and `brier` in 0..1, lower is better; `error`: the mean distance

    between stated probability and observed share over the bins, which few judgments inflate.
    """

    metric: MetricDistances
    head: str
    nll: Estimate
    brier: Estimate
    error: float
    bins: tuple[Bin, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.metric.name,
            "label": self.metric.label,
            "colour": self.metric.colour,
            "marker": self.metric.marker,
            "head": self.head,
            "nll": estimate_json(self.nll, "value"),
            "brier": estimate_json(self.brier, "value"),
            "calibration_error": self.error,
            "bins": [found.to_json() for found in self.bins],
        }


@dataclass(frozen=True)
class Calibration:
    """All metrics, or the reason why there is nothing to fit on."""

    n_folds: int
    metrics: tuple[MetricCalibration, ...]
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        return {
            "n_folds": self.n_folds,
            "reason": self.reason,
            "coin": {"nll": COIN_NLL, "brier": COIN_BRIER},
            "heads": {
                OWN: "the metric's own probability",
                FITTED: f"sigmoid(a (d_first - d_second)), a fitted on the other "
                f"sources of this report ({self.n_folds} folds by source)",
            },
            "metrics": [found.to_json() for found in self.metrics],
        }


def calibrate(judged: Judged, bootstrap: Bootstrap) -> Calibration:
    """Every metric's probabilities against the judgments; intervals leave the fit of a as it is."""
    if not judged.metrics:
        return Calibration(0, (), "no metric")
    n_sources = len(set(judged.sources))
    if n_sources < 2:
        return Calibration(0, (), "all triplets are of one source: nothing is left to fit on")
    n_folds = min(MAX_FOLDS, n_sources)
    fold_of = deal_sources(judged.sources, n_folds, bootstrap.seed)
    found = [_logits(judged, index, fold_of) for index in range(len(judged.metrics))]
    logits = np.stack([column for column, _ in found], axis=1)
    p = expit(logits)
    bounds = (0.0, float("inf"))
    nll = judged.means(np.logaddexp(0, logits), np.logaddexp(0, -logits), bootstrap, bounds)
    brier = judged.means(p**2, (1 - p) ** 2, bootstrap)
    metrics = []
    for index, metric in enumerate(judged.metrics):
        bins = reliability(judged, logits[:, index], bootstrap)
        n = sum(each.n_judgments for each in bins)
        gaps = [each.n_judgments * abs(each.observed.value - each.predicted) for each in bins]
        metrics.append(
            MetricCalibration(
                metric, found[index][1], nll[index], brier[index], sum(gaps) / n, tuple(bins)
            )
        )
    return Calibration(n_folds, tuple(metrics), None)


def reliability(judged: Judged, logits: Floats, bootstrap: Bootstrap) -> list[Bin]:
    """Bins of the probability given to the image that is called closer; empty ones are left out.

    First and second carry no information, so a probability p of the second below 0.5 is one of
    1 - p of the first.
    """
    stated = expit(np.abs(logits))
    right_if_first = np.where(logits < 0, 1.0, np.where(logits > 0, 0.0, 0.5))
    place = np.clip(np.digitize(stated, BIN_EDGES) - 1, 0, len(BIN_EDGES) - 2)
    bins = []
    for number in np.unique(place):
        inside = place == number
        part = judged.where(inside)
        score = right_if_first[inside][:, None]
        observed = part.means(score, 1 - score, bootstrap)[0]
        n = part.column("n")
        bins.append(
            Bin(
                float(BIN_EDGES[number]),
                float(BIN_EDGES[number + 1]),
                float(np.average(stated[inside], weights=n)),
                observed,
                int(n.sum()),
            )
        )
    return bins


def fit_slope(difference: Floats, n: Floats, k_second: Floats) -> float:
    """The a >= 0 of p = sigmoid(a difference) that makes the votes likeliest.

    One undecided vote at the mean distance is added (log-F(1,1) prior; Greenland and Mansournia
    2015, Statistics in Medicine 34, 3133), which keeps a finite where the votes are separable.
    0 where larger distances do not go with fewer votes.
    """
    unit = float(np.mean(np.abs(difference)))
    if not unit > 0.0:
        return 0.0
    x = np.append(difference / unit, 1.0)
    weight, count = np.append(n, 1.0), np.append(k_second, 0.5)
    a = 0.0
    for _ in range(100):
        p = expit(a * x)
        gradient = float(np.sum(x * (count - weight * p)))
        curvature = float(np.sum(weight * x**2 * p * (1 - p)))
        # Damped: where p is saturated the curvature is next to nothing.
        step = float(np.clip(gradient / max(curvature, 1e-9), -2.0, 2.0))
        a = max(0.0, a + step)
        if abs(step) < 1e-10 or (a == 0.0 and gradient <= 0.0):
            break
    return a / unit


def _logits(judged: Judged, index: int, fold_of: NDArray[np.int64]) -> tuple[Floats, str]:
    """Log-odds for the second image of each triplet, and whose probability they are."""
    values = judged.metrics[index].values
    if "p_second" in values.columns:
        p = values.set_index("triplet_id")["p_second"].reindex(judged.table["triplet_id"])
        stated = p.to_numpy(dtype=np.float64)
        if not np.all((stated >= 0) & (stated <= 1)):
            name = judged.metrics[index].name
            raise ValueError(f"{name}: p_second out of range; expected 0..1 for every triplet")
        return np.asarray(logit(np.clip(stated, 1 - _SUREST, _SUREST))), OWN
    first, second = judged.distances[index]
    with np.errstate(invalid="ignore"):
        difference = np.where(first == second, 0.0, first - second)
    largest = np.abs(difference[np.isfinite(difference)]).max(initial=0.0)
    # An infinite difference decides, but has no size: it counts as the largest finite one.
    difference = np.clip(difference, -largest, largest)
    logits = np.zeros(len(difference))
    n, k = judged.column("n"), judged.column("k_second")
    for fold in np.unique(fold_of):
        inside = fold_of == fold
        slope = fit_slope(difference[~inside], n[~inside], k[~inside])
        logits[inside] = slope * difference[inside]
    return logits, FITTED
