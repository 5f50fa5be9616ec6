"""What is published, as the workbench shows it."""

from __future__ import annotations

import pytest
from tests.sites.workbench.staff import links, staff, words

pytestmark = pytest.mark.usefixtures("platform")


def test_items_are_listed_with_department_clocks_and_version() -> None:
    page = words(staff("administrator").get("/work/items").content)
    for told in ("出生户口登记", "公安", "3 个工作日", "10 个工作日", "新生儿出生", "2026 年 1 月 1 日"):
        assert told in page


def test_items_are_narrowed_to_a_department() -> None:
    page = staff("administrator").get("/work/items", {"department": "police"}).content
    found = links(page, "/work/items/")
    assert "/work/items/household_registration" in found
    assert "/work/items/social_security_card" not in found


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
