"""A member's own systems at its own gateway: keys and certificates that only this gateway knows. Pure."""

from __future__ import annotations

from math import inf

from furong_link.configuration import Configuration, Key
from furong_link.errors import ConfigurationError, KeyFileError, Refusal
from furong_link.keys import verifier
from furong_link.message import Settings


class _Nobody:
    """The verifier of who signs nothing."""

    algorithm = "none"

    def verify(self, message: bytes, signature: bytes) -> bool:
        return False


def own_keys(settings: Settings) -> dict[str, Key]:
    """Give the keys of the settings' ``systems``, without a member. Raises ConfigurationError."""
    found = {}
    for name, text in settings.systems.items():
        algorithm, _, public = text.partition(":")
        try:
            found[name] = Key(name, "", algorithm, verifier(algorithm=algorithm, public=public), 0.0, inf, False)
        except KeyFileError as error:
            raise ConfigurationError(f"systems: {name}: {error}") from error
    return found


def system_key(name: str, *, member: str) -> Key:
    """Give what stands for a key of a system that shows its certificate instead of signing."""
    return Key(name, member, "none", _Nobody(), 0.0, inf, False)


def check_certificate(configuration: Configuration, *, certificate: str, key_id: str) -> None:
    """Refuse another gateway's message when the certificate shown (SHA-256 in hex) does not name the key's gateway."""
    if not certificate:
        raise Refusal("certificate_missing")
    peer = configuration.peer_of(certificate)
    if peer is None:
        raise Refusal("certificate_unknown")
    if key_id not in peer.keys:
        raise Refusal("certificate_of_another")
