"""The page of use and benefit: the same for everybody, of what is open alone."""

from __future__ import annotations

import pytest
from tests.sites.opendata.reading import READERS, open_resources, page, reader, rows, words

pytestmark = pytest.mark.usefixtures("platform")


def test_use_and_benefit_are_shown_with_how_they_are_counted_and_the_clauses_of_what_is_not_open() -> None:
    shown = words(page(reader(), "/opendata/benefit"))
    for word in ("共享成效", "免提交材料", "支撑办件", "使用率", "市场主体登记信息", "统计口径", "低于 5 的不列出"):
        assert word in shown, word
    assert "/opendata/benefit" in reader().get("/opendata/").content.decode()


def test_everybody_is_told_the_same_and_only_of_open_resources() -> None:
    told = {words(page(reader(username), "/opendata/benefit")) for username in READERS}
    assert len(told) == 1
    named = page(reader("catalogue"), "/opendata/benefit").xpath("//a[starts-with(@href, '/opendata/datasets/')]/@href")
    assert {str(one).rsplit("/", 1)[1] for one in named} <= set(open_resources())
    granted = {
        row[0] for row in rows("SELECT DISTINCT resource_code FROM catalogue_grant WHERE state = %s", ["active"])
    }
    assert granted, "there must be something that is shared and not open"
    assert granted - set(open_resources())
