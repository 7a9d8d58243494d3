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
    ("ideal", "Ideal observer", "beta-binomial estimate of the best possible score"),
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


def conclusion(report: Report) -> str:
    """What the numbers say, and no more: the leader, who cannot be told from it, and people."""
    rows = sorted_metrics(report)
    if not rows:
        return _about_people(report)
    first = rows[0]
    who = "simulated observers" if report["is_simulated"] else "people"
    said = f"{first['label']} agrees with {who} most often here: {_share(first)}."
    rivals = _paired(report, first, rows[1:]) or _rivals(first, rows[1:])
    sentences = (said, rivals, _about_people(report))
    return " ".join(sentence for sentence in sentences if sentence)


def _share(row: dict[str, Any]) -> str:
    number = f"{100 * row['agreement']:.1f} %"
    if row["low"] is None:
        return f"{number} (no interval: {row['reason'] or 'too few sources'})"
    return f"{number} (95 % interval {100 * row['low']:.1f} to {100 * row['high']:.1f})"


def _paired(report: Report, first: dict[str, Any], others: list[dict[str, Any]]) -> str:
    """What the paired comparisons say of the leader; nothing where they leave out one of them."""
    found = report["differences"] or {}
    if not others or not found.get("correction"):
        return ""
    is_different = {
        ({row["name"], row["against"]} - {first["name"]}).pop(): row["is_different"]
        for row in found["rows"]
        if first["name"] in (row["name"], row["against"])
    }
    if any(is_different.get(row["name"]) is None for row in others):
        return ""
    near = [row["label"] for row in others if not is_different[row["name"]]]
    allowed = f"{1 - found['level']:.2g}"
    if not near:
        return f"In pairs it differs from every other (adjusted p below {allowed})."
    if len(near) == len(others):
        return "In pairs it differs from no other: their order is not settled."
    return f"In pairs it is not told from {_listed(near)}; it differs from the others (adjusted p)."


def _rivals(first: dict[str, Any], others: list[dict[str, Any]]) -> str:
    if not others:
        return ""
    if first["low"] is None or any(row["high"] is None for row in others):
        return "Without intervals nothing tells the metrics apart."
    near = [row["label"] for row in others if row["high"] >= first["low"]]
    if not near:
        return "Its interval lies above those of all the others."
    if len(near) == len(others):
        return "Its interval meets that of every other metric: their order is not settled."
    return f"Its interval meets that of {_listed(near)}: the order among these is not settled."


def _about_people(report: Report) -> str:
    people = report["people"]
    who = "Simulated observers" if report["is_simulated"] else "People"
    if people["unbiased"] is None:
        return f"How far {who.lower()} agree with each other is not estimable: {people['reason']}."
    value = 100 * people["unbiased"]["value"]
    said = f"{who} agree with each other in {value:.1f} % of the cases (unbiased)"
    if people["oracle"] is None or people["n_qualifying"] < people["n_triplets"]:
        # An oracle of some triplets bounds nothing that is scored on all of them.
        return f"{said}{_on_some(people)}."
    return (
        f"{said}; on these judgments "
        f"no metric could score above {100 * people['oracle']['value']:.1f} %."
    )


def _on_some(people: Report) -> str:
    return f", {people['reason']}" if people["reason"] else ""


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
