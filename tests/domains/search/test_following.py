"""The index follows the database, and the database has the last word on what is shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections

from furong.domains.search import commands, models, queries, serving
from furong.domains.search.errors import IndexMissingError, NothingAsked, ResultGone
from furong.domains.search.following import rebuild
from furong.domains.search.values import STAFF, Query
from furong.foundation.access.values import Actor, ActorKind
from furong.foundation.codes.ids import new_id
from tests.domains.search.conftest import NOW, TODAY
from tests.domains.search.feeding import HeldSource

STRANGER = Actor.anonymous()
Follow = Callable[[], None]


def found(text: str, actor: Actor = STRANGER, **more: object) -> queries.Results:
    return queries.search(query=Query(text=text, today=TODAY, **more), actor=actor)  # type: ignore[arg-type]


def keys(results: queries.Results) -> list[str]:
    return [hit.key for hit in (*results.cards, *results.page.hits)]


@pytest.mark.usefixtures("database")
def test_what_changed_is_found_and_what_is_gone_is_not(held: HeldSource, follow: Follow) -> None:
    with pytest.raises(IndexMissingError):
        found("公报")
    first = held.put("a", "省政府公报第一期")
    follow()
    assert keys(found("公报")) == [first]
    second = held.put("b", "省政府公报第二期")
    commands.touch(keys=[second, "held:never", "stranger:x"], now=NOW)
    assert queries.get_status(now=NOW).waiting == 3
    follow()
    assert set(keys(found("公报"))) == {first, second}
    del held.held[first]
    commands.touch(keys=[first], now=NOW)
    follow()
    assert keys(found("公报")) == [second]
    status = queries.get_status(now=NOW)
    assert (status.documents, status.waiting, status.is_well) == (1, 0, True)
    assert status.writer
    with pytest.raises(NothingAsked):
        found("……！？")
    commands.tidy(now=NOW + timedelta(days=10), today=TODAY)
    assert not models.Change.objects.exists()


@pytest.mark.usefixtures("database")
def test_what_the_database_refuses_leaves_no_trace(held: HeldSource, follow: Follow) -> None:
    for number in range(14):
        held.put(f"page{number}", f"防汛通知{number}", "防汛值班表", site="应急厅" if number % 2 else "水利厅")
    hidden = [held.put(f"secret{number}", f"防汛预案{number}", "机密防汛预案", site="机要局") for number in range(3)]
    inner = held.put("inner", "防汛内部电话", rights=(STAFF,))
    follow()
    held.refused.update(hidden)
    commands.touch(keys=hidden, now=NOW)  # restricted a moment ago: the index does not know it yet
    results = found("防汛")
    assert results.page.total == 14
    assert len(results.page.hits) == 10
    assert not set(keys(results)) & set(hidden)
    assert {one.value: one.count for one in results.page.facets["site"]} == {"应急厅": 7, "水利厅": 7}
    assert found("机密预案").total == 0
    offered = [one.text for one in queries.suggest(typed="防汛", actor=STRANGER, on=TODAY, size=20)]
    assert offered
    assert not any("预案" in text or "内部" in text for text in offered)
    for key in (hidden[0], inner, "held:never"):
        with pytest.raises(ResultGone):
            queries.address_to_open(key=key, actor=STRANGER, on=TODAY)
    assert queries.address_to_open(key="held:page1", actor=STRANGER, on=TODAY) == "/page1"
    official = Actor(kind=ActorKind.STAFF, account_id=new_id(), organization_id=new_id(), post_id=new_id())
    assert inner in keys(found("防汛内部电话", official))
    assert inner not in keys(found("防汛内部电话"))


@pytest.mark.usefixtures("database")
def test_a_slip_is_helped_with_and_the_help_can_be_switched_off(held: HeldSource, follow: Follow) -> None:
    held.put("a", "医疗保险参保登记", "交费后次月享受待遇。")
    follow()
    helped = found("移疗保险")
    assert (helped.shown_for or helped.meant) == "医疗保险"
    as_typed = queries.search(query=Query(text="移疗保险", today=TODAY), actor=STRANGER, as_typed=True)
    assert not as_typed.shown_for
    assert not as_typed.meant
    assert found("yiliaobaoxian").shown_for == "医疗保险"
    assert found("yiliaobaoxian").total == 1


@pytest.mark.usefixtures("database")
def test_questions_are_counted_without_the_people_who_asked(held: HeldSource, follow: Follow) -> None:
    from furong.domains.search import counting

    held.put("a", "医疗保险参保登记")
    follow()
    for _ in range(3):
        found("我叫王小明 飞船 13812345678")
    results = found("医疗保险")
    found("医疗保险")
    found("医疗保险", first=10)  # leafing is no new question
    counting.count_opened(token=results.token, place=2, today=TODAY)
    counting.count_opened(token="' OR 1=1 --", place=1, today=TODAY)
    report = queries.get_report(since=TODAY, least=2)
    assert (report.searches, report.clicks, report.without_result) == (5, 1, 3)
    assert [(one.words, one.without_result) for one in report.in_vain] == [("我叫[…] 飞船 […]", 3)]
    assert [(one.words, one.clicks) for one in report.most][1:] == [("医疗保险", 1)]
    assert not models.Tally.objects.filter(words__contains="138").exists()


@pytest.mark.usefixtures("database")
def test_a_rebuild_takes_in_what_changes_meanwhile_and_swaps_at_once(held: HeldSource, follow: Follow) -> None:
    for number in range(30):
        held.put(f"p{number}", f"公报{number}")
    follow()
    before = serving.engine(on=TODAY).generation
    late = held.put("late", "公报增刊")
    seen: list[int] = []

    def tell(progress: object) -> None:
        commands.touch(
            keys=[late], now=NOW
        )  # a change while the rebuild runs, which the follower writes into the old index
        follow()
        seen.append(found("公报").total)

    del held.held["held:late"]
    generation = rebuild(place=serving.home(), now=NOW + timedelta(seconds=1), today=TODAY, tell=lambda p: None)
    assert generation != before
    held.put("late", "公报增刊")
    newest = rebuild(place=serving.home(), now=NOW + timedelta(seconds=2), today=TODAY, tell=tell)
    assert seen == [31]  # the old one served on, with the change
    assert serving.engine(on=TODAY).generation == newest
    assert found("增刊").total == 1
    follow()  # the follower has moved to the new generation
    held.put("more", "公报号外")
    commands.touch(keys=["held:more"], now=NOW)
    follow()
    assert found("号外").total == 1
    assert len(serving.home().generations()) == 2


@pytest.mark.usefixtures("database")
def test_many_readers_ask_while_the_index_changes(held: HeldSource, follow: Follow) -> None:
    held.put("a", "公报")
    follow()
    stop, wrong = threading.Event(), []

    def read() -> None:
        try:
            while not stop.is_set():
                total = found("公报").total
                if total < 1:
                    wrong.append(total)
        except Exception as error:  # noqa: BLE001 - told by the test's thread
            wrong.append(error)
        finally:
            connections.close_all()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(8):
        commands.touch(keys=[held.put(f"b{number}", f"公报{number}")], now=NOW)
        follow()
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert found("公报").total == 9


@pytest.mark.usefixtures("platform")
def test_the_platform_itself_is_found(follow: Follow) -> None:
    follow()
    services = found("生小孩要办什么")
    assert services.cards[0].title == "新生儿出生"
    assert services.bets[0].address == "/life/newborn"
    assert found("打疫苗").cards[0].title == "预防接种证办理"
    assert found("长沙市公安局").page.hits[0].title == "长沙市公安局"
    assert "长沙" in queries.suggest(typed="changsha", actor=STRANGER, on=TODAY)[0].text
