"""A gateway's way to the centre: it fetches the configuration, reports what passed, and outlives the centre's silence.

The configuration is asked for every second with the number of the one held, so most answers say that nothing changed. A
report goes out every few seconds with counts, the signed head and what is near its end. Both are signed as every message of
the exchange is, under the word ``centre`` where a consumer names its grant. When the centre does not answer, the gateway goes
on with the configuration it holds and warns in grades as that grows old.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import logging
import secrets
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from furong_link import profile, renewal
from furong_link.certificates import read_certificate
from furong_link.configuration import Configuration
from furong_link.enrolment import Request, read_answer, seal_request
from furong_link.errors import ConfigurationError, EvidenceError, KeyFileError, LinkError
from furong_link.evidence import EvidenceLog
from furong_link.keys import Signer
from furong_link.message import PeerDoor, Settings
from furong_link.traffic import TrafficBook

logger = logging.getLogger("furong_link")

WORD = "centre"  # where a consumer names its grant
CONFIGURATION, REPORTS, ENROLMENTS = "/api/exchange/configuration", "/api/exchange/reports", "/api/exchange/enrolments"
KEYS = "/api/exchange/keys"
SOFTWARE = "furong-link 0.1.0"
POLL_SECONDS, REPORT_SECONDS, TIMEOUT_SECONDS, LAST_SECONDS = 1.0, 5.0, 10.0, 2.0
_JSON = "application/json"
_NEVER = (400, 422)  # the centre read a report and it is not of the form
# Of a configuration that cannot be renewed, in the order in which it grows old.
_GRADES = {
    "fresh": "",
    "late": "The configuration is late: the centre has not renewed it for five minutes.",
    "old": "The configuration is an hour old; changes of grants do not arrive here. Replies are marked stale.",
    "ending": "The configuration is near its end; then this gateway stops serving. Call the operator.",
    "expired": "The configuration has expired: this gateway refuses every message.",
    "missing": "There is no configuration yet: the operator has to approve this gateway.",
}


class CentreError(LinkError):
    """The centre could not be reached (``status`` is 0), or did not answer as it should."""

    code = "centre"

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answered:
    """What the centre answered."""

    status: int
    content: bytes

    @property
    def says(self) -> str:
        """The detail of a problem, or the status."""
        try:
            found = json.loads(self.content)
            return f"{found.get('detail') or found.get('title')} ({found.get('code')})"
        except (ValueError, AttributeError):
            return f"HTTP {self.status}"


class Centre:
    """The centre at ``address`` (http or https, with a path in front of ``/api`` where it has one), asked by ``signer``."""

    def __init__(
        self,
        address: str,
        *,
        signer: Signer,
        clock: Callable[[], float] = time.time,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ConfigurationError(f"{address} is no address of a centre.")
        self._authority, self._prefix = parts.netloc.lower(), parts.path.rstrip("/")
        self._signer, self._clock = signer, clock
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=timeout_seconds, context=tls or ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_seconds)
        )

    def ask(
        self, method: str, path: str, content: bytes = b"", *, headers: Mapping[str, str] | None = None
    ) -> Answered:
        """Send one signed message; once more when a kept connection turned out to be closed. Raises CentreError."""
        signer = self._signer
        digest = profile.content_digest(content, algorithm=signer.algorithm)
        target = self._prefix + path
        for last in (False, True):
            kept = self._connection.sock is not None
            request = profile.Request(
                method, self._authority, target, _JSON, digest, WORD, f"c-{secrets.token_hex(12)}"
            )
            signed = profile.sign_request(
                request, signer=signer, created=int(self._clock()), nonce=secrets.token_urlsafe(16)
            )
            try:
                self._connection.request(
                    method,
                    target,
                    body=content or None,
                    headers={
                        "Host": self._authority,
                        "Content-Type": _JSON,
                        "Content-Digest": digest,
                        "Furong-Grant": WORD,
                        "Furong-Message": request.message,
                        "Accept": _JSON,
                        **(headers or {}),
                        **signed.headers(),
                    },
                )
                reply = self._connection.getresponse()
                return Answered(reply.status, reply.read())
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if last or not kept:
                    raise CentreError(f"The centre does not answer: {type(error).__name__}.") from error
        raise AssertionError("the loop returns or raises")

    def configuration(self, held: int | None) -> bytes | None:
        """Give the configuration's file, or None when ``held`` is still the newest. Raises CentreError."""
        found = self.ask("GET", CONFIGURATION, headers={"If-None-Match": f'"{held or 0}"'})
        if found.status == 304:
            return None
        if found.status != 200:
            raise CentreError(f"The centre gives no configuration: {found.says}")
        return found.content

    def report(self, report: Mapping[str, Any]) -> None:
        """Hand a report over. Raises CentreError."""
        found = self.ask("POST", REPORTS, json.dumps(report).encode())
        if found.status not in (200, 204):
            raise CentreError(f"The centre did not take the report: {found.says}", status=found.status)

    def renew_key(self, handover: Mapping[str, Any]) -> None:
        """Tell of the gateway's next key, by the one in force. Raises CentreError."""
        found = self.ask("POST", KEYS, json.dumps(handover).encode())
        if found.status != 201:
            raise CentreError(f"The centre did not take the key: {found.says}", status=found.status)

    def sign_by(self, signer: Signer) -> None:
        """Ask by another key of the gateway from now on."""
        self._signer = signer

    def enrol(self, request: Request, *, code: str) -> dict[str, Any]:
        """Ask to be admitted; give the centre's answer (exchange, member, the operator's key). Raises CentreError or
        ConfigurationError when the answer was not sealed under the code.
        """
        found = self.ask("POST", ENROLMENTS, json.dumps(seal_request(request, code=code, signer=self._signer)).encode())
        if found.status not in (200, 201):
            raise CentreError(f"The centre did not take the request: {found.says}")
        try:
            sent = json.loads(found.content)
        except ValueError as error:
            raise CentreError("The centre's answer is not JSON: is this its address?") from error
        return read_answer(sent if isinstance(sent, dict) else {}, code=code)

    def close(self) -> None:
        """Close the kept connection."""
        self._connection.close()

    def __enter__(self) -> Centre:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Reports(Protocol):
    """What a report is made of: the gateway."""

    settings: Settings
    configuration: Configuration | None
    log: EvidenceLog
    traffic: TrafficBook

    def health(self) -> dict[str, object]: ...

    def quotas(self) -> dict[str, int]: ...

    async def take_configuration(self, file: bytes) -> Configuration: ...

    async def take_key(self, key: Signer) -> None: ...


