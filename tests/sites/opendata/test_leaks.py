"""Nothing restricted leaks: pages, downloads, feeds, searches, counts and facets are walked as every kind of reader.

Each reader must get what a stranger gets, byte for byte where nothing names the reader, and no answer may hold the name, the
code or an item of what strangers must not know of. CKAN's own past leaks (titles in facets, counts of private datasets, answers
that tell *forbidden* from *missing*) are the lesson.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from tests.sites.opendata.reading import READERS, action, hidden_resources, open_resources, page, reader, rows, words

from furong.domains.catalogue import data
from furong.domains.catalogue.data import RowSource, register_rows
from furong.foundation.organizations.queries import list_departments

pytestmark = pytest.mark.usefixtures("platform")

FIELDS = ["organization", "groups", "tags", "res_format", "update_cycle", "openness"]
# Words that stand in names of hidden resources and also, rightly, in what is open are told apart by the whole name.


def _everything(client: Any) -> dict[str, str]:
    """Every answer of the public face that lists or counts, as text."""
    found = {}
    paths = [
        "/opendata/",
        "/opendata/?sort=name",
        "/opendata/?sort=changed",
        "/opendata/?rows=true",
        "/opendata/interface",
        "/opendata/benefit",
    ]
    paths += [f"/opendata/?page={number}" for number in range(2, 12)]
    for path in [*paths, "/catalog.jsonld", "/catalog.ttl", "/catalog.ttl?page=2", "/catalog.ttl?page=3"]:
        answer = client.get(path)
        found[path] = answer.content.decode() if answer.status_code == 200 else str(answer.status_code)
    facets = json.dumps(FIELDS)
    for name, query in {
        "package_search": {"rows": "1000", "facet.field": facets, "facet.limit": "-1"},
        "package_list": {},
        "current_package_list_with_resources": {"limit": "1000"},
        "organization_list": {"all_fields": "true"},
        "group_list": {"all_fields": "true"},
        "tag_list": {},
        "status_show": {},
    }.items():
        found[name] = client.get(f"/api/3/action/{name}", query).content.decode()
    return found


def test_no_list_count_or_feed_names_what_is_hidden_and_staff_get_what_a_stranger_gets() -> None:
    hidden = hidden_resources()
    assert len(hidden) > 10, "there must be something to hide"
    open_names = {
        row[0] for row in rows("SELECT name_zh FROM catalogue_resource WHERE code = ANY(%s)", [open_resources()])
    }
    departments = {one.code for one in list_departments()}
    strangers = _everything(reader())
    for place, text in strangers.items():
        for code, zh, en in hidden:
            assert f"/datasets/{code}" not in text, f"{place}: {code}"
            assert f"/data/{code}." not in text, f"{place}: {code}"
            if code not in departments:
                assert f'"{code}"' not in text, f"{place}: {code}"
            if not any(zh in name for name in open_names):
                assert zh not in text, f"{place}: {zh}"
            assert not en or f">{en}<" not in text, f"{place}: {en}"

    def plain(found: dict[str, str]) -> dict[str, str]:
        # triples come in no order
        return {place: "".join(sorted(text)) if place.startswith("/catalog") else text for place, text in found.items()}

    for username in READERS[1:]:
        assert plain(_everything(reader(username))) == plain(strangers), username


def test_what_is_hidden_is_missing_at_every_address_exactly_as_what_never_was() -> None:
    hidden = hidden_resources()
    for number, username in enumerate(READERS):
        client = reader(username)
        nothing = {
            path: client.get(path.format("no_such_resource"))
            for path in ("/opendata/datasets/{}", "/opendata/data/{}.csv", "/opendata/data/{}.parquet", "/opendata/rows/{}",
                         "/api/3/action/package_show?id={}", "/api/3/action/resource_show?id={}.csv")
        }  # fmt: skip
        # a stranger asks for each; every other reader for a share of them
        for code, _zh, _en in hidden[number - 1 :: len(READERS) - 1] if username else hidden:
            for path, never in nothing.items():
                answer = client.get(path.format(code))
                assert answer.status_code == never.status_code == 404, f"{username} {path} {code}"
                kept = answer.content.replace(answer["X-Request-ID"].encode(), b"")
                expected = never.content.replace(never["X-Request-ID"].encode(), b"").replace(
                    b"no_such_resource", code.encode()
                )
                assert kept == expected, f"{username} {path} {code}"


def test_searching_by_a_hidden_name_item_or_keyword_finds_and_counts_nothing_of_it() -> None:
    client = reader("catalogue")
    public = set(open_resources())
    for code, zh, _en in hidden_resources():
        for text in (zh, code):
            found = action(client, "package_search", q=text, rows=1000, **{"facet.field": FIELDS})
            assert {one["name"] for one in found["results"]} <= public
            assert found["count"] == len(found["results"])
            assert sum(found["facets"]["organization"].values()) == found["count"]


def _hide_item(code: str) -> tuple[str, str]:
    """Make the second item of an open resource visible to staff only, and name it so that it can be found again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_item SET audience = 1, name_zh = '隐藏的信息项', name_en = 'Hidden item',
                      detail = jsonb_set(detail, '{openness,type}', '"closed"')
                WHERE resource_id = %s AND position = 1 RETURNING code""",
            [code],
        )
        item = str(cursor.fetchone()[0])
        cursor.execute(
            "UPDATE catalogue_resource SET items_public = items_public - 1 WHERE code = %s",
            [code],
        )
        cursor.execute(
            "UPDATE catalogue_hit SET tokens = tokens || '''1隐藏'' ''1hidden'''::tsvector WHERE code = %s", [code]
        )
    return item, "隐藏"


def test_a_restricted_item_of_an_open_resource_shows_in_no_page_file_or_search() -> None:
    item, word = _hide_item("divisions")
    data.forget()
    for username in READERS:
        client = reader(username)
        shown = page(client, "/opendata/datasets/divisions")
        assert word not in words(shown)
        assert f"<code>{item}</code>" not in client.get("/opendata/datasets/divisions").content.decode()
        assert item not in client.get("/opendata/data/divisions.csv").content.decode().splitlines()[0].split(",")
        assert all(item not in row for row in client.get("/opendata/data/divisions.json").json())
        answer = client.get("/opendata/rows/divisions").json()
        assert item not in [one["code"] for one in answer["items"]]
        assert client.get(f"/opendata/rows/divisions?{item}=x").status_code == 400
        assert action(client, "package_search", q=word)["count"] == 0
        assert "隐藏" not in json.dumps(action(client, "package_show", id="divisions"), ensure_ascii=False)
        assert page(client, f"/opendata/?q={word}").xpath("//ol[contains(@class,'hits')]") == []


def test_an_item_open_on_condition_is_described_and_its_values_are_not_given() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_item SET detail = jsonb_set(detail, '{openness,type}', '"conditional"')
                WHERE resource_id = 'divisions' AND code = 'name'"""
        )
    data.forget()
    client = reader()
    assert "名称" in words(page(client, "/opendata/datasets/divisions"))
    assert "name" not in client.get("/opendata/data/divisions.csv").content.decode().splitlines()[0].split(",")


