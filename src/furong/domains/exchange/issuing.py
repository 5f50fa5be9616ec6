"""Issuing the configuration: numbered, signed by the operator's key, handed at once to gateways when it takes something away.

A new number is issued when what it says has changed, and every two minutes so that gateways know it is new. What restricts is
pushed to every live gateway before whoever restricted goes on; a gateway that did not take it and does not fetch it either is
listed as unreached, and goes on with what it holds up to the limit that the configuration itself sets.
"""

from __future__ import annotations

import http.client
import json
import logging
import time
from base64 import b64encode
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from furong.domains.exchange import models
from furong.domains.exchange.compiling import compile_configuration, exchange_name
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.values import GatewayState
from furong.foundation.access import compiled
from furong.foundation.signing import queries as signing
from furong_link.configuration import sign_configuration
from furong_link.handover import FOLLOWED_SECONDS

log = logging.getLogger("furong.exchange")

PURPOSE = "exchange"  # of the operator's key
RENEW_SECONDS = 120
PUSH_SECONDS = 1.5
KEPT = timedelta(days=7)
_CONFIGURATION = "/.furong/configuration"


class OperatorKey:
    """The operator's key in force, or the one of a ``number``, as the exchange's package signs with it."""

    algorithm = "ed25519"

    def __init__(self, number: int | None = None) -> None:
        self.number = number or key_number()

    @property
    def key_id(self) -> str:
        return signing.public_key(purpose=purpose_of(self.number)).key_id

    @property
    def public(self) -> str:
        """The public key in base64."""
        return b64encode(signing.public_key(purpose=purpose_of(self.number)).value).decode()

    def sign(self, message: bytes) -> bytes:
        return signing.sign(message, purpose=purpose_of(self.number)).value


def note_first_key(*, now: datetime) -> None:
    """Keep the operator's first key's public half, after which the exchange is called also once it is gone."""
    if not tables.OperatorKey.objects.exists():
        first = OperatorKey(1)
        tables.OperatorKey.objects.create(number=1, algorithm=first.algorithm, public=first.public, since=now)


def key_number() -> int:
    """Return the number of the operator's key in force; 1 before the first change. One small read."""
    return tables.OperatorKey.objects.order_by("-number").values_list("number", flat=True).first() or 1


def purpose_of(number: int) -> str:
    """Return the purpose under which `foundation.signing` keeps the operator's key of a number."""
    return PURPOSE if number == 1 else f"{PURPOSE}-{number}"


def operator_public() -> str:
    """Return the operator's public key in base64, as gateways are given it."""
    return OperatorKey().public


