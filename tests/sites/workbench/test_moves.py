"""Moves at the counter: a request, the steps of both counters, and what is refused in words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.utils import timezone
from tests.sites.workbench.staff import SYSTEM, links, now, staff, words

from furong.registries.population.moves import commands, queries
from furong.sites.workbench.views.moves import BASIS

pytestmark = pytest.mark.usefixtures("platform")

MOVES = "/work/population/moves"
GROWN = """
SELECT p.person_id, p.name, n.number FROM population_person p
JOIN population_identity_number n ON n.person_id = p.person_id AND n.valid_until IS NULL
JOIN population_household_member m ON m.person_id = p.person_id AND m.valid_until IS NULL AND m.superseded_at IS NULL
WHERE p.status = 'registered' AND p.born_on < '1995-01-01' AND {}
  AND (SELECT count(*) FROM population_household_member o WHERE o.household_id = m.household_id
       AND o.valid_until IS NULL AND o.superseded_at IS NULL) > 1
ORDER BY p.person_id LIMIT 1
"""


def grown(where: str) -> tuple[UUID, str, str]:
    with connections["population"].cursor() as cursor:
        cursor.execute(GROWN.format(where))
        row: tuple[UUID, str, str] = cursor.fetchone()
    return row


def act() -> dict[str, Any]:
    return {"actor": SYSTEM, "basis": BASIS, "now": now()}


def stands(address: str) -> str:
    return queries.get_move(move_id=UUID(address.rpartition("/")[2]), **act()).state


def test_a_request_goes_from_the_counter_to_the_permit_and_is_refused_twice() -> None:
    officer = staff("police")
    _, name, number = grown("p.division_code NOT LIKE '430202%%' AND m.relation <> '02'")
    given = {
        "name": name, "number": number, "asks": "self", "place": "address", "division_code": "430202001000",
        "address": "湘江路 18 号", "reason": "home", "words": "不动产权证",
    }  # fmt: skip
    missing = officer.post(f"{MOVES}/new", {**given, "address": ""})
    assert missing.status_code == 422
    assert "请填写地址" in words(missing.content)
    nobody = officer.post(f"{MOVES}/new", {**given, "name": "无此人"})
    assert nobody.status_code == 422
    first = officer.post(f"{MOVES}/new", given)
    assert first.status_code == 302
    again = officer.post(f"{MOVES}/new", given)
    assert "此人另有一次迁移正在办理" in words(again.content)
    address = first["Location"]
    assert address in links(officer.get(MOVES).content, MOVES)
    assert name not in officer.get(MOVES).content.decode()
    for step, state in (("approve", "approved"), ("issue", "issued")):
        assert officer.post(address, {"act": step}).status_code == 302
        assert stands(address) == state
    closed = officer.post(address, {"act": "depart", "depart-valid_days": "30"})  # the other counter's step
    assert closed.status_code == 422
    assert officer.post(address, {"act": "void", "void-words": ""}).status_code == 422
    assert officer.post(address, {"act": "void", "void-words": "本人撤回"}).status_code == 302
    assert stands(address) == "void"
    assert "未迁入而结束" in words(officer.get(f"{MOVES}?show=ended").content)


def test_a_head_departs_once_the_next_is_named_and_arrives_at_the_other_counter() -> None:
    officer = staff("police")
    head, _, _ = grown("p.division_code LIKE '430202001%%' AND m.relation = '02'")
    move = commands.request_move(
        person_id=head,
        division_code="430102001000",
        address="桃花岭 3 号",
        reason="work",  # type: ignore[arg-type]
        applicant_person_id=head,
        **act(),
    ).move_id
    commands.approve_move(move_id=move, **act())
    commands.issue_move_permit(move_id=move, **act())
    address = f"{MOVES}/{move}"
    page = officer.get(address).content.decode()
    choice = page.partition('name="depart-new_head_person_id"')[2].partition("</select>")[0]
    members = [part.partition('"')[0] for part in choice.split('value="')[1:]]
    following = next(one for one in members if one)
    given = {"act": "depart", "depart-valid_days": "30", "depart-new_head_person_id": ""}
    assert officer.post(address, given).status_code == 422
    assert officer.post(address, {**given, "depart-new_head_person_id": following}).status_code == 302
    assert stands(address) == "out"
    assert "迁移证" in words(officer.get(address).content)
    today = timezone.localdate()
    commands.record_arrival(move_id=move, arrived_on=today, **act())
    assert "已迁入" in words(officer.get(address).content)
    assert staff("insurance").get(MOVES).status_code == 403
