"""The processes that a demo or a counter's node keeps: started, started again when they end, stopped with it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

# A child that ends is started again after this pause, so that a broken one does not spin.
RESTART_PAUSE_SECONDS = 0.5
READY_SECONDS = 60.0
_STOP_SECONDS = 15.0


class NotStartedError(Exception):
    """It cannot start; the text is the one line that the person reads."""


def furong(*words: str) -> list[str]:
    """Give the words that start a command of ours by the same Python."""
    return [sys.executable, "-m", "furong.entrypoints.cli", *words]


class Children:
    """Processes beside each other, each with a log of its name in ``home``; `words_of` says how each is started."""

    home: Path
    environment: dict[str, str]
    children: dict[str, subprocess.Popen[bytes]]

    def words_of(self, name: str) -> Sequence[str]:
        """Give the words that start a child."""
        raise NotImplementedError

    def start_children(self, names: Iterable[str]) -> None:
        """Start these, side by side."""
        for name in names:
            self.start_child(name)

    def start_child(self, name: str) -> None:
        """Start one, in a session of its own: Ctrl-C reaches us alone, and we stop them in order."""
        with (self.home / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                self.words_of(name),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_answered(
        self, url: str, *, also: Callable[[], bool] = lambda: True, timeout_seconds: float = READY_SECONDS
    ) -> None:
        """Wait until ``url`` answers and ``also`` holds. Raises `NotStartedError` with where to look."""
        until = time.monotonic() + timeout_seconds
        while time.monotonic() < until:
            for name, child in self.children.items():
                if child.poll() is not None:  # another's process may answer on its port
                    raise NotStartedError(f"{name} ended with code {child.returncode}; see {self.home / name}.log.")
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
                if answer.status == 200 and also():
                    return
            time.sleep(0.1)
        raise NotStartedError(f"The pages did not answer within {timeout_seconds:.0f} s; see {self.home / 'web.log'}.")

    def tend_children(self) -> None:
        """Start again what has ended."""
        for name, child in list(self.children.items()):
            if child.poll() is not None:
                time.sleep(RESTART_PAUSE_SECONDS)
                self.start_child(name)

    def stop_children(self) -> None:
        """Ask all to end, and wait for each; what does not end in time is killed."""
        for child in self.children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self.children.values():
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(5)
        self.children.clear()
