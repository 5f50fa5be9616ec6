"""Signatures of grants: what is signed, and whether a signature is good (电子签名法 art. 13, 14).

A side signs by its post, whose right and time the audit holds; the platform's key vouches for it. What is signed is the grant's
canonical text with the side, the organisation, the post and the time, so that neither terms nor signer can be exchanged later.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

from furong.domains.catalogue import models
from furong.domains.catalogue.grants.values import GrantAct
from furong.foundation.signing import queries as keys
from furong.foundation.signing.errors import KeyUnknownError
from furong.foundation.signing.values import ED25519, Signature

_CONTEXT = b"furong sharing grant v1\n"
PURPOSE = "grants"


def text_of(grant: models.Grant, *, act: GrantAct, organization_id: UUID, by: str, at: datetime) -> bytes:
    """Give the bytes that a side signs: sorted JSON after the context's line."""
    content = {
        "grant": str(grant.id),
        "number": grant.number,
        "parent": str(grant.parent_id or ""),
        "resource": grant.resource_code,
        "resource_digest": grant.resource_digest,
        "provider": str(grant.provider_organization_id),
        "grantee": str(grant.organization_id),
        "sharing": grant.sharing,
        "terms": grant.terms,
        "side": act.value,
        "organization": str(organization_id),
        "by": by,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    return _CONTEXT + json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def sign(grant: models.Grant, *, act: GrantAct, organization_id: UUID, by: str, at: datetime) -> Signature:
    """Sign a grant for a side."""
    return keys.sign(text_of(grant, act=act, organization_id=organization_id, by=by, at=at), purpose=PURPOSE)


def is_good(grant: models.Grant, entry: models.GrantEntry) -> bool:
    """Say whether an entry's signature is good for the grant as it stands now."""
    if not entry.signature or entry.organization_id is None:
        return False
    data = text_of(grant, act=GrantAct(entry.act), organization_id=entry.organization_id, by=entry.by, at=entry.at)
    try:
        value = bytes.fromhex(entry.signature)
        return keys.verify(data, Signature(algorithm=ED25519, key_id=entry.key_id, value=value))
    except (KeyUnknownError, ValueError):
        return False
