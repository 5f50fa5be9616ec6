"""A hospital's own system, invented: it answers its gateway with rows from a file of its own. Without Django, in a few lines.

``GET /one/PERSON`` gives the birth records of a mother. It is what a member has before it joins the exchange, and knows nothing
of it: whom it answers is the gateway's business, which is why it listens on this machine only.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from furong.entrypoints.lifeline import die_with_parent


def write_file(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the records to the hospital's file, anew."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with sqlite3.connect(draft) as file:
        file.execute("CREATE TABLE birth (mother TEXT NOT NULL, record TEXT NOT NULL)")
        file.executemany(
            "INSERT INTO birth VALUES (?, ?)", [(row["mother"], json.dumps(row, ensure_ascii=False)) for row in rows]
        )
        file.execute("CREATE INDEX birth_mother ON birth (mother)")
    file.close()
    draft.replace(path)


class System(BaseHTTPRequestHandler):
    """Answers one question: which births does a mother have."""

    protocol_version = "HTTP/1.1"
    file: Path

    def do_GET(self) -> None:
        """Answer."""
        words = self.path.partition("?")[0].strip("/").split("/")
        if len(words) != 2 or words[0] != "one":
            self._send(404, {"title": "There is nothing here."})
            return
        with sqlite3.connect(f"file:{self.file}?mode=ro", uri=True) as file:
            found = file.execute("SELECT record FROM birth WHERE mother = ?", [words[1]]).fetchall()
        file.close()
        self._send(200, {"rows": [json.loads(record) for (record,) in found]})

    def _send(self, status: int, value: object) -> None:
        data = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no line for a request: its address names a person."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="hospital", description="An invented hospital's system")
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args(arguments)
    die_with_parent()
    System.file = given.file
    try:
        ThreadingHTTPServer(("127.0.0.1", given.port), System).serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
