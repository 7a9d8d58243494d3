"""The queue: `light` for short work, `encode` for codecs, `train` for what may use a GPU."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("triad")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
