"""What gateways report: counts by minute, signed heads, what is near its end. And who a gateway is that asks the centre."""

from __future__ import annotations

import contextlib
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from django.db import transaction
from django.utils import timezone

from furong.domains.exchange import issuing, models, renewing
from furong.domains.exchange.compiling import catalogue_grant
from furong.domains.exchange.errors import CentreRefused, ReportMalformed
from furong.domains.exchange.values import BOUNDS_MS, GatewayState, added
from furong.foundation.access import using
from furong_link import profile
from furong_link.archive import Head
from furong_link.errors import Refusal as LinkRefusal
from furong_link.keys import verifier
from furong_link.verification import check_head

WORD = "centre"
KEPT = timedelta(days=35)
_MOST_LINES = 20_000
_MOST, _MOST_CALLS = 1 << 62, 1 << 40
_PEER = re.compile(r"https://[a-z0-9.-]{1,253}:\d{1,5}")
_STALENESS = ("missing", "fresh", "late", "old", "ending", "expired")
_MOST_QUOTAS = 10_000


def identify(*, method: str, target: str, headers: Mapping[str, str], content: bytes, now: datetime) -> str:
    """Return the code of the live gateway whose key signed a request to the centre.

    Raises `CentreRefused`. Cost: one read and one verification.
    """

    named: list[tuple[str, str]] = []

    def find(key_id: str) -> tuple[str, str, str] | None:
        live = models.Key.objects.filter(key_id=key_id, revoked_at=None, gateway__state=GatewayState.LIVE.value)
        row = live.values("gateway_id", "gateway__key_id", "algorithm", "public", "valid_until").first()
        # The key in force lets its gateway ask also when its time is over: else it could not renew it.
        if row is None or (row["gateway__key_id"] != key_id and row["valid_until"] <= now):
            return None
        named[:] = [(row["gateway__key_id"], key_id)]
        return row["gateway_id"], row["algorithm"], row["public"]

    gateway = identify_by(find, method=method, target=target, headers=headers, content=content, now=now)
    if named[0][0] != named[0][1]:
        renewing.note_signed_by(gateway=gateway, key_id=named[0][1])
    return gateway


def identify_by(
    find: Callable[[str], tuple[str, str, str] | None],
    *,
    method: str,
    target: str,
    headers: Mapping[str, str],
    content: bytes,
    now: datetime,
) -> str:
    """Return whose key signed a request, by what ``find`` gives for a key's name: code, algorithm, public key.

    One profile for everything (exchange-protocol): the signature covers method, target, time and content. Raises `CentreRefused`.
    """
    try:
        signed = profile.read_signature(headers)
        request = profile.Request(
            method,
            headers.get("host", "").lower(),
            target,
            headers.get("content-type", ""),
            headers.get("content-digest", ""),
            headers.get("furong-grant", ""),
            headers.get("furong-message", ""),
        )
        profile.check_values(request)
        profile.check_time(signed.created, now=now.timestamp())
        found = find(signed.key_id)
        if found is None or request.grant != WORD:
            raise CentreRefused
        code, algorithm, public = found
        profile.check_digest(request.content_digest, content, algorithm=signed.algorithm)
        profile.check_request(request, signed, verifier=verifier(algorithm=algorithm, public=public))
    except (LinkRefusal, UnicodeEncodeError) as error:
        raise CentreRefused from error
    return code


def take_report(*, gateway: str, report: Mapping[str, Any], now: datetime) -> None:
    """Take a gateway's report once: one that comes again after a lost answer changes nothing.

    Raises `ReportMalformed`.
    """
    try:
        boot, number, lines = str(report["boot"])[:32], int(report["number"]), list(report["traffic"])
        read = [_line(line) for line in lines[:_MOST_LINES]]
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise ReportMalformed from error
    if not 0 <= number < _MOST:
        raise ReportMalformed
    with transaction.atomic():
        row = models.Gateway.objects.select_for_update().get(code=gateway)
        if row.boot == boot and number <= row.number:
            return
        row.boot, row.number, row.reported_at, row.seen_at = boot, number, now, now
        row.report = _shown(report)
        row.software = str(report.get("software", ""))[:40]
        _take_head(row, report.get("head"))
        if isinstance(found := report.get("peer"), dict):
            _take_peer(row, str(found.get("address", "")), str(found.get("certificate", "")))
        row.save()
        for line in read:
            _add(gateway, *line)
        _count_uses(lines, now)