def handovers(*, now: datetime) -> tuple[Mapping[str, Any], ...]:
    """Return the hand-overs that a file brings along: those that can still be followed, in their order."""
    since = now - timedelta(seconds=FOLLOWED_SECONDS)
    rows = tables.OperatorKey.objects.filter(since__gt=since).exclude(handover={}).order_by("number")
    return tuple(rows.values_list("handover", flat=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A configuration that was issued."""

    serial: int
    file: bytes
    is_changed: bool


def mark_changed() -> None:
    """Note that members, keys, gateways or services changed, so that the next look issues anew."""
    models.Issue.objects.get_or_create(id=1)
    models.Issue.objects.filter(id=1).update(changed=F("changed") + 1)


def issue(*, now: datetime, restricts: bool = False, cause: str = "", anew: bool = False) -> Issued | None:
    """Issue a configuration when what it says has changed, or when the last one is two minutes old.

    None when nothing was to do, and while there is no member. One process at a time; joins the caller's transaction. Cost: two
    reads when nothing changed, else compiling and one signature.
    """
    with transaction.atomic():
        models.Issue.objects.get_or_create(id=1)
        state = models.Issue.objects.select_for_update(no_key=True).get(id=1)
        terms = compiled.newest_change()
        last = models.Configuration.objects.filter(serial=state.serial).only("serial", "issued_at", "digest").first()
        is_old = last is None or (now - last.issued_at).total_seconds() >= RENEW_SECONDS
        same = (terms, state.changed) == (state.terms, state.compiled)
        if same and not is_old and not anew:
            return None
        if not models.Member.objects.exists():
            return None
        found = compile_configuration(now=now)
        digest = sha256(json.dumps(found.payload, sort_keys=True).encode()).hexdigest()
        is_changed = last is None or last.digest != digest
        state.terms, state.compiled = terms, state.changed
        if not is_changed and not is_old and not anew:
            state.save(update_fields=["terms", "compiled"])
            return None
        note_first_key(now=now)
        state.serial += 1
        payload = {**found.payload, "serial": state.serial, "issued_at": now.astimezone(UTC).isoformat()}
        file = sign_configuration(payload, signer=OperatorKey(), handovers=handovers(now=now))
        models.Configuration.objects.create(
            serial=state.serial,
            issued_at=now,
            digest=digest,
            restricts=restricts and is_changed,
            cause=cause,
            counts={**found.counts, "left_out": list(found.left_out)},
            file=file,
        )
        state.save(update_fields=["serial", "terms", "compiled"])
    return Issued(serial=state.serial, file=file, is_changed=is_changed)


def stand() -> tuple[int, ...]:
    """Return what a configuration depends on, as numbers that grow with each change. Two reads."""
    changed = models.Issue.objects.filter(id=1).values_list("changed", flat=True).first()
    return compiled.newest_change(), int(changed or 0)


def newest_file(*, beyond: int) -> tuple[int, bytes] | None:
    """Return the newest configuration with its number, or None when that is not above ``beyond``."""
    row = (
        models.Configuration.objects.filter(serial__gt=beyond).order_by("-serial").values_list("serial", "file").first()
    )
    return (int(row[0]), bytes(row[1])) if row else None


def restricted() -> None:
    """Issue and hand over what a change of grants left, before whoever changed them goes on.

    The holder of terms that `foundation.access.compiled` calls after the commit. Never raises: a gateway that cannot be told is
    listed, and the worker tries again.
    """
    try:
        now = timezone.now()
        issued = issue(now=now, restricts=True, cause="grants")
        if issued is not None and issued.is_changed:
            hand_over(issued, now=now)
    except DatabaseError:
        log.exception("The configuration was not issued; the worker does it.")


def hand_over(issued: Issued, *, now: datetime) -> tuple[str, ...]:
    """Give a configuration to every live gateway at once, and its document to every node around that it says
    something new to; return the codes of those it did not reach.

    A gateway that fetched it meanwhile counts as reached. Cost: the slowest gateway, `PUSH_SECONDS` at most, or the slowest node.
    """
    from furong.domains.exchange.nodes import carrying

    told = carrying.begin(now=now)
    return (*_hand_to_gateways(issued, now=now), *told())


def _hand_to_gateways(issued: Issued, *, now: datetime) -> tuple[str, ...]:
    gateways = list(models.Gateway.objects.filter(state=GatewayState.LIVE.value, held_serial__lt=issued.serial))
    if not gateways:
        return ()
    with ThreadPoolExecutor(max_workers=min(32, len(gateways))) as pool:
        outcomes = list(pool.map(lambda one: push(one.address, issued.file), gateways))
    troubled = [(one, error) for one, error in zip(gateways, outcomes, strict=True) if error]
    reached = [one.code for one, error in zip(gateways, outcomes, strict=True) if not error]
    models.Gateway.objects.filter(code__in=reached, held_serial__lt=issued.serial).update(
        held_serial=issued.serial, held_at=now, told_serial=issued.serial, told_error=""
    )
    if troubled:
        # What cannot be pushed to may fetch; a second and a half later it has, or it is away.
        time.sleep(PUSH_SECONDS)
    unreached = []
    for one, error in troubled:
        missed = models.Gateway.objects.filter(code=one.code, held_serial__lt=issued.serial)
        if missed.update(told_serial=issued.serial, told_error=error):
            unreached.append(one.code)
    if unreached:
        log.warning("gateways unreached", extra={"serial": issued.serial, "gateways": ",".join(unreached)})
    return tuple(unreached)


def push(address: str, file: bytes) -> str:
    """Hand a configuration's file to a gateway; give why it could not, or nothing."""
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PUSH_SECONDS)
    try:
        connection.request("PUT", _CONFIGURATION, body=file, headers={"Host": parts.netloc})
        reply = connection.getresponse()
        reply.read()
        return "" if reply.status == 200 else f"HTTP {reply.status}"
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def note_held(*, gateway: str, serial: int, now: datetime) -> None:
    """Note what a gateway holds and that it was heard of; written when it changed or is ten seconds old."""
    rows = models.Gateway.objects.filter(code=gateway)
    row = rows.values_list("held_serial", "seen_at").first()
    if row is None:
        return
    if serial > row[0]:
        rows.filter(held_serial__lt=serial).update(held_serial=serial, held_at=now, seen_at=now)
        rows.filter(told_serial__lte=serial).exclude(told_error="").update(told_error="")
    elif row[1] is None or now - row[1] >= timedelta(seconds=10):
        rows.update(seen_at=now)


def sweep(*, now: datetime) -> int:
    """Throw away configurations older than a week, all but the newest of them, and say how many."""
    newest = models.Configuration.objects.order_by("-serial").values_list("serial", flat=True).first() or 0
    gone, _ = models.Configuration.objects.filter(issued_at__lt=now - KEPT).exclude(serial=newest).delete()
    # A configuration each two minutes differs from its neighbours in its time only: an hour later one in thirty is kept.
    old = models.Configuration.objects.filter(issued_at__lt=now - timedelta(hours=1), restricts=False, cause="time")
    thinned, _ = old.exclude(serial=newest).extra(where=["serial %% 30 <> 0"]).delete()
    return gone + thinned


def status(*, now: datetime) -> Mapping[str, Any]:
    """Return the newest number, when it was issued, and what it counts; empty before the first."""
    row = models.Configuration.objects.order_by("-serial").values("serial", "issued_at", "counts").first()
    return {} if row is None else {**row, "exchange": exchange_name()}
