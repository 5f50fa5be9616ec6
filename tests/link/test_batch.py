"""Batch: whole or as a delta, within the grant, checked piece by piece, going on after whatever cut it."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from furong_link import batch_store, client_batch
from furong_link.batch_terms import filter_file
from furong_link.client import Refused
from furong_link.client_batch import TransferError
from furong_link.errors import Refusal, UnverifiedReplyError
from tests.link.conftest import Exchange, _free_port
from tests.link.modes import FIELDS, ROWS, Modes

DATASET, WHOLE, GRANT = "/births-files/births", "files-whole", "files-for-housing"


@pytest.fixture
def modes(prepared: Exchange) -> Iterator[Modes]:
    found = Modes(prepared)
    found.prepare()
    prepared.start()
    yield found
    prepared.stop()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Chunks of 64 KiB, so that a small file has many."""
    for module in (batch_store, client_batch):
        monkeypatch.setattr(module, "CHUNK", 65_536)
    monkeypatch.setattr("furong_link.batch.CHUNK", 65_536)
    return 65_536


def _births(path: Path, rows: int = 2000) -> Path:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["name", "number", "division", "weight_g", "phone", "note"])
        for n in range(rows):
            division = "430290" if n % 2 == 0 else "430190"
            writer.writerow(["周芷沅", "430290202611230018", division, 3000 + n, "13800000000", 'a "quoted",\nnote'])
    return path


def _publish(modes: Modes, file: Path, *, version: int = 1, since: int | None = None, format_: str = "csv") -> Any:
    with modes.provider() as link:
        return link.publish("births-files", "births", version=version, file=file, since=since, format_=format_)


def test_a_file_goes_whole_to_identical_bytes_with_a_record_of_each_piece(
    modes: Modes, tmp_path: Path, small_chunks: int
) -> None:
    file = _births(tmp_path / "births.csv", 5000)
    sent = _publish(modes, file)
    assert sent.new
    assert not _publish(modes, file).new
    with modes.exchange.link() as link:
        found = link.download(DATASET, grant=WHOLE, to=tmp_path / "got.csv")
        assert link.get(DATASET, grant=WHOLE).json()["versions"][0]["version"] == 1
    assert found.path.read_bytes() == file.read_bytes()
    assert (found.kind, found.version, found.size) == ("whole", 1, file.stat().st_size)
    assert not list(tmp_path.glob("*.part*"))
    pieces = [each for each in modes.exchange.records() if each.get("grant") == WHOLE and "offset" in each]
    assert [each["offset"] for each in pieces] == list(range(0, found.size, small_chunks))
    assert {each["transfer"] for each in pieces} == {pieces[0]["transfer"]}


def test_a_grants_fields_and_rows_hold_in_csv(modes: Modes, tmp_path: Path) -> None:
    _publish(modes, _births(tmp_path / "births.csv", 100))
    with modes.exchange.link() as link:
        found = link.download(DATASET, grant=GRANT, to=tmp_path / "got.csv")
    with found.path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert found.rows == len(rows) == 50
    assert rows[1] == {"name": "周**", "number": "430***********0018", "division": "430290", "weight_g": "3002"}


