"""An agreement report's JSON as its page reads it: rows, slices, and the sentence of conclusion."""

from typing import Any

PEOPLE = (
    ("unbiased", "People with each other", "unbiased"),
    ("plugin", "People, plug-in", "biased upward: what papers print; not a bound"),
    (
        "left_out",
        "Vote against the others’ majority",
        "lower bracket of the ideal observer; grows with the votes a triplet has",
    ),
    (
        "ideal",
        "Ideal observer",
        "beta-binomial estimate of the best possible score; every triplet counts the same here",
    ),
    (
        "oracle",
        "Oracle",
        "best score of any metric on these very judgments; upper bracket of the ideal observer",
    ),
)

Report = dict[str, Any]


def sorted_metrics(report: Report) -> list[dict[str, Any]]:
    """Metrics by agreement, best first."""
    return sorted(report["metrics"], key=lambda row: -row["agreement"])


def people_rows(report: Report) -> list[dict[str, Any]]:
    """One row an estimate; those that cannot be made carry the reason instead of a number."""
    people = report["people"]
    who = "Simulated observers" if report["is_simulated"] else "People"
    rows = []
    for name, label, remark in PEOPLE:
        if name in people:
            found = people[name] or {}
            reason = "" if found else people["reason"]
            if found and people["reason"]:
                remark = f"{remark}; {people['reason']}"
            if name == "ideal" and found:
                remark += bracket(people)
            remark += _other_method(report, found)
            facts = {"name": name, "label": label.replace("People", who), "remark": remark}
            rows.append({**found, **facts, "refusal": reason})
    return rows


def _other_method(report: Report, found: dict[str, Any]) -> str:
    """Named where an interval was made otherwise than those of the metrics."""
    method = found.get("method")
    if not method or method in {row["method"] for row in report["metrics"]}:
        return ""
    return f"; interval: {method}"


def bracket(people: dict[str, Any]) -> str:
    """Between what the ideal observer lies, but for chance; nothing in an older report."""
    low, high = people.get("left_out"), people.get("oracle")
    if not low or not high:
        return ""
    return f"; bracketed by {100 * low['value']:.1f} and {100 * high['value']:.1f}"


def interval_words(report: Report) -> str:
    """How the intervals of the main table were made; few sources get another method than many."""
    methods = sorted({row["method"] for row in report["metrics"] if row["method"]})
    if not methods:
        return "none, for that takes at least two sources"
    said = f"{100 * report['intervals']['level']:g} %, {' or '.join(methods)}"
    if not any("bootstrap" in method for method in methods):
        return said
    made = report["intervals"]
    return f"{said}, {made['resamples']} resamples, seed {made['seed']}"


def reference_label(report: Report) -> str:
    """The metric that the others are compared with, by its label; empty for every pair."""
    if report["differences"] is None:
        return ""
    name = report["differences"]["reference"]
    return next((row["label"] for row in report["metrics"] if row["name"] == name), "")


def probabilities(report: Report) -> list[dict[str, Any]]:
    """Calibration by likelihood, best first; an older report has none."""
    found = report.get("calibration")
    if not found:
        return []
    rows = sorted(found["metrics"], key=lambda row: row["nll"]["value"])
    return [{**row, "head_words": found["heads"][row["head"]]} for row in rows]


def probability_heads(report: Report) -> list[str]:
    """Where the probabilities of the table come from, each said once."""
    return sorted({row["head_words"] for row in probabilities(report)})


def slices(report: Report) -> list[dict[str, Any]]:
    """Slices in groups of one kind, each with its metrics in the order of the main table."""
    order = [row["name"] for row in sorted_metrics(report)]
    groups: dict[str, dict[str, Any]] = {}
    for found in report["slices"]:
        group = groups.setdefault(found["by"], {"by": found["by"], "rows": [], "notes": []})
        by_name = {row["name"]: row for row in found["metrics"]}
        group["rows"].append({**found, "cells": [by_name[name] for name in order]})
        if found["note"] and found["note"] not in group["notes"]:
            group["notes"].append(found["note"])
    return list(groups.values())
