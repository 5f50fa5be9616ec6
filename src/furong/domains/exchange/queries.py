"""Reads of the exchange: members, gateways, services, and the last hour on one page. For its operator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from furong.domains.exchange import issuing, models, shared_rows
from furong.domains.exchange.compiling import compile_configuration, list_lines, names_of
from furong.domains.exchange.errors import GatewayNotFound, MemberNotFound
from furong.domains.exchange.nodes import queries as nodes
from furong.domains.exchange.shared_rows import codes as codes_with_rows
from furong.domains.exchange.values import (
    BOUNDS_MS,
    OPERATE,
    Cause,
    Flow,
    GatewayState,
    GatewayView,
    GrantLine,
    KeyView,
    MemberState,
    MemberView,
    Monitor,
    ServiceView,
    added,
    cause_of,
    percentile_ms,
    sorted_counts,
)
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import Organization
from furong_link.enrolment import fingerprint

__all__ = [
    "codes_with_rows",
    "get_gateway",
    "get_member",
    "get_monitor",
    "list_candidates",
    "list_grants",
    "list_live_gateways",
    "list_members",
]

HOUR = timedelta(hours=1)
SILENT_SECONDS = 30
CERTIFICATE_DAYS, KEY_DAYS = 30, 60
NEAR_QUOTA = 0.9
_NOTHING = (0,) * (len(BOUNDS_MS) + 1)


def get_monitor(*, actor: Actor, now: datetime) -> Monitor:
    """Return the last hour of the exchange: traffic, errors by cause, times, warnings, flows.

    Raises ``AccessRefused``. Cost: one range of an index on the minute and some small reads.
    """
    access.require(actor=actor, right=OPERATE)
    rows = list(models.Traffic.objects.filter(minute__gt=now - HOUR, minute__lte=now))
    providers, abroad = nodes.list_foreign(now=now)
    providers |= dict(models.Service.objects.values_list("code", "member_id"))
    owners = dict(models.Gateway.objects.values_list("code", "member_id"))
    per_minute: dict[datetime, list[int]] = defaultdict(lambda: [0, 0])
    flows: dict[tuple[str, str, str], tuple[int, int, list[int]]] = {}
    causes: dict[Cause, int] = defaultdict(int)
    total = list(_NOTHING)
    for row in rows:
        cause = cause_of(row.outcome)
        wrong = 0 if cause is Cause.NONE else row.messages
        per_minute[row.minute][0] += row.messages
        per_minute[row.minute][1] += wrong
        causes[cause] += row.messages
        total = added(total, row.buckets)
        if row.consumer:
            key = (row.consumer, providers.get(row.service) or owners.get(row.gateway, ""), row.service)
            messages, errors, buckets = flows.get(key, (0, 0, list(_NOTHING)))
            flows[key] = (messages + row.messages, errors + wrong, added(buckets, row.buckets))
    first = now.replace(second=0, microsecond=0) - timedelta(minutes=59)
    minutes = [first + timedelta(minutes=one) for one in range(60)]
    refusals = sorted_counts((row.outcome, row.messages) for row in rows if row.outcome != "ok")
    status = issuing.status(now=now)
    gateways = tuple(_gateway(one, now) for one in models.Gateway.objects.select_related("member").order_by("code"))
    return Monitor(
        members=tuple(_member(one, now) for one in models.Member.objects.order_by("code")),
        gateways=gateways,
        flows=tuple(
            Flow(consumer=c, provider=p, service=s, messages=m, errors=e, buckets=tuple(b))
            for (c, p, s), (m, e, b) in sorted(flows.items())
        ),
        messages=sum(row.messages for row in rows),
        per_minute=tuple((minute, *per_minute.get(minute, (0, 0))) for minute in minutes),
        causes={cause: causes.get(cause, 0) for cause in Cause},
        outcomes=tuple((code, cause_of(code), count) for code, count in list(refusals.items())[:10]),
        p50_ms=percentile_ms(total, 0.5),
        p95_ms=percentile_ms(total, 0.95),
        p99_ms=percentile_ms(total, 0.99),
        serial=int(status.get("serial", 0)),
        issued_at=status.get("issued_at"),
        unreached=tuple(one.code for one in gateways if one.told_error),
        counts={name: value for name, value in status.get("counts", {}).items() if isinstance(value, int)},
        nodes=nodes.list_troubled(now=now),
        abroad=abroad,
    )


def get_member(*, member: str, actor: Actor, now: datetime) -> MemberView:
    """Return a member with gateways, keys and services. Raises `MemberNotFound`, ``AccessRefused``."""
    access.require(actor=actor, right=OPERATE)
    row = models.Member.objects.filter(code=member).first()
    if row is None:
        raise MemberNotFound
    return _member(row, now, whole=True)


def list_members(*, actor: Actor) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """Return this node's members by code, with their names. Raises ``AccessRefused``."""
    access.require(actor=actor, right=OPERATE)
    return tuple(models.Member.objects.order_by("code").values_list("code", "name"))


def list_live_gateways(*, actor: Actor) -> tuple[str, ...]:
    """Return the codes of this node's live gateways. Raises ``AccessRefused``."""
    access.require(actor=actor, right=OPERATE)
    rows = models.Gateway.objects.filter(state=GatewayState.LIVE.value).order_by("code")
    return tuple(rows.values_list("code", flat=True))


