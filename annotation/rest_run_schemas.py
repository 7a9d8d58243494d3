"""What the API says of runs, datasets, codecs and metrics; units stand with each number."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from ninja import Field, Schema

from annotation.rest_schemas import Sent
from codecs_eval.run_kinds import KINDS

State = Literal["queued", "running", "done", "failed", "cancelled"]
if TYPE_CHECKING:
    Kind = str
else:
    Kind = Literal[tuple(KINDS)]


class RunOut(Schema):
    id: UUID
    kind: str
    title: str
    state: State
    progress: float = Field(description="Share done, 0..1.")
    note: str = Field(description="What it does just now.")
    is_simulated: bool = Field(description="Rests on simulated judgments.")
    dataset: UUID | None = Field(description="The dataset that it works on, or has made.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunRead(RunOut):
    config: dict[str, Any] = Field(description="Its settings; GET /run-kinds explains them.")
    result: dict[str, Any] = Field(description="Of a run that is done.")
    error: str = Field(description="Of a run that failed: why, and what to try.")
    is_cancel_wanted: bool


class RunIn(Sent):
    kind: Kind = Field(description="GET /run-kinds lists them.")
    config: dict[str, Any] = Field(
        default_factory=dict, description="Settings of the kind; what is left out has its default."
    )
    dataset: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="Id of a dataset: train_metric and agreement need one.",
    )
    title: str = Field("", max_length=200, description="Empty: the kind's own name.")


class RunKindOut(Schema):
    kind: str
    label: str
    needs_dataset: bool
    config: dict[str, Any] = Field(description="JSON Schema of the settings, units included.")


class DatasetOut(Schema):
    id: UUID
    name: str
    origin: str = Field(description="Whose judgments they are.")
    question: str
    polarity: Literal["closer", "differs"]
    is_simulated: bool
    n_sources: int = Field(description="Photos.")
    n_triplets: int
    n_judgments: int
    manifest_sha256: str = Field(description="Of manifest.json, which names every file's own.")
    created_at: datetime


class DatasetRead(DatasetOut):
    manifest: dict[str, Any] | None = Field(
        description="Filters with what each dropped, split, files; null: its folder is not here."
    )


class CodecOut(Schema):
    name: str
    label: str
    note: str
    is_available: bool = Field(description="Whether it can be used on the server.")
    version: str
    reason: str = Field(description="Why it cannot be used; empty: it can.")


class MetricOut(Schema):
    name: str
    label: str
    definition: str
    version: str
    low: float | None = Field(description="Least value; null: no bound. In the definition's unit.")
    high: float | None = Field(description="Largest value; null: no bound.")
    higher_is_better: bool
    is_simulated: bool = Field(description="Trained on simulated judgments.")
