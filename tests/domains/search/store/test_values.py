"""What a file says: title, main text, dates, language, character set; and which files say nothing. No database, no child."""

from __future__ import annotations

import codecs
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furong.domains.search.store.charsets import decode, language_of
from furong.domains.search.store.reading import media_kind, read_file
from furong.domains.search.store.values import (
    WORDS,
    Extract,
    Reason,
    address_of,
    believable,
    check_address,
    document_numbers,
)
from tests.domains.search.store import samples

TODAY = date(2026, 6, 30)


def read(data: bytes, path: str = "a.html") -> Extract:
    found = read_file(data, path=path, address="https://www.changsha.example/zf/gzf.html")
    assert isinstance(found, Extract), found
    return found


@pytest.mark.parametrize(
    ("charset", "declared", "known_as"),
    [
        ("utf-8", "utf-8", "utf-8"),
        ("gb18030", "gb2312", "gb18030"),
        ("gb18030", "utf-8", "gb18030"),
        ("utf-8", "gbk", "utf-8"),
        ("utf-16", "utf-16", "utf-16-le"),
    ],
)
def test_a_page_is_read_in_the_character_set_that_its_bytes_are_in_whatever_it_declares(
    charset: str, declared: str, known_as: str
) -> None:
    found = read(samples.page(charset, declared=declared))
    assert found.charset == known_as
    assert samples.BODY in found.body


def test_a_page_gives_its_main_text_and_structure_without_navigation_scripts_and_hidden_text() -> None:
    found = read(samples.page())
    assert (found.title, found.department, found.column) == ("公租房申请指南", "长沙市住房和城乡建设局", "办事指南")
    assert found.headings == ("公租房申请指南", "保障标准")
    assert found.keywords == ("公租房", "住房保障")
    assert "两人\t每月三百元" in found.body.split("\n")
    for other in ("脚本写出来的字", "机构职能", "版权所有", "藏起来的字", "color", "政务公开"):
        assert other not in found.body
    assert (found.published, found.language) == ("2024-05-06 10:20", "zh-Hans")
    assert found.canonical == "https://www.changsha.example/zf/gzf.html"


def test_a_page_without_metadata_is_read_by_what_it_shows() -> None:
    text = f"""<html><head><title>关于道路封闭的通告-岳麓区人民政府</title></head><body>
    <div class=top><a href=/>首页</a></div><h1>关于道路封闭的通告</h1>
    <div class="info">发布时间：2023年7月8日 来源：岳麓区交警大队</div><div class="left"><p>{samples.BODY}</p></div>"""
    found = read(text.encode(), "index.shtml")
    assert found.title == "关于道路封闭的通告"
    assert found.department == "岳麓区交警大队"
    assert believable(found.published, today=TODAY) == (date(2023, 7, 8), False)


def test_office_files_and_plain_text_give_their_text() -> None:
    found = read(samples.word(), "办法.docx")
    assert (found.title, found.headings, found.published) == ("家庭农场登记办法", ("第一章 总则",), "2024-03-01")
    assert "经营规模\t五十亩以上" in found.body
    table = read(samples.sheet(), "充电站.xlsx")
    assert "岳麓大道充电站\t12" in table.body
    assert "不公开" not in table.body
    assert "企业开办时间压缩到一个工作日" in read(samples.slides(), "通报.pptx").body
    paper = read(samples.pdf(), "notice.pdf")
    assert (paper.body, paper.language, paper.published) == ("Notice on parking places", "en", "2024-01-02")
    notes = read("# 防汛通知\n\n请**各村**做好准备。".encode(), "通知.md")
    assert (notes.title, notes.body) == ("防汛通知", "防汛通知\n请各村做好准备。")
    assert read("名称,地址\n湘雅路社区,开福区\n".encode("gb18030"), "社区.csv").body == "名称\t地址\n湘雅路社区\t开福区"


