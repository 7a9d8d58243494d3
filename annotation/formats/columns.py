"""The data dictionary: what stands in each column of a file, and in which unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "whole", "number", "flag", "moment"]


@dataclass(frozen=True)
class Column:
    """`unit` is "" where there is none. `kind`: id (a UUID or empty); text; whole (integer);
    number (float); flag (1 or 0 in CSV, else true or false); moment (ISO 8601 with its zone)."""

    name: str
    kind: Kind
    unit: str
    meaning: str


def columns(text: str) -> tuple[Column, ...]:
    """One line a column: name | kind | unit | meaning."""
    found = []
    for line in text.strip().splitlines():
        name, kind, unit, meaning = (part.strip() for part in line.split("|"))
        found.append(Column(name, kind, unit, meaning))  # type: ignore[arg-type]
    return tuple(found)


def names(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(column.name for column in columns)


# What a session's every row repeats.
SESSION = columns("""
study | text | | Short name of the study.
study_version | whole | | Version of the study; what people are asked does not change within one.
is_simulated | flag | | 1: answered by simulated observers, never by people.
polarity | text | | closer: asked which is closer to the original; differs: which differs more.
question | text | | The question as this person read it.
mode | text | | How the pictures stood: side_by_side, toggle_original, toggle_copies, flicker.
rate_tolerance | number | | Share by which the sizes of a pair's two files may differ at a rate.
preset | text | | The published way of asking that the settings began from; may be empty.
language | text | | Language that the person read, as its code.
session_id | text | | One person's sitting in one study.
annotator_id | id | | The person, under a random id.
session_started | moment | | When the session began.
session_state | text | | active, finished, failed (the practice), screened_out or withdrawn.
screening | text | | trusted, doubtful, excluded, or "not screened".
""")

TRIAL = columns("""
trial_id | id | | One triplet before one person, once.
position | whole | | Place of the trial in its session, from 0.
is_repeat | flag | | Shown a second time, mirrored; left out of analyses.
is_warm_up | flag | | One of the first trials; left out of analyses.
""")

# What a triplet's every row repeats.
TRIPLET = columns("""
triplet_id | text | | An original with two of its reconstructions.
triplet_kind | text | | main, practice, sentinel (obvious answer) or identical (two equal copies).
expected | text | | The right answer to the question where there is one: first or second.
collection | text | | Collection of the original.
source | text | | Name of the original in its collection.
crop_left_px | whole | px | Left edge of what was shown, in the original.
crop_top_px | whole | px | Top edge of what was shown, in the original.
crop_width_px | whole | px | Width of what was shown; 0: not known.
crop_height_px | whole | px | Height of what was shown; 0: not known.
target_bpp | number | bit/px | The rate that the first copy was made for; of most pairs, both.
first_codec | text | | Codec of the first copy.
first_target_bpp | number | bit/px | The rate that the first copy was made for.
first_bpp | number | bit/px | Rate of the first copy's whole file over the whole original.
first_settings | text | | Settings of the first copy's codec, as JSON.
first_state | text | | hit, nearest or unreachable: how the first copy met its target rate.
second_codec | text | | Codec of the second copy.
second_target_bpp | number | bit/px | The rate that the second copy was made for.
second_bpp | number | bit/px | Rate of the second copy's whole file over the whole original.
second_settings | text | | Settings of the second copy's codec, as JSON.
second_state | text | | hit, nearest or unreachable: how the second copy met its target rate.
""")

ANSWER = columns("""
first_on_left | flag | | 1: the first copy stood on the left.
choice | text | | The answer to the question: first, second or not_sure.
chosen_codec | text | | Codec of the chosen copy; empty for not_sure.
chosen_side | text | | left or right; empty for not_sure.
supersedes | id | | The judgment that this one replaced, by an undo.
superseded_by | id | | The judgment that replaced this one; analyses leave this one out.
decoded_ms | number | ms | All pictures decoded, on the page's monotonic clock.
painted_ms | number | ms | First frame after decoding, on the same clock.
answered_ms | number | ms | The answering event's own timestamp, on the same clock.
response_ms | number | ms | Answered minus painted.
hidden_ms | number | ms | How long the page was hidden meanwhile.
active_ms | number | ms | Response time without the hidden time.
clock_resolution_ms | number | ms | Smallest step of the clock, as measured.
input | text | | key, mouse or touch.
device_pixel_ratio | number | | Device pixels a CSS pixel.
window_width_px | whole | px | Inner width of the window, in CSS pixels.
window_height_px | whole | px | Inner height of the window, in CSS pixels.
n_switches | whole | | Changes of view before the answer.
dwell_original_ms | number | ms | How long the original was shown.
dwell_left_ms | number | ms | How long the left copy was shown.
dwell_right_ms | number | ms | How long the right copy was shown.
flicker_hz | number | Hz | Changes of picture a second, as measured.
shown_left_px | whole | px | Left edge of the part that was shown, within the crop.
shown_top_px | whole | px | Top edge of the part that was shown, within the crop.
shown_width_px | whole | px | Width of the part that was shown.
shown_height_px | whole | px | Height of the part that was shown.
zoom | whole | | The largest zoom used.
marks | text | | What changed meanwhile: ratio, window, monitor, hidden, time_up.
client_time | moment | | The browser's clock at the answer.
server_time | moment | | When the server stored the answer.
""")

JUDGMENT_ID = columns("judgment_id | id | | The answer; made by the browser, unique.")

JUDGMENTS = (*JUDGMENT_ID, *SESSION, *TRIAL, *TRIPLET, *ANSWER)

TRIPLETS = (
    *columns("""
study | text | | Short name of the study.
is_simulated | flag | | 1: answered by simulated observers, never by people.
"""),
    *TRIPLET,
    *columns("""
source_sha256 | text | | SHA-256 of the original's pixels; empty where they are not here.
source_width_px | whole | px | Width of the whole original; 0: not known.
source_height_px | whole | px | Height of the whole original; 0: not known.
licence | text | | Licence of the original.
attribution | text | | Whom the licence wants named.
first_codec_version | text | | Version of the first copy's codec and its libraries.
first_pixels_sha256 | text | | SHA-256 of the first copy's pixels.
second_codec_version | text | | Version of the second copy's codec and its libraries.
second_pixels_sha256 | text | | SHA-256 of the second copy's pixels.
n_judged | whole | | Counted trials judged: neither warm-ups nor repeats; screened ones too.
"""),
)

VOTES = columns("""
name | text | | The triplet's name in this folder, without an ending.
triplet_id | text | | The triplet in the study.
is_simulated | flag | | 1: answered by simulated observers, never by people.
source | text | | Name of the original.
first_codec | text | | Codec of p0 (A).
first_target_bpp | number | bit/px | The rate that it was made for.
first_bpp | number | bit/px | Rate of its whole file.
first_settings | text | | Its settings, as JSON.
second_codec | text | | Codec of p1 (B).
second_target_bpp | number | bit/px | The rate that it was made for.
second_bpp | number | bit/px | Rate of its whole file.
second_settings | text | | Its settings, as JSON.
target_bpp | number | bit/px | The rate that p0 (A) was made for; of most pairs, both.
n | whole | | Judgments that count.
n_first | whole | | Judgments that call p0 (A) the closer one.
n_second | whole | | Judgments that call p1 (B) the closer one.
n_not_sure | whole | | Judgments that call neither the closer one.
share_second | number | | (n_second + n_not_sure / 2) / n: what stands in judge/NAME.npy.
""")
