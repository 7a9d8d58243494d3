"""In which order the gallery shows its triplets, and what stands beside one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from django.core.cache import cache
from django.db.models import Q, Sum

from annotation.galleries import Asked, judgments_that_count, triplets_of
from annotation.gallery_scores import error_of, values_of
from annotation.models import Screening, Study, Triplet, TripletQuerySet
from annotation.tallying import Tallies, tally

# Each order that the database keeps by itself; the others need every vote.
ROW_ORDERS = {
    "judged": ("-n_judged", "shuffle", "pk"),
    "photo": ("source__name", "source_id", "target_bpp", "shuffle", "pk"),
}
VOTE_ORDERS = ("split", "error", "time")
# Above so many judgments an order by votes is kept for a while.
KEPT_FROM = 20_000
KEPT_S = 300


@dataclass(frozen=True)
class Place:
    """Where a triplet stands in an order, from 1; None where it is not in it."""

    number: int | None
    total: int
    before: int | None
    after: int | None


def ordered_keys(study: Study, asked: Asked) -> Sequence[int]:
    """The keys of the triplets in the order asked for; those that have no place in it are left out.

    Lazy where the database keeps the order. Raises ValueError for an order that does not exist.
    """
    rows = triplets_of(study, asked)
    if asked.sort in ROW_ORDERS:
        keys = rows.order_by(*ROW_ORDERS[asked.sort]).values_list("pk", flat=True)
        return cast(Sequence[int], keys)
    if asked.sort not in VOTE_ORDERS:
        raise ValueError(
            f"Found order {asked.sort!r}; expected {', '.join([*ROW_ORDERS, *VOTE_ORDERS])}."
        )
    tallies = tallies_of(study, with_everybody=asked.with_everybody)
    if asked.sort == "error":
        return _by_error(study, asked.metric, rows, tallies)
    return _by_votes(asked.sort, rows, tallies)


def _by_votes(sort: str, rows: TripletQuerySet, tallies: Tallies) -> list[int]:
    """The most divided, or the longest looked at, first; among equals those with more votes."""
    wanted = np.fromiter(rows.order_by().values_list("pk", flat=True).iterator(), dtype=np.int64)
    place = np.abs(tallies.share_first - 0.5) if sort == "split" else -tallies.median_ms
    chosen = np.isin(tallies.keys, wanted) & ~np.isnan(place)
    keys = tallies.keys[chosen]
    order = np.lexsort((keys, -tallies.n[chosen], place[chosen]))
    return [int(key) for key in keys[order]]


def _by_error(study: Study, metric: str, rows: TripletQuerySet, tallies: Tallies) -> list[int]:
    """Most people against the metric first; among equals the more votes, then the surer metric."""
    values = values_of(study, metric)
    place = {int(key): at for at, key in enumerate(tallies.keys)}
    shares, n = tallies.share_first, tallies.n
    table = []
    for key, one, two in rows.order_by().values_list("pk", "first_id", "second_id").iterator():
        if key in place and one in values and two in values:
            at = place[key]
            error = error_of(study, metric, shares[at], values[one], values[two])
            table.append((-error, -int(n[at]), -abs(values[one] - values[two]), key))
    return [row[-1] for row in sorted(table)]


def tallies_of(study: Study, *, with_everybody: bool) -> Tallies:
    """Of all its triplets; of a large study as they were up to five minutes ago."""
    n_judged = study.triplets.aggregate(n=Sum("n_judged"))["n"] or 0
    judgments = judgments_that_count(with_everybody=with_everybody).of_study(study)
    if n_judged < KEPT_FROM:
        return tally(judgments)
    newest = Screening.objects.filter(session__study=study).order_by("-pk").values_list("pk")[:1]
    key = f"gallery-{study.pk}-{with_everybody}-{list(newest)}".replace(" ", "")
    found: Tallies | None = cache.get(key)
    if found is None:
        found = tally(judgments)
        cache.set(key, found, KEPT_S)
    return found


def place_of(study: Study, asked: Asked, triplet: Triplet) -> Place:
    """Its number and its neighbours in the order asked for."""
    if asked.sort in ROW_ORDERS:
        return _place_in_rows(triplets_of(study, asked), ROW_ORDERS[asked.sort], triplet)
    keys = ordered_keys(study, asked)
    if triplet.pk not in keys:
        return Place(None, len(keys), None, None)
    at = keys.index(triplet.pk)
    before = keys[at - 1] if at else None
    return Place(at + 1, len(keys), before, keys[at + 1] if at + 1 < len(keys) else None)


def _place_in_rows(rows: TripletQuerySet, order: Sequence[str], triplet: Triplet) -> Place:
    total = rows.count()
    if not rows.filter(pk=triplet.pk).exists():
        return Place(None, total, None, None)
    ahead = rows.filter(_beyond(order, triplet, is_after=False))
    behind = rows.filter(_beyond(order, triplet, is_after=True))
    last_ahead = ahead.order_by(*order).reverse().values_list("pk", flat=True).first()
    next_behind = behind.order_by(*order).values_list("pk", flat=True).first()
    return Place(ahead.count() + 1, total, last_ahead, next_behind)


def _beyond(order: Sequence[str], triplet: Triplet, *, is_after: bool) -> Q:
    """The rows on one side of a triplet: no counting through those in between."""
    beyond, equal = Q(pk__in=[]), Q()
    for name in order:
        column = name.removeprefix("-")
        value: Any = triplet
        for part in column.split("__"):
            value = getattr(value, part)
        comparison = "lt" if name.startswith("-") == is_after else "gt"
        beyond |= equal & Q(**{f"{column}__{comparison}": value})
        equal &= Q(**{column: value})
    return beyond
