"""Five levels of nodes, as pure documents: a town's member reaches a service of the nation, and nobody speaks for another."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from furong_link import nodes
from furong_link.configuration import check_payload, sign_configuration
from furong_link.enrolment import new_code, secret_of
from furong_link.errors import ConfigurationError
from furong_link.keys import SoftwareKey

NOW = datetime(2026, 11, 23, tzinfo=UTC)
VALID = {"valid_from": "2020-01-01T00:00:00+00:00", "valid_until": "2100-01-01T00:00:00+00:00"}


class Operator:
    """A node with one member, one gateway and one service, and what it holds of the nodes around it."""

    def __init__(self, code: str) -> None:
        self.code, self.serial = code, 0
        self.key = SoftwareKey.generate(key_id=nodes.key_id_of(code))
        self.gateway = SoftwareKey.generate(key_id=f"{code}-1/gateway/1")
        self.below: nodes.Document | None = None
        self.above: nodes.Document | None = None
        self.grants: list[dict[str, Any]] = []

    def own(self) -> dict[str, Any]:
        member = f"{self.code}-office"
        key = {"id": self.gateway.key_id, "member": member, "algorithm": "ed25519", "public": self.gateway.public}
        return {
            "exchange": self.code,
            "serial": 1,
            "issued_at": NOW.isoformat(),
            "members": [{"id": member}],
            "keys": [{**key, **VALID}],
            "gateways": [{"id": f"{self.code}-1", "authority": "a:1", "member": member, "key": self.gateway.key_id}],
            "services": [{"id": f"{self.code}-data", "provider": member, "gateway": f"{self.code}-1"}],
            "grants": self.grants,
        }

    def payload(self) -> dict[str, Any]:
        whole = self.own()
        for one in (self.below, self.above):
            if one is not None:
                whole, _ = nodes.joined(whole, one.payload, ends_at=one.ends_at)
        return whole

    def document(self, to: Operator, *, up: bool) -> bytes:
        self.serial += 1
        payload = self.payload()
        if up:
            above = {one["id"] for one in (self.above.payload["members"] if self.above else [])}
            parts = nodes.stating(payload, members={one["id"] for one in payload["members"]} - above)
        else:
            assert self.below is not None
            parts = nodes.concerning(payload, members=nodes.members_of(self.below.payload))
        return nodes.sign_document(
            parts, sender=self.code, recipient=to.code, serial=self.serial, issued_at=NOW, signer=self.key
        )

    def take(self, file: bytes, sender: Operator) -> nodes.Document:
        held = self.below or self.above
        same = held is not None and held.sender == sender.code
        return nodes.read_document(
            file,
            key=sender.key.verifier(),
            sender=sender.code,
            recipient=self.code,
            held=held.serial if held and same else 0,
        )


def test_a_towns_member_reaches_the_nation_over_five_levels_and_a_withdrawal_comes_down() -> None:
    chain = [Operator(level) for level in nodes.LEVELS]
    for lower, upper in zip(chain[:0:-1], chain[-2::-1], strict=True):  # members go up, from the town on
        upper.below = upper.take(lower.document(upper, up=True), lower)
    nation, town = chain[0], chain[-1]
    assert {one["id"] for one in nation.payload()["members"]} == {f"{level}-office" for level in nodes.LEVELS}
    nation.grants = [
        {
            "id": "g1",
            "consumer": "town-office",
            "service": "nation-data",
            "purpose": "p",
            "methods": ["GET"],
            "paths": ["/**"],
            "fields": None,
            **VALID,
        }
    ]

    def down() -> None:
        for upper, lower in pairwise(chain):
            lower.above = lower.take(upper.document(lower, up=False), upper)

    down()
    found = check_payload(town.payload())
    assert found.grants["g1"].service == "nation-data"
    assert found.grants["g1"].valid_until == NOW.timestamp() + 86_400  # with the document, not in 2100
    assert found.keys["nation-1/gateway/1"].member == "nation-office"
    # Each level between carries it, none but the nation gives it.
    assert [len(one.grants) for one in chain] == [1, 0, 0, 0, 0]
    nation.grants = []
    down()
    assert check_payload(town.payload()).grants == {}


def test_a_node_speaks_only_for_its_own_names_and_gives_grants_only_for_its_own_services() -> None:
    upper, lower = Operator("province"), Operator("city")
    theirs = lower.own()
    theirs["members"] += [{"id": "province-office", "suspended": True}]
    key = SoftwareKey.generate(key_id="province-office/desk/1")
    public = {"algorithm": "ed25519", "public": key.public, **VALID}
    theirs["keys"] += [{"id": key.key_id, "member": "province-office", **public}]
    theirs["keys"] += [{"id": "city-office/other/1", "member": "city-office", **public, "public": upper.gateway.public}]
    theirs["gateways"] += [{"id": "fake", "authority": "b:1", "member": "province-office", "key": key.key_id}]
    theirs["services"] += [{"id": "province-data", "provider": "city-office", "gateway": "city-1"}]
    grant = {"consumer": "city-office", "purpose": "p", "methods": ["GET"], "paths": ["/**"], "fields": None, **VALID}
    theirs["grants"] = [{"id": "g", "service": "province-data", **grant}]
    whole, left = nodes.joined(upper.own(), theirs, ends_at=NOW.timestamp())
    found = check_payload(whole)
    assert found.suspended == frozenset()
    assert set(left) == {
        f"keys/{key.key_id}",
        "keys/city-office/other/1",
        "gateways/fake",
        "services/province-data",
        "grants/g",
    }
    assert found.services["province-data"].provider == "province-office"


def test_documents_are_for_one_recipient_numbered_signed_and_no_configuration() -> None:
    upper, lower = Operator("province"), Operator("city")
    file = lower.document(upper, up=True)
    assert upper.take(file, lower).serial == 1
    with pytest.raises(ConfigurationError, match="not signed"):
        upper.take(sign_configuration(lower.own(), signer=lower.key), lower)  # another context
    with pytest.raises(ConfigurationError, match="not signed"):
        nodes.read_document(file, key=upper.key.verifier(), sender="city", recipient="province")
    with pytest.raises(ConfigurationError, match="another node"):
        nodes.read_document(file, key=lower.key.verifier(), sender="city", recipient="county")
    with pytest.raises(ConfigurationError, match="older"):
        nodes.read_document(file, key=lower.key.verifier(), sender="city", recipient="province", held=2)
    for broken in (b"", b"[]", b"{}", b'{"payload": "e30="}'):
        with pytest.raises(ConfigurationError):
            nodes.sender_of(broken)


def test_a_joining_is_sealed_by_the_code_and_signed_by_the_key() -> None:
    key, code = SoftwareKey.generate(key_id="city/node/1"), new_code()
    asked = nodes.Joining(
        node="city", level="city", zh="市", en="", address="https://a.example/x", algorithm="ed25519", public=key.public
    )
    sent = nodes.seal_joining(asked, code=code, signer=key)
    assert nodes.read_joining(sent, secret=secret_of(code)) == asked
    other = nodes.seal_joining(asked, code=code, signer=SoftwareKey.generate(key_id="x"))
    changed = {**sent, "joining": {**sent["joining"], "address": "http://evil.example"}}
    for wrong in (other, changed, {**sent, "seal": "é"}, {}, {**sent, "joining": 1}):
        with pytest.raises(ConfigurationError):
            nodes.read_joining(wrong, secret=secret_of(code))
    with pytest.raises(ConfigurationError):
        nodes.read_joining(sent, secret=secret_of(new_code()))
    assert nodes.is_below("town", "nation")
    assert not nodes.is_below("nation", "nation")
