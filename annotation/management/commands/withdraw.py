import json
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from annotation.models import Session
from annotation.withdrawing import withdraw
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = (
        "Delete a session's answers because its person wishes so; a counted tombstone stays. "
        "Datasets frozen before keep what they have."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--session", required=True, help="its id, as exports and desk have it")
        parser.add_argument(
            "--yes-delete", action="store_true", help="needed: nothing brings the answers back"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        session = _session(options["session"])
        if session.state == Session.State.WITHDRAWN:
            raise CommandError(f"Session {session.pk} was withdrawn before.")
        if not options["yes_delete"]:
            n = session.trials.exclude(judgments=None).count()
            raise CommandError(
                f"This deletes the answers to {n} trials of session {session.pk} for ever; "
                "say --yes-delete."
            )
        withdraw(session, user=None)
        told = {"session": str(session.pk), "state": session.state, **session.withdrawn}
        self.stdout.write(
            json.dumps(told)
            if options["json"]
            else f"Session {session.pk} withdrawn: {session.withdrawn['judgments']} judgments "
            f"and {session.withdrawn['trials']} trials deleted."
        )


def _session(text: str) -> Session:
    try:
        found = Session.objects.filter(pk=UUID(text)).first()
    except ValueError:
        raise CommandError(f"Found session {text!r}; expected its id.") from None
    if found is None:
        raise CommandError(f"No session has the id {text}.")
    return found
