"""Files and events through the consumer's own gateway: from gateway to gateway, on record at both."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from furong_link.batch import Batch
from furong_link.client import Refused
from furong_link.client_events import Event, Inbox, follow
from furong_link.events import Events
from furong_link.gateway import Gateway
from furong_link.keys import SoftwareKey
from furong_link.modes import Modes
from tests.link.conftest import Exchange
from tests.link.modes import FIELDS, QUICK, ROWS, birth
from tests.link.two import Two

GRANT = {"consumer": "housing", "purpose": "homes", "fields": FIELDS, "rows": ROWS, "methods": ["GET"]}


class TwoWithModes(Two):
    """The hospital's gateway gives files and events too."""

    def __post_init__(self) -> None:
        self.ward = SoftwareKey.generate(key_id="hospital/ward/1", algorithm=self.exchange.algorithm)
        super().__post_init__()

    def payload(self, **changes: Any) -> dict[str, Any]:
        found = super().payload()
        valid = {name: found["keys"][0][name] for name in ("valid_from", "valid_until")}
        key = {"id": self.ward.key_id, "member": "hospital", "algorithm": self.ward.algorithm}
        found["keys"].append(key | {"public": self.ward.public, **valid})
        for name, paths in (("born", ["/births"]), ("births-files", ["/**"])):
            found["services"].append({"id": name, "provider": "hospital", "gateway": "far"})
            found["grants"].append({"id": f"{name}-grant", "service": name, "paths": paths, **GRANT, **valid})
        return found | changes

    def _gateway(self, name: str, *, certificate: str = "peer") -> Gateway:
        found = super()._gateway(name, certificate=certificate)
        if name == "far":
            found.modes = Modes({"born": Events("born", timing=QUICK), "births-files": Batch("births-files")})
        return found


@pytest.fixture
def two(prepared: Exchange, tmp_path: Path) -> Iterator[TwoWithModes]:
    found = TwoWithModes(prepared, tmp_path / "two")
    found.start()
    yield found
    found.stop()


def test_a_file_and_events_reach_a_desk_through_its_own_gateway(two: TwoWithModes, tmp_path: Path) -> None:
    file = tmp_path / "births.csv"
    file.write_text("name,division,weight_g,phone\n周芷沅,430290,3200,1\n陈一,430190,1,1\n")
    effects: list[int] = []

    def handle(event: Event, found: sqlite3.Connection) -> None:
        effects.append(event.data["weight_g"])

    with two.link(
        gateway=f"http://127.0.0.1:{two.ports['far'][0]}",
        signer=two.ward,
        gateway_key=two.exchange.hospital.verifier(),
        authority="far.example:8601",
    ) as ward:
        ward.publish("births-files", "births", version=1, file=file)
        ward.send("born", "births", [birth(n) for n in range(5)])
    with two.link() as desk, Inbox(tmp_path / "inbox.db") as inbox:
        found = desk.download("/births-files/births", grant="births-files-grant", to=tmp_path / "got.csv")
        assert found.path.read_text().splitlines() == ["name,division,weight_g", "周**,430290,3200"]
        taken = next(follow(desk, "/born/births", grant="born-grant", inbox=inbox, handle=handle, wait_seconds=1))
        assert (taken.taken, effects) == (5, list(range(5)))
        with pytest.raises(Refused) as caught:
            desk.request("POST", "/.furong/provide/born/births", grant="provider", content=b"[]")
        assert caught.value.problem.status in (403, 404)
    pieces = [each for each in two.records("far") if "offset" in each and "grant" in each]
    assert [each["consumer"] for each in pieces] == ["housing"]
    near = [each for each in two.records("near") if each.get("service") in ("born", "births-files")]
    assert {each["peer_index"] for each in near} <= {each["index"] for each in two.records("far")}
    assert len(near) >= 3
