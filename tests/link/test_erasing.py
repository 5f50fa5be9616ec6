"""Contents at rest are sealed, kept as long as the member says, and erased with a key: digests stay and the log verifies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from furong_link import batch_store, cli, erasing, sealing
from furong_link.batch_store import CHUNK, Place, Store
from furong_link.errors import ConfigurationError, Refusal
from furong_link.message import BodySettings
from furong_link.sealing import cipher_of
from furong_link.verification import verify_log
from tests.link.conftest import BIRTHS, Exchange


@pytest.fixture
def keeping(prepared: Exchange) -> Iterator[Exchange]:
    """A gateway that keeps contents for thirty days."""
    prepared.settings |= {"bodies": BodySettings(keep=True), "head_seconds": 0.02}
    prepared.hospital.write(prepared.folder / "gateway.key")
    prepared.start()
    yield prepared
    prepared.stop()


def records(exchange: Exchange) -> list[dict[str, Any]]:
    log = exchange.gateway.log
    return exchange.do(lambda: [json.loads(log.record_text(number)) for number in range(log.tree.size)])  # type: ignore[no-any-return]


def erased(exchange: Exchange) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 5
    while not (found := [one for one in records(exchange) if one["kind"] == "erased"]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def on_disk(folder: Path, words: str) -> bool:
    return any(words.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_contents_are_kept_sealed_and_gone_with_their_days_key_while_the_log_verifies(
    keeping: Exchange, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "LOOK_SECONDS", 0.0)
    folder = keeping.folder
    with keeping.link() as link:
        index = link.receipt(link.get("/births/list", grant="births-for-housing")).index
        posted = link.receipt(link.request("POST", "/files/x", grant="files", content=b'{"ask": "a secret"}')).index
    assert not on_disk(folder, "a secret")
    assert not on_disk(folder, BIRTHS[0]["address"][:6])  # type: ignore[index]  # a text
    assert cli.main(["body", str(folder), str(posted)]) == 0
    assert capsys.readouterr().out.count("a secret") == 2  # the question, and the provider's echo
    assert cli.main(["body", str(folder), str(index)]) == 0
    assert "138****0000" in capsys.readouterr().out  # the answer as it left, masked
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    said = ["erase", str(folder), "bodies", day, "--reason", "the grant is over"]
    assert cli.main(said) == 0
    (note,) = erased(keeping)
    assert (note["what"], note["partition"], note["reason"]) == ("bodies", day, "the grant is over")
    assert cli.main(said) == 1  # there is nothing more
    assert cli.main(["body", str(folder), str(posted)]) == 1
    detail = keeping.do(lambda: keeping.gateway.log.detail(posted))
    assert json.loads(detail)["signature"]  # who asked, and the digests of what, can be shown as before
    assert cli.main(["erase", str(folder), "details", day, "--reason", "x"]) == 1  # today's are still written
    capsys.readouterr()
    report = verify_log(folder / "evidence", key=keeping.hospital.verifier())
    assert report.findings == []
    # The others are erased in their time, and that is on record too.
    with keeping.link() as link:
        link.get("/births/list", grant="births-for-housing")
    keeping.clock.shift = 32 * 86_400.0
    deadline = time.monotonic() + 5
    while len(erased(keeping)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [one["reason"] for one in erased(keeping)] == ["the grant is over", "kept long enough"]
    assert keeping.gateway.bodies.keys.partitions() == []


def test_without_the_setting_only_digests_are_kept(prepared: Exchange, capsys: pytest.CaptureFixture[str]) -> None:
    prepared.hospital.write(prepared.folder / "gateway.key")
    prepared.start()
    try:
        with prepared.link() as link:
            index = link.receipt(link.get("/births/list", grant="births-for-housing")).index
        assert "bodies" not in json.loads(prepared.do(lambda: prepared.gateway.log.detail(index)))
        assert cli.main(["body", str(prepared.folder), str(index)]) == 1
    finally:
        prepared.stop()
    capsys.readouterr()


@pytest.mark.parametrize("algorithm", ["sha-256", "sm3"])
def test_files_lie_sealed_by_month_and_an_erased_one_keeps_its_digest(tmp_path: Path, algorithm: str) -> None:
    clock = [datetime(2026, 10, 31, tzinfo=UTC).timestamp()]
    store = Store(tmp_path / "batch" / "files", algorithm=algorithm, clock=lambda: clock[0])
    source = tmp_path / "given.csv"
    source.write_bytes(b"name\r\n" + b"a-name-in-it\r\n" * (CHUNK // 10))  # more than one chunk
    place = Place("births", 1, "csv")
    file = store.publish_copy(place, source, now=clock[0])
    assert (file.partition, file.size) == ("2026-10", source.stat().st_size)
    assert store.keys._cipher == cipher_of("sm2-sm3" if algorithm == "sm3" else "ed25519")
    assert not on_disk(tmp_path / "batch", "a-name-in-it")
    middle, _ = store.read(file, offset=CHUNK - 5, length=10)
    assert middle == source.read_bytes()[CHUNK - 5 : CHUNK + 5]
    clock[0] = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
    draft = tmp_path / "batch" / "files" / "work" / "terms-1"
    draft.write_bytes(b"name\r\nfiltered\r\n")
    kept = store.keep_filtered(file, "t", draft, rows=1)
    assert kept.partition == "2026-10"  # it goes with what it was made of
    with store.in_clear(file) as path:
        assert path.read_bytes() == source.read_bytes()
    assert not path.exists()
    # A piece on its way in is sealed too, and what was cut short is not counted.
    upload, _ = store.open_upload(
        Place("births", 2, "csv"),
        digest=batch_store.new_hash(batch_store.HASHES[algorithm], b"h\n1\n").hexdigest(),
        size=4,
        now=clock[0],
    )
    assert store.add_chunk(upload, offset=0, content=b"h\n") == 2
    store.close()
    with (tmp_path / "batch" / "files" / "work" / upload.id).open("ab") as out:
        out.write(b"\0\0\0\x40half")
    store = Store(tmp_path / "batch" / "files", algorithm=algorithm, clock=lambda: clock[0])
    assert store.add_chunk(upload, offset=2, content=b"1\n") == 4
    assert store.finish_upload(upload, now=clock[0]).partition == "2026-11"
    store.close()

    suite = "sm2-sm3" if algorithm == "sm3" else "ed25519"
    about = {"folder": tmp_path, "what": "files", "partition": "2026-10", "now": clock[0], "algorithm": suite}
    (tmp_path / "evidence").mkdir()
    for wrong in ({"service": ""}, {"service": "../x"}, {"service": "files", "reason": " "}, {"partition": "October"}):
        with pytest.raises(ConfigurationError):
            erasing.erase(**{**about, "service": "files", "reason": "law", **wrong})  # type: ignore[arg-type]  # by name
    assert erasing.erase(**about, service="files", reason="law") == 3  # type: ignore[arg-type]  # by name: key and two files
    store = Store(tmp_path / "batch" / "files", algorithm=algorithm, clock=lambda: clock[0])
    known = store.find(place)
    assert known is not None
    assert known.digest == file.digest
    for one in (known, store.file(kept.digest)):
        with pytest.raises(Refusal) as refused:
            store.read(one, offset=0, length=1)
        assert refused.value.code == "file_erased"
    again = store.publish_copy(Place("births", 3, "csv"), source, now=clock[0])  # the same bytes, lawfully there again
    assert (again.digest, again.partition) == (file.digest, "2026-11")
    assert store.read(store.file(file.digest), offset=0, length=4)[0] == b"name"
    store.close()
