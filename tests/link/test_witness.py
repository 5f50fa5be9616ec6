"""A witness co-signs what only grew, and refuses and proves everything else."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from furong_link import auditing
from furong_link.cli import main
from furong_link.errors import UnverifiedReplyError
from furong_link.evidence import EvidenceLog
from furong_link.keys import SoftwareKey
from furong_link.verification import Receipt, check_receipt
from furong_link.witness import (
    AwayError,
    Cosigned,
    Watched,
    Witness,
    WitnessError,
    WitnessFile,
    check_witnessed,
    verify_witnessed,
)
from tests.link.conftest import Exchange, _free_port

KEY = SoftwareKey.generate(key_id="gateway/1")
NOW = 1_795_000_000.0


class Log:
    """A gateway's log, and what a witness hears when it asks about it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.loop = folder, asyncio.new_event_loop()
        self.log = EvidenceLog(folder, signer=KEY, clock=lambda: NOW)
        self.log.open()

    def add(self, count: int, *, kind: str = "answered") -> None:
        for _ in range(count):
            self.loop.run_until_complete(self.log.append({"kind": kind}))
        self.loop.run_until_complete(self.log.seal())

    def receipt(self, index: int) -> Receipt:
        return check_receipt(self.loop.run_until_complete(self.log.receipt(index)), key=KEY.verifier())

    def ask(self, watched: Watched, path: str) -> Any:
        match path.split("/"):
            case ["head"]:
                return self.log.head.as_json() if self.log.head else {}
            case ["consistency", earlier, size]:
                proof = self.log.tree.prove_consistency(earlier=int(earlier), size=int(size))
                return {"proof": [part.hex() for part in proof]}
        raise AwayError(path)

    def close(self) -> None:
        self.loop.run_until_complete(self.log.close())
        self.loop.close()


class Office:
    """A witness with its key, and whichever log it is shown."""

    def __init__(self, folder: Path, name: str = "audit-office") -> None:
        self.folder, self.name = folder, name
        self.key = SoftwareKey.generate(key_id=f"{name}/1")
        self.shown: Callable[[Watched, str], Any] = lambda watched, path: {}
        self.watched = Watched("hospital-1", "http://x", KEY.verifier())
        self.open()

    def open(self) -> None:
        self.witness = Witness(
            self.folder,
            id_=self.name,
            signer=self.key,
            own_key=self.key.verifier(),
            clock=lambda: NOW,
            ask=lambda watched, path: self.shown(watched, path),
        )

    def look(self) -> Cosigned | None:
        return self.witness.look(self.watched)

    @property
    def file(self) -> WitnessFile:
        return WitnessFile(self.witness.path("hospital-1"), "ed25519", self.key.public)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Log]]:
    made: list[Log] = []

    def new(name: str) -> Log:
        made.append(Log(tmp_path / name))
        return made[-1]

    yield new
    for log in made:
        log.close()


def test_a_log_that_grows_is_co_signed_head_by_head_and_after_a_restart(
    make: Callable[[str], Log], tmp_path: Path
) -> None:
    log, office = make("log"), Office(tmp_path / "office")
    office.shown = log.ask
    assert office.look() is None
    log.add(3)
    first = office.look()
    assert first is not None
    assert office.look() is first
    office.open()
    log.add(4)
    second = office.look()
    assert second is not None
    assert (first.head.size, second.head.size) == (3, 7)
    assert not office.witness.alarms()


@pytest.mark.parametrize("cause", ["rolled_back", "emptied", "forked", "grown_fork", "other_log", "not_signed"])
def test_a_log_that_is_not_what_it_was_is_refused_with_both_heads_as_proof(
    make: Callable[[str], Log], tmp_path: Path, cause: str
) -> None:
    log, office = make("log"), Office(tmp_path / "office")
    log.add(3)
    shutil.copytree(log.folder, tmp_path / "twin", ignore=shutil.ignore_patterns("lock"))
    log.add(2)
    office.shown = log.ask
    last = office.look()
    assert last is not None
    twin = make("twin") if cause != "other_log" else make("elsewhere")
    if cause in ("forked", "grown_fork"):
        twin.add(2 if cause == "forked" else 5, kind="edited")
    if cause == "other_log":
        twin.add(9)
    office.shown = twin.ask
    if cause == "emptied":
        office.shown = lambda watched, path: {}
    if cause == "not_signed":
        office.watched = Watched("hospital-1", "http://x", SoftwareKey.generate(key_id="x").verifier())
    with pytest.raises(WitnessError) as caught:
        office.look()
    assert caught.value.cause == {"emptied": "rolled_back", "grown_fork": "forked"}.get(cause, cause)
    (alarm,) = office.witness.alarms()
    assert alarm["last"] == last.as_json()
    assert office.witness.last("hospital-1") is last


