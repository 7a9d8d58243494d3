"""Which triplets have how many judgments, and how full each rate and pair of codecs is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, F, Q, Sum, Value, When
from django.db.models.functions import Least

from annotation.models import Study, Triplet, at_one_rate
from codecs_eval.named_codecs import codec_entry

MOST_BARS = 20


@dataclass(frozen=True)
class Bar:
    """Triplets with `low` to `high` judgments; a share of all and of the longest bar."""

    low: int
    high: int
    n: int
    share: float
    length: float

    @property
    def query(self) -> str:
        """Of the gallery's address: these triplets."""
        if self.high == 0:
            return urlencode({"judged": 0})
        return urlencode({"n": self.low if self.low == self.high else f"{self.low}-{self.high}"})


@dataclass
class Cell:
    """The main triplets of one rate and one pair of codecs."""

    target_bpp: float
    pair: tuple[str, str]
    n_triplets: int = 0
    n_judged: int = 0
    n_untouched: int = 0
    n_wanted: int = 0
    n_filled: int = 0

    @property
    def share(self) -> float:
        """Of the judgments wanted; what is beyond a triplet's number fills no other one."""
        return self.n_filled / self.n_wanted if self.n_wanted else 0.0

    @property
    def percent(self) -> int:
        """Rounded down: only a full cell is 100."""
        return int(100 * self.n_filled / self.n_wanted) if self.n_wanted else 0

    @property
    def tenth(self) -> int:
        """0..10, for the shade: only a full cell is 10, only an empty one 0."""
        if self.share in (0.0, 1.0):
            return round(10 * self.share)
        return min(9, max(1, int(10 * self.share)))

    @property
    def query(self) -> str:
        return urlencode({"rate": f"{self.target_bpp:g}", "pair": ",".join(self.pair)})


@dataclass(frozen=True)
class Coverage:
    """`rows`: each pair of codecs with its cells in the order of `rates`; None: no such triplet.

    `n_apart`: main triplets that count at no rate, as in the results; they are in no cell.
    """

    rates: list[float]
    rows: list[tuple[tuple[Any, Any], list[Cell | None]]] = field(default_factory=list)
    n_apart: int = 0


def histogram(counts: Mapping[int, int], n_wanted: int) -> list[Bar]:
    """Main triplets with 0, 1, 2, ... judgments, from `progressing.counts_of` a study.

    Ranges where there are many different numbers.
    """
    if not counts:
        return []
    ends = list(_ranges(max(*counts, n_wanted)))
    n_in = [sum(n for judged, n in counts.items() if low <= judged <= high) for low, high in ends]
    total, longest = sum(n_in), max(n_in)
    return [
        Bar(low, high, n, n / total, n / longest) for (low, high), n in zip(ends, n_in, strict=True)
    ]


def _ranges(most: int) -> Iterator[tuple[int, int]]:
    """0 alone, then equal steps up to `most`."""
    step = -(-most // MOST_BARS)
    yield 0, 0
    for low in range(1, most + 1, step):
        yield low, min(low + step - 1, most)


def coverage(study: Study) -> Coverage:
    """One row a pair of codecs, one column a rate."""
    main = study.triplets.filter(kind=Triplet.Kind.MAIN).order_by()
    wanted = study.judgments_per_triplet
    counts = Case(When(at_one_rate(study.rate_tolerance), then=Value(True)), default=Value(False))
    rows = (
        main.annotate(counts=counts)
        .values_list("counts", "first__target_bpp", "first__codec", "second__codec")
        .annotate(
            n=Count("pk"),
            judged=Sum("n_judged"),
            untouched=Count("pk", filter=Q(n_judged=0)),
            filled=Sum(Least(F("n_judged"), Value(wanted))),
        )
    )
    cells: dict[tuple[tuple[str, str], float], Cell] = {}
    n_apart = 0
    for counts_there, rate, one, other, n, judged, untouched, filled in rows:
        if not counts_there:
            n_apart += n
            continue
        pair = (min(one, other), max(one, other))
        cell = cells.setdefault((pair, rate), Cell(rate, pair))
        cell.n_triplets += n
        cell.n_judged += judged
        cell.n_untouched += untouched
        cell.n_wanted += n * wanted
        cell.n_filled += filled
    rates = sorted({rate for _, rate in cells})
    return Coverage(
        rates,
        [
            (
                (codec_entry(pair[0]), codec_entry(pair[1])),
                [cells.get((pair, rate)) for rate in rates],
            )
            for pair in sorted({pair for pair, _ in cells})
        ],
        n_apart,
    )
