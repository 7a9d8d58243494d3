"""A downstream report's JSON -> its figure; the same bytes every time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from codecs_eval.downstream.told import KINDS, agreement_of

Report = Mapping[str, Any]

INK = "#1a1a1a"
GREY = "#767676"
WIDTH_IN = 7.2
SMALL, NORMAL = 8.0, 9.0
_PLOT_IN, _HEAD_IN, _FOOT_IN, _LINE_IN = 3.4, 0.3, 0.62, 0.15
# How far apart codecs stand around one rate, as a ratio: whiskers can be told apart.
_DODGE = 0.022
MOST_CHARACTERS = 17


def rate_figure(report: Report) -> Figure:
    """AP or mean IoU (without a truth, agreement with uncompressed) in per cent over mean rate,
    log: a dot with its whiskers a codec and rate; uncompressed a line with its band."""
    kinds = list(report["kinds"]) or ["agreement"]
    caption = _caption(report)
    foot_in = _FOOT_IN + _LINE_IN * len(caption)
    height_in = _HEAD_IN + foot_in + len(kinds) * _PLOT_IN + (len(kinds) - 1) * 0.6
    figure = Figure(figsize=(WIDTH_IN, height_in))
    for index, kind in enumerate(kinds):
        bottom = foot_in + (len(kinds) - 1 - index) * (_PLOT_IN + 0.6)
        place = (0.085, bottom / height_in, 0.715, _PLOT_IN / height_in)
        _panel(figure.add_axes(place), report, kind)
    note: dict[str, Any] = {"fontsize": SMALL - 0.5, "color": INK, "va": "bottom"}
    figure.text(
        0.02, 0.07 / height_in, "\n".join(caption), parse_math=False, linespacing=1.3, **note
    )
    return figure


def _panel(axes: Axes, report: Report, kind: str) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=SMALL, colors=INK)
    cells = [cell for cell in report["cells"] if cell[kind] is not None]
    _rate_axis(axes, cells)
    ends: list[tuple[float, str, str]] = []
    if kind in report["uncompressed"]:
        axes.set_ylabel(f"{KINDS[kind].label} (%)", fontsize=SMALL, color=INK)
        ends.append(_uncompressed(axes, report["uncompressed"][kind][KINDS[kind].main]))
    else:
        words = f"{agreement_of(report['task']).axis} (%)"
        axes.set_ylabel(words, fontsize=SMALL, color=INK)
    names = list(dict.fromkeys(cell["codec"] for cell in cells))
    for index, name in enumerate(names):
        step = math.exp(_DODGE * (index - (len(names) - 1) / 2))
        ends.append(_curve(axes, [cell for cell in cells if cell["codec"] == name], kind, step))
    _end_labels(axes, ends)


def _uncompressed(axes: Axes, found: Mapping[str, Any]) -> tuple[float, str, str]:
    value = 100 * found["value"]
    if found["low"] is not None:
        axes.axhspan(100 * found["low"], 100 * found["high"], color=GREY, alpha=0.13, linewidth=0)
    axes.axhline(value, color=INK, linewidth=1.4, zorder=2)
    return value, "uncompressed", INK


def _curve(
    axes: Axes, cells: Sequence[Mapping[str, Any]], kind: str, step: float
) -> tuple[float, str, str]:
    xs, ys = [], []
    for cell in sorted(cells, key=lambda each: each["bpp_mean"]):
        found = cell[kind] if kind == "agreement" else cell[kind][KINDS[kind].main]
        x, y = cell["bpp_mean"] * step, 100 * found["value"]
        if found["low"] is not None:
            ends = [100 * found["low"], 100 * found["high"]]
            axes.plot([x, x], ends, color=cell["colour"], linewidth=0.8, alpha=0.75, zorder=3)
        is_full = cell["hit"] == cell["n"]
        axes.plot(
            [x], [y], cell["marker"], markersize=6, zorder=5,
            markerfacecolor=cell["colour"] if is_full else "white",
            markeredgecolor=INK if cell["colour"] == "#F0E442" else cell["colour"],
            markeredgewidth=0.6 if is_full else 1.2,
        )  # fmt: skip
        xs.append(x)
        ys.append(y)
    axes.plot(xs, ys, color=cells[0]["colour"], linewidth=0.9, alpha=0.55, zorder=2)
    return ys[-1], str(cells[0]["label"]), str(cells[0]["colour"])


def _rate_axis(axes: Axes, cells: Sequence[Mapping[str, Any]]) -> None:
    axes.set_xscale("log")
    rates = [cell["bpp_mean"] for cell in cells] or [1.0]
    axes.set_xlim(min(rates) / 1.2, max(rates) * 1.2)
    ticks = sorted({cell["target_bpp"] for cell in cells})
    axes.set_xticks([t for t in ticks if min(rates) / 1.2 <= t <= max(rates) * 1.2])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("rate of the whole file, bits per pixel (log)", fontsize=SMALL, color=INK)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)


def _end_labels(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Names right of the plot, moved apart where two would overlap."""
    if not ends:
        return
    low, high = axes.get_ylim()
    step = (high - low) * 0.052
    placed = -math.inf
    heights = []
    for y, _, _ in sorted(ends):
        placed = max(y, placed + step)
        heights.append(placed)
    # Around the places that they name, and never above the plot.
    off = sum(at - end[0] for at, end in zip(heights, sorted(ends), strict=True)) / len(ends)
    down = max(off, heights[-1] - high)
    for (y, label, colour), at in zip(sorted(ends), heights, strict=True):
        axes.annotate(
            _short(label), (1.0, y), (1.035, at - down), xycoords=axes.get_yaxis_transform(),
            textcoords=axes.get_yaxis_transform(), va="center", fontsize=NORMAL, color=INK,
            arrowprops={
                "arrowstyle": "-", "color": colour, "linewidth": 0.7, "relpos": (0, 0.5),
                "shrinkA": 1,
            },
            annotation_clip=False, parse_math=False,
        )  # fmt: skip


def _short(label: str) -> str:
    """What fits beside the plot; the table has the whole name."""
    return label if len(label) <= MOST_CHARACTERS else f"{label[: MOST_CHARACTERS - 1].rstrip()}…"


def _caption(report: Report) -> list[str]:
    made = report["intervals"]
    kinds = report["kinds"]
    what = KINDS[kinds[0]].definition if kinds else agreement_of(report["task"]).definition
    lines = [
        f"{report['model']['label']} on {report['collection']}: {what}; "
        f"{report['n_photos']} photos, {report['n_instances']} instances.",
        f"Whiskers: {100 * made['level']:g} % intervals, {made['method']}, each alone: codecs are "
        "compared on the same photos,",
        "so whiskers that meet do not say that two codecs are alike. Hollow: not every photo hit "
        "its rate.",
    ]
    if report["uncompressed"]:
        lines.append("Line and band: the same model on the uncompressed photos.")
    return lines
