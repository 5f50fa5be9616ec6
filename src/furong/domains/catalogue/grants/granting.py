"""Writes on grants: offer, sign, pass on, suspend, resume, revoke, and what time does to them.

A restricting command returns once no process decides by the old terms any more (`foundation.access.granting`).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import F, Q

from furong.domains.catalogue import models
from furong.domains.catalogue.acting import by_words, reason_of
from furong.domains.catalogue.errors import (
    ActImpossible,
    DelegationRefused,
    GrantTooWide,
    RequestMissing,
    RequestRefused,
    ResourceChanged,
)
from furong.domains.catalogue.events import GrantInForce, GrantNearlyOver, GrantOutOfForce
from furong.domains.catalogue.grants import flow, signing
from furong.domains.catalogue.grants.compiling import compile_grants, is_in_force, party_of
from furong.domains.catalogue.grants.requesting import (
    changes_of,
    consented,
    is_authority,
    is_provider,
    is_requester,
    told,
)
from furong.domains.catalogue.grants.values import IDLE_DAYS, REMIND_DAYS, GrantAct, GrantState, Terms
from furong.foundation.access import using
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendar
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish
from furong.foundation.organizations import queries as organizations


def offer(request: models.Request, *, now: datetime) -> models.Grant:
    """Offer what was consented to as a grant, for both sides to sign. Called by the process, in its step.

    Raises `GrantTooWide` when it were wider than the request, `ResourceChanged`.
    """
    asked, agreed = Terms.of_json(request.terms), Terms.of_json(request.agreed or request.terms)
    if beyond := agreed.exceeds(asked):
        raise GrantTooWide(beyond=", ".join(beyond))
    if hindering := [one for one in changes_of(request) if one.kind.hinders]:
        raise ResourceChanged(changes=told(hindering))
    party = party_of(request.organization_id)
    grant = models.Grant(
        number=request.number.replace("GX", "SQ", 1),
        request=request,
        resource_code=request.resource_code,
        resource_digest=_digest_in_force(request),
        organization_id=request.organization_id,
        division_code=request.division_code,
        department=party.department if party else "",
        provider_organization_id=request.provider_organization_id,
        provider_division_code=request.provider_division_code,
        terms=agreed.as_json(),
        sharing=request.sharing,
        state=GrantState.OFFERED.value,
        idle_days=IDLE_DAYS,
        since=now,
        offered_at=now,
    )
    grant.save(force_insert=True)
    _enter(grant, GrantAct.OFFER, Actor.system("catalogue"), now, organization_id=request.provider_organization_id)
    consented(request, now=now)
    return grant


def _digest_in_force(request: models.Request) -> str:
    return models.Resource.objects.filter(code=request.resource_code).values_list("digest", flat=True).get()


@command("catalogue.sign_grant")
def sign_grant(*, grant_id: UUID, actor: Actor, now: datetime) -> GrantState:
    """Sign an offered grant for the actor's side; the second signature puts it into force at once.

    The signature covers resource, version, both organisations, terms, side, post and time (Ed25519, RFC 8032). What passes inside
    the platform is thereby supplied. Raises `ActImpossible` when that side has signed or it is not offered, `ResourceChanged`,
    `RequestMissing`, ``AccessRefused``.
    """
    grant = _locked(grant_id, actor)
    if grant.state != GrantState.OFFERED:
        raise ActImpossible
    signed = set(models.GrantEntry.objects.filter(grant=grant).values_list("act", flat=True))
    sides = [
        act
        for act, mine in (
            (GrantAct.SIGN_PROVIDER, is_provider(grant, actor)),
            (GrantAct.SIGN_GRANTEE, is_requester(grant, actor)),
        )
        if mine
    ]
    if not sides:
        raise AccessRefused
    open_sides = [act for act in sides if act not in signed]
    if not open_sides:
        raise ActImpossible
    if hindering := [one for one in changes_of(grant.request) if one.kind.hinders]:
        raise ResourceChanged(changes=told(hindering))
    act = open_sides[0]
    _sign(grant, act, actor, now)
    if {act, *signed} >= {GrantAct.SIGN_PROVIDER, GrantAct.SIGN_GRANTEE}:
        _begin(grant, now=now)
        row = models.Resource.objects.filter(code=grant.resource_code).first()
        if row is not None and row.detail.get("register"):
            flow.complete(
                flow.open_task(grant.request, flow.SUPPLY),
                outcome=flow.SUPPLIED,
                actor=Actor.system("catalogue"),
                now=now,
            )
    _note(grant)
    return GrantState(grant.state)


def _begin(grant: models.Grant, *, now: datetime, until: date | None = None) -> None:
    today = calendar.current().local_date(now)
    ends = today + timedelta(days=Terms.of_json(grant.terms).days)
    grant.valid_from, grant.valid_until = today, min(ends, until) if until is not None else ends
    _move(grant, GrantState.ACTIVE, now, GrantAct.SIGN_GRANTEE)


def _sign(grant: models.Grant, act: GrantAct, actor: Actor, now: datetime) -> None:
    side = grant.provider_organization_id if act is GrantAct.SIGN_PROVIDER else grant.organization_id
    by = by_words(actor)
    signature = signing.sign(grant, act=act, organization_id=side, by=by, at=now)
    _enter(grant, act, actor, now, organization_id=side, key_id=signature.key_id, signature=signature.value.hex())


@command("catalogue.delegate_grant")
def delegate_grant(*, grant_id: UUID, organization_id: UUID, terms: Terms, actor: Actor, now: datetime) -> UUID:
    """Pass a grant on, narrower and never longer, to an organisation below the grantee; gives the new grant.

    It is in force at once and ends, or rests, with the one it came from. Raises `DelegationRefused`, `GrantTooWide`,
    `ActImpossible`, `RequestMissing`, ``AccessRefused``.
    """
    parent = _locked(grant_id, actor)
    if not is_requester(parent, actor):
        raise AccessRefused
    if parent.state != GrantState.ACTIVE or parent.valid_until is None or not is_in_force(parent):
        raise ActImpossible
    held = Terms.of_json(parent.terms)
    below = organizations.ids_of_subtree(organization_id=parent.organization_id)[1:]
    if not held.delegable or organization_id not in below:
        raise DelegationRefused
    if beyond := terms.exceeds(held):
        raise GrantTooWide(beyond=", ".join(beyond))
    if not terms.items or terms.days < 1:
        raise RequestRefused("Choose at least one item.")
    receiver = organizations.get_organization(organization_id=organization_id)
    child_id = new_id()
    child = models.Grant(
        id=child_id,
        number=f"{parent.number}-{models.Grant.objects.filter(parent=parent).count() + 1}",
        request=parent.request,
        parent=parent,
        resource_code=parent.resource_code,
        resource_digest=parent.resource_digest,
        organization_id=receiver.id,
        division_code=receiver.division_code,
        department=receiver.department,
        provider_organization_id=parent.organization_id,
        provider_division_code=parent.division_code,
        terms=terms.as_json(),
        sharing=parent.sharing,
        state=GrantState.OFFERED.value,
        idle_days=parent.idle_days,
        since=now,
        offered_at=now,
    )
    child.save(force_insert=True)
    _enter(parent, GrantAct.DELEGATE, actor, now, organization_id=receiver.id)
    _sign(child, GrantAct.SIGN_PROVIDER, actor, now)
    _begin(child, now=now, until=parent.valid_until)
    _note(child)
    return child_id


@command("catalogue.suspend_grant")
def suspend_grant(*, grant_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Let a grant rest, with all that was passed on from it; returns once no process uses it any more.

    For the provider and the data authority. Raises `ReasonNeeded`, `ActImpossible`, `RequestMissing`, ``AccessRefused``.
    """
    grant = _locked(grant_id, actor)
    _governs(grant, actor)
    if grant.state != GrantState.ACTIVE:
        raise ActImpossible
    _enter(grant, GrantAct.SUSPEND, actor, now, reason=reason_of(reason))
    _move(grant, GrantState.SUSPENDED, now, GrantAct.SUSPEND)
    _note(grant)


