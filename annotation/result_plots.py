"""A study's results as JSON -> figures for page, print and download; the same bytes every time."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from codecs_eval.agreement.by_rate import end_labels, rate_axis
from codecs_eval.agreement.captions import shortened
from codecs_eval.agreement.drawing import GREY, INK, SMALL, captioned_figure, text

Results = Mapping[str, Any]
Point = tuple[float, float, float | None, float | None]

_ACROSS = (0.085, 0.66)
_PLOT_IN = 3.1
# How far apart the codecs stand around one rate, as a ratio: whiskers can be told apart.
_DODGE = 0.028
_LINE_LENGTH = 126


def share_figure(results: Results) -> Figure:
    """Share of judgments won at each rate, one line a codec, with intervals over observers."""
    caption = (
        "Dots: share of its comparisons that a codec won at a rate, a tie as half; whiskers: "
        f"{_level(results)} % intervals over observers. {_who(results)}"
    )
    figure, axes = _by_rate(results, caption, "comparisons won (%)")
    axes.axhline(50, color=GREY, linewidth=0.8, zorder=1)
    _lines(axes, results, lambda row: row["share"], 100)
    low, high = axes.get_ylim()
    axes.set_ylim(max(-2, low), min(102, high))
    return figure


def scale_figure(results: Results) -> Figure:
    """Davidson's scale in JND at each rate; a rate's codecs have mean 0."""
    caption = (
        "Dots: place on Davidson's scale, in JND (1 JND: 75 % of those who decide prefer the "
        "better one), the mean of each rate's codecs being 0: places are compared within a rate, "
        f"not between rates; whiskers: {_level(results)} % bootstrap over observers. Hollow: no "
        f"interval. {_who(results)}"
    )
    figure, axes = _by_rate(results, caption, "closeness to the original (JND)")
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    _lines(axes, results, lambda row: row["place_jnd"], 1)
    return figure


def _by_rate(results: Results, caption: str, label: str) -> tuple[Figure, Axes]:
    figure, axes = captioned_figure(results, _ACROSS, 0.14, _PLOT_IN, wrapped(caption))
    rate_axis(
        axes,
        {
            found["rate_bpp"]: f"{found['rate_bpp']:g}\nn = {found['counts']['n_judgments']:,}"
            for found in results["screened"]["rates"]
        },
    )
    axes.set_ylabel(label, fontsize=SMALL, color=INK)
    return figure, axes


def _lines(
    axes: Axes, results: Results, estimate: Callable[[Mapping[str, Any]], Any], factor: float
) -> None:
    looks = results["study"]["codecs"]
    middle = (len(looks) - 1) / 2
    ends = []
    for index, look in enumerate(looks):
        points = []
        for found in results["screened"]["rates"]:
            row = next((row for row in found["codecs"] if row["codec"] == look["name"]), None)
            if row is not None and estimate(row)["value"] is not None:
                x = found["rate_bpp"] * float(np.exp(_DODGE * (index - middle)))
                points.append(point(x, estimate(row), factor))
        if points:
            draw_line(axes, points, look)
            ends.append((points[-1][0], points[-1][1], shortened(look["label"], 34), INK))
    end_labels(axes, ends)


def point(x: float, estimate: Mapping[str, Any], factor: float = 1) -> Point:
    low, high = estimate["low"], estimate["high"]
    if low is None:
        return x, factor * estimate["value"], None, None
    return x, factor * estimate["value"], factor * low, factor * high


def draw_line(axes: Axes, points: Sequence[Point], look: Mapping[str, Any]) -> None:
    """A line through dots with whiskers; a dot without an interval is hollow."""
    colour = look["colour"]
    axes.plot([p[0] for p in points], [p[1] for p in points], color=colour, linewidth=0.9, zorder=3)
    for x, y, low, high in points:
        if low is not None and high is not None:
            axes.plot([x, x], [low, high], color=colour, linewidth=1.2, zorder=4)
        face = "white" if low is None else colour
        # Yellow on white is seen by its rim alone.
        rim = INK if colour == "#F0E442" else colour
        look_of_dot: dict[str, Any] = {"markerfacecolor": face, "markeredgecolor": rim}
        axes.plot(
            [x], [y], look["marker"], markersize=6, markeredgewidth=0.7, zorder=5, **look_of_dot
        )


def agreement_by_rate_figure(results: Results) -> Figure:
    """Each metric's agreement with people by rate; people with each other as a line with a band."""
    cells = [c for c in results["metrics"]["cells"] if c["rate_bpp"] and c["pair"] is None]
    if not cells:
        raise ValueError("Found no metric beside people at any rate; expected at least one.")
    who = "simulated observers" if results["is_simulated"] else "people"
    caption = (
        f"Agreement of metrics with {who} on the crops that were judged, n = judgments at that "
        f"rate; whiskers and band: {_level(results)} % intervals over photos and observers. Black "
        f"line: {who} with each other. {_who(results)}"
    )
    figure, axes = captioned_figure(results, _ACROSS, 0.14, _PLOT_IN, wrapped(caption))
    rate_axis(axes, {c["rate_bpp"]: f"{c['rate_bpp']:g}\nn = {c['n_judgments']:,}" for c in cells})
    axes.set_ylabel(f"agreement with {who} (%)", fontsize=SMALL, color=INK)
    axes.axhline(50, color=GREY, linewidth=0.8, zorder=1)
    style = {"ha": "left", "va": "bottom", "color": GREY, "fontsize": SMALL - 1}
    text(axes, 0.005, 50, "chance", axes.get_yaxis_transform(), **style)
    ends = _people_line(axes, cells, f"{who} with each other")
    middle = (len(results["metrics"]["metrics"]) - 1) / 2
    for index, look in enumerate(results["metrics"]["metrics"]):
        step = float(np.exp(_DODGE * (index - middle)))
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


def _level(results: Results) -> str:
    return f"{100 * results['intervals']['level']:g}"


def _who(results: Results) -> str:
    counts = results["screened"]["counts"]
    who = "simulated observers" if results["is_simulated"] else "observers"
    n_out = len(results["excluded"])
    return (
        f"As screened: n = {counts['n_judgments']:,} judgments by {counts['n_observers']} {who} "
        f"({n_out} session{'' if n_out == 1 else 's'} excluded), {counts['n_sources']} photos. "
        f"Study {shortened(results['study']['title'], 60)}."
    )


def wrapped(caption: str) -> list[str]:
    return textwrap.wrap(caption, _LINE_LENGTH)
