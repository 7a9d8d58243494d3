"""Published ways of asking, as settings of a study: mode, limits, wording and its polarity.

Sources: Zhang et al. 2018 (BAPPS), ISO/IEC 29170-3 plain triplet comparison (AIC-3), Cloudinary's
CID22 (Sneyers et al. 2023). What they leave open keeps Triad's own default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "de")

CLOSER = {
    "en": "Which one is closer to the picture in the middle?",
    "de": "Welches ist dem Bild in der Mitte ähnlicher?",
}
CLOSER_TO_ORIGINAL = {
    "en": "Which one is closer to the original?",
    "de": "Welches ist dem Original ähnlicher?",
}
CLOSER_TO_LEFT = {
    "en": "Which one is closer to the picture on the left: A or B?",
    "de": "Welches ist dem linken Bild ähnlicher: A oder B?",
}
DIFFERS_MORE = {
    "en": "Which one differs more from the original?",
    "de": "Welches weicht stärker vom Original ab?",
}
DIFFERS_FROM_MIDDLE = {
    "en": "Which one differs more from the picture in the middle?",
    "de": "Welches weicht stärker vom Bild in der Mitte ab?",
}
DIFFERS_FROM_LEFT = {
    "en": "Which one differs more from the picture on the left: A or B?",
    "de": "Welches weicht stärker vom linken Bild ab: A oder B?",
}
INSTRUCTIONS = {
    "en": "You will see a picture in the middle and two copies of it, left and right. Choose the "
    "copy that looks closer to the one in the middle. There is no right or wrong: we want to "
    "know what you see.",
    "de": "Sie sehen in der Mitte ein Bild und links und rechts je eine Kopie davon. Wählen Sie "
    "die Kopie, die dem Bild in der Mitte ähnlicher sieht. Es gibt kein Richtig oder Falsch: Wir "
    "möchten wissen, was Sie sehen.",
}
TOGGLE_INSTRUCTIONS = {
    "en": "You will see two copies of a picture side by side. Hold the space bar, or press and "
    "hold a picture, to see the original in their place. Choose the copy that looks closer to "
    "the original.",
    "de": "Sie sehen zwei Kopien eines Bildes nebeneinander. Halten Sie die Leertaste oder ein "
    "Bild gedrückt, um an ihrer Stelle das Original zu sehen. Wählen Sie die Kopie, die dem "
    "Original ähnlicher sieht.",
}
DIFFERS_INSTRUCTIONS = {
    "en": "You will see two copies of a picture side by side. Hold the space bar, or press and "
    "hold a picture, to see the original in their place. Choose the copy that differs more from "
    "the original. Look at the original at least once.",
    "de": "Sie sehen zwei Kopien eines Bildes nebeneinander. Halten Sie die Leertaste oder ein "
    "Bild gedrückt, um an ihrer Stelle das Original zu sehen. Wählen Sie die Kopie, die stärker "
    "vom Original abweicht. Sehen Sie sich das Original mindestens einmal an.",
}
SWITCH_INSTRUCTIONS = {
    "en": "You will see the original on the left. On the right the space bar, or a click, "
    "switches between two copies, A and B. Choose the copy that looks closer to the original. "
    "Look at both at least once.",
    "de": "Links sehen Sie das Original. Rechts wechselt die Leertaste oder ein Klick zwischen "
    "zwei Kopien, A und B. Wählen Sie die Kopie, die dem Original ähnlicher sieht. Sehen Sie sich "
    "beide mindestens einmal an.",
}
FLICKER_INSTRUCTIONS = {
    "en": "You will see two copies of a picture side by side. Each of them alternates quickly "
    "with the original: where a copy differs, it seems to flicker. Choose the copy that looks "
    "closer to the original, the one that flickers less.",
    "de": "Sie sehen zwei Kopien eines Bildes nebeneinander. Jede wechselt schnell mit dem "
    "Original ab: Wo eine Kopie abweicht, scheint sie zu flackern. Wählen Sie die Kopie, die dem "
    "Original ähnlicher sieht, also weniger flackert.",
}
DIFFERS_SIDE_INSTRUCTIONS = {
    "en": "You will see a picture in the middle and two copies of it, left and right. Choose the "
    "copy that differs more from the one in the middle. There is no right or wrong: we want to "
    "know what you see.",
    "de": "Sie sehen in der Mitte ein Bild und links und rechts je eine Kopie davon. Wählen Sie "
    "die Kopie, die stärker vom Bild in der Mitte abweicht. Es gibt kein Richtig oder Falsch: Wir "
    "möchten wissen, was Sie sehen.",
}
DIFFERS_SWITCH_INSTRUCTIONS = {
    "en": "You will see the original on the left. On the right the space bar, or a click, "
    "switches between two copies, A and B. Choose the copy that differs more from the original. "
    "Look at both at least once.",
    "de": "Links sehen Sie das Original. Rechts wechselt die Leertaste oder ein Klick zwischen "
    "zwei Kopien, A und B. Wählen Sie die Kopie, die stärker vom Original abweicht. Sehen Sie "
    "sich beide mindestens einmal an.",
}
DIFFERS_FLICKER_INSTRUCTIONS = {
    "en": "You will see two copies of a picture side by side. Each of them alternates quickly "
    "with the original: where a copy differs, it seems to flicker. Choose the copy that differs "
    "more from the original, the one that flickers more.",
    "de": "Sie sehen zwei Kopien eines Bildes nebeneinander. Jede wechselt schnell mit dem "
    "Original ab: Wo eine Kopie abweicht, scheint sie zu flackern. Wählen Sie die Kopie, die "
    "stärker vom Original abweicht, also stärker flackert.",
}
CONSENT = {
    "en": "Your choices and their timing are stored under a random number, together with what "
    "your window, screen and browser are like (size, colours, refresh rate, language, name of "
    "the browser). Where somebody sent you with a worker's number, it is stored too, so that you "
    "can be paid. Nothing else about you is stored. You may stop at any time, and delete your "
    "answers afterwards.",
    "de": "Ihre Entscheidungen und deren Zeiten werden unter einer zufälligen Nummer gespeichert, "
    "dazu die Eigenschaften von Fenster, Bildschirm und Browser (Größe, Farben, "
    "Bildwiederholrate, Sprache, Name des Browsers). Hat Sie jemand mit einer Teilnehmernummer "
    "geschickt, wird auch diese gespeichert, damit Sie bezahlt werden können. Sonst wird nichts "
    "über Sie gespeichert. Sie können jederzeit aufhören und Ihre Antworten danach löschen.",
}


@dataclass(frozen=True)
class Preset:
    """values: settings of a study by their names; its wording follows from mode and polarity."""

    name: str
    label: str
    values: Mapping[str, Any]


def _table(*presets: Preset) -> dict[str, Preset]:
    return {preset.name: preset for preset in presets}


PRESETS = _table(
    Preset(
        "bapps",
        "BAPPS: three pictures side by side, 64 px, forced choice",
        {
            "mode": "side_by_side",
            "polarity": "closer",
            "crop": "random",
            "crop_px": 64,
            "allow_not_sure": False,
            "largest_zoom": 4,
        },
    ),
    Preset(
        "aic3_plain",
        "AIC-3 plain: two copies, hold for the original, which differs more",
        {
            "mode": "toggle_original",
            "polarity": "differs",
            "crop": "centre",
            "crop_px": 620,
            "allow_not_sure": True,
            "min_switches": 1,
            "shortest_view_ms": 500,
            "time_limit_s": 30,
            "min_screen_width_px": 1920,
            "min_screen_height_px": 1080,
            "require_ratio_one": True,
            "computers_only": True,
            "ask_colour_plates": True,
        },
    ),
    Preset(
        "cid22",
        "CID22: the original beside A and B, switched in place, or can't choose",
        {
            "mode": "toggle_copies",
            "polarity": "closer",
            "crop": "centre",
            "crop_px": 512,
            "allow_not_sure": True,
            "min_switches": 2,
            "n_warm_up": 3,
            "session_length": 30,
            "sentinel_share": 2 / 30,
        },
    ),
)

# By mode, for each polarity: the question and the instructions.
_CLOSER: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "side_by_side": (CLOSER, INSTRUCTIONS),
    "toggle_original": (CLOSER_TO_ORIGINAL, TOGGLE_INSTRUCTIONS),
    "toggle_copies": (CLOSER_TO_LEFT, SWITCH_INSTRUCTIONS),
    "flicker": (CLOSER_TO_ORIGINAL, FLICKER_INSTRUCTIONS),
}
_DIFFERS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "side_by_side": (DIFFERS_FROM_MIDDLE, DIFFERS_SIDE_INSTRUCTIONS),
    "toggle_original": (DIFFERS_MORE, DIFFERS_INSTRUCTIONS),
    "toggle_copies": (DIFFERS_FROM_LEFT, DIFFERS_SWITCH_INSTRUCTIONS),
    "flicker": (DIFFERS_MORE, DIFFERS_FLICKER_INSTRUCTIONS),
}


def texts_for(mode: str, polarity: str) -> dict[str, dict[str, str]]:
    """What a study of a mode and polarity says: {language: {question, instructions, consent}}."""
    question, instructions = (_CLOSER if polarity == "closer" else _DIFFERS)[mode]
    return {
        language: {
            "question": question[language],
            "instructions": instructions[language],
            "consent": CONSENT[language],
        }
        for language in LANGUAGES
    }
