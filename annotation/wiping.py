"""Delete a study that nothing rests on: a draft, a preview, a dry run. Never people's answers."""

from django.db import transaction

from annotation.models import Annotator, Judgment, Session, Study, Trial
from codecs_eval.models import Run
from codecs_eval.run_kinds import OF_STUDY


def delete_study(study: Study) -> None:
    """With its triplets and, of a preview or a dry run, its answers.

    Raises ValueError for a study that people were asked, or may have been.
    """
    is_real = study.purpose == Study.Purpose.REAL
    if is_real and (study.is_frozen or study.sessions.exists()):
        raise ValueError(f"Study {study.slug} was opened; what people were asked is never deleted.")
    with transaction.atomic():
        _delete_answers(study)
        study.triplets.all().delete()
        # Runs know it by its short name, which another study may take.
        Run.objects.filter(kind__in=OF_STUDY, config__study=study.slug).delete()
        study.delete()


def _delete_answers(study: Study) -> None:
    # What an undo superseded is held by what superseded it: newest first.
    judgments = Judgment.objects.of_study(study)
    while judgments.exists():
        judgments.standing().delete()
    Trial.objects.filter(session__study=study).delete()
    made_up = Annotator.objects.filter(sessions__study=study, is_simulated=True)
    keys = list(made_up.values_list("pk", flat=True))
    Session.objects.filter(study=study).delete()
    # A simulated observer was made for this study alone; a person is somebody elsewhere too.
    Annotator.objects.filter(pk__in=keys, sessions=None).delete()
