"""A gateway's own signing key, renewed without enrolling anew: the old key hands over, and signs until all know the new one.

``furong-gateway renew-key`` makes the new key and tells the centre, which puts it into the configuration beside the old one. A
gateway serves by a configuration for a day at most, so a day after the new key stands there no gateway that still serves is
without it: then the running gateway signs by it, and the old one is destroyed. Systems and witnesses, who hold a key by hand,
follow the hand-over, which the gateway gives at ``/.furong/handovers``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from furong_link.archive import sync_folder
from furong_link.configuration import Configuration
from furong_link.enrolment import key_id_of
from furong_link.errors import ConfigurationError
from furong_link.handover import GRACE_DAYS, KeyName, hand_over
from furong_link.keys import SoftwareKey

KEY, NEXT, NOTE, GIVEN = "gateway.key", "next.key", "next.json", "handovers.json"
# How far the centre dates a key back, since clocks differ.
BACK_SECONDS = 300.0
AT_ONCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Next:
    """A key that waits to take over."""

    key: SoftwareKey
    handover: Mapping[str, Any]
    at_once: bool


def number_of(key_id: str) -> int:
    """Give the number of a gateway's key. Raises ConfigurationError when it has none."""
    number = key_id.rpartition("/")[2]
    if not number.isdecimal() or len(number) > 4:
        raise ConfigurationError(f"{key_id} is no name of a gateway's key.")
    return int(number)


def begin(folder: Path, *, gateway: str, at_once: bool, now: float) -> Next:
    """Make the next key and the hand-over to it, beside the key in force; the same again until it took over.

    ``at_once``: the key in force may be known to somebody else, so it ends in ten minutes. Raises ConfigurationError or
    KeyFileError.
    """
    if (folder / NEXT).exists() and (found := read_next(folder)) is not None:
        return found
    old = SoftwareKey.read(folder / KEY)
    number = number_of(old.key_id) + 1
    if (folder / NEXT).exists():
        new = SoftwareKey.read(folder / NEXT)
    else:
        new = SoftwareKey.generate(key_id=key_id_of(gateway, number), algorithm=old.algorithm)
        new.write(folder / NEXT)
    at = datetime.fromtimestamp(now, UTC)
    # A day until every gateway has it, and a week in which systems and witnesses may still meet the old one.
    until = at + (AT_ONCE if at_once else timedelta(days=1 + GRACE_DAYS))
    names = (KeyName(old.algorithm, old.public), KeyName(new.algorithm, new.public))
    handover = hand_over(number=number, old=old, new=new, names=names, at=at, until=until)
    _write(folder / NOTE, {"handover": handover, "at_once": at_once})
    return Next(new, handover, at_once)


def read_next(folder: Path) -> Next | None:
    """Give the key that waits to take over, None when there is none. Raises ConfigurationError or KeyFileError."""
    if not (folder / NOTE).exists() or not (folder / NEXT).exists():
        return None
    try:
        found = json.loads((folder / NOTE).read_text())
        return Next(SoftwareKey.read(folder / NEXT), dict(found["handover"]), bool(found["at_once"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{NOTE} cannot be read: {type(error).__name__}.") from error


def takes_over_at(waiting: Next, configuration: Configuration, *, gateway: str) -> float | None:
    """Say from when (Unix seconds) the next key may sign, by a configuration that was taken; None while that lacks it."""
    peer = configuration.peers.get(gateway)
    known = configuration.keys.get(waiting.key.key_id)
    if peer is None or known is None or known.key_id not in peer.keys or known.revoked:
        return None
    since = known.valid_from + BACK_SECONDS
    return since if waiting.at_once else since + configuration.max_stale_seconds


def take_over(folder: Path, waiting: Next) -> None:
    """Have the next key in the place of the old one, which is gone then; the hand-over stays with the evidence."""
    place = folder / "evidence" / GIVEN
    given = read_given(folder / "evidence")
    if waiting.handover not in given:
        _write(place, [*given, waiting.handover])
    (folder / NEXT).replace(folder / KEY)
    (folder / NOTE).unlink(missing_ok=True)
    sync_folder(folder)


def read_given(evidence: Path) -> list[Any]:
    """Give the hand-overs of a gateway's key, the first at the front, from the folder of its evidence."""
    place = evidence / GIVEN
    try:
        found = json.loads(place.read_text()) if place.exists() else []
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{GIVEN} cannot be read: {type(error).__name__}.") from error
    return found if isinstance(found, list) else []


def _write(place: Path, value: object) -> None:
    draft = place.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(value, out)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(place)
    sync_folder(place.parent)
