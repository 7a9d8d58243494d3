"""What plots over the rate share: the axis, and names at the ends of their lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from codecs_eval.agreement.captions import shortened
from codecs_eval.agreement.drawing import INK, SMALL, text


def rate_axis(axes: Axes, labels: Mapping[float, str]) -> None:
    """A log axis with a tick and its label at each rate (bpp)."""
    axes.set_xscale("log")
    axes.set_xlim(min(labels) / 1.2, max(labels) * 1.2)
    axes.set_xticks(list(labels))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: labels.get(value, "")))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("rate (bpp, log scale)", fontsize=SMALL, color=INK, labelpad=1)


def end_labels(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Direct labels right of the plot, moved apart where they would cover each other."""
    low, high = axes.get_ylim()
    left, right = axes.get_xlim()
    gap = 0.056 * (high - low)
    ordered = sorted(ends, key=lambda end: end[1])
    places: list[float] = []
    for _, value, _, _ in ordered:
        places.append(max(value, places[-1] + gap if places else low + gap / 2))
    ceiling = high - gap / 2
    for index in reversed(range(len(places))):
        places[index] = min(places[index], ceiling)
        ceiling = places[index] - gap
    frame = axes.get_yaxis_transform()
    for place, (rate, value, label, colour) in zip(places, ordered, strict=True):
        start = float(np.log(rate / left) / np.log(right / left))
        look: dict[str, Any] = {"color": colour, "linewidth": 0.6, "linestyle": (0, (1, 2))}
        axes.plot(
            [start, 1.0, 1.025], [value, place, place], transform=frame, clip_on=False, **look
        )
        style = {"va": "center", "color": colour, "fontsize": SMALL}
        text(axes, 1.032, place, shortened(label, 34), frame, **style)
