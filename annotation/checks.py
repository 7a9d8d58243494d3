"""Viewing checks before the first trial: size of the screen, colour vision, acuity.

What a person answers is kept as sent, in Session.viewing["checks"]; what it means is worked out
here, from the session's seed, so that no page knows the right answers.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotation import serving
from annotation.design import acuity, plates
from annotation.models import Session, Study

CARD, COLOUR_PLATES, ACUITY = "card", "colour_plates", "acuity"
DISTANCE_CM = (20, 300)
USUAL_DISTANCE_CM = 60
# From a wall display seen from afar to the finest telephone.
PIXELS_PER_MM = (0.5, 40.0)
# Whole numbers in the payload: a thousandth of the disc is far less than a pixel.
_DOT_UNIT = 1000


def asked(study: Study) -> list[str]:
    """The checks of a study in their order; rings need the size of the screen first."""
    wanted = {
        CARD: study.ask_card or study.ask_acuity,
        COLOUR_PLATES: study.ask_colour_plates,
        ACUITY: study.ask_acuity,
    }
    return [kind for kind, is_asked in wanted.items() if is_asked]


def due(session: Session) -> list[str]:
    """The checks that this session has still to make, in their order."""
    done = session.viewing.get("checks", {})
    left = [kind for kind in asked(session.study) if kind not in done]
    if ACUITY in left and done.get(CARD, {}).get("is_skipped"):
        left.remove(ACUITY)
    return left


def material(session: Session, kind: str) -> dict[str, Any]:
    """What the page of a check needs to draw; never the right answers of the plates."""
    if kind == COLOUR_PLATES:
        return {"plates": [_drawn(plate) for plate in plates.make_plates(session.seed)]}
    if kind == ACUITY:
        px_per_degree = session.viewing["checks"][CARD]["pixels_per_degree"]
        sizes = acuity.sizes_for(px_per_degree)
        return {
            "gaps_px": [round(acuity.gap_px(size, px_per_degree), 3) for size in sizes],
            "rings_a_size": acuity.RINGS_A_SIZE,
            "directions": acuity.directions_for(session.seed, len(sizes)),
        }
    return {
        "card_mm": acuity.CARD_MM,
        "distance_cm": USUAL_DISTANCE_CM,
        "pixels_per_mm": PIXELS_PER_MM,
    }


def _drawn(plate: plates.Plate) -> list[list[Any]]:
    whole = (plate.dots * _DOT_UNIT).round().astype(int).tolist()
    return [[*dot, colour] for dot, colour in zip(whole, plate.colours, strict=True)]


def record(session: Session, kind: str, sent: Mapping[str, Any]) -> None:
    """Store one check; the first answer stands. Colour plates not passed end the session.

    Raises ValueError for answers that cannot be.
    """
    with transaction.atomic():
        held = Session.objects.select_for_update().select_related("study").get(pk=session.pk)
        if held.state == Session.State.ACTIVE and kind in due(held):
            found = _READERS[kind](held, sent)
            done = {**held.viewing.get("checks", {}), kind: {**found, "at": _now()}}
            held.viewing = {**held.viewing, "checks": done}
            held.save(update_fields=["viewing"])
            if kind == COLOUR_PLATES and not found["is_passed"]:
                serving.close(held, Session.State.SCREENED_OUT)
    session.refresh_from_db()


def _now() -> str:
    return timezone.now().isoformat(timespec="seconds")


def _read_card(session: Session, sent: Mapping[str, Any]) -> dict[str, Any]:
    if sent.get("is_skipped") is True:
        return {"is_skipped": True}
    width_px = _number(sent, "card_width_px", (1, 10_000))
    ratio = _number(sent, "device_pixel_ratio", (0.1, 20))
    distance_cm = _number(sent, "distance_cm", DISTANCE_CM)
    # A page's own zoom changes both factors and leaves their product.
    px_per_mm = width_px * ratio / acuity.CARD_MM[0]
    if not PIXELS_PER_MM[0] <= px_per_mm <= PIXELS_PER_MM[1]:
        raise ValueError(
            f"Found {px_per_mm:.2f} device pixels per mm; expected "
            f"{PIXELS_PER_MM[0]} to {PIXELS_PER_MM[1]}."
        )
    return {
        "card_width_px": width_px,
        "device_pixel_ratio": ratio,
        "distance_cm": distance_cm,
        "pixels_per_mm": round(px_per_mm, 4),
        "css_pixels_per_mm": round(width_px / acuity.CARD_MM[0], 4),
        "pixels_per_degree": round(acuity.pixels_per_degree(px_per_mm, 10 * distance_cm), 3),
    }


def _read_plates(session: Session, sent: Mapping[str, Any]) -> dict[str, Any]:
    answers = _words(sent, "answers", plates.ALL_ANSWERS)
    seen = plates.read_plates(session.seed, answers)
    return {
        "answers": answers,
        "right": list(plates.digits_of(session.seed)),
        "families": list(plates.FAMILIES),
        "n_wrong": seen.n_wrong,
        "n_wrong_protan": seen.n_wrong_protan,
        "n_wrong_deutan": seen.n_wrong_deutan,
        "n_wrong_control": seen.n_wrong_control,
        "is_passed": seen.is_passed,
    }


def _read_rings(session: Session, sent: Mapping[str, Any]) -> dict[str, Any]:
    answers = _words(sent, "answers", (*acuity.DIRECTIONS, acuity.NOT_SEEN))
    sizes = acuity.sizes_for(session.viewing["checks"][CARD]["pixels_per_degree"])
    found = acuity.read_rings(session.seed, sizes, answers)
    return {
        "answers": answers,
        "right": list(acuity.directions_for(session.seed, len(sizes))),
        "sizes_logmar": list(sizes),
        "n_right": list(found.n_right),
        "logmar": found.logmar,
        "is_limit_of_screen": found.is_limit_of_screen,
    }


_READERS: dict[str, Callable[[Session, Mapping[str, Any]], dict[str, Any]]] = {
    CARD: _read_card,
    COLOUR_PLATES: _read_plates,
    ACUITY: _read_rings,
}


def _number(sent: Mapping[str, Any], name: str, between: tuple[float, float]) -> float:
    value = sent.get(name)
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    # What is no number is between no two.
    if not between[0] <= number <= between[1]:
        raise ValueError(f"Found {name}={value!r}; expected {between[0]} to {between[1]}.")
    return float(number)


def _words(sent: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> list[str]:
    words = sent.get(name)
    if not isinstance(words, list) or not all(word in allowed for word in words):
        expected = ", ".join(repr(word) for word in allowed)
        raise ValueError(f"Found {name}={words!r}; expected a list of {expected}.")
    return words
