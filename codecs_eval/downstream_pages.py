"""A downstream report's JSON as its page reads it: rows, and the sentence of conclusion."""

from typing import Any

from codecs_eval.downstream.told import KINDS, agreement_of

Report = dict[str, Any]


def conclusion(report: Report) -> str:
    """What the numbers say, and how far."""
    if not report["kinds"]:
        return _without_truth(report)
    kind = report["kinds"][-1]
    main = KINDS[kind].main
    ap = report["uncompressed"][kind][main]
    cells = report["cells"]
    rate = min(cell["target_bpp"] for cell in cells)
    lowest = [cell for cell in cells if cell["target_bpp"] == rate]
    worst = min(cells, key=lambda cell: cell[kind]["difference"]["value"])
    shown = [cell for cell in cells if (cell[kind]["difference"]["high"] or 0) < 0]
    said = (
        f"{report['model']['label']} has a {KINDS[kind].label} of {_percent(ap)} % on the "
        f"uncompressed photos{_between(ap)}. At {rate:g} bpp it has "
        f"{_range([cell[kind][main]['value'] for cell in lowest])} %. "
    )
    gap = worst[kind]["difference"]["value"]
    if gap < 0:
        said += (
            f"The largest loss is {-100 * gap:.1f} points ({worst['label']} at "
            f"{worst['target_bpp']:g} bpp). "
        )
    else:
        said += "No codec is below the uncompressed figure at any rate. "
    if not shown:
        return said + "No loss is shown: no interval of a change lies below 0."
    names = ", ".join(f"{cell['label']} at {cell['target_bpp']:g}" for cell in shown[:6])
    more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
    return said + (
        f"A loss is shown for {len(shown)} of {len(cells)} codecs and rates (interval below 0, "
        f"each alone): {names}{more} bpp."
    )


def _without_truth(report: Report) -> str:
    cells = [cell for cell in report["cells"] if cell["agreement"] is not None]
    if not cells:
        return "Nothing was found in any photo: nothing can be said about what compression does."
    low = min(cells, key=lambda cell: cell["agreement"]["value"])
    values = [cell["agreement"]["value"] for cell in cells]
    return (
        f"Without a truth: {agreement_of(report['task']).axis} is {_range(values)} %, "
        f"lowest for {low['label']} at {low['target_bpp']:g} bpp."
    )


def rows(report: Report) -> list[dict[str, Any]]:
    """One row a codec and rate, with its scores of each kind in the order of the columns."""
    return [{**cell, "kinds": scores(report, cell)} for cell in report["cells"]]


def scores(report: Report, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Of one row: each kind's main number, its change, and those that stand beside it."""
    return [
        {
            "main": found[kind][KINDS[kind].main],
            "difference": found[kind].get("difference"),
            "others": [found[kind][name]["value"] for name, _ in KINDS[kind].shown],
        }
        for kind in report["kinds"]
    ]


def words(report: Report) -> dict[str, Any]:
    """What its numbers are called."""
    told = [KINDS[kind] for kind in report["kinds"]]
    return {
        "kinds": [(kind.label, [head for _, head in kind.shown]) for kind in told],
        "definition": told[0].definition if told else "",
        "agreement": agreement_of(report["task"]),
        "is_semantic": report["task"] == "semantic",
    }


def _percent(found: dict[str, Any]) -> str:
    return f"{100 * found['value']:.1f}"


def _between(found: dict[str, Any]) -> str:
    if found["low"] is None:
        return ""
    return f" (95 % interval {100 * found['low']:.1f} to {100 * found['high']:.1f})"


def _range(values: list[float]) -> str:
    low, high = f"{100 * min(values):.1f}", f"{100 * max(values):.1f}"
    return low if low == high else f"{low} to {high}"
