"""Drafts: saved page by page, they outlive a sign-in and a change of form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from furong.domains.cases import models, ports
from furong.domains.cases.commands.moving import today
from furong.domains.cases.errors import DraftAlreadySubmitted, DraftChanged, DraftNotFound, NotForPrincipal
from furong.domains.cases.values.drafts import Migrated, migrate
from furong.foundation.access.errors import AccessRefused, SignInNeeded
from furong.foundation.access.values import Actor
from furong.foundation.audit import commands as audit
from furong.foundation.audit.commands import command

# Answers that no question takes any more wait under this key, so that a later version can take them up again.
KEPT_ASIDE = "_kept_aside"


@command("cases.open_draft")
def open_draft(
    *,
    life_event_code: str,
    item_codes: Sequence[str],
    division_code: str,
    actor: Actor,
    now: datetime,
    fresh: bool = False,
) -> UUID:
    """Return the key of the actor's open draft for this, or of a new one; ``fresh`` always begins anew.

    Raises SignInNeeded, AccessRefused for staff (who apply under their own resident's account), ItemNotOffered, NotForPrincipal.
    """
    if actor.account_id is None:
        raise SignInNeeded
    if not actor.is_resident:
        raise AccessRefused
    principal_id = actor.principal.id if actor.principal is not None else actor.person_id
    kind = actor.principal.kind if actor.principal is not None else "person"
    services, on = ports.services(), today(now)
    if not services.serves(life_event_code=life_event_code, item_codes=item_codes, kind=kind, on=on):
        raise NotForPrincipal
    if not fresh:
        found = (
            models.Draft.objects.filter(
                account_id=actor.account_id,
                person_id=principal_id,
                life_event_code=life_event_code,
                item_codes=list(item_codes),
                submitted_at=None,
                discarded_at=None,
            )
            .order_by("-updated_at")
            .first()
        )
        if found is not None:
            audit.current().object("draft", found.id)
            return found.id
    draft = models.Draft.objects.create(
        account_id=actor.account_id,
        person_id=principal_id,
        mandate_id=actor.principal.mandate_id if actor.principal is not None else None,
        life_event_code=life_event_code,
        item_codes=list(item_codes),
        division_code=division_code,
        form_digest=services.form_digest(life_event_code=life_event_code, item_codes=item_codes, on=on),
        created_at=now,
        updated_at=now,
    )
    audit.current().object("draft", draft.id)
    return draft.id


def lock_draft(*, draft_id: UUID, actor: Actor) -> models.Draft:
    """Lock the actor's own draft. Raises DraftNotFound for everybody else's."""
    draft = models.Draft.objects.select_for_update(no_key=True).filter(id=draft_id, discarded_at=None).first()
    if draft is None or actor.account_id is None or draft.account_id != actor.account_id:
        raise DraftNotFound
    audit.current().object("draft", draft.id)
    return draft


@command("cases.save_draft")
def save_draft(
    *,
    draft_id: UUID,
    page: str,
    answers: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    done: bool = True,
    expected_version: int | None = None,
    item_codes: Iterable[str] | None = None,
    division_code: str | None = None,
) -> int:
    """Save one page's answers (those of other pages stay) and return the draft's new version.

    Answers are kept as typed, right or wrong: checking is the page's and the submission's. ``done`` is false for a page left
    unfinished. The same answers sent again, because the reply to the first time was lost, are saved already, whatever version
    they name. Raises DraftNotFound, DraftAlreadySubmitted, and DraftChanged when ``expected_version`` is no longer the draft's.
    """
    draft = lock_draft(draft_id=draft_id, actor=actor)
    if draft.submitted_at is not None:
        raise DraftAlreadySubmitted
    if expected_version is not None and draft.version != expected_version:
        if any(key not in draft.answers or draft.answers[key] != value for key, value in answers.items()):
            raise DraftChanged
        audit.current().detail(repeated=True)
        if (page in draft.pages_done) is done and item_codes is None and division_code is None:
            return draft.version
    draft.answers = {**draft.answers, **dict(answers)}
    pages = [p for p in draft.pages_done if p != page]
    draft.pages_done = [*pages, page] if done else pages
    draft.to_check = [line for line in draft.to_check if line["key"] not in answers and line["page"] != page]
    if item_codes is not None:
        draft.item_codes = list(item_codes)
    if division_code is not None:
        draft.division_code = division_code
    draft.version += 1
    draft.updated_at = now
    draft.save()
    return draft.version


@command("cases.refresh_draft")
def refresh_draft(*, draft_id: UUID, actor: Actor, now: datetime) -> bool:
    """Bring a draft to the form's version in force, answer by answer, and tell whether it changed.

    What needs checking is listed in the draft until its page is saved again; what no question takes any more is kept aside.
    """
    draft = lock_draft(draft_id=draft_id, actor=actor)
    if draft.submitted_at is not None:
        return False
    services = ports.services()
    on = today(now)
    digest = services.form_digest(life_event_code=draft.life_event_code, item_codes=draft.item_codes, on=on)
    if digest == draft.form_digest:
        return False
    result, aside = carried_over(draft, digest, on)
    draft.answers = {**result.answers, KEPT_ASIDE: {**aside, **result.kept_aside}}
    pages = {line.page for line in result.to_check}
    draft.pages_done = [p for p in draft.pages_done if p not in pages]
    fresh_keys = {line.key for line in result.to_check}
    draft.to_check = [
        *(line for line in draft.to_check if line["key"] not in fresh_keys),
        *(line.to_json() for line in result.to_check),
    ]
    draft.form_digest = digest
    draft.version += 1
    draft.updated_at = now
    draft.save()
    audit.current().detail(form_digest=digest, to_check=len(result.to_check))
    return True


def carried_over(draft: models.Draft, digest: str, on: date) -> tuple[Migrated, dict[str, Any]]:
    """Return a draft's answers under another version of its form, and what stays kept aside."""
    services = ports.services()
    old = services.describe_form(digest=draft.form_digest, item_codes=draft.item_codes, on=on)
    new = services.describe_form(digest=digest, item_codes=draft.item_codes, on=on)
    answers = {k: v for k, v in draft.answers.items() if k != KEPT_ASIDE}
    aside = dict(draft.answers.get(KEPT_ASIDE, {}))
    taken_up = {k: aside.pop(k) for k in list(aside) if k in new.fields and k not in answers}
    return migrate(old, new, {**answers, **taken_up}), aside


@command("cases.acknowledge_changes")
def acknowledge_changes(*, draft_id: UUID, actor: Actor, now: datetime) -> None:
    """Clear the list of what a change of form wanted checked: the applicant has looked at it."""
    draft = lock_draft(draft_id=draft_id, actor=actor)
    if draft.submitted_at is not None:
        raise DraftAlreadySubmitted
    draft.to_check = []
    draft.updated_at = now
    draft.save(update_fields=["to_check", "updated_at"])


@command("cases.discard_draft")
def discard_draft(*, draft_id: UUID, actor: Actor, now: datetime) -> None:
    """Throw a draft away, its answers with it. Raises DraftAlreadySubmitted."""
    draft = lock_draft(draft_id=draft_id, actor=actor)
    if draft.submitted_at is not None:
        raise DraftAlreadySubmitted
    draft.answers, draft.to_check = {}, []
    draft.discarded_at = draft.updated_at = now
    draft.save()


@command("cases.sweep_drafts")
def sweep_drafts(*, actor: Actor, now: datetime, untouched_since: datetime) -> int:
    """Throw away drafts untouched since a moment and return how many."""
    found = models.Draft.objects.filter(submitted_at=None, discarded_at=None, updated_at__lt=untouched_since)
    return found.update(answers={}, to_check=[], discarded_at=now)
