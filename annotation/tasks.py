"""What the queue does for studies."""

from celery import shared_task

from annotation import planning, scheduling, screening, telling
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
def screen_study(study_id: int) -> None:
    study = Study.objects.filter(pk=study_id).first()
    if study is not None:
        screening.screen(study)


@shared_task
def screen_finished() -> None:
    for study in screening.due():
        screening.screen(study)


@shared_task
def tell_complete() -> None:
    telling.tell_complete()
