"""Links to portraits: sealed, good for two minutes and for one account, with the purpose inside.

Bytes always pass through the platform, never by a link of the store's own, so that every opening is recorded with its purpose.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from furong.foundation.access.values import Actor, Basis

from .errors import LinkOver
from .values import Size

SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link opens, and why."""

    portrait_id: UUID
    size: Size
    basis: Basis


def seal(*, portrait_id: UUID, size: Size, actor: Actor, basis: Basis, now: datetime) -> str:
    """Return the text that opens this portrait for this account during the next two minutes."""
    told = [
        str(portrait_id),
        size.value,
        _who(actor),
        basis.purpose,
        basis.legal_basis,
        str(basis.case_id or ""),
        str(basis.about or ""),
    ]
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return _fernet(settings.SECRET_KEY).encrypt_at_time(text, int(now.timestamp())).decode().rstrip("=")


def unseal(text: str, *, actor: Actor, now: datetime) -> Link:
    """Return what a link opens. Raises `LinkOver` for anything but this account's own, in time."""
    try:
        padded = text + "=" * (-len(text) % 4)
        plain = _fernet(settings.SECRET_KEY).decrypt_at_time(padded.encode(), SECONDS, int(now.timestamp()))
    except (InvalidToken, ValueError) as exc:
        raise LinkOver from exc
    portrait, size, who, purpose, law, case, about = json.loads(plain)
    if who != _who(actor):
        raise LinkOver
    basis = Basis(
        purpose=purpose,
        legal_basis=law,
        case_id=UUID(case) if case else None,
        about=UUID(about) if about else None,
    )
    return Link(portrait_id=UUID(portrait), size=Size(size), basis=basis)


def _who(actor: Actor) -> str:
    return f"{actor.account_id}:{actor.post_id or ''}"


@lru_cache(maxsize=2)
def _fernet(secret: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"furong.portraits.link")
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))
