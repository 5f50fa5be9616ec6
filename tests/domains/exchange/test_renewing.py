"""A gateway's next key at the centre: taken by the hand of the old one, seen by the operator, and in force in its time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from furong.domains.exchange import commands, issuing, models, queries
from furong_link.handover import KeyName, hand_over
from furong_link.keys import SoftwareKey
from tests.domains.exchange.setting import SYSTEM, Exchange, make
from tests.domains.exchange.test_api import CONFIGURATION, ask, head, report
from tests.domains.exchange.test_commands import payload

pytestmark = pytest.mark.usefixtures("platform")
KEYS = "/api/exchange/keys"


@pytest.fixture
def made(platform: object, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    monkeypatch.setattr(issuing, "PUSH_SECONDS", 0.01)
    return make()


def sent(old: SoftwareKey, new: SoftwareKey, *, ago: float = 0, days: float = 8, number: int = 2) -> bytes:
    at = datetime.now(UTC) - timedelta(seconds=ago)
    names = KeyName(old.algorithm, old.public), KeyName(new.algorithm, new.public)
    until = at + timedelta(days=days)
    return json.dumps(hand_over(number=number, old=old, new=new, names=names, at=at, until=until)).encode()


def gateway_in(found: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in found["gateways"] if one["id"] == "hospital-1")


def view(now: datetime | None = None) -> Any:
    return queries.get_gateway(gateway="hospital-1", actor=SYSTEM, now=now or datetime.now(UTC))


def test_a_gateways_next_key_stands_beside_the_old_one_takes_over_and_the_old_one_ends(made: Exchange) -> None:
    old, new = made.keys["hospital-1"], SoftwareKey.generate(key_id="hospital-1/gateway/2")
    rival = SoftwareKey.generate(key_id="hospital-1/gateway/2")
    other = SoftwareKey.generate(key_id="hospital-1/gateway/2", algorithm="sm2-sm3")
    for wrong in (
        b"[]",
        b"{}",
        sent(made.keys["housing-1"], new),  # another's hand
        sent(new, old),
        sent(old, new, number=3),
        sent(old, new, ago=300),
        sent(old, new, days=40),
        sent(old, new, days=0),
        sent(old, other),
        sent(old, made.keys["rental"]),  # a key that is somebody's
    ):
        assert ask(old, "POST", KEYS, wrong).status_code == 422, wrong
    assert models.Key.objects.filter(gateway_id="hospital-1").count() == 1
    assert ask(new, "POST", KEYS, sent(old, new)).status_code == 403  # nobody knows it yet
    good = sent(old, new)
    for _ in range(2):  # the answer was lost
        answer = ask(old, "POST", KEYS, good)
        assert (answer.status_code, answer.json()) == (201, {"key_id": new.key_id})
    assert ask(old, "POST", KEYS, sent(old, rival)).status_code == 422  # a key hands over once
    # Both stand in the configuration; the one in force stays the one that callers are given, and the operator sees it.
    found = gateway_in(payload())
    assert (found["key"], found["keys"]) == (old.key_id, [old.key_id, new.key_id])
    assert [one.key_id for one in view().other_keys] == [new.key_id]
    assert "key_renewed" in view().warnings
    entry = models.Key.objects.get(key_id=new.key_id)
    assert entry.valid_until > datetime.now(UTC) + timedelta(days=700)
    # Its first request by the new key says that it took over.
    assert report(old, number=1, head=head(old, 3)).status_code == 204
    assert ask(new, "GET", CONFIGURATION).status_code == 200
    issuing.issue(now=datetime.now(UTC))
    found = gateway_in(payload())
    assert (found["key"], found["keys"]) == (new.key_id, [old.key_id, new.key_id])
    assert report(new, number=2, head=head(new, 5, b"\2" * 32)).status_code == 204
    assert not [one for one in view().warnings if one.startswith("log_")]
    assert ask(old, "GET", CONFIGURATION).status_code == 200  # within its grace
    models.Key.objects.filter(key_id=old.key_id).update(valid_until=datetime.now(UTC))
    assert ask(old, "GET", CONFIGURATION).status_code == 403
    issuing.issue(now=datetime.now(UTC), anew=True)
    assert "keys" not in gateway_in(payload())
    assert "key_renewed" not in view().warnings
    # Shut out, neither counts.
    commands.revoke_gateway(gateway="hospital-1", actor=SYSTEM, now=datetime.now(UTC))
    assert ask(new, "GET", CONFIGURATION).status_code == 403
