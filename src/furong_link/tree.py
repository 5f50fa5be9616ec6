"""The Merkle tree of RFC 6962 section 2 with every complete subtree kept: append, root and proofs in O(log n). Pure.

Proofs are checked after RFC 9162 sections 2.1.3.2 and 2.1.4.2. The platform's audit log uses the same leaves, nodes
and checks; this module stands alone, because members install it without the platform.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

HASH = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Give SHA-256(0x00 ‖ data)."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A tree that grows at its right edge. Costs 64 bytes of memory a leaf and one hash an append, on average."""

    __slots__ = ("_levels",)

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @property
    def size(self) -> int:
        return len(self._levels[0]) // HASH

    def append(self, leaf: bytes) -> int:
        """Append a leaf's hash (32 bytes) and give its index."""
        index, node, level = self.size, leaf, 0
        while True:
            if level == len(self._levels):
                self._levels.append(bytearray())
            row = self._levels[level]
            row += node
            if (len(row) // HASH) & 1:
                return index
            node = node_hash(bytes(row[-2 * HASH : -HASH]), node)
            level += 1

    def leaves(self, start: int, end: int) -> bytes:
        """Give the hashes of the leaves from ``start`` to before ``end``, one after another."""
        return bytes(self._levels[0][start * HASH : end * HASH])

    def leaf(self, index: int) -> bytes:
        """Give the hash of a leaf. Raises IndexError."""
        if not 0 <= index < self.size:
            raise IndexError("There is no such leaf.")
        return self._node(0, index)

    def _node(self, level: int, position: int) -> bytes:
        return bytes(self._levels[level][position * HASH : (position + 1) * HASH])

    def _range(self, start: int, end: int) -> bytes:
        """The root over leaves [start, end), where start is a multiple of the largest power of two below the length."""
        length = end - start
        if length & (length - 1) == 0:
            level = length.bit_length() - 1
            return self._node(level, start >> level)
        middle = start + (1 << (length.bit_length() - 1))
        return node_hash(self._range(start, middle), self._range(middle, end))

    def root(self, *, size: int | None = None) -> bytes:
        """Give the root over the first ``size`` leaves, all by default. Raises ValueError when there are fewer."""
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise ValueError("The tree is smaller.")
        return self._range(0, size) if size else EMPTY_ROOT

    def prove_inclusion(self, *, index: int, size: int) -> list[bytes]:
        """Prove that leaf ``index`` is in the tree of the first ``size`` leaves (RFC 6962 section 2.1.1)."""
        if not 0 <= index < size <= self.size:
            raise ValueError("The leaf is not in that tree.")
        start, end = 0, size
        path: list[bytes] = []
        while end - start > 1:
            middle = start + split(end - start)
            if index < middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return path[::-1]

    def prove_consistency(self, *, earlier: int, size: int) -> list[bytes]:
        """Prove that the first ``earlier`` leaves are the beginning of the first ``size`` (RFC 6962 section 2.1.2)."""
        if not 0 < earlier <= size <= self.size:
            raise ValueError("The earlier tree has at least one leaf and no more than the later one.")
        start, end, whole = 0, size, True
        path: list[bytes] = []
        while end != earlier:
            middle = start + split(end - start)
            if earlier <= middle:
                path.append(self._range(middle, end))
                end = middle
            else:
                path.append(self._range(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._range(start, end))
        return path[::-1]


def split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << (size - 1).bit_length() - 1


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether ``proof`` shows the leaf's hash at ``index`` of the tree with ``size`` leaves and ``root``."""
    if not 0 <= index < size:
        return False
    fn, sn, found = index, size - 1, leaf
    for part in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found = node_hash(part, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, part)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and found == root


def verify_consistency(*, earlier: int, earlier_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether ``proof`` shows that the earlier tree is the beginning of the later one."""
    if not 0 < earlier <= size:
        return False
    if earlier == size:
        return not proof and earlier_root == root
    path = list(proof)
    if earlier & (earlier - 1) == 0:
        path.insert(0, earlier_root)
    if not path:
        return False
    fn, sn = earlier - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for part in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(part, first), node_hash(part, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, part)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == earlier_root and second == root
