"""OpenTelemetry traces of a gateway: a span for each message it takes, and one beneath it for the system or gateway asked.

Both gateways that a message passes know it by the same ``Furong-Message``, which the signature covers; the trace's id is made of
it, so that one trace holds both without another header field that anybody could write. Whether a message is traced follows from
the same id, so that either both gateways tell of it or none. The provider's own system is told by ``traceparent`` (W3C Trace
Context) and may tell its part to the same collector.

Spans go out in batches as OTLP over HTTP in its JSON form (opentelemetry-proto 1.3: ``POST /v1/traces``), in a thread of their
own: a collector that is away costs nothing but its spans. No span holds personal data: methods, services, grants and codes,
never a path or a content.
"""

from __future__ import annotations

import http.client
import json
import logging
import queue
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from furong_link.errors import ConfigurationError, Refusal

logger = logging.getLogger("furong_link")

PATH = "/v1/traces"
MOST_WAITING, MOST_AT_ONCE = 4096, 256
WAIT_SECONDS, TIMEOUT_SECONDS = 1.0, 5.0
SERVER, CLIENT = 2, 3  # SpanKind
_UNSET, _ERROR = 0, 2  # StatusCode


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingSettings:
    """Where spans go (the collector's address, without ``/v1/traces``), and which share of messages is traced."""

    address: str = ""
    share: float = 1.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if self.address and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query):
            raise ValueError("telemetry: address is http(s)://host:port")
        if not 0.0 <= self.share <= 1.0:
            raise ValueError("telemetry: share is between 0 and 1")


@dataclass(slots=True)
class Span:
    """One span: times are Unix seconds, ``attributes`` texts and whole numbers."""

    trace: str
    name: str
    kind: int
    began: float
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    parent: str = ""
    ended: float = 0.0
    error: str = ""
    attributes: dict[str, str | int] = field(default_factory=dict)

    @property
    def traceparent(self) -> str:
        """The field that tells another system of this span."""
        return f"00-{self.trace}-{self.id}-01"

    def as_otlp(self) -> dict[str, Any]:
        """Give the span as OTLP's JSON has it."""
        return {
            "traceId": self.trace,
            "spanId": self.id,
            **({"parentSpanId": self.parent} if self.parent else {}),
            "name": self.name,
            "kind": self.kind,
            "startTimeUnixNano": str(int(self.began * 1e9)),
            "endTimeUnixNano": str(int(max(self.began, self.ended) * 1e9)),
            "attributes": [_attribute(name, value) for name, value in self.attributes.items()],
            "status": {"code": _ERROR, "message": self.error} if self.error else {"code": _UNSET},
        }


def _attribute(name: str, value: str | int) -> dict[str, Any]:
    return {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}


def trace_of(message: str) -> str:
    """Give the trace's id of a message: 32 hex digits, the same at each gateway it passes."""
    return sha256(b"furong.exchange.trace.v1\0" + message.encode()).hexdigest()[:32]


def span_of(message: str, *, key: str) -> str:
    """Give the id of the span in which a gateway asks another one, signing by ``key``: the other can name it untold."""
    return sha256(b"furong.exchange.span.v1\0" + f"{message}\0{key}".encode()).hexdigest()[:16]


class Tracer:
    """Takes a gateway's spans and sends them to the collector. ``gateway`` names it there, ``key`` is what it signs with."""

    def __init__(self, settings: TracingSettings, *, gateway: str, key: str) -> None:
        if not settings.address:
            raise ConfigurationError("There is no collector to send to.")
        self._settings, self._gateway, self.key = settings, gateway, key
        self._limit = int(settings.share * 0x1_0000_0000)
        self._waiting: queue.Queue[Span | None] = queue.Queue(maxsize=MOST_WAITING)
        self._thread: threading.Thread | None = None
        self.sent = self.dropped = 0
        self._is_away = False

    def begin(self, message: str, name: str, *, kind: int = SERVER, parent: str = "") -> Span | None:
        """Begin a span of a message, or give None when this message is not traced."""
        trace = trace_of(message)
        if int(trace[:8], 16) >= self._limit:
            return None
        return Span(trace, name, kind, time.time(), parent=parent)

    def end(self, span: Span | None, *, error: str = "") -> None:
        """End a span and have it sent; when too many wait it is dropped and counted."""
        if span is None:
            return
        span.ended, span.error = time.time(), error
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(span)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Send what waits, and end; waits for the collector for `TIMEOUT_SECONDS` at most."""
        if self._thread is None:
            return
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(TIMEOUT_SECONDS)

    def _run(self) -> None:
        while True:
            found = self._waiting.get()
            if found is None:
                return
            batch, is_over = [found], False
            until = time.monotonic() + WAIT_SECONDS
            while len(batch) < MOST_AT_ONCE and not is_over:
                try:
                    another = self._waiting.get(timeout=max(0.0, until - time.monotonic()))
                except queue.Empty:
                    break
                is_over = another is None
                if another is not None:
                    batch.append(another)
            self._send(batch)
            if is_over:
                return

    def _send(self, batch: list[Span]) -> None:
        scope = {"scope": {"name": "furong_link"}, "spans": [span.as_otlp() for span in batch]}
        resource = {
            "attributes": [
                _attribute("service.name", "furong-gateway"),
                _attribute("service.instance.id", self._gateway),
            ]
        }
        content = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}).encode()
        parts = urlsplit(self._settings.address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(
                "POST", parts.path.rstrip("/") + PATH, body=content, headers={"Content-Type": "application/json"}
            )
            reply = connection.getresponse()
            reply.read()
            trouble = "" if reply.status < 300 else f"HTTP {reply.status}"
        except (OSError, http.client.HTTPException) as error:
            trouble = type(error).__name__
        finally:
            connection.close()
        if trouble:
            self.dropped += len(batch)
        else:
            self.sent += len(batch)
        if bool(trouble) != self._is_away:
            self._is_away = bool(trouble)
            logger.warning("Traces are not taken: %s.", trouble) if trouble else logger.info("Traces are taken again.")


@contextmanager
def asking(
    tracer: Tracer | None,
    parent: Span | None,
    message: str,
    *,
    system: str = "",
    gateway: str = "",
    headers: dict[str, str] | None = None,
) -> Iterator[None]:
    """Trace what is asked of the ``system`` behind a service, or of another ``gateway``; a system is told in its ``headers``."""
    if tracer is None or parent is None:
        yield
        return
    span = Span(parent.trace, f"ask {gateway or system}", CLIENT, time.time(), parent=parent.id)
    if gateway:
        span.id = span_of(message, key=tracer.key)
    if headers is not None:
        headers["traceparent"] = span.traceparent
    error = "failed"
    try:
        yield
        error = ""
    except Refusal as refusal:
        error = refusal.code
        raise
    finally:
        tracer.end(span, error=error)
