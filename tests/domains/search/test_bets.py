"""What editors put on top: in the name of an office, for a question without personal data, until a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from furong.domains.search import commands, queries
from furong.domains.search.errors import BetNotFound, BetRefused
from furong.domains.search.values import MANAGE, Query
from furong.domains.search.wording import vocabulary
from furong.foundation.access.errors import AccessRefused
from furong.foundation.access.values import Actor
from tests.domains.catalogue.test_grants import member
from tests.domains.search.conftest import NOW, TODAY
from tests.domains.search.feeding import HeldSource

UNTIL = TODAY + timedelta(days=10)
GIVEN: dict[str, Any] = {
    "words": "摇号买车",
    "title": "小客车指标申请",
    "address": "/guide/plates",
    "note": "每月二十六日配置。",
    "until_on": UNTIL,
}


def place(actor: Actor, **other: Any) -> int:
    return commands.place_best_bet(**{**GIVEN, **other}, today=TODAY, actor=actor, now=NOW)


def on_top(text: str, today: date = TODAY, shown_in: str = "zh") -> list[tuple[str, str]]:
    query = Query(text=text, today=today, shown_in=shown_in)
    return [(one.title, one.owner) for one in queries.search(query=query, actor=Actor.anonymous()).bets]


@pytest.mark.usefixtures("platform")
def test_an_answer_stands_on_top_in_an_offices_name_until_its_day_or_until_it_is_taken_down(
    held: HeldSource, follow: Callable[[], None]
) -> None:
    held.put("a", "居住证办理指南")
    follow()
    editor = member("data_authority", right=MANAGE)
    number = place(editor)
    ours = [("小客车指标申请", editor.organization_label)]
    for text in ("摇号买车", "摇号买车怎么办", "請問 搖號買車 在哪里办"):  # what says nothing may stand around it
        assert on_top(text) == ours, text
    assert on_top("摇号") == []
    assert on_top("摇号买车", UNTIL - timedelta(days=1)) == ours
    assert on_top("摇号买车", UNTIL) == []
    assert [one.id for one in queries.list_bets(actor=editor, today=TODAY)] == [number]
    for wrong in (
        {"words": "……"},
        {"words": "我叫周芷沅 摇号"},
        {"title": " "},
        {"address": "javascript:alert(1)"},
        {"address": "//elsewhere.example/"},
        {"until_on": TODAY},
        {"until_on": TODAY + timedelta(days=400)},
    ):
        with pytest.raises(BetRefused):
            place(editor, **wrong)
    with pytest.raises(BetRefused):  # nobody answers for it
        place(replace(editor, organization_id=None))
    with pytest.raises(AccessRefused):
        place(member("civil_affairs"))
    commands.end_best_bet(bet_id=number, actor=editor, now=NOW)
    assert on_top("摇号买车") == []
    with pytest.raises(BetNotFound):
        commands.end_best_bet(bet_id=number, actor=editor, now=NOW)
    # Those of the pack have an owner and an end too, and speak English to those who read it.
    packed = vocabulary(on=TODAY).bets[0]
    assert on_top(packed.words[0]) == [(packed.title.primary, "卫生健康")]
    assert on_top(packed.words[0], shown_in="en")[0][0] == packed.title.pick("en") != packed.title.primary
    assert on_top(packed.words[0], packed.until) == []
