"""An exchange whose hospital also gives files and events, and a consumer's endpoint that a test can make fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from furong_link.batch import Batch
from furong_link.client import Link
from furong_link.client_events import Event, Handler, Inbox, Receiver
from furong_link.events import Events
from furong_link.keys import SoftwareKey
from furong_link.modes import Mode
from furong_link.push import Timing
from tests.link.conftest import Exchange, _free_port

FIELDS = {"name": "name", "number": "number", "division": "keep", "weight_g": "keep"}
ROWS = [{"field": "division", "prefixes": ["4302"]}]
QUICK = Timing(first_seconds=0.02, most_seconds=0.1, dead_after_seconds=3600, timeout_seconds=5, look_seconds=0.05)


def birth(number: int, *, key: str = "", division: str = "430290") -> Event:
    """Give one event of an invented birth."""
    data = {"name": "周芷沅", "number": "430290202611230018", "division": division, "weight_g": number, "phone": "1"}
    return Event(
        source="hospital-1", type="cn.furong.born", id=f"birth-{number}", key=key or f"mother-{number % 7}", data=data
    )


class Modes:
    """What the tests of both modes share: the configuration, the provider's own system, the endpoint."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.desk = SoftwareKey.generate(key_id="hospital/desk/1", algorithm=exchange.algorithm)
        self.endpoint_port = _free_port()  # as the gateway reaches it
        self.listens = 0  # where it listens, when a link lies between
        self.timing = QUICK
        self.grants: dict[str, dict[str, Any]] = {}
        exchange.make_modes = self.make

    def make(self) -> dict[str, Mode]:
        self.events, self.batch = Events("born", timing=self.timing), Batch("births-files")
        return {"born": self.events, "births-files": self.batch}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.endpoint_port}/events"

    def changes(self, **grants: dict[str, Any]) -> dict[str, Any]:
        """Give what the configuration has more, ``grants`` changed by id (underscores for hyphens)."""
        start, end = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=30)
        valid = {"valid_from": start.isoformat(), "valid_until": end.isoformat()}
        payload = self.exchange.payload()
        mine = {
            "born-for-housing": {"service": "born", "paths": ["/births", "/births/**"], "methods": ["GET", "POST"]},
            "born-whole": {"service": "born", "paths": ["/births"], "fields": None, "rows": [], "methods": ["GET"]},
            "files-for-housing": {"service": "births-files", "paths": ["/**"], "methods": ["GET"]},
            "files-whole": {
                "service": "births-files",
                "paths": ["/**"],
                "fields": None,
                "rows": [],
                "methods": ["GET"],
            },
        }
        for name, grant in mine.items():
            basis = {"id": name, "consumer": "housing", "purpose": "homes", "fields": FIELDS, "rows": ROWS, **valid}
            payload["grants"].append(basis | grant | grants.get(name.replace("-", "_"), {}))
        key = {"id": self.desk.key_id, "member": "hospital", "algorithm": self.desk.algorithm}
        payload["keys"].append(key | {"public": self.desk.public, **valid})
        payload["services"] += [
            {"id": name, "provider": "hospital", "gateway": "hospital-1"} for name in ("born", "births-files")
        ]
        payload["members"][1]["endpoints"] = [self.endpoint]
        return {name: payload[name] for name in ("members", "keys", "services", "grants")}

    def prepare(self) -> None:
        """Write the configuration that the gateway starts with."""
        (self.exchange.folder / "configuration.json").write_bytes(self.exchange.file(**self.changes()))

    def provider(self) -> Link:
        """A link of the hospital's own system to its gateway."""
        return self.exchange.link(signer=self.desk, clock=self.exchange.clock)

    @contextmanager
    def receiver(self, path: Path, handle: Handler) -> Iterator[Receiver]:
        """Serve the consumer's endpoint."""
        with Inbox(path) as inbox:
            found = Receiver(
                authority=f"127.0.0.1:{self.endpoint_port}",
                signer=self.exchange.housing,
                gateway_key=self.exchange.hospital.verifier(),
                grants=frozenset({"born-for-housing"}),
                inbox=inbox,
                handle=handle,
                clock=self.exchange.clock,
            )
            server = found.serve("127.0.0.1", self.listens or self.endpoint_port)
            server.daemon_threads = True
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield found
            finally:
                server.shutdown()
                server.server_close()
                thread.join()


def until(true: Callable[[], Any], *, seconds: float = 20.0) -> Any:
    """Wait until ``true()`` holds, and give what it gave; it must within ``seconds``."""
    import time

    deadline = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)
