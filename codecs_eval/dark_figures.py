"""A figure that was drawn dark on white, turned for a dark page: the same lines in other tones."""

import re

# What the plots are drawn with -> what a dark page shows. Colours of Okabe and Ito are seen on
# both; the darkest of the others are lifted.
_TONES = {
    b"#ffffff": b"#161616",
    b"white": b"#161616",
    b"#1a1a1a": b"#ececea",
    b"#000000": b"#ffffff",
    b"black": b"#ffffff",
    b"#6e6e6e": b"#a8a8a5",
    b"#767676": b"#a8a8a5",
    b"#ececec": b"#2b2b2b",
    b"#e4e4e4": b"#3a3a39",
    b"#0072b2": b"#4aa3df",
    b"#882255": b"#d67ba6",
    b"#332288": b"#a79bf0",
    b"#117733": b"#4fb36f",
    b"#7f3b08": b"#c98a55",
}
_PAINT = re.compile(rb"((?:fill|stroke|stop-color): ?)(#[0-9a-fA-F]{6}|white|black)\b")


def dark(svg: bytes) -> bytes:
    """Only paints are changed; words and ids that look like a colour stay."""
    painted = _PAINT.sub(lambda found: found[1] + _TONES.get(found[2].lower(), found[2]), svg)
    # Matplotlib does not write a black fill, for black is what it is without one.
    return painted.replace(b"</style>", b"svg{fill: #ffffff}</style>", 1)
