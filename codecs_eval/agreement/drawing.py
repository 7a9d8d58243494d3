"""What every figure of a report shares: size, caption, the mark of simulated data, its bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#1a1a1a"
GREY = "#767676"
WIDTH_IN = 7.2
SMALL, NORMAL = 8.0, 9.0

_FOOT_IN = 0.62
_CAPTION_LINE_IN = 0.15

Report = Mapping[str, Any]


def svg(figure: Figure) -> bytes:
    """The figure as SVG, byte-identical for the same report: no date, ids from a fixed salt."""
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "triad", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def png(figure: Figure, dpi: int = 200) -> bytes:
    """The figure as PNG, for where SVG cannot go."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def captioned_figure(
    report: Report,
    across: tuple[float, float],
    head_in: float,
    plot_in: float,
    caption: Sequence[str],
) -> tuple[Figure, Axes]:
    """An empty plot with its caption and, where simulated, the badge; heights in inches."""
    is_simulated = report["is_simulated"]
    foot_in = _FOOT_IN + _CAPTION_LINE_IN * len(caption)
    height_in = foot_in + plot_in + head_in + (0.34 if is_simulated else 0.0)
    figure = Figure(figsize=(WIDTH_IN, height_in))
    left, width = across
    axes = figure.add_axes((left, foot_in / height_in, width, plot_in / height_in))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.patch.set_visible(False)
    axes.tick_params(labelsize=SMALL, colors=INK)
    note: dict[str, Any] = {
        "fontsize": SMALL - 0.5,
        "color": INK,
        "va": "bottom",
        "linespacing": 1.3,
    }
    figure.text(0.02, 0.07 / height_in, "\n".join(caption), parse_math=False, **note)
    if is_simulated:
        badge: dict[str, Any] = {
            "fontsize": NORMAL,
            "fontweight": "bold",
            "color": "white",
            "va": "top",
        }
        top = 1 - 0.09 / height_in
        figure.text(0.025, top, "SIMULATED", backgroundcolor=INK, **badge)
        mark: dict[str, Any] = {"fontsize": 44, "fontweight": "bold", "color": "#ececec"}
        mark |= {"ha": "center", "va": "center", "zorder": -1}
        axes.text(0.5, 0.5, "SIMULATED", transform=axes.transAxes, **mark)
    return figure, axes


def dot(axes: Axes, x: float, y: float, row: Report, size: float) -> None:
    """A filled marker with a white rim; hollow where there is no interval."""
    look = {"markerfacecolor": row["colour"], "markeredgecolor": "white", "markeredgewidth": 0.4}
    if row["low"] is None:
        look = {"markerfacecolor": "white", "markeredgecolor": row["colour"]}
    axes.plot([x], [y], marker=row["marker"], markersize=size, zorder=5, **look)


def text(axes: Axes, x: float, y: float, said: str, transform: Any, **style: Any) -> None:
    """Words at a place of the plot, never read as a formula: names come from people."""
    style = {"fontsize": NORMAL, "color": INK, **style}
    axes.text(x, y, said, transform=transform, parse_math=False, **style)
