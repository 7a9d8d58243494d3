"""A study -> everything that the standards ask to be reported of it, filled from its rows.

One structure; the page, the PDF and the JSON say the same.
"""

from django.utils import timezone

from annotation import conforming_analysis as analysing
from annotation import conforming_material as showing
from annotation import conforming_method as asking
from annotation import conforming_observers as observing
from annotation import conforming_viewing as viewing
from annotation.conformance_items import Conformance, n_of
from annotation.models import Judgment, Study

LEDE = (
    "What was recorded of this study, beside what ITU-T P.910 (10/2023) section 14, ITU-R "
    "BT.500-15 and ISO/IEC 29170-3 (AIC-3) ask to be reported, as far as their public text and "
    "summaries tell. It says what was not controlled, not asked or not recorded, and claims "
    "conformance with none of them. The last column names who asks for an item, where that is "
    "known here.",
)


def conformance(study: Study) -> Conformance:
    viewings = observing.recorded(study)
    return Conformance(
        study=study.slug,
        title=study.title,
        is_simulated=study.is_simulated,
        state=study.state,
        made_at=timezone.now().isoformat(timespec="seconds"),
        lede=(*LEDE, *_state(study)),
        sections=(
            asking.method(study),
            observing.observers(study),
            observing.checks(study, viewings),
            viewing.viewing(study, viewings),
            showing.material(study),
            showing.amount(study),
            asking.order_and_sides(study),
            asking.training(study),
            asking.timing(study),
            analysing.analysis(study),
            analysing.deviations(study),
            analysing.software(),
        ),
    )


def _state(study: Study) -> list[str]:
    said = []
    if study.is_simulated:
        said.append("SIMULATED: answered by simulated observers; nothing here is about people.")
    if study.state != Study.State.CLOSED:
        n = Judgment.objects.of_study(study).counted().count()
        said.append(
            f"The study is {study.state}: this is how it stands now, after "
            f"{n_of(n, 'judgment')} that count."
        )
    return said


def file_name(report: Conformance, ending: str) -> str:
    mark = "-simulated" if report.is_simulated else ""
    return f"conformance-{report.study}{mark}.{ending}"
