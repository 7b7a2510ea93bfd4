"""A task that ends its process at once, as the system does when memory runs out, but not the one that waits for it."""

from __future__ import annotations

import os
import time


def die_elsewhere(waiting: int) -> None:
    """End this process unless it is the one with this number, which takes its time."""
    if os.getpid() != waiting:
        os._exit(1)
    time.sleep(0.05)
