"""One choice of sessions -> all that its judgments say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from annotation.models import Study
from annotation.results_joint import JointScale, joint_scale
from annotation.results_json import rate_json
from annotation.results_judging import (
    Asked,
    Counts,
    RateResult,
    at_one_rate,
    counts_of,
    results_by_rate,
)
from annotation.results_people import PeopleResult, people_result
from annotation.results_reading import StudyRows
from codecs_eval.named_codecs import codec_entry


@dataclass(frozen=True, eq=False)
class Analysis:
    """What one choice of sessions says.

    Judgments that stand in no rate: `n_two_targets` compare two target rates, `n_apart` files
    whose sizes differ by more than the study's tolerance, `n_without_rate` have no known rate,
    `n_one_codec` one codec twice.
    """

    counts: Counts
    n_two_targets: int
    n_apart: int
    n_without_rate: int
    n_one_codec: int
    rates: tuple[RateResult, ...]
    joint: JointScale
    people: PeopleResult

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": asdict(self.counts),
            "not_in_a_rate": {
                "two_targets": self.n_two_targets,
                "apart": self.n_apart,
                "without_rate": self.n_without_rate,
                "one_codec": self.n_one_codec,
            },
            "rates": [rate_json(found) for found in self.rates],
            "joint": self.joint.to_json(),
            "people": self.people.to_json(),
        }


def codecs_of(study: Study, rows: pd.DataFrame) -> list[str]:
    """In the study's order; those that only the rows name (imported ones) by name after them."""
    found = {*rows["first_codec"], *rows["second_codec"]}
    return [*study.codecs, *sorted(found - set(study.codecs))]


def analyse(
    rows: StudyRows, codecs: Sequence[str], anchor: str, asked: Asked, *, everybody: bool = False
) -> Analysis:
    """As screened, or with the excluded sessions."""
    with_repeats = rows.with_repeats(everybody=everybody)
    return _analysed(rows.counted(everybody=everybody), with_repeats, codecs, anchor, asked)


def _analysed(
    rows: pd.DataFrame,
    with_repeats: pd.DataFrame,
    codecs: Sequence[str],
    anchor: str,
    asked: Asked,
) -> Analysis:
    names = {codec: codec_entry(codec).label for codec in codecs}
    is_one_codec = rows["first_codec"] == rows["second_codec"]
    is_unknown = (rows["first_target_bpp"] <= 0) | (rows["second_target_bpp"] <= 0)
    is_two = ~is_unknown & rows["rate_bpp"].isna()
    is_one_rate = rows.index.isin(at_one_rate(rows).index)
    rest = ~is_one_rate & ~is_unknown & ~is_two
    return Analysis(
        counts=counts_of(rows),
        n_two_targets=int(is_two.sum()),
        n_apart=int((rest & rows["is_apart"]).sum()),
        n_without_rate=int(is_unknown.sum()),
        n_one_codec=int((rest & ~rows["is_apart"] & is_one_codec).sum()),
        rates=results_by_rate(rows, codecs, names, asked),
        joint=joint_scale(rows, codecs, names, anchor, asked),
        people=people_result(rows, with_repeats, asked),
    )
