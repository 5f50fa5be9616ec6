"""The worker: jobs, events, timers and the audit's sealer, each in a loop of its own, in one process."""

from __future__ import annotations

import os
import signal
import threading

from furong.entrypoints import lifeline

NICE = 5


def run(*, die_with_parent: bool = False) -> int:
    """Run every loop until SIGTERM or Ctrl-C. Several workers may run side by side."""
    if die_with_parent:
        lifeline.die_with_parent()
    from furong.entrypoints.wiring import worker_loops
    from furong.foundation.jobs.loops import run_loops

    # On a machine that it shares with the web server, whoever waits for a page comes first.
    os.nice(NICE)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return 1 if run_loops(worker_loops(), stop) else 0
