"""A study's results on disk: results.json, tables, figures, and a manifest that names them all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from annotation import result_plots
from annotation.exporting import guarded
from codecs_eval.agreement.drawing import svg

Results = Mapping[str, Any]
MANIFEST = "manifest.json"
SESSIONS = ("screened", "everybody")
# What may be taken from a folder of results, and as what.
FILES = {
    "results.json": "application/json",
    "shares.csv": "text/csv; charset=utf-8",
    "pairs.csv": "text/csv; charset=utf-8",
    "metrics.csv": "text/csv; charset=utf-8",
    "shares.svg": "image/svg+xml",
    "scale.svg": "image/svg+xml",
    "metrics.svg": "image/svg+xml",
    MANIFEST: "application/json",
}


def file_name(name: str, *, is_simulated: bool) -> str:
    """Simulated data says so in the name of every file."""
    return f"SIMULATED-{name}" if is_simulated else name


def write_results(folder: Path, told: Results) -> None:
    """Everything is made from the JSON alone, so it can be made again."""
    texts = {"results.json": json.dumps(told, indent=1, allow_nan=False)}
    texts |= {name: _csv(rows(told), told) for name, rows in TABLES.items()}
    data = {name: text.encode() for name, text in texts.items()}
    data |= {name: svg(draw(told)) for name, draw in _figures(told).items()}
    files = {}
    for name, content in data.items():
        stored = file_name(name, is_simulated=told["is_simulated"])
        (folder / stored).write_bytes(content)
        files[stored] = hashlib.sha256(content).hexdigest()
    manifest = {
        "format": told["format"],
        "is_simulated": told["is_simulated"],
        "study": told["study"]["origin"],
        "files": files,
    }
    stored = file_name(MANIFEST, is_simulated=told["is_simulated"])
    (folder / stored).write_text(json.dumps(manifest, indent=1))


def _figures(told: Results) -> dict[str, Callable[[Results], Figure]]:
    found: dict[str, Callable[[Results], Figure]] = {}
    if told["screened"]["rates"]:
        found |= {"shares.svg": result_plots.share_figure, "scale.svg": result_plots.scale_figure}
    if any(cell["rate_bpp"] and cell["pair"] is None for cell in told["metrics"]["cells"]):
        found["metrics.svg"] = result_plots.agreement_by_rate_figure
    return found


def _csv(rows: Iterable[Mapping[str, Any]], told: Results) -> str:
    rows = [
        {"study": told["study"]["slug"], "is_simulated": int(told["is_simulated"]), **row}
        for row in rows
    ]
    buffer = io.StringIO()
    names = list(rows[0]) if rows else ["study", "is_simulated"]
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: guarded(value) for name, value in row.items()} for row in rows)
    return buffer.getvalue()


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
    """One row a cell and metric, and one for people with each other and the oracle."""
    labels = {metric["name"]: metric["label"] for metric in told["metrics"]["metrics"]}
    return [
        {**_cell(cell), **row} for cell in told["metrics"]["cells"] for row in _judged(cell, labels)
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


def _labels(told: Results) -> dict[str, str]:
    return {codec["name"]: codec["label"] for codec in told["study"]["codecs"]}


TABLES: dict[str, Callable[[Results], list[dict[str, Any]]]] = {
    "shares.csv": share_rows,
    "pairs.csv": pair_rows,
    "metrics.csv": metric_rows,
}
