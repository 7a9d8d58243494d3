"""Which pairs of a collection's reconstructions a study asks about, from its settings and rows.

Reads rows, never pixels: the builder counts with it while somebody still types.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from annotation.design.pair_kinds import Asked, pair
from annotation.design.pairing import Candidate, Pair, Pairing, rate_difference
from annotation.models import Study
from codecs_eval.metrics.table import metric_entry
from codecs_eval.models import Reconstruction, Score, SourceImage

# Which metrics a kind of pairing goes by, as columns of the study.
METRICS_OF: dict[str, tuple[str, ...]] = {
    Study.Pairing.NEIGHBOURS: ("ranking_metric",),
    Study.Pairing.DISPUTED: ("ranking_metric", "rival_metric"),
}


_NEEDED = ("source_id", "codec", "target_bpp", "bpp", "state", "path")


class MissingScores(ValueError):
    """A metric that the pairing goes by has not scored every reconstruction; says how it can."""

    def __init__(self, collection: str, metrics: Sequence[str], n_missing: int, n: int) -> None:
        names = " ".join(metrics)
        super().__init__(
            f"{n_missing} of {n} reconstructions in collection {collection!r} have no score by "
            f"{' and '.join(metrics)}, which decides the pairs. Score them first: "
            f"manage.py score --collection {collection} --metrics {names}, or the button on the "
            "study builder."
        )
        self.collection, self.metrics = collection, tuple(metrics)


@dataclass(frozen=True)
class LeftOut:
    """A pair that is not asked about, with the achieved rates of both files."""

    first: Reconstruction
    second: Reconstruction
    reason: str

    @property
    def difference(self) -> float:
        """How much larger the larger file is, as a share of the smaller one."""
        return rate_difference(candidate_of(self.first), candidate_of(self.second))


@dataclass(frozen=True)
class Pairs:
    """The rows of a study's ladder by key, and its pairs of them."""

    rows: dict[int, Reconstruction]
    pairing: Pairing

    @property
    def left_out(self) -> dict[str, int]:
        """How many copies and pairs are not asked about, by reason."""
        return {**self.pairing.left_out_candidates, **self.pairing.left_out_pairs}

    def asked(self) -> Iterator[tuple[Reconstruction, Reconstruction]]:
        return (self._rows_of(found) for found in self.pairing.pairs)

    def left_out_pairs(self, most: int | None = None) -> list[LeftOut]:
        """Those left out for their rates, the largest difference first."""
        found = [LeftOut(*self._rows_of(r.pair), r.reason) for r in self.pairing.refused]
        found.sort(key=lambda left_out: -left_out.difference)
        return found[:most]

    def _rows_of(self, found: Pair) -> tuple[Reconstruction, Reconstruction]:
        return self.rows[found.first_id], self.rows[found.second_id]


def pairs_of(study: Study) -> Pairs:
    """The pairs that a study asks about, which may be one that is not saved yet.

    Raises MissingScores where the pairing goes by a metric that is not there for every copy.
    """
    ladder = Reconstruction.objects.of_ladder(study.collection, study.codecs, study.rates_bpp)
    newest = {
        (row.source_id, row.codec, row.target_bpp): row
        for row in with_photos(ladder, study.collection)
    }
    rows = {row.pk: row for row in newest.values()}
    candidates = [candidate_of(row, _state_for(study, row)) for row in rows.values()]
    hits = [found.reconstruction_id for found in candidates if found.state == "hit"]
    return Pairs(rows, pair(candidates, _asked(study, hits)))


def with_photos(ladder: QuerySet[Reconstruction], collection: str) -> Iterator[Reconstruction]:
    """Rows of one collection, with one object a photo for all of its rows.

    Of a large ladder, what planning does not need would take longer to read than what it does.
    """
    photos = SourceImage.objects.filter(collection=collection).in_bulk()
    for row in ladder.select_related(None).only(*_NEEDED):
        row.source = photos[row.source_id]
        yield row


def candidate_of(row: Reconstruction, state: str = "") -> Candidate:
    return Candidate(
        reconstruction_id=row.pk,
        source_id=row.source_id,
        codec=row.codec,
        target_bpp=row.target_bpp,
        bpp=row.bpp,
        state=state or row.state,
    )


def _state_for(study: Study, row: Reconstruction) -> str:
    """A hit within a looser tolerance than the study allows is no hit in it.

    Unless it keeps files of different sizes: then whatever the encoder counted as a hit is one.
    """
    is_near = study.keeps_different_rates or abs(row.miss) <= study.rate_tolerance / 2
    return row.state if is_near else Reconstruction.State.NEAREST


def _asked(study: Study, hits: Sequence[int]) -> Asked:
    metrics = [getattr(study, name) for name in METRICS_OF.get(study.pairing, ())]
    qualities = _qualities(study.collection, metrics, hits)
    return Asked(
        kind=study.pairing,
        rate_tolerance=study.rate_tolerance,
        keeps_different_rates=study.keeps_different_rates,
        anchor=study.anchor_codec,
        chosen=tuple((one, other) for one, other in study.chosen_pairs),
        ranking=qualities[0] if qualities else {},
        rival=qualities[1] if len(qualities) > 1 else {},
        n_disputed=max(1, study.n_disputed),
    )


def _qualities(
    collection: str, metrics: Sequence[str], hits: Sequence[int]
) -> list[dict[int, float]]:
    """Of each metric, every copy's value, turned so that higher is better."""
    found = [_scores(name, collection, set(hits)) for name in metrics]
    missing = [
        (name, len(hits) - len(scores))
        for name, scores in zip(metrics, found, strict=True)
        if len(scores) < len(hits)
    ]
    if missing:
        most = max(n for _, n in missing)
        raise MissingScores(collection, [name for name, _ in missing], most, len(hits))
    return [
        {pk: value if metric_entry(name).higher_is_better else -value for pk, value in row.items()}
        for name, row in zip(metrics, found, strict=True)
    ]


def _scores(name: str, collection: str, wanted: set[int]) -> dict[int, float]:
    """By one version of the metric for all of them; that with rounded weights only in need."""
    version = metric_entry(name).version
    best: dict[int, float] = {}
    for of_version in (version, f"{version}-fp16"):
        rows = Score.objects.filter(
            reconstruction__source__collection=collection, metric=name, metric_version=of_version
        ).values_list("reconstruction", "value")
        found = {pk: value for pk, value in rows if pk in wanted}
        if len(found) > len(best):
            best = found
        if len(best) == len(wanted):
            break
    return best


def by_rate(pairs: Pairs) -> dict[str, int]:
    """How many pairs are asked at each target rate, or between which two; by rate."""
    found = Counter(
        tuple(sorted({one.target_bpp, other.target_bpp})) for one, other in pairs.asked()
    )
    return {" and ".join(f"{rate:g}" for rate in rates): n for rates, n in sorted(found.items())}
