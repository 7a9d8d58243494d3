"""What a conformance report is made of, and how its numbers are put in words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.utils import timezone

REPORTED = "reported"
NOT_CONTROLLED = "not controlled"
NOT_ASKED = "not asked"
NOT_RECORDED = "not recorded"

# Who asks for it, as far as their public text and summaries tell; the standards are paywalled.
P910 = "P.910 §14"
BT500 = "BT.500-15"
AIC3 = "AIC-3"


@dataclass(frozen=True)
class Item:
    """One thing to report: `said` in lines, or why it cannot be said."""

    label: str
    said: tuple[str, ...]
    status: str = REPORTED
    asked_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Conformance:
    """A study as the standards ask it to be reported. `made_at`: ISO 8601, UTC."""

    study: str
    title: str
    is_simulated: bool
    state: str
    made_at: str
    lede: tuple[str, ...]
    sections: tuple[Section, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def item(label: str, *said: str, status: str = REPORTED, by: Sequence[str] = ()) -> Item:
    return Item(label, tuple(line for line in said if line), status, tuple(by))


def n_of(n: int, word: str, plural: str = "") -> str:
    """1 photo, 1,200 photos."""
    return f"{n:,} {word if n == 1 else plural or word + 's'}"


def spread(values: Iterable[float | None], unit: str = "", decimals: int = 0) -> str:
    """Median, middle half and range of what was measured, with its n."""
    found = np.array([value for value in values if value is not None], dtype=np.float64)
    if not len(found):
        return "none measured"
    low, first, middle, last, high = np.percentile(found, [0, 25, 50, 75, 100])
    unit = f" {unit}" if unit else ""

    def said(value: float) -> str:
        return f"{value:,.{decimals}f}"

    if low == high:
        return f"{said(low)}{unit} (n = {len(found):,})"
    return (
        f"median {said(middle)}{unit}, middle half {said(first)} to {said(last)}, "
        f"range {said(low)} to {said(high)} (n = {len(found):,})"
    )


def counted(values: Iterable[Any], most: int = 6) -> str:
    """The most frequent first: "1920 x 1080: 12, 2560 x 1440: 3"; what is None is not told."""
    counts = Counter(str(value) for value in values if value not in (None, ""))
    if not counts:
        return "none recorded"
    said = [f"{value}: {n:,}" for value, n in counts.most_common(most)]
    rest = sum(counts.values()) - sum(n for _, n in counts.most_common(most))
    return ", ".join(said) + (f", others: {rest:,}" if rest else "")


def day(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d") if moment else "–"


def minute(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M %Z") if moment else "–"
