"""An agreement report's JSON -> the tables that papers print: LaTeX, Markdown, CSV.

Every form says where the judgments are simulated. A cell is text; numbers are per cent.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

Report = Mapping[str, Any]

HEAD = ("Metric", "Agreement, %", "Interval, %", "Triplets", "Judgments", "Sources")
_PEOPLE = (
    ("unbiased", "{who} with each other (unbiased)"),
    ("plugin", "{who}, plug-in (biased up)"),
    ("left_out", "Vote against the majority of the others"),
    ("ideal", "Ideal observer (beta-binomial, by triplet)"),
    ("oracle", "Oracle of these judgments"),
)
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def latex(report: Report) -> str:
    """A `table` float with booktabs rules; needs \\usepackage{booktabs} and UTF-8."""
    people, metrics = _rows(report)
    lines = [
        "% Needs \\usepackage{booktabs}.",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_escaped(caption(report))}}}",
        "\\begin{tabular}{lrrrrr}",
        "\\toprule",
        _latex_row(HEAD),
        "\\midrule",
        *(_latex_row(row) for row in people),
        "\\midrule",
        *(_latex_row(row) for row in metrics),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    if report["is_simulated"]:
        lines.insert(0, "% SIMULATED: no person gave these answers.")
    return "\n".join(lines) + "\n"


def markdown(report: Report) -> str:
    """A table as GitHub and most others read it, its caption above."""
    people, metrics = _rows(report)
    lines = [_markdown_text(caption(report)), "", _markdown_row(HEAD)]
    lines.append(_markdown_row((":--", *["--:"] * (len(HEAD) - 1)), is_rule=True))
    lines += [_markdown_row(row) for row in (*people, *metrics)]
    return "\n".join(lines) + "\n"


def differences_csv(report: Report) -> str:
    """One row a comparison; shares, not per cent, as in report.csv."""
    found = report["differences"]
    columns = (
        "name", "label", "against", "against_label", "difference", "low", "high", "p_value",
        "p_adjusted", "is_different", "n_triplets", "n_sources", "n_raters", "method", "reason",
    )  # fmt: skip
    rows = [] if found is None else found["rows"]
    return _csv(report, columns, rows)


def calibration_csv(report: Report) -> str:
    """Per metric a row `all` with NLL and Brier score, then one a reliability bin."""
    columns = (
        "name", "label", "head", "row", "nll", "nll_low", "nll_high", "brier", "brier_low",
        "brier_high", "calibration_error", "bin_low", "bin_high", "predicted", "observed", "low",
        "high", "n_triplets", "n_judgments", "n_sources", "n_raters", "method", "reason",
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for metric in report["calibration"]["metrics"]:
        named = {key: metric[key] for key in ("name", "label", "head")}
        scores: dict[str, Any] = {"calibration_error": metric["calibration_error"]}
        for name in ("nll", "brier"):
            scores |= {name: metric[name]["value"]}
            scores |= {f"{name}_{end}": metric[name][end] for end in ("low", "high")}
        shared = ("n_triplets", "n_sources", "n_raters", "method", "reason")
        rows.append({**named, "row": "all", **scores, **{k: metric["nll"][k] for k in shared}})
        rows += [{**named, "row": "bin", **found} for found in metric["bins"]]
    return _csv(report, columns, rows)


def held_out_csv(report: Report) -> str:
    """One row a training and held-out codec or rate; shares, not per cent."""
    columns = [
        "training", "by", "label", "n_triplets", "n_judgments", "n_sources", "n_trained_on",
        "reason", "gain_p_value", "gain_p_adjusted",
    ]  # fmt: skip
    scores = ("unmet", "met", "untouched", "gain")
    ends = {f"{name}_{end}": (name, end) for name in scores for end in ("low", "high")}
    rows = []
    for training in report.get("held_out") or []:
        for found in training["rows"]:
            row = {"training": training["label"], **found}
            for name in scores:
                row[name] = None if found[name] is None else found[name]["value"]
            for column, (name, end) in ends.items():
                row[column] = None if found[name] is None else found[name][end]
            rows.append(row)
    return _csv(report, (*columns, *scores, *ends), rows)


def caption(report: Report) -> str:
    """What the table shows, of whom, and how its intervals were made."""
    counts = report["counts"]
    of = "simulated observers" if report["is_simulated"] else "people"
    made = _methods(report)
    said = (
        f"Agreement of metrics with {of}: {report['dataset']['name']}, {report['part']} sources, "
        f"{counts['sources']} sources, {counts['triplets']} triplets, "
        f"{counts['judgments']} judgments. {made}"
    )
    if report["is_simulated"]:
        return f"SIMULATED: no person gave these answers. {said}"
    return said


def _methods(report: Report) -> str:
    """How the intervals were made: those of people's own scores may be made otherwise."""
    found = [report["people"].get(name) for name, _ in _PEOPLE]
    groups = {"metrics": report["metrics"], "people": [row for row in found if row]}
    by_group = {
        name: " or ".join(sorted({row["method"] for row in rows if row["method"]}))
        for name, rows in groups.items()
    }
    said = [f"{name}: {methods}" for name, methods in by_group.items() if methods]
    if not said:
        return "No intervals."
    return f"Intervals of {100 * report['intervals']['level']:g} %; {'; '.join(said)}."


def _rows(report: Report) -> tuple[list[list[str]], list[list[str]]]:
    who = "Simulated observers" if report["is_simulated"] else "People"
    people = []
    for name, label in _PEOPLE:
        found = report["people"].get(name)
        if found:
            people.append(_cells(label.format(who=who), found["value"], found, None))
    ordered = sorted(report["metrics"], key=lambda row: (-row["agreement"], row["name"]))
    metrics = [_cells(r["label"], r["agreement"], r, r["n_judgments"]) for r in ordered]
    return people, metrics


def _cells(label: str, value: float, found: Report, n_judgments: int | None) -> list[str]:
    between = "none"
    if found["low"] is not None:
        between = f"{100 * found['low']:.1f} to {100 * found['high']:.1f}"
    counted = "" if n_judgments is None else str(n_judgments)
    counts = [str(found["n_triplets"]), counted, str(found["n_sources"])]
    return [label, f"{100 * value:.1f}", between, *counts]


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(_escaped(cell) for cell in cells) + r" \\"


def _escaped(said: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in said)


def _markdown_row(cells: Sequence[str], is_rule: bool = False) -> str:
    shown = cells if is_rule else [_markdown_text(cell) for cell in cells]
    return f"| {' | '.join(shown)} |"


def _markdown_text(said: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\|`*_<>[]$" else letter for letter in said)


def _csv(report: Report, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    every = (*columns, "is_simulated")
    writer = csv.DictWriter(buffer, every, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, "is_simulated": report["is_simulated"]})
    return buffer.getvalue()
