"""How an operator's key hands over to its next, so that gateways and nodes go on without joining anew.

A hand-over names both public keys, is numbered, and is signed by both: by the old one, which says who follows, and by the new
one, which shows that it is held. It travels beside each file that the operator signs. Whoever trusts the old key and reads such a
file trusts the new one from then on; the old one counts beside it for a grace that the operator chooses, none when it was stolen.
A hand-over can be followed for ninety days: whoever was away for longer compares fingerprints again, so that an old key, once
forgotten, opens nothing.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from furong_link.errors import ConfigurationError, KeyFileError
from furong_link.keys import SUITES, Signer, Verifier, verifier

CONTEXT = b"furong.exchange.handover.v1\0"
GRACE_DAYS, MOST_GRACE_DAYS = 7, 30
FOLLOWED_SECONDS = 90 * 86_400.0
SENT, MOST_SENT = "furong-handovers", 4  # the header beside a push, and how many it tells
MOST = 64  # hand-overs that a file carries: more than a decade of yearly ones


@dataclass(frozen=True, slots=True)
class KeyName:
    """A public key by algorithm and base64."""

    algorithm: str
    public: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.public}"

    @classmethod
    def of(cls, text: str) -> KeyName:
        """Read ``ALGORITHM:BASE64``. Raises ConfigurationError."""
        algorithm, _, public = text.partition(":")
        found = cls(algorithm, public)
        found.verifies(b"", b"")
        return found

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Say whether a signature is this key's. Raises ConfigurationError when it is no key."""
        try:
            return verifier(algorithm=self.algorithm, public=self.public).verify(message, signature)
        except KeyFileError as error:
            raise ConfigurationError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Handover:
    """One hand-over that was checked: ``number`` is that of the new key (the first has 1), ``until`` when the old one ends."""

    number: int
    old: KeyName
    new: KeyName
    at: float
    until: float


def hand_over(
    *, number: int, old: Signer, new: Signer, names: tuple[KeyName, KeyName], at: datetime, until: datetime
) -> dict[str, Any]:
    """Give the hand-over from ``old`` to ``new`` (their public keys are ``names``), signed by both."""
    text = json.dumps(
        {
            "number": number,
            "old": str(names[0]),
            "new": str(names[1]),
            "at": at.astimezone(UTC).isoformat(),
            "until": until.astimezone(UTC).isoformat(),
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode()
    return {
        "payload": b64encode(text).decode(),
        "old": b64encode(old.sign(CONTEXT + b"old" + text)).decode(),
        "new": b64encode(new.sign(CONTEXT + b"new" + text)).decode(),
    }


def read_handover(sent: Mapping[str, Any]) -> Handover:
    """Read a hand-over and check both signatures. Raises ConfigurationError."""
    try:
        text = b64decode(sent["payload"], validate=True)
        said = json.loads(text)
        found = Handover(
            number=int(said["number"]),
            old=KeyName.of(str(said["old"])),
            new=KeyName.of(str(said["new"])),
            at=datetime.fromisoformat(said["at"]).timestamp(),
            until=datetime.fromisoformat(said["until"]).timestamp(),
        )
        signatures = {name: b64decode(sent[name], validate=True) for name in ("old", "new")}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError("A hand-over of the operator's key is not of the form.") from error
    if not found.old.verifies(CONTEXT + b"old" + text, signatures["old"]):
        raise ConfigurationError("A hand-over is not signed by the key that hands over.")
    if not found.new.verifies(CONTEXT + b"new" + text, signatures["new"]):
        raise ConfigurationError("A hand-over is not signed by the key that takes over.")
    if found.new.algorithm not in SUITES or not 1 < found.number < 10_000 or found.until < found.at:
        raise ConfigurationError("A hand-over is not of the form.")
    return found


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signature counts: an operator's key, its number, and the one before it until its grace is over (Unix seconds)."""

    key: KeyName
    number: int = 1
    before: KeyName | None = None
    until: float = 0.0

    def after(self, sent: Sequence[Mapping[str, Any]], *, now: float) -> Trust:
        """Give what is trusted once the hand-overs of a file were followed: each from the key held, in the order of numbers.

        What is of an earlier number is passed over, so that an old key cannot hand over a second time. Raises ConfigurationError
        for one that does not hold.
        """
        found = self
        if not isinstance(sent, list) or len(sent) > MOST:
            raise ConfigurationError("The hand-overs of the operator's key are not of the form.")
        for one in sent:
            given = read_handover(one)
            if given.number <= found.number or given.old != found.key:
                continue
            if given.at + FOLLOWED_SECONDS <= now:
                raise ConfigurationError("The operator's key was changed, and the time to take it over is past.")
            found = Trust(given.new, given.number, found.key, given.until)
        return found

    def counts(self, message: bytes, signature: bytes, *, algorithm: str, now: float) -> bool:
        """Say whether a signature is the operator's: by the key in force, or by the one before it within its grace."""
        keys = [self.key, *([self.before] if self.before is not None and now < self.until else [])]
        return any(key.algorithm == algorithm and key.verifies(message, signature) for key in keys)

    def as_json(self) -> dict[str, Any]:
        """Give what `of_json` reads."""
        return {**asdict(self), "key": str(self.key), "before": str(self.before) if self.before else None}

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> Trust:
        """Read what `as_json` gave. Raises ConfigurationError."""
        try:
            before = KeyName.of(str(found["before"])) if found.get("before") else None
            return cls(KeyName.of(str(found["key"])), int(found["number"]), before, float(found["until"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError("What is kept of the operator's key is not of the form.") from error


class Line:
    """The keys of one gateway, each handed over to the next: the newest, and those before it whose grace is not over."""

    __slots__ = ("_keys", "algorithm")

    def __init__(self, keys: Sequence[Verifier]) -> None:
        self._keys, self.algorithm = tuple(keys), keys[0].algorithm

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Say whether one of them signed."""
        return any(key.verify(message, signature) for key in self._keys)


def line_of(key: Verifier, sent: object, *, now: float | None = None) -> Verifier:
    """Give what signs for the gateway whose ``key`` one knows, by its hand-overs: ``key`` itself when none concerns it.

    What ``key`` handed over to counts, and what that did; so do those that handed over to ``key``, since each hand-over is
    signed by both. With ``now`` (Unix seconds), for what is signed today: within the ninety days in which a hand-over is
    followed, and the grace of each old key. Without it, for a log that the chain of its records holds together: all of them.
    Raises ConfigurationError.
    """
    if not isinstance(sent, list) or len(sent) > MOST:
        raise ConfigurationError("The hand-overs of the gateway's key are not of the form.")
    steps = []
    for one in sent:
        given = read_handover(one)
        text, old, new = (b64decode(one[name]) for name in ("payload", "old", "new"))
        steps.append((given, CONTEXT + b"old" + text, old, CONTEXT + b"new" + text, new))
    newest = oldest = key
    before: list[Verifier] = []
    for given, as_old, old, _, _ in steps:
        if not newest.verify(as_old, old):
            continue
        if now is not None and given.at + FOLLOWED_SECONDS <= now:
            break
        if now is None or now < given.until:
            before.append(newest)
        newest = verifier(algorithm=given.new.algorithm, public=given.new.public)
    for given, _, _, as_new, new in reversed(steps):
        if oldest.verify(as_new, new):
            oldest = verifier(algorithm=given.old.algorithm, public=given.old.public)
            if now is None or now < given.until:
                before.append(oldest)
    return key if newest is key and not before else Line([newest, *before])
