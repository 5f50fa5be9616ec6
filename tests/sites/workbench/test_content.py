"""What is published, as the workbench shows it."""

from __future__ import annotations

import pytest
from tests.domains.processes.diagrams import SEQUENCE
from tests.sites.workbench.staff import SYSTEM, links, now, police_station, staff, words

from furong.domains.processes import commands as processes
from furong.domains.processes import definitions

pytestmark = pytest.mark.usefixtures("platform")


def test_items_are_listed_with_department_clocks_and_version() -> None:
    page = words(staff("administrator").get("/work/items").content)
    for told in ("出生户口登记", "公安", "3 个工作日", "10 个工作日", "新生儿出生", "2026 年 1 月 1 日"):
        assert told in page


def test_items_are_narrowed_to_a_department() -> None:
    page = staff("administrator").get("/work/items", {"department": "police"}).content
    assert links(page, "/work/items/") == ["/work/items/household_registration"]


def test_an_item_shows_its_list_its_sources_its_rules_and_its_versions() -> None:
    client = staff("supervisor")
    page = words(client.get("/work/items/household_registration", {"division": "430202"}).content)
    for told in (
        "实施编码", "株洲市公安局荷塘分局", "户口登记条例", "newborn.name", "mother.id_number", "自动带入", "申请人填写",
        "敏感信息", "population.number", "落入哪一户", "按双方同意随父", "取第一条符合的规则", "版本",
    ):  # fmt: skip
        assert told in page, told


def test_an_items_diagram_is_given_to_be_drawn() -> None:
    told = staff("supervisor").get("/work/items/household_registration/diagram").json()
    assert "<" in told["xml"]
    assert "BPMNDiagram" in told["xml"]
    assert told["states"] == {}


@pytest.mark.parametrize(
    "address",
    [
        "/work/items/nothing",
        "/work/items/nothing/diagram",
        "/work/processes/nothing",
        "/work/processes/nothing/diagram",
    ],
)
def test_what_is_not_published_is_not_there(address: str) -> None:
    assert staff("administrator").get(address).status_code == 404


def test_processes_of_the_pack_are_listed_before_they_have_run() -> None:
    page = staff("administrator").get("/work/processes")
    assert "尚未运行" in words(page.content)
    assert "/work/items/household_registration#process" in links(page.content, "/work/items/")


def test_a_process_shows_where_its_instances_stand_within_the_readers_scope() -> None:
    definitions.forget()
    digest = processes.publish_definition(xml=SEQUENCE, file="p.bpmn", code="sequence", actor=SYSTEM, now=now())
    station = police_station()
    for key in ("one", "two"):
        processes.start_process(
            definition_digest=digest,
            business_key=key,
            variables={},
            organization_id=station.id,
            division_code=station.division_code,
            actor=SYSTEM,
            now=now(),
        )
    shown = staff("administrator").get(f"/work/processes/{digest}")
    page = words(shown.content)
    assert "2 件正在运行" in page
    assert "受理人工2" in page
    assert "决定人工0" in page
    told = staff("administrator").get(f"/work/processes/{digest}/diagram").json()
    assert told["states"] == {"a": "running"}
    # the supervisor of the city sees those of the city
    assert "受理人工2" in words(staff("supervisor").get(f"/work/processes/{digest}").content)
