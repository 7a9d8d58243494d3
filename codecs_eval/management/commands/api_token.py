import json
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from codecs_eval import tokens
from codecs_eval.management.ready import ReadyCommand
from codecs_eval.models import ApiToken


class Command(ReadyCommand):
    help = "Make a token for the API (shown once), list an account's tokens, or revoke one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="whose token; it may do what they may")
        parser.add_argument("--name", help="what it is for; without it the tokens are listed")
        parser.add_argument(
            "--scopes", nargs="+", choices=ApiToken.Scope.values, default=["studies:read"]
        )
        parser.add_argument("--days", type=int, default=90, help="until it expires; default 90")
        parser.add_argument("--revoke", type=int, metavar="ID", help="a token's number")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"No account is called {options['user']!r}.")
        try:
            told = self._do(user, options)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        for row in told if isinstance(told, list) else [told]:
            self.stdout.write("  ".join(f"{key}: {value}" for key, value in row.items()))

    def _do(self, user: User, options: dict[str, Any]) -> Any:
        if options["revoke"] is not None:
            row = ApiToken.objects.filter(user=user, pk=options["revoke"]).first()
            if row is None:
                raise ValueError(f"No token of {user} has the number {options['revoke']}.")
            tokens.revoke(row)
            row.refresh_from_db()
            return _told(row)
        if options["name"]:
            row, text = tokens.make_token(user, options["name"], options["scopes"], options["days"])
            return {"token": text, **_told(row)}
        return [_told(row) for row in ApiToken.objects.filter(user=user)]


def _told(row: ApiToken) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "state": row.state,
        "scopes": row.scopes,
        "expires_at": row.expires_at.isoformat(timespec="seconds"),
    }
