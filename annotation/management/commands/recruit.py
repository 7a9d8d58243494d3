import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from annotation import recruiting
from annotation.models import Study
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Say who may come into a study, what to send them, and who came; change the first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name")
        parser.add_argument("--mode", choices=Study.Recruiting.values, help="default: as it is")
        parser.add_argument(
            "--code",
            action="append",
            metavar="OUTCOME=CODE",
            help="a provider's code for finished, failed or screened_out; given again, one each",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"No study is called {options['study']!r}.")
        try:
            if options["mode"] or options["code"]:
                codes = {**study.completion_codes, **_codes(options["code"] or [])}
                recruiting.change_recruiting(study, options["mode"] or study.recruiting, codes)
        except ValueError as error:
            raise CommandError(str(error)) from error
        told = _told(study)
        if options["json"]:
            self.stdout.write(json.dumps(told))
        else:
            for name, value in told.items():
                self.stdout.write(f"{name}: {value}")


def _codes(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    wrong = [word for word, (_, sign, _) in zip(words, pairs, strict=True) if not sign]
    if wrong:
        raise ValueError(f"Found code {wrong[0]!r}; expected OUTCOME=CODE.")
    return {outcome: code for outcome, _, code in pairs}


def _told(study: Study) -> dict[str, Any]:
    address = reverse("welcome", args=[study.slug])
    came = recruiting.came(study)
    return {
        "study": study.slug,
        "recruiting": study.recruiting,
        "completion_codes": study.completion_codes,
        "links": [link.address for link in recruiting.links_for(study, address)],
        "sessions": came.by_state,
        "judgments_withdrawn": came.n_judgments_withdrawn,
    }
