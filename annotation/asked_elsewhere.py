"""Studies that were asked elsewhere and imported: what was done there is not Triad's to tell."""

from collections.abc import Sequence

from annotation.conformance_items import NOT_RECORDED, Item, Section, item
from annotation.models import Study

PROVIDER = "import:"
SAID = "Asked elsewhere; not recorded here."

# What a report says of these is what Triad does, or the defaults of a study made here.
OURS = {
    "Method", "Presentation", "Instructions",
    "Scheduler", "Order", "Sides planned", "Breaks",
    "Recruiting", "Consent", "Payment", "Age, gender, expertise",
    "Colour vision", "Acuity", "Size of the screen",
    "Demanded", "Ground", "Viewing distance", "Luminance and contrast of the screens",
    "Calibration and black level", "Light in the room", "Angle of view, glasses worn",
    "Misses left out", "Study opened", "After opening",
}  # fmt: skip


def is_imported(study: Study) -> bool:
    """Its judgments came in a file: nobody was asked here."""
    return study.sessions.filter(annotator__provider__startswith=PROVIDER).exists()


def elsewhere(label: str, *known: str, by: Sequence[str] = ()) -> Item:
    """An item that is not recorded, with what the file told of it."""
    return item(label, SAID, *known, status=NOT_RECORDED, by=by)


def without_ours(section: Section) -> Section:
    """Of an imported study: nothing of the section's own procedure is claimed."""
    items = (
        elsewhere(found.label, by=found.asked_by) if found.label in OURS else found
        for found in section.items
    )
    return Section(section.title, tuple(items))
