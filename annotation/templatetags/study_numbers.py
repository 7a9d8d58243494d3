"""How the numbers of a study's results stand on the desk: signs, seconds, intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

from codecs_eval.templatetags.desk import MISSING, p_value

register = template.Library()

NOT_TESTED = "not tested"


@register.filter
def at(found: Mapping[str, Any], name: str) -> Any:
    """What a mapping has under a name."""
    return found[name]


@register.filter
def named(rows: Sequence[Mapping[str, Any]], codec: str) -> Any:
    """The row of a codec; nothing where there is none."""
    return next((row for row in rows if row["codec"] == codec), None)


@register.filter
def complement(level: float) -> str:
    """0.95 as 0.05: what a p must be below."""
    return f"{1 - level:.2g}"


@register.filter
def signed(value: Any, decimals: int = 2) -> str:
    """Always with its sign, for a difference or a place."""
    if value is None or value == "":
        return MISSING
    return f"{value:+.{decimals}f}".replace("-", "−")


@register.filter
def signed_interval(found: Any, decimals: int = 2) -> str:
    if not found or found["low"] is None:
        return MISSING
    return f"{signed(found['low'], decimals)} to {signed(found['high'], decimals)}"


@register.filter
def fixed_interval(found: Any, decimals: int = 2) -> str:
    if not found or found["low"] is None:
        return MISSING
    return f"{found['low']:.{decimals}f} to {found['high']:.{decimals}f}".replace("-", "−")


@register.filter
def seconds(ms: Any) -> str:
    """ms as s; the unit stands in the head of its row or column."""
    return MISSING if ms is None or ms == "" else f"{ms / 1000:.2f}"


@register.filter
def seconds_interval(found: Any) -> str:
    if not found or found["low"] is None:
        return MISSING
    return f"{seconds(found['low'])} to {seconds(found['high'])}"


@register.filter
def in_percent(found: Any) -> Any:
    """A share, or an estimate of one, times 100."""
    if isinstance(found, Mapping):
        ends = ("value", "low", "high")
        return {
            **found,
            **{name: None if found[name] is None else 100 * found[name] for name in ends},
        }
    return None if found is None or found == "" else 100 * found


@register.filter
def largest_p(closest: Any) -> str:
    """The adjusted p of the one that is told least from the first; one not tested is told least."""
    found = [row["p_adjusted"] for row in (closest or {}).get("against", [])]
    return NOT_TESTED if None in found else p_value(max(found, default=None))
