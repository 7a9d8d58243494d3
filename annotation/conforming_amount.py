"""Of a conformance report: how many triplets there are, and how much of them was judged."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q, Sum

from annotation.conformance_items import NOT_RECORDED, REPORTED, Item, Section, item, n_of, spread
from annotation.conforming_answers import Answers
from annotation.models import Study, Triplet


def amount(study: Study, answers: Answers) -> Section:
    """How many triplets, and judgments of each."""
    kinds = dict(study.triplets.order_by().values_list("kind").annotate(n=Count("pk")))
    main = study.triplets.filter(kind=Triplet.Kind.MAIN)
    found = main.aggregate(
        total=Sum("n_judged"),
        reached=Count("pk", filter=Q(n_judged__gte=study.judgments_per_triplet)),
        untouched=Count("pk", filter=Q(n_judged=0)),
    )
    return Section(
        "Amount",
        (
            item(
                "Triplets",
                "; ".join(f"{kind}: {n:,}" for kind, n in sorted(kinds.items())) or "none",
                "" if answers.is_imported else f"Pairs: {study.get_pairing_display()}.",
            ),
            item("Judgments that count", _n_judgments(answers.n(), found["total"] or 0)),
            item(
                "Judgments a triplet",
                *_of_each(study, answers, main, kinds.get("main", 0), found),
            ),
            _partly(answers.n(), answers.n("n_partly"), answers.n("n_part_untold")),
        ),
    )


def _of_each(
    study: Study, answers: Answers, main: Any, n_main: int, found: dict[str, int]
) -> list[str]:
    """How many a triplet has, and how many were wanted where that is known."""
    judged = f"Judged: {_judged(main)}."
    never = f"{found['untouched']:,} were never judged."
    triplets = n_of(n_main, "main triplet")
    if answers.is_imported:
        return [judged, f"Of {triplets} {never}"]
    wanted = f"Wanted: {study.judgments_per_triplet:,}. {judged}"
    return [wanted, f"Reached by {found['reached']:,} of {triplets}; {never}"]


def _judged(main: Any) -> str:
    counts: Iterable[float] = main.values_list("n_judged", flat=True).iterator()
    return f"{spread(counts)}, excluded sessions with them"


def _n_judgments(n_counted: int, n_judged: int) -> str:
    return (
        f"{n_counted:,} of main triplets, without warm-ups, repeats and excluded sessions; "
        f"{n_judged:,} with excluded sessions."
    )


def _partly(n: int, partly: int, untold: int) -> Item:
    """Of `n` counted judgments; of `untold` ones nobody wrote down what part was shown."""
    if untold:
        is_all = untold == n
        rest = "" if is_all or partly else "The others were given on the whole crop."
        return item(
            "Seen in part",
            _on_a_part(partly),
            f"Not recorded for {untold:,} of {n_of(n, 'counted judgment')}.",
            rest,
            status=NOT_RECORDED if is_all else REPORTED,
        )
    whole = "None: every counted judgment was given on the whole crop."
    return item("Seen in part", _on_a_part(partly) or whole)


def _on_a_part(partly: int) -> str:
    if not partly:
        return ""
    return (
        f"{n_of(partly, 'counted judgment')} given on a smaller, central part of the crop, in a "
        "small window."
    )
