from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.utils.translation import override

from furong.foundation.storage import store, values
from furong.foundation.storage.commands import put
from furong.foundation.storage.errors import EmptyFile, FileDamagedError, FileMissingError, NotWhatItSays, TooLarge
from furong.foundation.storage.queries import exists, find_file, get, get_file, open_stream

pytestmark = pytest.mark.usefixtures("database")

PDF = b"%PDF-1.7\n" + b"x" * 100
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"x" * 100


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "HOME", tmp_path)
    return tmp_path / "files"


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def test_what_is_put_away_comes_back_under_its_digest() -> None:
    stored = put(PDF, values.PDF)
    assert stored == values.StoredFile(digest=hashlib.sha256(PDF).hexdigest(), size=len(PDF), media_type=values.PDF)
    assert get(stored.digest) == PDF
    assert b"".join(open_stream(stored.digest)) == PDF
    assert get_file(stored.digest) == find_file(stored.digest) == stored
    assert exists(stored.digest)


def test_the_same_content_twice_is_one_file(folder: Path) -> None:
    assert put(PDF) == put(io.BytesIO(PDF)) == put(iter([PDF[:50], PDF[50:]]))
    assert len(files(folder)) == 1


def test_a_large_file_streams_through_without_lying_in_memory() -> None:
    chunk = b"%PDF-1.7\n" + bytes(1 << 20)

    def chunks() -> Iterator[bytes]:
        for _ in range(12):
            yield chunk

    stored = put(chunks(), limit_bytes=20 << 20)
    assert stored.size == 12 * len(chunk)
    assert sum(len(part) for part in open_stream(stored.digest)) == stored.size


def test_reading_stops_as_soon_as_the_limit_is_passed(folder: Path) -> None:
    taken = []

    def chunks() -> Iterator[bytes]:
        for number in range(1000):
            taken.append(number)
            yield bytes(1 << 20)

    with pytest.raises(TooLarge) as refused:
        put(chunks(), limit_bytes=3 << 20)
    assert len(taken) == 4
    assert refused.value.params == {"limit_mb": 3}
    assert files(folder) == []


def test_a_file_of_exactly_the_limit_is_taken() -> None:
    assert put(PDF, limit_bytes=len(PDF)).size == len(PDF)
    with pytest.raises(TooLarge):
        put(PDF + b"x", limit_bytes=len(PDF))


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(EmptyFile):
        put(b"")


@pytest.mark.parametrize(
    ("data", "claimed", "accept"),
    [
        (PDF, values.JPEG, ()),
        (b"MZ\x90\0" + bytes(100), values.PDF, ()),
        (b"<script>alert(1)</script>", values.PNG, ()),
        (JPEG, values.JPEG, (values.PDF,)),
        (JPEG, "", (values.PDF, values.PNG)),
        (b"PK\x03\x04 word/ is only a name", values.DOCX, ()),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    folder: Path, data: bytes, claimed: str, accept: tuple[str, ...]
) -> None:
    with pytest.raises(NotWhatItSays):
        put(data, claimed, accept=accept)
    assert files(folder) == []


def test_the_refusal_says_what_it_is_and_what_it_should_be() -> None:
    with pytest.raises(NotWhatItSays) as refused:
        put(PDF, values.JPEG)
    with override("en"):
        assert refused.value.params == {"expected": "a JPEG picture", "found": "a PDF document"}


def test_a_kind_that_cannot_be_recognised_keeps_the_name_it_came_with() -> None:
    assert put(b"a,b\n1,2\n", "text/csv").media_type == "text/csv"


def test_the_row_goes_with_the_transaction_and_the_bytes_stay_unnamed() -> None:
    with transaction.atomic():
        stored = put(PDF)
        transaction.set_rollback(True)
    assert find_file(stored.digest) is None
    assert exists(stored.digest)
    with pytest.raises(FileMissingError):
        get_file(stored.digest)
    assert put(PDF) == stored
    assert find_file(stored.digest) == stored


def test_a_damaged_file_is_not_given_out_as_whole(folder: Path) -> None:
    stored = put(PDF)
    [path] = files(folder)
    path.write_bytes(PDF.replace(b"x", b"y", 1))
    with pytest.raises(FileDamagedError):
        get(stored.digest)
    with pytest.raises(FileDamagedError):
        b"".join(open_stream(stored.digest))


def test_a_missing_file_is_a_fault_before_the_first_byte() -> None:
    with pytest.raises(FileMissingError):
        get("0" * 64)
    with pytest.raises(FileMissingError):
        open_stream("0" * 64)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_only_a_digest_names_a_file(digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        get(digest)


def test_the_bytes_are_flushed_before_they_get_their_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(store.os, "fsync", lambda fd: (steps.append("flush"), fsync(fd))[1])
    monkeypatch.setattr(store.os, "replace", lambda a, b: (steps.append("name"), replace(a, b))[1])
    put(PDF)
    assert steps == ["flush", "name", "flush", "flush", "flush"]


def test_a_write_that_breaks_off_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        put(PDF)
    assert files(folder) == []


def test_another_store_is_used_where_its_url_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FURONG_STORAGE_URL", "memory:///")
    stored = put(PDF)
    assert get(stored.digest) == PDF
    assert b"".join(open_stream(stored.digest)) == PDF
    assert put(PDF) == stored
    with pytest.raises(FileMissingError):
        get("0" * 64)
    assert files(tmp_path) == []
