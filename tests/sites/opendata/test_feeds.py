"""The DCAT-AP feeds: both forms say the same, have what DCAT-AP demands, and are what we harvest ourselves."""

from __future__ import annotations

from typing import Any

import pytest
from rdflib import Graph, Literal, URIRef
from rdflib.compare import to_isomorphic
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF
from tests.sites.opendata.reading import open_resources, reader

from furong.domains.catalogue.harvest.commands import read_source
from furong.domains.catalogue.harvest.fetching import Fetched
from furong.domains.catalogue.harvest.values import SourceKind
from furong.sites.opendata.dcat import HYDRA
from furong.sites.opendata.views import feeds

pytestmark = pytest.mark.usefixtures("platform")
# rdflib reads JSON-LD through a class of its own that it deprecates.
IGNORED = pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
ROOT = "http://127.0.0.1"


def graph(path: str, kind: str = "turtle") -> Graph:
    answer = reader().get(path)
    assert answer.status_code == 200
    return Graph().parse(data=answer.content, format=kind)


def pages(suffix: str = "ttl") -> list[Graph]:
    kind = "turtle" if suffix == "ttl" else "json-ld"
    count = -(-len(open_resources()) // feeds.PAGE_SIZE)
    return [graph(f"/catalog.{suffix}?page={number}", kind) for number in range(1, count + 1)]


@IGNORED
def test_both_forms_say_the_same() -> None:
    turtle = reader().get("/catalog.ttl").content.decode()
    other = graph("/catalog.jsonld", "json-ld")
    renamed = Graph().parse(data=turtle.replace("/catalog.ttl", "/catalog.jsonld"), format="turtle")
    assert to_isomorphic(renamed) == to_isomorphic(other)


def test_every_open_resource_is_in_the_feed_with_what_dcat_ap_demands() -> None:
    found = {
        str(one).rpartition("/")[2]: (page, one) for page in pages() for one in page.subjects(RDF.type, DCAT.Dataset)
    }
    assert sorted(found) == open_resources()
    for page, one in found.values():
        for predicate in (DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCTERMS.identifier, DCAT.theme):
            assert list(page.objects(one, predicate)), f"{one} has no {predicate}"
        for title in page.objects(one, DCTERMS.title):
            assert isinstance(title, Literal)
            assert title.language in {"zh", "en"}
        publisher = page.value(one, DCTERMS.publisher)
        assert (publisher, RDF.type, FOAF.Agent) in page
        for file in page.objects(one, DCAT.distribution):
            assert list(page.objects(file, DCAT.accessURL)), "mandatory of a distribution"
            (licence,) = page.objects(file, DCTERMS.license)
            assert str(licence) == "https://creativecommons.org/licenses/by/4.0/", "the pack's"
            assert list(page.objects(licence, DCTERMS.title))
    catalog = URIRef(f"{ROOT}/catalog.ttl")
    first = pages()[0]
    for predicate in (DCTERMS.title, DCTERMS.description, DCTERMS.publisher):
        assert list(first.objects(catalog, predicate))


def test_pages_lead_on_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PAGE_SIZE", 5)
    seen, path = 0, "/catalog.ttl"
    while path:
        found = graph(path)
        seen += len(set(found.subjects(RDF.type, DCAT.Dataset)))
        following = next(found.objects(None, HYDRA.next), None)
        link = reader().get(path).headers.get("Link", "")
        assert (following is not None) == ('rel="next"' in link)
        path = str(following).removeprefix(ROOT) if following is not None else ""
    assert seen == len(open_resources())


@pytest.mark.parametrize(
    "path", ["/catalog.ttl?page=0", "/catalog.ttl?page=x", "/catalog.ttl?page=999", "/catalog.rdf"]
)
def test_a_page_that_is_none_is_not_found(path: str) -> None:
    assert reader().get(path).status_code == 404


@pytest.mark.parametrize(("kind", "url"), [("dcat", "/catalog.ttl"), ("dcat", "/catalog.jsonld"), ("ckan", "")])
def test_another_furong_harvests_all_of_this_one(kind: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PAGE_SIZE", 20)

    def get(address: str) -> Fetched:
        answer: Any = reader().get(address.removeprefix(ROOT))
        assert answer.status_code == 200, address
        return Fetched(url=address, media_type=answer["Content-Type"].partition(";")[0], body=answer.content)

    catch = read_source(kind=SourceKind(kind), url=ROOT + url, get=get)
    assert (catch.skipped, sorted(one.identifier for one in catch.datasets)) == (0, open_resources())
    divisions = next(one for one in catch.datasets if one.identifier == "divisions")
    assert divisions.title["zh"] == "行政区划代码"
    assert {one.format for one in divisions.files} == {"CSV", "JSON", "XLSX", "PARQUET"}
