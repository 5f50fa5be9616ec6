"""Canonical forms and the Merkle tree of RFC 6962 (section 2; proofs after RFC 9162 section 2.1): pure, no I/O, no clock.

Leaves, nodes and the checks of proofs are those of the exchange's package, which stands alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from furong_link.tree import EMPTY_ROOT as EMPTY_ROOT
from furong_link.tree import leaf_hash as leaf_hash
from furong_link.tree import node_hash as node_hash
from furong_link.tree import split
from furong_link.tree import verify_consistency as verify_consistency
from furong_link.tree import verify_inclusion as verify_inclusion

DETAIL_CONTEXT = b"furong.audit.detail.v1\0"
ENTRY_CONTEXT = b"furong.audit.entry.v1\0"
HEAD_CONTEXT = "furong.audit.head.v1"


_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical_text(value: object) -> str:
    """Give the one JSON text of ``value``: keys sorted, no spaces, no escapes but the needed, no floats.

    UUIDs, dates, times (UTC, microseconds), decimals and enums become texts; sets are sorted. Raises TypeError for
    anything else, floats included: two machines may print them differently.
    """
    return _encode(_plain(value))


def canonical_time(at: datetime) -> str:
    """Give an aware time as UTC text with microseconds: ``2026-11-03T08:30:00.000000Z``."""
    if at.tzinfo is None:
        raise TypeError("A time without a zone cannot be recorded.")
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _clean(text: str) -> str:
    """Replace what no UTF-8 text and no PostgreSQL text can hold, so that an entry is never lost for it."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _plain(value: object) -> Any:
    # Every command passes here twice: what entries hold nearly always comes first, by its very type.
    if type(value) is str:
        return _clean(value)
    if type(value) is UUID:
        return str(value)
    if type(value) is dict:
        return {
            _clean(k) if type(k) is str else _key(k): _clean(v) if type(v) is str else _plain(v)
            for k, v in value.items()
        }
    if type(value) is list:
        return [_clean(v) if type(v) is str else _plain(v) for v in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return canonical_time(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(k): _plain(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    raise TypeError(f"{type(value).__name__} has no canonical form.")


def _key(key: object) -> str:
    plain = _plain(key)
    if not isinstance(plain, str):
        raise TypeError("A key of a canonical mapping is a text.")
    return plain


def detail_digest(*, salt: bytes, content: str) -> bytes:
    """Give the digest that binds an entry to its erasable detail: SHA-256 over context, 16 bytes of salt and the
    canonical text.
    """
    return hashlib.sha256(DETAIL_CONTEXT + salt + content.encode()).digest()


def subjects_digest(subjects: Mapping[str, Iterable[str]]) -> str:
    """Give the digest that stands in an entry's detail for very many persons: SHA-256 over a line each, in order."""
    digest = hashlib.sha256(b"furong.audit.subjects.v1\0")
    for person in sorted(subjects):
        digest.update(f"{person}:{','.join(sorted(subjects[person]))}\n".encode())
    return digest.hexdigest()


def entry_digest(columns: Mapping[str, object]) -> bytes:
    """Give the digest of an entry's columns, its detail's digest among them."""
    return hashlib.sha256(ENTRY_CONTEXT + canonical_text(columns).encode()).digest()


# The columns of an entry that its digest covers, in no order that matters.
ENTRY_COLUMNS = (
    "id",
    "at",
    "kind",
    "name",
    "outcome",
    "code",
    "actor_kind",
    "account_id",
    "post_id",
    "organization_id",
    "division_code",
    "assurance",
    "request_id",
    "object_kind",
    "object_id",
    "case_id",
    "parent_id",
    "detail_digest",
)


# --- the tree -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Frontier:
    """The right edge of a tree: the roots of its complete subtrees, largest first. Enough to append and to give the root."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.peaks) != self.size.bit_count():
            raise ValueError("The frontier does not fit the size of its tree.")

    def append(self, leaf: bytes, *, completed: Callable[[int, int, bytes], None] | None = None) -> int:
        """Append a leaf's hash and give its index. ``completed(level, index, hash)`` is told of every subtree that
        became complete.
        """
        index = self.size
        node, level, position = leaf, 0, index
        while (self.size >> level) & 1:
            node = node_hash(self.peaks.pop(), node)
            level, position = level + 1, position >> 1
            if completed is not None:
                completed(level, position, node)
        self.peaks.append(node)
        self.size += 1
        return index

    def root(self) -> bytes:
        """Give the root over all leaves; of no leaves, the hash of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> Frontier:
        return Frontier(self.size, list(self.peaks))


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """Give the root over leaf hashes, in one pass and O(log n) memory."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


Range = tuple[int, int]  # leaves [start, end)


def inclusion_ranges(*, index: int, size: int) -> list[Range]:
    """Give the subtrees, as ranges of leaves, whose roots prove that leaf ``index`` is in the tree of ``size``
    leaves; nearest first.
    """
    if not 0 <= index < size:
        raise ValueError("The leaf is not in the tree.")
    start, end = 0, size
    path: list[Range] = []
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_ranges(*, earlier: int, size: int) -> list[Range]:
    """Give the subtrees whose roots prove that the tree of ``earlier`` leaves is a beginning of that of ``size`` leaves."""
    if not 0 < earlier <= size:
        raise ValueError("An earlier tree has at least one leaf and no more than the later one.")
    start, end, whole = 0, size, True
    path: list[Range] = []
    while end != earlier:
        middle = start + split(end - start)
        if earlier <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
            whole = False
    if not whole:
        path.append((start, end))
    return path[::-1]


def range_root(leaves: Sequence[bytes], part: Range) -> bytes:
    """Give the root over the leaves of ``part``."""
    return tree_root(leaves[part[0] : part[1]])


def inclusion_proof(leaves: Sequence[bytes], *, index: int) -> list[bytes]:
    """Prove that leaf ``index`` is in the tree over ``leaves``. O(n); use `inclusion_ranges` where subtrees are stored."""
    return [range_root(leaves, part) for part in inclusion_ranges(index=index, size=len(leaves))]


def consistency_proof(leaves: Sequence[bytes], *, earlier: int) -> list[bytes]:
    """Prove that the first ``earlier`` leaves are the beginning of ``leaves``. O(n)."""
    return [range_root(leaves, part) for part in consistency_ranges(earlier=earlier, size=len(leaves))]


# --- heads --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A statement that the log had exactly these leaves at this time; its signature is over `signed_bytes`."""

    log_id: UUID
    size: int
    root: bytes
    at: datetime
    key_id: str
    algorithm: str
    signature: bytes

    def signed_bytes(self) -> bytes:
        return head_bytes(log_id=self.log_id, size=self.size, root=self.root, at=self.at)

    def as_json(self) -> dict[str, object]:
        return {
            "log": str(self.log_id),
            "size": self.size,
            "root": self.root.hex(),
            "at": canonical_time(self.at),
            "key": self.key_id,
            "algorithm": self.algorithm,
            "signature": self.signature.hex(),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Head:
        """Read what `as_json` wrote. Raises ValueError, KeyError or TypeError when it is not a head."""
        return cls(
            log_id=UUID(found["log"]),
            size=int(found["size"]),
            root=bytes.fromhex(found["root"]),
            at=datetime.fromisoformat(found["at"]),
            key_id=str(found["key"]),
            algorithm=str(found["algorithm"]),
            signature=bytes.fromhex(found["signature"]),
        )


def head_bytes(*, log_id: UUID, size: int, root: bytes, at: datetime) -> bytes:
    """Give the bytes that a head's signature covers."""
    return canonical_text({"context": HEAD_CONTEXT, "log": log_id, "size": size, "root": root.hex(), "at": at}).encode()


# --- what queries give --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """An account that read something, and the case for which it did."""

    account_id: UUID
    case_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOfPerson:
    """One line of *who read my data*. Labels are those of the post at that time; the officer's name is not told."""

    at: datetime
    action: str  # "read" or "command"
    what: str
    organization_label: str
    post_label: str
    organization_id: UUID | None
    post_id: UUID | None
    actor_kind: str
    fields: tuple[str, ...]
    purpose: str
    legal_basis: str
    case_id: UUID | None
    by_self: bool
    database: str
    entry_id: UUID
    grant: str = ""  # the number of the grant under which it passed over the exchange
    is_of_other: bool = False  # read for somebody else's affair: only the body is named
    kept_back_until: datetime | None = None  # by an order of secrecy that is over


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One entry as the auditor's page lists it: no personal detail."""

    id: UUID
    at: datetime
    kind: str
    name: str
    outcome: str
    code: str
    actor_kind: str
    post_id: UUID | None
    organization_id: UUID | None
    object_kind: str
    object_id: str
    case_id: UUID | None
    seq: int = 0  # orders entries of one moment

    @property
    def mark(self) -> PageMark:
        """Where the page after this line begins."""
        return PageMark(at=self.at, seq=self.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMark:
    """Where a page of the log begins: after this entry. It travels in a link as `text`."""

    at: datetime
    seq: int

    def text(self) -> str:
        """Write the mark for a link."""
        return f"{self.at.isoformat()}_{self.seq}"

    @classmethod
    def parse(cls, text: str) -> PageMark:
        """Read a mark from a link. Raises ValueError when it is none."""
        at, _, seq = text.partition("_")
        found = datetime.fromisoformat(at)
        if found.tzinfo is None:
            raise ValueError("A mark has a time zone.")
        return cls(at=found, seq=int(seq))


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDetail:
    """What an entry says beyond its columns: purpose, facts, and the persons concerned with the fields read or changed."""

    organization_label: str
    post_label: str
    purpose: str
    legal_basis: str
    detail: Mapping[str, Any] = field(repr=False)
    subjects: tuple[tuple[UUID, tuple[str, ...]], ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """A receipt: this leaf is in the log whose head is signed. `verify_inclusion` and the head's signature check it."""

    entry_id: UUID
    index: int
    leaf: bytes
    path: tuple[bytes, ...]
    head: Head

    @property
    def holds(self) -> bool:
        """Whether the path leads from the leaf to the head's root; the head's signature is checked apart."""
        return verify_inclusion(
            leaf=self.leaf, index=self.index, size=self.head.size, proof=self.path, root=self.head.root
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong with a log: what, and at which place. No personal data."""

    problem: str
    index: int | None = None
    entry_id: UUID | None = None
    note: str = ""

    def __str__(self) -> str:
        where = "" if self.index is None else f" at leaf {self.index}"
        which = "" if self.entry_id is None else f" (entry {self.entry_id})"
        return f"{self.problem}{where}{which}{': ' + self.note if self.note else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verification found. ``unsealed`` entries are committed but younger than the last head."""

    log_id: UUID | None
    size: int
    heads: int
    unsealed: int
    erased: int
    findings: tuple[Finding, ...]
    more_findings: int = 0
    last_head: Head | None = None

    @property
    def is_sound(self) -> bool:
        return not self.findings
