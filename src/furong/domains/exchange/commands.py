"""Writes of the exchange: members, gateways, keys, services. Each issues a configuration; a restricting one is handed over."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from furong.domains.exchange import issuing, models, shared_rows
from furong.domains.exchange.errors import (
    CodeMalformed,
    FingerprintDiffers,
    GatewayMoved,
    GatewayNotFound,
    KeyKnown,
    KeyNotFound,
    KeyUnreadable,
    MemberKnown,
    MemberNotFound,
    ResourceWithoutRows,
    ServiceKnown,
    ServiceNotFound,
)
from furong.domains.exchange.events import GatewayLive, MemberSuspended
from furong.domains.exchange.values import CODE, OPERATE, GatewayState, MemberState
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.events.commands import publish
from furong.foundation.organizations import queries as organizations
from furong_link import enrolment, keys
from furong_link.errors import LinkError

CODE_DAYS = 7
KEY_DAYS = 2 * 365


@command("exchange.admit_member")
def admit_member(*, code: str, organization_id: UUID, actor: Actor, now: datetime) -> str:
    """Make an organisation a member and give the one-time code with which it enrols its gateway.

    The code is good for seven days and for one gateway; it is told here and kept nowhere. Raises `MemberKnown`, `CodeMalformed`,
    ``OrganizationNotFound``, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    found = organizations.get_organization(organization_id=organization_id)
    _code(code)
    if (
        models.Member.objects.filter(code=code).exists()
        or models.Member.objects.filter(organization_id=found.id).exists()
    ):
        raise MemberKnown
    member = models.Member(
        code=code,
        organization_id=found.id,
        division_code=found.division_code,
        name={"zh": found.name.zh, "en": found.name.en},
        admitted_at=now,
    )
    text = _give_code(member, now)
    member.save(force_insert=True)
    _changed(member.code, now=now)
    return text


@command("exchange.renew_code")
def renew_code(*, member: str, actor: Actor, now: datetime) -> str:
    """Give a member a new code for enrolling a gateway; an earlier one is void. Raises `MemberNotFound`."""
    access.require(actor=actor, right=OPERATE)
    row = _member(member)
    text = _give_code(row, now)
    row.save(update_fields=["code_place", "code_secret", "code_until"])
    current().object("exchange_member", row.code)
    return text


def _give_code(member: models.Member, now: datetime) -> str:
    text = enrolment.new_code()
    member.code_place, member.code_secret = enrolment.place_of(text), enrolment.secret_of(text).hex()
    member.code_until = now + timedelta(days=CODE_DAYS)
    return text