def test_a_grants_fields_and_rows_hold_in_parquet(
    modes: Modes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import polars as pl

    file = tmp_path / "births.parquet"
    child = {"name": "周芷沅", "weight_g": 3200}
    pl.DataFrame(
        {
            "name": ["周芷沅", "陈一", "李望舒"],
            "number": [430290202611230018, None, 1],
            "division": ["430290", "430190", "430291"],
            "weight_g": [3200, 1, None],
            "phone": ["1", "2", "3"],
            "child": [child, child, child],
        }
    ).write_parquet(file)
    fields = FIELDS | {"child.name": "name"}
    modes.exchange.reconfigure(**modes.changes(files_for_housing={"fields": fields}))
    _publish(modes, file, format_="parquet")
    with modes.exchange.link() as link:
        found = link.download(DATASET, grant=GRANT, to=tmp_path / "got.parquet", format_="parquet")
    assert pl.read_parquet(found.path).to_dicts() == [
        {"name": "周**", "number": "****", "division": "430290", "weight_g": 3200, "child": {"name": "周**"}},
        {"name": "李**", "number": "****", "division": "430291", "weight_g": None, "child": {"name": "周**"}},
    ]
    # Slices of any length give the same.
    monkeypatch.setattr("furong_link.batch_terms.SLICE", 1)
    again = tmp_path / "again.parquet"
    assert filter_file(file, again, format_="parquet", fields=fields, rows=_rows()) == 2
    assert pl.read_parquet(again).equals(pl.read_parquet(found.path))


def _rows() -> list[Any]:
    return [{"field": "division", "values": [], "prefixes": ROWS[0]["prefixes"]}]


@pytest.mark.parametrize(
    "text",
    ["name,name\n1,2\n", "name,division\n1\n", "name,division\n1,2,3\n", 'name,division\n"1,430290\n', "\xff"],
)
def test_what_is_no_table_is_refused_and_nothing_of_it_given(tmp_path: Path, text: str) -> None:
    file = tmp_path / "file.csv"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(Refusal) as caught:
        filter_file(file, tmp_path / "out", format_="csv", fields=FIELDS, rows=_rows())
    assert caught.value.code == "file_malformed"


def test_a_table_that_cannot_be_filtered_is_refused_to_its_consumer(modes: Modes, tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("name,division\nx\n")
    _publish(modes, file)
    with modes.exchange.link() as link, pytest.raises(Refused) as caught:
        link.download(DATASET, grant=GRANT, to=tmp_path / "got")
    assert caught.value.problem.code == "file_malformed"


def test_a_column_that_says_where_a_row_belongs_must_be_there(tmp_path: Path) -> None:
    file, out = tmp_path / "file.csv", tmp_path / "out.csv"
    file.write_text("name,weight_g\nx,1\n")
    assert filter_file(file, out, format_="csv", fields=FIELDS, rows=_rows()) == 0
    assert out.read_text() == "name,weight_g\n"


def test_a_delta_is_given_where_there_is_one_and_else_the_whole(modes: Modes, tmp_path: Path) -> None:
    delta = tmp_path / "delta.csv"
    delta.write_text("furong_change,name,division,phone\nremove,周芷沅,430290,1\nput,周一,430290,1\nput,王,430190,1\n")
    for version in (1, 2, 3):
        _publish(modes, _births(tmp_path / f"{version}.csv", 10 * version), version=version)
    _publish(modes, delta, version=3, since=2)
    with modes.exchange.link() as link:
        found = link.download(DATASET, grant=GRANT, to=tmp_path / "a", since=2)
        assert (found.kind, found.since, found.version) == ("delta", 2, 3)
        assert (tmp_path / "a").read_text().splitlines() == [
            "furong_change,name,division",
            "remove,周**,430290",
            "put,周*,430290",
        ]
        found = link.download(DATASET, grant=GRANT, to=tmp_path / "b", since=1)
        assert (found.kind, found.since, found.version) == ("whole", None, 3)
        found = link.download(DATASET, grant=WHOLE, to=tmp_path / "c", version=1)
        assert (tmp_path / "c").read_bytes() == (tmp_path / "1.csv").read_bytes()
        with pytest.raises(Refused) as caught:
            link.download(DATASET, grant=GRANT, to=tmp_path / "d", version=9)
    assert caught.value.problem.code == "version_unknown"


def test_a_version_does_not_change(modes: Modes, tmp_path: Path) -> None:
    _publish(modes, _births(tmp_path / "a.csv", 10))
    with pytest.raises(Refused) as caught:
        _publish(modes, _births(tmp_path / "b.csv", 11))
    assert caught.value.problem.code == "version_exists"


def test_names_that_leave_their_folder_and_strangers_are_refused(modes: Modes, tmp_path: Path) -> None:
    _publish(modes, _births(tmp_path / "a.csv", 10))
    with modes.exchange.link() as link, modes.provider() as provider:
        for target in (
            "/births-files/../births-files/births/1/csv",
            "/births-files/%2E%2E/1/csv",
            "/births-files/..%2Fbirths/1/csv",
            "/births-files/births/1/../../../../etc/passwd",
            "/births-files/Births/1/csv",
            "/births-files/births/01/csv",
            "/births-files/births/1/exe",
            "/births-files/births/1/csv?transfer=../../catalogue.db&offset=0",
            "/births-files/births/1/csv?transfer=" + "0" * 32,
            "/births-files/births/1/csv?evil=1",
        ):
            with pytest.raises(Refused) as caught:
                link.get(target, grant=WHOLE)
            assert caught.value.problem.code in (
                "malformed_target",
                "not_found",
                "transfer_unknown",
                "malformed_request",
            ), target
        with pytest.raises(Refused) as caught:
            link.publish("births-files", "births", version=2, file=tmp_path / "a.csv")
        assert caught.value.problem.code == "not_the_provider"
        with pytest.raises(Refused) as caught:
            provider.publish("births-files", "..", version=2, file=tmp_path / "a.csv")
        assert caught.value.problem.code == "malformed_target"


def test_a_transfer_belongs_to_its_grant_and_ends_with_it(modes: Modes, tmp_path: Path) -> None:
    _publish(modes, _births(tmp_path / "a.csv", 10))
    with modes.exchange.link() as link:
        transfer = link.get(f"{DATASET}/1/csv", grant=WHOLE).json()["transfer"]
        piece = f"{DATASET}/1/csv?transfer={transfer}&offset=0"
        assert link.get(piece, grant=WHOLE).content == (tmp_path / "a.csv").read_bytes()

        def code(grant: str) -> str:
            with pytest.raises(Refused) as caught:
                link.get(piece, grant=grant)
            return caught.value.problem.code

        assert code(GRANT) == "transfer_unknown"
        modes.exchange.reconfigure(**modes.changes(files_whole={"fields": FIELDS}))
        assert code(WHOLE) == "terms_changed"
        modes.exchange.reconfigure(**modes.changes(files_whole={"withdrawn": True}))
        assert code(WHOLE) == "grant_not_valid"


def test_a_quota_counts_transfers_and_pieces_do_not_get_round_it(modes: Modes, tmp_path: Path) -> None:
    _publish(modes, _births(tmp_path / "a.csv", 10))
    modes.exchange.reconfigure(**modes.changes(files_whole={"quota": {"calls": 1, "seconds": 86_400}}))
    with modes.exchange.link() as link:
        transfer = link.get(f"{DATASET}/1/csv", grant=WHOLE).json()["transfer"]
        with pytest.raises(Refused) as caught:
            link.get(f"{DATASET}/1/csv", grant=WHOLE)
        assert caught.value.problem.code == "quota_exhausted"
        batch = modes.batch
        batch._fetched[transfer] = 4 * batch_store.CHUNK + 3 * 10_000
        with pytest.raises(Refused) as caught:
            link.get(f"{DATASET}/1/csv?transfer={transfer}&offset=0", grant=WHOLE)
        assert caught.value.problem.code == "quota_exhausted"


class Cut:
    """A way between client and gateway that ends after so many bytes of answers, and may change one of them."""

    def __init__(self, port: int, *, after: Callable[[], int | None], flip: bool = False) -> None:
        self._port, self._after, self._flip = port, after, flip
        self.port = _free_port()
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.cuts = 0

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            for source, sink, limit in ((near, far, None), (far, near, self._after())):
                thread = threading.Thread(target=self._carry, args=(source, sink, limit))
                thread.start()
                self._threads.append(thread)

    def _carry(self, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        carried = 0
        try:
            while data := source.recv(16_384):
                if limit is not None and carried + len(data) > limit:
                    if self._flip:
                        data = data[:-1] + bytes([data[-1] ^ 1])
                        limit = None
                    else:
                        self.cuts += 1
                        sink.sendall(data[: limit - carried])
                        break
                carried += len(data)
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                _close(end)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _big(modes: Modes, tmp_path: Path) -> Path:
    file = tmp_path / "big.csv"
    file.write_bytes(b"name\n" + random.Random(7).randbytes(1_000_000))
    _publish(modes, file)
    return file


def test_a_way_cut_again_and_again_still_gives_identical_bytes(modes: Modes, tmp_path: Path, small_chunks: int) -> None:
    file, limits = _big(modes, tmp_path), random.Random(3)
    way = Cut(modes.exchange.port, after=lambda: limits.randrange(100, 300_000))
    try:
        with modes.exchange.link(gateway=way.port) as link:
            pauses: list[float] = []
            found = client_batch.download(link, DATASET, grant=WHOLE, to=tmp_path / "got", sleep=pauses.append)
    finally:
        way.close()
    assert found.path.read_bytes() == file.read_bytes()
    assert way.cuts >= 3
    assert pauses


def test_a_program_that_ended_goes_on_where_it_was_and_checks_what_is_there(
    modes: Modes, tmp_path: Path, small_chunks: int
) -> None:
    file = _big(modes, tmp_path)

    class EndedError(Exception):
        pass

    def end(_seconds: float) -> None:
        raise EndedError

    def begin(to: Path) -> None:
        limits = iter([400_000])
        way = Cut(modes.exchange.port, after=lambda: next(limits, 100))
        try:
            with modes.exchange.link(gateway=way.port) as link, pytest.raises(EndedError):
                client_batch.download(link, DATASET, grant=WHOLE, to=to, sleep=end)
        finally:
            way.close()

    begin(tmp_path / "got")
    there = (tmp_path / "got.part").stat().st_size
    assert 0 < there < file.stat().st_size
    with modes.exchange.link() as link:
        opened = sum("file" in each and each.get("grant") == WHOLE for each in modes.exchange.records())
        found = link.download(DATASET, grant=WHOLE, to=tmp_path / "got")
        assert found.resumed_at == there
        assert sum("file" in each and each.get("grant") == WHOLE for each in modes.exchange.records()) == opened
    assert found.path.read_bytes() == file.read_bytes()
    begin(tmp_path / "damaged")
    part = tmp_path / "damaged.part"
    part.write_bytes(b"\0" + part.read_bytes()[1:])
    with modes.exchange.link() as link:
        found = link.download(DATASET, grant=WHOLE, to=tmp_path / "damaged")
    assert found.path.read_bytes() == file.read_bytes()


def test_a_changed_piece_is_not_believed_and_asked_for_again(modes: Modes, tmp_path: Path, small_chunks: int) -> None:
    file = _big(modes, tmp_path)
    flips = iter([100_000])
    way = Cut(modes.exchange.port, after=lambda: next(flips, None), flip=True)
    try:
        with modes.exchange.link(gateway=way.port) as link:
            found = client_batch.download(link, DATASET, grant=WHOLE, to=tmp_path / "got", sleep=lambda _: None)
        assert found.path.read_bytes() == file.read_bytes()
    finally:
        way.close()
    always = Cut(modes.exchange.port, after=lambda: 1000, flip=True)
    try:
        with modes.exchange.link(gateway=always.port) as link, pytest.raises((UnverifiedReplyError, TransferError)):
            client_batch.download(link, DATASET, grant=WHOLE, to=tmp_path / "never", sleep=lambda _: link.close())
    finally:
        always.close()
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("change", ["edited", "shortened", "lengthened", "removed"])
def test_a_file_that_changed_on_the_gateways_disk_is_refused(
    modes: Modes, tmp_path: Path, small_chunks: int, change: str
) -> None:
    file = _big(modes, tmp_path)
    stored = next((modes.exchange.folder / "batch" / "births-files" / "files").iterdir())
    stored.chmod(0o600)
    data = file.read_bytes()
    changed = {"edited": data[:-1] + b"!", "shortened": data[:-1], "lengthened": data + b"!", "removed": b""}[change]
    with modes.exchange.link() as link:
        link.get(f"{DATASET}/1/csv", grant=WHOLE)
        if change == "removed":
            stored.unlink()
        else:
            stored.write_bytes(changed)
        with pytest.raises(Refused) as caught:
            link.download(DATASET, grant=WHOLE, to=tmp_path / "got")
    assert caught.value.problem.code == "file_changed"
    assert not (tmp_path / "got").exists()


def test_an_upload_goes_on_after_cuts_and_after_the_gateway_was_restarted(
    modes: Modes, tmp_path: Path, small_chunks: int
) -> None:
    file = tmp_path / "up.csv"
    file.write_bytes(b"name\n" + random.Random(7).randbytes(1_000_000))

    class EndedError(Exception):
        pass

    def end(_seconds: float) -> None:
        raise EndedError

    def publish(sleep: Callable[[float], None], port: int) -> Any:
        with modes.exchange.link(signer=modes.desk, gateway=port) as link:
            return client_batch.publish(link, "births-files", "births", version=1, file=file, sleep=sleep)

    replies = iter([12_000, 12_000, 9_000])
    way = Cut(modes.exchange.port, after=lambda: next(replies, None))
    try:
        with pytest.raises(EndedError):
            publish(end, way.port)
        modes.exchange.stop()
        modes.exchange.start()
        assert publish(lambda _: None, way.port).size == file.stat().st_size
    finally:
        way.close()
    stored = next((modes.exchange.folder / "batch" / "births-files" / "files").iterdir())
    assert stored.name == hashlib.sha256(file.read_bytes()).hexdigest()
    assert not list((modes.exchange.folder / "batch" / "births-files" / "work").iterdir())


def test_an_upload_that_lies_about_itself_is_not_published(modes: Modes) -> None:
    with modes.provider() as link:
        target = "/.furong/provide/births-files/births/1/csv"
        digest = "sha-256=:" + "A" * 43 + "=:"

        def code(call: Callable[[], Any]) -> str:
            with pytest.raises(Refused) as caught:
                call()
            return caught.value.problem.code

        assert code(lambda: link.post(target, {"size": 0, "digest": digest}, grant="provider")) == "malformed_request"
        assert code(lambda: link.post(target, {"size": 4, "digest": "x"}, grant="provider")) == "malformed_request"
        assert code(lambda: link.post(target, {"size": 1 << 50, "digest": digest}, grant="provider")) == (
            "content_too_large"
        )
        assert code(lambda: link.post(target, {"size": 1 << 43, "digest": digest}, grant="provider")) == "no_room"
        upload = link.post(target, {"size": 4, "digest": digest}, grant="provider").json()["upload"]

        def put(content: bytes, offset: int) -> Any:
            at = f"{target}?upload={upload}&offset={offset}"
            return link.request("PUT", at, grant="provider", content=content, content_type="application/octet-stream")

        assert code(lambda: put(b"ab", 1)) == "wrong_offset"
        assert code(lambda: put(b"abcde", 0)) == "content_too_large"
        assert code(lambda: link.post(f"{target}?upload={upload}", {}, grant="provider")) == "wrong_offset"
        assert put(b"abcd", 0).json()["received"] == 4
        assert code(lambda: link.post(f"{target}?upload={upload}", {}, grant="provider")) == "digest_mismatch"
        assert link.get("/.furong/provide/births-files/births", grant="provider").json()["versions"] == []


def test_a_full_disk_refuses_and_keeps_what_was_there(
    modes: Modes, tmp_path: Path, small_chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    file = _births(tmp_path / "a.csv", 5000)
    plain, full = io.BufferedWriter.write, [True]
    opened = Path.open

    class Full(io.BufferedWriter):
        def write(self, data: Any) -> int:
            if full[0] and self.tell() >= 2 * small_chunks:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return plain(self, data)

    def open_(self: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
        if mode == "ab" and "work" in self.parts:
            return Full(io.FileIO(self, "a"))
        return opened(self, mode, *args, **more)

    monkeypatch.setattr(Path, "open", open_)
    with modes.provider() as link:
        with pytest.raises(Refused) as caught:
            link.publish("births-files", "births", version=1, file=file)
        assert caught.value.problem.code == "no_room"
        full[0] = False
        assert link.publish("births-files", "births", version=1, file=file).size == file.stat().st_size
    with modes.exchange.link() as link:
        link.download(DATASET, grant=WHOLE, to=tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == file.read_bytes()


def test_files_go_under_sm2_and_sm3_too(prepared: Exchange, tmp_path: Path) -> None:
    prepared.algorithm = "sm2-sm3"
    prepared.__post_init__()
    prepared.port = _free_port()
    modes = Modes(prepared)
    modes.prepare()
    prepared.start()
    try:
        file = _births(tmp_path / "a.csv", 200)
        assert _publish(modes, file).digest.startswith("sm3=:")
        with prepared.link() as link:
            link.download(DATASET, grant=WHOLE, to=tmp_path / "got")
        assert (tmp_path / "got").read_bytes() == file.read_bytes()
    finally:
        prepared.stop()


def test_a_file_published_on_the_gateways_own_machine_is_given_at_once(modes: Modes, tmp_path: Path) -> None:
    file = _births(tmp_path / "a.csv", 10)
    store = batch_store.Store(modes.exchange.folder / "batch" / "births-files")
    store.publish_copy(batch_store.Place("births", 1, "csv"), file, now=1.0)
    store.close()
    with modes.exchange.link() as link:
        link.download(DATASET, grant=WHOLE, to=tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == file.read_bytes()
