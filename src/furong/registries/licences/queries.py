"""Reads of licences: a person's folder, one licence, its file, and the check that anybody may make."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from furong.foundation.access import queries as access
from furong.foundation.access.errors import PurposeMissing
from furong.foundation.access.sharing import decide_sharing
from furong.foundation.access.terms import SharingDecision
from furong.foundation.access.values import Actor, Basis
from furong.foundation.audit.commands import read, record_read
from furong.foundation.codes.masking import mask_name
from furong.foundation.packs import queries as packs
from furong.foundation.storage import queries as storage

from .commands import local_date
from .errors import FileNotReadable, LicenceNotFound
from .kinds import LICENCE_TYPE
from .making import get_type, shown_fields, type_by_digest, verify_url
from .models import Holder, Licence, SealedDocument
from .sealing import bears_our_seal, find_token
from .values import Finding, LicenceLine, LicenceRecord, LicenceState, LicenceType, ShownField, Verdict, state_of

__all__ = [
    "describe",
    "field_labels",
    "find_licences",
    "find_of_person",
    "get_licence",
    "get_pdf",
    "get_type",
    "list_of_person",
    "number_is_taken",
    "verify",
    "verify_pdf",
    "verify_url",
]

DATABASE = "default"
_CHECKING = Basis(purpose="licence check 证照核验")


def _names(spec: LicenceType) -> Mapping[str, str]:
    return spec.name.as_dict()


def _record(licence: Licence, *, role: str, now: datetime, data: Mapping[str, Any] | None = None) -> LicenceRecord:
    return LicenceRecord(
        id=licence.id,
        type_code=licence.type_code,
        type_name=_names(type_by_digest(licence.type_digest)),
        number=licence.number,
        token=licence.token,
        role=role,
        data=dict(licence.data if data is None else data),
        issuer_organization_id=licence.issuer_organization_id,
        issuer=dict(licence.issuer),
        case_id=licence.case_id,
        issued_at=licence.issued_at,
        valid_from=licence.valid_from,
        valid_until=licence.valid_until,
        state=state_of(valid_until=licence.valid_until, revoked_at=licence.revoked_at, today=local_date(now)),
        revoked_at=licence.revoked_at,
        revoked_reason=licence.revoked_reason,
        pdf_digest=licence.pdf_digest,
    )


@read("licences.list_of_person", database=DATABASE)
def list_of_person(*, person_id: UUID, actor: Actor, basis: Basis, now: datetime) -> tuple[LicenceRecord, ...]:
    """Return a person's folder, newest first: what they hold, and what minors in their care hold.

    A resident reads their own; staff need ``licences.read``. Each holder whose licence is shown is recorded. Raises
    ``PurposeMissing``, ``AccessRefused``, ``AssuranceTooLow``. One statement.
    """
    access.require_person(actor=actor, basis=basis, person_ids=[person_id], right="licences.read")
    rows = Holder.objects.filter(person_id=person_id).select_related("licence").order_by("-licence__issued_at")
    found = tuple(_record(row.licence, role=row.role, now=now) for row in rows)
    if found:
        _trace(actor, basis, "licences.list_of_person", [one.id for one in found], now)
    return found


@read("licences.find_of_person", database=DATABASE)
def find_of_person(
    *, person_id: UUID, type_codes: Iterable[str], actor: Actor, basis: Basis, now: datetime
) -> dict[str, LicenceRecord]:
    """Return, by type, the newest valid licence that the person holds or keeps for a minor.

    Serves the filling in of forms. Raises as `list_of_person`. One statement.
    """
    access.require_person(actor=actor, basis=basis, person_ids=[person_id], right="licences.read")
    rows = (
        Holder.objects.filter(
            person_id=person_id, licence__type_code__in=list(type_codes), licence__revoked_at__isnull=True
        )
        .select_related("licence")
        .order_by("-licence__issued_at")
    )
    found: dict[str, LicenceRecord] = {}
    for row in rows:
        record = _record(row.licence, role=row.role, now=now)
        if record.state is LicenceState.VALID:
            found.setdefault(record.type_code, record)
    if found:
        _trace(actor, basis, "licences.find_of_person", [record.id for record in found.values()], now)
    return found


def number_is_taken(*, type_code: str, number: str) -> bool:
    """Tell whether a licence of a type was ever issued under a number; it discloses nobody."""
    return Licence.objects.filter(type_code=type_code, number=number).exists()


@read("licences.get_licence", database=DATABASE)
def get_licence(*, licence_id: UUID, actor: Actor, basis: Basis, now: datetime) -> LicenceRecord:
    """Return one licence to its holder, a guardian, or staff who may read licences of its issuer.

    Raises `LicenceNotFound`, ``PurposeMissing``, ``AccessRefused``, ``AssuranceTooLow``.
    """
    licence, role = _allowed(licence_id, actor=actor, basis=basis)
    _trace(actor, basis, "licences.get_licence", [licence.id], now)
    return _record(licence, role=role, now=now)


def field_labels(*, type_code: str) -> dict[str, Mapping[str, str]]:
    """Return the names of a type's fields, ``{code: {zh, en}}``, by its newest release; empty when unknown."""
    releases = packs.list_releases(kind=LICENCE_TYPE, code=type_code, limit=1)
    if not releases or releases[0].is_withdrawn:
        return {}
    return {one.code: one.name.as_dict() for one in type_by_digest(releases[0].digest).fields}