class Keeper:
    """Keeps one gateway's configuration new and the centre informed, in a task beside the gateway."""

    def __init__(
        self,
        gateway: Reports,
        centre: Centre,
        *,
        clock: Callable[[], float] = time.time,
        poll_seconds: float = POLL_SECONDS,
        report_seconds: float = REPORT_SECONDS,
        certificate: Path | None = None,
    ) -> None:
        self._gateway, self._centre, self._clock = gateway, centre, clock
        self._poll, self._report = poll_seconds, report_seconds
        self._boot, self._number = secrets.token_hex(8), 0
        self._owed: list[dict[str, Any]] | None = None  # counts of a report whose answer did not come
        self._certificate = certificate
        # One thread: the centre is asked one thing at a time, and a slow centre never holds a message up.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="centre")
        self.grade = "fresh"
        self.trouble = ""

    async def run(self) -> None:
        """Poll and report until cancelled; then report what is left, when the centre is there."""
        due = 0.0
        try:
            while True:
                await self.fetch()
                await self.renew()
                if (now := asyncio.get_running_loop().time()) >= due:
                    await self.tell()
                    due = now + self._report
                self._warn()
                await asyncio.sleep(self._poll)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_SECONDS):
                    await self.tell()
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def fetch(self) -> bool:
        """Fetch the configuration when there is a newer one; say whether it was taken."""
        held = self._gateway.configuration
        try:
            file = await self._apart(self._centre.configuration, held.serial if held else None)
            if file is not None:
                await self._gateway.take_configuration(file)
        except ConfigurationError as error:
            self._say(f"The centre's configuration was not taken: {error}")
            return False
        except (CentreError, EvidenceError, OSError) as error:
            self._say(str(error))
            return False
        self._say("")
        return file is not None

    async def renew(self) -> bool:
        """Sign by the key that ``furong-gateway renew-key`` made, once every gateway can know it; say whether it took over."""
        gateway, folder = self._gateway, self._gateway.settings.folder
        try:
            waiting = renewal.read_next(folder)
            if waiting is None or gateway.configuration is None:
                return False
            at = renewal.takes_over_at(waiting, gateway.configuration, gateway=gateway.settings.id)
            if at is None or self._clock() < at:
                return False
            renewal.take_over(folder, waiting)
            await gateway.take_key(waiting.key)
        except (ConfigurationError, KeyFileError, EvidenceError, OSError) as error:
            self._say(f"The key was not renewed: {error}")
            return False
        self._centre.sign_by(waiting.key)
        logger.info("The key %s signs from now on.", waiting.key.key_id)
        return True

    async def tell(self) -> bool:
        """Report; say whether the centre took it. A report whose answer did not come goes again under its number, with the
        counts that it had, so that the centre counts them once; what passed since is in the next.
        """
        if self._owed is None:
            self._owed, self._number = self._gateway.traffic.take(), self._number + 1
        try:
            await self._apart(self._centre.report, self.report(self._owed))
        except CentreError as error:
            self._say(str(error))
            if error.status in _NEVER:
                self._owed = None  # it would not be taken the next time either, and what follows is not to wait for it
            return False
        self._owed = None
        return True

    def report(self, lines: list[dict[str, Any]]) -> dict[str, Any]:
        """Give a report: counts, the signed head, health, what is used of quotas, and when the certificate ends."""
        head = self._gateway.log.head
        return {
            "boot": self._boot,
            "number": self._number,
            "at": int(self._clock()),
            "software": SOFTWARE,
            "health": self._gateway.health(),
            "head": head.as_json() if head else None,
            "traffic": lines,
            "quotas": self._gateway.quotas(),
            "certificate_until": _certificate_until(self._certificate),
            "peer": _peer(self._gateway.settings.peers),
        }

    async def _apart(self, function: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *given)

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            if trouble:
                logger.warning("%s The configuration at hand stays in force.", trouble)
            else:
                logger.info("The centre answers again.")
            self.trouble = trouble

    def _warn(self) -> None:
        found = self._gateway.configuration
        grade = found.staleness(self._clock()) if found else "missing"
        if grade != self.grade:
            level = logging.INFO if grade == "fresh" else logging.WARNING if grade != "expired" else logging.ERROR
            logger.log(level, "%s", _GRADES[grade] or "The configuration is new again.")
            self.grade = grade


def _peer(door: PeerDoor | None) -> dict[str, str] | None:
    """Say where other gateways meet this one and by which certificate: the gateway's signature vouches for both."""
    if door is None or not door.address:
        return None
    with contextlib.suppress(ConfigurationError):
        return {"address": door.address, "certificate": b64encode(read_certificate(door.certificate)[0]).decode()}
    return None


def _certificate_until(path: Path | None) -> str | None:
    if path is None:
        return None
    from cryptography import x509

    with contextlib.suppress(OSError, ValueError):
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.isoformat()
    return None
