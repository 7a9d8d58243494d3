"""The desk's own figures: rate against distortion, and a run's curves. Values in, figures out."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from codecs_eval.codecs.table import CodecEntry

INK = "#1a1a1a"
GREY = "#767676"
STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def rate_distortion(
    cells: Sequence[dict[str, Any]], title: str, entries: Mapping[str, CodecEntry]
) -> Figure:
    """Mean PSNR (dB) over mean rate (bpp, log): full marks where every photo hit its rate.

    `entries`: how each codec is drawn, by its name.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 5.2), layout="constrained")
        axes = figure.add_subplot()
        ends = []
        for name, entry in entries.items():
            found = [c for c in cells if c["codec"] == name and c["psnr_mean_db"] is not None]
            if not found:
                continue
            rates = [cell["bpp_mean"] for cell in found]
            values = [cell["psnr_mean_db"] for cell in found]
            axes.plot(rates, values, color=entry.colour, linewidth=1, alpha=0.6, zorder=1)
            for cell, x, y in zip(found, rates, values, strict=True):
                is_full = cell["hit"] == cell["n"]
                face = entry.colour if is_full else "white"
                axes.plot(
                    x, y, entry.marker, color=entry.colour, markerfacecolor=face,
                    markeredgecolor=INK if entry.colour == "#F0E442" else entry.colour,
                    markeredgewidth=0.6 if is_full else 1.2, markersize=7, zorder=2,
                )  # fmt: skip
            last = max(range(len(rates)), key=lambda i: rates[i])
            ends.append((values[last], rates[last], entry))
        _finish_rate_axis(axes, [cell["bpp_mean"] for cell in cells])
        axes.set_ylabel("mean PSNR (RGB), dB")
        axes.set_title(title, loc="left", fontsize=10, color=INK)
        _direct_labels(axes, ends)
    return figure


def measured_rates(measured: Sequence[dict[str, Any]], title: str) -> Figure:
    """Mean PSNR (dB) over mean rate of a codec in training: {"step", "bpp", "psnr_db"} each."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 4.6), layout="constrained")
        axes = figure.add_subplot()
        for index, row in enumerate(measured):
            is_newest = index == len(measured) - 1
            axes.plot(
                row["bpp"], row["psnr_db"], "o-", markersize=7 if is_newest else 4,
                color=INK if is_newest else GREY, alpha=1 if is_newest else 0.4,
                linewidth=1.4 if is_newest else 0.8,
            )  # fmt: skip
        newest = measured[-1]
        axes.annotate(
            f"step {newest['step']}", (newest["bpp"][-1], newest["psnr_db"][-1]),
            xytext=(8, 0), textcoords="offset points", va="center", color=INK,
        )  # fmt: skip
        _finish_rate_axis(axes, [rate for row in measured for rate in row["bpp"]])
        axes.set_ylabel("mean PSNR (RGB), dB")
        axes.set_title(title, loc="left", fontsize=10, color=INK)
    return figure


def _finish_rate_axis(axes: Any, rates: Sequence[float]) -> None:
    axes.set_xscale("log")
    axes.set_xlabel("rate of the whole file, bits per pixel (log)")
    low, high = min(rates), max(rates)
    axes.set_xlim(low / 1.15, high * 1.5)
    ticks = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20)
    shown = [t for t in ticks if low / 1.15 <= t <= high * 1.2]
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in shown]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)


def _direct_labels(axes: Any, ends: list[tuple[float, float, Any]]) -> None:
    """Each codec's name at the end of its line, moved apart where two would overlap."""
    if not ends:
        return
    low, high = axes.get_ylim()
    step = (high - low) * 0.042
    x = max(rate for _, rate, _ in ends) * 1.06
    placed = -math.inf
    for y, rate, entry in sorted(ends, key=lambda end: end[0]):
        placed = max(y, placed + step)
        axes.annotate(
            entry.label, (rate, y), (x, placed), va="center", fontsize=9, color=INK,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkB": 4},
        )  # fmt: skip
    axes.set_ylim(low, max(high, placed + step))


def curves(series: dict[str, list[tuple[int, float]]], title: str) -> Figure:
    """One small plot a curve, by step; its last value is written beside it."""
    with matplotlib.rc_context(STYLE):
        n_rows = max(1, len(series))
        figure = Figure(figsize=(9, 0.6 + 2.4 * n_rows), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, color=INK)
        for row, (name, points) in enumerate(series.items(), start=1):
            axes = figure.add_subplot(n_rows, 1, row)
            # Shares are read in per cent, as everywhere on the desk.
            is_share = "agreement" in name
            steps = [step for step, _ in points]
            values = [100 * value if is_share else value for _, value in points]
            mark = "o" if len(points) <= 60 else ""
            axes.plot(steps, values, marker=mark, markersize=3, linewidth=1, color="#0072B2")
            axes.annotate(
                f" {values[-1]:.4g}", (steps[-1], values[-1]), va="center", color=INK, fontsize=9
            )
            axes.set_ylabel(name.replace("_", " ") + (", %" if is_share else ""))
            axes.margins(x=0.06)
            axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)
        figure.axes[-1].set_xlabel("step") if series else None
    return figure
