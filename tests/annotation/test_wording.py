"""What the annotator's pages say: complete in German, versioned, and never on the desk."""

import gettext
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from django.utils.translation.template import templatize

from annotation import serving, wording
from annotation.design import presets
from annotation.models import Session, Study
from tests.annotation.po_file import read_po
from tests.factories import begin_in, make_ada, make_session, make_study

TEMPLATES = Path(settings.BASE_DIR) / "templates"
GERMAN = Path(settings.BASE_DIR) / "locale/de/LC_MESSAGES"
# templatize() turns a template into calls of gettext, as for xgettext.
_CALL = re.compile(r"\b(?:n?gettext|_)\(\s*u?(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')")


def annotator_templates() -> dict[str, str]:
    texts = {path.name: path.read_text() for path in TEMPLATES.glob("annotation/*.html")}
    parts = {name: text for name, text in texts.items() if "{% translate" in text}
    return parts | {"base_annotator.html": (TEMPLATES / "base_annotator.html").read_text()}


def msgids_in(template: str) -> set[str]:
    return {eval(match) for match in _CALL.findall(templatize(template))}  # noqa: S307


def test_every_template_of_an_annotator_is_among_those_that_are_translated() -> None:
    found = annotator_templates()
    extends = {
        path.name
        for path in TEMPLATES.glob("annotation/*.html")
        if '"base_annotator.html"' in path.read_text()
    }
    assert {"welcome.html", "trial.html", "thanks.html", "checks.html"} <= extends <= set(found)


def test_every_sentence_of_the_templates_is_translated() -> None:
    catalogue = {key if isinstance(key, str) else key[0]: text for key, text in german().items()}
    missing = {
        msgid: name
        for name, template in annotator_templates().items()
        for msgid in msgids_in(template)
        if not catalogue.get(msgid)
    }
    assert missing == {}
    assert len(catalogue) > 100


def german() -> dict[str | tuple[str, int], str]:
    return read_po(GERMAN / "django.po")