def describe(*, record: LicenceRecord) -> tuple[ShownField, ...]:
    """Return a licence's fields as a page shows them: label and value in both languages, codes as words.

    By the definition the licence was issued by. Empty fields are left out; a list stays a list of rows.
    """
    spec = type_by_digest(Licence.objects.values_list("type_digest", flat=True).get(pk=record.id))
    return tuple(
        ShownField(code=one["code"], label=one["label"], value={"zh": one["zh"], "en": one["en"]})
        for one in shown_fields(spec, record.data)
        if one["zh"] not in ("", [], None)
    )


@read("licences.get_pdf", database=DATABASE)
def get_pdf(*, licence_id: UUID, actor: Actor, basis: Basis, now: datetime) -> bytes:
    """Return a licence's sealed file, to those who may read it. Raises as `get_licence`."""
    licence, _ = _allowed(licence_id, actor=actor, basis=basis)
    _trace(actor, basis, "licences.get_pdf", [licence.id], now, item="pdf")
    return storage.get(licence.pdf_digest)


_STAFF_RIGHTS = ("licences.read", "licences.issue", "licences.revoke")


@read("licences.find_licences", database=DATABASE)
def find_licences(
    *, number: str = "", case_id: UUID | None = None, actor: Actor, basis: Basis, now: datetime, limit: int = 50
) -> tuple[LicenceLine, ...]:
    """Return the licences with a number, or that a case gave, for staff who work with their issuer's.

    Both given must both hold; with neither the result is empty. Holders come masked, and each is recorded. Raises
    ``PurposeMissing``, ``AccessRefused``. One statement by index.
    """
    if not basis.is_stated:
        raise PurposeMissing
    scopes = [access.scope(actor=actor, right=right) for right in _STAFF_RIGHTS]
    if all(scope.is_empty for scope in scopes):
        access.require(actor=actor, right=_STAFF_RIGHTS[0])
    rows = Licence.objects.order_by("-issued_at")
    if number.strip():
        rows = rows.filter(number=number.strip())
    if case_id is not None:
        rows = rows.filter(case_id=case_id)
    if not number.strip() and case_id is None:
        return ()
    found = [
        row
        for row in rows[: max(1, min(limit, 200))]
        if any(
            scope.covers(organization_id=row.issuer_organization_id, division_code=row.issuer_division_code)
            for scope in scopes
        )
    ]
    detail = None
    if found:  # a search without a hit discloses nothing
        decision = decide_sharing(
            actor=actor,
            resource=RESOURCE,
            fields=_LINE_ITEMS,
            basis=basis,
            now=now,
            divisions={row.issuer_division_code for row in found},
            owners={row.issuer_organization_id or _NOBODY for row in found},
        )
        detail = _told(decision)
    record_read(
        actor=actor,
        basis=basis,
        what="licences.find_licences",
        subjects=list(Holder.objects.filter(licence__in=found, role="holder").values_list("person_id", flat=True)),
        fields=("name_masked", "number", "state"),
        database=DATABASE,
        now=now,
        detail=detail,
    )
    return tuple(_line(row, now) for row in found)


