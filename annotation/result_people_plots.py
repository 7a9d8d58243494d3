"""Figures of a study's results about people: metrics beside them, one scale, how long they took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from annotation.result_plots import (
    ACROSS,
    DODGE,
    PLOT_IN,
    Results,
    draw_line,
    level_words,
    point,
    who_answered,
    wrapped,
)
from codecs_eval.agreement.by_rate import end_labels, rate_axis
from codecs_eval.agreement.captions import shortened
from codecs_eval.agreement.drawing import GREY, INK, SMALL, captioned_figure, text

_TIME = {"colour": "#0072B2", "marker": "o"}
# The ends of a bin of |share - 0.5|, as the majority's share.
_MAJORITY = 0.5


def agreement_by_rate_figure(results: Results) -> Figure:
    """Each metric's agreement with people by rate; people with each other as a line with a band."""
    cells = [c for c in results["metrics"]["cells"] if c["rate_bpp"] and c["pair"] is None]
    if not cells:
        raise ValueError("Found no metric beside people at any rate; expected at least one.")
    who = "simulated observers" if results["is_simulated"] else "people"
    caption = (
        f"Agreement of metrics with {who} on the crops that were judged, n = judgments at that "
        f"rate; whiskers and band: {level_words(results)} intervals over photos and observers. "
        f"Thick line: {who} with each other. {who_answered(results)}"
    )
    figure, axes = captioned_figure(results, ACROSS, 0.14, PLOT_IN, wrapped(caption))
    rate_axis(axes, {c["rate_bpp"]: f"{c['rate_bpp']:g}\nn = {c['n_judgments']:,}" for c in cells})
    axes.set_ylabel(f"agreement with {who} (%)", fontsize=SMALL, color=INK)
    axes.axhline(50, color=GREY, linewidth=0.8, zorder=1)
    style = {"ha": "left", "va": "bottom", "color": GREY, "fontsize": SMALL - 1}
    text(axes, 0.005, 50, "chance", axes.get_yaxis_transform(), **style)
    ends = _people_line(axes, cells, f"{who.split()[-1]} with each other")
    middle = (len(results["metrics"]["metrics"]) - 1) / 2
    for index, look in enumerate(results["metrics"]["metrics"]):
        step = float(np.exp(DODGE * (index - middle)))
        rows = [next(r for r in c["metrics"] if r["name"] == look["name"]) for c in cells]
        points = [
            point(c["rate_bpp"] * step, {**row, "value": row["agreement"]}, 100)
            for c, row in zip(cells, rows, strict=True)
        ]
        draw_line(axes, points, look)
        ends.append((points[-1][0], points[-1][1], shortened(look["label"], 34), INK))
    low, high = axes.get_ylim()
    axes.set_ylim(max(-2.0, min(low, 48.0)), min(102.0, high))
    end_labels(axes, ends)
    return figure


def _people_line(
    axes: Axes, cells: Sequence[Mapping[str, Any]], who: str
) -> list[tuple[float, float, str, str]]:
    known = [(c["rate_bpp"], c["people"]["unbiased"]) for c in cells if c["people"]["unbiased"]]
    if not known:
        return []
    rates, values = [rate for rate, _ in known], [100 * row["value"] for _, row in known]
    axes.plot(rates, values, color=INK, linewidth=1.6, zorder=3)
    banded = [(rate, row) for rate, row in known if row["low"] is not None]
    axes.fill_between(
        [rate for rate, _ in banded],
        [100 * row["low"] for _, row in banded],
        [100 * row["high"] for _, row in banded],
        color=INK, alpha=0.1, linewidth=0, zorder=0,
    )  # fmt: skip
    return [(rates[-1], values[-1], who, INK)]


def joint_figure(results: Results) -> Figure:
    """Every codec's places over the rate that its files have: a rate-distortion curve by people."""
    joint = results["screened"]["joint"]
    caption = (
        "Dots: place on one Davidson scale over all codecs and rates, in JND, over the mean rate "
        f"of the judged files; whiskers: {level_words(results)} bootstrap over observers. Hollow: "
        f"no interval. {who_answered(results)}"
    )
    figure, axes = captioned_figure(results, ACROSS, 0.14, PLOT_IN, wrapped(caption))
    rates = sorted({row["rate_bpp"] for row in joint["items"]})
    rate_axis(axes, {rate: f"{rate:g}" for rate in rates})
    axes.set_ylabel("closeness to the original (JND)", fontsize=SMALL, color=INK)
    ends = []
    for look in results["study"]["codecs"]:
        rows = [row for row in joint["items"] if row["codec"] == look["name"]]
        if rows:
            points = [point(row["mean_bpp"], row["place_jnd"]) for row in rows]
            draw_line(axes, points, look)
            ends.append((points[-1][0], points[-1][1], shortened(look["label"], 34), INK))
    end_labels(axes, ends)
    return figure


def difficulty_figure(results: Results) -> Figure:
    """Median response time by how far the judgments of a triplet agree."""
    bins = results["screened"]["people"]["by_difficulty"]
    caption = (
        "Dots: median response time of the judgments of triplets by the share of their majority "
        "(of triplets with 3 judgments or more), n = judgments; whiskers: "
        f"{level_words(results)} bootstrap over observers. {who_answered(results)}"
    )
    labels = [f"{_percent(row['low'])}–{_percent(row['high'])} %" for row in bins]
    return _times(results, bins, labels, "majority of the triplet", caption)


def session_figure(results: Results) -> Figure:
    """Median response time over the session: learning and fatigue."""
    people = results["screened"]["people"]
    bins, change = people["over_session"], people["change_per_trial"]
    caption = (
        "Dots: median response time by the place of the trial in its session, n = judgments; "
        f"whiskers: {level_words(results)} bootstrap over observers. {who_answered(results)}"
    )
    if change["low"] is not None:
        ends = f"{100 * change['low']:+.2f} to {100 * change['high']:+.2f}"
        said = f" Change from trial to trial {100 * change['value']:+.2f}\u00a0% ({ends})."
        caption += said.replace("-", "−")
    labels = [_places(row) for row in bins]
    return _times(results, bins, labels, "trial of the session", caption)


def _percent(distance: float) -> str:
    return f"{100 * (_MAJORITY + distance):.0f}"


def _places(row: Mapping[str, Any]) -> str:
    """From 1, as people count."""
    return f"{row['low'] + 1:.0f}–{row['high']:.0f}"


def _times(
    results: Results,
    bins: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    what: str,
    caption: str,
) -> Figure:
    figure, axes = captioned_figure(results, (0.085, 0.87), 0.14, 2.2, wrapped(caption))
    points = [
        point(float(place), row["median_ms"], 0.001)
        for place, row in enumerate(bins)
        if row["median_ms"]["value"] is not None
    ]
    draw_line(axes, points, _TIME)
    axes.set_xticks(
        range(len(bins)),
        [f"{label}\nn = {row['n']:,}" for label, row in zip(labels, bins, strict=True)],
    )
    axes.set_xlim(-0.5, len(bins) - 0.5)
    axes.set_ylim(0, None)
    axes.set_xlabel(what, fontsize=SMALL, color=INK)
    axes.set_ylabel("median time (s)", fontsize=SMALL, color=INK)
    return figure
