"""CloudEvents 1.0 in their JSON format (structured mode and batches): reading, checking, and what of one may pass. Pure.

The profile is narrower than the standard: data is a JSON object, so that the field rules of a grant can be applied to
it, and ``partitionkey`` (the Partitioning extension), or else ``subject``, says what order is kept for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b, sha256
from typing import Any

from furong_link.errors import Refusal
from furong_link.masking import FieldTree, RowScope, apply_terms

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MAX_EVENTS = 1000
MAX_BYTES = 256 * 1024
_ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")
# What passes beside the data when a grant has field rules: names that the provider chose, none of a person.
_PASSING = ("specversion", "id", "source", "type", "time", "datacontenttype", "dataschema")


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as its provider published it: ``body`` is its JSON text, ``identity`` tells a repeat."""

    source: str
    id: str
    key: str
    body: bytes

    @property
    def identity(self) -> bytes:
        """What is the same for a repeat only (CloudEvents 1.0, source with id)."""
        return sha256(f"{len(self.source)}:{self.source}{self.id}".encode()).digest()[:20]


def read_events(content: bytes, *, content_type: str) -> list[NewEvent]:
    """Read one event or a batch. Refuses what is no CloudEvent of the profile, with its place in the batch."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise Refusal("event_malformed", "The content is not JSON.") from None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == ONE:
        found = [found]
    elif kind != BATCH or not isinstance(found, list):
        raise Refusal("event_malformed", f"The content is {ONE}, or a list of events as {BATCH}.")
    if not 0 < len(found) <= MAX_EVENTS:
        raise Refusal("event_malformed", f"A batch holds 1 to {MAX_EVENTS} events.")
    return [_read(event, number) for number, event in enumerate(found)]


def _read(event: Any, number: int) -> NewEvent:
    def wrong(what: str) -> Refusal:
        return Refusal("event_malformed", f"Event {number}: {what}")

    if not isinstance(event, dict) or event.get("specversion") != "1.0":
        raise wrong("specversion is 1.0.")
    for name in ("id", "source", "type"):
        value = event.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= 256 or not value.isprintable():
            raise wrong(f"{name} is a text of 1 to 256 characters.")
    for name, value in event.items():
        if name != "data" and (not _ATTRIBUTE.fullmatch(name) or not isinstance(value, str | int | bool)):
            raise wrong("attributes have names of small letters and digits, and plain values.")
        if name != "data" and isinstance(value, str) and len(value) > 1024:
            raise wrong(f"{name} is longer than 1,024 characters.")
    if not isinstance(event.get("data", {}), dict) or event.get("datacontenttype", "application/json") != (
        "application/json"
    ):
        raise wrong("data is a JSON object.")
    if "time" in event and not _is_time(event["time"]):
        raise wrong("time is a time of RFC 3339 with its zone.")
    try:
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        raise wrong("numbers are finite and texts are Unicode.") from None
    if len(body) > MAX_BYTES:
        raise wrong(f"it is larger than {MAX_BYTES} bytes.")
    key = event.get("partitionkey", event.get("subject", ""))
    return NewEvent(event["source"], event["id"], str(key), body)


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def hidden_key(key: str, *, secret: bytes) -> str:
    """Give what stands for an order key outside its gateway: the same for the same key, and nothing of it."""
    return blake2b(key.encode(), key=secret, digest_size=12).hexdigest() if key else ""


def passing(
    event: Mapping[str, Any],
    *,
    tree: FieldTree | None,
    scope: tuple[RowScope, ...],
    position: int,
    hidden: str,
) -> dict[str, Any] | None:
    """Give what of an event may pass under a grant's rules; None when its row is out of scope.

    ``sequence`` (the Sequence extension) is its position with leading zeros. Under field rules ``subject`` and the
    provider's own extensions do not pass, and ``partitionkey`` is the hidden one.
    """
    place = {"sequence": f"{position:020d}"}
    if tree is None and not scope:
        return {**event, **place, **({"partitionkey": hidden} if hidden and "partitionkey" not in event else {})}
    data = event.get("data", {})
    if not all(part.holds(data) for part in scope):
        return None
    if tree is None:
        return {**event, **place}
    kept: dict[str, Any] = {name: event[name] for name in _PASSING if name in event}
    if "data" in event:
        kept["data"] = apply_terms(data, rows_at="", tree=tree, scope=())[0]
    if hidden:
        kept["partitionkey"] = hidden
    return kept | place
