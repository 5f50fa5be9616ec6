"""From the catalogue's grants to the exchange's configuration: what each gateway may let through, and for whom.

A grant of the catalogue becomes one grant of the exchange for each member it is for and each service of its resource. Only
what a gateway can enforce is carried: a grant whose rows are limited by division needs an item that says where a row belongs,
unless the platform itself serves the rows and limits them there.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.grants import reading as grants
from furong.domains.exchange import models
from furong.domains.exchange.nodes import joining
from furong.domains.exchange.nodes import models as tables
from furong.domains.exchange.values import GatewayState, GrantLine, MemberState
from furong.foundation.access import compiled
from furong.foundation.access.terms import CompiledGrant, Party, SharedResource
from furong.foundation.access.values import Actor
from furong.foundation.organizations import queries as organizations

SYSTEM = Actor.system("exchange")
MAX_STALE_SECONDS = 86_400
# By which of the catalogue's methods a query over the exchange passes.
METHOD = "interface"
ONE, ROWS = "/one/*", "/rows"
_DAY_SECONDS = 86_400
_DIVISION_ITEMS = ("division_code", "division", "area")
_MAX_PURPOSE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A configuration without its number and time, how many of what it holds, and what could not be carried."""

    payload: Mapping[str, Any]
    counts: Mapping[str, int]
    left_out: tuple[str, ...]


def exchange_name() -> str:
    """Return the name of this exchange: one an installation, by its operator's first key, and kept since."""
    from furong.foundation.signing import queries as signing
    from furong.foundation.signing.values import key_id_of

    first = tables.OperatorKey.objects.filter(number=1).first()
    key_id = (
        key_id_of(first.algorithm, b64decode(first.public)) if first else signing.public_key(purpose="exchange").key_id
    )
    return f"furong-{key_id.partition(':')[2][:12]}"


def grant_id(grant: UUID, *, consumer: str, service: str) -> str:
    """Return the name of a catalogue's grant for one member and one service: short, and always the same."""
    return f"{grant}.{sha256(f'{consumer}|{service}'.encode()).hexdigest()[:8]}"


def catalogue_grant(name: str) -> UUID | None:
    """Return the catalogue's grant behind an exchange's, or None when it is none of ours."""
    try:
        return UUID(name.partition(".")[0])
    except ValueError:
        return None


def compile_configuration(*, now: datetime) -> Compiled:
    """Compile what gateways are to know now: this node's exchange, and what the nodes around it gave.

    Cost: a handful of reads, whatever the number of grants.
    """
    own = compile_own(now=now)
    payload, left_out = joining.join(own.payload, now=now)
    return Compiled(payload=payload, counts=_counts(payload), left_out=own.left_out + left_out)


def compile_own(*, now: datetime) -> Compiled:
    """Compile this node's own part: its members, gateways, services, and the grants of its catalogue."""
    members = {one.code: one for one in models.Member.objects.all()}
    gateways = list(models.Gateway.objects.filter(state=GatewayState.LIVE.value).order_by("code"))
    keys = models.Key.objects.exclude(gateway__state__in=[GatewayState.REQUESTED.value, GatewayState.REFUSED.value])
    suspended = {code for code, one in members.items() if one.state == MemberState.SUSPENDED.value}
    # Who is suspended neither asks nor answers, at its own gateway or at another's.
    live = {one.code for one in gateways if one.member_id not in suspended}
    services = [
        one
        for one in models.Service.objects.filter(is_on=True).order_by("code")
        if one.gateway_id in live and one.member_id not in suspended
    ]
    carried, left_out = _grants(services, members, now)
    payload = {
        "exchange": exchange_name(),
        "max_stale_seconds": MAX_STALE_SECONDS,
        "members": [
            {"id": one.code, "suspended": one.state == MemberState.SUSPENDED.value}
            for _, one in sorted(members.items())
        ],
        "keys": [
            {
                "id": one.key_id,
                "member": one.member_id,
                "algorithm": one.algorithm,
                "public": one.public,
                "valid_from": one.valid_from.isoformat(),
                "valid_until": one.valid_until.isoformat(),
                "revoked": one.revoked_at is not None,
            }
            for one in keys.order_by("key_id")
        ],
        "gateways": [
            {
                "id": one.code,
                "authority": one.authority,
                "address": one.address,
                "member": one.member_id,
                "key": one.key_id,
                **_keys(one, now),
                **_peer(one),
            }
            for one in gateways
        ],
        "services": [
            {
                "id": one.code,
                "provider": one.member_id,
                "gateway": one.gateway_id,
                "rows_at": one.rows_at,
                "resource": one.resource_code,
            }
            for one in services
        ],
        "grants": carried,
    }
    return Compiled(payload=payload, counts=_counts(payload), left_out=left_out)