@pytest.mark.parametrize(
    ("data", "path", "reason"),
    [
        (b"", "a.html", Reason.EMPTY),
        (b"alert('x');" * 20, "a.js", Reason.SCRIPT),
        (b"<html><script>document.body.innerHTML = 'x'.repeat(9)</script></html>", "a.html", Reason.SCRIPT),
        (b"<html><body> <p> </p></body></html>", "a.html", Reason.NO_TEXT),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.doc", Reason.OLD_OFFICE),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a.png", Reason.PICTURE),
        (b"%PDF-1.7 nothing of it is right", "a.pdf", Reason.DAMAGED),
        (b"PK\x03\x04 cut off", "a.docx", Reason.DAMAGED),
        (b"\x00\x01\x02" * 400, "a.html", Reason.DAMAGED),
        (b"\x7fELF" + b"\x01" * 20, "a.bin", Reason.KIND_UNKNOWN),
        (samples.pdf(password="1234"), "a.pdf", Reason.ENCRYPTED),
        (samples.office_bomb(), "a.docx", Reason.BOMB),
        (b"<html><body>" + b"a" * (17 << 20), "a.html", Reason.TOO_LARGE),
    ],
    ids=lambda one: one.name if isinstance(one, Reason) else None,
)
def test_a_file_that_is_no_page_is_refused_with_its_reason(data: bytes, path: str, reason: Reason) -> None:
    assert read_file(data, path=path) is reason


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Reason)


@given(st.binary(max_size=400), st.sampled_from(["a.html", "a.pdf", "a.docx", "a.txt", "a.csv", "a"]))
def test_whatever_the_bytes_are_reading_ends_in_a_page_or_a_reason(data: bytes, path: str) -> None:
    for given_ in (data, b"<html><body>" + data, b"%PDF-" + data):
        found = read_file(given_, path=path)
        assert isinstance(found, Reason) or (found.title and found.body)
        assert media_kind(path, given_)


def test_a_page_nested_a_hundred_thousand_deep_is_read_or_refused_but_does_no_harm() -> None:
    deep = b"<div>" * 100_000 + samples.BODY.encode() + b"</div>" * 100_000
    found = read_file(b"<html><body><p>" + samples.BODY.encode() + b"</p>" + deep, path="a.html")
    assert isinstance(found, Reason) or samples.BODY in found.body


@pytest.mark.parametrize(
    ("claimed", "found"),
    [
        ("2024-05-06T10:20:00+08:00", (date(2024, 5, 6), False)),
        ("2024年5月6日", (date(2024, 5, 6), False)),
        ("20240506", (date(2024, 5, 6), False)),
        ("20240506102000", (date(2024, 5, 6), False)),
        ("", (None, False)),
        ("2099-01-01", (None, True)),
        ("1899-01-01", (None, True)),
        ("2024-02-31", (None, True)),
        ("昨天", (None, True)),
    ],
)
def test_a_date_is_believed_when_it_can_be_right(claimed: str, found: tuple[date | None, bool]) -> None:
    assert believable(claimed, today=TODAY) == found


def test_an_address_has_one_form() -> None:
    assert check_address("HTTPS://WWW.ChangSha.example:443/湘江?q=1#top") == (
        "https://www.changsha.example/%E6%B9%98%E6%B1%9F?q=1"
    )
    for bad in (
        "",
        "javascript:alert(1)",
        "ftp://a.example/",
        "https://",
        "https://a b/",
        "https://u:p@a.example/",
        "//a",
    ):
        assert check_address(bad) == ""
    assert address_of("zf/指南.html", base_address="https://a.example/x") == (
        "https://a.example/x/zf/%E6%8C%87%E5%8D%97.html"
    )
    assert address_of("www.a.example/zf/index.html", base_address="") == "https://www.a.example/zf/"
    assert address_of("zf/1.html", base_address="") == ""


def test_document_numbers_are_found_in_their_one_form() -> None:
    text = "根据湘政发[2024]5号和《办法》（长政办发〔2023〕012号），国办函（2022）第7号"
    assert document_numbers(text) == ("湘政发〔2024〕5号", "长政办发〔2023〕12号", "国办函〔2022〕7号")


def test_a_language_is_told_by_the_characters() -> None:
    assert language_of("長沙市人民政府關於公共租賃住房的規定") == "zh-Hant"
    assert language_of("长沙市人民政府关于公共租赁住房的规定") == "zh-Hans"
    assert language_of("Apply for public rental housing in Changsha") == "en"
    assert language_of("123 456") == "und"


@given(st.text(alphabet="长沙市公租房申请指南政务公开湘江，。abc 123", min_size=1, max_size=80))
def test_a_text_comes_back_from_each_character_set_that_sites_use(text: str) -> None:
    for name in ("utf-8", "gb18030"):
        found = decode(f"<meta charset={name}>{text}".encode(name))
        assert found is not None
        assert found[0].endswith(text)
    assert decode(codecs.BOM_UTF8 + text.encode()) == (text, "utf-8")
