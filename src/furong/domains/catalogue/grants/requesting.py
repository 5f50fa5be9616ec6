"""Writes on requests: ask, supplement, reply, review, withdraw, supply. What the process decides, `flow` carries out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection

from furong.domains.catalogue import lookup, models
from furong.domains.catalogue.acting import by_words, reason_of
from furong.domains.catalogue.errors import (
    ActImpossible,
    AskedAlready,
    GrantTooWide,
    NotShared,
    OwnResource,
    ReasonNeeded,
    RequestMissing,
    RequestOpen,
    RequestRefused,
    ResourceChanged,
    ResourceMissing,
)
from furong.domains.catalogue.grants import flow
from furong.domains.catalogue.grants.compiling import RANKS, party_of
from furong.domains.catalogue.grants.values import (
    MOST_DAYS,
    MOST_QUOTA,
    REPLY_WORKING_DAYS,
    SUPPLY_WORKING_DAYS,
    ChangeKind,
    RequestState,
    ResourceChange,
    Terms,
)
from furong.domains.catalogue.ports import ServiceName, services_of
from furong.domains.catalogue.sight import EDIT, REVIEW
from furong.domains.catalogue.views import ResourceView
from furong.foundation.access import queries as access
from furong.foundation.access.terms import Rank
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendar
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.values import prefix_of

MAX_TEXT = 2000
_CLASSES = {rank: name for name, rank in RANKS.items()}


@command("catalogue.submit_request")
def submit_request(
    *, resource_code: str, terms: Terms, scenario: str, legal_basis: str, actor: Actor, now: datetime
) -> UUID:
    """Ask the provider of a resource, in the name of the actor's organisation, for what ``terms`` say.

    The provider replies within one working day when all of it is shared on no condition, within ten otherwise. Gives the request.
    Raises `ResourceMissing`, `OwnResource`, `NotShared`, `RequestRefused`, `RequestOpen`, ``AccessRefused``.
    """
    if actor.organization_id is None:
        raise RequestRefused("Ask in the name of an organisation.")
    own = organizations.get_organization(organization_id=actor.organization_id)
    access.require(actor=actor, right=EDIT, organization_id=own.id, division_code=own.division_code)
    view = lookup.get_resource(actor=actor, code=resource_code)
    if not view.is_live:
        raise ResourceMissing
    sharing = _check(view, terms, scenario, legal_basis, organization_id=own.id, now=now)
    provider = view.organization_id
    if provider is None:
        raise RequestRefused("The resource has no organisation that could reply.")
    waiting = models.Request.objects.select_for_update().filter(
        organization_id=own.id, resource_code=resource_code, state__in=["submitted", "to_supplement", "with_authority"]
    )
    if (first := waiting.first()) is not None:
        raise RequestOpen(number=first.number)
    days = calendar.current()
    today = days.local_date(now)
    request = models.Request(
        number=_number(today.year),
        resource_code=resource_code,
        resource_digest=view.digest,
        resource_version=view.line.version,
        organization_id=own.id,
        division_code=own.division_code,
        provider_organization_id=provider,
        provider_division_code=view.division_code,
        scenario=scenario.strip(),
        legal_basis=legal_basis.strip(),
        sharing=sharing,
        terms=terms.as_json(),
        state=RequestState.SUBMITTED.value,
        by=by_words(actor),
        submitted_at=now,
        reply_due_on=days.add_working_days(today, REPLY_WORKING_DAYS[sharing]),
    )
    request.save(force_insert=True)
    request.process_instance_id = flow.start(request, actor=actor, now=now)
    request.save(update_fields=["process_instance_id"])
    _note(request)
    return request.id


def _number(year: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('catalogue_request_number')")
        return f"GX{year}-{cursor.fetchone()[0]:06d}"


def _check(
    view: ResourceView, terms: Terms, scenario: str, legal_basis: str, *, organization_id: UUID, now: datetime
) -> str:
    """Check what is asked for against the resource; give the narrowest class among it."""
    party = party_of(organization_id)
    if organization_id == view.organization_id or (
        party is not None
        and party.department == view.line.department
        and party.division_code.startswith(prefix_of(view.division_code))
    ):
        raise OwnResource
    if not scenario.strip() or not legal_basis.strip():
        raise RequestRefused("Say for what the data is needed and on what legal basis.")
    if max(len(scenario), len(legal_basis)) > MAX_TEXT:
        raise RequestRefused("Scenario and legal basis take at most %(most)s characters.", most=MAX_TEXT)
    if not 1 <= terms.days <= MOST_DAYS:
        raise RequestRefused("A grant lasts between one day and three years.")
    if terms.daily_quota is not None and not 1 <= terms.daily_quota <= MOST_QUOTA:
        raise RequestRefused("The number of readings a day is between 1 and %(most)s.", most=MOST_QUOTA)
    known = {item.code: item for item in view.items}
    wanted = set(terms.items)
    if not wanted:
        raise RequestRefused("Choose at least one item.")
    if unknown := wanted - set(known):
        raise RequestRefused("The resource has no such item: %(items)s.", items=", ".join(sorted(unknown)))
    resource = RANKS[view.line.sharing]
    ranks = {code: max(resource, RANKS[str(known[code].sharing["type"])]) for code in wanted}
    if closed := sorted(code for code, rank in ranks.items() if rank is Rank.NONE):
        raise NotShared(items=", ".join(closed))
    methods = set(view.detail["sharing"].get("methods") or ())
    if not terms.methods or not set(terms.methods) <= methods:
        raise RequestRefused("The resource does not pass in this way.")
    if terms.services:
        own = {one.code for one in own_services(organization_id=organization_id, now=now)}
        if foreign := sorted(set(terms.services) - own):
            raise RequestRefused(
                "Your organisation handles no such service item: %(services)s.", services=", ".join(foreign)
            )
    return _CLASSES[max(ranks.values())]


def own_services(*, organization_id: UUID, now: datetime) -> tuple[ServiceName, ...]:
    """Give the service items that an organisation's department handles: what it may ask data for. By code."""
    party = party_of(organization_id)
    if party is None or not party.department:
        return ()
    return services_of(department=party.department, on=calendar.current().local_date(now))


