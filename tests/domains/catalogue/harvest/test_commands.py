"""Harvesting from a catalogue on loopback: whole ones are published, broken, gone, huge and hostile ones change nothing."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from furong.domains.catalogue import published
from furong.domains.catalogue.harvest import commands, fetching, queries, reading_ckan, values
from furong.domains.catalogue.harvest.commands import HarvestResult
from furong.domains.catalogue.harvest.errors import SourceExists, SourceMissing, SourceRefused
from furong.domains.catalogue.published import Wanted
from furong.foundation.access.errors import SignInNeeded
from furong.foundation.access.values import Actor
from tests.domains.catalogue.harvest.serving import Elsewhere, elsewhere

pytestmark = pytest.mark.usefixtures("database")
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
SYSTEM = Actor.system("test")
FEED = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix hydra: <http://www.w3.org/ns/hydra/core#> .
<HERE/cat> a dcat:Catalog .
<HERE/d/1> a dcat:Dataset ; dct:identifier "one" ; dct:title "湖泊水质"@zh, "Water of lakes"@en ;
  dct:description "每月监测。"@zh ; dcat:keyword "水质"@zh ; dct:publisher [ a foaf:Agent ; foaf:name "环境中心"@zh ] ;
  dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/MONTHLY> ;
  dct:modified "2026-02-01T00:00:00Z"^^xsd:dateTime ;
  dcat:distribution [ a dcat:Distribution ; dcat:downloadURL <https://data.example.org/lakes.csv> ; dct:title "全部" ;
    dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> ] .
<HERE/d/2> a dcat:Dataset ; dct:title "公园名录"@zh ;
  dcat:distribution [ a dcat:Distribution ; dcat:accessURL <javascript:alert(1)> ] .
"""


@pytest.fixture
def there(settings: Any) -> Iterator[Elsewhere]:
    settings.HARVEST_NETWORKS = ["127.0.0.1/32"]
    with elsewhere() as found:
        yield found


@pytest.fixture
def settings() -> Iterator[Any]:
    from django.conf import settings as real

    before = real.HARVEST_NETWORKS
    yield real
    real.HARVEST_NETWORKS = before


def add(there: Elsewhere, path: str = "/cat.ttl", kind: str = "dcat", code: str = "lake") -> None:
    url = there.address + path
    commands.add_source(code=code, kind=kind, url=url, title_zh="湖区目录", title_en="Lakes", actor=SYSTEM, now=NOW)


def run(code: str = "lake", **more: Any) -> HarvestResult:
    return commands.harvest_source(code=code, actor=SYSTEM, now=NOW + timedelta(hours=1), **more)


def names() -> set[str]:
    return {line.title["zh"] for line in published.search_published(wanted=Wanted(rows=100)).lines}


def stopped(result: HarvestResult) -> str:
    assert not result.is_published
    assert len(result.findings) == 1
    source = queries.list_sources()[0]
    assert (source.state, source.finding) == ("failed", result.findings[0].code)
    assert source.due_at > NOW + timedelta(hours=1), "it is tried again at its time"
    return result.findings[0].code


# --- what is whole --------------------------------------------------------------------------------------------------------------


def test_a_feed_is_published_apart_with_its_source(there: Elsewhere) -> None:
    there.lay("/cat.ttl", FEED)
    add(there)
    result = run()
    assert (result.is_published, result.seen, result.added, result.skipped) == (True, 2, 2, 0)
    found = published.search_published(wanted=Wanted(text="湖泊", facets=("department", "tag", "format", "cycle")))
    assert found.total == 1
    line = found.lines[0]
    assert line.origin == "lake"
    assert line.title == {"zh": "湖泊水质", "en": "Water of lakes"}
    assert (line.cycle, line.formats, line.tags) == ("monthly", ("CSV",), ("水质",))
    assert line.detail["publisher"] == "环境中心"
    assert line.detail["distributions"][0]["url"] == "https://data.example.org/lakes.csv"
    assert found.facets["department"] == {"harvested-lake": 1}
    assert (found.facets["tag"], found.facets["format"]) == ({"水质": 1}, {"CSV": 1})
    assert found.facets["cycle"] == {"monthly": 1}
    park = published.search_published(wanted=Wanted(text="公园")).lines[0]
    assert park.detail["distributions"] == [], "a script is no file"


@pytest.mark.parametrize(("kind", "media_type"), [("xml", "application/rdf+xml"), ("json-ld", "application/ld+json")])
def test_the_same_feed_in_another_form_says_the_same(there: Elsewhere, kind: str, media_type: str) -> None:
    from rdflib import Graph

    there.lay("/cat.ttl", FEED)
    add(there)
    run()
    other = Graph().parse(data=FEED.replace("HERE", there.address), format="turtle").serialize(format=kind)
    there.lay("/cat.ttl", other, media_type)
    result = run()
    assert (result.is_published, result.seen) == (True, 2)
    assert (result.added, result.changed, result.removed) == (0, 0, 0)


