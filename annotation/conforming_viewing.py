"""Of a conformance report: what the pictures were seen on, and what nobody controlled."""

from collections.abc import Callable
from typing import Any

from annotation.asked_elsewhere import elsewhere
from annotation.conformance_items import (
    AIC3,
    BT500,
    NOT_CONTROLLED,
    NOT_RECORDED,
    P910,
    REPORTED,
    Item,
    Section,
    counted,
    item,
    spread,
)
from annotation.conforming_answers import Answers
from annotation.conforming_observers import distance
from annotation.models import Study

Viewings = list[dict[str, Any]]


def viewing(study: Study, answers: Answers) -> Section:
    viewings = answers.viewings
    if study.is_simulated:
        said = "Nothing to report: simulated observers look at no screen."
        return Section("Viewing conditions", (item("Screens", said, status=NOT_RECORDED),))
    return Section(
        "Viewing conditions",
        (
            item("Demanded", *_demanded(study), by=(P910, AIC3)),
            _measured("Screens (device pixels)", viewings, _screen, by=(P910, AIC3)),
            _measured("Device pixels a CSS pixel", viewings, _named("device_pixel_ratio")),
            _measured("Windows (CSS pixels)", viewings, _window),
            _spread("Refresh rate", viewings, "refresh_rate_hz", "Hz", 1),
            _measured("Colour gamut", viewings, _named("colour_gamut")),
            _measured("Colour depth (bits)", viewings, _named("colour_depth_bits")),
            _measured("Dynamic range", viewings, _named("dynamic_range")),
            _spread("Resolution of the clock", viewings, "clock_resolution_ms", "ms", 3),
            _measured("Pointers", viewings, _named("pointer")),
            item("Ground", "Grey, sRGB 119 in each channel (linear 18 %), nothing else beside the "
                 "pictures.", by=(BT500, P910)),
            distance(study, viewings),
            _zoom(study, answers),
            _changes(study, answers),
            _not_controlled("Luminance and contrast of the screens", "peak 70 to 500 cd/m²"),
            _not_controlled("Calibration and black level", "set by PLUGE"),
            _not_controlled("Light in the room", "200 lux at home, a background of 0.15 of peak"),
            item("Angle of view, glasses worn", "Not controlled and not asked.",
                 status=NOT_CONTROLLED),
        ),
    )  # fmt: skip


def _demanded(study: Study) -> list[str]:
    size = f"{study.min_screen_width_px} x {study.min_screen_height_px} device pixels"
    demands = {
        f"a screen of at least {size}": study.min_screen_width_px or study.min_screen_height_px,
        "one device pixel a CSS pixel": study.require_ratio_one,
        "a computer": study.computers_only,
    }
    said = [demand for demand, holds in demands.items() if holds]
    return [
        f"{', '.join(said).capitalize()}." if said else "Nothing of the screen.",
        f"In a small window: {study.get_when_small_display()}.",
        "A change of zoom, monitor, window or tab covers the pictures and marks the trial.",
    ]


def _named(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda viewing: viewing.get(name)


def _screen(viewing: dict[str, Any]) -> str | None:
    width = viewing.get("screen_device_width_px")
    return f"{width} x {viewing.get('screen_device_height_px')}" if width else None


def _window(viewing: dict[str, Any]) -> str | None:
    width = viewing.get("window_width_px")
    return f"{width} x {viewing.get('window_height_px')}" if width else None


def _measured(
    label: str,
    viewings: Viewings,
    of: Callable[[dict[str, Any]], Any],
    by: tuple[str, ...] = (P910,),
) -> Item:
    values = [found for found in map(of, viewings) if found is not None]
    said = f"{counted(values)} (of {len(viewings):,} sessions)"
    return item(label, said, status=REPORTED if values else NOT_RECORDED, by=by)


def _spread(label: str, viewings: Viewings, name: str, unit: str, decimals: int) -> Item:
    values = [viewing.get(name) for viewing in viewings]
    has_any = any(value is not None for value in values)
    said = f"{spread(values, unit, decimals)} of {len(viewings):,} sessions"
    return item(label, said, status=REPORTED if has_any else NOT_RECORDED, by=(P910,))


def _zoom(study: Study, answers: Answers) -> Item:
    used = f"Used in {answers.n('n_zoomed'):,} counted judgments, {answers.largest_zoom}× at most."
    if answers.is_imported:
        return elsewhere("Magnification", used if answers.n("n_zoomed") else "", by=(P910,))
    if study.largest_zoom == 1:
        return item("Magnification", "None: one image pixel on one device pixel.", by=(P910,))
    return item(
        "Magnification",
        f"Up to {study.largest_zoom}× allowed.",
        used,
        by=(P910,),
    )


def _changes(study: Study, answers: Answers) -> Item:
    if not answers.marks and answers.is_imported:
        return elsewhere("Changed during a trial", by=(P910,))
    said = ", ".join(f"{mark.replace('_', ' ')}: {n:,}" for mark, n in answers.marks.items())
    return item("Changed during a trial", f"{said or 'nothing'} (counted judgments).", by=(P910,))


def _not_controlled(label: str, asked: str) -> Item:
    return item(
        label,
        f"Not controlled and not measured: people used screens and rooms of their own. BT.500-15 "
        f"asks for: {asked}.",
        status=NOT_CONTROLLED,
        by=(BT500, P910),
    )