@command("catalogue.ask_supplement")
def ask_supplement(*, request_id: UUID, question: str, actor: Actor, now: datetime) -> None:
    """Ask the requester, once, for everything that is missing; the clock stands still until the answer.

    Raises `AskedAlready`, `ReasonNeeded`, `ActImpossible`, `RequestMissing`, ``AccessRefused``.
    """
    request = locked(request_id, actor)
    _as_provider(request, actor)
    if not question.strip():
        raise ReasonNeeded
    if request.state != RequestState.SUBMITTED:
        raise ActImpossible
    if request.question:
        raise AskedAlready
    request.question, request.state = question.strip()[:MAX_TEXT], RequestState.TO_SUPPLEMENT.value
    request.save(update_fields=["question", "state"])
    flow.hold_clock(request, now=now)
    _note(request)


@command("catalogue.supplement_request")
def supplement_request(
    *, request_id: UUID, answer: str, actor: Actor, now: datetime, terms: Terms | None = None, legal_basis: str = ""
) -> None:
    """Give what was missing, and adapt the request to the resource as it stands; the clock begins anew.

    Raises `ReasonNeeded`, `ActImpossible`, and what `submit_request` raises.
    """
    request = locked(request_id, actor)
    _as_requester(request, actor)
    if request.state != RequestState.TO_SUPPLEMENT:
        raise ActImpossible
    if not answer.strip():
        raise ReasonNeeded
    view = lookup.get_resource(actor=actor, code=request.resource_code)
    wanted = terms or Terms.of_json(request.terms)
    basis = legal_basis.strip() or request.legal_basis
    sharing = _check(view, wanted, request.scenario, basis, organization_id=request.organization_id, now=now)
    if RANKS[sharing] > RANKS[request.sharing]:
        # The process that runs asks fewer people than this class demands.
        raise RequestRefused(
            "What you ask for is shared on stricter terms now; withdraw this request and make a new one."
        )
    days = calendar.current()
    request.terms, request.legal_basis = wanted.as_json(), basis
    request.answer, request.state = answer.strip()[:MAX_TEXT], RequestState.SUBMITTED.value
    request.resource_digest, request.resource_version = view.digest, view.line.version
    request.reply_due_on = days.add_working_days(days.local_date(now), REPLY_WORKING_DAYS[request.sharing])
    request.save()
    flow.run_clock(request, now=now)
    _note(request)


