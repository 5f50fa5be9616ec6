"""The platform as a consumer: registers outside that are asked over the exchange, under a grant, as any member asks.

`BirthsOverExchange` stands where the hospitals' twin stands (`cases.ports.BirthRecords`). Every answer about a person leaves a
trace that the person reads, with the purpose and the number of the grant. A gateway or a system that does not answer is a silent
register, as before.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from furong.domains.cases.errors import TwinUnavailableError
from furong.domains.cases.ports import BirthRecord
from furong.domains.catalogue.grants import reading as grants
from furong.domains.exchange import issuing, models, shared_rows
from furong.domains.exchange.compiling import catalogue_grant, compile_configuration
from furong.domains.exchange.errors import NoWayError
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis
from furong.foundation.audit.commands import record_read
from furong.foundation.codes.leases import Leased
from furong_link.client import Answer, Link, Refused, UnreachableError
from furong_link.errors import LinkError
from furong_link.keys import SoftwareKey, verifier

log = logging.getLogger("furong.exchange")

TIMEOUT_SECONDS = 5.0
BIRTHS = "birth_records"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How one resource is asked: at which gateway, under which grant, for what."""

    service: str
    resource: str
    provider: str
    address: str
    authority: str
    algorithm: str
    public: str
    grant: str
    number: str
    scenario: str
    legal_basis: str
    organization_id: UUID
    organization_label: str


_stands: Leased[tuple[int, ...]] = Leased(seconds=1.0)
_ways: Leased[tuple[Way, ...]] = Leased(seconds=3600.0)
_held = threading.local()


def ways_to(resource_code: str) -> tuple[Way, ...]:
    """Return every way by which the platform may ask for a resource, at most a second old."""
    stand = _stands.get("", issuing.stand)
    return _ways.get((resource_code, stand, timezone.localdate()), lambda: _find_ways(resource_code))


def _find_ways(resource_code: str) -> tuple[Way, ...]:
    key = _key()
    member_code = key.key_id.partition("/")[0]
    member = models.Member.objects.filter(code=member_code).first()
    if member is None:
        return ()
    payload = compile_configuration(now=timezone.now()).payload
    services = {one["id"]: one for one in payload["services"] if one["resource"] == resource_code}
    gateways = {one["id"]: one for one in payload["gateways"]}
    keys = {one["id"]: one for one in payload["keys"]}
    mine = [one for one in payload["grants"] if one["consumer"] == member_code and one["service"] in services]
    words = grants.describe_grants(ids=[g for one in mine if (g := catalogue_grant(one["id"]))])
    found = []
    for one in mine:
        service = services[one["service"]]
        gateway = gateways[service["gateway"]]
        about = words.get(catalogue_grant(one["id"]) or UUID(int=0))
        found.append(
            Way(
                service=service["id"],
                resource=resource_code,
                provider=service["provider"],
                address=gateway["address"],
                authority=gateway["authority"],
                algorithm=keys[gateway["key"]]["algorithm"],
                public=keys[gateway["key"]]["public"],
                grant=one["id"],
                number=about.number if about else "",
                scenario=one["purpose"],
                legal_basis=about.legal_basis if about else "",
                organization_id=member.organization_id,
                organization_label=member.name.get("zh", member.code),
            )
        )
    return tuple(found)


def _key() -> SoftwareKey:
    try:
        return SoftwareKey.read(settings.EXCHANGE_KEY)
    except LinkError as error:
        raise NoWayError("The platform's own key for the exchange cannot be read; see FURONG_EXCHANGE_KEY.") from error


def ask(way: Way, target: str) -> Answer:
    """Ask for ``target`` within the way's service, over a connection that this thread keeps.

    Raises what `furong_link.client.Link.get` raises.
    """
    links: dict[tuple[str, str], Link] = _held.__dict__.setdefault("links", {})
    place = (way.address, way.public)
    if place not in links:
        links[place] = Link(
            way.address,
            signer=_key(),
            gateway_key=verifier(algorithm=way.algorithm, public=way.public),
            timeout_seconds=TIMEOUT_SECONDS,
            authority=way.authority,
        )
    return links[place].get(f"/{way.service}{target}", grant=way.grant)


class BirthsOverExchange:
    """The hospitals' birth records, asked of the hospitals' own systems."""

    def find_latest(self, *, mother_person_id: UUID) -> BirthRecord | None:
        """Return the latest birth of a mother that any hospital knows, None when none does.

        Raises TwinUnavailableError when a gateway or a hospital's system does not answer.
        """
        found: list[dict[str, Any]] = []
        try:
            ways = ways_to(BIRTHS)
        except NoWayError as error:
            log.error("no way", exc_info=error)
            raise TwinUnavailableError("The platform has no key for the exchange.") from error
        if not ways:
            raise TwinUnavailableError("No grant in force lets the platform ask for birth records over the exchange.")
        for way in ways:
            found += _rows(way, f"/one/{mother_person_id}", subject=mother_person_id)
        if not found:
            return None
        row = max(found, key=lambda one: str(one["born_at"]))
        return BirthRecord(
            record_id=UUID(str(row["record_id"])),
            mother_person_id=UUID(str(row["mother"])),
            hospital_name=dict(row["hospital_name"]),
            hospital_code=str(row["hospital_code"]),
            division_code=str(row["division_code"]),
            born_at=datetime.fromisoformat(str(row["born_at"])),
            sex=str(row["sex"]),
            weight_g=int(row["weight_g"]),
            length_mm=int(row["length_mm"]),
            gestation_weeks=int(row["gestation_weeks"]),
            certificate_number=str(row["certificate_number"]),
        )


def _rows(way: Way, target: str, *, subject: UUID) -> list[dict[str, Any]]:
    try:
        answer = ask(way, target)
        rows = list(answer.json()["rows"])
    except Refused as refused:
        raise TwinUnavailableError(f"The exchange refused the question: {refused.problem.code}.") from refused
    except (UnreachableError, LinkError) as error:
        raise TwinUnavailableError(f"The gateway of {way.provider} does not answer ({error.code}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TwinUnavailableError(f"The system behind {way.service} does not answer in rows.") from error
    if rows:
        trace(way, answer, subjects=[subject], fields=sorted({name for row in rows for name in row}))
    return rows


def trace(way: Way, answer: Answer, *, subjects: list[UUID], fields: list[str]) -> None:
    """Record that persons' data arrived over the exchange: with purpose, grant, and where it is in the log."""
    record_read(
        actor=Actor(
            kind=ActorKind.SYSTEM,
            organization_id=way.organization_id,
            assurance=Assurance.IN_PERSON,
            label="exchange",
            organization_label=way.organization_label,
        ),
        basis=Basis(purpose=way.scenario, legal_basis=way.legal_basis),
        what="exchange.ask",
        subjects=subjects,
        fields=shared_rows.disclosed(way.resource, fields),
        database="default",
        now=timezone.now(),
        object=("exchange_service", way.service),
        detail={
            "terms": [{"resource": way.resource, "ground": "grant", "grant": str(catalogue_grant(way.grant))}],
            "grant_number": way.number,
            "service": way.service,
            "provider": way.provider,
            "message": answer.message,
            "record": {"log": answer.record.log, "index": answer.record.index, "leaf": answer.record.leaf.hex()},
        },
    )
