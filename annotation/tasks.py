"""What the queue does for studies."""

from celery import shared_task
from django.contrib.auth.models import User

from annotation import auditing, planning, scheduling, screening, stopping
from annotation.models import Study


@shared_task
def return_expired_leases() -> None:
    planning.return_overdue()


@shared_task
def plan_blocks() -> None:
    active = Study.objects.filter(scheduler=Study.Scheduler.ACTIVE, state=Study.State.OPEN)
    for study in active:
        if scheduling.is_due(study):
            scheduling.plan_block(study)


@shared_task
def screen_study(study_id: int, user_id: int | None = None) -> None:
    study = Study.objects.filter(pk=study_id).first()
    asked = User.objects.filter(pk=user_id).first() if user_id else None
    if study is not None:
        screening.screen(study, asked or auditing.TRIAD)


@shared_task
def screen_finished() -> None:
    for study in screening.due():
        screening.screen(study, auditing.TRIAD)


@shared_task
def check_stopping() -> None:
    for study in stopping.due():
        stopping.check_due(study)