@command("catalogue.consent_request")
def consent_request(*, request_id: UUID, actor: Actor, now: datetime, terms: Terms | None = None) -> None:
    """Consent to a request, as its provider or as the data authority, to all of it or to narrower ``terms``.

    After the last consent a grant is offered for signature, to be supplied within twenty working days. Raises `GrantTooWide` for
    terms beyond the request (or beyond the provider's consent), `ResourceChanged` when the resource is not what was asked for,
    `ActImpossible`, `RequestMissing`, ``AccessRefused``.
    """
    request = locked(request_id, actor)
    task = flow.open_task(request, flow.REPLY, flow.AUTHORITY)
    if request.state == RequestState.TO_SUPPLEMENT:
        raise ActImpossible
    hindering = [one for one in changes_of(request) if one.kind.hinders]
    if hindering:
        raise ResourceChanged(changes=told(hindering))
    wider = Terms.of_json(request.agreed or request.terms)
    agreed = terms or wider
    if beyond := agreed.exceeds(wider):
        raise GrantTooWide(beyond=", ".join(beyond))
    if not agreed.items:
        raise RequestRefused("Choose at least one item.")
    request.agreed, request.reason = agreed.as_json(), ""
    request.save(update_fields=["agreed", "reason"])
    _note(request)
    flow.complete(task, outcome=flow.APPROVED, actor=actor, now=now)


