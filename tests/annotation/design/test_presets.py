"""Published ways of asking: every mode has its words in every language, presets are whole."""

import pytest

from annotation.design.presets import LANGUAGES, PRESETS, texts_for

MODES = ("side_by_side", "toggle_original", "toggle_copies", "flicker")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("polarity", ["closer", "differs"])
def test_every_mode_asks_in_every_language(mode: str, polarity: str) -> None:
    texts = texts_for(mode, polarity)
    assert set(texts) == set(LANGUAGES)
    for words in texts.values():
        assert set(words) == {"question", "instructions", "consent"}
        assert words["question"].endswith("?")
    assert texts["en"]["question"] != texts["de"]["question"]


@pytest.mark.parametrize("mode", MODES)
def test_the_two_questions_of_a_mode_are_never_the_same(mode: str) -> None:
    closer, differs = texts_for(mode, "closer"), texts_for(mode, "differs")
    for language in LANGUAGES:
        assert closer[language]["question"] != differs[language]["question"]
        assert closer[language]["instructions"] != differs[language]["instructions"]
    assert "closer" in closer["en"]["instructions"]
    assert "differs more" in differs["en"]["instructions"]


def test_the_presets_differ_in_mode_and_question() -> None:
    modes = {name: preset.values["mode"] for name, preset in PRESETS.items()}
    assert modes == {
        "bapps": "side_by_side", "aic3_plain": "toggle_original", "cid22": "toggle_copies",
    }  # fmt: skip
    assert PRESETS["aic3_plain"].values["polarity"] == "differs"
    assert PRESETS["aic3_plain"].values["time_limit_s"] == 30
    assert PRESETS["cid22"].values["min_switches"] == 2
    assert PRESETS["bapps"].values["allow_not_sure"] is False
