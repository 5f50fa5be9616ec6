"""CKAN's read API: its shapes, its errors, its query language, and the client that everybody uses, unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone
from tests.sites.opendata.reading import action, open_resources, reader

from furong.domains.catalogue.harvest import commands as harvests
from furong.domains.catalogue.harvest.values import Dataset
from furong.foundation.access.values import Actor
from furong.sites.opendata.views.ckan import ACTIONS

SYSTEM = Actor.system("test")


@pytest.mark.usefixtures("platform")
class TestAnswers:
    def test_a_search_gives_count_page_and_facets(self) -> None:
        found = action(
            reader(),
            "package_search",
            q="*:*",
            rows=5,
            sort="title_string asc",
            **{"facet.field": ["organization", "groups"]},
        )
        assert found["count"] == len(open_resources())
        assert len(found["results"]) == 5
        assert sum(found["facets"]["organization"].values()) == found["count"]
        items = found["search_facets"]["groups"]["items"]
        assert {"name", "display_name", "count"} == set(items[0])
        assert all("." not in one["name"] for one in items), "CKAN allows no dot in a name"

    def test_pages_of_a_search_hold_each_dataset_once(self) -> None:
        names: list[str] = []
        for start in range(0, 200, 7):
            names += [
                one["name"]
                for one in action(reader(), "package_search", rows=7, start=start, sort="name asc")["results"]
            ]
        assert names == sorted(names)
        assert names == sorted(open_resources())[: len(names)]
        assert len(names) == min(len(open_resources()), 203)

    def test_a_dataset_has_every_member_that_clients_read(self) -> None:
        one = action(reader(), "package_show", id="divisions")
        for key in ("id", "name", "title", "notes", "state", "type", "private", "owner_org", "organization", "groups", "tags",
                    "resources", "extras", "num_resources", "num_tags", "license_id", "metadata_created", "metadata_modified",
                    "isopen", "url", "version", "author", "maintainer"):  # fmt: skip
            assert key in one, key
        assert [file["format"] for file in one["resources"]] == ["CSV", "JSON", "XLSX", "PARQUET"]
        for file in one["resources"]:
            assert reader().get(file["url"].removeprefix("http://127.0.0.1")).status_code == 200
            assert action(reader(), "resource_show", id=file["id"]) == file

    def test_our_datasets_carry_the_licence_that_the_pack_names_and_harvested_ones_their_sources(self) -> None:
        now = timezone.now()
        harvests.add_source(
            code="lakes", kind="dcat", url="https://data.example.org/", title_zh="湖区", actor=SYSTEM, now=now
        )
        catch = harvests.Catch(
            datasets=(Dataset(identifier="1", title={"zh": "湖泊名录"}, licence="ODbL"),),
            findings=(),
            seen=1,
            skipped=0,
        )
        harvests.publish_harvest(code="lakes", catch=catch, began_at=now, actor=SYSTEM, now=now)
        ours = action(reader(), "package_show", id="divisions")
        licence = next(one for one in action(reader(), "license_list") if one["id"] == "CC-BY-4.0")
        assert (ours["license_id"], ours["license_url"], ours["isopen"]) == ("CC-BY-4.0", licence["url"], True)
        (other,) = action(reader(), "package_search", fq="organization:harvested-lakes")["results"]
        assert (other["license_id"], other["license_title"], other["isopen"]) == ("notspecified", "ODbL", False)
        found = action(reader(), "package_search", rows=0, **{"facet.field": ["license_id"]})
        assert found["facets"]["license_id"] == {"CC-BY-4.0": len(open_resources()), "notspecified": 1}
        for fq, count in (
            ("license_id:CC-BY-4.0", len(open_resources())),
            ("license_id:notspecified", 1),
            ("-license_id:notspecified", len(open_resources())),
            ("license_id:(CC-BY-4.0 OR notspecified)", len(open_resources()) + 1),
            ("license_id:CC-BY-4.0 OR license_id:notspecified", len(open_resources()) + 1),
            ("license_id:other", 0),
            ("license_id:CC-BY-4.0 license_id:notspecified", 0),
        ):
            assert action(reader(), "package_search", fq=fq, rows=0)["count"] == count, fq

    @pytest.mark.parametrize(
        ("fq", "inside"),
        [
            ("organization:data_authority", {"divisions"}),
            ('organization:"data_authority"', {"divisions"}),
            ("+organization:data_authority -name:divisions", set()),
            ("organization:(data_authority OR health)", {"divisions", "medical_institutions"}),
            ("organization:data_authority OR organization:health", {"divisions", "medical_institutions"}),
            ("groups:theme-health", {"medical_institutions"}),
            ("res_format:CSV AND organization:data_authority", {"divisions"}),
            ("res_format:csv tags:区划", {"divisions"}),
            ("res_format:*  name:divisions", {"divisions"}),
            ("state:active AND private:false AND dataset_type:dataset AND name:divisions", {"divisions"}),
            ("NOT organization:health", {"divisions"}),
            ("metadata_modified:[2020-01-01T00:00:00Z TO *] name:divisions", {"divisions"}),
            ("metadata_modified:[* TO 2020-01-01T00:00:00Z]", set()),
            ("private:true", set()),
            ("capacity:private", set()),
        ],
    )
    def test_a_filter_query_narrows_as_ckans_does(self, fq: str, inside: set[str]) -> None:
        found = action(reader(), "package_search", fq=fq, rows=1000)
        names = {one["name"] for one in found["results"]}
        wanted = {"divisions", "medical_institutions"}
        assert names & wanted == inside
        assert found["count"] == len(names)

    @pytest.mark.parametrize(
        "given",
        [{"fq": "nonsense:1"}, {"fq": "organization:a OR groups:b"}, {"fq": "title:("}, {"fq": "name:div*"}, {"q": '"open'},
         {"fq": "organization:[a TO b]"}, {"sort": "evil desc"}, {"fq": "metadata_modified:[yesterday TO *]"}, {"fq": "NOT"},
         {"q": "x" * 3000}, {"fq": "tags:*"}],
    )  # fmt: skip
    def test_a_query_that_is_not_understood_is_refused_as_ckan_refuses_it(self, given: dict[str, Any]) -> None:
        error = action(reader(), "package_search", 400, **given)
        assert error["__type"] == "Search Query Error"
        assert error["message"].startswith("Search Query is invalid: ")

    @pytest.mark.parametrize(
        ("given", "part"),
        [
            ({"rows": "many"}, "rows"),
            ({"start": -1}, "start"),
            ({"q": {"a": 1}}, "q"),
            ({"facet.field": {}}, "facet.field"),
        ],
    )
    def test_a_value_of_the_wrong_kind_is_a_validation_error(self, given: dict[str, Any], part: str) -> None:
        error = action(reader(), "package_search", 409, **given)
        assert error["__type"] == "Validation Error"
        assert part in error

    def test_an_unknown_facet_is_a_search_error(self) -> None:
        assert action(reader(), "package_search", 409, **{"facet.field": ["secret"]})["__type"] == "Search Error"

    def test_what_is_not_there_is_not_found_and_what_is_not_named_is_not_valid(self) -> None:
        for name in ("package_show", "resource_show", "group_show", "organization_show", "tag_show"):
            assert action(reader(), name, 404, id="no-such-thing") == {
                "__type": "Not Found Error",
                "message": "Not found",
            }
            assert action(reader(), name, 409)["id"] == ["Missing value"]

    @pytest.mark.parametrize("name", ["package_create", "resource_delete", "organization_patch", "datastore_upsert"])
    def test_nothing_can_be_written(self, name: str) -> None:
        assert action(reader("administrator"), name, 403, id="divisions")["__type"] == "Authorization Error"

    def test_an_unknown_action_and_a_body_that_is_no_object_are_bad_requests(self) -> None:
        client = reader()
        assert client.get("/api/3/action/datastore_search_sql?sql=SELECT+1").status_code == 400
        for body in ("{", "[1]", "\xff", "1"):
            answer = client.post("/api/3/action/package_search", body, content_type="application/json")
            assert answer.status_code == 400
            assert isinstance(answer.json(), str)

    def test_groups_and_organizations_count_what_a_search_of_them_finds(self) -> None:
        for kind, field in (("organization", "organization"), ("group", "groups")):
            listed = action(reader(), f"{kind}_list", all_fields=True)
            assert [one["name"] for one in listed] == action(reader(), f"{kind}_list")
            for one in listed[:5]:
                found = action(reader(), "package_search", fq=f"{field}:{one['name']}", rows=0)
                assert found["count"] == one["package_count"]
                assert action(reader(), f"{kind}_show", id=one["name"])["package_count"] == one["package_count"]

    def test_every_action_has_a_help_that_its_answers_point_to(self) -> None:
        for name in ACTIONS:
            answer = reader().get(f"/api/3/action/{name}").json()
            assert reader().get(answer["help"].removeprefix("http://127.0.0.1")).json()["result"], name

    def test_a_get_with_a_query_string_says_the_same_as_a_post(self) -> None:
        query = {"q": "医疗", "rows": "3", "facet.field": json.dumps(["tags"])}
        got = reader().get("/api/3/action/package_search", query).json()
        assert got["result"] == action(reader(), "package_search", q="医疗", rows=3, **{"facet.field": ["tags"]})
        assert reader().post("/api/action/package_search", query).json()["result"] == got["result"]


def test_the_client_that_everybody_uses_works_unchanged(address: str) -> None:
    from ckanapi import NotAuthorized, NotFound, RemoteCKAN, SearchQueryError, ValidationError

    with RemoteCKAN(address, user_agent="test") as catalogue:
        assert catalogue.action.site_read() is True
        assert catalogue.action.status_show()["ckan_version"]
        names = catalogue.action.package_list()
        assert "divisions" in names
        found = catalogue.action.package_search(
            q="区划", fq="organization:data_authority", rows=2, include_private=True
        )
        assert found["results"][0]["name"] == "divisions"
        one = catalogue.action.package_show(id="divisions")
        assert catalogue.action.resource_show(id=one["resources"][0]["id"])["format"] == "CSV"
        assert one["organization"]["name"] in catalogue.action.organization_list()
        assert one["groups"][0]["name"] in catalogue.action.group_list(all_fields=False)
        assert catalogue.action.group_show(id=one["groups"][0]["name"], include_datasets=True)["packages"]
        assert catalogue.action.tag_list(query="区划") == ["区划", "统计用区划"]
        assert catalogue.call_action("package_search", {"rows": 1}, requests_kwargs={"timeout": 20})["count"] == len(
            names
        )
        with pytest.raises(NotFound):
            catalogue.action.package_show(id="marriages")
        with pytest.raises(NotAuthorized):
            catalogue.action.package_create(name="mine")
        with pytest.raises(SearchQueryError):
            catalogue.action.package_search(fq="secret:1")
        with pytest.raises(ValidationError):
            catalogue.action.package_search(rows="many")
    with RemoteCKAN(address, get_only=True) as catalogue:
        assert catalogue.action.package_search(q="区划", rows=1)["count"] >= 1
