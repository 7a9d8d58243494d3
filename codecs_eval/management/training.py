"""Commands that train: in one process or, under torchrun, in several; resumable."""

import os
from typing import Any

from django.core.management.base import CommandError

from codecs_eval.management.running import RunCommand


class TrainingCommand(RunCommand):
    """What `torchrun manage.py train_...` does in each of its processes."""

    def handle(self, **options: Any) -> None:
        n_processes = int(os.environ.get("WORLD_SIZE", "1"))
        if n_processes == 1:
            super().handle(**options)
            return
        if options["queue"]:
            raise CommandError(
                "Found --queue under torchrun; expected one of them: a worker trains in one "
                "process."
            )
        # torch: only where it is needed at once.
        from codecs_eval.training.processes import joined
        from codecs_eval.training_together import help_train

        try:
            with joined() as processes:
                if processes.is_first:
                    super().handle(**options)
                else:
                    help_train()
        except ValueError as error:
            raise CommandError(str(error)) from error


def refuse_settings_of_resumed(given: dict[str, Any], preset: str | None) -> None:
    if given or preset:
        raise ValueError(
            f"Found --resume with {', '.join(sorted(given)) or '--preset'}; expected it "
            f"alone: a training goes on with the settings that it began with."
        )
