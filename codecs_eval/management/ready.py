"""Commands that find their tables in place, in a home of their own as well."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class ReadyCommand(BaseCommand):
    """On the home's own SQLite the tables are made on first use; elsewhere it is asked for."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            database = settings.DATABASES["default"]
            if str(database["NAME"]) != str(settings.TRIAD_HOME / "triad.sqlite3"):
                raise CommandError(
                    "The database lacks the newest tables; run `manage.py migrate` first."
                )
            call_command("migrate", verbosity=0, interactive=False)
        return super().execute(*args, **options)
