"""Who may pass a gateway's door: signature or certificate, time, key, member, replay, grant. In the order of their cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from furong_link import profile
from furong_link.beside import Beside
from furong_link.configuration import Configuration, Key
from furong_link.decision import check_grant, read_target
from furong_link.errors import Refusal
from furong_link.message import Message, Settings
from furong_link.modes import OWN_SERVICE
from furong_link.own import check_certificate, own_keys, system_key
from furong_link.replay import ReplayGuard


class Holds(Protocol):
    """What is asked of the gateway: the configuration in force, and how many messages are in hand."""

    configuration: Configuration | None
    in_hand: int


class Admission:
    """Verifies messages at one gateway. ``suite`` is the gateway's own algorithm, ``clock`` gives Unix seconds."""

    def __init__(
        self, gateway: Holds, *, settings: Settings, suite: str, clock: Callable[[], float], beside: Beside
    ) -> None:
        self._gateway, self._settings, self._suite, self._clock, self._beside = gateway, settings, suite, clock, beside
        self._guard = ReplayGuard(skew_seconds=settings.skew_seconds)
        self._own_keys = own_keys(settings)

    def remember(self, record: Mapping[str, Any], *, now: float) -> None:
        """Take a recent nonce from the log at a start: a message recorded before it is a replay after it. Refuses one seen."""
        at = datetime.fromisoformat(record["at"]).timestamp()
        if record.get("nonce") and at > now - 4 * self._settings.skew_seconds:
            self._guard.take(key_id=record["key"], nonce=record["nonce"], now=now)

    async def admit(self, message: Message) -> Configuration:
        """Check everything that is known without the provider, fill the message in as far as it got, and give the
        configuration that it was decided by. Refuses at the first cause.
        """
        headers = message.head.headers
        system = self._settings.certificates.get(message.certificate) if message.certificate else None
        if system is not None and not message.from_peer and "signature" not in headers:
            return self._verify_by_certificate(message, system)
        signed = profile.read_signature(headers)
        request = message.read_request()
        profile.check_values(request)
        message.request, message.signed = request, signed
        settings = self._settings
        while True:
            configuration, now = self._in_force()
            if message.from_peer:
                check_certificate(configuration, certificate=message.certificate, key_id=signed.key_id)
            if request.authority != settings.authority:
                raise Refusal("wrong_gateway")
            profile.check_time(signed.created, now=now, skew_seconds=settings.skew_seconds)
            key = configuration.keys.get(signed.key_id) or self._own_key(configuration, signed.key_id, message)
            if key is None:
                raise Refusal("key_unknown")
            profile.check_digest(request.content_digest, message.content, algorithm=signed.algorithm)
            message.base, signature = profile.begin_check(request, signed, verifier=key.verifier)
            # In a thread beside the loop where that gains, and other messages are in hand too.
            beside = getattr(key.verifier, "verify_beside", None) if self._gateway.in_hand > 2 else None
            if beside is None:
                fits = key.verifier.verify(message.base, signature)
            else:
                fits = await self._beside.call(beside, message.base, signature)
            if not fits:
                raise Refusal("signature_invalid")
            # A configuration that came meanwhile may say otherwise: the message goes by the one in force.
            if self._gateway.configuration is configuration:
                break
        # From here on the sender is known.
        message.key = key
        if not key.is_valid(now):
            raise Refusal("key_not_valid")
        if key.member in configuration.suspended:
            raise Refusal("member_suspended")
        self._guard.take(key_id=key.key_id, nonce=signed.nonce, now=now)
        message.facts["nonce"] = signed.nonce
        message.target = target = read_target(request.target)
        if target.service == OWN_SERVICE:
            return configuration  # the provider's own door: no grant, `Modes.provide` decides
        message.grant = check_grant(
            configuration.grants.get(request.grant), member=key.member, method=request.method, target=target, now=now
        )
        return configuration

    def _in_force(self) -> tuple[Configuration, float]:
        configuration, now = self._gateway.configuration, self._clock()
        if configuration is None or configuration.staleness(now) == "expired":
            raise Refusal("configuration_expired")
        return configuration, now

    def _own_key(self, configuration: Configuration, key_id: str, message: Message) -> Key | None:
        """Give the key of one of the member's own systems, which only this gateway knows; not to another gateway."""
        found, own = self._own_keys.get(key_id), configuration.peers.get(self._settings.id)
        if found is None or own is None or not own.member or message.from_peer:
            return None
        return replace(found, member=own.member)

    def _verify_by_certificate(self, message: Message, system: str) -> Configuration:
        """Let in one of the member's own systems that shows its certificate on TLS instead of signing each message."""
        configuration, now = self._in_force()
        own = configuration.peers.get(self._settings.id)
        if own is None or not own.member:
            raise Refusal("key_unknown")
        request = message.read_request(algorithm=self._suite)
        profile.check_values(request)
        message.request = request
        profile.check_digest(request.content_digest, message.content, algorithm=self._suite)
        message.key = system_key(system, member=own.member)
        if own.member in configuration.suspended:
            raise Refusal("member_suspended")
        message.facts["sign_in"] = "certificate"
        message.target = target = read_target(request.target)
        message.grant = check_grant(
            configuration.grants.get(request.grant), member=own.member, method=request.method, target=target, now=now
        )
        return configuration
