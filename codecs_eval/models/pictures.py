"""Pictures and what is known of them.

SourceImage --codec at a rate--> Reconstruction --metric--> Score
SourceImage --saliency model or imported masks--> SaliencyMap --with given masks--> MaskAgreement
"""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Count, Q

from codecs_eval.codecs.table import CODECS
from codecs_eval.saliency.table import SALIENCY


class SourceImageQuerySet(models.QuerySet["SourceImage"]):
    def with_pixels(self) -> "SourceImageQuerySet":
        return self.exclude(path="")

    def in_collection(self, collection: str) -> "SourceImageQuerySet":
        """Photos that can be encoded, scored and shown."""
        return self.with_pixels().filter(collection=collection)

    def collections(self) -> models.QuerySet["SourceImage", dict[str, Any]]:
        photos: models.QuerySet[SourceImage] = self.with_pixels()
        rows: Any = photos.values("collection").annotate(n_sources=Count("pk"))
        found: models.QuerySet[SourceImage, dict[str, Any]] = rows.order_by("collection")
        return found


class SourceImage(models.Model):
    """An original photograph: where every reconstruction starts.

    One that is known by name alone, from judgments that came without their images, has no path
    and no hash; its size is 0.
    """

    collection = models.SlugField(max_length=80)
    name = models.CharField(max_length=200, help_text="File name without its folder or ending.")
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the pixels: width, height and RGB."
    )
    path = models.CharField(
        max_length=200, blank=True, help_text="The lossless PNG in the store; empty: not here."
    )
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    original_format = models.CharField(max_length=20)
    conversions = models.JSONField(default=list, help_text="What was done to reach 8-bit sRGB.")
    licence = models.CharField(max_length=200)
    attribution = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceImageQuerySet.as_manager()

    class Meta:
        ordering = ["collection", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["collection", "sha256"], condition=~Q(sha256=""), name="source_once"
            ),
            models.UniqueConstraint(fields=["collection", "name"], name="source_name_once"),
            models.CheckConstraint(
                condition=Q(width__gt=0, height__gt=0) | Q(path=""), name="photo_has_a_size"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.collection}/{self.name}"

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def is_jpeg_born(self) -> bool:
        return self.original_format == "JPEG"


class ReconstructionQuerySet(models.QuerySet["Reconstruction"]):
    def of_ladder(
        self, collection: str, codecs: Sequence[str], rates_bpp: Sequence[float]
    ) -> "ReconstructionQuerySet":
        """The loosest and oldest first: the strictest and newest row of a cell comes last."""
        return (
            self.filter(source__collection=collection, codec__in=codecs, target_bpp__in=rates_bpp)
            .exclude(path="")
            .select_related("source")
            .order_by("source", "codec", "target_bpp", "-tolerance", "created_at")
        )


