"""Who may do what in a study, and who did what."""

from django.conf import settings
from django.db import models

from annotation.models.study import Study


class StudyMember(models.Model):
    """An account's part in one study. A study that nobody is named on is every researcher's."""

    class Role(models.TextChoices):
        OWNER = "owner", "owner: everything, and who takes part"
        RESEARCHER = "researcher", "researcher: designs, opens, screens, exports"
        VIEWER = "viewer", "viewer: reads and exports"
        ANNOTATOR = "annotator", "annotator: answers, and sees nothing of the desk"

    study = models.ForeignKey(Study, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["study", "user"], name="one_role_a_study")]

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.study.slug}"


class StudyChange(models.Model):
    """One thing that was changed, with what stood before; never edited, never deleted."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="changes")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: a command, or Triad itself.",
    )
    by = models.CharField(max_length=150, help_text="Their name then, should the account go.")
    at = models.DateTimeField(auto_now_add=True)
    what = models.CharField(max_length=200, help_text="What was done, in words.")
    before = models.JSONField(default=dict, help_text="Only what changed.")
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.by}: {self.what}"
