"""A study's results as JSON -> rows of tables, one number a cell, each with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Results = Mapping[str, Any]
SESSIONS = ("screened", "everybody")


def _estimate(name: str, found: Mapping[str, Any] | None, value: str = "value") -> dict[str, Any]:
    found = found or {}
    return {
        name: found.get(value),
        f"{name}_low": found.get("low"),
        f"{name}_high": found.get("high"),
        f"{name}_interval": found.get("method") or found.get("reason"),
    }


def share_rows(told: Results) -> list[dict[str, Any]]:
    """One row a choice of sessions, rate and codec."""
    labels = _labels(told)
    return [
        {
            "sessions": sessions,
            "rate_bpp": rate["rate_bpp"],
            "codec": row["codec"],
            "label": labels[row["codec"]],
            "mean_bpp": row["mean_bpp"],
            **{name: row[name] for name in _COUNTS},
            **_estimate("share", row["share"]),
            "wilson_low_assuming_independence": row["wilson_assuming_independence"]["low"],
            "wilson_high_assuming_independence": row["wilson_assuming_independence"]["high"],
            **_estimate("place_log_odds", row["place"]),
            **_estimate("place_jnd", row["place_jnd"]),
            "is_closest": int(row["codec"] in rate["closest"]["codecs"]),
            "is_tied_for_closest": int(
                rate["closest"]["is_tied"] and row["codec"] in rate["closest"]["codecs"]
            ),
        }
        for sessions in SESSIONS
        for rate in told[sessions]["rates"]
        for row in rate["codecs"]
    ]


_COUNTS = ("n_judgments", "n_observers", "n_won", "n_lost", "n_tied")


def pair_rows(told: Results) -> list[dict[str, Any]]:
    """One row a choice of sessions, rate and pair of codecs."""
    return [
        {
            "sessions": sessions,
            "rate_bpp": rate["rate_bpp"],
            **{name: pair[name] for name in ("first", "second", "n_judgments", "n_observers")},
            **{name: pair[name] for name in ("n_first", "n_second", "n_tied")},
            **_estimate("share_first", pair["share_first"]),
            **_estimate("difference_jnd", pair["difference_jnd"]),
            "p_value": pair["p_value"],
            "p_adjusted": pair["p_adjusted"],
            "test": rate["test"],
            "correction": rate["correction"],
            "is_different": int(pair["is_different"]),
        }
        for sessions in SESSIONS
        for rate in told[sessions]["rates"]
        for pair in rate["pairs"]
    ]


def metric_rows(told: Results) -> list[dict[str, Any]]:
    """One row a choice of sessions, cell and metric, or figure of people (each other, oracle)."""
    labels = {metric["name"]: metric["label"] for metric in told["metrics"]["metrics"]}
    return [
        {"sessions": sessions, **_cell(cell), **row}
        for sessions, cells in (("screened", "cells"), ("everybody", "everybody_cells"))
        for cell in told["metrics"][cells]
        for row in _judged(cell, labels)
    ]


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    first, second = cell["pair"] or ("", "")
    return {
        "rate_bpp": "all" if cell["rate_bpp"] is None else cell["rate_bpp"],
        "first": first,
        "second": second,
        **{name: cell[name] for name in ("n_judgments", "n_triplets", "n_sources", "n_observers")},
    }


def _judged(cell: Mapping[str, Any], labels: Mapping[str, str]) -> Sequence[dict[str, Any]]:
    rows = [
        {
            "kind": "metric",
            "name": row["name"],
            "label": labels[row["name"]],
            **_estimate("agreement", row, "agreement"),
        }
        for row in cell["metrics"]
    ]
    people = cell["people"]
    for name, label in (("unbiased", "people with each other, unbiased"), ("oracle", "oracle")):
        found = people[name] or {"reason": people["reason"]}
        rows.append(
            {"kind": "people", "name": name, "label": label, **_estimate("agreement", found)}
        )
    return rows


def joint_rows(told: Results) -> list[dict[str, Any]]:
    """One row a choice of sessions, codec and rate of the scale over all rates."""
    return [
        {
            "sessions": sessions,
            **{name: row[name] for name in ("codec", "rate_bpp", "mean_bpp")},
            **_estimate("place_log_odds", row["place"]),
            **_estimate("place_jnd", row["place_jnd"]),
        }
        for sessions in SESSIONS
        for row in told[sessions]["joint"]["items"]
    ]


def people_rows(told: Results) -> list[dict[str, Any]]:
    """One row a choice of sessions and bin of response times, by difficulty and by place."""
    return [
        {
            "sessions": sessions,
            "by": by,
            "from": row["low"],
            "to": row["high"],
            "n_judgments": row["n"],
            "n_observers": row["n_observers"],
            **_estimate("median_ms", row["median_ms"]),
        }
        for sessions in SESSIONS
        for by, name in (
            ("distance of the share from 0.5", "by_difficulty"),
            ("trial of the session, from 0", "over_session"),
        )
        for row in told[sessions]["people"][name]
    ]


def _labels(told: Results) -> dict[str, str]:
    return {codec["name"]: codec["label"] for codec in told["study"]["codecs"]}


TABLES: dict[str, Callable[[Results], list[dict[str, Any]]]] = {
    "shares.csv": share_rows,
    "pairs.csv": pair_rows,
    "metrics.csv": metric_rows,
    "joint.csv": joint_rows,
    "people.csv": people_rows,
}
