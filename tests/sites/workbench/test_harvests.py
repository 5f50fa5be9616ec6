"""Catalogues elsewhere in the workbench: named, harvested now, their log read, removed; by the data authority alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from tests.sites.workbench.staff import links, refusals, staff, words

from furong.domains.catalogue.harvest import commands, queries, tasks
from furong.domains.catalogue.harvest.values import Dataset, skip, stop
from furong.foundation.access.values import Actor

pytestmark = pytest.mark.usefixtures("platform")

SYSTEM = Actor.system("test")
GIVEN = {
    "url": "https://data.example.org/catalog.ttl",
    "kind": "dcat",
    "code": "lakes",
    "title_zh": "湖区目录",
    "title_en": "Lakes",
    "every_hours": "24",
}


def add(client: Any, **changed: str) -> Any:
    return client.post("/work/harvest-new", {**GIVEN, **changed})


def test_a_source_is_named_harvested_read_and_removed() -> None:
    authority = staff("catalogue")
    assert "还没有外部目录" in words(authority.get("/work/harvests").content)
    answer = add(authority)
    assert (answer.status_code, answer["Location"]) == (302, "/work/harvests/lakes")
    shown = words(authority.get("/work/harvests/lakes").content)
    for word in ("湖区目录", "尚未采集", "DCAT 目录", "https://data.example.org/catalog.ttl", "每 24 小时一次"):
        assert word in shown, word
    now = timezone.now()
    catch = commands.Catch(
        datasets=(Dataset(identifier="1", title={"zh": "湖泊名录"}),), findings=(skip("twice", 2),), seen=2, skipped=1
    )
    commands.publish_harvest(code="lakes", catch=catch, began_at=now, actor=SYSTEM, now=now)
    shown = words(authority.get("/work/harvests/lakes").content)
    assert "已更新" in shown
    assert "1 条提示" in shown
    assert "湖区目录" in words(authority.get("/work/harvests").content)
    form = authority.get("/work/harvests/lakes/acts/remove")
    assert "全部数据集立即从公开目录撤下" in words(form.content)
    assert queries.get_source(code="lakes").datasets == 1
    gone = authority.post("/work/harvests/lakes/acts/remove")
    assert (gone.status_code, gone["Location"]) == (302, "/work/harvests")
    assert queries.list_sources() == []
    assert authority.get("/work/harvests/lakes").status_code == 404


def test_harvest_now_has_the_worker_read_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    authority = staff("catalogue")
    add(authority)
    now = timezone.now()
    commands.record_stopped(code="lakes", finding=stop("gone"), began_at=now, actor=SYSTEM, now=now)
    assert queries.list_due(now=now) == []
    shown = words(authority.get("/work/harvests/lakes").content)
    assert "来源回答说没有这个地址" in shown
    assert "已发布的内容保持不变" in shown
    asked: list[Any] = []
    monkeypatch.setattr(commands, "defer", lambda job, **given: asked.append((job, given)))
    assert authority.post("/work/harvests/lakes/acts/run").status_code == 302
    ((job, given),) = asked
    assert (job, given["code"], given["allow_shrink"]) == ("catalogue.harvest", "lakes", False)
    assert queries.list_due(now=timezone.now()) == ["lakes"]
    seen: list[Any] = []
    monkeypatch.setattr(commands, "harvest_source", lambda **given: seen.append(given))
    tasks.harvest.function(code="lakes", now=timezone.now(), allow_shrink=True)
    assert seen[0]["allow_shrink"] is True


def test_a_catalogue_that_shrank_is_believed_only_when_somebody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    authority = staff("catalogue")
    add(authority)
    now = timezone.now()
    address = "/work/harvests/lakes/acts/shrink"
    assert authority.get(address).status_code == 404
    commands.record_stopped(code="lakes", finding=stop("shrunk", "40 → 3"), began_at=now, actor=SYSTEM, now=now)
    assert address in links(authority.get("/work/harvests/lakes").content, address)
    asked: list[Any] = []
    monkeypatch.setattr(commands, "defer", lambda job, **given: asked.append(given))
    assert authority.post(address).status_code == 302
    assert asked[0]["allow_shrink"] is True


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"url": "ftp://data.example.org"}, "地址应为不带用户名和密码的"),
        ({"url": "https://me:secret@data.example.org"}, "地址应为不带用户名和密码的"),
        ({"code": "A b"}, "代码只用字母"),
        ({"title_zh": ""}, "请填写读者熟悉的名称"),
        ({"every_hours": "7"}, "选择一个有效的选项"),
    ],
)
def test_a_source_that_cannot_be_is_given_back_with_what_was_entered(changed: dict[str, str], word: str) -> None:
    answer = add(staff("catalogue"), **changed)
    assert answer.status_code == 422
    assert word in words(answer.content)
    assert "Lakes" in answer.content.decode()
    assert queries.list_sources() == []


def test_a_second_source_of_a_code_is_refused() -> None:
    authority = staff("catalogue")
    add(authority)
    answer = add(authority, url="https://other.example.org/")
    assert answer.status_code == 422
    assert "已存在" in words(answer.content)


@pytest.mark.parametrize("who", ["officer", "police", "mother"])
def test_nobody_but_the_data_authority_opens_these_pages(who: str) -> None:
    add(staff("catalogue"))
    client = staff(who)
    for path in ("harvests", "harvest-new", "harvests/lakes", "harvests/lakes/acts/remove"):
        assert client.get(f"/work/{path}").status_code == 403, path
    assert client.post("/work/harvests/lakes/acts/remove").status_code == 403
    assert queries.get_source(code="lakes").code == "lakes"
    if who != "mother":
        assert not links(client.get("/work/resources").content, "/work/harvests")
        assert "access.refused" in refusals("workbench.sources")
