"""A downstream report's JSON -> CSV and Markdown. Shares in CSV, per cent in Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from codecs_eval.downstream.told import KINDS, agreement_of

Report = Mapping[str, Any]

_CELL = (
    "codec", "label", "target_bpp", "n", "hit", "nearest", "unreachable", "bpp_mean", "miss_worst",
)  # fmt: skip
_PHOTO = (
    "photo", "is_jpeg_born", "codec", "target_bpp", "bpp", "state",
)  # fmt: skip
_OF_PHOTO = ("n_right", "n_missed", "n_false", "f1")
_BD = (
    "codec", "label", "against", "percent", "low", "high", "overlap", "n_points_anchor",
    "n_points", "status", "interval_status",
)  # fmt: skip


def table_csv(report: Report) -> str:
    """One row a codec and rate, the uncompressed one first."""
    columns = list(_CELL)
    for kind in report["kinds"]:
        for name in (*KINDS[kind].numbers, "difference"):
            columns += [f"{kind}_{name}"]
            if name in (*KINDS[kind].with_ends, "difference"):
                columns += [f"{kind}_{name}_low", f"{kind}_{name}_high"]
    same = agreement_of(report["task"])
    columns += [same.column, f"{same.column}_low", f"{same.column}_high", same.beside]
    rows = [{"codec": "uncompressed", "n": report["n_photos"], **_flat(report["uncompressed"])}]
    for cell in report["cells"]:
        row = {name: cell[name] for name in _CELL}
        agreement = cell["agreement"] or {}
        row |= {same.column: agreement.get("value"), same.beside: cell[same.beside]}
        row |= {f"{same.column}_{end}": agreement.get(end) for end in ("low", "high")}
        rows.append({**row, **_flat({kind: cell[kind] for kind in report["kinds"]})})
    return _csv(columns, rows)


def bd_rates_csv(report: Report) -> str:
    rows = [
        {**row, "n_points_anchor": row["n_points"][0], "n_points": row["n_points"][1]}
        for row in report["bd_rates"]
    ]
    return _csv(_BD, rows)


def photos_csv(rows: Sequence[Mapping[str, Any]], task: str) -> str:
    """One row a photo and codec and rate."""
    told = ("miou", agreement_of(task).by_photo) if task == "semantic" else _OF_PHOTO
    return _csv((*_PHOTO, *told), rows)


def markdown(report: Report) -> str:
    """The main table: AP (IoU of class maps) in per cent with its interval, its loss in points."""
    by_truth = bool(report["kinds"])
    head = ["Codec", "Target, bpp", "Rate, bpp", "Not hit"]
    for kind in report["kinds"]:
        shown = [words for _, words in KINDS[kind].shown]
        head += [KINDS[kind].label, "interval", *shown, "loss", "interval"]
    head += [f"{agreement_of(report['task']).label} with uncompressed"]
    lines = [_row(head), _row([":--", *["--:"] * (len(head) - 1)])]
    if by_truth:
        told = ["uncompressed", "", "", ""]
        for kind in report["kinds"]:
            told += [*_cells(kind, report["uncompressed"][kind]), "", ""]
        lines.append(_row([*told, ""]))
    for cell in report["cells"]:
        missed = cell["n"] - cell["hit"]
        told = [cell["label"], f"{cell['target_bpp']:g}", f"{cell['bpp_mean']:.3f}", str(missed)]
        for kind in report["kinds"]:
            gap = cell[kind]["difference"]
            told += [*_cells(kind, cell[kind]), f"{100 * gap['value']:+.1f}", _ends(gap, "+.1f")]
        value = (cell["agreement"] or {}).get("value")
        lines.append(_row([*told, _percent(value)]))
    return "\n".join(lines) + "\n"


def _cells(kind: str, scores: Mapping[str, Any]) -> Iterator[str]:
    main = scores[KINDS[kind].main]
    yield _percent(main["value"])
    yield _ends(main)
    for name, _ in KINDS[kind].shown:
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
