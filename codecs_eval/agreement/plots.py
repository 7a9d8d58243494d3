"""An agreement report's JSON -> figures for page, print and download; the same bytes every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from codecs_eval.agreement.by_rate import end_labels, rate_axis
from codecs_eval.agreement.captions import (
    agreement_caption,
    is_partly,
    judges,
    rate_caption,
    shortened,
)
from codecs_eval.agreement.drawing import (
    GREY,
    INK,
    SMALL,
    Report,
    captioned_figure,
    dot,
    text,
)

_ROW_IN = 0.32
_LABEL_ROW_IN = 0.19
_RATE_PLOT_IN = 3.1
# How far apart the metrics stand around one rate, as a ratio: whiskers can be told apart.
_DODGE = 0.035


@dataclass(frozen=True)
class _Line:
    """How one human reference is drawn: `style` is matplotlib's line style."""

    name: str
    label: str
    style: str | tuple[int, tuple[int, ...]]
    width: float
    colour: str


# A line that rests on some of the triplets only, which the metrics do not.
_PARTLY = (0, (7, 3))
_PEOPLE_LINES = (
    _Line("unbiased", "{judges} with each other", "-", 1.6, INK),
    _Line("plugin", "plug-in human (biased up)", (0, (1, 2)), 0.9, GREY),
    _Line("ideal", "ideal observer (fitted)", (0, (6, 2)), 0.9, GREY),
    _Line("oracle", "oracle of these answers", (0, (4, 1, 1, 1)), 0.9, GREY),
)


def agreement_figure(report: Report) -> Figure:
    """Each metric's agreement as a dot with whiskers, best on top; people as lines, with a band."""
    rows = sorted(report["metrics"], key=lambda row: (row["agreement"], row["name"]))
    if not rows:
        raise ValueError("the report has no metrics, expected at least one to draw")
    lines = [line for line in _PEOPLE_LINES if report["people"][line.name] is not None]
    plot_in = _ROW_IN * len(rows)
    head_in = 0.12 + _LABEL_ROW_IN * len(lines)
    figure, axes = captioned_figure(
        report, (0.345, 0.455), head_in, plot_in, agreement_caption(report)
    )
    axes.set_ylim(-0.6, len(rows) - 0.4)
    low, high = _span(report)
    axes.set_xlim(low, high)
    axes.set_xticks([t for t in axes.get_xticks() if max(0, low) <= t <= min(100, high)])
    axes.yaxis.set_major_locator(NullLocator())
    axes.set_xlabel(f"agreement with {judges(report)} (%)", fontsize=SMALL, color=INK)
    axes.axvline(50, color=GREY, linewidth=0.8, zorder=1)
    chance = {"rotation": 90, "ha": "right", "va": "bottom", "color": GREY, "fontsize": SMALL - 1}
    text(axes, 50, 0.02, "chance", axes.get_xaxis_transform(), **chance)
    for height, row in enumerate(rows):
        _metric_row(axes, height, row)
    _draw_people(axes, lines, report, plot_in)
    return figure


def rate_figure(report: Report) -> Figure:
    """Agreement by rate: one line a metric, people as a line with its band; log axis for rate.

    Target rates where the dataset has them, else octaves of the achieved rate. ValueError where
    the report has neither; `has_rates` tells beforehand.
    """
    slices = _rate_slices(report)
    if not slices:
        raise ValueError("the report has no slices by rate, expected at least one")
    caption = rate_caption(report, slices)
    figure, axes = captioned_figure(report, (0.085, 0.665), 0.14, _RATE_PLOT_IN, caption)
    labels = {row["rate_bpp"]: f"{row['rate_bpp']:.2g}\nn = {row['n_triplets']}" for row in slices}
    rate_axis(axes, labels)
    axes.set_ylabel(f"agreement with {judges(report)} (%)", fontsize=SMALL, color=INK)
    axes.axhline(50, color=GREY, linewidth=0.8, zorder=1)
    chance = {"ha": "left", "va": "bottom", "color": GREY, "fontsize": SMALL - 1}
    text(axes, 0.005, 50, "chance", axes.get_yaxis_transform(), **chance)
    ends = _people_by_rate(axes, slices, judges(report, with_each_other=True))
    names = [row["name"] for row in slices[-1]["metrics"]]
    for index, name in enumerate(names):
        step = np.exp(_DODGE * (index - (len(names) - 1) / 2))
        ends.append(_metric_by_rate(axes, step, slices, name))
    low, high = axes.get_ylim()
    low, high = max(-2.0, min(low, 48.0)), min(102.0, high)
    axes.set_yticks([t for t in axes.get_yticks() if low <= t <= high])
    axes.set_ylim(low, high)
    end_labels(axes, ends)
    return figure


def has_rates(report: Report) -> bool:
    """Whether `rate_figure` has anything to draw."""
    return bool(_rate_slices(report))


