"""A stated purpose on its way from a search to the record it opens: sealed, short-lived, good for one post of one account.

What is opened and why travel together in the address, encrypted: an address that is copied, logged or handed on says nothing and
opens nothing.
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
from furong.foundation.codes.errors import Refusal

SECONDS = 30 * 60


class EnquiryOver(Refusal):
    """The sealed enquiry is too old, or another account or post tries to use it."""

    code = "workbench.gone"
    message = "This enquiry is over."
    mend = "Search again and state the purpose; an enquiry lasts half an hour."


@dataclass(frozen=True, slots=True, kw_only=True)
class Enquiry:
    """What is opened, as what it was shown in the list (masked), and why."""

    kind: str
    object_id: UUID
    title: str
    basis: Basis

    def about(self, object_id: UUID, title: str, *, kind: str = "") -> Enquiry:
        """Give an enquiry into something else for the same purpose."""
        return Enquiry(kind=kind or self.kind, object_id=object_id, title=title, basis=self.basis)


def seal(enquiry: Enquiry, *, actor: Actor, now: datetime) -> str:
    """Give the text that stands in the address."""
    basis = enquiry.basis
    told = {
        "k": enquiry.kind,
        "o": str(enquiry.object_id),
        "t": enquiry.title,
        "a": str(actor.account_id),
        "p": str(actor.post_id),
        "u": basis.purpose,
        "l": basis.legal_basis,
        "c": str(basis.case_id) if basis.case_id else "",
        "s": str(basis.secrecy_order_id or ""),
        "b": str(basis.about or (enquiry.object_id if enquiry.kind == "person" else "")),  # whose affair it is
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return _fernet(settings.SECRET_KEY).encrypt_at_time(text, int(now.timestamp())).decode().rstrip("=")


def unseal(text: str, *, kind: str, actor: Actor, now: datetime) -> Enquiry:
    """Read what stands in the address. Raises `EnquiryOver` for anything but this actor's own, of this kind, in time."""
    try:
        padded = text + "=" * (-len(text) % 4)
        plain = _fernet(settings.SECRET_KEY).decrypt_at_time(padded.encode(), SECONDS, int(now.timestamp()))
        told = json.loads(plain)
    except (InvalidToken, ValueError) as exc:
        raise EnquiryOver from exc
    if (told["k"], told["a"], told["p"]) != (kind, str(actor.account_id), str(actor.post_id)):
        raise EnquiryOver
    return Enquiry(
        kind=kind,
        object_id=UUID(told["o"]),
        title=told["t"],
        basis=Basis(
            purpose=told["u"],
            legal_basis=told["l"],
            case_id=UUID(told["c"]) if told["c"] else None,
            about=UUID(told["b"]) if told.get("b") else None,
            secrecy_order_id=UUID(told["s"]) if told.get("s") else None,
        ),
    )


@lru_cache(maxsize=2)
def _fernet(secret: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"furong.workbench.enquiry")
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))
