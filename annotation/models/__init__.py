"""Rows of the people's half of the loop.

Study -> Triplet (source, two reconstructions)
Annotator -> Session -> Trial (one triplet, shown once) -> Judgment
Invitation -> Session -> Screening (what was made of its answers, and by whom)
StudyMember (who may do what) and StudyChange (who did what) -> Study
"""

from annotation.models.judgment import Judgment, JudgmentQuerySet, Trial, TrialQuerySet
from annotation.models.session import Annotator, Invitation, Screening, Session
from annotation.models.study import QUESTION, RESERVED_SLUGS, Study, StudyQuerySet
from annotation.models.team import StudyChange, StudyMember
from annotation.models.triplet import Triplet, TripletQuerySet, at_one_rate

__all__ = [
    "QUESTION",
    "RESERVED_SLUGS",
    "Annotator",
    "Invitation",
    "Judgment",
    "JudgmentQuerySet",
    "Screening",
    "Session",
    "Study",
    "StudyChange",
    "StudyMember",
    "StudyQuerySet",
    "Trial",
    "TrialQuerySet",
    "Triplet",
    "TripletQuerySet",
    "at_one_rate",
]
