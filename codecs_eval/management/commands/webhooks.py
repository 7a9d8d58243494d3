import json
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from codecs_eval import announcing, delivering
from codecs_eval.management.ready import ReadyCommand
from codecs_eval.models import Delivery, Event, Webhook

EVENTS = [event for event in Event.values if event != Event.PING]


class Command(ReadyCommand):
    help = "List webhooks, add one (its secret is shown once), or send what is due, here and now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", nargs="?", choices=["list", "add", "send"], default="list")
        parser.add_argument("--user", help="add: whose webhook; it hears what they may read")
        parser.add_argument("--url", help="add: http:// or https://")
        parser.add_argument("--events", nargs="+", choices=EVENTS, default=EVENTS)
        parser.add_argument("--study", default="", help="add: short name; default: all")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            rows = {"list": _listed, "add": _added, "send": _sent}[options["act"]](options)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            self.stdout.write("  ".join(f"{key}: {value}" for key, value in row.items()))
        if not rows:
            self.stdout.write("nothing")


def _listed(options: dict[str, Any]) -> list[dict[str, Any]]:
    return [_told(hook) for hook in Webhook.objects.select_related("user")]


def _added(options: dict[str, Any]) -> list[dict[str, Any]]:
    user = User.objects.filter(username=options["user"]).first()
    if user is None or not options["url"]:
        raise ValueError(f"Found user {options['user']!r}, url {options['url']!r}; expected both.")
    hook = announcing.make_webhook(user, options["url"], options["events"], options["study"])
    return [{**_told(hook), "secret": hook.secret}]


def _sent(options: dict[str, Any]) -> list[dict[str, Any]]:
    told = []
    for key in delivering.due():
        state = delivering.deliver(key)
        row = Delivery.objects.get(pk=key)
        told.append({"id": str(key), "event": row.event, "state": state, "answer": row.last_status})
    return told


def _told(hook: Webhook) -> dict[str, Any]:
    return {
        "id": str(hook.pk),
        "user": hook.user.get_username(),
        "url": hook.url,
        "events": hook.events,
        "study": hook.study,
        "is_active": hook.is_active,
    }