def _line(licence: Licence, now: datetime) -> LicenceLine:
    spec = type_by_digest(licence.type_digest)
    return LicenceLine(
        id=licence.id,
        type_name=_names(spec),
        number=licence.number,
        holder_masked=_holder(licence, spec),
        issuer=dict(licence.issuer),
        issued_at=licence.issued_at,
        valid_until=licence.valid_until,
        state=state_of(valid_until=licence.valid_until, revoked_at=licence.revoked_at, today=local_date(now)),
    )


def _holder(licence: Licence, spec: LicenceType) -> str:
    """The holder's name as whoever checks may see it: masked, unless the law publishes it."""
    name = str(licence.data.get(spec.holder_name, ""))
    return name if spec.is_public else mask_name(name)


def _allowed(licence_id: UUID, *, actor: Actor, basis: Basis) -> tuple[Licence, str]:
    if not basis.is_stated:
        raise PurposeMissing
    licence = Licence.objects.filter(pk=licence_id).prefetch_related("holders").first()
    if licence is None:
        access.require_person(actor=actor, basis=basis, person_ids=[licence_id], right="licences.read")
        raise LicenceNotFound
    roles = {row.person_id: row.role for row in licence.holders.all()}
    if actor.is_resident:
        mine = {actor.person_id}
        if actor.principal is not None and actor.principal.kind == "person":
            mine.add(actor.principal.id)
        held = frozenset(roles) if mine & set(roles) else frozenset()
        holder = next(key for key, role in roles.items() if role == "holder")
        access.require_person(actor=actor, basis=basis, person_ids=[holder], right="licences.read", related=held)
    else:
        where: dict[str, Any] = {
            "organization_id": licence.issuer_organization_id,
            "division_code": licence.issuer_division_code or None,
        }
        # Who may issue or revoke a licence may see it.
        if not any(access.allows(actor=actor, right=right, **where) for right in _STAFF_RIGHTS[1:]):
            access.require(actor=actor, right=_STAFF_RIGHTS[0], **where)
    return licence, roles.get(actor.person_id, "") if actor.person_id else ""


def _told(decision: SharingDecision) -> dict[str, object] | None:
    """What the audit entry names of a decision: nothing for residents and for what no terms bind."""
    return {"terms": [decision.trace()]} if decision.ground in {"grant", "provider"} else None


RESOURCE = "e_licences"
_NOBODY = UUID(int=0)
# What a licence's page, a folder and a form's filling in disclose, as the resource publishes it.
_ITEMS = (
    "licence_id",
    "type_code",
    "number",
    "holder_person_id",
    "issuer",
    "issued_at",
    "valid_from",
    "valid_until",
    "state",
)
_LINE_ITEMS = ("type_code", "number", "holder_person_id", "issuer", "issued_at", "valid_until", "state")


def _trace(
    actor: Actor, basis: Basis, what: str, licence_ids: list[UUID], now: datetime, *, item: str = "data"
) -> None:
    """Ask the catalogue's terms, by which other bodies than the issuer read (each body's licences are its own), and record."""
    rows = list(Holder.objects.filter(licence_id__in=licence_ids, role="holder").select_related("licence"))
    decision = decide_sharing(
        actor=actor,
        resource=RESOURCE,
        fields=(*_ITEMS, item),
        basis=basis,
        now=now,
        divisions={row.licence.issuer_division_code for row in rows},
        subjects=len({row.person_id for row in rows}),
        owners={row.licence.issuer_organization_id or _NOBODY for row in rows},
    )
    fields: set[str] = set()
    for row in rows:
        fields.update(f"{row.licence.type_code}.{name}" for name in row.licence.data)
    record_read(
        actor=actor,
        basis=basis,
        what=what,
        subjects=[row.person_id for row in rows],
        fields=sorted(fields),
        database=DATABASE,
        now=now,
        object=("licence", licence_ids[0]) if len(licence_ids) == 1 else None,
        detail=_told(decision),
    )


