"""A catalogue elsewhere: a small HTTP server on loopback whose answers a test lays out by path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What is sent. ``length`` lies about the body's; ``write`` sends it in a way of its own."""

    body: bytes = b""
    status: int = 200
    media_type: str = "text/turtle"
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    write: Callable[[Any], None] | None = None


class Elsewhere:
    """The server; ``answers`` by path with its query, ``asked`` in order."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.address = f"http://127.0.0.1:{server.server_address[1]}"

    def lay(self, path: str, body: str | bytes, media_type: str = "text/turtle", **more: Any) -> None:
        given = body.replace("HERE", self.address).encode() if isinstance(body, str) else body
        self.answers[path] = Answer(body=given, media_type=media_type, **more)


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """Run the server for as long as the test needs it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            answer = found.answers.get(self.path, Answer(status=404))
            try:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.media_type)
                if answer.write is None:
                    self.send_header(
                        "Content-Length", str(len(answer.body) if answer.length is None else answer.length)
                    )
                for name, value in answer.headers.items():
                    self.send_header(name, value.replace("HERE", found.address))
                self.end_headers()
                if answer.write is not None:
                    answer.write(self.wfile)
                else:
                    self.wfile.write(answer.body)
            except OSError:  # the reader has had enough
                self.close_connection = True

        def log_message(self, *_given: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Elsewhere(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
