"""Which accounts a city's counter may know, and its second factors, sealed under a key that opens those of one city.

The platform's worker keeps the table in step every two seconds; replication carries each city its rows. So a password that was
changed, a post that was ended or an account that was closed counts at the node a few seconds later.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from furong.foundation.identity import models
from furong.foundation.organizations import queries as organizations

# Whose post carries one of these works at a counter.
RIGHTS = frozenset({"population.register", "population.search"})
_CITY_DIGITS = 4
_SAME = (
    "username", "password", "display_name", "language", "is_active", "must_change_password", "credentials_version",
    "created_at", "factor_source",
)  # fmt: skip


def key_of(city: str) -> str:
    """Return the key under which second factors are sealed for one city's node (32 bytes, base 64).

    It follows from the platform's secret (HKDF, RFC 5869) and opens nothing of another city's. Never log it.
    """
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"furong.identity.counter.{city}".encode())
    return base64.urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())).decode()


def refresh(*, cities: Collection[str], now: datetime) -> int:
    """Bring what the counters of ``cities`` may know into step, and return how many rows changed.

    For the platform's worker. A counter knows who sits in a post there that registers or looks up people. Four statements when
    nothing changed. Accounts are copied as they stand; nothing is decided here, so the audit has no entry.
    """
    wanted = {
        (division[:_CITY_DIGITS], account_id)
        for division, account_id in organizations.accounts_with_rights(rights=RIGHTS)
        if division[:_CITY_DIGITS] in set(cities)
    }
    keys = {account_id for _, account_id in wanted}
    accounts = {one.pk: one for one in models.Account.objects.filter(pk__in=keys, kind=models.Account.Kind.STAFF)}
    factors = dict(
        Authenticator.objects.filter(user_id__in=keys, type=Authenticator.Type.TOTP).values_list("user_id", "data")
    )
    held = {(one.centre, one.account_id): one for one in models.CounterAccount.objects.filter(centre__in=set(cities))}
    changed = [
        row
        for city, key in sorted(wanted)
        if key in accounts
        and (row := _row(city, accounts[key], factors.get(key), held.pop((city, key), None))) is not None
    ]
    if changed or held:
        with transaction.atomic():
            for row in changed:
                row.save()
            for city, key in held:
                models.CounterAccount.objects.filter(centre=city, account_id=key).delete()
    return len(changed) + len(held)


def _row(
    city: str, account: models.Account, factor: dict[str, Any] | None, held: models.CounterAccount | None
) -> models.CounterAccount | None:
    """The row as it should be; None when it is so already."""
    sealed = str(factor["secret"]) if factor else ""
    facts: dict[str, Any] = {
        "username": account.username,
        "password": account.password,
        "display_name": account.display_name,
        "language": account.language,
        "is_active": account.is_active,
        "must_change_password": account.must_change_password,
        "credentials_version": account.credentials_version,
        "created_at": account.created_at,
        "factor_source": hashlib.sha256(f"{city}{sealed}".encode()).hexdigest() if sealed else "",
    }
    if held is not None and all(getattr(held, name) == facts[name] for name in _SAME):
        return None
    facts["factor"] = _seal(city, sealed) if sealed else ""
    return models.CounterAccount(centre=city, account_id=account.pk, **facts)


def _seal(city: str, secret: str) -> str:
    return Fernet(key_of(city)).encrypt(decrypt(secret).encode()).decode()


def list_known(*, city: str) -> list[UUID]:
    """Return the accounts that a city's counter may know."""
    return list(models.CounterAccount.objects.filter(centre=city).values_list("account_id", flat=True))
