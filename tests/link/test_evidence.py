"""The evidence: durable before it is told, one sync for many, and every edit found without the gateway."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong_link.errors import EvidenceError, UnverifiedReplyError
from furong_link.evidence import EvidenceLog, Head
from furong_link.keys import SoftwareKey
from furong_link.tree import Tree, leaf_hash, verify_consistency, verify_inclusion
from furong_link.verification import check_receipt, verify_log

KEY = SoftwareKey.generate(key_id="gateway/1")
NOW = 1_795_000_000.0


def _open(folder: Path) -> EvidenceLog:
    log = EvidenceLog(folder, signer=KEY, clock=lambda: NOW)
    try:
        log.open()
    except EvidenceError:
        log.abandon()
        raise
    return log


def _fill(folder: Path, count: int = 5, *, heads_each: int = 2) -> list[Head]:
    async def run() -> list[Head]:
        log, heads = _open(folder), []
        for number in range(count):
            await log.append({"kind": "answered", "number": number}, detail=f"detail {number}".encode())
            if number % heads_each == 0:
                head = await log.seal()
                assert head
                heads.append(head)
        await log.close()
        return heads

    return asyncio.run(run())


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_every_leaf_and_every_beginning_is_proven_and_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    tree = Tree()
    roots = []
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
        roots.append(tree.root())
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    proof, root = tree.prove_inclusion(index=index, size=size), roots[size - 1]
    assert tree.root(size=size) == root
    leaf = leaf_hash(leaves[index])
    assert verify_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=root)
    assert not verify_inclusion(leaf=leaf_hash(b"other" * 3), index=index, size=size, proof=proof, root=root)
    assert not verify_inclusion(leaf=leaf, index=index, size=size, proof=[*proof, root], root=root)
    earlier = data.draw(st.integers(1, size))
    path = tree.prove_consistency(earlier=earlier, size=size)
    first = roots[earlier - 1]
    assert verify_consistency(earlier=earlier, earlier_root=first, size=size, root=root, proof=path)
    assert not verify_consistency(earlier=earlier, earlier_root=bytes(32), size=size, root=root, proof=path)


def test_the_tree_has_the_roots_of_rfc_6962s_reference() -> None:
    # The inputs and roots of the test data of Certificate Transparency's reference implementation.
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    tree = Tree()
    assert tree.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for text in inputs:
        tree.append(leaf_hash(bytes.fromhex(text)))
    assert tree.root(size=1).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_many_records_share_a_sync_and_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[int] = []
    plain = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda handle: (syncs.append(handle), plain(handle)))

    async def run() -> list[int]:
        log = _open(tmp_path)
        found = await asyncio.gather(*(log.append({"number": number}) for number in range(200)))
        await log.close()
        return [place.index for place in found]

    assert asyncio.run(run()) == list(range(200))
    assert len(syncs) <= 4
    assert verify_log(tmp_path, key=KEY.verifier()).findings == []


def test_a_receipt_is_proven_without_the_gateway_and_a_changed_one_is_not(tmp_path: Path) -> None:
    async def run() -> dict[str, Any]:
        log = _open(tmp_path)
        for number in range(7):
            await log.append({"number": number})
        found = await log.receipt(3)
        await log.close()
        return found

    receipt = asyncio.run(run())
    assert check_receipt(receipt, key=KEY.verifier()).record["number"] == 3
    for change in (
        {"record": receipt["record"].replace('"number":3', '"number":4')},
        {"index": 2},
        {"proof": receipt["proof"][:-1]},
        {"head": receipt["head"] | {"size": 8}},
        {"head": {}},
    ):
        with pytest.raises(UnverifiedReplyError):
            check_receipt(receipt | change, key=KEY.verifier())
    with pytest.raises(UnverifiedReplyError):
        check_receipt(receipt, key=SoftwareKey.generate(key_id="gateway/1").verifier())


def _edit(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b'"number":1', b'"number":9') for line in lines]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_edit, id="edited"),
        pytest.param(lambda lines: lines[:1] + lines[2:], id="deleted"),
        pytest.param(lambda lines: [lines[1], lines[0], *lines[2:]], id="reordered"),
        pytest.param(lambda lines: lines[:-1], id="truncated"),
        pytest.param(lambda lines: [*lines, lines[-1]], id="repeated"),
        pytest.param(
            lambda lines: [lines[0].partition(b"\t")[0] + b"\t" + lines[1].partition(b"\t")[2], *lines[1:]], id="detail"
        ),
    ],
)
def test_a_changed_log_is_found(tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    _fill(tmp_path)
    assert verify_log(tmp_path, key=KEY.verifier()).findings == []
    path = tmp_path / "records.log"
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    assert verify_log(tmp_path, key=KEY.verifier()).findings


def test_a_log_cut_below_its_last_head_is_not_opened_again(tmp_path: Path) -> None:
    _fill(tmp_path)
    path = tmp_path / "records.log"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(EvidenceError, match="signed head"):
        _open(tmp_path)


def test_a_rollback_with_its_own_heads_is_found_by_a_head_kept_elsewhere(tmp_path: Path) -> None:
    heads = _fill(tmp_path)
    records, signed = tmp_path / "records.log", tmp_path / "heads.jsonl"
    records.write_bytes(b"".join(records.read_bytes().splitlines(keepends=True)[:1]))
    signed.write_bytes(b"".join(signed.read_bytes().splitlines(keepends=True)[:1]))
    assert verify_log(tmp_path, key=KEY.verifier()).findings == []
    assert verify_log(tmp_path, key=KEY.verifier(), known_heads=heads).findings


def test_a_line_torn_by_a_crash_is_cut_off_and_the_chain_goes_on(tmp_path: Path) -> None:
    _fill(tmp_path, 3)
    with (tmp_path / "records.log").open("ab") as file:
        file.write(b'{"at":"2026')
    _fill(tmp_path, 2)
    report = verify_log(tmp_path, key=KEY.verifier())
    assert (report.records, report.findings) == (5, [])


def test_a_second_gateway_does_not_write_the_same_log(tmp_path: Path) -> None:
    log = _open(tmp_path)
    with pytest.raises(EvidenceError, match="Another gateway"):
        EvidenceLog(tmp_path, signer=KEY, clock=lambda: NOW)
    log.abandon()


def test_an_erased_detail_leaves_the_chain_whole(tmp_path: Path) -> None:
    _fill(tmp_path, 3)
    log = _open(tmp_path)
    assert log.detail(1) == b"detail 1"
    assert b"detail 1" not in (tmp_path / "records.log").read_bytes()
    for key in (tmp_path / "details").iterdir():
        key.unlink()
    assert log.detail(1) is None
    log.abandon()
    report = verify_log(tmp_path, key=KEY.verifier())
    assert (report.erased, report.findings) == (3, [])


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_what_cannot_be_written_is_not_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    async def run() -> None:
        log = _open(tmp_path)
        await log.append({"number": 0})
        plain = os.write

        def full(handle: int, *data: Any) -> int:
            if call == "write" and len(data[0]) > 40:
                return plain(handle, data[0][:40])  # a part fits before the disk is full
            raise OSError(errno.ENOSPC, "full")

        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            with pytest.raises(EvidenceError):
                await log.append({"number": 1})
        if call == "write":
            # Room again: the log goes on where it was.
            assert (await log.append({"number": 2})).index == 1
        else:
            # What a failed sync left on the disk is unknown: nothing is told until a restart has read it.
            with pytest.raises(EvidenceError, match="started anew"):
                await log.append({"number": 2})
        await log.close()

    asyncio.run(run())
    report = verify_log(tmp_path, key=KEY.verifier())
    assert report.findings == []
    log = _open(tmp_path)
    assert json.loads(log.record_text(0))["number"] == 0
    log.abandon()