@command("exchange.suspend_member")
def suspend_member(*, member: str, actor: Actor, now: datetime) -> None:
    """Shut a member out of the exchange for now; returns once every gateway that can be reached knows.

    Those that could not be reached are listed (`monitoring.get_monitor`). Raises `MemberNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = _member(member)
    row.state = MemberState.SUSPENDED.value
    row.save(update_fields=["state"])
    publish(MemberSuspended(code=row.code), now=now)
    _changed(row.code, now=now, restricts=True)


@command("exchange.resume_member")
def resume_member(*, member: str, actor: Actor, now: datetime) -> None:
    """Let a suspended member take part again. Raises `MemberNotFound`, ``AccessRefused``."""
    access.require(actor=actor, right=OPERATE)
    row = _member(member)
    row.state = MemberState.ACTIVE.value
    row.save(update_fields=["state"])
    _changed(row.code, now=now)


@command("exchange.approve_gateway")
def approve_gateway(*, gateway: str, fingerprint: str, actor: Actor, now: datetime) -> None:
    """Let a gateway serve, after its fingerprint was compared with the member.

    ``fingerprint`` is what the member read out: at least the first two groups. The gateway fetches its configuration within a
    second. Raises `FingerprintDiffers`, `GatewayMoved`, `GatewayNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = _gateway(gateway)
    if row.state != GatewayState.REQUESTED.value:
        raise GatewayMoved
    said = "".join(fingerprint.split()).lower()
    whole = enrolment.fingerprint(algorithm=row.algorithm, public=row.public).replace(" ", "")
    if len(said) < 8 or not whole.startswith(said):
        raise FingerprintDiffers
    row.state, row.decided_at = GatewayState.LIVE.value, now
    row.save(update_fields=["state", "decided_at"])
    _put_key(row.member_id, key_id=row.key_id, algorithm=row.algorithm, public=row.public, now=now, gateway=row.code)
    publish(GatewayLive(code=row.code, member=row.member_id), now=now)
    current().object("exchange_gateway", row.code)
    _changed(row.member_id, now=now)


@command("exchange.refuse_gateway")
def refuse_gateway(*, gateway: str, actor: Actor, now: datetime) -> None:
    """Turn a gateway down that asked. Raises `GatewayMoved`, `GatewayNotFound`, ``AccessRefused``."""
    access.require(actor=actor, right=OPERATE)
    row = _gateway(gateway)
    if row.state != GatewayState.REQUESTED.value:
        raise GatewayMoved
    row.state, row.decided_at = GatewayState.REFUSED.value, now
    row.save(update_fields=["state", "decided_at"])
    current().object("exchange_gateway", row.code)


@command("exchange.revoke_gateway")
def revoke_gateway(*, gateway: str, actor: Actor, now: datetime) -> None:
    """Take a gateway and its key out of the exchange for good; its services end with it.

    Returns once every gateway that can be reached knows. Raises `GatewayMoved`, `GatewayNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = _gateway(gateway)
    if row.state != GatewayState.LIVE.value:
        raise GatewayMoved
    row.state, row.decided_at = GatewayState.REVOKED.value, now
    row.save(update_fields=["state", "decided_at"])
    models.Key.objects.filter(gateway=row, revoked_at=None).update(revoked_at=now)
    models.Service.objects.filter(gateway=row).update(is_on=False)
    current().object("exchange_gateway", row.code)
    _changed(row.member_id, now=now, restricts=True)


@command("exchange.move_gateway")
def move_gateway(*, gateway: str, authority: str, address: str, actor: Actor, now: datetime) -> None:
    """Tell callers and the centre where a gateway is from now on.

    Raises `GatewayNotFound`, `CodeMalformed`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = _gateway(gateway)
    if not enrolment.AUTHORITY.fullmatch(authority) or not enrolment.ADDRESS.fullmatch(address):
        raise CodeMalformed("A gateway's place is host:port in small letters, its address http(s)://host:port.")
    row.authority, row.address = authority, address
    row.save(update_fields=["authority", "address"])
    current().object("exchange_gateway", row.code)
    _changed(row.member_id, now=now)


@command("exchange.register_key")
def register_key(*, member: str, system: str, key: str, actor: Actor, now: datetime) -> str:
    """Register the public key of a member's system and give the name that its messages carry.

    ``key`` is ``ALGORITHM:BASE64``. It is valid for two years. Raises `KeyUnreadable`, `KeyKnown`, `MemberNotFound`,
    `CodeMalformed`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = _member(member)
    _code(system)
    algorithm, _, public = key.strip().partition(":")
    number = 1 + models.Key.objects.filter(member=row, system=system).count()
    key_id = f"{row.code}/{system}/{number}"
    _put_key(row.code, key_id=key_id, algorithm=algorithm, public=public, now=now, system=system)
    current().object("exchange_key", key_id)
    _changed(row.code, now=now)
    return key_id