def test_a_gateway_that_is_away_is_no_alarm(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    for answer in ([], {"log": 5}, "x"):
        office.shown = lambda watched, path, answer=answer: answer
        with pytest.raises(AwayError):
            office.look()
    assert not office.witness.alarms()


def test_a_witness_does_not_go_on_from_a_file_that_is_not_its_own(make: Callable[[str], Log], tmp_path: Path) -> None:
    log, office = make("log"), Office(tmp_path / "office")
    log.add(1)
    office.shown = log.ask
    office.look()
    path = office.file.path
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"torn')
    office.open()
    assert path.read_bytes() == whole
    path.write_bytes(whole.replace(b'"size":1', b'"size":9'))
    with pytest.raises(WitnessError):
        office.open()


def test_a_verifier_demands_as_many_witnesses_as_it_is_told_to(make: Callable[[str], Log], tmp_path: Path) -> None:
    log = make("log")
    offices = [Office(tmp_path / f"office-{n}", f"office-{n}") for n in range(3)]
    log.add(4)
    for office in offices[:2]:
        office.shown = log.ask
        office.look()
    log.add(4)
    offices[0].look()
    files = [office.file for office in offices[:2]]

    def findings(files: list[WitnessFile], needed: int) -> list[str]:
        return verify_witnessed(log.folder, key=KEY.verifier(), witnesses=files, needed=needed)[0].findings

    assert findings(files, 2) == []
    assert verify_witnessed(log.folder, key=KEY.verifier(), witnesses=files, needed=1)[1].records == 8
    assert verify_witnessed(log.folder, key=KEY.verifier(), witnesses=files, needed=2)[1].records == 4
    assert "2 witnesses" in findings(files, 3)[0]
    # The same witness twice is one.
    assert findings([files[0], files[0]], 2)
    # A file that another key signed counts for nothing, and is said.
    assert len(findings([WitnessFile(files[0].path, "ed25519", offices[2].key.public), files[1]], 2)) == 2
    receipt = log.receipt(2)
    keys = {office.name: office.key.verifier() for office in offices}
    cosigned = []
    for office in offices[:2]:
        found = office.witness.last("hospital-1")
        assert found is not None
        earlier, later = sorted((found.head.size, receipt.head.size))
        cosigned.append((found, log.log.tree.prove_consistency(earlier=earlier, size=later)))
    assert check_witnessed(receipt, gateway_key=KEY.verifier(), cosigned=cosigned, keys=keys, needed=2) == (
        "office-0",
        "office-1",
    )
    for wrong, needed in (([cosigned[0]] * 2, 2), ([(cosigned[1][0], [b"\0" * 32])], 1)):
        with pytest.raises(UnverifiedReplyError):
            check_witnessed(receipt, gateway_key=KEY.verifier(), cosigned=wrong, keys=keys, needed=needed)
    late = log.receipt(7)
    with pytest.raises(UnverifiedReplyError):  # the second witness has not seen the eighth record
        check_witnessed(late, gateway_key=KEY.verifier(), cosigned=cosigned, keys=keys, needed=2)


def test_a_log_rolled_back_with_its_own_heads_is_found_by_a_witness(make: Callable[[str], Log], tmp_path: Path) -> None:
    log, office = make("log"), Office(tmp_path / "office")
    log.add(3)
    shutil.copytree(log.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("lock"))
    log.add(3)
    office.shown = log.ask
    office.look()
    key, witness = f"ed25519:{KEY.public}", f"{office.file.path}=ed25519:{office.key.public}"
    lines, sound = auditing.verify(log.folder, key=key, witnesses=[witness], needed=1)
    assert sound, lines
    lines, sound = auditing.verify(tmp_path / "copy", key=key, witnesses=[witness], needed=1)
    assert not sound
    assert any("says 6 records, 3 are there" in line for line in lines)
    assert auditing.verify(tmp_path / "copy", key=key)[1]


def test_the_twin_is_made_looks_at_a_running_gateway_and_the_verifier_takes_its_file(
    exchange: Exchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = f"ed25519:{exchange.hospital.public}"
    folder = tmp_path / "office"
    watch = ["--watch", "hospital-1", f"http://{exchange.authority}", key]
    assert main(["witness", "init", str(folder), "--id", "audit-office", "--port", str(_free_port()), *watch]) == 0
    public = capsys.readouterr().out.split()[-1]
    with exchange.link() as link:
        for _ in range(3):
            answer = link.get("/births/list", grant="births-for-housing")
        assert main(["witness", "look", str(folder)]) == 0
        assert "hospital-1: 3 records" in capsys.readouterr().out
        cosigned = Cosigned.from_json(json.loads((folder / "heads" / "hospital-1.jsonl").read_text()))
        witness = {"audit-office": SoftwareKey.read(folder / "witness.key").verifier()}
        assert link.witnessed(answer, cosigned=[cosigned], keys=witness, needed=1).index == 2
        link.get("/births/list", grant="births-for-housing")
        assert link.witnessed(answer, cosigned=[cosigned], keys=witness, needed=1).index == 2
        with pytest.raises(UnverifiedReplyError):
            link.witnessed(answer, cosigned=[cosigned], keys={}, needed=1)
    check = [
        "verify",
        str(exchange.folder),
        "--key",
        key,
        "--witness",
        f"{folder / 'heads' / 'hospital-1.jsonl'}={public}",
    ]
    assert main([*check, "--needed", "1"]) == 0
    assert main([*check, "--needed", "2"]) == 1
    assert "1 witnesses co-signed this log, 2 are needed" in capsys.readouterr().out
