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
from codecs_eval.agreement.drawing import GREY, INK, SMALL, captioned_figure

Results = Mapping[str, Any]
Point = tuple[float, float, float | None, float | None]

ACROSS = (0.085, 0.66)
PLOT_IN = 3.1
# How far apart the codecs stand around one rate, as a ratio: whiskers can be told apart.
DODGE = 0.028
_LINE_LENGTH = 126
N_AT_RATE = "Below a rate, n: all judgments at the rate; a dot rests only on those of its codecs."


def share_figure(results: Results) -> Figure:
    """Share of judgments won at each rate, one line a codec, with intervals over observers."""
    caption = (
        "Dots: share of its comparisons that a codec won at a rate, a tie as half; whiskers: "
        f"{level_words(results)} intervals over observers."
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
        f"not between rates; whiskers: {level_words(results)} bootstrap over observers. Hollow: no "
        "interval."
    )
    figure, axes = _by_rate(results, caption, "closeness to the original (JND)")
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    _lines(axes, results, lambda row: row["place_jnd"], 1)
    return figure


def anchor_figure(results: Results) -> Figure:
    """Share of the comparisons with each other codec that the anchor won, by rate."""
    anchor = results["study"]["anchor"]
    label = label_of(results, anchor)
    caption = (
        f"Dots: share of its comparisons with each codec that {label} won at a rate, a tie as "
        f"half; above 50 it was found closer; whiskers: {level_words(results)} intervals over "
        "observers, each by itself. Hollow: no interval."
    )
    figure, axes = _by_rate(results, caption, f"{shortened(label, 24)} won (%)")
    axes.axhline(50, color=GREY, linewidth=0.8, zorder=1)
    _lines(axes, results, lambda row: row["won_by_anchor"], 100, against(results, anchor))
    low, high = axes.get_ylim()
    axes.set_ylim(max(-2, low), min(102, high))
    return figure


def against(results: Results, anchor: str) -> list[dict[str, Any]]:
    """Rates with, for each other codec, the share that the anchor won of their comparisons."""
    return [
        {
            **found,
            "codecs": [
                {"codec": pair["second"], "won_by_anchor": pair["share_first"]}
                if pair["first"] == anchor
                else {"codec": pair["first"], "won_by_anchor": turned(pair["share_first"])}
                for pair in found["pairs"]
                if anchor in (pair["first"], pair["second"])
            ],
        }
        for found in results["screened"]["rates"]
    ]


def turned(share: Mapping[str, Any]) -> dict[str, Any]:
    """The share of the other one of two."""
    rest = {name: None if share[name] is None else 1 - share[name] for name in ("value", *_ENDS)}
    return {**share, "value": rest["value"], "low": rest["high"], "high": rest["low"]}


_ENDS = ("low", "high")


def label_of(results: Results, codec: str) -> str:
    return next(row["label"] for row in results["study"]["codecs"] if row["name"] == codec)


def _by_rate(results: Results, caption: str, label: str) -> tuple[Figure, Axes]:
    told = f"{caption} {N_AT_RATE} {who_answered(results)}"
    figure, axes = captioned_figure(results, ACROSS, 0.14, PLOT_IN, wrapped(told))
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
    axes: Axes,
    results: Results,
    estimate: Callable[[Mapping[str, Any]], Any],
    factor: float,
    rates: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    looks = results["study"]["codecs"]
    middle = (len(looks) - 1) / 2
    ends = []
    for index, look in enumerate(looks):
        points = []
        for found in rates or results["screened"]["rates"]:
            row = next((row for row in found["codecs"] if row["codec"] == look["name"]), None)
            if row is not None and estimate(row)["value"] is not None:
                x = found["rate_bpp"] * float(np.exp(DODGE * (index - middle)))
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
        # Yellow on white is seen by its rim alone.
        rim = INK if colour == "#F0E442" else colour
        if low is not None and high is not None:
            width = 0.6 if rim == INK else 1.2
            axes.plot([x, x], [low, high], color=rim, linewidth=width, zorder=4)
        face = "white" if low is None else colour
        look_of_dot: dict[str, Any] = {"markerfacecolor": face, "markeredgecolor": rim}
        axes.plot(
            [x], [y], look["marker"], markersize=6, markeredgewidth=0.7, zorder=5, **look_of_dot
        )


def level_words(results: Results) -> str:
    # A no-break space: the number and its unit stay on one line.
    return f"{100 * results['intervals']['level']:g}\u00a0%"


def who_answered(results: Results) -> str:
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
