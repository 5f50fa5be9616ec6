"""Writes of the catalogue: drafts, their review by the data authority, and going online. Definitions themselves are releases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from furong.domains.catalogue import indexing, models
from furong.domains.catalogue.acting import MAX_REASON, by_words
from furong.domains.catalogue.drafts import Draft, check_resource
from furong.domains.catalogue.errors import (
    ActImpossible,
    ChangedMeanwhile,
    DraftRefused,
    NothingChanged,
    ReasonNeeded,
    ResourceMissing,
)
from furong.domains.catalogue.events import ResourceOffline, ResourceOnline, ResourcePublished
from furong.domains.catalogue.grants.compiling import compile_resources
from furong.domains.catalogue.resources.reading import Catalog, catalog_of
from furong.domains.catalogue.sight import EDIT, REVIEW, sight_of
from furong.domains.catalogue.states import (
    ONLINE,
    PROVIDERS_ACTS,
    PUBLISHING,
    REASONED,
    REVIEW_WORKING_DAYS,
    UPDATE_EXTENSION_WORKING_DAYS,
    UPDATE_WORKING_DAYS,
    Act,
    OnlineState,
    PublishState,
)
from furong.foundation.access import queries as access
from furong.foundation.access.values import Actor
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendar
from furong.foundation.events.commands import publish
from furong.foundation.packs import commands as packs
from furong.foundation.packs import drafts
from furong.foundation.packs import queries as released
from furong.foundation.packs.values import YAML, Pack


@command("catalogue.save_draft")
def save_draft(*, code: str, content: bytes, actor: Actor, now: datetime) -> Draft:
    """Keep a draft of a resource, new or a change of what is in force, after all checks. It is in force only once approved.

    A draft that waits for review cannot be replaced. Gives what it would touch.
    Raises `DraftRefused` with the findings, `ActImpossible`, `AccessRefused`, `ResourceMissing`.
    """
    access.require(actor=actor, right=EDIT)
    row = _locked(code, actor, missing_ok=True)
    if row is not None:
        _require(row, actor, EDIT)
    draft, whole = check_resource(code=code, content=content)
    if whole is None:
        raise DraftRefused(draft.findings)
    catalog = catalog_of(whole)
    resolved = catalog.resources[code]
    owner = indexing.Owners().of(resolved.provider)
    access.require(
        actor=actor, right=EDIT, organization_id=owner.organization_id, division_code=owner.division_code or None
    )
    digest = drafts.store_draft(content=content, media_type=YAML, now=now)
    if row is None:
        _write_draft(catalog, whole, code, digest, actor, now)
        row = models.Resource.objects.select_for_update().get(code=code)
    else:
        if PublishState(row.publish_state).is_waiting:
            raise ActImpossible
        if row.version == 0:
            _write_draft(catalog, whole, code, digest, actor, now)
            row.refresh_from_db()
    row.pending_digest = digest if digest != row.digest or row.version == 0 else ""
    row.pending_from = row.digest if row.version else ""
    row.save(update_fields=["pending_digest", "pending_from"])
    _record(row, Act.DRAFT, digest, "", actor, now)
    return Draft(digest=digest, findings=draft.findings, change=draft.change)


def _write_draft(catalog: Catalog, whole: Pack, code: str, digest: str, actor: Actor, now: datetime) -> None:
    resolved = catalog.resources[code]
    made = indexing.make(
        resolved=resolved,
        catalog=catalog,
        owner=indexing.Owners().of(resolved.provider),
        digest=digest,
        version=0,
        provider_names=indexing.provider_names(whole.values("organization"), resolved.provider),
        approved=False,
    )
    indexing.write([made], now=now, by=by_words(actor))


@command("catalogue.submit_resource")
def submit_resource(*, code: str, actor: Actor, now: datetime) -> PublishState:
    """Hand a draft to the data authority, which decides within two working days.

    Raises `NothingChanged` for a published resource without a draft, `ActImpossible`, `AccessRefused`, `ResourceMissing`.
    """
    row = _locked(code, actor)
    _require(row, actor, EDIT)
    if row.version and PublishState(row.publish_state).is_public and not row.pending_digest:
        raise NothingChanged
    return _publish_axis(row, Act.SUBMIT, actor, now)


@command("catalogue.call_back_resource")
def call_back_resource(*, code: str, actor: Actor, now: datetime) -> PublishState:
    """Take a draft back from review to go on with it. Raises `ActImpossible`, `AccessRefused`, `ResourceMissing`."""
    row = _locked(code, actor)
    _require(row, actor, EDIT)
    return _publish_axis(row, Act.CALL_BACK, actor, now)


@command("catalogue.approve_resource")
def approve_resource(*, code: str, actor: Actor, now: datetime, put_online: bool = False) -> PublishState:
    """Approve what waits for review: the draft becomes the version in force, after all checks once more.

    Raises `ChangedMeanwhile` when another version came into force since, `PackRefused` with findings when what is published now
    contradicts it, `ActImpossible`, `AccessRefused`, `ResourceMissing`.
    """
    row = _locked(code, actor)
    _require(row, actor, REVIEW)
    if (PublishState(row.publish_state), Act.APPROVE) not in PUBLISHING:
        raise ActImpossible
    if row.pending_digest:
        if row.pending_from != (row.digest if row.version else ""):
            raise ChangedMeanwhile
        packs.publish_definition(
            kind="resource",
            code=code,
            content=released.get_definition(digest=row.pending_digest).content,
            in_force_from=calendar.current().local_date(now),
            actor=actor,
            now=now,
        )
        row.refresh_from_db()
        row.pending_digest = row.pending_from = ""
    row.update_due_on, row.is_update_extended = None, False
    state = _publish_axis(row, Act.APPROVE, actor, now)
    publish(ResourcePublished(code=code, version=row.version), now=now)
    if put_online and row.online_state == OnlineState.OFFLINE:
        _online_axis(row, Act.PUT_ONLINE, "", actor, now)
    return state


@command("catalogue.reject_resource")
def reject_resource(*, code: str, reason: str, actor: Actor, now: datetime) -> PublishState:
    """Send a draft back with the reason; what is in force stays. Raises `ReasonNeeded`, `ActImpossible`, `AccessRefused`."""
    row = _locked(code, actor)
    _require(row, actor, REVIEW)
    return _publish_axis(row, Act.REJECT, actor, now, reason=_reason(Act.REJECT, reason))


@command("catalogue.move_online")
def move_online(*, code: str, act: Act, actor: Actor, now: datetime, reason: str = "") -> OnlineState:
    """Move a published resource along the online axis: the provider asks, the data authority puts it online or takes it offline.

    ``act`` is one of ask_online, ask_offline, put_online, take_offline and keep (which refuses what was asked).
    Raises `ReasonNeeded`, `ActImpossible`, `AccessRefused`, `ResourceMissing`.
    """
    row = _locked(code, actor)
    _require(row, actor, EDIT if act in PROVIDERS_ACTS else REVIEW)
    return _online_axis(row, act, _reason(act, reason), actor, now)


@command("catalogue.require_update")
def require_update(*, code: str, reason: str, actor: Actor, now: datetime) -> None:
    """Ask a provider to bring a resource up to date after a law or a duty changed: within ten working days.

    Raises `ReasonNeeded`, `ActImpossible` when it is not published, `AccessRefused`, `ResourceMissing`.
    """
    row = _locked(code, actor)
    _require(row, actor, REVIEW)
    if not PublishState(row.publish_state).is_public:
        raise ActImpossible
    why = _reason(Act.REQUIRE_UPDATE, reason)
    row.update_due_on, row.is_update_extended = _working_days(now, UPDATE_WORKING_DAYS), False
    row.save(update_fields=["update_due_on", "is_update_extended"])
    _record(row, Act.REQUIRE_UPDATE, row.digest, why, actor, now)


@command("catalogue.extend_update")
def extend_update(*, code: str, reason: str, actor: Actor, now: datetime) -> None:
    """Give five more working days for an update, once. Raises `ReasonNeeded`, `ActImpossible`, `AccessRefused`."""
    row = _locked(code, actor)
    _require(row, actor, REVIEW)
    if row.update_due_on is None or row.is_update_extended:
        raise ActImpossible
    why = _reason(Act.EXTEND_UPDATE, reason)
    row.update_due_on = calendar.current().add_working_days(row.update_due_on, UPDATE_EXTENSION_WORKING_DAYS)
    row.is_update_extended = True
    row.save(update_fields=["update_due_on", "is_update_extended"])
    _record(row, Act.EXTEND_UPDATE, row.digest, why, actor, now)


# --- how ----------------------------------------------------------------------------------------------------------------


def _locked(code: str, actor: Actor, *, missing_ok: bool = False) -> Any:
    """The row, locked. One that the actor must not know of is missing like one that is not there."""
    row = models.Resource.objects.select_for_update().filter(code=code).first()
    if row is None:
        if missing_ok:
            return None
        raise ResourceMissing
    sight = sight_of(actor=actor)
    seen = (row.live and row.audience <= sight.level) or sight.owns(
        organization_id=row.organization_id, division_code=row.division_code
    )
    if not seen:
        raise ResourceMissing
    return row


def _require(row: Any, actor: Actor, right: str) -> None:
    access.require(
        actor=actor, right=right, organization_id=row.organization_id, division_code=row.division_code or None
    )


def _reason(act: Act, reason: str) -> str:
    why = reason.strip()[:MAX_REASON]
    if act in REASONED and not why:
        raise ReasonNeeded
    return why


def _working_days(now: datetime, days: int) -> Any:
    found = calendar.current()
    return found.add_working_days(found.local_date(now), days)


def _publish_axis(row: Any, act: Act, actor: Actor, now: datetime, *, reason: str = "") -> PublishState:
    after = PUBLISHING.get((PublishState(row.publish_state), act))
    if after is None:
        raise ActImpossible
    row.publish_state = after.value
    row.reason = reason if act is Act.REJECT else ""
    _save(row, now)
    _record(row, act, row.pending_digest or row.digest, reason, actor, now)
    return after


def _online_axis(row: Any, act: Act, reason: str, actor: Actor, now: datetime) -> OnlineState:
    after = ONLINE.get((OnlineState(row.online_state), act))
    if after is None or not PublishState(row.publish_state).is_public:
        raise ActImpossible
    was = row.live
    row.online_state = after.value
    _save(row, now)
    _record(row, act, row.digest, reason, actor, now)
    if row.live and not was:
        publish(ResourceOnline(code=row.code), now=now)
    elif was and not row.live:
        publish(ResourceOffline(code=row.code), now=now)
    return after


def _save(row: Any, now: datetime) -> None:
    publish_state, online_state = PublishState(row.publish_state), OnlineState(row.online_state)
    waits = publish_state.is_waiting or online_state.is_waiting
    if not waits:
        row.review_due_on = None
    elif row.review_due_on is None:
        row.review_due_on = _working_days(now, REVIEW_WORKING_DAYS)
    row.live = publish_state.is_public and online_state.is_up
    row.updated_at = now
    row.save(
        update_fields=[
            *("publish_state", "online_state", "live", "reason", "review_due_on", "updated_at"),
            *("pending_digest", "pending_from", "update_due_on", "is_update_extended"),
        ]
    )
    compile_resources([row.code], now=now)


def _record(row: Any, act: Act, digest: str, reason: str, actor: Actor, now: datetime) -> None:
    models.Review.objects.create(
        code=row.code,
        act=act.value,
        publish_state=row.publish_state,
        online_state=row.online_state,
        digest=digest,
        reason=reason,
        by=by_words(actor),
        at=now,
    )
    current().object("resource", row.code)
    current().detail(act=act.value, publish_state=row.publish_state, online_state=row.online_state, digest=digest)