@pytest.mark.parametrize("how", ["live = FALSE, online_state = 'offline'", "audience = 1", "audience = 2"])
def test_what_is_taken_back_is_gone_with_the_very_next_request(how: str) -> None:
    client = reader("mother")
    before = action(client, "package_search", rows=0)["count"]
    assert client.get("/opendata/data/divisions.csv").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE catalogue_resource SET {how} WHERE code = 'divisions'")
    assert client.get("/opendata/data/divisions.csv").status_code == 404
    assert client.get("/opendata/rows/divisions").status_code == 404
    assert client.get("/opendata/datasets/divisions").status_code == 404
    assert "/datasets/divisions" not in client.get("/catalog.ttl").content.decode()
    assert action(client, "package_search", rows=0)["count"] == before - 1
    action(client, "package_show", 404, id="divisions")
    for code in ("service_items", "organizations"):
        related = page(client, f"/opendata/datasets/{code}").xpath("//*[@id='related']//a/@href")
        assert "/opendata/datasets/divisions" not in related


def test_closing_a_resource_keeps_its_description_from_the_rows() -> None:
    """Open on condition: the page stays, the files go, at once and though the rows are still in memory."""
    client = reader()
    assert client.get("/opendata/data/divisions.csv").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO catalogue_facet (class_kind, class_item, department, sharing, openness, cycle, format_kind)
               SELECT class_kind, class_item, department, sharing, 'conditional', cycle, format_kind FROM catalogue_facet
                WHERE id = (SELECT facet_id FROM catalogue_resource WHERE code = 'divisions') RETURNING id"""
        )
        number = cursor.fetchone()[0]
        cursor.execute("UPDATE catalogue_resource SET facet_id = %s WHERE code = 'divisions'", [number])
    assert client.get("/opendata/datasets/divisions").status_code == 200
    assert client.get("/opendata/data/divisions.csv").status_code == 404
    assert action(client, "package_show", id="divisions")["resources"] == []


def test_a_room_that_offers_rows_of_a_closed_resource_publishes_none() -> None:
    register_rows(RowSource(code="marriages", rows=lambda: [{"certificate_number": "秘密"}], source={"zh": "试"}))
    try:
        for username in READERS:
            for path in ("/opendata/data/marriages.csv", "/opendata/rows/marriages", "/opendata/datasets/marriages"):
                assert reader(username).get(path).status_code == 404
            assert "marriages" not in reader(username).get("/opendata/?rows=true").content.decode()
    finally:
        data._sources.pop("marriages")


def test_a_room_that_returns_more_than_the_open_items_gives_only_those() -> None:
    before = data._sources["divisions"]
    register_rows(
        RowSource(code="divisions", rows=lambda: [{"code": "1", "name": "甲", "secret": "秘密"}], source={"zh": "试"})
    )
    data.forget()
    try:
        text = reader().get("/opendata/data/divisions.json").content.decode()
        assert "甲" in text
        assert "秘密" not in text
    finally:
        register_rows(before)
        data.forget()


def test_a_change_under_review_does_not_show_in_any_date() -> None:
    client = reader()
    before = action(client, "package_show", id="divisions")
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE catalogue_resource SET publish_state = 'change_auditing', reason = '秘密的理由',
                      updated_at = updated_at + interval '1 day' WHERE code = 'divisions'"""
        )
    assert action(client, "package_show", id="divisions") == before
    assert "秘密的理由" not in client.get("/opendata/datasets/divisions").content.decode()
