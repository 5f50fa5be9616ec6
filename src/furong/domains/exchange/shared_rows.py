"""A resource published through the platform with no code: its rows, read under the grant that the consumer named.

The province's gateway has this as the system behind its services. It asks the one decision point again, so what a gateway with
an older configuration still lets through is refused here, and every person whose row leaves sees it with purpose and grant.
Rows come from a room that registered them for sharing, or from what the catalogue holds of any resource (`catalogue.data`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from django.conf import settings

from furong.domains.catalogue import data as catalogue_data
from furong.domains.catalogue import queries as catalogue
from furong.domains.catalogue.grants import reading as grants
from furong.domains.catalogue.views import ResourceView
from furong.domains.exchange import models
from furong.domains.exchange.compiling import METHOD, SYSTEM, catalogue_grant
from furong.domains.exchange.errors import RowsNotAllowed, ServiceNotFound
from furong.domains.exchange.values import MemberState
from furong.foundation.access import compiled
from furong.foundation.access.errors import GrantNotInForce
from furong.foundation.access.sharing import decide_sharing
from furong.foundation.access.terms import CompiledGrant
from furong.foundation.access.values import Actor, ActorKind, Assurance, Basis
from furong.foundation.audit.commands import read, record_read

MOST_ROWS = 1000
_DIVISION = ("division_code", "division", "area")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSource:
    """A room's rows of a resource for sharing: those of one key, and, where they may be listed, all of them.

    ``persons`` are the items that hold a person's identifier, beside those whose element says so.
    """

    code: str
    one: Callable[[str], Sequence[Row]]
    rows: Callable[[], Iterable[Row]] | None = None
    persons: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a consumer asked through the gateway. ``key``: one thing or person; else a list by ``filters``."""

    service: str
    consumer: str
    grant: str
    message: str
    key: str | None = None
    filters: Mapping[str, str] | None = None
    limit: int = 100
    after: int = 0
    case_id: UUID | None = None
    item_code: str = ""


_sources: dict[str, SharedSource] = {}


def register_source(source: SharedSource) -> None:
    """Let a room share a resource's rows; a second registration of a code replaces the first."""
    _sources[source.code] = source


def has_rows(code: str) -> bool:
    """Tell whether the platform holds rows of a resource."""
    return code in _sources or code in catalogue_data.codes_with_rows()


def codes() -> frozenset[str]:
    """Return the codes of the resources of which the platform holds rows."""
    return frozenset(_sources) | catalogue_data.codes_with_rows()


def resource_view(code: str) -> ResourceView:
    """Return a resource as the platform sees it. Raises ``ResourceMissing``."""
    return catalogue.get_resource(actor=SYSTEM, code=code)


def rows_token() -> str:
    """Return what the platform's own gateway shows here, made from the installation's secret."""
    return sha256(b"furong.exchange.rows\0" + settings.SECRET_KEY.encode()).hexdigest()


def admit(*, token: str, address: str) -> None:
    """Let nobody in but the platform's own gateway. Raises `RowsNotAllowed`."""
    if not compare_digest(token.encode(), rows_token().encode()):
        raise RowsNotAllowed
    try:
        found = ip_address(address)
    except ValueError:
        raise RowsNotAllowed from None
    if not any(found in ip_network(one) for one in settings.EXCHANGE_NETWORKS if one):
        raise RowsNotAllowed


