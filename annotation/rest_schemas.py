"""What the API says of studies, their triplets and judgments; units stand with each number."""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict

Row = TypeVar("Row")
Choice = Literal["first", "second", "not_sure"]


class Mistake(Schema):
    where: str = Field(description="Where it was found: body.title, query.limit, path.slug.")
    detail: str


class Problem(Schema):
    """A refusal (RFC 9457): `detail` says what was found and what was expected."""

    type: str
    title: str = Field(description="The status in words.")
    status: int = Field(description="The status of HTTP, again.")
    detail: str
    errors: list[Mistake] = Field(description="Each mistake in what was sent; may be empty.")


class Sent(Schema):
    """What is sent to the API: nothing unknown, nothing of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Page(Schema, Generic[Row]):
    items: list[Row]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last one.")


class StudyOut(Schema):
    slug: str = Field(description="Short name; part of every address about the study.")
    title: str
    version: int
    state: Literal["draft", "open", "paused", "closed"]
    purpose: Literal["real", "dry_run", "preview"]
    is_simulated: bool = Field(description="Answered by simulated observers, never by people.")
    question: str
    polarity: Literal["closer", "differs"] = Field(
        description="closer: who is chosen looks closer to the original; differs: the reverse."
    )
    collection: str = Field(description="Whose photos are compared.")
    codecs: list[str]
    rates_bpp: list[float] = Field(description="Target rates in bits per pixel of the whole file.")
    judgments_per_triplet: int = Field(description="Judgments wanted of each triplet.")
    session_length: int = Field(description="Trials in a session, practice apart.")
    created_at: datetime
    opened_at: datetime | None = Field(description="First opening, which froze the design.")


class StudyRead(StudyOut):
    role: str = Field(description="The part of the token's account in the study.")
    settings: dict[str, Any] = Field(
        description="How people are asked; the names and units are those of a new study."
    )
    n_triplets: dict[str, int] = Field(description="Triplets by kind.")


class StudyMade(StudyRead):
    left_out: dict[str, int] = Field(description="Pairs left out of the plan, by reason.")


class StateIn(Sent):
    state: Literal["open", "paused", "closed"]


class SideOut(Schema):
    codec: str
    bpp: float = Field(description="8 x bytes of the whole file / pixels, in bits per pixel.")
    state: str = Field(description="hit, nearest or unreachable: how it met the target rate.")


class TripletOut(Schema):
    id: int
    kind: Literal["main", "practice", "sentinel", "identical"]
    source: str = Field(description="Name of the photo in its collection.")
    target_bpp: float = Field(description="Target rate in bits per pixel; 0: not told.")
    first: SideOut
    second: SideOut
    crop_left_px: int = Field(description="In pixels of the photo, as the other three.")
    crop_top_px: int
    crop_width_px: int
    crop_height_px: int
    expected: Literal["", "first", "second"] = Field(
        description="The right answer, where there is one."
    )
    n_judged: int = Field(description="Trials judged, of sessions screened out too.")


class CellOut(Schema):
    target_bpp: float = Field(description="Target rate in bits per pixel.")
    n_triplets: int
    n_touched: int = Field(description="Triplets with at least one judgment.")
    n_judgments: int = Field(description="Trials judged.")


class ProgressOut(Schema):
    state: Literal["draft", "open", "paused", "closed"]
    is_simulated: bool
    n_triplets: int = Field(description="Main triplets.")
    n_wanted: int = Field(description="Judgments wanted of them all.")
    n_judged: int = Field(description="Trials judged of main triplets, repeats and warm-ups apart.")
    n_missing: int = Field(description="Judgments that single triplets still want.")
    share_done: float = Field(description="1 - n_missing / n_wanted; 1: each has its number.")
    n_sessions: int
    n_finished: int = Field(description="Sessions answered to the end.")
    n_annotators: int
    median_response_ms: float | None = Field(
        description="From the first frame of the pictures to the answer, hidden time taken off, "
        "in ms, of the newest 50,000 that count; null: no answer."
    )
    n_left: int = Field(description="Standing answers for the left picture.")
    n_right: int
    cells: list[CellOut] = Field(description="By target rate.")


class JudgmentOut(Schema):
    id: UUID
    server_time: datetime = Field(description="When the server stored it.")
    client_time: datetime | None = Field(description="The browser's own clock then.")
    session: UUID
    session_state: str
    verdict: str = Field(description="Of the session's newest screening; empty: not screened.")
    annotator: UUID
    is_simulated: bool
    trial: UUID
    position: int = Field(description="Place in the session, from 0.")
    is_warm_up: bool = Field(description="Left out of every analysis.")
    is_repeat: bool = Field(description="Shown before, mirrored.")
    triplet: int
    triplet_kind: str
    choice: Choice
    chosen_codec: str = Field(description="Empty: not sure.")
    first_on_left: bool = Field(description="Where the first copy stood.")
    supersedes: UUID | None = Field(description="The judgment that this one took back.")
    superseded_by: UUID | None = Field(description="null: it stands.")
    response_ms: float | None = Field(description="First frame to answer, in ms.")
    hidden_ms: float = Field(description="Time the page was hidden meanwhile, in ms.")
    n_switches: int = Field(description="Changes of view.")
    zoom: int = Field(description="The largest used, in device pixels an image pixel.")
    marks: list[str] = Field(description="What changed while it was looked at.")


class ResultOut(Schema):
    study: str
    is_simulated: bool
    run: UUID = Field(description="The run that worked it out.")
    finished_at: datetime
    result: dict[str, Any] = Field(description="As the run study_results writes it.")


def answers(good: Any, *more: int, status: int = 200) -> dict[int, Any]:
    """Every answer that an operation may give: the good one, the usual refusals, and `more`."""
    refusals = sorted({401, 403, 422, 429, *more})
    return {status: good, **dict.fromkeys(refusals, Problem)}
