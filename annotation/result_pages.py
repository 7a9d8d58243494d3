"""A study's results as JSON -> the rows that its page shows, as screened and with everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotation.models import Judgment, Study
from annotation.result_files import FILES, file_name
from annotation.running_results import newest_results, results_of, since

Results = Mapping[str, Any]
FIGURES = {
    "anchor.svg": "pairs.csv",
    "shares.svg": "shares.csv",
    "scale.svg": "shares.csv",
    "joint.svg": "joint.csv",
    "metrics.svg": "metrics.csv",
    "difficulty.svg": "people.csv",
    "session.svg": "people.csv",
}


def results_page(study: Study, against: str = "") -> dict[str, Any]:
    """What the tab of results shows; without results, whether there is anything to compute.

    `against`: the codec that the others are compared with; the results' own where it is none.
    """
    last = results_of(study).first()
    active = last if last is not None and last.is_active else None
    run = newest_results(study)
    page: dict[str, Any] = {
        "run": run,
        "active": active,
        "failed": last if last is not None and not active and last != run else None,
    }
    if run is None:
        has_answers = Judgment.objects.of_study(study).counted().exists()
        return {**page, "has_answers": has_answers}
    told = run.result
    stored = [
        name
        for name in FILES
        if (run.folder / file_name(name, is_simulated=study.is_simulated)).is_file()
    ]
    return {
        **page,
        "told": told,
        "since": since(study, told),
        "is_same": not told["excluded"],
        "codecs": {codec["name"]: codec for codec in told["study"]["codecs"]},
        "rates": rate_rows(told),
        "anchor": anchor_rows(told, against),
        "reasons": reasons_without_interval(told),
        "metric_rates": metric_cells(told, has_pair=False),
        "metric_pairs": metric_cells(told, has_pair=True),
        "files": stored,
        "figures": [name for name in FIGURES if name in stored],
    }


def rate_rows(told: Results) -> list[dict[str, Any]]:
    """Each rate with its codecs and pairs, both choices of sessions beside each other."""
    screened = {rate["rate_bpp"]: rate for rate in told["screened"]["rates"]}
    rows = []
    for everybody in told["everybody"]["rates"]:
        own = screened.get(everybody["rate_bpp"])
        rows.append(
            {
                "rate_bpp": everybody["rate_bpp"],
                "screened": own,
                "everybody": everybody,
                "codecs": _beside(own, everybody, "codecs", ("codec",), told),
                "pairs": _beside(own, everybody, "pairs", ("first", "second"), told),
                "warnings": own["warnings"] if own else ["No judgment is left after screening."],
            }
        )
    return rows


def _beside(
    own: Results | None, everybody: Results, name: str, key: tuple[str, ...], told: Results
) -> list[dict[str, Any]]:
    looks = {codec["name"]: codec for codec in told["study"]["codecs"]}
    found = {tuple(row[part] for part in key): row for row in (own or {}).get(name, [])}
    return [
        {
            "looks": [looks[row[part]] for part in key],
            "screened": found.get(tuple(row[part] for part in key)),
            "everybody": row,
        }
        for row in everybody[name]
    ]


def reasons_without_interval(told: Results) -> list[str]:
    """Why a share or a place of a rate has no interval, each reason once."""
    found = [
        row[name]["reason"]
        for choice in ("screened", "everybody")
        for rate in told[choice]["rates"]
        for row in rate["codecs"]
        for name in ("share", "place_jnd")
        if row[name]["low"] is None and row[name]["reason"]
    ]
    return list(dict.fromkeys(found))


def anchor_rows(told: Results, against: str = "") -> dict[str, Any]:
    """One codec against every other, at each rate: better, worse, or not told apart."""
    names = [codec["name"] for codec in told["study"]["codecs"]]
    anchor = against if against in names else told["study"]["anchor"]
    others = [codec for codec in told["study"]["codecs"] if codec["name"] != anchor]
    rows = []
    for choice, words in (("screened", "as screened"), ("everybody", "with everybody")):
        if choice == "everybody" and not told["excluded"]:
            continue
        for rate in told[choice]["rates"]:
            cells = [_against(rate, anchor, other["name"]) for other in others]
            outcomes = [cell["outcome"] for cell in cells if cell]
            rows.append(
                {
                    "rate_bpp": rate["rate_bpp"],
                    "choice": choice,
                    "words": words,
                    "cells": cells,
                    "n_better": outcomes.count("better"),
                    "n_worse": outcomes.count("worse"),
                    "n_even": outcomes.count("not told apart"),
                }
            )
    rows.sort(key=lambda row: row["rate_bpp"])
    look = next(codec for codec in told["study"]["codecs"] if codec["name"] == anchor)
    return {"look": look, "others": others, "rows": rows}


def _against(rate: Results, anchor: str, other: str) -> dict[str, Any] | None:
    """None where nobody compared the two at this rate."""
    for pair in rate["pairs"]:
        if {pair["first"], pair["second"]} == {anchor, other} and pair["n_judgments"]:
            is_first = pair["first"] == anchor
            sides = ("n_first", "n_second") if is_first else ("n_second", "n_first")
            share = pair["share_first"]["value"]
            share = share if is_first else 1 - share
            better = "better" if share > 0.5 else "worse"
            return {
                "codec": other,
                "pair": f"{pair['first']},{pair['second']}",
                "n_won": pair[sides[0]],
                "n_lost": pair[sides[1]],
                "n_tied": pair["n_tied"],
                "share": share,
                "p_adjusted": pair["p_adjusted"],
                "outcome": better if pair["is_different"] else "not told apart",
            }
    return None


def metric_cells(told: Results, *, has_pair: bool) -> list[dict[str, Any]]:
    """Rates (all first), or rates and pairs: as screened, and below it with everybody.

    Each metric is in the order of the table's columns.
    """
    looks = {codec["name"]: codec for codec in told["study"]["codecs"]}
    found = told["metrics"]
    choices = [("as screened", found["cells"])]
    if told["excluded"]:
        choices.append(("with everybody", found["everybody_cells"]))
    rows = [
        {**cell, "words": words, "looks": [looks[codec] for codec in cell["pair"] or []]}
        for words, cells in choices
        for cell in cells
        if bool(cell["pair"]) == has_pair
    ]
    order = list(dict.fromkeys(_place(cell) for cell in rows))
    return sorted(rows, key=lambda cell: order.index(_place(cell)))


def _place(cell: Results) -> tuple[Any, ...]:
    return (cell["rate_bpp"], *(cell["pair"] or []))
