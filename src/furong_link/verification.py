"""Checking evidence away from the gateway: one receipt, or a whole log on a disk. Needs the gateway's public key only."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from furong_link.archive import FIRST, Head, Segment
from furong_link.errors import EvidenceError, UnverifiedReplyError
from furong_link.evidence import DetailKeys, detail_digest
from furong_link.handover import line_of
from furong_link.keys import Verifier
from furong_link.renewal import read_given
from furong_link.tree import Tree, leaf_hash, verify_inclusion


@dataclass(frozen=True, slots=True)
class Receipt:
    """A proven record: its content, its place, and the head that covers it."""

    record: Mapping[str, Any]
    index: int
    leaf: bytes
    head: Head


def check_head(head: Head, *, key: Verifier) -> bool:
    """Say whether the gateway's key signed this head."""
    return head.algorithm == key.algorithm and key.verify(head.signed_bytes(), head.signature)


def check_receipt(found: Mapping[str, Any], *, key: Verifier) -> Receipt:
    """Check an inclusion receipt, without network. Raises UnverifiedReplyError when it proves nothing."""
    try:
        text, index = str(found["record"]).encode(), int(found["index"])
        proof = [bytes.fromhex(part) for part in found["proof"]]
        head = Head.from_json(found["head"])
        record = json.loads(text)
    except (ValueError, KeyError, TypeError) as error:
        raise UnverifiedReplyError("This is no receipt.") from error
    leaf = leaf_hash(text)
    if not check_head(head, key=key):
        raise UnverifiedReplyError("The receipt's head is not signed by the gateway.")
    if not verify_inclusion(leaf=leaf, index=index, size=head.size, proof=proof, root=head.root):
        raise UnverifiedReplyError("The record is not under the receipt's head.")
    return Receipt(record, index, leaf, head)


@dataclass(slots=True)
class Report:
    """What a check of a log found; ``findings`` is empty when everything holds."""

    records: int = 0
    heads: int = 0
    erased: int = 0
    unsealed: int = 0
    segments: int = 0
    elsewhere: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def verify_log(
    folder: Path, *, key: Verifier, known_heads: Sequence[Head] = (), archives: Sequence[Path] = ()
) -> Report:
    """Check a log's folder: chain, leaves, heads, details, archived files. ``known_heads`` are heads kept elsewhere
    (receipts, witnesses): only they can show that a log was rolled back together with its own heads. ``archives`` are
    folders to which archived files were taken; what is in none of them is checked by its leaves alone and counted
    as ``elsewhere``.

    Reads everything once; about 15 µs a record without details, 10 more with. Changes nothing.
    """
    report = Report()
    # A key that was renewed handed over to the next, or took over from the one before: all of them signed this log.
    key = line_of(key, read_given(folder))
    walk = _Walk(DetailKeys(folder / "details"), report)
    heads: list[bytes] = []
    archive = folder / "archive"
    for path in sorted(archive.glob("*.json")) if archive.exists() else ():
        _check_segment(path, walk, key, archives)
        kept = path.with_suffix(".heads")
        heads += kept.read_bytes().splitlines() if kept.exists() else []
    with (folder / "records.log").open("rb") as file:
        for line in file:
            walk.take(line)
    heads += (folder / "heads.jsonl").read_bytes().splitlines()
    tree, sizes = walk.tree, 0
    report.records = tree.size
    for number, line in enumerate(heads):
        try:
            head = Head.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError):
            report.findings.append(f"head {number}: cannot be read")
            continue
        report.heads += 1
        if head.size < sizes:
            report.findings.append(f"head {number}: smaller than the one before")
        sizes = max(sizes, head.size)
        _check_known(head, tree, key, report, f"head {number}")
    for number, head in enumerate(known_heads):
        _check_known(head, tree, key, report, f"known head {number}")
    report.unsealed = max(0, tree.size - sizes)
    identity = (folder / "identity").read_text().strip()
    if any(head.log != identity for head in known_heads):
        report.findings.append("the log has another identity than the known heads")
    return report


class _Walk:
    """The chain, record after record."""

    def __init__(self, keys: DetailKeys, report: Report) -> None:
        self.tree, self.previous, self._keys, self.report = Tree(), FIRST, keys, report

    def take(self, line: bytes) -> None:
        number, report = self.tree.size, self.report
        text, tab, sealed = line.rstrip(b"\n").partition(b"\t")
        leaf = leaf_hash(text)
        try:
            record = json.loads(text)
            report.kinds[str(record.get("kind", ""))] += 1
            if not line.endswith(b"\n") or not tab:
                report.findings.append(f"record {number}: the line is not whole")
            if record["index"] != number:
                report.findings.append(f"record {number}: calls itself {record['index']}")
            if record["previous"] != self.previous:
                report.findings.append(f"record {number}: does not follow the one before it")
            if "detail" in record:
                opened = self._keys.open(b64decode(sealed, validate=True), day=str(record["at"])[:10])
                if opened is None:
                    report.erased += 1
                elif detail_digest(*opened) != record["detail"]:
                    report.findings.append(f"record {number}: its detail is another's")
        except EvidenceError:
            report.findings.append(f"record {number}: its detail was changed")
        except (ValueError, KeyError, TypeError, AttributeError, Base64Error):
            report.findings.append(f"record {number}: cannot be read")
        self.skip(leaf)

    def skip(self, leaf: bytes) -> None:
        """Go on past a record whose text is kept elsewhere."""
        self.tree.append(leaf)
        self.previous = leaf.hex()


def _check_segment(path: Path, walk: _Walk, key: Verifier, archives: Sequence[Path]) -> None:
    report = walk.report
    name = f"archive {path.stem}"
    try:
        segment = Segment.read(path)
        leaves = segment.leaves()
    except EvidenceError as error:
        report.findings.append(f"{name}: {error}")
        return
    report.segments += 1
    if not segment.is_signed_by(key):
        report.findings.append(f"{name}: its statement is not signed by the gateway")
    if segment.first != walk.tree.size or segment.before != walk.previous:
        report.findings.append(f"{name}: does not follow the records before it")
    if len(leaves) != segment.count:
        report.findings.append(f"{name}: says {segment.count} records and has the leaves of {len(leaves)}")
    places = (segment.path, *(folder / segment.path.name for folder in archives))
    file = next((place for place in places if place.exists()), None)
    if file is None:
        report.elsewhere += len(leaves)
        for leaf in leaves:
            walk.skip(leaf)
    else:
        digest, size, count = sha256(), 0, 0
        with file.open("rb") as lines:
            for line in lines:
                walk.take(line)
                digest.update(line)
                size, count = size + len(line), count + 1
                if count <= len(leaves) and bytes.fromhex(walk.previous) != leaves[count - 1]:
                    report.findings.append(f"{name}: record {segment.first + count - 1} is not the one of its leaf")
        if digest.hexdigest() != segment.sha256 or size != segment.size or count != segment.count:
            report.findings.append(f"{name}: the file is not the one that was closed")
    if walk.previous != segment.last:
        report.findings.append(f"{name}: ends with another record than its statement says")


def _check_known(head: Head, tree: Tree, key: Verifier, report: Report, name: str) -> None:
    if not check_head(head, key=key):
        report.findings.append(f"{name}: not signed by the gateway")
    elif head.size > tree.size:
        report.findings.append(f"{name}: says {head.size} records, {tree.size} are there")
    elif tree.root(size=head.size) != head.root:
        report.findings.append(f"{name}: its root is not that of the records")