class Reconstruction(models.Model):
    """A source after a codec at a target rate: the bit stream and what it decodes to.

    One from judgments that came without their images has no path, no hash and no costs; a rate
    that nobody told is 0.
    """

    class State(models.TextChoices):
        HIT = "hit"
        NEAREST = "nearest"
        UNREACHABLE = "unreachable"

    source = models.ForeignKey(SourceImage, models.PROTECT, related_name="reconstructions")
    codec = models.CharField(max_length=40)
    codec_version = models.CharField(max_length=200)
    checkpoint = models.ForeignKey("Run", models.PROTECT, null=True, blank=True)
    target_bpp = models.FloatField()
    tolerance = models.FloatField(default=0.02)
    state = models.CharField(max_length=12, choices=State)
    settings = models.JSONField(default=dict)
    bitstream_path = models.CharField(max_length=200, blank=True)
    bitstream_bytes = models.PositiveIntegerField(null=True)
    bitstream_sha256 = models.CharField(max_length=64, blank=True)
    bpp = models.FloatField(help_text="8 x bytes of the whole file / pixels of the source.")
    path = models.CharField(
        max_length=200,
        blank=True,
        help_text="The decoded pixels as a lossless PNG; empty: not here.",
    )
    pixels_sha256 = models.CharField(max_length=64, blank=True)
    encode_cpu_ms = models.FloatField(null=True)
    decode_cpu_ms = models.FloatField(null=True)
    encodes_tried = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReconstructionQuerySet.as_manager()

    class Meta:
        ordering = ["source", "codec", "target_bpp"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "codec", "codec_version", "target_bpp", "tolerance"],
                condition=Q(checkpoint=None),
                name="reconstruction_once",
            ),
            models.UniqueConstraint(
                fields=[
                    "source",
                    "codec",
                    "codec_version",
                    "target_bpp",
                    "tolerance",
                    "checkpoint",
                ],
                condition=Q(checkpoint__isnull=False),
                name="learned_reconstruction_once",
            ),
            models.CheckConstraint(
                condition=Q(target_bpp__gt=0) | Q(target_bpp=0, path=""),
                name="target_rate_positive",
            ),
            # Every number of work that was done here is there, or none of it was done here.
            models.CheckConstraint(
                condition=Q(
                    bitstream_bytes__gt=0,
                    encode_cpu_ms__isnull=False,
                    decode_cpu_ms__isnull=False,
                    encodes_tried__isnull=False,
                )
                | Q(path="", bitstream_bytes=None),
                name="bitstream_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.codec} {self.target_bpp:g} bpp"

    @property
    def codec_label(self) -> str:
        if self.checkpoint is not None:
            return self.checkpoint.title
        return CODECS[self.codec].label if self.codec in CODECS else self.codec

    @property
    def miss(self) -> float:
        """Signed relative distance of the achieved rate from the target."""
        return self.bpp / self.target_bpp - 1


class Score(models.Model):
    """One metric's value for one reconstruction against its source."""

    reconstruction = models.ForeignKey(Reconstruction, models.CASCADE, related_name="scores")
    metric = models.CharField(max_length=60)
    metric_version = models.CharField(max_length=60)
    value = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reconstruction", "metric", "metric_version"], name="score_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric} of {self.reconstruction}: {self.value:.4f}"


class SaliencyMapQuerySet(models.QuerySet["SaliencyMap"]):
    def in_collection(self, collection: str) -> "SaliencyMapQuerySet":
        """What may be shown: of the models, the maps of their present version."""
        present = Q(model__startswith=SaliencyMap.IMPORTED)
        for entry in SALIENCY.values():
            present |= Q(model=entry.name, model_version=entry.version)
        return self.filter(present, source__collection=collection)

    def masks(self) -> "SaliencyMapQuerySet":
        return self.filter(model__startswith=SaliencyMap.IMPORTED)

    def found(self) -> "SaliencyMapQuerySet":
        """By a model, not given by people or other programs."""
        return self.exclude(model__startswith=SaliencyMap.IMPORTED)


class SaliencyMap(models.Model):
    """Where a source draws the eye, as an 8-bit grey PNG of its size: found here, or given.

    Given masks have the model "imported:NAME".
    """

    IMPORTED = "imported:"

    source = models.ForeignKey(SourceImage, models.CASCADE, related_name="saliency_maps")
    model = models.CharField(max_length=60)
    model_version = models.CharField(max_length=60)
    path = models.CharField(max_length=200, help_text="The grey PNG in the store.")
    origin = models.CharField(
        max_length=200,
        help_text="The file that it was read from, or the weights that it was computed with.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SaliencyMapQuerySet.as_manager()

    class Meta:
        ordering = ["source", "model"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "model", "model_version"], name="saliency_map_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_label} of {self.source}"

    @property
    def is_imported(self) -> bool:
        return self.model.startswith(self.IMPORTED)

    @property
    def model_label(self) -> str:
        return SALIENCY[self.model].label if self.model in SALIENCY else self.model


class MaskAgreement(models.Model):
    """How well a map that was found agrees with a mask that was given, of one source."""

    saliency_map = models.ForeignKey(SaliencyMap, models.CASCADE, related_name="agreements")
    mask = models.ForeignKey(SaliencyMap, models.CASCADE, related_name="+")
    version = models.CharField(max_length=20)
    mae = models.FloatField()
    f_adaptive = models.FloatField(null=True, help_text="Empty: the mask marks nothing.")
    f_max = models.FloatField(null=True, help_text="Empty: the mask marks nothing.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["saliency_map", "mask", "version"], name="mask_agreement_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.saliency_map} with {self.mask.model}: MAE {self.mae:.4f}"
