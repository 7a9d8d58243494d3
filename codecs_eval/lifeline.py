"""Ties a process to the one that started it, so that a killed parent leaves no orphan behind."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def lifeline(signal_number: int = signal.SIGTERM) -> Callable[[], None]:
    """What a child runs between fork and exec (`preexec_fn`) to be told that its parent died.

    Linux only, elsewhere it does nothing. The kernel watches the *thread* that forks:
    start the child from the main thread. A child of a child needs its own lifeline.
    """
    if sys.platform != "linux":
        return lambda: None
    # Looked up before the fork: a child between fork and exec may not import or allocate much.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def hold() -> None:
        prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:
            # The parent died before the line was tied.
            os.kill(os.getpid(), signal.SIGKILL)

    return hold
