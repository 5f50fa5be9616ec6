"""What django-allauth asks of us: secrets of second factors are encrypted at rest, and nothing is mailed."""

from __future__ import annotations

import base64
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def _fernet() -> Fernet:
    if settings.CENTRE_KEY:  # a counter's node opens its own city's second factors, and nothing else of the platform's
        return Fernet(settings.CENTRE_KEY)
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"furong.identity.second-factor")
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))


class SecretsAdapter(DefaultMFAAdapter):
    """Keeps second factors' secrets encrypted under a key derived from ``SECRET_KEY`` (HKDF, RFC 5869)."""

    def encrypt(self, text: str) -> str:
        """Give the ciphertext that is stored."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Give the secret back."""
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Accounts have no address; what happened is in the audit log and in the list of devices."""
