from django.apps import AppConfig


class CodecsEvalConfig(AppConfig):
    name = "codecs_eval"
    verbose_name = "Codecs and metrics"

    def ready(self) -> None:
        from codecs_eval import checks  # noqa: F401 - registers them
