"""What a folder of judgments is, for people: Datasheets for Datasets (Gebru et al. 2021).

Questions stand in the paper's order. What nobody recorded is said, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

NOT_RECORDED = "Not recorded. Whoever publishes this has to say it."

# Section -> key -> question, shortened from the paper's.
QUESTIONS: dict[str, dict[str, str]] = {
    "Motivation": {
        "purpose": "For what purpose was it created?",
        "creator": "Who created it, and on whose behalf?",
        "funding": "Who paid for it?",
    },
    "Composition": {
        "instances": "What do the instances represent?",
        "counts": "How many instances are there?",
        "sample": "Is it everything, or a sample of a larger set?",
        "raw": "What does each instance consist of?",
        "labels": "Is there a label or target?",
        "missing": "Is anything missing from instances?",
        "splits": "Are there recommended splits?",
        "noise": "Are there errors, noise, or redundancies?",
        "contained": "Is it self-contained?",
        "personal": "Does it identify people?",
    },
    "Collection process": {
        "asked": "How was the data acquired: what were people asked, and how?",
        "viewing": "Under which viewing conditions?",
        "who": "Who took part, how were they found, and how were they paid?",
        "when": "Over what time was it collected?",
        "ethics": "Was there an ethical review?",
        "consent": "Did people consent, and could they revoke it?",
    },
    "Preprocessing, cleaning, labelling": {
        "cleaning": "What was done to the data?",
        "rawkept": "Is the raw data kept?",
    },
    "Uses": {
        "used": "For what can it be used?",
        "unfit": "For what should it not be used?",
    },
    "Distribution": {
        "licence": "Under which licence?",
        "attribution": "Who has to be named?",
        "files": "Which files are there?",
    },
    "Maintenance": {
        "maintainer": "Who maintains it, and how can they be reached?",
        "updates": "Will it be updated?",
        "version": "Which version is this?",
    },
}


def datasheet(title: str, warning: str, answers: Mapping[str, str]) -> str:
    """Markdown with every question; ValueError for an answer to a question that nobody asks.

    warning: stands above everything, "" for none (simulated answers, a dry run).
    """
    asked = {key for section in QUESTIONS.values() for key in section}
    unknown = sorted(set(answers) - asked)
    if unknown:
        raise ValueError(f"answers {unknown}, expected some of {sorted(asked)}")
    lines = [f"# Datasheet: {one_line(title)}", ""]
    if warning:
        lines += [f"**{warning}**", ""]
    lines += ["After Gebru et al., Datasheets for Datasets, CACM 64 (12), 2021.", ""]
    for section, questions in QUESTIONS.items():
        lines += [f"## {section}", ""]
        for key, question in questions.items():
            lines += [f"### {question}", "", answers.get(key) or NOT_RECORDED, ""]
    return "\n".join(lines)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; cells keep to one line."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(one_line(str(cell)) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def one_line(text: str) -> str:
    """Text of people inside Markdown: no line of its own, no table cell, no markup."""
    plain = " ".join(text.split())
    for mark in ("\\", "|", "<", ">", "*", "_", "`", "#", "[", "]"):
        plain = plain.replace(mark, f"\\{mark}" if mark not in "<>" else f"&{_ANGLES[mark]};")
    return plain


_ANGLES = {"<": "lt", ">": "gt"}
