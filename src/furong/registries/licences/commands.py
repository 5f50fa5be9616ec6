"""Writes of licences: issuing and revoking."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import command, current
from furong.foundation.calendar import queries as calendar
from furong.foundation.codes.ids import new_id
from furong.foundation.events.commands import publish
from furong.foundation.organizations import queries as organizations
from furong.foundation.organizations.errors import OrganizationNotFound
from furong.foundation.storage import commands as storage

from .errors import (
    EffectReusedError,
    LicenceAlreadyRevoked,
    LicenceNotFound,
    LicenceNumberTaken,
    ReasonMissing,
)
from .events import LicenceIssued, LicenceRevoked
from .making import checked_data, get_type, licence_pdf, verify_url
from .models import Holder, Licence
from .sealing import seal
from .values import IssuedLicence, number_series, years_later

__all__ = ["issue", "revoke"]

# Takes the next number of a series; the row stays locked until the licence is issued or undone, so none is skipped.
NEXT_NUMBER = """
INSERT INTO licences_counter AS c (series, last) VALUES (%s, 1)
ON CONFLICT (series) DO UPDATE SET last = c.last + 1 RETURNING last
"""

# Whoever carries out the same effect, or issues under the same number, waits here for the other to finish.
LOCK_EFFECT = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 21))"


def local_date(at: datetime) -> date:
    """Return the local day of a moment, by the calendar in force (Django's time zone without one)."""
    if calendar.is_loaded():
        return calendar.current().local_date(at)
    return timezone.localdate(at, timezone.get_default_timezone())


@command("licences.issue", database="default")
def issue(
    *,
    effect_id: UUID,
    type_code: str,
    holder_person_id: UUID,
    guardian_person_ids: Iterable[UUID] = (),
    data: Mapping[str, Any],
    issuer_organization_id: UUID | None,
    issuer: Mapping[str, str] | None = None,
    case_id: UUID | None = None,
    number: str | None = None,
    valid_until: date | None = None,
    replaces: UUID | None = None,
    actor: Actor,
    basis: Basis,
    now: datetime,
) -> IssuedLicence:
    """Issue a licence: number, data, sealed PDF, and its place in the folders of holder and guardians.

    ``data`` holds the type's fields, plain values, dates as dates or ISO text. ``issuer`` overrides the organisation's own names.
    ``number`` is given when another system allotted it (a hospital's birth certificate); else the type's series gives the next
    one, without gaps. ``valid_until`` (exclusive) overrides the type's validity. ``replaces`` names a licence that is revoked
    by this one. The same ``effect_id`` again returns the first result and makes nothing, also when both run at once.

    Raises `LicenceTypeUnknown`, `LicenceDataIncomplete`, `LicenceNumberTaken`, `LicenceNotFound`, `LicenceAlreadyRevoked`,
    ``AccessRefused``,
    ``PurposeMissing``. Faults: `GlyphMissingError`, `TypesettingError`, `SealingError`, `EffectReusedError`. About 40 ms.
    """
    if not basis.is_stated:
        raise PurposeMissing
    access.require(actor=actor, right="licences.issue", organization_id=issuer_organization_id)
    today = local_date(now)
    type_digest, spec = get_type(type_code, on=today)
    checked = checked_data(spec, data)
    guardians = tuple(dict.fromkeys(one for one in guardian_person_ids if one != holder_person_id))
    digest = _digest([type_code, holder_person_id, checked, issuer_organization_id, number, replaces])
    with connection.cursor() as cursor:
        cursor.execute(LOCK_EFFECT, [str(effect_id)])
    before = Licence.objects.filter(effect_id=effect_id).first()
    if before is not None:
        if before.effect_digest != digest:
            raise EffectReusedError("The effect was carried out before with other content.")
        current().object("licence", before.id)
        current().detail(repeated=True)
        return _issued(before)

    names, division = _issuer(issuer_organization_id, issuer)
    if number is None:
        series = number_series(spec.number, issued_on=today, division_code=division)
        with connection.cursor() as cursor:
            cursor.execute(NEXT_NUMBER, [f"{type_code}:{series.before}*{series.after}"])
            number = series.number(cursor.fetchone()[0])
    else:
        with connection.cursor() as cursor:
            cursor.execute(LOCK_EFFECT, [f"{type_code}:{number}"])
        if Licence.objects.filter(type_code=type_code, number=number).exists():
            raise LicenceNumberTaken
    if valid_until is None and spec.valid_years:
        valid_until = years_later(today, spec.valid_years)
    token = secrets.token_urlsafe(16)
    pdf = seal(
        licence_pdf(
            spec=spec,
            data=checked,
            number=number,
            token=token,
            issuer=names,
            issued_on=today,
            valid_from=today,
            valid_until=valid_until,
            now=now,
        ),
        reason=f"{spec.name.pick('zh')} {spec.name.pick('en')}",
        location=names.get("zh", ""),
        contact=verify_url(token),
    )
    stored = storage.put(pdf, "application/pdf", now=now)
    licence = Licence(
        id=new_id(),
        effect_id=effect_id,
        effect_digest=digest,
        type_code=type_code,
        type_digest=type_digest,
        number=number,
        token=token,
        data=checked,
        issuer_organization_id=issuer_organization_id,
        issuer=names,
        issuer_division_code=division,
        case_id=case_id or basis.case_id,
        issued_at=now,
        valid_from=today,
        valid_until=valid_until,
        pdf_digest=stored.digest,
    )
    if replaces is not None:
        licence.replaces = _lock(replaces)
    licence.save(force_insert=True)
    Holder.objects.bulk_create(
        [
            Holder(licence=licence, person_id=holder_person_id, role="holder"),
            *(Holder(licence=licence, person_id=one, role="guardian") for one in guardians),
        ]
    )
    entry = current()
    entry.object("licence", licence.id)
    entry.subject(holder_person_id, fields=sorted(checked))
    entry.detail(type_code=type_code, pdf_digest=stored.digest)
    publish(
        LicenceIssued(
            licence_id=licence.id,
            type_code=type_code,
            holder_person_id=holder_person_id,
            guardian_person_ids=guardians,
            case_id=licence.case_id,
            effect_id=effect_id,
            issuer_organization_id=issuer_organization_id,
        ),
        now=now,
    )
    if licence.replaces is not None:
        _revoke(licence.replaces, reason="已由新证替代 Replaced by a new licence", actor=actor, now=now, by=licence.id)
    return _issued(licence)


@command("licences.revoke", database="default")
def revoke(*, licence_id: UUID, reason: str, actor: Actor, basis: Basis, now: datetime) -> None:
    """Revoke a licence, with a reason its holder sees; from then on every check says so.

    For staff with the right over the issuing organisation. Raises `LicenceNotFound`, `LicenceAlreadyRevoked`, `ReasonMissing`,
    ``AccessRefused``, ``PurposeMissing``. 行政许可法 art. 69, 70.
    """
    if not basis.is_stated:
        raise PurposeMissing
    if not reason.strip():
        raise ReasonMissing
    licence = _lock(licence_id)
    access.require(
        actor=actor,
        right="licences.revoke",
        organization_id=licence.issuer_organization_id,
        division_code=licence.issuer_division_code or None,
    )
    _revoke(licence, reason=reason.strip(), actor=actor, now=now, by=None)
    entry = current()
    entry.object("licence", licence.id)
    entry.detail(type_code=licence.type_code)
    for person_id in licence.holders.filter(role="holder").values_list("person_id", flat=True):
        entry.subject(person_id, fields=("revoked",))


def _lock(licence_id: UUID) -> Licence:
    licence = Licence.objects.select_for_update().filter(pk=licence_id).first()
    if licence is None:
        raise LicenceNotFound
    if licence.revoked_at is not None:
        raise LicenceAlreadyRevoked
    return licence


def _revoke(licence: Licence, *, reason: str, actor: Actor, now: datetime, by: UUID | None) -> None:
    licence.revoked_at = now
    licence.revoked_reason = reason
    licence.revoked_by_post_id = actor.post_id
    licence.save(update_fields=["revoked_at", "revoked_reason", "revoked_by_post_id"])
    publish(
        LicenceRevoked(
            licence_id=licence.id,
            type_code=licence.type_code,
            holder_person_id=licence.holders.get(role="holder").person_id,
            case_id=licence.case_id,
            replaced_by=by,
        ),
        now=now,
    )


def _issuer(organization_id: UUID | None, given: Mapping[str, str] | None) -> tuple[dict[str, str], str]:
    if organization_id is None:
        return dict(given or {}), ""
    try:
        found = organizations.get_organization(organization_id=organization_id)
    except OrganizationNotFound:
        if given is None:
            raise
        return dict(given), ""
    return dict(given or {"zh": found.name.zh, "en": found.name.en}), found.division_code


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _issued(licence: Licence) -> IssuedLicence:
    return IssuedLicence(
        id=licence.id,
        type_code=licence.type_code,
        number=licence.number,
        token=licence.token,
        pdf_digest=licence.pdf_digest,
        issued_at=licence.issued_at,
        valid_from=licence.valid_from,
        valid_until=licence.valid_until,
    )
