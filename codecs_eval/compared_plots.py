"""The curves of several runs in one figure: a plot a name, a colour and a mark a run."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from codecs_eval.desk_plots import INK, STYLE

# Okabe and Ito's colours, each with a mark of its own: print and colour-blind eyes need both.
MARKS = (
    ("#0072B2", "o"),
    ("#D55E00", "s"),
    ("#009E73", "D"),
    ("#CC79A7", "^"),
    ("#E69F00", "v"),
    ("#56B4E9", "P"),
)
_MOST_MARKS = 60


@dataclass(frozen=True)
class Compared:
    """A run's curves: name -> (step, value); shares of agreement are in 0..1."""

    label: str
    is_simulated: bool
    points: dict[str, list[tuple[int, float]]]


def compared_curves(runs: Sequence[Compared]) -> Figure:
    """One plot for each name that any run has; the last value stands beside each line."""
    names = list(dict.fromkeys(name for run in runs for name in run.points))
    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]
        n_rows = max(1, len(names))
        figure = Figure(figsize=(9, 0.4 + 0.22 * len(runs) + 2.8 * n_rows), layout="constrained")
        for row, name in enumerate(names, start=1):
            axes = figure.add_subplot(n_rows, 1, row)
            _draw(axes, name, runs)
        if names:
            figure.axes[-1].set_xlabel("step")
            figure.legend(
                handles=_legend_lines(runs), loc="outside upper left", frameon=False, fontsize=9
            )
    return figure


def _draw(axes: Axes, name: str, runs: Sequence[Compared]) -> None:
    # Shares are read in per cent, as everywhere on the desk.
    is_share = "agreement" in name
    for run, (colour, marker) in zip(runs, MARKS, strict=False):
        points = run.points.get(name)
        if not points:
            continue
        steps = [step for step, _ in points]
        values = [100 * value if is_share else value for _, value in points]
        mark = marker if len(points) <= _MOST_MARKS else ""
        axes.plot(steps, values, marker=mark, markersize=3.5, linewidth=1, color=colour)
        axes.plot(steps[-1], values[-1], marker, color=colour, markersize=5)
        axes.annotate(
            f"  {run.label[0]} {values[-1]:.4g}",
            (steps[-1], values[-1]),
            va="center",
            color=INK,
            fontsize=9,
        )
    axes.set_ylabel(name.replace("_", " ") + (", %" if is_share else ""))
    axes.margins(x=0.08)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)


def _legend_lines(runs: Sequence[Compared]) -> list[Line2D]:
    return [
        Line2D(
            [],
            [],
            color=colour,
            marker=marker,
            linewidth=1,
            label=run.label + (" — SIMULATED judgments" if run.is_simulated else ""),
        )
        for run, (colour, marker) in zip(runs, MARKS, strict=False)
    ]
