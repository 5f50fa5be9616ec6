"""The search as the public and its editors meet it, over HTTP and without script."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urljoin

import lxml.html
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from tests.sites.portal.test_pages import page, visitor, words

from furong.domains.search import counting

pytestmark = pytest.mark.usefixtures("indexed")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("孩子出生", "新生儿出生"), ("户口", "户口"), ("hukou", "户口"), ("xsecs", "新生儿出生"),
     ("vaccination", "预防接种"),
     ("给孩子上户口", "出生户口登记"), ("社保卡", "社会保障卡"), ("戶口", "户口")],
)  # fmt: skip
def test_the_right_service_stands_on_top(wanted: str, found: str) -> None:
    cards = page(visitor(), "/search", q=wanted).find_class("answer")
    assert found in words(cards[0]) + (words(cards[1]) if len(cards) > 1 else "")


@pytest.mark.parametrize(
    "wanted",
    ["'; DROP TABLE x", "<script>alert(1)</script>", "%", "   ", "，。！？", "a:b AND (", "[^", ".*" * 50,
     "户口 hukou 戶口 \ud800",
     "怎么办理" * 2_500, "zzzzqqqq"],
)  # fmt: skip
def test_whatever_is_typed_is_answered_by_a_page(wanted: str) -> None:
    shown = page(visitor(), "/search", q=wanted.encode(errors="surrogatepass"))
    assert "alert(1)" not in "".join(script.text or "" for script in shown.iter("script"))
    assert shown.find_class("search-hero")


def test_results_are_narrowed_paged_and_opened_where_they_lead() -> None:
    client = visitor()
    shown = page(client, "/search", q="登记")
    tabs = [link.get("href") for link in shown.find_class("kinds")[0].iter("a")]
    assert len(tabs) > 2
    kind = next(tab for tab in tabs if "resource" in tab)
    narrowed = page(client, urljoin("/search", kind))
    assert narrowed.find_class("line-hit")
    link = next(narrowed.find_class("line-hit")[0].iter("a")).get("href")
    opened = client.get(link)
    assert opened.status_code == 302
    assert client.get(opened["Location"]).status_code == 200
    assert client.get("/search/open/resource:nothing?n=1&of=0123456789abcdef").status_code == 404
    assert client.get("/search", {"q": "登记", "page": "99999", "kind": "no-such", "year": "x"}).status_code == 200
    assert client.get("/search/place", {"place": "430200", "next": "//elsewhere.example/"})["Location"] == "/"
    english = client.get("/search", {"q": "vaccination"}, headers={"Cookie": "furong_language=en"}).content.decode()
    assert "Narrow the search" in english or "match" in english


def test_whoever_reads_english_is_shown_english_titles_snippets_and_departments() -> None:
    client = visitor()
    client.cookies["furong_language"] = "en"
    shown = page(client, "/search", q="birth certificate")
    first = words(shown.find_class("answer")[0])
    assert "birth" in first.lower()
    assert "出生" not in first
    lines = words(page(client, "/search", q="unmarried parents", kind="question").find_class("line-hit")[0])
    assert not any("一" <= one <= "鿿" for one in lines), lines
    offered = client.get("/search/suggest", {"q": "birth"}).json()["suggestions"]
    assert offered[0]["text"].isascii()
    bets = words(page(client, "/search", q="生孩子").find_class("bets")[0])
    assert "one form" in bets


def test_an_address_of_an_old_site_in_another_character_set_is_read() -> None:
    shown = lxml.html.fromstring(visitor().get("/search?q=%BB%A7%BF%DA").content)  # 户口 in GB 18030
    assert shown.xpath("//input[@name='q']")[0].get("value") == "户口"
    assert visitor().get("/search?q=%FF%FE%FF").status_code == 200


def test_audience_and_year_narrow_and_can_be_taken_away() -> None:
    client = visitor()
    year = str(timezone.localdate().year)
    narrowed = page(client, "/search", q="登记 信息", year=year, audience="")
    times = [one.get("datetime") for one in narrowed.find_class("lines")[0].iter("time")]
    assert times
    assert {one[:4] for one in times} == {year}
    for shown in (narrowed, page(client, "/search", q="登记 信息", year="1999")):
        (chosen,) = shown.xpath(
            "//aside//a[@aria-current]"
        )  # by which it is taken away again, also where nothing is left
        assert "year=" not in chosen.get("href")
    assert "For businesses" not in words(page(client, "/search", q="登记"))
    persons = page(client, "/search", q="新生儿", audience="person")
    assert persons.find_class("answer")
    assert not page(client, "/search", q="新生儿", audience="enterprise").find_class("answer")


def test_suggestions_come_by_words_pinyin_and_initials() -> None:
    client = visitor()
    for typed in ("户口", "hukou", "cshk"):
        found = client.get("/search/suggest", {"q": typed}).json()["suggestions"]
        assert any("户口" in one["text"] for one in found), typed
    assert client.get("/search/suggest", {"q": "？" * 5_000}).json() == {"suggestions": []}


def test_questions_are_counted_without_what_tells_of_a_person() -> None:
    client = visitor()
    for _ in range(2):
        client.get("/search", {"q": "我叫周芷沅 430290199001011234 手机13812345678 zzqx"})
    counting.write_out()
    with connection.cursor() as cursor:
        cursor.execute("SELECT words, searches FROM search_tally WHERE searches >= 2")
        rows = cursor.fetchall()
    assert len(rows) == 1
    assert not any(told in rows[0][0] for told in ("周芷沅", "430290199001011234", "13812345678"))


def test_editors_put_an_answer_on_top_until_a_day_and_take_it_down() -> None:
    editor, reader = visitor("administrator"), visitor()
    until = timezone.localdate() + timedelta(days=9)
    given = {
        "words": "摇号",
        "title": "小客车指标",
        "address": "/life/newborn",
        "note": "",
        "until_on": until.isoformat(),
    }
    form = page(editor, "/work/search/bets/new")
    names = {field.get("name") for field in form.iter("input", "textarea", "select")}
    if "until_on_0" in names:
        given |= {"until_on_0": str(until.year), "until_on_1": str(until.month), "until_on_2": str(until.day)}
    refused = editor.post("/work/search/bets/new", given | {"address": "javascript:alert(1)"})
    assert refused.status_code == 422
    assert "小客车指标" in refused.content.decode()
    assert editor.post("/work/search/bets/new", given).status_code == 302
    assert "小客车指标" in words(page(reader, "/search", q="摇号").find_class("bets")[0])
    listed = page(editor, "/work/search")
    end = next(link.get("href") for link in listed.iter("a") if (link.get("href") or "").endswith("/end"))
    assert visitor("mother").post(end).status_code in {302, 403, 404}
    assert editor.post(end).status_code == 302
    assert not page(reader, "/search", q="摇号").find_class("bets")


def test_an_office_has_a_page_that_the_search_finds() -> None:
    client = visitor()
    shown = page(client, "/search", q="公安局", kind="office")
    link = next(shown.find_class("line-hit")[0].iter("a")).get("href")
    led = client.get(link)
    assert led.status_code == 302
    assert client.get(led["Location"]).status_code == 200


def test_a_search_that_is_away_says_so_and_keeps_the_question(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    from furong.domains.search import serving

    serving.forget()
    monkeypatch.setattr(settings, "SEARCH_HOME", tmp_path)
    shown = page(visitor(), "/search", 503, q="户口")
    assert shown.xpath("//input[@name='q']")[0].get("value") == "户口"
    assert visitor().get("/api/search", {"q": "户口"}).status_code == 503
    assert visitor().get("/search/suggest", {"q": "户口"}).json() == {"suggestions": []}