@command("exchange.revoke_key")
def revoke_key(*, key_id: str, reason: str, actor: Actor, now: datetime) -> None:
    """Make a system's key void; returns once every gateway that can be reached knows.

    Raises `KeyNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = models.Key.objects.select_for_update().filter(key_id=key_id, revoked_at=None, gateway=None).first()
    if row is None:
        raise KeyNotFound
    row.revoked_at, row.reason = now, reason.strip()[:500]
    row.save(update_fields=["revoked_at", "reason"])
    current().object("exchange_key", key_id)
    _changed(row.member_id, now=now, restricts=True)


@command("exchange.publish_service")
def publish_service(
    *,
    code: str,
    resource_code: str,
    gateway: str,
    is_platforms: bool,
    actor: Actor,
    now: datetime,
    provider: str = "",
) -> None:
    """Publish a resource of the catalogue through a gateway, under the grants that the catalogue holds.

    ``is_platforms``: the platform serves the rows itself, with no code; else the member's own system behind its gateway does.
    ``provider``: a member that has no gateway of its own and is hosted at this one; the gateway's member when it is left out.
    Raises `ServiceKnown`, `ResourceWithoutRows`, `GatewayNotFound`, `GatewayMoved`, `MemberNotFound`, `CodeMalformed`,
    ``ResourceMissing``, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = _gateway(gateway)
    if row.state != GatewayState.LIVE.value:
        raise GatewayMoved
    if provider and provider != row.member_id:
        if not models.Member.objects.filter(code=provider).exists():
            raise MemberNotFound
        if models.Gateway.objects.filter(member_id=provider, state=GatewayState.LIVE.value).exists():
            raise GatewayMoved  # who has a gateway answers through it
    if not enrolment.GATEWAY_ID.fullmatch(code.replace("_", "-")):
        raise CodeMalformed
    if models.Service.objects.filter(code=code).exists():
        raise ServiceKnown
    shared_rows.resource_view(resource_code)  # one that is not there cannot be published
    if is_platforms and not shared_rows.has_rows(resource_code):
        raise ResourceWithoutRows
    models.Service.objects.create(
        code=code,
        resource_code=resource_code,
        member_id=provider or row.member_id,
        gateway=row,
        is_platforms=is_platforms,
        published_at=now,
    )
    current().object("exchange_service", code)
    _changed(row.member_id, now=now)


@command("exchange.withdraw_service")
def withdraw_service(*, code: str, actor: Actor, now: datetime) -> None:
    """Take a service off the exchange; returns once every gateway that can be reached knows.

    Raises `ServiceNotFound`, ``AccessRefused``.
    """
    access.require(actor=actor, right=OPERATE)
    row = models.Service.objects.select_for_update().filter(code=code, is_on=True).first()
    if row is None:
        raise ServiceNotFound
    row.is_on = False
    row.save(update_fields=["is_on"])
    current().object("exchange_service", code)
    _changed(row.member_id, now=now, restricts=True)


# --- how ----------------------------------------------------------------------------------------------------------------


def _code(code: str) -> None:
    if not CODE.fullmatch(code):
        raise CodeMalformed


def _member(code: str) -> models.Member:
    row = models.Member.objects.select_for_update().filter(code=code).first()
    if row is None:
        raise MemberNotFound
    return row


def _gateway(code: str) -> models.Gateway:
    row = models.Gateway.objects.select_for_update().filter(code=code).first()
    if row is None:
        raise GatewayNotFound
    return row


def _put_key(
    member: str, *, key_id: str, algorithm: str, public: str, now: datetime, gateway: str = "", system: str = ""
) -> None:
    try:
        keys.verifier(algorithm=algorithm, public=public)
    except LinkError as error:
        raise KeyUnreadable from error
    if models.Key.objects.filter(public=public).exists() or models.Key.objects.filter(key_id=key_id).exists():
        raise KeyKnown
    models.Key.objects.create(
        key_id=key_id,
        member_id=member,
        gateway_id=gateway or None,
        system=system,
        algorithm=algorithm,
        public=public,
        valid_from=now - timedelta(minutes=5),  # clocks differ
        valid_until=now + timedelta(days=KEY_DAYS),
    )


def _changed(member: str, *, now: datetime, restricts: bool = False) -> None:
    """Issue within the command's transaction; what restricts is handed to gateways right after its commit."""
    current().object("exchange_member", member)
    issuing.mark_changed()
    issued = issuing.issue(now=now, restricts=restricts, cause="members")
    if issued is not None:
        current().detail(serial=issued.serial)
        if restricts:
            transaction.on_commit(lambda: issuing.hand_over(issued, now=timezone.now()) and None)
