"""A downstream report's JSON -> CSV and Markdown. Shares in CSV, per cent in Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Report = Mapping[str, Any]

_CELL = (
    "codec", "label", "target_bpp", "n", "hit", "nearest", "unreachable", "bpp_mean", "miss_worst",
)  # fmt: skip
_NUMBERS = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "difference")
_WITH_ENDS = ("ap", "ap50", "difference")
_PHOTO = (
    "photo", "is_jpeg_born", "codec", "target_bpp", "bpp", "state", "n_right", "n_missed",
    "n_false", "f1",
)  # fmt: skip
_BD = (
    "codec", "label", "against", "percent", "low", "high", "overlap", "n_points_anchor",
    "n_points", "status", "interval_status",
)  # fmt: skip


def table_csv(report: Report) -> str:
    """One row a codec and rate, the uncompressed one first."""
    columns = list(_CELL)
    for kind in report["kinds"]:
        for name in _NUMBERS:
            columns += [f"{kind}_{name}"]
            if name in _WITH_ENDS:
                columns += [f"{kind}_{name}_low", f"{kind}_{name}_high"]
    columns += ["agreement", "agreement_low", "agreement_high", "recall"]
    rows = [{"codec": "uncompressed", "n": report["n_photos"], **_flat(report["uncompressed"])}]
    for cell in report["cells"]:
        row = {name: cell[name] for name in _CELL}
        agreement = cell["agreement"] or {}
        row |= {"agreement": agreement.get("value"), "recall": cell["recall"]}
        row |= {f"agreement_{end}": agreement.get(end) for end in ("low", "high")}
        rows.append({**row, **_flat({kind: cell[kind] for kind in report["kinds"]})})
    return _csv(columns, rows)


def bd_rates_csv(report: Report) -> str:
    rows = [
        {**row, "n_points_anchor": row["n_points"][0], "n_points": row["n_points"][1]}
        for row in report["bd_rates"]
    ]
    return _csv(_BD, rows)


def photos_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """One row a photo and codec and rate."""
    return _csv(_PHOTO, rows)


def markdown(report: Report) -> str:
    """The main table: AP in per cent with its interval, and its loss in points."""
    by_truth = bool(report["kinds"])
    head = ["Codec", "Target, bpp", "Rate, bpp", "Not hit"]
    for kind in report["kinds"]:
        head += [f"{kind} AP", "interval", "AP50", "small", "medium", "large", "loss", "interval"]
    head += ["F1 with uncompressed"]
    lines = [_row(head), _row([":--", *["--:"] * (len(head) - 1)])]
    if by_truth:
        told = ["uncompressed", "", "", ""]
        for kind in report["kinds"]:
            told += [*_ap_cells(report["uncompressed"][kind]), "", ""]
        lines.append(_row([*told, ""]))
    for cell in report["cells"]:
        missed = cell["n"] - cell["hit"]
        told = [cell["label"], f"{cell['target_bpp']:g}", f"{cell['bpp_mean']:.3f}", str(missed)]
        for kind in report["kinds"]:
            gap = cell[kind]["difference"]
            told += [*_ap_cells(cell[kind]), f"{100 * gap['value']:+.1f}", _ends(gap, "+.1f")]
        value = (cell["agreement"] or {}).get("value")
        lines.append(_row([*told, _percent(value)]))
    return "\n".join(lines) + "\n"


def _ap_cells(scores: Mapping[str, Any]) -> Iterator[str]:
    yield _percent(scores["ap"]["value"])
    yield _ends(scores["ap"])
    for name in ("ap50", "ap_small", "ap_medium", "ap_large"):
        yield _percent(scores[name]["value"])


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _ends(found: Mapping[str, Any], form: str = ".1f") -> str:
    if found["low"] is None:
        return "none"
    return f"{100 * found['low']:{form}} to {100 * found['high']:{form}}"


def _flat(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    flat = {}
    for kind, numbers in scores.items():
        for name, found in numbers.items():
            flat[f"{kind}_{name}"] = found["value"]
            for end in ("low", "high"):
                if end in found:
                    flat[f"{kind}_{name}_{end}"] = found[end]
    return flat


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
