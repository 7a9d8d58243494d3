"""The triplets of a study as its gallery shows them: which ones, with what votes and scores."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from annotation.gallery_scores import Scored, compared, scores_of
from annotation.models import (
    Judgment,
    JudgmentQuerySet,
    Session,
    Study,
    Triplet,
    TripletQuerySet,
    at_one_rate,
)
from annotation.tallying import Votes, tally

ANY_KIND = "all"


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see: each field is a parameter of the page's address."""

    rate: float | None = None
    codec: str = ""
    pair: tuple[str, str] | None = None
    source: str = ""
    kind: str = Triplet.Kind.MAIN
    judged: bool | None = None
    n: tuple[int, int] | None = None
    with_everybody: bool = False
    sort: str = "judged"
    metric: str = ""


def triplets_of(study: Study, asked: Asked) -> TripletQuerySet:
    """Those that its filters leave."""
    found = study.triplets.all()
    if asked.kind != ANY_KIND:
        found = found.filter(kind=asked.kind)
    if asked.rate is not None:
        found = found.filter(at_one_rate(study.rate_tolerance), target_bpp=asked.rate)
    if asked.codec:
        found = found.filter(Q(first__codec=asked.codec) | Q(second__codec=asked.codec))
    if asked.pair:
        one, two = asked.pair
        found = found.filter(
            Q(first__codec=one, second__codec=two) | Q(first__codec=two, second__codec=one)
        )
    if asked.source:
        found = found.filter(source__name=asked.source)
    if asked.judged is not None:
        found = found.filter(n_judged__gt=0) if asked.judged else found.filter(n_judged=0)
    if asked.n is not None:
        found = found.filter(n_judged__range=asked.n)
    return found


def judgments_that_count(*, with_everybody: bool = False) -> JudgmentQuerySet:
    """What the gallery counts: the same as analyses, but of triplets of every kind.

    No warm-ups, no repeats; sessions that screening excluded only with everybody.
    """
    found = Judgment.objects.standing().filter(trial__is_warm_up=False, trial__is_repeat=False)
    if with_everybody:
        return found
    return found.exclude(trial__session__verdict=Session.Verdict.EXCLUDED)


def judgments_shown(triplet: Triplet) -> JudgmentQuerySet:
    """All that stand, the newest first; also those that analyses leave out."""
    rows = Judgment.objects.standing().filter(trial__triplet=triplet)
    return rows.select_related("trial__session").order_by("-server_time", "pk")


@dataclass(frozen=True)
class JudgmentLine:
    """One judgment as a triplet's page shows it; `left_out`: why analyses do not count it."""

    judgment: Judgment
    session_name: str
    verdict: str
    side: str
    left_out: str


def judgment_line(judgment: Judgment, kind: str) -> JudgmentLine:
    """`kind`: of its triplet."""
    trial, session = judgment.trial, judgment.trial.session
    reasons = {
        kind: kind != Triplet.Kind.MAIN,
        "excluded session": session.verdict == Session.Verdict.EXCLUDED,
        "warm-up": trial.is_warm_up,
        "repeat": trial.is_repeat,
    }
    return JudgmentLine(
        judgment,
        session.outside_id[:16] or str(session.pk)[:8],
        session.verdict,
        trial.side_of_choice(judgment.choice).replace("_", " "),
        ", ".join(reason for reason, holds in reasons.items() if holds),
    )


@dataclass(frozen=True)
class Shown:
    """One triplet with all that is said of it."""

    triplet: Triplet
    votes: Votes
    scores: tuple[Scored, ...]

    @property
    def score(self) -> Scored | None:
        return self.scores[0] if self.scores else None


def shown(study: Study, asked: Asked, keys: Sequence[int]) -> list[Shown]:
    """The triplets of a page, in its order: three queries, whatever their number.

    With the scores of the metric asked for; of every metric where none is.
    """
    keys = list(keys)
    rows = study.triplets.select_related(
        "source", "first__checkpoint", "second__checkpoint"
    ).in_bulk(keys)
    judgments = judgments_that_count(with_everybody=asked.with_everybody)
    votes = tally(judgments.filter(trial__triplet__in=list(rows))).votes()
    scores = scores_of(rows.values(), asked.metric)
    return [
        Shown(row, votes.get(key, Votes()), compared(study, row, votes.get(key, Votes()), scores))
        for key in keys
        if (row := rows.get(key))
    ]
