"""The reliability diagram: stated probability against the share of judgments that proved it right.

One panel a metric; on the diagonal a probability can be taken at its word.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from codecs_eval.agreement.captions import reliability_caption, shortened
from codecs_eval.agreement.drawing import GREY, INK, SMALL, Report, captioned_figure, dot, text

_COLUMNS = 4
_PANEL_IN = 1.42
_GAP_IN = 0.42
_WIDTH_IN = 7.2


def reliability_figure(report: Report) -> Figure:
    """A panel for each metric of the report's calibration; ValueError where there is none."""
    found = report["calibration"]["metrics"]
    if not found:
        raise ValueError("the report has no probabilities, expected those of at least one metric")
    n_rows = math.ceil(len(found) / _COLUMNS)
    plot_in = n_rows * (_PANEL_IN + _GAP_IN) - _GAP_IN
    caption = reliability_caption(report)
    figure, frame = captioned_figure(report, (0.07, 0.91), 0.3, plot_in, caption)
    _hide(frame)
    text(
        frame,
        0.5,
        -0.3 / plot_in,
        "stated probability of the image called closer (%)",
        frame.transAxes,
        ha="center",
        va="top",
        fontsize=SMALL,
    )
    box = frame.get_position()
    wide = _PANEL_IN / _WIDTH_IN
    step = (box.width - _COLUMNS * wide) / (_COLUMNS - 1) + wide
    tall, pitch = (box.height * inches / plot_in for inches in (_PANEL_IN, _PANEL_IN + _GAP_IN))
    for index, row in enumerate(found):
        across, down = index % _COLUMNS, index // _COLUMNS
        place = (box.x0 + across * step, box.y1 - tall - down * pitch, wide, tall)
        _panel(figure.add_axes(place), row, is_left=across == 0)
    return figure


def _hide(axes: Axes) -> None:
    """The frame carries caption and mark alone."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(False)


def _panel(axes: Axes, row: Mapping[str, Any], is_left: bool) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(GREY)
    axes.patch.set_visible(False)
    axes.set_xlim(48, 102)
    axes.set_ylim(*_heights(row))
    axes.set_xticks([50, 75, 100])
    axes.tick_params(labelsize=SMALL - 1, colors=INK, length=2)
    axes.plot([50, 100], [50, 100], color=GREY, linewidth=0.8, zorder=1)
    for found in row["bins"]:
        x, y = 100 * found["predicted"], 100 * found["observed"]
        if found["low"] is not None:
            ends = [100 * found["low"], 100 * found["high"]]
            axes.plot([x, x], ends, color=row["colour"], linewidth=0.9, zorder=4)
        dot(axes, x, y, {**row, "low": found["low"]}, size=4.5)
    title = shortened(row["label"], 24)
    text(axes, 0.0, 1.04, title, axes.transAxes, va="bottom", fontsize=SMALL - 0.5)
    if is_left:
        axes.set_ylabel("proved right (%)", fontsize=SMALL - 0.5, color=INK, labelpad=2)


def _heights(row: Mapping[str, Any]) -> tuple[float, float]:
    """All dots and whiskers, and the diagonal."""
    ends = [0.5, 1.0]
    for found in row["bins"]:
        ends += [end for end in (found["observed"], found["low"], found["high"]) if end is not None]
    return 100 * min(ends) - 3, 100 * max(ends) + 3
