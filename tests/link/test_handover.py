"""An operator's key hands over: in numbers, once, for a time; what a gateway keeps of it, and what a member may name by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from furong_link.cli import main, read_settings
from furong_link.configuration import sign_configuration
from furong_link.errors import ConfigurationError
from furong_link.handover import FOLLOWED_SECONDS, MOST, KeyName, Trust, hand_over, read_handover
from furong_link.keys import SoftwareKey
from furong_link.operator_key import NAME, Operator

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def keys(count: int, *, algorithm: str = "ed25519") -> list[SoftwareKey]:
    return [SoftwareKey.generate(key_id=f"operator/{n + 1}", algorithm=algorithm) for n in range(count)]


def name(key: SoftwareKey) -> KeyName:
    return KeyName(key.algorithm, key.public)


def over(number: int, old: SoftwareKey, new: SoftwareKey, *, days: int = 7) -> dict[str, Any]:
    until = NOW + timedelta(days=days)
    return hand_over(number=number, old=old, new=new, names=(name(old), name(new)), at=NOW, until=until)


def configuration(serial: int, signer: SoftwareKey, handovers: list[dict[str, Any]]) -> bytes:
    parts = {part: [] for part in ("members", "keys", "gateways", "services", "grants")}
    payload = {"exchange": "hunan", "serial": serial, "issued_at": NOW.isoformat(), **parts}
    return sign_configuration(payload, signer=signer, handovers=handovers)


def test_hand_overs_are_followed_in_order_once_and_within_ninety_days() -> None:
    first, second, third, rival = keys(4)
    chain = [over(2, first, second), over(3, second, third, days=0)]
    now = NOW.timestamp()
    trust = Trust(name(first)).after(chain, now=now)
    assert (trust.key, trust.number, trust.before) == (name(third), 3, name(second))
    assert Trust(name(first)).after(chain[::-1], now=now).key == name(second)  # each from the key that is held
    assert trust.after([over(3, second, rival), over(2, first, rival)], now=now) == trust
    assert Trust.of_json(trust.as_json()) == trust
    text = b"x"
    signs = {key.key_id: key.sign(text) for key in (first, second, third)}

    def counted(held: Trust, at: float) -> list[str]:
        return [one for one, sign in signs.items() if held.counts(text, sign, algorithm="ed25519", now=at)]

    assert counted(trust, now) == ["operator/3"]  # no grace: it was stolen
    within = Trust(name(first)).after(chain[:1], now=now)
    assert counted(within, now) == ["operator/1", "operator/2"]
    assert counted(within, now + 8 * 86_400) == ["operator/2"]
    assert Trust(name(first)).after(chain[:1], now=now + FOLLOWED_SECONDS - 1).number == 2
    with pytest.raises(ConfigurationError, match="past"):
        Trust(name(first)).after(chain[:1], now=now + FOLLOWED_SECONDS)
    for wrong in ({}, [chain[0]] * (MOST + 1), "x"):
        with pytest.raises(ConfigurationError, match="not of the form"):
            Trust(name(first)).after(wrong, now=now)  # type: ignore[arg-type]


def test_a_hand_over_that_one_of_the_two_did_not_sign_is_none() -> None:
    first, second, rival = keys(3)
    good = over(2, first, second)
    assert read_handover(good).new == name(second)
    forged = hand_over(
        number=2, old=rival, new=second, names=(name(first), name(second)), at=NOW, until=NOW + timedelta(days=1)
    )
    unheld = hand_over(
        number=2, old=first, new=rival, names=(name(first), name(second)), at=NOW, until=NOW + timedelta(days=1)
    )
    backwards = hand_over(
        number=2, old=first, new=second, names=(name(first), name(second)), at=NOW, until=NOW - timedelta(days=1)
    )
    for wrong in (
        forged,
        unheld,
        backwards,
        over(1, first, second),
        {**good, "old": good["new"]},
        {},
        {**good, "payload": "e30="},
    ):
        with pytest.raises(ConfigurationError):
            read_handover(wrong)


@pytest.mark.parametrize("algorithms", [("ed25519", "sm2-sm3"), ("sm2-sm3", "ed25519")])
def test_a_gateway_follows_to_another_suite_and_still_does_after_a_crash_between_the_two_files(
    tmp_path: Path, algorithms: tuple[str, str]
) -> None:
    old, new = (keys(1, algorithm=one)[0] for one in algorithms)
    file, now = configuration(2, new, [over(2, old, new, days=0)]), NOW.timestamp()
    operator = Operator(tmp_path, name(old))
    held = operator.read(configuration(1, old, []), now=now)
    assert operator.read(file, now=now, held=held).serial == 2
    again = Operator(tmp_path, name(old))  # it crashed before it kept what it followed: the file itself leads there
    assert again.read(file, now=now).serial == 2
    assert again.keep()
    assert not again.keep()
    later = Operator(tmp_path, name(old))
    assert later.number == 2
    with pytest.raises(ConfigurationError, match="not signed"):
        later.read(configuration(3, old, []), now=now)
    assert later.read(configuration(3, new, []), now=now).serial == 3  # a year later no file brings the hand-over
    other = Operator(tmp_path, name(keys(1)[0]))  # the member named another operator: nothing of before counts
    assert other.number == 1
    (tmp_path / NAME).write_text("{")
    with pytest.raises(ConfigurationError, match=NAME):
        Operator(tmp_path, name(old))


def test_a_member_names_a_new_key_of_the_operator_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = keys(2)
    folder = tmp_path / "clinic"
    init = ["init", str(folder), "--id", "clinic-1", "--authority", "127.0.0.1:8601"]
    assert main([*init, "--operator", f"ed25519:{old.public}"]) == 0
    (folder / NAME).write_text("{}")
    assert main(["operator", str(folder), "ed25519:AAAA"]) == 1
    assert read_settings(folder)[2] == name(old)
    capsys.readouterr()
    assert main(["operator", str(folder), f"ed25519:{new.public}"]) == 0
    assert len(capsys.readouterr().out.splitlines()[-1].split()) == 8  # the fingerprint, to be compared
    settings, _, operator, _ = read_settings(folder)
    assert (operator, settings.id, (folder / NAME).exists()) == (name(new), "clinic-1", False)