# --- checking ---------------------------------------------------------------------------------------------------


@read("licences.verify", database=DATABASE)
def verify(*, token: str, actor: Actor, now: datetime) -> Verdict:
    """Check a licence by the token of its QR code: who issued it, when, and how it stands today.

    Anybody may check. Of the holder a masked name is told; the holder finds the check among the reads of their data. An unknown
    token gives `Finding.UNKNOWN`, not an error.
    """
    licence = Licence.objects.filter(token=token[:64]).first()
    if licence is not None:
        return _verdict(licence, actor=actor, now=now, what="licences.verify")
    document = SealedDocument.objects.filter(token=token[:64]).first()
    return _verdict_of_document(document) if document is not None else Verdict(finding=Finding.UNKNOWN)


@read("licences.verify_pdf", database=DATABASE)
def verify_pdf(*, data: bytes, actor: Actor, now: datetime) -> Verdict:
    """Check a licence by its file; for a file as it was issued the verdict equals that of its QR code.

    A file that bears our seal, or names a document of ours, and is not byte for byte the file we made is `Finding.ALTERED`,
    whatever was changed. The notices and decisions that `documents` sealed are known too. Raises `FileNotReadable` for what is
    no PDF. 2 ms for a file as it was issued, 20 ms otherwise.
    """
    if b"%PDF-" not in data[:1024]:
        raise FileNotReadable
    digest = hashlib.sha256(data).hexdigest()
    licence = Licence.objects.filter(pdf_digest=digest).first()
    if licence is not None:
        return _verdict(licence, actor=actor, now=now, what="licences.verify_pdf")
    document = SealedDocument.objects.filter(pdf_digest=digest).first()
    if document is not None:
        return _verdict_of_document(document)
    if token := find_token(data):
        named = Licence.objects.filter(token=token).first()
        if named is not None:
            spec = type_by_digest(named.type_digest)
            return Verdict(
                finding=Finding.ALTERED,
                type_code=named.type_code,
                type_name=_names(spec),
                issuer=dict(named.issuer),
            )
        document = SealedDocument.objects.filter(token=token).first()
        if document is not None:
            return Verdict(finding=Finding.ALTERED, type_name=dict(document.title), issuer=dict(document.issuer))
    return Verdict(finding=Finding.ALTERED if bears_our_seal(data) else Finding.UNKNOWN)


def _verdict_of_document(document: SealedDocument) -> Verdict:
    return Verdict(
        finding=Finding.VALID,
        type_name=dict(document.title),
        number=document.number,
        issuer=dict(document.issuer),
        issued_at=document.sealed_at,
        valid_from=document.issued_on,
        pdf_digest=document.pdf_digest,
    )


def _verdict(licence: Licence, *, actor: Actor, now: datetime, what: str) -> Verdict:
    spec = type_by_digest(licence.type_digest)
    state = state_of(valid_until=licence.valid_until, revoked_at=licence.revoked_at, today=local_date(now))
    record_read(
        actor=actor,
        basis=_CHECKING,
        what=what,
        subjects=list(licence.holders.filter(role="holder").values_list("person_id", flat=True)),
        fields=("name_masked", "number", "state"),
        database=DATABASE,
        now=now,
        object=("licence", licence.id),
    )
    return Verdict(
        finding=Finding(state.value),
        type_code=licence.type_code,
        type_name=_names(spec),
        number=licence.number,
        holder_masked=_holder(licence, spec),
        issuer=dict(licence.issuer),
        issued_at=licence.issued_at,
        valid_from=licence.valid_from,
        valid_until=licence.valid_until,
        revoked_at=licence.revoked_at,
        revoked_reason=licence.revoked_reason,
        pdf_digest=licence.pdf_digest,
    )