def test_a_feed_of_pages_is_read_to_its_end(there: Elsewhere) -> None:
    head = "@prefix hydra: <http://www.w3.org/ns/hydra/core#> . <HERE/cat.ttl?page={}> hydra:next <HERE/cat.ttl?page={}> .\n"
    one, two = FEED.split("<HERE/d/2>")
    there.lay("/cat.ttl", head.format(1, 2) + one)
    there.lay("/cat.ttl?page=2", FEED.split("<HERE/cat>")[0] + "<HERE/d/2>" + two)
    add(there)
    assert run().added == 2
    assert there.asked == ["/cat.ttl", "/cat.ttl?page=2"]


def test_what_changes_at_the_source_changes_here_and_what_goes_there_goes(there: Elsewhere) -> None:
    there.lay("/cat.ttl", FEED)
    add(there)
    run()
    there.lay("/cat.ttl", FEED.split("<HERE/d/2>")[0].replace("湖泊水质", "湖泊水位"))
    result = run()
    assert (result.added, result.changed, result.removed) == (0, 1, 1)
    assert names() == {"湖泊水位"}


def test_a_second_harvest_of_the_same_writes_nothing(there: Elsewhere) -> None:
    there.lay("/cat.ttl", FEED)
    add(there)
    run()
    result = run()
    assert (result.seen, result.added, result.changed, result.removed) == (2, 0, 0, 0)
    assert [one.state for one in queries.list_runs(code="lake")] == ["good", "good"]


def package(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"id-{number}",
        "name": f"p{number}",
        "title": f"数据集{number}",
        "notes": "<p>说明</p>",
        "tags": [{"name": "标签"}],
        "organization": {"title": "统计中心"},
        "resources": [{"url": f"https://data.example.org/{number}.csv", "format": "csv", "name": "文件"}],
        "metadata_modified": "2026-02-01T10:00:00.000000",
        "state": "active",
        "private": False,
        **more,
    }


def lay_ckan(there: Elsewhere, packages: list[Any], count: int | None = None) -> None:
    for start in range(0, max(len(packages), 1), reading_ckan.ROWS):
        page = {
            "count": len(packages) if count is None else count,
            "results": packages[start : start + reading_ckan.ROWS],
        }
        query = f"q=%2A%3A%2A&sort=name+asc&rows={reading_ckan.ROWS}&start={start}"
        body = json.dumps({"success": True, "result": page})
        there.lay(f"/api/3/action/package_search?{query}", body, "application/json")


def test_a_ckan_is_read_page_by_page(there: Elsewhere) -> None:
    lay_ckan(there, [package(n) for n in range(250)])
    add(there, "/", kind="ckan")
    result = run()
    assert (result.seen, result.added) == (250, 250)
    assert len(there.asked) == 3
    line = published.search_published(wanted=Wanted(text="数据集7")).lines[0]
    assert (line.formats, line.tags, line.detail["publisher"]) == (("CSV",), ("标签",), "统计中心")
    assert line.summary == {"zh": "说明"}


def test_a_dataset_that_is_no_dataset_is_left_out_with_its_number(there: Elsewhere) -> None:
    lay_ckan(
        there, [package(1), package(2, private=True), "nonsense", package(3, title=None, name=None), package(1), {}]
    )
    add(there, "/", kind="ckan")
    result = run()
    assert result.is_published
    assert (result.added, result.skipped) == (1, 5)
    found = [(one.code, one.place) for one in result.findings]
    assert found == [
        ("not_public", "#2"),
        ("shape", "#3"),
        ("no_title", "#4"),
        ("twice", "#5"),
        ("no_identifier", "#6"),
    ]
    assert [one["code"] for one in queries.list_runs(code="lake")[0].findings] == [code for code, _ in found]


# --- what is broken, gone, huge or hostile --------------------------------------------------------------------------------------

BOMB = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&b;</rdf:RDF>"""
FILE = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&x;</rdf:RDF>"""


def _trickle(out: Any) -> None:
    for _n in range(200):
        out.write(b"# \n")
        out.flush()
        time.sleep(0.05)