@command("catalogue.refuse_request")
def refuse_request(*, request_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Refuse a request with the reason (拒绝应当说明理由), as its provider or as the data authority.

    Raises `ReasonNeeded`, `ActImpossible`, `RequestMissing`, ``AccessRefused``.
    """
    request = locked(request_id, actor)
    task = flow.open_task(request, flow.REPLY, flow.AUTHORITY)
    if request.state == RequestState.TO_SUPPLEMENT:
        raise ActImpossible
    request.reason = reason_of(reason)
    request.save(update_fields=["reason"])
    _note(request)
    flow.complete(task, outcome=flow.REFUSED, actor=actor, now=now)


@command("catalogue.withdraw_request")
def withdraw_request(*, request_id: UUID, actor: Actor, now: datetime) -> None:
    """Take an undecided request back. Raises `ActImpossible`, `RequestMissing`, ``AccessRefused``."""
    request = locked(request_id, actor)
    _as_requester(request, actor)
    if not RequestState(request.state).is_open or request.state == RequestState.CONSENTED:
        raise ActImpossible
    request.state = RequestState.WITHDRAWN.value
    request.save(update_fields=["state"])
    flow.cancel(request, reason="withdrawn by the requester", actor=actor, now=now)
    _note(request)


@command("catalogue.confirm_supply")
def confirm_supply(*, request_id: UUID, actor: Actor, now: datetime) -> None:
    """Note that a resource which passes outside the platform is being supplied.

    What passes inside the platform is supplied with the second signature. Raises `ActImpossible`, `RequestMissing`,
    ``AccessRefused``.
    """
    request = locked(request_id, actor)
    _note(request)
    flow.complete(flow.open_task(request, flow.SUPPLY), outcome=flow.SUPPLIED, actor=actor, now=now)


def consented(request: models.Request, *, now: datetime) -> None:
    """Note the last consent: the time for supply begins."""
    days = calendar.current()
    request.state, request.replied_at = RequestState.CONSENTED.value, now
    request.supply_due_on = days.add_working_days(days.local_date(now), SUPPLY_WORKING_DAYS)
    request.save(update_fields=["state", "replied_at", "supply_due_on"])


def changes_of(request: models.Request) -> tuple[ResourceChange, ...]:
    """Find what became of the resource since it was asked for; empty when it is the same version and online."""
    row = models.Resource.objects.filter(code=request.resource_code).select_related("facet").first()
    if row is None or not row.live:
        return (ResourceChange(kind=ChangeKind.OFFLINE),)
    if row.digest == request.resource_digest:
        return ()
    asked, terms = RANKS[request.sharing], Terms.of_json(request.agreed or request.terms)
    found: list[ResourceChange] = []
    own = RANKS[row.facet.sharing]
    if own > asked:
        found.append(ResourceChange(kind=ChangeKind.NOT_SHARED if own is Rank.NONE else ChangeKind.STRICTER))
    if not set(terms.methods) <= set(row.detail["sharing"].get("methods") or ()):
        found.append(ResourceChange(kind=ChangeKind.METHOD))
    known = dict(models.Item.objects.filter(resource=row).values_list("code", "detail"))
    for item in terms.items:
        if item not in known:
            found.append(ResourceChange(kind=ChangeKind.GONE, item=item))
        elif (rank := RANKS[(known[item].get("sharing") or {"type": "unconditional"})["type"]]) > max(asked, own):
            kind = ChangeKind.NOT_SHARED if rank is Rank.NONE else ChangeKind.STRICTER
            found.append(ResourceChange(kind=kind, item=item))
    return tuple(found) or (ResourceChange(kind=ChangeKind.OTHER),)


def told(changes: Iterable[ResourceChange]) -> str:
    """Give changes as a message names them: codes, for the words are the page's."""
    return ", ".join(f"{one.kind.value} {one.item}".strip() for one in changes)


def locked(request_id: UUID, actor: Actor) -> models.Request:
    """Give the row, locked, to whoever has to do with it. Raises `RequestMissing` for everybody else."""
    row = models.Request.objects.select_for_update().filter(id=request_id).first()
    if row is None or not any((is_requester(row, actor), is_provider(row, actor), is_authority(row, actor))):
        raise RequestMissing
    return row


def is_requester(row: models.Request | models.Grant, actor: Actor) -> bool:
    """Say whether the actor acts for the organisation that asks, or that was granted."""
    return _holds(actor, EDIT, row.organization_id, row.division_code)


def is_provider(row: models.Request | models.Grant, actor: Actor) -> bool:
    """Say whether the actor acts for the provider."""
    return _holds(actor, EDIT, row.provider_organization_id, row.provider_division_code)


def is_authority(row: models.Request | models.Grant, actor: Actor) -> bool:
    """Say whether the actor is the data authority over the provider."""
    return _holds(actor, REVIEW, row.provider_organization_id, row.provider_division_code)


def _holds(actor: Actor, right: str, organization_id: UUID, division_code: str) -> bool:
    return access.allows(actor=actor, right=right, organization_id=organization_id, division_code=division_code or None)


def _as_provider(row: models.Request, actor: Actor) -> None:
    access.require(
        actor=actor,
        right=EDIT,
        organization_id=row.provider_organization_id,
        division_code=row.provider_division_code or None,
    )


def _as_requester(row: models.Request, actor: Actor) -> None:
    access.require(
        actor=actor, right=EDIT, organization_id=row.organization_id, division_code=row.division_code or None
    )


def _note(request: models.Request) -> None:
    current().object("resource_request", request.id)
    current().detail(number=request.number, resource=request.resource_code, state=request.state)