@read("exchange.read_rows")
def read_rows(*, question: Question, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Return the rows that a consumer asked for, as far as its grant goes: items and divisions.

    Every person in them sees the read with purpose and grant. Raises `ServiceNotFound`, ``SharingRefused``. Cost: three reads and
    the rows.
    """
    service = models.Service.objects.filter(code=question.service, is_on=True, is_platforms=True).first()
    member = models.Member.objects.filter(code=question.consumer, state=MemberState.ACTIVE.value).first()
    if service is None or member is None:
        raise ServiceNotFound
    resource = service.resource_code
    grant = _grant(question.grant, resource)
    about = grants.describe_grants(ids=[grant.id]).get(grant.id)
    basis = Basis(
        purpose=about.scenario if about else question.grant,
        legal_basis=about.legal_basis if about else "",
        case_id=question.case_id,
        item_code=question.item_code,
    )
    consumer = Actor(
        kind=ActorKind.SYSTEM,
        organization_id=member.organization_id,
        division_code=member.division_code,
        assurance=Assurance.IN_PERSON,
        label="exchange",
        organization_label=member.name.get("zh", member.code),
        request_id=actor.request_id,
    )
    decision = decide_sharing(
        actor=consumer,
        resource=resource,
        fields=grant.items,
        basis=basis,
        now=now,
        subjects=1 if question.key is not None else 2,
        method=METHOD,
    )
    items = grant.items & decision.items if decision.grant_id else grant.items
    view = resource_view(resource)
    found = [
        {name: value for name, value in row.items() if name in items} | {"_subjects": _subjects(row, view)}
        for row in _rows(resource, question)
        if decision.admits(str(next((row[name] for name in _DIVISION if row.get(name)), "")))
        and _fits(row, question.filters or {}, items)
    ]
    found = found[question.after : question.after + max(1, min(question.limit, MOST_ROWS))]
    subjects = dict.fromkeys(person for row in found for person in row.pop("_subjects"))
    record_read(
        actor=consumer,
        basis=basis,
        what="exchange.read_rows",
        subjects=subjects,
        fields=disclosed(resource, items),
        database="default",
        now=now,
        object=("exchange_service", service.code),
        detail={
            "terms": [decision.trace()],
            "grant_number": about.number if about else "",
            "service": service.code,
            "message": question.message,
            "rows": len(found),
        },
    )
    return found


def disclosed(resource: str, items: Iterable[str]) -> list[str]:
    """Return under which names a person reads what was disclosed: the data elements that items carry."""
    elements = {item.code: item.elements for item in resource_view(resource).items}
    return sorted({name for item in items for name in elements.get(item) or (item,)})


def _grant(name: str, resource: str) -> CompiledGrant:
    wanted = catalogue_grant(name)
    found = next((one for one in compiled.list_grants(codes=[resource]) if one.id == wanted), None)
    if found is None:
        raise GrantNotInForce(resource=resource)
    return found


def _rows(resource: str, question: Question) -> Iterable[Row]:
    source = _sources.get(resource)
    if source is not None:
        if question.key is not None:
            return source.one(question.key)
        return source.rows() if source.rows is not None else ()
    rows = catalogue_data.find_all_rows(code=resource) or ()
    if question.key is None:
        return rows
    keys = [item.code for item in resource_view(resource).items if item.key]
    return [row for row in rows if any(str(row.get(key)) == question.key for key in keys)]


def _fits(row: Row, filters: Mapping[str, str], items: Iterable[str]) -> bool:
    """Only what one may read can be asked by: a filter on another item would tell it."""
    return all(name in items and str(row.get(name)) == value for name, value in filters.items())


def _subjects(row: Row, view: ResourceView) -> list[UUID]:
    """The persons a row tells of: what stands in items that carry a person's identifier."""
    found = []
    source = _sources.get(view.line.code)
    named = source.persons if source is not None else frozenset()
    for item in view.items:
        value = row.get(item.code)
        if value and (item.code in named or any(element.endswith("person_id") for element in item.elements)):
            try:
                found.append(UUID(str(value)))
            except ValueError:
                continue
    return found


def quotas_of(*, grants: Iterable[str]) -> dict[str, int]:
    """Return how many readings a day grants allow, by the name that gateways know them by."""
    wanted = {name: catalogue_grant(name) for name in grants}
    resources = models.Service.objects.values_list("resource_code", flat=True).distinct()
    found = {one.id: one.daily_quota for one in compiled.list_grants(codes=resources)}
    return {name: quota for name, grant in wanted.items() if grant and (quota := found.get(grant))}
