"""What the judgments that count say of each triplet: votes for its first and its second."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, F, Q

from annotation.models import Judgment, Study, Triplet


@dataclass(frozen=True)
class Votes:
    """Votes for which copy is closer to the original, whatever the question asked."""

    n_first: int = 0
    n_second: int = 0
    n_not_sure: int = 0

    @property
    def n(self) -> int:
        return self.n_first + self.n_second + self.n_not_sure

    @property
    def share_second(self) -> float:
        """A not_sure is half a vote for either."""
        return (self.n_second + self.n_not_sure / 2) / self.n


def seen_whole() -> Q:
    """Who saw a smaller part of the crop did not judge the crop that is exported."""
    return Q(shown_width_px=None) | (
        Q(shown_width_px__gte=F("trial__triplet__crop_width_px"))
        & Q(shown_height_px__gte=F("trial__triplet__crop_height_px"))
    )


def votes_of(study: Study) -> dict[int, Votes]:
    """By triplet; one without a judgment that counts is not in it.

    Main trials of sessions that were not screened out, no warm-ups, no repeats, none that was
    superseded, none seen on a smaller part of the crop. Where the question asks which differs
    more, a choice of the first is a vote for the second.
    """
    found = (
        Judgment.objects.of_study(study)
        .counted()
        .filter(seen_whole())
        .order_by()
        .values_list("trial__triplet", "choice")
        .annotate(n=Count("pk"))
    )
    turned = study.polarity == Study.Polarity.DIFFERS
    fields = {
        "first": "n_second" if turned else "n_first",
        "second": "n_first" if turned else "n_second",
        "not_sure": "n_not_sure",
    }
    votes: dict[int, dict[str, int]] = {}
    for triplet, choice, n in found:
        votes.setdefault(triplet, {})[fields[choice]] = n
    return {triplet: Votes(**counts) for triplet, counts in votes.items()}


def judged_triplets(study: Study, votes: dict[int, Votes]) -> Iterator[Triplet]:
    """Those with votes, by source and then as they were made, read in pieces."""
    ids = study.triplets.order_by("source__name", "source", "pk").values_list("pk", flat=True)
    wanted = [pk for pk in ids if pk in votes]
    for start in range(0, len(wanted), 200):
        some = wanted[start : start + 200]
        rows = Triplet.objects.select_related("source", "first", "second").in_bulk(some)
        yield from (rows[pk] for pk in some)
