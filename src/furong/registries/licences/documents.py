"""Sealed documents for other rooms: notices of acceptance, supplement and decision, numbered and sealed.

The caller numbers and keeps them; this makes the file and remembers its digest, so that anybody can check it. Templates are
pack content (``documents/CODE/template.typ``); the letter follows GB/T 9704 (信函格式). The seal is the platform's document
certificate, so any PDF reader verifies it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from .commands import local_date
from .making import document_pdf, verify_url
from .models import SealedDocument
from .sealing import seal

__all__ = ["render_sealed_pdf"]


def render_sealed_pdf(
    *,
    template: str,
    data: Mapping[str, Any],
    title: Mapping[str, str],
    number: str,
    issuer: Mapping[str, str],
    addressee: str = "",
    issued_on: date | None = None,
    seal_text: str = "",
    now: datetime,
) -> bytes:
    """Return a sealed PDF (PDF/A-2a, PDF/UA-1, PAdES) of the pack's document ``template``.

    ``title`` and ``issuer`` are ``{zh, en}``; ``number`` is the document's own (``株荷公户受〔2026〕12号``); ``data`` holds
    what the template shows, as plain JSON values. ``seal_text`` stands in the drawn seal (default: the issuer); ``verify_url``
    gives a QR code. An unknown template falls back to a plain letter that shows ``data["paragraphs"]`` and ``data["facts"]``.
    Faults: `GlyphMissingError`, `TypesettingError`, `SealingError`. About 20 ms.
    """
    day = issued_on or local_date(now)
    content = {
        "title": {"zh": title.get("zh", ""), "en": title.get("en", "")},
        "number": number,
        "issuer": {"zh": issuer.get("zh", ""), "en": issuer.get("en", "")},
        "addressee": addressee,
        "issued_on": day.isoformat(),
        "seal": seal_text or issuer.get("zh", ""),
        "data": dict(data),
    }
    token = secrets.token_urlsafe(16)
    url = verify_url(token)
    pdf = seal(
        document_pdf(template=template, data=content, on=day, url=url, now=now),
        reason=f"{title.get('zh', '')} {number}",
        location=issuer.get("zh", ""),
        contact=url,
    )
    SealedDocument(
        token=token,
        pdf_digest=hashlib.sha256(pdf).hexdigest(),
        title=content["title"],
        number=number,
        issuer=content["issuer"],
        issued_on=day,
        sealed_at=now,
    ).save(force_insert=True)
    return pdf
