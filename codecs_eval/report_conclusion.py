"""The conclusion of an agreement report, from its JSON: what the numbers say, and no more."""

from typing import Any

from codecs_eval.report_pages import Report, sorted_metrics


def conclusion(report: Report) -> str:
    """The leader, who cannot be told from it, each training beside what it began from, people."""
    rows = sorted_metrics(report)
    if not rows:
        return _about_people(report)
    first = rows[0]
    who = "simulated observers" if report["is_simulated"] else "people"
    said = f"{first['label']} agrees with {who} most often here: {_share(first)}."
    rivals = _paired(report, first, rows[1:]) or _rivals(first, rows[1:])
    sentences = (_begun(said), rivals, *_trained(report), _about_people(report))
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


def _trained(report: Report) -> list[str]:
    """Each training beside its baselines: the untouched backbone; combined, itself alone."""
    labels = {row["name"]: row["label"] for row in report["metrics"]}
    found = report["differences"] or {"rows": []}
    # An older report names no baselines, and its rows no metric that they are against.
    pairs = {frozenset((row["name"], row.get("against"))): row for row in found["rows"]}
    sentences = []
    for row in report["metrics"]:
        for base in row.get("baselines", ()):
            compared = pairs.get(frozenset((row["name"], base)))
            if compared is not None:
                is_turned = compared["name"] == base
                sentences.append(_against(row["label"], labels[base], compared, is_turned))
    return sentences


def _against(label: str, base: str, found: dict[str, Any], is_turned: bool) -> str:
    sign = -100 if is_turned else 100
    difference, verb = sign * found["difference"], "is not told from"
    if found["is_different"]:
        verb = "agrees more often than" if difference > 0 else "agrees less often than"
    said = f"{difference:+.1f} points"
    if found["low"] is None:
        return _begun(f"{label} {verb} {base}: {said} (no interval: {found['reason']}).")
    low, high = sorted((sign * found["low"], sign * found["high"]))
    interval = f"95 % interval {low:+.1f} to {high:+.1f}"
    return _begun(
        f"{label} {verb} {base}: {said} ({interval}, adjusted p {found['p_adjusted']:.2g})."
    )


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


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
