"""Judged trials by the million, in seconds: a study as people would have left it."""

from django.db import connection
from django.utils import timezone

from annotation.models import Annotator, Judgment, Session, Study, Trial
from benchmarks import serving_rows
from benchmarks.serving_rows import insert, settle

N_TRIPLETS = 10_000


def fill(n: int, *, trials_a_session: int) -> Study:
    """`n` judgments of a closed study of 10,000 triplets; a session is one person's."""
    study = serving_rows.fill(N_TRIPLETS, n // N_TRIPLETS + 1, trials_a_session)
    study.state = Study.State.CLOSED
    study.save(update_fields=["state"])
    first = study.triplets.order_by("pk").values_list("pk", flat=True)[0]
    n_sessions = -(-n // trials_a_session)
    insert(Annotator, n_sessions, {"id": _uuid("1", "i")}, {})
    insert(
        Session,
        n_sessions,
        {"id": _uuid("2", "i"), "annotator_id": _uuid("1", "i"), "seed": "i"},
        {"study_id": study.pk, "state": "finished", "verdict": "trusted"},
    )
    session = f"i / {trials_a_session}"
    insert(
        Trial,
        n,
        {
            "id": _uuid("3", "i"),
            "session_id": _uuid("2", session),
            "annotator_id": _uuid("1", session),
            # 7919 is a prime: nobody sees a triplet twice.
            "triplet_id": f"{first} + (i * 7919) % {N_TRIPLETS}",
            "position": f"i % {trials_a_session}",
            "first_on_left": _flag("i % 2"),
        },
        {"state": "judged", "lease_until": timezone.now()},
    )
    insert(
        Judgment,
        n,
        {
            "id": _uuid("4", "i"),
            "trial_id": _uuid("3", "i"),
            "choice": "CASE i % 5 WHEN 0 THEN 'not_sure' WHEN 1 THEN 'second' ELSE 'first' END",
            "decoded_ms": "100.1 + i % 90", "painted_ms": "117.3 + i % 90",
            "answered_ms": "2117.9 + i % 1900", "response_ms": "2000.6 + i % 1900",
            "hidden_ms": "0.0", "clock_resolution_ms": "0.1",
            "device_pixel_ratio": "1.25", "flicker_hz": "9.9",
        },
        {
            "input": "key", "window_width_px": 1920, "window_height_px": 969, "n_switches": 4,
            "shown_left_px": 0, "shown_top_px": 0, "shown_width_px": 768, "shown_height_px": 512,
            "zoom": 1, "dwell_ms": {"original": 812.5, "left": 640.25, "right": 547.85},
            "client_time": timezone.now(),
        },
    )  # fmt: skip
    settle()
    return study


def _uuid(digit: str, number: str) -> str:
    """SQL of the UUID that begins with `digit` and ends with a number."""
    if connection.vendor == "postgresql":
        return f"CAST('{digit}' || lpad(to_hex({number}), 31, '0') AS uuid)"
    return f"'{digit}' || printf('%031x', {number})"


def _flag(number: str) -> str:
    return f"({number}) = 1" if connection.vendor == "postgresql" else number
