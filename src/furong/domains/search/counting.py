"""How often what was asked and opened, added up in this process and written every few seconds.

No person, no time of day, no address.

What has not been written when a process ends is lost: these are figures for editors, not evidence.
"""

from __future__ import annotations

import threading
import time
from datetime import date
from hashlib import sha256

from furong.domains.search import commands
from furong.domains.search.scrubbing import scrub

EVERY_SECONDS = 5.0
_MOST = 5_000

_lock = threading.Lock()
_waiting: dict[tuple[date, str], list[int]] = {}
_words: dict[str, str] = {}
_written = [0.0]


def token_of(text: str) -> str:
    """Name a question without saying it: what a link carries so that opening it can be counted."""
    return sha256(" ".join(scrub(text).lower().split()).encode()).hexdigest()[:16]


def count_search(*, text: str, found: int, today: date) -> None:
    """Count a question and whether anything was found for it."""
    token = token_of(text)
    _add(today, token, (1, 0 if found else 1, 0, 0), scrub(text))


def count_opened(*, token: str, place: int, today: date) -> None:
    """Count that a result was opened, and at which place it stood (from 1).

    A strange token counts nowhere.
    """
    if len(token) == 16 and all(one in "0123456789abcdef" for one in token):
        _add(today, token, (0, 0, 1, min(max(place, 1), 1_000)), "")


def write_out() -> None:
    """Write what was counted. One statement."""
    with _lock:
        rows = [
            (day, token, _words.get(token, ""), counts[0], counts[1], counts[2], counts[3])
            for (day, token), counts in _waiting.items()
        ]
        _waiting.clear()
        _words.clear()
        _written[0] = time.monotonic()
    commands.add_tallies(rows)


def _add(day: date, token: str, counts: tuple[int, int, int, int], words: str) -> None:
    with _lock:
        kept = _waiting.get((day, token))
        if kept is None:
            if len(_waiting) >= _MOST:
                return
            kept = _waiting[day, token] = [0, 0, 0, 0]
        for place, number in enumerate(counts):
            kept[place] += number
        if words:
            _words[token] = words
        due = time.monotonic() - _written[0] > EVERY_SECONDS
    if due:
        write_out()


def forget() -> None:
    """Forget what was counted and not written: for tests."""
    with _lock:
        _waiting.clear()
        _words.clear()
        _written[0] = time.monotonic()
