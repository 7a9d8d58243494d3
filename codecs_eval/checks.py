"""Wrong settings, told before they do harm (`manage.py check`, and at every start)."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

SHORTEST_LEASE_S = 4


@register
def check_settings(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    home = Path(settings.TRIAD_HOME)
    if not os.access(home, os.W_OK | os.X_OK):
        found.append(
            Error(
                f"TRIAD_HOME is {home}, where this user may not write.",
                hint="Set TRIAD_HOME to a folder of your own.",
                id="triad.E001",
            )
        )
    if settings.TRIAD_WEIGHTS and not Path(settings.TRIAD_WEIGHTS).is_dir():
        found.append(
            Error(
                f"TRIAD_WEIGHTS is {settings.TRIAD_WEIGHTS}, which is no folder.",
                hint="Name the folder that holds the weight files, or leave it empty.",
                id="triad.E002",
            )
        )
    if settings.RUN_LEASE_S < SHORTEST_LEASE_S:
        found.append(
            Error(
                f"RUN_LEASE_S is {settings.RUN_LEASE_S}, expected at least {SHORTEST_LEASE_S}.",
                hint="A shorter lease takes runs away from workers that are well.",
                id="triad.E003",
            )
        )
    return found
