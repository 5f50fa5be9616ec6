"""The pages over HTTP, without script: searching, a dataset, its files in four formats, its rows as JSON."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime

import lxml.etree
import polars
import pytest
from tests.sites.opendata.reading import page, reader, words

from furong.domains.catalogue import data
from furong.domains.catalogue.data import RowSource, register_rows
from furong.domains.catalogue.harvest import commands
from furong.domains.catalogue.harvest.commands import Catch
from furong.domains.catalogue.harvest.values import Dataset, File
from furong.foundation.access.values import Actor

pytestmark = pytest.mark.usefixtures("platform")
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SYSTEM = Actor.system("test")


def harvest_one() -> str:
    commands.add_source(
        code="lake", kind="dcat", url="https://data.example.org/c.ttl", title_zh="湖区目录", actor=SYSTEM, now=NOW
    )
    one = Dataset(
        identifier="1",
        title={"zh": "湖泊水质<script>", "en": "Water"},
        summary={"zh": "每月监测"},
        publisher="环境中心",
        tags=("水质",),
        cycle="monthly",
        files=(File(url="https://data.example.org/lakes.csv", title="全部", format="CSV"),),
    )
    catch = Catch(datasets=(one,), findings=(), seen=1, skipped=0)
    commands.publish_harvest(code="lake", catch=catch, began_at=NOW, actor=SYSTEM, now=NOW)
    from furong.domains.catalogue.harvest.values import name_of

    return name_of("lake", "1")


def test_words_find_a_resource_and_facets_narrow_the_search() -> None:
    shown = page(reader(), "/opendata/?q=行政区划代码")
    assert shown.xpath("//ol[contains(@class,'hits')]/li[1]//h2/a/@href") == ["/opendata/datasets/divisions"]
    everything = page(reader(), "/opendata/")
    links = [one for one in everything.xpath("//aside//a/@href") if "department=health" in one]
    assert links
    narrowed = page(reader(), f"/opendata/{links[0]}")
    chosen = narrowed.xpath("//aside//a[@aria-current='true']")
    assert len(chosen) == 1
    count = int("".join(chosen[0].xpath("./b/text()")))
    assert count == len(narrowed.xpath("//ol[contains(@class,'hits')]/li")) or count > 20
    assert "department" not in chosen[0].get("href")


@pytest.mark.parametrize("query", ["?page=99999999", "?page=-1", "?sort=evil", "?department=%27%3B--", "?cycle=" + "x" * 3000,
                                   "?q=" + "%25" * 400, "?q=%E2%80%AE", "?rows=maybe", "?q=%EF%BF%BE"])  # fmt: skip
def test_an_address_typed_by_hand_is_answered_in_order(query: str) -> None:
    assert reader().get(f"/opendata/{query}").status_code == 200


def test_nothing_found_says_so_and_leads_back() -> None:
    shown = page(reader(), "/opendata/?q=zzzzzz")
    assert shown.xpath("//div[@class='empty']")
    assert "/opendata/" in shown.xpath("//div[@class='empty']//a/@href")


def test_a_dataset_shows_what_it_is_its_first_rows_its_items_and_a_chart() -> None:
    shown = page(reader(), "/opendata/datasets/divisions")
    text = words(shown)
    for part in ("行政区划代码", "Administrative divisions", "下载", "填写率", "100.0%"):
        assert part in text
    assert len(shown.xpath("//section[@id='rows']//tbody/tr")) == 10
    assert shown.xpath("//section[@id='chart']//tbody/tr")
    assert shown.xpath("//section[@id='items']//code[text()='parent']")
    assert not shown.xpath("//script | //@style | //style"), "nothing inline"


def test_the_chart_is_of_the_item_that_is_asked_for() -> None:
    shown = page(reader(), "/opendata/datasets/divisions?by=level")
    bars = {
        row.xpath("string(./th)"): row.xpath("string(./td[last()])")
        for row in shown.xpath("//table[@class='bars']/tbody/tr")
    }
    assert bars["2"] == "1"
    assert bars["3"] == "14"
    assert page(reader(), "/opendata/datasets/divisions?by=nonsense&of=more").xpath("//table[@class='bars']")


def test_a_resource_without_rows_says_that_it_has_none_yet() -> None:
    shown = page(reader(), "/opendata/datasets/medical_institutions")
    assert "暂无数据" in words(shown)
    assert not shown.xpath("//a[@download]")
    assert reader().get("/opendata/data/medical_institutions.csv").status_code == 404


def test_a_resource_open_on_condition_says_why_and_gives_no_rows() -> None:
    shown = words(page(reader(), "/opendata/datasets/skill_certificates"))
    assert "凭证书编号和姓名逐个核验" in shown
    assert "第十五条" in shown
    assert reader().get("/opendata/rows/skill_certificates").status_code == 404


def test_rows_of_a_file_of_the_pack_name_their_source_and_day() -> None:
    shown = page(reader(), "/opendata/datasets/statistical_divisions")
    assert "国家统计局" in words(shown)
    assert "2023 年 6 月 30 日" in words(shown)
    answer = reader().get("/opendata/rows/statistical_divisions?county_code=430102&limit=5").json()
    assert (answer["as_of"], len(answer["rows"])) == ("2023-06-30", 5)
    assert all(row["county_code"] == "430102" for row in answer["rows"])


@pytest.mark.parametrize("code", ["divisions", "organizations", "holidays", "service_items", "statistical_divisions"])
def test_every_format_holds_the_same_rows(code: str) -> None:
    client = reader()
    rows = client.get(f"/opendata/data/{code}.json").json()
    assert rows
    text = client.get(f"/opendata/data/{code}.csv").content.decode()
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(table) == len(rows)
    assert list(table[0]) == list(rows[0])
    frame = polars.read_parquet(io.BytesIO(client.get(f"/opendata/data/{code}.parquet").content))
    assert (frame.height, frame.columns) == (len(rows), list(rows[0]))
    book = zipfile.ZipFile(io.BytesIO(client.get(f"/opendata/data/{code}.xlsx").content))
    sheet = lxml.etree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    space = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    assert len(sheet.xpath("//s:row", namespaces=space)) == len(rows) + 1
    assert not sheet.xpath("//s:f", namespaces=space), "no cell is a formula"


def test_values_keep_their_types_and_no_cell_becomes_a_formula() -> None:
    before = data._sources["divisions"]
    row = {"code": "=1+1", "name": "@SUM(A1)", "level": -3, "parent": None, "valid_from": date(2020, 1, 2)}
    register_rows(RowSource(code="divisions", rows=lambda: [row], source={"zh": "试"}))
    data.forget()
    try:
        client = reader()
        assert client.get("/opendata/data/divisions.json").json() == [{**row, "valid_from": "2020-01-02"}]
        assert client.get("/opendata/data/divisions.csv").content == (
            b"code,name,level,parent,valid_from\r\n'=1+1,'@SUM(A1),-3,,2020-01-02\r\n"
        )
        frame = polars.read_parquet(io.BytesIO(client.get("/opendata/data/divisions.parquet").content))
        assert frame.rows() == [("=1+1", "@SUM(A1)", -3, None, date(2020, 1, 2))]
        book = zipfile.ZipFile(io.BytesIO(client.get("/opendata/data/divisions.xlsx").content))
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    finally:
        register_rows(before)
        data.forget()


def test_rows_that_do_not_fit_are_a_fault_and_not_half_an_answer() -> None:
    before = data._sources["divisions"]
    register_rows(RowSource(code="divisions", rows=lambda: [{"code": {"a": 1}}], source={"zh": "试"}))
    data.forget()
    try:
        answer = reader().get("/opendata/data/divisions.csv")
        assert answer.status_code == 500
        assert "Content-Disposition" not in answer
    finally:
        register_rows(before)
        data.forget()


def test_a_file_that_did_not_change_is_not_sent_twice() -> None:
    first = reader().get("/opendata/data/divisions.csv")
    again = reader().get("/opendata/data/divisions.csv", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("query", ["limit=x", "offset=-1", "limit=99999999999", "nonsense=1", "limit=%EF%BC%91"])
def test_rows_refuse_what_they_do_not_understand(query: str) -> None:
    assert reader().get(f"/opendata/rows/divisions?{query}").status_code == 400


def test_rows_come_in_pages_and_are_narrowed_by_items() -> None:
    client = reader()
    assert len(client.get("/opendata/rows/divisions?limit=5000").json()["rows"]) == 1000
    answer = client.get("/opendata/rows/divisions?level=3&limit=3&offset=12").json()
    assert (answer["total"], len(answer["rows"])) == (14, 2)


def test_a_harvested_dataset_stands_apart_with_its_source_and_its_words_are_only_words() -> None:
    name = harvest_one()
    shown = page(reader(), f"/opendata/datasets/{name}")
    assert "湖区目录" in words(shown)
    assert "湖泊水质<script>" in words(shown)
    assert not shown.xpath("//script")
    links = shown.xpath("//a[@href='https://data.example.org/lakes.csv']/@rel")
    assert links == ["noopener nofollow external"]
    found = page(reader(), "/opendata/?class=harvested")
    assert [one.text_content() for one in found.xpath("//ol[contains(@class,'hits')]//span[@class='tag run']")]
    assert name not in reader().get("/catalog.ttl").content.decode(), "its own source publishes it"


def test_every_page_speaks_english_when_asked() -> None:
    client = reader()
    client.cookies["furong_language"] = "en"
    for path in ("/opendata/", "/opendata/interface", "/opendata/datasets/divisions"):
        shown = page(client, path)
        assert shown.get("lang") == "en"
    assert "What the government holds" in words(page(client, "/opendata/"))


def test_statistics_of_cases_leave_small_groups_out() -> None:
    from furong.domains.cases import open_rows

    found = list(open_rows.service_statistics())
    assert all(row["cases"] >= open_rows.FEWEST for row in found)
    assert json.dumps(found) is not None
