"""What the annotator's pages say, and in which language: the desk stays as it is."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from annotation.design import presets
from annotation.models import Session, Study

LANGUAGES = {"en": "English", "de": "Deutsch"}
STUDY_TEXTS = ("question", "instructions", "consent", "reward")
COOKIE = "language"
YEAR_S = 60 * 60 * 24 * 365
VERSION_CHARACTERS = 12
# A study that was made without a form has the model's own words.
_MODELS_CONSENT = {
    "en": Study._meta.get_field("consent").get_default(),
    "de": "Ihre Entscheidungen und deren Zeiten werden unter einer zufälligen Nummer gespeichert, "
    "dazu die Eigenschaften von Fenster und Bildschirm (Größe, Farben, Bildwiederholrate). Sonst "
    "wird nichts über Sie gespeichert. Sie können jederzeit aufhören.",
}


def texts_for(study: Study, language: str) -> dict[str, str]:
    """The study's own texts in a language: question, instructions, consent, reward.

    Written for the study first; else the translation of a text that every study may have; else
    as the study has it. Raises ValueError for a language that the pages do not speak.
    """
    _expect_known(language)
    written = study.texts.get(language, {})
    return {
        name: written.get(name) or _known_texts(language).get(text, text)
        for name in STUDY_TEXTS
        for text in [getattr(study, name)]
    }


@cache
def _known_texts(language: str) -> dict[str, str]:
    """What a language has for the English texts that studies are made with."""
    known = {_MODELS_CONSENT["en"]: _MODELS_CONSENT[language]}
    for mode in Study.Mode.values:
        for polarity in Study.Polarity.values:
            texts = presets.texts_for(mode, polarity)
            known |= {text: texts[language][name] for name, text in texts["en"].items()}
    return known


def missing_texts(study: Study, language: str) -> list[str]:
    """Which of the study's texts a language lacks: none may be, or pages would mix languages."""
    if language == "en":
        return []
    written, known = study.texts.get(language, {}), _known_texts(language)
    return [
        name
        for name in STUDY_TEXTS
        if getattr(study, name) and not written.get(name) and getattr(study, name) not in known
    ]


def languages_of(study: Study) -> dict[str, str]:
    """The languages in which this study is complete, by code; English always is."""
    return {code: name for code, name in LANGUAGES.items() if not missing_texts(study, code)}


def language_of(request: HttpRequest, offered: dict[str, str] = LANGUAGES) -> str:
    """As the link says, as chosen before, as the browser wishes, else English."""
    for code in (request.GET.get("language"), request.COOKIES.get(COOKIE)):
        if code in offered:
            return str(code)
    wished = translation.get_language_from_request(request).partition("-")[0]
    return wished if wished in offered else "en"


def remember_language(request: HttpRequest, response: HttpResponse) -> None:
    """A language chosen by its link holds until another is chosen."""
    chosen = request.GET.get("language")
    if chosen in LANGUAGES:
        response.set_cookie(
            COOKIE,
            chosen,
            max_age=YEAR_S,
            httponly=True,
            samesite="Lax",
            secure=settings.IS_HTTPS,
        )
    patch_vary_headers(response, ["Accept-Language", "Cookie"])


def read_by_people(study: Study, language: str) -> dict[str, str]:
    """What is stored with a session: the study's texts, and the version of all other words."""
    return {"version": version(), "language": language, **texts_for(study, language)}


def read_in(session: Session) -> dict[str, str]:
    """The study's texts as this session's person read them; today's where none are stored."""
    texts = texts_for(session.study, session.language)
    return {name: session.texts.get(name, text) for name, text in texts.items()}


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """Pages rendered inside are in this language."""
    _expect_known(language)
    with translation.override(language):
        yield


@cache
def version() -> str:
    """Changes when any committed word changes: sha256 over the .po files and texts.js."""
    files = [
        *sorted(settings.BASE_DIR.glob("locale/*/LC_MESSAGES/django.po")),
        *sorted(settings.BASE_DIR.glob("static/annotation/texts*.js")),
    ]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:VERSION_CHARACTERS]


def _expect_known(language: str) -> None:
    if language not in LANGUAGES:
        raise ValueError(f"Found language {language!r}; expected one of {', '.join(LANGUAGES)}.")
