"""Commands that launch a run: here in the foreground, or handed to the workers with --queue."""

import json
import subprocess
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from codecs_eval import run_parts, runs, tasks
from codecs_eval.lifeline import lifeline
from codecs_eval.management.ready import ReadyCommand
from codecs_eval.models import Run
from codecs_eval.run_kinds import KINDS

BAR = 30


class RunCommand(ReadyCommand):
    """`launch` makes the run from the options; the rest is the same for all kinds."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--queue", action="store_true", help="hand the run to the workers and return at once"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def launch(self, options: dict[str, Any]) -> Run:
        """A queued run from the command line; raises ValueError saying what was wrong."""
        raise CommandError("This command launches nothing.")

    def handle(self, **options: Any) -> None:
        try:
            run = self.launch(options)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if options["queue"]:
            tasks.enqueue(run)
        else:
            self._work_here(run)
            run.refresh_from_db()
            if run.state != Run.State.DONE:
                raise CommandError(f"Run {run.pk} {run.state}: {run.error or 'stopped'}")
        self.tell_result(run, as_json=options["json"])

    def tell_result(self, run: Run, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"run": str(run.pk), "state": run.state, **run.result}))
            return
        self.stdout.write(f"run {run.pk}: {run.state}")
        for key, value in run.result.items():
            if not isinstance(value, list | dict):
                self.stdout.write(f"  {key}: {value}")

    def _work_here(self, run: Run) -> None:
        owner = runs.new_owner()
        try:
            if not runs.claim(run.pk, owner):
                raise CommandError(f"Run {run.pk} was taken by a worker.")
            if KINDS[run.kind].is_in_parts:
                self._drain_here(run, owner)
            else:
                runs.execute(run.pk, owner, self._show)
        except KeyboardInterrupt:
            runs.finish(run.pk, owner, Run.State.CANCELLED)
            raise CommandError(
                "Stopped. What was finished is kept; run it again to go on."
            ) from None
        finally:
            if self.stderr.isatty():
                self.stderr.write("")

    def _drain_here(self, run: Run, owner: str) -> None:
        if run_parts.begin(run, owner) == 0:
            return
        manage = str(settings.BASE_DIR / "manage.py")
        children = [
            subprocess.Popen(
                [sys.executable, manage, "drain_parts", str(run.pk)], preexec_fn=lifeline()
            )
            for _ in range(settings.ENCODE_PROCESSES)
        ]
        try:
            # Workers of a running site may take parts of this run too.
            while any(child.poll() is None for child in children) or (
                run.is_active and run_parts.is_anybody_at_work(run)
            ):
                time.sleep(0.5)
                run.refresh_from_db()
                self._show(run.progress, run.note)
        finally:
            for child in children:
                child.terminate()
                child.wait()
        run_parts.sweep()
        run.refresh_from_db()
        if run.is_active:
            runs.finish(
                run.pk, owner, Run.State.FAILED, error="The encoding processes ended early."
            )

    def _show(self, share: float, note: str) -> None:
        if self.stderr.isatty():
            done = round(share * BAR)
            line = f"\r[{'#' * done}{'.' * (BAR - done)}] {share:4.0%} {note[:60]:<60}"
            self.stderr.write(line, ending="")
