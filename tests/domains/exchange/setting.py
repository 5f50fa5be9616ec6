"""A small exchange in the database: the demo's three members with a gateway each, and their keys at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from furong.domains.exchange import commands, enrolling
from furong.foundation.access.values import Actor
from furong.foundation.organizations import queries as organizations
from furong_link.enrolment import Request, fingerprint, key_id_of, seal_request
from furong_link.keys import SoftwareKey

SYSTEM = Actor.system("tests")
MEMBERS = {
    "zz-fuyou": ("hospital", "430200", "hospital-1"),
    "zz-housing": ("housing", "430200", "housing-1"),
    "hunan": ("data_authority", "430000", "province-1"),
}


@dataclass
class Exchange:
    """The members' keys, by gateway and by system, and the time at which they were admitted."""

    now: datetime
    keys: dict[str, SoftwareKey] = field(default_factory=dict)


def request_of(gateway: str, key: SoftwareKey) -> Request:
    return Request(
        id=gateway,
        authority="127.0.0.1:1",
        address="http://127.0.0.1:1",  # nobody listens there
        key_id=key.key_id,
        algorithm=key.algorithm,
        public=key.public,
        software="tests",
    )


def admit(code: str, *, now: datetime) -> str:
    department, division, _ = MEMBERS[code]
    body = organizations.get_responsible(department=department, division_code=division)
    return commands.admit_member(code=code, organization_id=body.id, actor=SYSTEM, now=now)


def enrol(gateway: str, code: str, *, now: datetime) -> tuple[SoftwareKey, dict[str, Any]]:
    key = SoftwareKey.generate(key_id=key_id_of(gateway))
    sent = seal_request(request_of(gateway, key), code=code, signer=key)
    return key, enrolling.enrol_gateway(sent=sent, actor=SYSTEM, now=now)


def approve(gateway: str, key: SoftwareKey, *, now: datetime) -> None:
    commands.approve_gateway(
        gateway=gateway,
        fingerprint=fingerprint(algorithm=key.algorithm, public=key.public),
        actor=SYSTEM,
        now=now,
    )


def make(*, now: datetime | None = None) -> Exchange:
    """Admit the three members, enrol and approve their gateways, register two systems, publish two services."""
    made = Exchange(now or datetime.now(UTC))
    for code, (_, _, gateway) in MEMBERS.items():
        key, _ = enrol(gateway, admit(code, now=made.now), now=made.now)
        approve(gateway, key, now=made.now)
        made.keys[gateway] = key
    for member, system in (("zz-housing", "rental"), ("hunan", "platform")):
        key = SoftwareKey.generate(key_id=f"{member}/{system}/1")
        commands.register_key(
            member=member, system=system, key=f"{key.algorithm}:{key.public}", actor=SYSTEM, now=made.now
        )
        made.keys[system] = key
    for code, resource, gateway, is_platforms in (
        ("births", "birth_records", "hospital-1", False),
        ("marriages", "marriages", "province-1", True),
    ):
        commands.publish_service(
            code=code,
            resource_code=resource,
            gateway=gateway,
            is_platforms=is_platforms,
            actor=SYSTEM,
            now=made.now,
        )
    return made
