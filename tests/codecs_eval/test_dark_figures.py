"""Figures on a dark page: their own style sheet follows, what they draw stays."""

from xml.etree import ElementTree

from matplotlib.figure import Figure

from codecs_eval.agreement import drawing
from codecs_eval.codecs.table import CODECS
from codecs_eval.dark_figures import DARK, PAPER, followed_in_the_dark
from codecs_eval.serving_files import svg_reply


def drawn() -> bytes:
    figure = Figure()
    figure.add_subplot().plot([1, 2], color=drawing.INK)
    return drawing.svg(figure)


def test_a_figure_in_a_page_follows_and_a_download_is_as_drawn() -> None:
    figure = drawn()
    shown = svg_reply(figure, "figure.svg").content
    assert b"prefers-color-scheme:dark" in shown
    assert shown.replace(shown[shown.find(b"<style>") : shown.find(b"</style>") + 8], b"", 1) == (
        figure
    )
    assert svg_reply(figure, "figure.svg", as_attachment=True).content == figure
    assert ElementTree.fromstring(shown).tag.endswith("svg")


def test_what_is_drawn_in_ink_or_on_paper_has_another_colour_in_the_dark() -> None:
    shown = followed_in_the_dark(drawn()).decode()
    for colour in (drawing.INK, "#ffffff"):
        assert f": {colour}" in shown
        assert f'[style*="fill: {colour}"]{{fill:{DARK[colour]}!important}}' in shown


def test_every_codecs_colour_stands_out_on_dark_paper() -> None:
    for entry in CODECS.values():
        colour = entry.colour.lower()
        # Names stand beside their lines in the same colour: as readable as text.
        assert contrast(DARK.get(colour, colour), PAPER) >= 4.5, entry.name


def contrast(one: str, two: str) -> float:
    """WCAG 2.2's contrast ratio of two colours."""
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_what_is_no_svg_is_left_alone() -> None:
    assert followed_in_the_dark(b"nothing") == b"nothing"