def _shown(report: Mapping[str, Any]) -> dict[str, Any]:
    """What pages show of a report, each value of its kind or None: a member's gateway writes it, and the operator reads it."""

    def number(value: object) -> int | None:
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else None

    given = report.get("health")
    health = given if isinstance(given, dict) else {}
    quotas = report.get("quotas")
    used = {str(name)[:128]: number(calls) for name, calls in quotas.items()} if isinstance(quotas, dict) else {}
    staleness, until = health.get("configuration_staleness"), None
    with contextlib.suppress(TypeError, ValueError):
        until = datetime.fromisoformat(report.get("certificate_until"))  # type: ignore[arg-type]  # anything: it raises
    return {
        "at": number(report.get("at")),
        "software": str(report.get("software", ""))[:40],
        "health": {
            "ready": health.get("ready") is True,
            "evidence": str(health.get("evidence", ""))[:200],
            "records": number(health.get("records")),
            "configuration": number(health.get("configuration")),
            "configuration_age_seconds": number(health.get("configuration_age_seconds")),
            "configuration_staleness": staleness if staleness in _STALENESS else None,
        }
        if health
        else {},
        "quotas": dict([(name, calls) for name, calls in used.items() if calls is not None][:_MOST_QUOTAS]),
        "certificate_until": until.isoformat() if until is not None and until.tzinfo is not None else None,
    }


_Line = tuple[datetime, str, str, str, list[int]]


def _line(found: Mapping[str, Any]) -> _Line:
    buckets = [int(one) for one in found["buckets"]]
    if len(buckets) != len(BOUNDS_MS) + 1 or min(buckets) < 0 or max(buckets) >= _MOST_CALLS:
        raise ValueError("buckets")
    minute = datetime.fromtimestamp(int(found["minute"]) // 60 * 60, UTC)
    return minute, str(found["consumer"])[:24], str(found["service"])[:40], str(found["outcome"])[:40], buckets


def _add(gateway: str, minute: datetime, consumer: str, service: str, outcome: str, buckets: list[int]) -> None:
    row, made = models.Traffic.objects.get_or_create(
        gateway=gateway,
        minute=minute,
        consumer=consumer,
        service=service,
        outcome=outcome,
        defaults={"messages": sum(buckets), "buckets": buckets},
    )
    if not made:  # the gateway's own row is locked, so nobody else counts here
        row.messages += sum(buckets)
        row.buckets = added(row.buckets, buckets)
        row.save(update_fields=["messages", "buckets"])


def _count_uses(lines: list[Mapping[str, Any]], now: datetime) -> None:
    """Count readings of members' own systems as uses of their grants; the platform counts those of its own rows itself."""
    platforms = set(models.Service.objects.filter(is_platforms=True).values_list("code", flat=True))
    for line in lines:
        grant = catalogue_grant(str(line.get("grant", "")))
        if grant is None or line.get("outcome") != "ok" or line.get("service") in platforms:
            continue
        calls = sum(int(one) for one in line["buckets"])
        using.count(grant_id=grant, day=timezone.localdate(now), calls=calls, last_at=now)


def take_peer(*, gateway: str, address: str, certificate: str) -> None:
    """Note where other gateways meet a gateway, as its report says it: ``certificate`` is DER in base64.

    Raises `ReportMalformed`.
    """
    with transaction.atomic():
        row = models.Gateway.objects.select_for_update().get(code=gateway)
        _take_peer(row, address, certificate)
        row.save(update_fields=["peer_address", "peer_certificates"])


def _take_peer(row: models.Gateway, address: str, certificate: str) -> None:
    """Note address and certificate; the certificate before stays beside it while it is replaced."""
    if not _PEER.fullmatch(address) or len(certificate) > 8000:
        raise ReportMalformed
    try:
        x509.load_der_x509_certificate(b64decode(certificate, validate=True))
    except ValueError:
        raise ReportMalformed from None
    if row.peer_address == address and row.peer_certificates[:1] == [certificate]:
        return
    kept = [one for one in row.peer_certificates if one != certificate][:1]
    row.peer_address, row.peer_certificates = address, [certificate, *kept]
    issuing.mark_changed()


def _take_head(row: models.Gateway, found: Any) -> None:
    """Keep a signed head, away from the gateway that signed it. One that shrinks or differs shows a log that was changed."""
    if not isinstance(found, dict):
        return
    try:
        head = Head.from_json(found)
    except (KeyError, TypeError, ValueError):
        raise ReportMalformed from None
    key = models.Key.objects.filter(key_id=head.key_id, gateway=row).values_list("algorithm", "public").first()
    if key is None or not check_head(head, key=verifier(algorithm=key[0], public=key[1])):
        row.head_finding = "unsigned"
        return
    same = models.LogHead.objects.filter(gateway=row.code, log=head.log, size=head.size).first()
    if same is not None:
        if same.root != head.root.hex():
            row.head_finding = "differs"
        return
    larger = models.LogHead.objects.filter(gateway=row.code, log=head.log, size__gt=head.size)
    if larger.exists():
        row.head_finding = "shrank"
    models.LogHead.objects.create(
        gateway=row.code, log=head.log, size=head.size, root=head.root.hex(), at=head.at, head=found
    )
    row.head_size = head.size


def sweep(*, now: datetime) -> int:
    """Throw away counts older than five weeks and say how many rows went. Heads stay."""
    gone, _ = models.Traffic.objects.filter(minute__lt=now - KEPT).delete()
    return gone
