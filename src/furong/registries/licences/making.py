"""Private: making the PDF of a licence and of a document from definitions and plain data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import segno
from django.conf import settings

from furong.foundation.codes import queries as codes
from furong.foundation.packs import queries as packs

from .errors import LicenceDataIncomplete, LicenceTypeUnknown
from .kinds import DOCUMENT_TEMPLATE, LICENCE_TEMPLATE, LICENCE_TYPE, TYPST_LIBRARY
from .typesetting import typeset
from .values import FieldKind, FieldSpec, LicenceType

_OWN = Path(__file__).parent / "typst"


def verify_url(token: str) -> str:
    """Return the address of the page that verifies a licence; it names nobody."""
    base = str(getattr(settings, "PUBLIC_URL", "") or "http://127.0.0.1:8000/")
    return urljoin(base if base.endswith("/") else base + "/", f"verify/{token}")


def get_type(type_code: str, *, on: date) -> tuple[str, LicenceType]:
    """Return a licence type in force and its digest. Raises `LicenceTypeUnknown`."""
    release = packs.find_release(kind=LICENCE_TYPE, code=type_code, on=on)
    if release is None:
        raise LicenceTypeUnknown(type_code=type_code)
    return release.digest, packs.get_value(kind=LICENCE_TYPE, digest=release.digest)


def type_by_digest(digest: str) -> LicenceType:
    """Return the type that a licence was issued by."""
    found: LicenceType = packs.get_value(kind=LICENCE_TYPE, digest=digest)
    return found


def checked_data(spec: LicenceType, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a licence in canonical form. Raises `LicenceDataIncomplete` naming the field."""
    checked: dict[str, Any] = {}
    for one in spec.fields:
        value = data.get(one.code)
        if value is None or value == "":
            if one.required:
                raise LicenceDataIncomplete(field=one.code)
            continue
        checked[one.code] = _checked(one, value)
    unknown = set(data) - {one.code for one in spec.fields}
    if unknown:
        raise LicenceDataIncomplete(field=sorted(unknown)[0])
    return checked


def _checked(one: FieldSpec, value: Any) -> Any:
    try:
        if one.kind is FieldKind.DATE:
            return (value if isinstance(value, date) else date.fromisoformat(str(value))).isoformat()[:10]
        if one.kind is FieldKind.DATETIME:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
            return moment.isoformat()
        if one.kind is FieldKind.NUMBER:
            return str(value)
        if one.kind is FieldKind.LIST:
            return [{str(k): str(v) for k, v in row.items()} for row in value]
    except (ValueError, TypeError, AttributeError):
        raise LicenceDataIncomplete(field=one.code) from None
    if one.kind is FieldKind.CODE and str(value) not in codes.get_table(name=one.table).items:
        raise LicenceDataIncomplete(field=one.code)
    return str(value).strip()


def shown_fields(spec: LicenceType, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the fields as a template shows them: label and value in both languages, codes as words."""
    shown = []
    for one in spec.fields:
        value = data.get(one.code)
        zh = en = value if value is not None else ""
        if one.kind is FieldKind.CODE and value:
            item = codes.get_table(name=one.table).items[str(value)]
            zh, en = item.zh, item.en
        elif one.kind is FieldKind.DATETIME and value:
            moment = datetime.fromisoformat(str(value))
            zh = f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"
            en = f"{moment:%Y-%m-%d %H:%M}"
        elif one.kind is FieldKind.DATE and value:
            day = date.fromisoformat(str(value))
            zh, en = f"{day.year}年{day.month}月{day.day}日", f"{day:%Y-%m-%d}"
        shown.append(
            {
                "code": one.code,
                "kind": one.kind.value,
                "label": {"zh": one.name.pick("zh"), "en": one.name.pick("en")},
                "zh": zh,
                "en": en,
            }
        )
    return shown


def _files(*, on: date) -> dict[str, bytes]:
    """The pack's shared libraries in force, by the name under which templates import them."""
    return {
        f"{release.code}.typ": packs.get_definition(digest=release.digest).content
        for release in packs.list_current_releases(kind=TYPST_LIBRARY, on=on)
    }


@lru_cache(maxsize=512)
def qr_svg(url: str) -> bytes:
    """Return a QR code as SVG, error correction M (a folded or stained print still reads)."""
    from io import BytesIO

    out = BytesIO()
    segno.make(url, error="m").save(out, kind="svg", border=0, xmldecl=False)
    return out.getvalue()


def _template(kind: str, code: str, *, on: date, fallback: str) -> bytes:
    release = packs.find_release(kind=kind, code=code, on=on)
    if release is not None:
        return packs.get_definition(digest=release.digest).content
    return (_OWN / fallback).read_bytes()


def licence_pdf(
    *,
    spec: LicenceType,
    data: Mapping[str, Any],
    number: str,
    token: str,
    issuer: Mapping[str, str],
    issued_on: date,
    valid_from: date,
    valid_until: date | None,
    now: datetime,
) -> bytes:
    """Return the PDF of a licence, not yet sealed."""
    url = verify_url(token)
    fields = shown_fields(spec, data)
    content = {
        "title": {"zh": spec.name.pick("zh"), "en": spec.name.pick("en")},
        "seal": {"zh": spec.seal.pick("zh"), "en": spec.seal.pick("en")},
        "number": number,
        "issuer": dict(issuer),
        "issued_on": issued_on.isoformat(),
        "valid_from": valid_from.isoformat(),
        "valid_until": valid_until.isoformat() if valid_until else "",
        "fields": fields,
        "by_code": {one["code"]: one for one in fields},
        "legal_basis": {"zh": spec.legal_basis.pick("zh"), "en": spec.legal_basis.pick("en")}
        if spec.legal_basis
        else {},
        "notes": [{"zh": note.pick("zh"), "en": note.pick("en")} for note in spec.notes],
        "verify_url": url,
    }
    return typeset(
        template=_template(LICENCE_TEMPLATE, spec.code, on=issued_on, fallback="generic_licence.typ"),
        data=content,
        files={**_files(on=issued_on), "qr.svg": qr_svg(url)},
        now=now,
    )


def document_pdf(*, template: str, data: Mapping[str, Any], on: date, url: str, now: datetime) -> bytes:
    """Return the PDF of a document, not yet sealed."""
    files = _files(on=on)
    if url:
        files["qr.svg"] = qr_svg(url)
    return typeset(
        template=_template(DOCUMENT_TEMPLATE, template, on=on, fallback="generic_document.typ"),
        data={**data, "verify_url": url},
        files=files,
        now=now,
    )
