"""Figures are drawn dark on light; on a dark page they follow by a style sheet of their own."""

PAPER, INK, QUIET, RULE = "#161616", "#ececea", "#a8a8a5", "#3a3a39"
# What is drawn -> what a dark page shows in its place; a colour that is readable on both stays.
DARK = {
    "#ffffff": PAPER,
    "#000000": INK,
    "#1a1a1a": INK,
    "#333333": INK,
    "#767676": QUIET,
    "#b0b0b0": RULE,
    "#cccccc": RULE,
    "#e4e4e4": RULE,
    "#ececec": "#2b2b2b",
    "#6e6e6e": QUIET,
    # Lines and words in dark colours: lighter in the same hue.
    "#0072b2": "#4aa3df",
    "#117733": "#4fb36f",
    "#332288": "#a79bf0",
    "#7f3b08": "#c98a55",
    "#882255": "#d67ba6",
}


def followed_in_the_dark(svg: bytes) -> bytes:
    """An SVG of matplotlib's that also reads well where its reader prefers dark.

    Its shapes keep their own colours; a page that shows it as a picture decides by its scheme.
    """
    start = svg.find(b"<svg")
    end = svg.find(b">", start)
    if start < 0 or end < 0:
        return svg
    return svg[: end + 1] + _style().encode() + svg[end + 1 :]


def _style() -> str:
    rules = "".join(
        f'[style*="{property}: {light}"]{{{property}:{dark}!important}}'
        for light, dark in DARK.items()
        for property in ("fill", "stroke")
    )
    # What says no colour of its own is black.
    return f"<style>@media (prefers-color-scheme:dark){{svg{{fill:{INK}}}{rules}}}</style>"
