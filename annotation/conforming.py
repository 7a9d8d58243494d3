"""A study -> everything that the standards ask to be reported of it, filled from its rows.

One structure; the page, the PDF and the JSON say the same.
"""

from django.core.cache import cache
from django.db.models import Sum
from django.utils import timezone

from annotation import conforming_amount as counting
from annotation import conforming_analysis as analysing
from annotation import conforming_material as showing
from annotation import conforming_method as asking
from annotation import conforming_observers as observing
from annotation import conforming_timing as timed
from annotation import conforming_viewing as viewing
from annotation.asked_elsewhere import without_ours
from annotation.conformance_items import Conformance, Section, n_of
from annotation.conforming_answers import Answers, answers_of
from annotation.models import Study

# Above so many judgments a report that was just made is shown again.
KEPT_FROM = 20_000
KEPT_S = 300

LEDE = (
    "What was recorded of this study, beside what ITU-T P.910 (10/2023) section 14, ITU-R "
    "BT.500-15 and ISO/IEC 29170-3 (AIC-3) ask to be reported, as far as their public text and "
    "summaries tell. It says what was not controlled, not asked or not recorded, and claims "
    "conformance with none of them. The last column names who asks for an item, where that is "
    "known here.",
)


def recent_conformance(study: Study) -> Conformance:
    """Of a large study as it was up to five minutes ago; the report says when that was."""
    n_judged = study.triplets.aggregate(n=Sum("n_judged"))["n"] or 0
    if n_judged < KEPT_FROM:
        return conformance(study)
    key = f"conformance-{study.pk}-{study.state}-{n_judged}"
    found: Conformance | None = cache.get(key)
    if found is None:
        found = conformance(study)
        cache.set(key, found, KEPT_S)
    return found


def conformance(study: Study) -> Conformance:
    """As it is now: 14 s of one core for a million judgments on SQLite."""
    answers = answers_of(study)
    sections = _sections(study, answers)
    return Conformance(
        study=study.slug,
        title=study.title,
        is_simulated=study.is_simulated,
        state=study.state,
        made_at=timezone.now().isoformat(timespec="seconds"),
        lede=(*LEDE, *_state(study, answers.n())),
        sections=tuple(map(without_ours, sections)) if answers.is_imported else sections,
    )


def _sections(study: Study, answers: Answers) -> tuple[Section, ...]:
    return (
        asking.method(study, answers),
        observing.observers(study, answers),
        observing.checks(study, answers.viewings),
        viewing.viewing(study, answers),
        showing.material(study, answers),
        counting.amount(study, answers),
        asking.order_and_sides(study, answers),
        asking.training(study, answers),
        timed.timing(study, answers),
        analysing.analysis(study),
        analysing.deviations(study),
        analysing.software(),
    )


def _state(study: Study, n_judgments: int) -> list[str]:
    said = []
    if study.is_simulated:
        said.append("SIMULATED: answered by simulated observers; nothing here is about people.")
    if study.state != Study.State.CLOSED:
        said.append(
            f"The study is {study.state}: this is how it stands now, after "
            f"{n_of(n_judgments, 'judgment')} that count."
        )
    return said


def file_name(report: Conformance, ending: str) -> str:
    mark = "-simulated" if report.is_simulated else ""
    return f"conformance-{report.study}{mark}.{ending}"
