"""What is compared: an original and two of its reconstructions."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Abs, Least
from django.db.models.lookups import LessThanOrEqual

from annotation.models.study import Study
from codecs_eval.models import Reconstruction, SourceImage


def at_one_rate(tolerance: float, to_triplet: str = "") -> Q:
    """Triplets that tell which codec is better at a rate: two codecs, one known target rate, files
    that differ in size by no more than the study's tolerance of the smaller one.

    `to_triplet`: the way there from the rows that are filtered, such as "trial__triplet__".
    """
    first, second = f"{to_triplet}first__", f"{to_triplet}second__"
    gap = Abs(F(f"{first}bpp") - F(f"{second}bpp"))
    allowed = Least(F(f"{first}bpp"), F(f"{second}bpp")) * tolerance
    same = {f"{first}target_bpp": F(f"{second}target_bpp"), f"{first}target_bpp__gt": 0}
    return (
        Q(**same) & ~Q(**{f"{first}codec": F(f"{second}codec")}) & Q(LessThanOrEqual(gap, allowed))
    )


class TripletQuerySet(models.QuerySet["Triplet"]):
    def neediest_first(self) -> "TripletQuerySet":
        """The order in which triplets are handed out.

        The active scheduler's block; then the fewest judgments and open leases. Among equals the
        one with fewer judgments, whose leases may yet run out; then the study's seeded order.
        """
        return self.order_by("-priority", "n_assigned", "n_judged", "shuffle")


class Triplet(models.Model):
    """An original and two of its reconstructions; unordered, so first < second.

    In an identical triplet both are the same one.
    """

    class Kind(models.TextChoices):
        MAIN = "main"
        PRACTICE = "practice"
        SENTINEL = "sentinel"
        IDENTICAL = "identical"

    study = models.ForeignKey(Study, models.CASCADE, related_name="triplets")
    source = models.ForeignKey(SourceImage, models.PROTECT)
    first = models.ForeignKey(Reconstruction, models.PROTECT, related_name="+")
    second = models.ForeignKey(Reconstruction, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.MAIN)
    target_bpp = models.FloatField()
    crop_left_px = models.PositiveIntegerField()
    crop_top_px = models.PositiveIntegerField()
    crop_width_px = models.PositiveIntegerField()
    crop_height_px = models.PositiveIntegerField()
    shuffle = models.PositiveIntegerField(help_text="Place in the study's seeded order.")
    expected = models.CharField(
        max_length=6,
        blank=True,
        choices=[("first", "first"), ("second", "second")],
        help_text="The right answer to the study's question, where there is one.",
    )
    n_assigned = models.PositiveIntegerField(
        default=0, help_text="Trials judged or under a lease: what the balance looks at."
    )
    n_judged = models.PositiveIntegerField(default=0, help_text="Trials judged.")
    priority = models.PositiveIntegerField(
        default=0, help_text="Place in the active scheduler's block, highest first; 0: not in it."
    )

    objects = TripletQuerySet.as_manager()

    class Meta:
        ordering = ["study", "shuffle"]
        indexes = [
            models.Index(
                "study",
                "kind",
                F("priority").desc(),
                "n_assigned",
                "n_judged",
                "shuffle",
                name="neediest_first",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "kind", "first", "second"], name="triplet_once"
            ),
            models.CheckConstraint(
                condition=(~Q(kind="identical") & Q(first__lt=F("second")))
                | Q(kind="identical", first=F("second")),
                name="triplet_is_unordered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source.name}: {self.first.codec} / {self.second.codec}"

    @property
    def box(self) -> tuple[int, int, int, int]:
        """left, top, right, bottom in pixels of the source."""
        return (
            self.crop_left_px,
            self.crop_top_px,
            self.crop_left_px + self.crop_width_px,
            self.crop_top_px + self.crop_height_px,
        )
