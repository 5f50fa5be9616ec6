"""The way from a gateway to a provider's system: what is told of the caller, and what of the answer is taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from furong_link.errors import ConfigurationError
from furong_link.pool import Pool
from furong_link.profile import JSON, VALUE

_TOKEN = re.compile(r"[A-Za-z0-9._-]{16,256}")


@dataclass(slots=True)
class UpstreamReply:
    status: int
    content_type: str
    content: bytes
    digest: str = ""  # its Content-Digest in the gateway's suite, when whoever made the content has it already


class Upstream:
    """One provider's system, by its base address (http, without user or query). Keeps idle connections."""

    def __init__(
        self, address: str, *, timeout_seconds: float = 30.0, max_content: int = 10 * 1024 * 1024, token: str = ""
    ) -> None:
        if token and not _TOKEN.fullmatch(token):
            raise ConfigurationError("A system's token has 16 to 256 letters, digits, dots, hyphens and underscores.")
        parts = urlsplit(address)
        if parts.scheme != "http" or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise ConfigurationError(f"{address} is no address of a provider's system.")
        self._pool = Pool(parts.hostname, parts.port or 80, timeout_seconds=timeout_seconds, max_content=max_content)
        self._authority = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._shown = f"authorization: Bearer {token}\r\n" if token else ""

    async def ask(self, *, method: str, target: str, headers: dict[str, str], content: bytes) -> UpstreamReply:
        """Ask the provider. Refuses with provider_unreachable, provider_timeout or provider_malformed.

        A GET is asked once more on a new connection when a kept one turned out to be closed.
        """
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        length = f"content-length: {len(content)}\r\n" if content or method != "GET" else ""
        head = (
            f"{method} {self._prefix}{target} HTTP/1.1\r\nhost: {self._authority}\r\n{self._shown}{lines}{length}\r\n"
        )
        data = head.encode("latin-1") + content
        heard = await self._pool.ask(data, again=method == "GET")
        kind = heard.head.headers.get("content-type", "")
        # A type that could not stand in a signature base is no type.
        return UpstreamReply(
            heard.head.status,
            kind if kind == JSON or VALUE.fullmatch(kind) else "application/octet-stream",
            heard.content,
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()
