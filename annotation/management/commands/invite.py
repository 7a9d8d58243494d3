import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from annotation import inviting
from annotation.models import Invitation, Study
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Make links that let one person each into a study, or revoke one. Shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", help="short name")
        parser.add_argument("--n", type=int, default=1, help="how many")
        parser.add_argument("--note", default="", help="for whom; only the desk sees it")
        parser.add_argument("--revoke", type=int, metavar="ID", help="an invitation's number")
        parser.add_argument("--site", help="address before the link; default: this machine's own")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            told = self._revoke(options) if options["revoke"] is not None else self._make(options)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(told))
        else:
            for line in told.get("links", [f"Invitation {told.get('revoked')} lets nobody in."]):
                self.stdout.write(line)

    def _revoke(self, options: dict[str, Any]) -> dict[str, Any]:
        found = Invitation.objects.filter(pk=options["revoke"]).first()
        if found is None:
            raise ValueError(f"No invitation has the number {options['revoke']}.")
        inviting.revoke(found)
        return {"revoked": found.pk, "state": found.state}

    def _make(self, options: dict[str, Any]) -> dict[str, Any]:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            known = ", ".join(Study.objects.values_list("slug", flat=True)) or "none yet"
            raise ValueError(f"No study is called {options['study']!r}; known: {known}.")
        site = options["site"] or f"http://{settings.TRIAD_HOST}:{settings.TRIAD_PORT}"
        tokens = inviting.invite(study, options["n"], options["note"])
        links = [site.rstrip("/") + reverse("invitation", args=[token]) for token in tokens]
        return {"study": study.slug, "note": options["note"], "links": links}
