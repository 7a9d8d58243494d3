import json
import shlex
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation import demo


class Command(BaseCommand):
    help = "Start the site and fill it with the whole loop on photographs (or on your own)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--photos", type=Path, help="a folder of your own photos")
        parser.add_argument("--json", action="store_true", help="tell address and login as JSON")

    def handle(self, **options: Any) -> None:
        photos = options["photos"]
        if photos is not None and not photos.is_dir():
            raise CommandError(f"{photos} is not a folder; expected one with photos.")
        call_command("migrate", verbosity=0, interactive=False)
        self._tell_login(demo.make_admin(), as_json=options["json"])
        fill = ["fill_demo", *(["--photos", str(photos.resolve())] if photos else [])]
        call_command("up", then=shlex.join(fill), no_migrate=True)

    def _tell_login(self, password: str | None, *, as_json: bool) -> None:
        address = f"http://{settings.TRIAD_HOST}:{settings.TRIAD_PORT}"
        if as_json:
            self.stdout.write(
                json.dumps({"address": address, "user": "admin", "password": password})
            )
            return
        self.stdout.write(f"Address:  {address}  (the desk: log in; the admin: {address}/admin/)")
        if password:
            self.stdout.write(f"Login:    admin, password {password} (shown this once)")
        else:
            self.stdout.write("Login:    as before (forgotten: manage.py changepassword admin)")
        self.stdout.write(f"Files:    {settings.TRIAD_HOME}")
        self.stdout.flush()
