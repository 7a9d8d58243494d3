from django.apps import AppConfig


class CodecsEvalConfig(AppConfig):
    name = "codecs_eval"
    verbose_name = "Codecs and metrics"