def _counts(payload: Mapping[str, Any]) -> dict[str, int]:
    return {name: len(payload[name]) for name in ("members", "keys", "gateways", "services", "grants")}


def _keys(gateway: models.Gateway, now: datetime) -> dict[str, Any]:
    """While its key is renewed, both: the one in force and the one that follows, or the one before it."""
    found = (
        gateway.keys.filter(revoked_at=None, valid_until__gt=now).order_by("key_id").values_list("key_id", flat=True)
    )
    return {"keys": list(found)} if len(found) > 1 else {}


def _peer(gateway: models.Gateway) -> dict[str, Any]:
    """Where other gateways meet it, when it has said so."""
    if not gateway.peer_address or not gateway.peer_certificates:
        return {}
    return {"peer": {"address": gateway.peer_address, "certificates": list(gateway.peer_certificates)}}


def _grants(
    services: Iterable[models.Service], members: Mapping[str, models.Member], now: datetime
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    by_resource: dict[str, list[models.Service]] = {}
    for one in services:
        by_resource.setdefault(one.resource_code, []).append(one)
    resources = compiled.list_resources(codes=by_resource)
    found = [
        one
        for one in compiled.list_grants(codes=by_resource)
        # What begins within a day is carried ahead: the gateway looks at the dates itself.
        if METHOD in one.methods and one.valid_until > now and one.valid_from < now + timedelta(days=1)
    ]
    described = grants.describe_grants(ids=[one.id for one in found])
    parties = joining.foreign_parties(now=now) | {code: _party(member) for code, member in members.items()}
    carried: list[dict[str, Any]] = []
    left_out: list[str] = []
    for grant in found:
        shared = resources.get(grant.resource)
        if shared is None or not _within_terms(grant, shared):
            continue
        for service in by_resource[grant.resource]:
            for code, party in sorted(parties.items()):
                if code == service.member_id or not grant.is_for(party):
                    continue
                rows = _rows(grant, shared, service)
                if rows is None:
                    left_out.append(described[grant.id].number if grant.id in described else str(grant.id))
                    continue
                about = described.get(grant.id)
                carried.append(
                    {
                        "id": grant_id(grant.id, consumer=code, service=service.code),
                        "consumer": code,
                        "service": service.code,
                        "purpose": (about.scenario if about else str(grant.id))[:_MAX_PURPOSE],
                        "methods": ["GET"],
                        "paths": [ONE] if grant.by_subject else [ONE, ROWS],
                        "fields": dict.fromkeys(sorted(grant.items), "keep"),
                        "rows": rows,
                        "quota": {"calls": grant.daily_quota, "seconds": _DAY_SECONDS} if grant.daily_quota else None,
                        "valid_from": grant.valid_from.astimezone(UTC).isoformat(),
                        "valid_until": grant.valid_until.astimezone(UTC).isoformat(),
                    }
                )
    return carried, tuple(dict.fromkeys(left_out))


def _within_terms(grant: CompiledGrant, shared: SharedResource) -> bool:
    """Whether the resource is live and still shared as widely as when the grant was signed."""
    return (
        shared.live
        and shared.rank <= grant.rank
        and all(item in shared.items and shared.items[item] <= grant.rank for item in grant.items)
    )


def _rows(grant: CompiledGrant, shared: SharedResource, service: models.Service) -> list[dict[str, Any]] | None:
    """The limit of rows as a gateway applies it; None when it has none to apply it to."""
    if not grant.divisions:
        return []
    item = next((one for one in _DIVISION_ITEMS if one in shared.items), None)
    if item is not None:
        return [{"field": item, "prefixes": list(grant.divisions)}]
    # The platform's own rows are limited where they are read; somebody else's cannot be.
    return [] if service.is_platforms else None


def _party(member: models.Member) -> Party:
    found = organizations.find_organization(organization_id=member.organization_id)
    return Party(
        organization_id=member.organization_id,
        department=found.department if found else "",
        division_code=member.division_code,
    )


def list_lines(*, payload: Mapping[str, Any]) -> tuple[GrantLine, ...]:
    """Return the grants of a payload as lists show them."""
    ids = {one["id"]: catalogue_grant(one["id"]) for one in payload["grants"]}
    described = grants.describe_grants(ids=[one for one in ids.values() if one])
    found = []
    for one in payload["grants"]:
        about = described.get(ids[one["id"]] or UUID(int=0))
        found.append(
            GrantLine(
                id=one["id"],
                consumer=one["consumer"],
                service=one["service"],
                number=about.number if about else "",
                scenario=one["purpose"],
            )
        )
    return tuple(found)


def names_of(codes: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """Return the names of resources by code."""
    return {one.code: one.name for one in catalogue.list_lines(actor=SYSTEM, codes=list(codes))}
