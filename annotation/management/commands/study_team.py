import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotation import screening, team
from codecs_eval.management.ready import ReadyCommand


class Command(ReadyCommand):
    help = "Say who takes part in a study and as what; name somebody, or take their part away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, help="short name")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--add", metavar="NAME", help="an account's user name; needs --role")
        what.add_argument("--remove", metavar="NAME")
        what.add_argument("--list", action="store_true", help="the default")
        parser.add_argument("--role", choices=team.Role.values, help="of who is added")
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        try:
            study = screening.study_called(options["study"])
            if options["add"]:
                if not options["role"]:
                    raise ValueError("Found no --role; say what the account may do.")
                user = team.account_called(options["add"])
                team.name_member(study, user, options["role"], by=None)
            elif options["remove"]:
                team.remove_member(study, team.account_called(options["remove"]), by=None)
        except ValueError as error:
            raise CommandError(str(error)) from error
        named = {member.user.get_username(): member.role for member in team.by_rank(study)}
        if options["json"]:
            self.stdout.write(json.dumps({"study": study.slug, "members": named}))
            return
        for name, role in named.items():
            self.stdout.write(f"{role:<10}  {name}")
        if not named:
            self.stdout.write(f"Nobody is named on {study.slug}: it is every researcher's.")
