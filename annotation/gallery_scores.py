"""What metrics say of a triplet's two copies, beside what people said."""

from collections.abc import Iterable
from dataclasses import dataclass

from annotation.models import Study, Triplet
from annotation.tallying import Votes
from codecs_eval.metrics.table import METRICS
from codecs_eval.models import Score


@dataclass(frozen=True)
class Scored:
    """One metric's values for both copies, of the whole picture; `error`: see `error_of`."""

    name: str
    label: str
    version: str
    first: float
    second: float
    prefers: str
    error: float | None


def error_of(study: Study, metric: str, share_first: float, one: float, two: float) -> float:
    """The share of people (0..1) who found the other copy closer than the metric does.

    One minus the 2AFC agreement of one triplet (arXiv 1801.03924); half where the metric ties.
    """
    is_closer = study.polarity == Study.Polarity.CLOSER
    first_is_closer = share_first if is_closer else 1 - share_first
    if one == two:
        return 0.5
    return 1 - first_is_closer if prefers_first(metric, one, two) else first_is_closer


def prefers_first(metric: str, one: float, two: float) -> bool:
    return (one > two) == METRICS[metric].higher_is_better


def scores_of(triplets: Iterable[Triplet], metric: str) -> dict[tuple[str, int], Score]:
    """The newest of each metric and reconstruction."""
    wanted = {pk for row in triplets for pk in (row.first_id, row.second_id)}
    found = Score.objects.filter(reconstruction__in=wanted).order_by("pk")
    if metric:
        found = found.filter(metric=metric)
    return {(row.metric, row.reconstruction_id): row for row in found if row.metric in METRICS}


def compared(
    study: Study, triplet: Triplet, votes: Votes, scores: dict[tuple[str, int], Score]
) -> tuple[Scored, ...]:
    names = [name for name in METRICS if (name, triplet.first_id) in scores]
    found = []
    for name in names:
        one = scores[name, triplet.first_id]
        two = scores.get((name, triplet.second_id))
        # Two versions of a metric are two metrics.
        if two is not None and two.metric_version == one.metric_version:
            found.append(_one(study, votes, one, two))
    return tuple(found)


def _one(study: Study, votes: Votes, one: Score, two: Score) -> Scored:
    name, share = one.metric, votes.share_first
    prefers = "neither"
    if one.value != two.value:
        prefers = "first" if prefers_first(name, one.value, two.value) else "second"
    error = None if share is None else error_of(study, name, share, one.value, two.value)
    label = METRICS[name].label
    return Scored(name, label, one.metric_version, one.value, two.value, prefers, error)


def metrics_of(study: Study) -> list[tuple[str, str]]:
    """Names and labels of what its pictures were scored with, going by one of them."""
    one = study.triplets.values("first")[:1]
    names = set(Score.objects.filter(reconstruction__in=one).values_list("metric", flat=True))
    return [(name, METRICS[name].label) for name in METRICS if name in names]


def values_of(study: Study, metric: str) -> dict[int, float]:
    """Each reconstruction's value under the newest version of a metric."""
    if metric not in METRICS:
        raise ValueError(f"Found metric {metric!r}; expected one of {', '.join(METRICS)}.")
    rows = Score.objects.filter(
        metric=metric, reconstruction__source__in=study.triplets.values("source")
    )
    newest = rows.order_by("-pk").values_list("metric_version", flat=True).first()
    return dict(rows.filter(metric_version=newest).values_list("reconstruction_id", "value"))
