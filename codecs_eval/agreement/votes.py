"""Votes of an outside layout -> judgments: what votes.csv counts, or what a share stands for."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

TRUE = ("1", "true", "True")


@dataclass(frozen=True)
class Counted:
    """Votes for the first, for the second, and for neither."""

    n_first: int
    n_second: int
    n_not_sure: int

    @property
    def choices(self) -> list[str]:
        return (
            ["first"] * self.n_first + ["second"] * self.n_second + ["not_sure"] * self.n_not_sure
        )


@dataclass(frozen=True)
class VoteRow:
    """What our own export says of a triplet beside its pictures."""

    counted: Counted
    source: str
    codecs: tuple[str, str]
    settings: tuple[str, str]
    bpp: tuple[float | None, float | None]
    target_bpp: tuple[float | None, float | None]
    is_simulated: bool


def read_votes(path: Path) -> dict[str, VoteRow]:
    """votes.csv by the triplet's name; empty where there is none. ValueError names a bad row."""
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            return {row["name"]: _vote_row(row) for row in reader}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ValueError(f"{path.name} is not what the export writes: {error}") from error


def _vote_row(row: dict[str, str]) -> VoteRow:
    counted = Counted(*(_count(row, name) for name in ("n_first", "n_second", "n_not_sure")))
    sides = ("first", "second")
    settings = [row[f"{side}_settings"] or "{}" for side in sides]
    for text in settings:
        json.loads(text)
    return VoteRow(
        counted=counted,
        source=_freed(row["source"]),
        codecs=(_freed(row["first_codec"]), _freed(row["second_codec"])),
        settings=(settings[0], settings[1]),
        bpp=(_number(row["first_bpp"]), _number(row["second_bpp"])),
        target_bpp=(_target(row, "first"), _target(row, "second")),
        is_simulated=row["is_simulated"] in TRUE,
    )


def _target(row: dict[str, str], side: str) -> float | None:
    """The side's own; older exports tell one for both."""
    return _number(row.get(f"{side}_target_bpp") or row["target_bpp"])


def _count(row: dict[str, str], name: str) -> int:
    n = int(row[name])
    if not 0 <= n < 1_000_000:
        raise ValueError(f"{name} is {n}, expected 0 to 999,999")
    return n


def _number(text: str) -> float | None:
    return float(text) if text else None


def _freed(text: str) -> str:
    """The export puts an apostrophe before what a spreadsheet would run."""
    bare = text.lstrip("'")
    is_guarded = text[:1] == "'" and bare[:1] != "" and bare[0] in "=+-@\t\r\n＝＋－＠"
    return text[1:] if is_guarded else text


def counted_of_share(share: float, n_raters: int) -> Counted:
    """`n_raters` votes whose share for the second is `share`; half a vote is one not_sure.

    ValueError where no whole number of half votes has that share, to 0.001 of a vote a rater.
    """
    halves = round(2 * share * n_raters)
    if abs(halves / (2 * n_raters) - share) > 1e-3:
        raise ValueError(f"a share of {share:.4g} is no whole number of {n_raters} votes")
    n_second, n_not_sure = divmod(halves, 2)
    return Counted(n_raters - n_second - n_not_sure, n_second, n_not_sure)