@command("catalogue.resume_grant")
def resume_grant(*, grant_id: UUID, actor: Actor, now: datetime) -> None:
    """Put a resting grant back into force until its old end.

    For the provider and the data authority. Raises `ActImpossible`, `RequestMissing`, ``AccessRefused``.
    """
    grant = _locked(grant_id, actor)
    _governs(grant, actor)
    today = calendar.current().local_date(now)
    if grant.state != GrantState.SUSPENDED or grant.valid_until is None or today >= grant.valid_until:
        raise ActImpossible
    _enter(grant, GrantAct.RESUME, actor, now)
    _move(grant, GrantState.ACTIVE, now, GrantAct.RESUME)
    _note(grant)


@command("catalogue.revoke_grant")
def revoke_grant(*, grant_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """End a grant for good, with all that was passed on from it; returns once no process uses it any more.

    For either side and the data authority. Raises `ReasonNeeded`, `ActImpossible`, `RequestMissing`, ``AccessRefused``.
    """
    grant = _locked(grant_id, actor)
    if not is_requester(grant, actor):
        _governs(grant, actor)
    if GrantState(grant.state).is_over:
        raise ActImpossible
    why = reason_of(reason)
    level = [grant]
    while level:
        for one in level:
            _enter(one, GrantAct.REVOKE, actor, now, reason=why)
            models.Grant.objects.filter(id=one.id).update(state=GrantState.REVOKED.value, since=now)
            if one is not grant:
                _publish(one, GrantState.REVOKED, now, GrantAct.REVOKE)
        children = models.Grant.objects.select_for_update().filter(parent_id__in=[one.id for one in level])
        level = list(children.exclude(state__in=[GrantState.REVOKED.value, GrantState.EXPIRED.value]))
    _move(grant, GrantState.REVOKED, now, GrantAct.REVOKE)
    _note(grant)


@command("catalogue.tend_grants")
def tend_grants(*, actor: Actor, now: datetime, most: int = 500) -> tuple[int, int]:
    """End the grants whose time is over and let rest those that were not used for their set time.

    Gives how many of each. Repeat it while either is ``most``. The worker runs it every hour; the decision point looks at the
    dates itself, so nothing is used for longer than it may.
    """
    today = calendar.current().local_date(now)
    over = models.Grant.objects.select_for_update(skip_locked=True).filter(
        state__in=[GrantState.ACTIVE.value, GrantState.SUSPENDED.value], valid_until__lte=today
    )[:most]
    ended = 0
    for grant in over:
        _enter(grant, GrantAct.EXPIRE, actor, now)
        _move(grant, GrantState.EXPIRED, now, GrantAct.EXPIRE)
        ended += 1
    quiet = list(
        models.Grant.objects.select_for_update(skip_locked=True)
        .filter(state=GrantState.ACTIVE.value)
        .extra(where=["since + idle_days * interval '1 day' < %s"], params=[now])[:most]
    )
    used = using.last_used(grant_ids=[one.id for one in quiet])
    rested = 0
    for grant in quiet:
        if grant.id in used and used[grant.id] > grant.since:
            # It was used: the time counts from there, and it is not looked at again before it is over.
            models.Grant.objects.filter(id=grant.id).update(since=used[grant.id])
            if used[grant.id] >= now - timedelta(days=grant.idle_days):
                continue
        _enter(grant, GrantAct.SUSPEND_UNUSED, actor, now)
        _move(grant, GrantState.SUSPENDED, now, GrantAct.SUSPEND_UNUSED)
        rested += 1
    current().detail(expired=ended, suspended=rested)
    return ended, rested


@command("catalogue.announce_ends")
def announce_ends(*, actor: Actor, now: datetime, most: int = 500) -> int:
    """Have those concerned told of the grants that end in 30 and in 7 days, once each; gives how many.

    Repeat it while it gives ``most``. The worker runs it every hour. A grant that lasts no longer than that is not announced.
    """
    today = calendar.current().local_date(now)
    told = 0
    for days in sorted(REMIND_DAYS):
        rows = (
            models.Grant.objects.select_for_update(skip_locked=True)
            .filter(state=GrantState.ACTIVE.value, valid_until__gt=today, valid_until__lte=today + timedelta(days=days))
            .filter(Q(reminded_days=None) | Q(reminded_days__gt=days))
            .filter(valid_until__gt=F("valid_from") + timedelta(days=days))
        )
        for grant in rows[: most - told]:
            models.Grant.objects.filter(id=grant.id).update(reminded_days=days)
            left = (grant.valid_until - today).days if grant.valid_until else days
            publish(GrantNearlyOver(id=str(grant.id), resource_code=grant.resource_code, days=left), now=now)
            told += 1
    current().detail(announced=told)
    return told


# --- how ----------------------------------------------------------------------------------------------------------------


def _locked(grant_id: UUID, actor: Actor) -> models.Grant:
    row = models.Grant.objects.select_for_update().filter(id=grant_id).first()
    if row is None or not any((is_requester(row, actor), is_provider(row, actor), is_authority(row, actor))):
        raise RequestMissing
    return row


def _governs(grant: models.Grant, actor: Actor) -> None:
    if not (is_provider(grant, actor) or is_authority(grant, actor)):
        raise AccessRefused


def _move(grant: models.Grant, state: GrantState, now: datetime, act: GrantAct) -> None:
    grant.state, grant.since = state.value, now
    grant.save(update_fields=["state", "since", "valid_from", "valid_until"])
    compile_grants(root=grant, now=now)
    _publish(grant, state, now, act)


def _publish(grant: models.Grant, state: GrantState, now: datetime, act: GrantAct) -> None:
    if state is GrantState.ACTIVE:
        publish(GrantInForce(id=str(grant.id), resource_code=grant.resource_code), now=now)
    else:
        publish(
            GrantOutOfForce(id=str(grant.id), resource_code=grant.resource_code, state=state.value, act=act.value),
            now=now,
        )


def _enter(
    grant: models.Grant,
    act: GrantAct,
    actor: Actor,
    now: datetime,
    *,
    reason: str = "",
    organization_id: UUID | None = None,
    key_id: str = "",
    signature: str = "",
) -> None:
    models.GrantEntry.objects.create(
        grant=grant,
        act=act.value,
        organization_id=organization_id or actor.organization_id,
        by=by_words(actor),
        reason=reason,
        at=now,
        key_id=key_id,
        signature=signature,
    )


def _note(grant: models.Grant) -> None:
    current().object("grant", grant.id)
    current().detail(number=grant.number, resource=grant.resource_code, state=grant.state)