def test_the_compiled_catalogue_is_that_of_the_text_file() -> None:
    with (GERMAN / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    assert compiled == german()


def test_nothing_is_translated_that_no_page_says() -> None:
    said = {msgid for template in annotator_templates().values() for msgid in msgids_in(template)}
    known = {key if isinstance(key, str) else key[0] for key in german()} - {""}
    assert known - said == set()


def test_no_german_sentence_is_english_or_loses_a_value() -> None:
    for key, text in german().items():
        msgid = key if isinstance(key, str) else key[0]
        assert text.strip()
        if " " in msgid:
            assert text != msgid
        values = set(re.findall(r"%\(\w+\)s|\{\w+\}", msgid))
        assert values <= set(re.findall(r"%\(\w+\)s|\{\w+\}", text)) | {"%(n)s"}


class TextOf(HTMLParser):
    """What a page says: its text, and the words of its attributes, line by line."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: set[str] = set()
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        is_silent = tag in {"script", "style", "kbd"} or attributes.get("aria-hidden") == "true"
        has_end = tag not in {"input", "br", "link", "meta"}
        self._silent += is_silent or (self._silent > 0 and has_end)
        self.said |= {attributes.get(name) or "" for name in ("aria-label", "title", "alt")}

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - 1)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.add(" ".join(data.split()))


def words_of(html: str) -> set[str]:
    return {text for text in TextOf(html).said if re.search(r"[A-Za-z]{2}", text)}


# Names, not sentences: the study's own, the languages' own, and what has no other word.
SAME_IN_BOTH = {"Which is closer?", "English", "Deutsch", "Triad", "Original", "Prolific"}
ALL_SETTINGS: dict[str, Any] = {
    "n_practice": 4, "practice_pass_share": 0.75, "n_warm_up": 2, "break_every": 5,
    "time_limit_s": 20, "computers_only": True, "require_ratio_one": True,
    "min_screen_width_px": 800, "min_screen_height_px": 600, "allow_not_sure": True,
    "ask_card": True, "ask_colour_plates": True, "ask_acuity": True,
    "completion_codes": {"finished": "C1"},
}  # fmt: skip


def pages_of(client: Client, study: Study, language: str) -> dict[str, str]:
    """Every page that a person may meet, in the order in which they would."""
    wish = {"HTTP_ACCEPT_LANGUAGE": language}

    def page(name: str, query: str = "") -> str:
        return client.get(reverse(name, args=[study.slug]) + query, **wish).content.decode()

    pages = {"home": client.get("/", **wish).content.decode(), "welcome": page("welcome")}
    client.post(
        reverse("begin", args=[study.slug]), {"consent": "on", "flicker_consent": "on"}, **wish
    )
    session = study.sessions.get(language=language)
    for kind, done in (("card", None), ("plates", "card"), ("rings", "colour_plates")):
        if done:
            checks = session.viewing.get("checks", {})
            session.viewing = {"checks": {**checks, done: {"pixels_per_degree": 40.0}}}
            session.save()
        pages[kind] = page("checks")
    session.viewing["checks"]["acuity"] = {}
    session.save()
    pages |= {"trial": page("trial"), "welcome back": page("welcome"), "leave": page("withdraw")}
    for state in ("failed", "screened_out", "finished", "withdrawn"):
        session.crowd = {"provider": "prolific"} if state == "finished" else {}
        serving.close(session, state)
        session.save()
        pages[state] = page("thanks")
    pages["done"] = page("welcome")
    for code, recruiting in (("account", "accounts"), ("invited", "invited"), ("crowd", "crowd")):
        Study.objects.filter(pk=study.pk).update(recruiting=recruiting, sessions_per_person=0)
        pages[code] = Client().get(reverse("welcome", args=[study.slug]), **wish).content.decode()
    preview = "?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE"
    pages["preview"] = page("welcome", preview)
    Study.objects.filter(pk=study.pk).update(recruiting="open_link")
    bait = {"consent": "on", "flicker_consent": "on", "subject": "buy"}
    robot = Client().post(reverse("begin", args=[study.slug]), bait, **wish)
    pages["robot"] = robot.content.decode()
    for state in ("paused", "closed"):
        Study.objects.filter(pk=study.pk).update(state=state)
        pages[state] = page("welcome")
    Study.objects.filter(pk=study.pk).update(state="open", sessions_per_person=1)
    return pages


@pytest.mark.django_db
@pytest.mark.parametrize("mode", Study.Mode.values)
def test_no_page_in_german_shows_an_english_sentence(mode: str, triad_home: Path) -> None:
    texts = presets.texts_for(mode, "closer")["en"]
    study = make_study(n_sources=1)
    # Beside the planning: no page asks for a picture here.
    Study.objects.filter(pk=study.pk).update(mode=mode, **ALL_SETTINGS, **texts)
    study.refresh_from_db()
    english = pages_of(Client(), study, "en")
    german = pages_of(Client(), study, "de")
    for name, page in german.items():
        assert '<html lang="de">' in page, name
        assert words_of(page) & words_of(english[name]) <= SAME_IN_BOTH, name
        assert words_of(page), name


@pytest.mark.django_db
def test_the_desk_stays_english_whatever_its_reader_wishes(triad_home: Path) -> None:
    study = make_study()
    client = Client()
    client.force_login(make_ada())
    addresses = ("/", "/studies/", study.get_absolute_url(), "/admin/")
    before = {address: words_of(client.get(address).content.decode()) for address in addresses}
    wish = {"HTTP_ACCEPT_LANGUAGE": "de"}
    client.get(reverse("welcome", args=["which"]) + "?language=de", **wish)
    assert client.cookies[wording.COOKIE].value == "de"
    assert translation.get_language() == settings.LANGUAGE_CODE
    for address in addresses:
        page = client.get(address, **wish).content.decode()
        assert '<html lang="en' in page
        assert words_of(page) == before[address]


def request_with(query: str = "", cookie: str = "", wish: str = "") -> Any:
    request = RequestFactory().get("/" + query, HTTP_ACCEPT_LANGUAGE=wish)
    if cookie:
        request.COOKIES[wording.COOKIE] = cookie
    return request


@pytest.mark.parametrize(
    ("query", "cookie", "wish", "language"),
    [
        ("", "", "", "en"),
        ("", "", "de-AT,de;q=0.8,en;q=0.5", "de"),
        ("", "", "fr,de;q=0.8,en;q=0.5", "de"),
        ("", "", "fr", "en"),
        ("", "en", "de", "en"),
        ("?language=de", "en", "en", "de"),
        ("?language=tlh", "de", "en", "de"),
        ("?language=tlh", "xx", "en-US", "en"),
    ],
)
def test_the_language_is_the_links_then_the_cookies_then_the_browsers(
    query: str, cookie: str, wish: str, language: str
) -> None:
    assert wording.language_of(request_with(query, cookie, wish)) == language


def test_a_language_that_a_study_lacks_is_not_spoken() -> None:
    only_english = {"en": "English"}
    assert wording.language_of(request_with("?language=de", "de", "de"), only_english) == "en"


def study_with(**values: Any) -> Study:
    return Study(title="t", slug="t", collection="c", **values)


@pytest.mark.parametrize("mode", Study.Mode.values)
@pytest.mark.parametrize("polarity", Study.Polarity.values)
def test_what_the_presets_ask_is_known_in_german(mode: str, polarity: str) -> None:
    texts = presets.texts_for(mode, polarity)
    study = study_with(mode=mode, polarity=polarity, **texts["en"])
    assert wording.texts_for(study, "de") == {**texts["de"], "reward": ""}
    assert wording.texts_for(study, "en") == {**texts["en"], "reward": ""}
    assert set(wording.languages_of(study)) == {"en", "de"}


def test_a_study_as_the_model_makes_it_speaks_german() -> None:
    assert wording.missing_texts(study_with(), "de") == []
    assert "zufälligen Nummer" in wording.texts_for(study_with(), "de")["consent"]


def test_what_a_study_says_itself_comes_before_what_is_known() -> None:
    study = study_with(texts={"de": {"question": "Welches?", "reward": "5 €"}}, reward="€ 5")
    found = wording.texts_for(study, "de")
    assert (found["question"], found["reward"]) == ("Welches?", "5 €")
    assert found["instructions"].startswith("Sie sehen in der Mitte")
    assert wording.texts_for(study, "en")["reward"] == "€ 5"


def test_a_study_with_a_text_in_english_alone_does_not_offer_german() -> None:
    study = study_with(question="Which would you keep?", reward="£ 2")
    assert wording.missing_texts(study, "de") == ["question", "reward"]
    assert set(wording.languages_of(study)) == {"en"}
    study.texts = {"de": {"question": "Welches behielten Sie?", "reward": "2 £"}}
    assert set(wording.languages_of(study)) == {"en", "de"}


def test_a_language_without_pages_is_refused() -> None:
    with pytest.raises(ValueError, match="Found language 'fr'; expected one of en, de"):
        wording.texts_for(study_with(), "fr")


def test_the_version_is_that_of_the_committed_words(tmp_path: Path, settings: Any) -> None:
    version = wording.version()
    assert re.fullmatch(r"[0-9a-f]{12}", version)
    for name in ("locale/de/LC_MESSAGES/django.po", "static/annotation/texts.js"):
        copy = tmp_path / name
        copy.parent.mkdir(parents=True)
        copy.write_bytes((settings.BASE_DIR / name).read_bytes())
    settings.BASE_DIR = tmp_path
    assert wording.version.__wrapped__() == version
    copy.write_text(copy.read_text() + "// one more word")
    assert wording.version.__wrapped__() != version


@pytest.mark.django_db
def test_what_a_person_read_is_stored_with_their_session(triad_home: Path) -> None:
    study = make_study()
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    begin_in(client, study)
    session = Session.objects.get()
    assert session.language == "de"
    assert session.texts == wording.read_by_people(study, "de")
    assert session.texts["version"] == wording.version()
    assert session.texts["question"] == presets.CLOSER["de"]


@pytest.mark.django_db
def test_a_session_goes_on_in_the_words_it_began_with(triad_home: Path) -> None:
    study = make_study()
    began = {"question": "Old words?"}
    session = make_session(study, language="de", texts=began)
    found = wording.read_in(session)
    assert found["question"] == "Old words?"
    assert found["instructions"] == presets.INSTRUCTIONS["de"]
