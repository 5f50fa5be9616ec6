"""How often somebody may ask, a minute and a day, over all processes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from furong.foundation.access import pace
from furong.foundation.access.errors import TooManyAsked
from furong.foundation.access.pace import Pace, keep_pace
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.codes.ids import new_id

pytestmark = pytest.mark.usefixtures("database")
NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)


def staff() -> Actor:
    return Actor(kind=ActorKind.STAFF, account_id=new_id(), post_id=new_id())


def ask(actor: Actor, times: int, allowed: Pace) -> None:
    for _ in range(times):
        keep_pace(actor=actor, what="a", pace=allowed, now=NOON)


def test_a_minutes_number_is_refused_until_the_time_that_the_refusal_names() -> None:
    actor, slow = staff(), Pace(per_minute=3, per_day=1000)
    for _ in range(3):
        keep_pace(actor=actor, what="a", pace=slow, now=NOON)
    with pytest.raises(TooManyAsked) as refused:
        keep_pace(actor=actor, what="a", pace=slow, now=NOON)
    assert refused.value.goes_on_at == NOON + timedelta(seconds=20)
    assert refused.value.params == {"most": 3, "at": "12:00:20"}
    keep_pace(actor=actor, what="b", pace=slow, now=NOON)  # another query has a number of its own
    keep_pace(actor=staff(), what="a", pace=slow, now=NOON)  # and so has another account
    keep_pace(actor=actor, what="a", pace=slow, now=NOON + timedelta(seconds=20))
    with pytest.raises(TooManyAsked):
        keep_pace(actor=actor, what="a", pace=slow, now=NOON + timedelta(seconds=21))


def test_a_days_number_holds_over_all_processes_and_a_rollback_takes_nothing_back() -> None:
    actor, few = staff(), Pace(per_minute=30, per_day=30)
    with transaction.atomic():
        ask(actor, 20, few)
        transaction.set_rollback(True)
    pace.forget()  # another process
    with pytest.raises(TooManyAsked) as refused:
        ask(actor, 11, few)
    assert refused.value.params == {"most": 30, "at": "2026-03-11"}
    tomorrow = NOON + timedelta(days=1)
    assert refused.value.goes_on_at == datetime(2026, 3, 10, 16, 0, tzinfo=UTC)  # midnight at home
    keep_pace(actor=actor, what="a", pace=few, now=tomorrow)
    assert pace.sweep(now=tomorrow + timedelta(days=2)) >= 2


def test_the_platforms_own_work_is_not_counted() -> None:
    for _ in range(5):
        keep_pace(actor=Actor.system("job"), what="a", pace=Pace(per_minute=1, per_day=1), now=NOON)
