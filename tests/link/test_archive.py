"""Files of records that are closed: the chain and the receipts go on, every change is found, and a crash in between is mended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from furong_link import archive
from furong_link.cli import main
from furong_link.client import Refused
from furong_link.errors import EvidenceError
from furong_link.evidence import EvidenceLog
from furong_link.keys import SoftwareKey
from furong_link.verification import check_receipt, verify_log
from tests.link.conftest import Exchange

KEY = SoftwareKey.generate(key_id="gateway/1")
DAY = 86_400


class _Time:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def _log(folder: Path, clock: Callable[[], float] | None = None, **more: Any) -> EvidenceLog:
    log = EvidenceLog(folder, signer=KEY, clock=clock or _Time(), **more)
    try:
        log.open()
    except EvidenceError:
        log.abandon()
        raise
    return log


def _fill(folder: Path, *, files: int = 3, each: int = 4) -> None:
    """Write ``files`` closed files of ``each`` records, and an open one."""

    async def run() -> None:
        log = _log(folder)
        for part in range(files + 1):
            for number in range(each):
                await log.append({"kind": "answered", "number": part * each + number}, detail=b"who and what")
                await log.seal()
            if part < files:
                assert await log.rotate(force=True)
        await log.close()

    asyncio.run(run())


def _findings(folder: Path, **more: Any) -> list[str]:
    return verify_log(folder, key=KEY.verifier(), **more).findings


def test_records_are_read_while_their_file_is_being_closed(tmp_path: Path) -> None:
    async def run() -> None:
        log = _log(tmp_path)
        for number in range(4):
            await log.append({"kind": "answered", "number": number})
        closing, seen = asyncio.create_task(log.rotate(force=True)), 0
        while not closing.done():
            assert [json.loads(log.record_text(number))["number"] for number in range(4)] == [0, 1, 2, 3]
            seen += 1
            await asyncio.sleep(0)
        assert await closing
        assert seen > 2
        assert json.loads(log.record_text(3))["number"] == 3
        await log.close()

    asyncio.run(run())


def test_receipts_proofs_and_the_chain_go_on_over_closed_files(tmp_path: Path) -> None:
    _fill(tmp_path)

    async def run() -> list[dict[str, Any]]:
        log = _log(tmp_path)
        assert (await log.append({"kind": "answered", "number": 16})).index == 16
        found = [await log.receipt(index) for index in (0, 5, 11, 12, 16)]
        assert log.detail(5) == b"who and what"
        await log.close()
        return found

    for receipt, index in zip(asyncio.run(run()), (0, 5, 11, 12, 16), strict=True):
        assert check_receipt(receipt, key=KEY.verifier()).record["number"] == index
    report = verify_log(tmp_path, key=KEY.verifier())
    assert (report.findings, report.records, report.segments, report.elsewhere) == ([], 17, 3, 0)


def test_a_file_is_closed_when_it_is_large_and_at_the_end_of_its_day(tmp_path: Path) -> None:
    async def run() -> list[bool]:
        clock = _Time()
        log = _log(tmp_path, clock, segment_bytes=600)
        found = []
        for _ in range(2):
            await log.append({"kind": "answered", "text": "x" * 250})
            found.append(await log.rotate())
        await log.append({"kind": "answered"})
        found.append(await log.rotate())
        clock.now += DAY
        found.append(await log.rotate())
        found.append(await log.rotate())  # nothing was written since
        await log.close()
        return found

    assert asyncio.run(run()) == [False, True, False, True, False]
    assert _findings(tmp_path) == []


def test_files_kept_elsewhere_are_checked_there_or_by_their_leaves(tmp_path: Path) -> None:
    _fill(tmp_path / "log")
    away = tmp_path / "away"
    away.mkdir()
    first = tmp_path / "log" / "archive" / "000000000000.log"
    first.rename(away / first.name)
    report = verify_log(tmp_path / "log", key=KEY.verifier())
    assert (report.findings, report.elsewhere) == ([], 4)
    report = verify_log(tmp_path / "log", key=KEY.verifier(), archives=[away])
    assert (report.findings, report.elsewhere, report.records) == ([], 0, 16)
    log = _log(tmp_path / "log")
    with pytest.raises(IndexError, match="kept elsewhere"):
        log.record_text(2)
    assert json.loads(log.record_text(6))["number"] == 6
    log.abandon()
    (away / first.name).write_bytes((away / first.name).read_bytes().replace(b'"number":1', b'"number":7'))
    assert _findings(tmp_path / "log", archives=[away])


def _lines(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: _lines(folder / "000000000004.log", lambda lines: lines[:-1]), id="truncated"),
        pytest.param(
            lambda folder: _lines(folder / "000000000004.log", lambda lines: lines[:1] + lines[2:]), id="deleted"
        ),
        pytest.param(lambda folder: _lines(folder / "000000000004.log", lambda lines: lines[::-1]), id="reordered"),
        pytest.param(
            lambda folder: _lines(
                folder / "000000000004.log",
                lambda lines: [line.replace(b'"number":5', b'"number":9') for line in lines],
            ),
            id="edited",
        ),
        pytest.param(
            lambda folder: (folder / "000000000004.json").write_bytes(
                (folder / "000000000004.json").read_bytes().replace(b'"count":4', b'"count":3')
            ),
            id="statement",
        ),
        pytest.param(
            lambda folder: (folder / "000000000004.leaves").write_bytes(
                bytes(32) + (folder / "000000000004.leaves").read_bytes()[32:]
            ),
            id="leaves",
        ),
        pytest.param(
            lambda folder: [path.unlink() for path in folder.glob("000000000004.*")],
            id="a file taken out of the middle",
        ),
    ],
)
def test_a_changed_archive_is_found(tmp_path: Path, change: Callable[[Path], Any]) -> None:
    _fill(tmp_path)
    assert _findings(tmp_path) == []
    change(tmp_path / "archive")
    assert _findings(tmp_path)


@pytest.mark.parametrize("name", ["000000000004.leaves", "000000000004.json"])
def test_a_gateway_does_not_start_on_an_archive_that_was_changed(tmp_path: Path, name: str) -> None:
    _fill(tmp_path)
    path = tmp_path / "archive" / name
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(EvidenceError):
        _log(tmp_path)


@pytest.mark.parametrize("step", range(6))
def test_a_crash_while_a_file_is_closed_is_mended_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    _fill(tmp_path, files=1)
    done = 0
    plain_write, plain_rename = archive.write_synced, Path.rename

    class Killed(BaseException):
        pass

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            nonlocal done
            if done == step:
                raise Killed
            done += 1
            return call(*arguments)

        return run

    async def run() -> None:
        log = _log(tmp_path)
        await log.append({"kind": "answered", "number": 8})
        with monkeypatch.context() as patch:
            patch.setattr(archive, "write_synced", counted(plain_write))
            patch.setattr(Path, "rename", counted(plain_rename))
            with pytest.raises(Killed):
                await log.rotate(force=True)
        log.abandon()

    asyncio.run(run())
    log = _log(tmp_path)
    assert [json.loads(log.record_text(index))["number"] for index in range(9)] == list(range(9))

    async def go_on() -> None:
        assert (await log.append({"kind": "answered", "number": 9})).index == 9
        await log.rotate(force=True)
        await log.close()

    asyncio.run(go_on())
    assert _findings(tmp_path) == []


def test_what_must_be_remembered_survives_closed_files_and_a_restart(prepared: Exchange) -> None:
    prepared.start()
    with prepared.link() as link:
        for _ in range(2):
            link.get("/files/a", grant="scarce")
    assert prepared.do(lambda: prepared.gateway.log.rotate(force=True))
    prepared.stop()
    prepared.start()
    try:
        with prepared.link() as link, pytest.raises(Refused, match="quota_exhausted"):
            link.get("/files/a", grant="scarce")
    finally:
        prepared.stop()


def test_the_command_verifies_archived_files_away_from_the_gateway(
    prepared: Exchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made"
    operator = f"{prepared.operator.algorithm}:{prepared.operator.public}"
    made = ["init", str(folder), "--id", "hospital-1", "--authority", prepared.authority, "--operator", operator]
    assert main(made) == 0

    async def run() -> None:
        key = SoftwareKey.read(folder / "gateway.key")
        log = EvidenceLog(folder / "evidence", signer=key, clock=_Time())
        log.open()
        await log.append({"kind": "answered"})
        await log.rotate(force=True)
        await log.append({"kind": "answered"})
        await log.close()

    asyncio.run(run())
    capsys.readouterr()
    assert main(["verify", str(folder)]) == 0
    assert "2 records" in capsys.readouterr().out
    away = tmp_path / "away"
    away.mkdir()
    kept = next((folder / "evidence" / "archive").glob("*.log"))
    kept.rename(away / kept.name)
    assert main(["verify", str(folder), "--archive", str(away)]) == 0
    (away / kept.name).write_bytes(b"x" + (away / kept.name).read_bytes())
    assert main(["verify", str(folder), "--archive", str(away)]) == 1
