"""PostgreSQL is killed while a register is read over the exchange: what was answered is on record in both places."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest

from furong.entrypoints.postgres import free_port
from furong_link.client import Link, Refused
from furong_link.gateway import Gateway, Settings
from furong_link.handover import KeyName
from furong_link.keys import SoftwareKey
from furong_link.verification import verify_log
from tests.faults.house import House
from tests.link.running import Running

pytestmark = [pytest.mark.faults]
CALLERS, BEFORE, AFTER = 4, 40, 20
_READ = "SELECT d.content FROM audit_detail d JOIN audit_subject s ON s.entry_id = d.entry_id WHERE s.person_id = %s"


@pytest.mark.timeout(300)
def test_what_was_read_over_the_exchange_is_told_to_the_person_though_the_database_is_killed_under_load(
    tmp_path: Path,
) -> None:
    house = House()
    try:
        house.start()
        words = house.run("-m", "tests.faults.exchange_setting", str(tmp_path)).splitlines()[-1]
        told: dict[str, str] = json.loads(words)
        key, port = SoftwareKey.read(tmp_path / "gateway.key"), free_port()
        gateway = Running(
            lambda: Gateway(
                settings=Settings(
                    id="province-1",
                    authority="127.0.0.1:1",
                    folder=tmp_path,
                    port=port,
                    upstreams={"marriages": f"{house.address.rstrip('/')}/api/exchange/rows/marriages"},
                    tokens={"marriages": told["token"]},
                ),
                signer=key,
                operator=KeyName("ed25519", told["operator"]),
            )
        )
        gateway.start()
        answered: list[str] = []
        refused: list[str] = []
        is_over = threading.Event()

        def ask() -> None:
            desk = SoftwareKey.read(tmp_path / "desk.key")
            with Link(
                f"http://127.0.0.1:{port}", signer=desk, gateway_key=key.verifier(), authority="127.0.0.1:1"
            ) as link:
                while not is_over.is_set():
                    target = f"/marriages/one/{told['person']}?case={uuid4()}"
                    try:
                        answer = link.get(target, grant=told["grant"])
                    except Refused as refusal:
                        refused.append(refusal.problem.code)
                        time.sleep(0.05)
                        continue
                    assert answer.json()["rows"]
                    answered.append(answer.message)

        callers = [threading.Thread(target=ask) for _ in range(CALLERS)]
        try:
            for caller in callers:
                caller.start()
            house.until(lambda: len(answered) >= BEFORE, "answers before", seconds=60)
            assert house.kill("postgres")
            house.until(lambda: bool(refused), "a refusal", seconds=60)
            there = len(answered)
            house.until(lambda: len(answered) >= there + AFTER, "answers after", seconds=120)
        finally:
            is_over.set()
            for caller in callers:
                caller.join()
            gateway.stop()
        # The provider's fault, by its name; the gateway went on, and its log is whole.
        assert set(refused) <= {"provider_refused", "provider_unreachable", "provider_timeout"}
        report = verify_log(tmp_path / "evidence", key=key.verifier())
        assert report.findings == []
        assert report.kinds["answered"] == len(answered)
        assert report.kinds["refused"] == len(refused)
        # Each answer that left stands in *who read my data*: none was given whose reading the database had not kept.
        kept = " ".join(content for (content,) in house.rows(_READ, [told["person"]]))
        assert [message for message in answered if f'"{message}"' not in kept] == []
    finally:
        house.stop()