def get_gateway(*, gateway: str, actor: Actor, now: datetime) -> GatewayView:
    """Return a gateway. Raises `GatewayNotFound`, ``AccessRefused``."""
    access.require(actor=actor, right=OPERATE)
    row = models.Gateway.objects.select_related("member").filter(code=gateway).first()
    if row is None:
        raise GatewayNotFound
    return _gateway(row, now)


def list_grants(*, member: str, actor: Actor, now: datetime) -> tuple[GrantLine, ...]:
    """Return the grants that gateways hold for a member, as who asks and as who answers."""
    access.require(actor=actor, right=OPERATE)
    payload = compile_configuration(now=now).payload
    mine = {one["id"] for one in payload["services"] if one["provider"] == member}
    return tuple(one for one in list_lines(payload=payload) if one.consumer == member or one.service in mine)


def list_candidates(*, text: str, actor: Actor) -> tuple[Organization, ...]:
    """Return organisations that could become members, by a part of their name; none for no text."""
    scope = access.require(actor=actor, right=OPERATE).scope
    if not text.strip():
        return ()
    taken = set(models.Member.objects.values_list("organization_id", flat=True))
    found = organizations.list_organizations(scope=scope, text=text.strip(), size=20)
    return tuple(one for one in found.items if one.id not in taken)


# --- how ----------------------------------------------------------------------------------------------------------------


def _member(row: models.Member, now: datetime, *, whole: bool = False) -> MemberView:
    view = MemberView(
        code=row.code,
        organization_id=row.organization_id,
        division_code=row.division_code,
        name=row.name,
        state=MemberState(row.state),
        admitted_at=row.admitted_at,
        code_until=row.code_until if row.code_place and row.code_until and row.code_until > now else None,
    )
    if not whole:
        return view
    services = list(models.Service.objects.filter(member=row).order_by("code"))
    return MemberView(
        **{name: getattr(view, name) for name in view.__slots__ if name not in ("gateways", "keys", "services")},
        gateways=tuple(_gateway(one, now) for one in row.gateways.select_related("member").order_by("code")),
        keys=tuple(_key(one) for one in row.keys.order_by("key_id")),
        services=_services(services, now),
    )


def _services(rows: Iterable[models.Service], now: datetime) -> tuple[ServiceView, ...]:
    rows = list(rows)
    names = names_of(one.resource_code for one in rows)
    grants = compile_configuration(now=now).payload["grants"] if rows else []
    held = sorted_counts((one["service"], 1) for one in grants)
    return tuple(
        ServiceView(
            code=one.code,
            resource_code=one.resource_code,
            resource_name=names.get(one.resource_code, {"zh": one.resource_code}),
            member=one.member_id,
            gateway=one.gateway_id,
            is_platforms=one.is_platforms,
            is_on=one.is_on,
            grants=held.get(one.code, 0),
        )
        for one in rows
    )


def _key(row: models.Key) -> KeyView:
    return KeyView(
        key_id=row.key_id,
        system=row.system,
        gateway=row.gateway_id or "",
        algorithm=row.algorithm,
        fingerprint=fingerprint(algorithm=row.algorithm, public=row.public),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        revoked_at=row.revoked_at,
    )


def _gateway(row: models.Gateway, now: datetime) -> GatewayView:
    keys = list(models.Key.objects.filter(gateway=row, revoked_at=None, valid_until__gt=now).order_by("key_id"))
    return GatewayView(
        code=row.code,
        member=row.member_id,
        member_name=row.member.name,
        authority=row.authority,
        address=row.address,
        state=GatewayState(row.state),
        key_id=row.key_id,
        algorithm=row.algorithm,
        fingerprint=fingerprint(algorithm=row.algorithm, public=row.public),
        software=row.software,
        requested_at=row.requested_at,
        decided_at=row.decided_at,
        seen_at=row.seen_at,
        held_serial=row.held_serial,
        told_error=row.told_error,
        reported_at=row.reported_at,
        report=row.report or {},
        warnings=tuple(_warnings(row, keys, now)),
        other_keys=tuple(_key(one) for one in keys if one.key_id != row.key_id),
    )


def _warnings(row: models.Gateway, keys: Sequence[models.Key], now: datetime) -> Iterable[str]:
    """What of a gateway the operator should look at, the gravest first, as codes that the page puts into words."""
    if row.state != GatewayState.LIVE.value:
        return
    report: Mapping[str, object] = row.report or {}
    health = report.get("health")
    health = health if isinstance(health, dict) else {}
    if row.head_finding:
        yield f"log_{row.head_finding}"
    if row.told_error:
        yield "unreached"
    if row.seen_at is None:
        yield "never_seen"
    elif (now - row.seen_at).total_seconds() > SILENT_SECONDS:
        yield "silent"
    if health and health.get("evidence") != "ok":
        yield "evidence"
    staleness = health.get("configuration_staleness")
    if staleness in ("old", "ending", "expired"):
        yield f"configuration_{staleness}"
    until = report.get("certificate_until")
    if isinstance(until, str) and datetime.fromisoformat(until) < now + timedelta(days=CERTIFICATE_DAYS):
        yield "certificate"
    if len(keys) > 1:
        yield "key_renewed"
    elif all(one.valid_until < now + timedelta(days=KEY_DAYS) for one in keys):
        yield "key"
    if _is_near_quota(report):
        yield "quota"


def _is_near_quota(report: Mapping[str, object]) -> bool:
    used = report.get("quotas")
    if not isinstance(used, dict) or not used:
        return False
    allowed = shared_rows.quotas_of(grants=used)
    return any(allowed.get(grant) and calls >= NEAR_QUOTA * allowed[grant] for grant, calls in used.items())
