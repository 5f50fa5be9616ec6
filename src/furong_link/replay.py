"""The replay guard: a nonce of a key is taken once within the time in which its message could be accepted."""

from __future__ import annotations

from furong_link.errors import Refusal


class ReplayGuard:
    """Remembers nonces in two generations. A message is acceptable for twice the skew at most, so a nonce is kept for
    that long at least and three times at most. ``limit`` bounds the memory (about 200 bytes a nonce).
    """

    __slots__ = ("_current", "_limit", "_previous", "_span", "_turned")

    def __init__(self, *, skew_seconds: int, limit: int = 2_000_000) -> None:
        self._span = 2 * skew_seconds + 1
        self._limit = limit
        self._current: set[tuple[str, str]] = set()
        self._previous: set[tuple[str, str]] = set()
        self._turned = 0.0

    def take(self, *, key_id: str, nonce: str, now: float) -> None:
        """Take a nonce. Refuses one already taken, and any while the memory is full.

        Call it after the signature was verified: who cannot sign cannot fill the memory.
        """
        self._turn(now)
        entry = (key_id, nonce)
        if entry in self._current or entry in self._previous:
            raise Refusal("replayed")
        if len(self._current) + len(self._previous) >= self._limit:
            raise Refusal("replay_guard_full", retry_after_seconds=self._span)
        self._current.add(entry)

    def _turn(self, now: float) -> None:
        passed = now - self._turned
        if passed < self._span:
            return
        # After a pause of two spans nothing of either generation can be accepted any more.
        self._previous = self._current if passed < 2 * self._span else set()
        self._current = set()
        self._turned = now

    def __len__(self) -> int:
        return len(self._current) + len(self._previous)
