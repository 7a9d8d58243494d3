"""Rows of the machine's half of the loop: pictures, runs, and what goes out to other programs."""

from codecs_eval.models.outward import ApiToken, Delivery, DeliveryQuerySet, Event, Webhook
from codecs_eval.models.pictures import (
    MaskAgreement,
    Reconstruction,
    ReconstructionQuerySet,
    SaliencyMap,
    SaliencyMapQuerySet,
    Score,
    SourceImage,
    SourceImageQuerySet,
)
from codecs_eval.models.runs import Dataset, Run, RunLine, RunMetric, RunPart, RunQuerySet

__all__ = [
    "ApiToken",
    "Dataset",
    "Delivery",
    "DeliveryQuerySet",
    "Event",
    "MaskAgreement",
    "Reconstruction",
    "ReconstructionQuerySet",
    "Run",
    "RunLine",
    "RunMetric",
    "RunPart",
    "RunQuerySet",
    "SaliencyMap",
    "SaliencyMapQuerySet",
    "Score",
    "SourceImage",
    "SourceImageQuerySet",
    "Webhook",
]
