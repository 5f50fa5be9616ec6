"""A provider's own system in ten lines, behind its gateway: functions by method and path, JSON in and out.

births = Provider()

@births.get("/one/{id}")
def one(asked: Asked, id: str) -> object:
    return {"items": BIRTHS[id]}

births.serve(port=8080)  # and in gateway.toml: births = "http://127.0.0.1:8080"

Only the gateway may reach it: it listens on this machine unless told otherwise, and believes the gateway's header fields.
A message that may change something (POST, PUT, PATCH, DELETE) takes effect once: its answer is kept under its id and given
again to a repeat.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

MAX_CONTENT = 10 * 1024 * 1024
_NAMED = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One message, as the gateway let it through: who asks under which grant, and with what."""

    method: str
    path: str
    query: Mapping[str, str]
    content: bytes
    consumer: str
    system: str
    grant: str
    message: str

    def json(self) -> Any:
        """Give the content as JSON. Raises ValueError, which is answered with 400."""
        return json.loads(self.content)


class NotHere(Exception):  # noqa: N818 - an answer, no fault
    """What was asked for is not here; answered with 404."""


Answering = Callable[..., object]


class Provider:
    """Functions by method and path. ``effects`` is the file in which answers to messages that change something are kept."""

    def __init__(self, *, effects: Path | None = None) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Answering]] = []
        self._lock = threading.Lock()
        self._kept = sqlite3.connect(effects or ":memory:", isolation_level=None, check_same_thread=False)
        self._kept.execute("PRAGMA synchronous=FULL")
        self._kept.execute(
            "CREATE TABLE IF NOT EXISTS effect (consumer TEXT, message TEXT, status INTEGER, content BLOB,"
            " PRIMARY KEY (consumer, message))"
        )

    def get(self, path: str) -> Callable[[Answering], Answering]:
        """Have the function answer GET at ``path``, whose ``{names}`` are its further arguments."""
        return self.route("GET", path)

    def post(self, path: str) -> Callable[[Answering], Answering]:
        """Have the function answer POST at ``path``."""
        return self.route("POST", path)

    def route(self, method: str, path: str) -> Callable[[Answering], Answering]:
        """Have the function answer ``method`` at ``path``. What it returns is the JSON of the answer."""
        parts = _NAMED.split(path)
        pattern = "".join(f"(?P<{part}>[^/]+)" if n % 2 else re.escape(part) for n, part in enumerate(parts))

        def keep(function: Answering) -> Answering:
            self._routes.append((method, re.compile(pattern), function))
            return function

        return keep

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        """Answer one message: status and JSON. Raises nothing but what the function raises unforeseen."""
        if asked.method == "GET":
            return self._call(asked)
        if not asked.consumer or not asked.message:
            return 400, b'{"error": "the message did not come through a gateway"}'
        with self._lock:  # one at a time, so that a repeat cannot overtake the first
            place = (asked.consumer, asked.message)
            known = self._kept.execute(
                "SELECT status, content FROM effect WHERE consumer = ? AND message = ?", place
            ).fetchone()
            if known is not None:
                return int(known[0]), bytes(known[1])
            status, content = self._call(asked)
            if status < 500:
                self._kept.execute("INSERT INTO effect VALUES (?, ?, ?, ?)", (*place, status, content))
            return status, content

    def _call(self, asked: Asked) -> tuple[int, bytes]:
        allowed = False
        for method, pattern, function in self._routes:
            found = pattern.fullmatch(asked.path)
            if not found:
                continue
            allowed = True
            if method != asked.method:
                continue
            try:
                value = function(asked, **{name: unquote(text) for name, text in found.groupdict().items()})
            except NotHere:
                return 404, b'{"error": "not here"}'
            except ValueError:
                return 400, b'{"error": "the content or a value cannot be read"}'
            return 200 if asked.method == "GET" else 201, json.dumps(value, ensure_ascii=False).encode()
        return (405, b'{"error": "not this way"}') if allowed else (404, b'{"error": "not here"}')

    def server(self, *, host: str = "127.0.0.1", port: int) -> ThreadingHTTPServer:
        """Give a server; call its ``serve_forever``, and close it after."""
        provider = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                length = self.headers.get("Content-Length", "0")
                if not length.isdecimal() or int(length) > MAX_CONTENT:
                    self.close_connection = True
                    status, body = 413, b"{}"
                else:
                    content = self.rfile.read(int(length))
                    path, _, query = self.path.partition("?")
                    field = self.headers.get
                    asked = Asked(
                        self.command,
                        path,
                        dict(parse_qsl(query)),
                        content,
                        field("Furong-Consumer", ""),
                        field("Furong-System", ""),
                        field("Furong-Grant", ""),
                        field("Furong-Message", ""),
                    )
                    try:
                        status, body = provider.answer(asked)
                    except Exception:
                        self._send(500, b"{}")
                        raise
                self._send(status, body)

            def _send(self, status: int, body: bytes) -> None:
                head = f"HTTP/1.1 {status} \r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                self.wfile.write(head.encode() + body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815 - the names of http.server

            def log_message(self, *args: object) -> None:
                """Say nothing: addresses may name persons."""

        return ThreadingHTTPServer((host, port), Door)

    def serve(self, *, host: str = "127.0.0.1", port: int) -> None:
        """Answer until the program is ended."""
        server = self.server(host=host, port=port)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            server.server_close()