def _metric_row(axes: Axes, height: int, row: Report) -> None:
    value = 100 * row["agreement"]
    between = "no interval"
    if row["low"] is not None:
        ends = [100 * row["low"], 100 * row["high"]]
        between = f"{ends[0]:.1f} to {ends[1]:.1f}"
        axes.plot(ends, [height, height], color=row["colour"], linewidth=1.4, zorder=4)
    dot(axes, value, height, row, size=7.0)
    frame = axes.get_yaxis_transform()
    text(axes, -0.02, height, shortened(row["label"], 37), frame, ha="right", va="center")
    text(axes, 1.115, height, f"{value:.1f}", frame, ha="right", va="center")
    text(axes, 1.14, height, between, frame, va="center", color=GREY, fontsize=SMALL)


def _draw_people(axes: Axes, lines: Sequence[_Line], report: Report, plot_in: float) -> None:
    """Lines through the plot, their labels in rows above it.

    The higher the value the higher its row, each label left of its line: no line crosses a label.
    """
    people = report["people"]
    low, high = axes.get_xlim()
    frame = axes.get_xaxis_transform()
    ordered = sorted(lines, key=lambda line: float(people[line.name]["value"]))
    partly = "" if not is_partly(people) else f" (on {people['n_qualifying']} triplets)"
    for index, line in enumerate(ordered):
        entry = people[line.name]
        value = 100 * entry["value"]
        top = 1 + (0.13 + _LABEL_ROW_IN * index) / plot_in
        style = _PARTLY if partly and line.style == "-" else line.style
        look: dict[str, Any] = {"color": line.colour, "linestyle": style}
        look |= {"linewidth": line.width, "zorder": 2 + line.width, "clip_on": False}
        axes.plot([value, value], [0, top], transform=frame, **look)
        if line.name == "unbiased" and entry["low"] is not None:
            band = (100 * entry["low"], 100 * entry["high"])
            axes.axvspan(*band, color=INK, alpha=0.1, linewidth=0, zorder=0)
        label = f"{line.label.format(judges=judges(report))} {value:.1f}{partly}"
        place = {"ha": "right", "va": "center", "color": line.colour, "fontsize": SMALL}
        text(axes, value - 0.008 * (high - low), top - 0.04 / plot_in, label, frame, **place)


def _rate_slices(report: Report) -> list[Report]:
    for by in ("target rate", "achieved rate"):
        found = [row for row in report["slices"] if row["by"] == by]
        if found:
            return sorted(found, key=lambda row: float(row["rate_bpp"]))
    return []


def _people_by_rate(
    axes: Axes, slices: Sequence[Report], who: str
) -> list[tuple[float, float, str, str]]:
    found = [(row["rate_bpp"], row["people"]["unbiased"]) for row in slices]
    points = [(rate, entry) for rate, entry in found if entry is not None]
    if not points:
        return []
    rates = [rate for rate, _ in points]
    values = [100 * entry["value"] for _, entry in points]
    style = _PARTLY if any(is_partly(row["people"]) for row in slices) else "-"
    axes.plot(rates, values, color=INK, linewidth=1.6, linestyle=style, zorder=3)
    banded = [(rate, entry) for rate, entry in points if entry["low"] is not None]
    axes.fill_between(
        [rate for rate, _ in banded],
        [100 * entry["low"] for _, entry in banded],
        [100 * entry["high"] for _, entry in banded],
        color=INK,
        alpha=0.1,
        linewidth=0,
        zorder=0,
    )
    return [(rates[-1], values[-1], who, INK)]


def _metric_by_rate(
    axes: Axes, step: float, slices: Sequence[Report], name: str
) -> tuple[float, float, str, str]:
    rows = [next(row for row in found["metrics"] if row["name"] == name) for found in slices]
    rates = [found["rate_bpp"] * step for found in slices]
    values = [100 * row["agreement"] for row in rows]
    colour = rows[0]["colour"]
    axes.plot(rates, values, color=colour, linewidth=0.9, zorder=4)
    for rate, value, row in zip(rates, values, rows, strict=True):
        if row["low"] is not None:
            ends = [100 * row["low"], 100 * row["high"]]
            axes.plot([rate, rate], ends, color=colour, linewidth=0.9, alpha=0.7, zorder=4)
        dot(axes, rate, value, row, size=6.0)
    return rates[-1], values[-1], rows[0]["label"], colour


def _span(report: Report) -> tuple[float, float]:
    """The horizontal axis in percent: chance, all values and all their limits, 2 points of air."""
    rows = [(row, row["agreement"]) for row in report["metrics"]]
    people = [report["people"][line.name] for line in _PEOPLE_LINES]
    rows += [(entry, entry["value"]) for entry in people if entry is not None]
    ends = [0.5]
    for row, value in rows:
        ends += [end for end in (value, row["low"], row["high"]) if end is not None]
    low, high = max(-1.0, 100 * min(ends) - 2), min(101.0, 100 * max(ends) + 2)
    lowest = min((100 * entry["value"] for entry in people if entry is not None), default=high)
    # The label left of the lowest line needs this share of the axis besides the margin.
    room = 0.17
    return min(low, (lowest - room * high) / (1 - room)), high