STOPPING: dict[str, dict[str, Any]] = {
    "broken": {"body": b"this is <no turtle"},
    "broken JSON": {"body": b'{"@graph": [', "media_type": "application/ld+json"},
    "broken deep JSON": {"body": b"[" * 200_000, "media_type": "application/ld+json"},
    "broken XML": {"body": b"<rdf:RDF", "media_type": "application/rdf+xml"},
    "broken not UTF-8": {"body": b"\xff\xfe\xfa<>", "media_type": "text/turtle"},
    "not_a_catalogue": {"body": b"<a:b> <a:c> <a:d> .".replace(b"a:", b"http://a.example/")},
    "not_a_catalogue empty": {"body": b""},
    "gone": {"status": 404},
    "gone for ever": {"status": 410},
    "status": {"status": 503},
    "status teapot": {"status": 418},
    "entities bomb": {"body": BOMB, "media_type": "application/rdf+xml"},
    "entities file": {"body": FILE, "media_type": "text/xml"},
    "remote_context": {
        "body": b'{"@context": "HERE/context.jsonld", "@id": "x:y"}',
        "media_type": "application/ld+json",
    },
    "remote_context inside": {
        "body": b'{"@context": {"a": {"@id": "x:a", "@context": ["HERE/c"]}}}',
        "media_type": "application/ld+json",
    },
    "remote_context import": {"body": b'{"@context": {"@import": "HERE/c"}}', "media_type": "application/ld+json"},
    "encoding": {"body": b"packed", "headers": {"Content-Encoding": "br"}},
    "encoding broken": {"body": b"packed", "headers": {"Content-Encoding": "gzip"}},
    "encoding bomb": {"body": gzip.compress(b" " * 3_000_000), "headers": {"Content-Encoding": "gzip"}},
    "too_large": {"body": b"# " + b"x" * 1_100_000},
    "too_large said": {"body": b"", "length": 10**12},
    "unreachable cut off": {"body": b"# half", "length": 1000},
    "redirects": {"status": 302, "headers": {"Location": "HERE/cat.ttl"}},
    "private": {"status": 302, "headers": {"Location": "http://127.0.0.2:1/"}},
    "private cloud": {"status": 301, "headers": {"Location": "http://169.254.169.254/latest/meta-data/"}},
    "private six": {"status": 307, "headers": {"Location": "http://[::1]:1/"}},
    "private number": {"status": 307, "headers": {"Location": "http://2130706434/"}},
    "address": {"status": 302, "headers": {"Location": "file:///etc/passwd"}},
    "address user": {"status": 302, "headers": {"Location": "http://a:b@127.0.0.1/"}},
    "slow": {"write": _trickle},
}


@pytest.mark.parametrize("what", list(STOPPING))
def test_a_source_that_misbehaves_is_named_and_changes_nothing(
    there: Elsewhere, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "ANSWER_SECONDS", 2.0 if what == "slow" else 30.0)
    there.lay("/cat.ttl", FEED)
    add(there)
    run()
    before = names()
    given = dict(STOPPING[what])
    body = given.pop("body", b"")
    there.lay(
        "/cat.ttl", body.replace(b"HERE", there.address.encode()), given.pop("media_type", "text/turtle"), **given
    )
    monkeypatch.setattr(commands, "fetch", lambda url, **more: fetching.fetch(url, **{**more, "most": 1_000_000}))
    asked = len(there.asked)
    assert stopped(run()) == what.split(" ")[0]
    assert names() == before == {"湖泊水质", "公园名录"}
    assert len(there.asked) - asked <= fetching.MAX_REDIRECTS + 1
    assert "/c" not in there.asked
    assert "/context.jsonld" not in there.asked


def test_a_source_on_a_private_network_is_not_opened(there: Elsewhere, settings: Any) -> None:
    there.lay("/cat.ttl", FEED)
    add(there)
    settings.HARVEST_NETWORKS = []
    assert stopped(run()) == "private"
    assert there.asked == []


def test_a_source_that_is_not_there_is_unreachable(there: Elsewhere) -> None:
    commands.add_source(code="lake", kind="dcat", url="http://127.0.0.1:1/x", title_zh="无", actor=SYSTEM, now=NOW)
    assert stopped(run()) == "unreachable"


def test_a_name_that_nobody_has_is_an_unknown_host(there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_given: Any, **_more: Any) -> Any:
        raise OSError("no such host")

    monkeypatch.setattr(fetching.socket, "getaddrinfo", nobody)
    add(there)
    assert stopped(run()) == "unknown_host"


