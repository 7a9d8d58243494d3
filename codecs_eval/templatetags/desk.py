"""How numbers stand on the desk: fixed decimals, with their interval, durations in their unit."""

from datetime import datetime, timedelta
from typing import Any, Literal

from django import template
from django.utils import timezone

from codecs_eval.named_codecs import codec_entry

register = template.Library()

MISSING = "–"
# A template hands "" to a filter for a value that is not there.
Number = float | Literal[""] | None
UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))

# Each marker of a plot as a path in a 12 x 12 box.
MARKERS = {
    "o": "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z",
    "s": "M2 2h8v8h-8z",
    "^": "M6 1l5 9.5h-10z",
    "v": "M6 11l5-9.5h-10z",
    "D": "M6 .8l5.2 5.2l-5.2 5.2l-5.2-5.2z",
    "P": "M4 1h4v3h3v4h-3v3h-4v-3h-3v-4h3z",
    "X": "M1 3.5l2.5-2.5l2.5 2.5l2.5-2.5l2.5 2.5l-2.5 2.5l2.5 2.5l-2.5 2.5l-2.5-2.5l-2.5 2.5"
    "l-2.5-2.5l2.5-2.5z",
    "<": "M1 6l9.5-5v10z",
    ">": "M11 6l-9.5-5v10z",
    "d": "M6 .8l3.2 5.2l-3.2 5.2l-3.2-5.2z",
    "p": "M6 1l5.2 3.8l-2 6.2h-6.4l-2-6.2z",
    "h": "M6 .8l4.5 2.6v5.2l-4.5 2.6l-4.5-2.6v-5.2z",
    "*": "M6 .5l1.5 3.7l4 .3l-3 2.6l.9 3.9l-3.4-2.1l-3.4 2.1l.9-3.9l-3-2.6l4-.3z",
}


@register.filter
def duration(value: Number | timedelta) -> str:
    """Seconds in the two largest units that say something: 48 s, 3 min 20 s, 1 h 4 min."""
    if value is None or value == "":
        return MISSING
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    for size, unit, part, part_unit in UNITS:
        if seconds >= size:
            whole, rest = divmod(round(seconds / part) * part, size)
            return f"{whole} {unit} {rest // part} {part_unit}" if rest else f"{whole} {unit}"
    raise ValueError(f"found {seconds} s, expected a duration")


@register.filter
def percent(share: Number, decimals: int = 1) -> str:
    """A share as a number of per cent; its unit stands in the column's head."""
    return MISSING if share is None or share == "" else f"{100 * share:.{decimals}f}"


@register.filter
def interval(estimate: Any) -> str:
    """`low` to `high` of an estimate in per cent."""
    if not estimate or estimate["low"] is None:
        return MISSING
    return f"{percent(estimate['low'])} to {percent(estimate['high'])}"


@register.filter
def points(difference: Number) -> str:
    """A difference of two shares in points, always with its sign."""
    if difference is None or difference == "":
        return MISSING
    return f"{100 * difference:+.1f}".replace("-", "−")


@register.filter
def p_value(p: Number) -> str:
    """Three decimals; never a p of nought."""
    if p is None or p == "":
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


@register.filter
def bound(value: float) -> str:
    return {float("inf"): "∞", float("-inf"): "−∞"}.get(value, f"{value:g}")


@register.filter
def fixed(value: Number, decimals: int = 2) -> str:
    return MISSING if value is None or value == "" else f"{value:.{decimals}f}"


@register.filter
def plain(value: object) -> str:
    """A value from JSON as a person reads it."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value) or MISSING
    if isinstance(value, dict):
        return "; ".join(f"{key} {plain(item)}" for key, item in value.items()) or MISSING
    return str(value)


@register.filter
def words(name: str) -> str:
    """A field's name as words: rates_bpp becomes rates bpp."""
    return name.replace("_", " ")


@register.filter
def iso(moment: datetime | None) -> str:
    """2026-02-03 04:05 UTC."""
    if moment is None:
        return MISSING
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M %Z")


@register.inclusion_tag("codecs_eval/_marker.html")
def codec_marker(name: str) -> dict[str, str]:
    return marker(codec_entry(name))


@register.inclusion_tag("codecs_eval/_marker.html")
def marker(entry: Any) -> dict[str, str]:
    """The plot's mark of a codec or metric, beside its name."""
    shape, colour = (
        (entry.get("marker", "o"), entry.get("colour", "#000000"))
        if isinstance(entry, dict)
        else (entry.marker, entry.colour)
    )
    return {"path": MARKERS.get(shape, MARKERS["o"]), "colour": colour}
