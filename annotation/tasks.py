"""What the queue does for studies."""

from celery import shared_task

from annotation import planning


@shared_task
def return_expired_leases() -> None:
    planning.return_overdue()