def test_a_name_with_one_private_address_among_public_ones_is_not_opened(
    there: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(fetching.socket, "getaddrinfo", lambda *_a, **_k: found)
    add(there)
    assert stopped(run()) == "private"


@pytest.mark.parametrize("following", ["http://127.0.0.2:1/page2", "HERE/cat.ttl"])
def test_a_next_page_elsewhere_or_in_a_ring_stops_the_harvest(there: Elsewhere, following: str) -> None:
    head = "@prefix hydra: <http://www.w3.org/ns/hydra/core#> . <HERE/x> hydra:next <" + following + "> .\n"
    there.lay("/cat.ttl", head + FEED)
    add(there)
    assert stopped(run()) == "elsewhere"
    assert names() == set()


def test_a_harvest_that_breaks_on_its_second_page_publishes_nothing_of_the_first(there: Elsewhere) -> None:
    lay_ckan(there, [package(n) for n in range(150)])
    there.answers.pop(next(path for path in there.answers if path.endswith("start=100")))
    add(there, "/", kind="ckan")
    assert stopped(run()) == "gone"
    assert names() == set()


def test_a_catalogue_that_claims_to_be_huge_is_not_begun(there: Elsewhere) -> None:
    lay_ckan(there, [package(1)], count=values.MAX_DATASETS + 1)
    add(there, "/", kind="ckan")
    assert stopped(run()) == "too_many"
    assert len(there.asked) == 1


def test_a_catalogue_that_never_ends_is_stopped(there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_DATASETS", 100)
    lay_ckan(there, [package(n) for n in range(150)])
    add(there, "/", kind="ckan")
    assert stopped(run()) == "too_many"


@pytest.mark.parametrize(
    "answer",
    ['{"success": false}', '{"success": true, "result": []}', '{"success": true, "result": {"count": "9", "results": []}}',
     '{"success": true, "result": {"count": true, "results": []}}', "[]", "null"],
)  # fmt: skip
def test_an_answer_that_is_not_ckans_is_no_catalogue(there: Elsewhere, answer: str) -> None:
    query = f"q=%2A%3A%2A&sort=name+asc&rows={reading_ckan.ROWS}&start=0"
    there.lay(f"/api/3/action/package_search?{query}", answer, "application/json")
    add(there, "/", kind="ckan")
    assert stopped(run()) == "not_a_catalogue"


def test_a_catalogue_that_lost_most_of_itself_is_not_believed_at_once(there: Elsewhere) -> None:
    lay_ckan(there, [package(n) for n in range(40)])
    add(there, "/", kind="ckan")
    run()
    lay_ckan(there, [package(n) for n in range(10)])
    assert stopped(run()) == "shrunk"
    assert len(names()) == 40
    assert run(allow_shrink=True).removed == 30
    assert len(names()) == 10


# --- sources --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "value"),
    [("code", "Über"), ("code", "a"), ("kind", "oai"), ("url", "file:///x"), ("title_zh", " "), ("every_hours", 0)],
)
def test_a_source_that_cannot_be_is_refused(wrong: str, value: Any) -> None:
    given = {"code": "lake", "kind": "dcat", "url": "https://data.example.org/c.ttl", "title_zh": "甲", wrong: value}
    with pytest.raises(SourceRefused):
        commands.add_source(**given, actor=SYSTEM, now=NOW)


def test_a_code_names_one_source_and_a_removed_one_takes_its_datasets_along(there: Elsewhere) -> None:
    there.lay("/cat.ttl", FEED)
    add(there)
    with pytest.raises(SourceExists):
        add(there)
    run()
    assert commands.remove_source(code="lake", actor=SYSTEM, now=NOW) == 2
    assert names() == set()
    with pytest.raises(SourceMissing):
        run()


def test_a_stranger_neither_adds_nor_harvests(there: Elsewhere) -> None:
    add(there)
    for call in (
        lambda: commands.add_source(
            code="xyz", kind="dcat", url="https://data.example.org/", title_zh="甲", actor=Actor.anonymous(), now=NOW
        ),
        lambda: commands.harvest_source(code="lake", actor=Actor.anonymous(), now=NOW),
        lambda: commands.remove_source(code="lake", actor=Actor.anonymous(), now=NOW),
    ):
        with pytest.raises(SignInNeeded):
            call()
    assert there.asked == []


def test_two_sources_with_the_same_dataset_keep_it_apart(there: Elsewhere) -> None:
    there.lay("/cat.ttl", FEED)
    add(there)
    add(there, code="other")
    run()
    run("other")
    found = published.search_published(wanted=Wanted(text="湖泊", facets=("department",)))
    assert found.facets["department"] == {"harvested-lake": 1, "harvested-other": 1}
    assert len({line.name for line in found.lines}) == 2


def test_the_job_harvests_what_is_due_and_nothing_twice(there: Elsewhere) -> None:
    from furong.domains.catalogue.harvest import tasks
    from furong.foundation.jobs.worker import run_until_idle

    there.lay("/cat.ttl", FEED)
    add(there)
    tasks.defer_due(now=NOW)
    tasks.defer_due(now=NOW)
    run_until_idle()
    assert there.asked == ["/cat.ttl"]
    assert queries.list_sources()[0].state == "good"
