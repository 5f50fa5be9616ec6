"""The catalogue as DCAT-AP 3 (SEMIC, on W3C DCAT 3): one page of its own datasets as a graph.

What was harvested is left out: its own source publishes it, and two catalogues that harvest each other would echo.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, SKOS, XSD, Namespace

from furong.domains.catalogue.licence import Licence
from furong.domains.catalogue.published import Published, PublishedFound
from furong.sites.opendata import words
from furong.sites.opendata.exporting import FORMATS

VERSION = URIRef(f"{DCAT}version")  # new in DCAT 3
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
_AUTHORITY = "http://publications.europa.eu/resource/authority/"
_MEDIA = "https://www.iana.org/assignments/media-types/"
FREQUENCIES: Mapping[str, str] = {
    "realtime": "UPDATE_CONT",
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "half_yearly": "ANNUAL_2",
    "yearly": "ANNUAL",
    "irregular": "IRREG",
    "other": "OTHER",
}
_ACCESS = {"open": "PUBLIC", "conditional": "RESTRICTED"}
_LANGUAGE_TAGS = {"zh": "zh", "en": "en"}
_ABOUT = {
    "zh": "政务信息资源目录中向社会公开的部分。",
    "en": "What the catalogue of government information holds for the public.",
}
Names = Mapping[str, Mapping[str, str]]


def _texts(graph: Graph, subject: URIRef, predicate: URIRef, values: Mapping[str, Any]) -> None:
    for language, value in values.items():
        if value:
            graph.add((subject, predicate, Literal(str(value), lang=_LANGUAGE_TAGS.get(language, language))))


def graph_of(
    *,
    root: str,
    suffix: str,
    title: Mapping[str, str],
    found: PublishedFound,
    departments: Names,
    licence: Licence | None = None,
    number: int,
    size: int,
) -> Graph:
    """Give page ``number`` (from 1) of the catalogue. ``root`` is the site's address without a stroke at its end."""
    graph = Graph(bind_namespaces="none")
    for prefix, space in (
        *(("dcat", DCAT), ("dct", DCTERMS), ("foaf", FOAF), ("hydra", HYDRA), ("skos", SKOS), ("xsd", XSD)),
    ):
        graph.bind(prefix, space)
    catalog, scheme = URIRef(f"{root}/catalog.{suffix}"), URIRef(f"{root}/opendata/#subjects")
    publisher = URIRef(f"{root}/#government")
    graph.add((catalog, RDF.type, DCAT.Catalog))
    _texts(graph, catalog, DCTERMS.title, title)
    _texts(graph, catalog, DCTERMS.description, _ABOUT)
    graph.add((catalog, DCTERMS.publisher, publisher))
    graph.add((publisher, RDF.type, FOAF.Agent))
    _texts(graph, publisher, FOAF.name, title)
    graph.add((catalog, FOAF.homepage, URIRef(f"{root}/opendata/")))
    if licence is not None:
        _licence(graph, licence)
        graph.add((catalog, DCTERMS.license, URIRef(licence.url)))
    graph.add((catalog, DCAT.themeTaxonomy, scheme))
    graph.add((scheme, RDF.type, SKOS.ConceptScheme))
    _texts(graph, scheme, DCTERMS.title, {"zh": "政务信息资源分类", "en": "Classes of government information"})
    for language in ("ZHO", "ENG"):
        graph.add((catalog, DCTERMS.language, URIRef(f"{_AUTHORITY}language/{language}")))
    _pages(graph, catalog, number, -(-found.total // size) or 1, found.total)
    service = _service(graph, catalog, root)
    for line in found.lines:
        _dataset(graph, root, catalog, service, scheme, line, departments, licence)
    return graph


def _licence(graph: Graph, licence: Licence) -> None:
    """Add what the licence is called; DCAT-AP 3 states it of each distribution."""
    graph.add((URIRef(licence.url), RDF.type, DCTERMS.LicenseDocument))
    _texts(graph, URIRef(licence.url), DCTERMS.title, licence.name)
    graph.add((URIRef(licence.url), DCTERMS.identifier, Literal(licence.code)))


def _pages(graph: Graph, catalog: URIRef, number: int, last: int, total: int) -> None:
    """Add where this page lies (Hydra's partial collection view, as DCAT-AP feeds use it)."""
    view = URIRef(f"{catalog}?page={number}")
    graph.add((catalog, HYDRA.totalItems, Literal(total, datatype=XSD.integer)))
    graph.add((catalog, HYDRA.view, view))
    graph.add((view, RDF.type, HYDRA.PartialCollectionView))
    graph.add((view, HYDRA.first, URIRef(f"{catalog}?page=1")))
    graph.add((view, HYDRA.last, URIRef(f"{catalog}?page={last}")))
    if number > 1:
        graph.add((view, HYDRA.previous, URIRef(f"{catalog}?page={number - 1}")))
    if number < last:
        graph.add((view, HYDRA.next, URIRef(f"{catalog}?page={number + 1}")))


def _service(graph: Graph, catalog: URIRef, root: str) -> URIRef:
    service = URIRef(f"{root}/opendata/interface#rows")
    graph.add((catalog, DCAT.service, service))
    graph.add((service, RDF.type, DCAT.DataService))
    _texts(graph, service, DCTERMS.title, {"zh": "开放数据行接口", "en": "Rows of open data"})
    graph.add((service, DCAT.endpointURL, URIRef(f"{root}/opendata/rows/")))
    graph.add((service, DCAT.endpointDescription, URIRef(f"{root}/opendata/interface")))
    return service


def _dataset(
    graph: Graph,
    root: str,
    catalog: URIRef,
    service: URIRef,
    scheme: URIRef,
    line: Published,
    departments: Names,
    licence: Licence | None,
) -> None:
    dataset = URIRef(f"{root}/opendata/datasets/{line.name}")
    graph.add((catalog, DCAT.dataset, dataset))
    graph.add((dataset, RDF.type, DCAT.Dataset))
    graph.add((dataset, DCTERMS.identifier, Literal(line.name)))
    _texts(graph, dataset, DCTERMS.title, line.title)
    _texts(graph, dataset, DCTERMS.description, line.summary)
    for tag in line.tags:
        graph.add((dataset, DCAT.keyword, Literal(tag, lang="zh")))
    agent = URIRef(f"{root}/opendata/?department={line.department}")
    graph.add((dataset, DCTERMS.publisher, agent))
    graph.add((agent, RDF.type, FOAF.Agent))
    _texts(graph, agent, FOAF.name, departments.get(line.department, {"zh": line.department}))
    theme = URIRef(f"{root}/opendata/?subject={line.class_item}")
    graph.add((dataset, DCAT.theme, theme))
    graph.add((theme, RDF.type, SKOS.Concept))
    graph.add((theme, SKOS.inScheme, scheme))
    _texts(graph, theme, SKOS.prefLabel, words.subject(line.class_item, departments))
    graph.add((dataset, DCAT.landingPage, dataset))
    if (access := _ACCESS.get(line.openness)) is not None:
        graph.add((dataset, DCTERMS.accessRights, URIRef(f"{_AUTHORITY}access-right/{access}")))
    if (often := FREQUENCIES.get(line.cycle)) is not None:
        graph.add((dataset, DCTERMS.accrualPeriodicity, URIRef(f"{_AUTHORITY}frequency/{often}")))
    if line.issued_on is not None:
        graph.add((dataset, DCTERMS.issued, Literal(line.issued_on.isoformat(), datatype=XSD.date)))
    if line.changed_at is not None:
        graph.add((dataset, DCTERMS.modified, Literal(line.changed_at.isoformat(), datatype=XSD.dateTime)))
    if line.version:
        graph.add((dataset, VERSION, Literal(str(line.version))))
    if not line.has_data:
        return
    graph.add((service, DCAT.servesDataset, dataset))
    for one in FORMATS.values():
        file = URIRef(f"{root}/opendata/data/{line.name}.{one.code}")
        graph.add((dataset, DCAT.distribution, file))
        graph.add((file, RDF.type, DCAT.Distribution))
        graph.add((file, DCTERMS.title, Literal(one.label)))
        if licence is not None:
            graph.add((file, DCTERMS.license, URIRef(licence.url)))
        graph.add((file, DCAT.accessURL, dataset))
        graph.add((file, DCAT.downloadURL, file))
        graph.add((file, DCTERMS["format"], URIRef(f"{_AUTHORITY}file-type/{one.label.upper()}")))
        graph.add((file, DCAT.mediaType, URIRef(_MEDIA + one.media_type.partition(";")[0])))
