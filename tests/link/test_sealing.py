"""What is sealed under a partition's key is read with it, and never again without."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong_link import sealing
from furong_link.errors import EvidenceError
from furong_link.sealing import PartitionKeys, cipher_of, sm4_is_here

CIPHERS = ["aes-256-gcm", pytest.param("sm4-gcm", marks=pytest.mark.skipif(not sm4_is_here(), reason="no SM4-GCM"))]


@pytest.mark.parametrize("cipher", CIPHERS)
def test_a_content_is_read_after_a_restart_and_a_changed_one_is_not(tmp_path: Path, cipher: str) -> None:
    sealed = PartitionKeys(tmp_path, cipher=cipher).seal("周芷沅".encode(), partition="2026-11-23")
    again = PartitionKeys(tmp_path)  # a partition keeps the cipher it began with
    assert again.open(sealed, partition="2026-11-23") == "周芷沅".encode()
    assert again.seal(b"", partition="2026-11-23") != again.seal(b"", partition="2026-11-23")
    for changed in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[1:], sealed[:5], b""):
        with pytest.raises(EvidenceError):
            again.open(changed, partition="2026-11-23")
    other = again.seal(b"x", partition="2026-11-24")
    with pytest.raises(EvidenceError):
        again.open(other, partition="2026-11-23")


@pytest.mark.parametrize("cipher", CIPHERS)
def test_an_erased_partition_is_gone_for_who_holds_its_key_open_too(
    tmp_path: Path, cipher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, other = PartitionKeys(tmp_path, cipher=cipher), PartitionKeys(tmp_path)
    sealed = keys.seal(b"content", partition="day")
    assert other.open(sealed, partition="day") == b"content"
    assert keys.erase("day")
    assert not keys.erase("day")
    assert keys.open(sealed, partition="day") is None
    monkeypatch.setattr(sealing, "LOOK_SECONDS", 0.0)  # as a second later
    assert other.open(sealed, partition="day") is None
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".key", ".sm4")]


@given(st.binary(max_size=300))
def test_any_content_comes_back(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        keys = PartitionKeys(Path(folder), cipher=cipher_of("sm2-sm3"))
        assert keys.open(keys.seal(content, partition="p"), partition="p") == content


@pytest.mark.parametrize("name", ["..", "a/b", "", "x" * 65, ".hidden"])
def test_a_partitions_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError):
        PartitionKeys(tmp_path / "keys").seal(b"", partition=name)
