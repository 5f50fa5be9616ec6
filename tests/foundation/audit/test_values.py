from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.foundation.audit.values import (
    EMPTY_ROOT,
    Frontier,
    Head,
    canonical_text,
    consistency_proof,
    detail_digest,
    inclusion_proof,
    leaf_hash,
    node_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

leaves = st.lists(st.binary(min_size=1, max_size=4).map(leaf_hash), min_size=1, max_size=70)


def root_by_definition(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(root_by_definition(hashes[:k]), root_by_definition(hashes[k:]))


def test_the_tree_gives_the_published_roots() -> None:
    """The test vectors of the certificate-transparency reference implementation."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT
    for text, root in zip(inputs, roots, strict=True):
        frontier.append(leaf_hash(bytes.fromhex(text)))
        assert frontier.root().hex() == root


@given(leaves)
def test_the_frontier_is_the_whole_tree(hashes: list[bytes]) -> None:
    frontier = Frontier()
    for count, leaf in enumerate(hashes, start=1):
        assert frontier.append(leaf) == count - 1
        assert frontier.root() == root_by_definition(hashes[:count]) == tree_root(hashes[:count])


@given(leaves)
def test_every_subtree_is_told_once_when_it_is_complete(hashes: list[bytes]) -> None:
    told: dict[tuple[int, int], bytes] = {}
    frontier = Frontier()
    for leaf in hashes:
        frontier.append(leaf, completed=lambda level, index, value: told.setdefault((level, index), value))
    wanted = {
        (level, index): root_by_definition(hashes[index << level : (index + 1) << level])
        for level in range(1, 8)
        for index in range(len(hashes) >> level)
    }
    assert told == wanted


@given(leaves, st.data())
def test_every_leaf_can_be_proved_and_no_other_in_its_place(hashes: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(hashes) - 1))
    root, size = tree_root(hashes), len(hashes)
    proof = inclusion_proof(hashes, index=index)
    assert verify_inclusion(leaf=hashes[index], index=index, size=size, proof=proof, root=root)
    other = leaf_hash(b"another")
    assert not verify_inclusion(leaf=other, index=index, size=size, proof=proof, root=root)
    assert not verify_inclusion(leaf=hashes[index], index=index, size=size, proof=[*proof, other], root=root)
    assert not verify_inclusion(leaf=hashes[index], index=size, size=size, proof=proof, root=root)
    if proof:
        assert not verify_inclusion(leaf=hashes[index], index=index, size=size, proof=proof[:-1], root=root)
        wrong = data.draw(st.integers(0, size - 1).filter(lambda i: i != index))
        if hashes[wrong] != hashes[index]:
            assert not verify_inclusion(leaf=hashes[wrong], index=index, size=size, proof=proof, root=root)


@given(leaves, st.data())
def test_every_earlier_tree_can_be_proved_a_beginning_and_no_other(hashes: list[bytes], data: st.DataObject) -> None:
    earlier = data.draw(st.integers(1, len(hashes)))
    old, new, size = tree_root(hashes[:earlier]), tree_root(hashes), len(hashes)
    proof = consistency_proof(hashes, earlier=earlier)
    assert verify_consistency(earlier=earlier, earlier_root=old, size=size, root=new, proof=proof)
    forged = tree_root([leaf_hash(b"another"), *hashes[1:earlier]])
    if forged != old:
        assert not verify_consistency(earlier=earlier, earlier_root=forged, size=size, root=new, proof=proof)
    assert not verify_consistency(earlier=earlier, earlier_root=old, size=size, root=leaf_hash(b"x"), proof=proof)
    assert not verify_consistency(earlier=size + 1, earlier_root=old, size=size, root=new, proof=proof)
    assert not verify_consistency(earlier=0, earlier_root=EMPTY_ROOT, size=size, root=new, proof=proof)


def test_a_frontier_that_does_not_fit_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier(3, [b"x"])


class Kind(StrEnum):
    A = "a"


def test_the_canonical_text_is_one_for_equal_values() -> None:
    at = datetime(2026, 11, 3, 8, 30, tzinfo=timezone(timedelta(hours=8)))
    value = {"b": {Kind.A, "z"}, "a": (1, True, None), "时": at, "id": UUID(int=1), "n": Decimal("1.50")}
    assert (
        canonical_text(value)
        == '{"a":[1,true,null],"b":["a","z"],"id":"00000000-0000-0000-0000-000000000001","n":"1.50",'
        '"时":"2026-11-03T00:30:00.000000Z"}'
    )


@pytest.mark.parametrize("value", [1.0, {1: 2}, object(), datetime(2026, 1, 1)])  # noqa: DTZ001 - a naive time is the point
def test_what_has_no_one_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_text(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_text_can_be_recorded(value: object) -> None:
    canonical_text(value).encode()


@given(
    st.binary(min_size=16, max_size=16), st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))
)
def test_details_of_different_content_or_salt_differ(salt: bytes, one: str, other: str) -> None:
    same = detail_digest(salt=salt, content=one)
    assert (detail_digest(salt=salt, content=other) == same) == (one == other)
    assert detail_digest(salt=bytes(16) if salt != bytes(16) else b"1" * 16, content=one) != same


def test_a_head_comes_back_from_its_json() -> None:
    head = Head(
        log_id=UUID(int=7),
        size=3,
        root=b"r" * 32,
        at=datetime(2026, 11, 3, 8, 30, 1, 5, tzinfo=UTC),
        key_id="ed25519:00",
        algorithm="ed25519",
        signature=b"s" * 64,
    )
    assert Head.from_json(head.as_json()) == head
