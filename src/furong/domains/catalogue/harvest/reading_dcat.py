"""Reads a DCAT feed (DCAT-AP, GeoDCAT, what CKAN and udata give) as Turtle, JSON-LD or RDF/XML, page by page.

Nothing that the feed names is opened but its next page on the same site: no JSON-LD context, no entity, no import.
"""

from __future__ import annotations

import json
import xml.parsers.expat
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS, Namespace
from rdflib.plugins.parsers.jsonld import to_rdf

from furong.domains.catalogue.harvest.errors import HarvestStoppedError
from furong.domains.catalogue.harvest.fetching import Fetched
from furong.domains.catalogue.harvest.reading_ckan import Read
from furong.domains.catalogue.harvest.values import (
    MAX_FILES,
    MAX_PAGES,
    MAX_SUMMARY,
    MAX_TAG,
    MAX_TAGS,
    MAX_TITLE,
    Dataset,
    File,
    clean,
    clean_format,
    clean_url,
    in_languages,
    moment,
    skip,
)

HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
ACCEPT = "text/turtle, application/ld+json, application/rdf+xml;q=0.9"
_KINDS: Mapping[str, str] = {
    "text/turtle": "turtle",
    "application/x-turtle": "turtle",
    "application/ld+json": "json-ld",
    "application/json": "json-ld",
    "application/rdf+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
}
_SUFFIXES = {".ttl": "turtle", ".jsonld": "json-ld", ".json": "json-ld", ".rdf": "xml", ".xml": "xml"}
# Update cycles by the EU's authority and by Dublin Core's Collection Description Frequency.
_CYCLES: Mapping[str, str] = {
    "UPDATE_CONT": "realtime",
    "CONT": "realtime",
    "CONTINUOUS": "realtime",
    "DAILY": "daily",
    "WEEKLY": "weekly",
    "MONTHLY": "monthly",
    "QUARTERLY": "quarterly",
    "ANNUAL_2": "half_yearly",
    "SEMIANNUAL": "half_yearly",
    "ANNUAL": "yearly",
    "IRREG": "irregular",
    "IRREGULAR": "irregular",
    "OTHER": "other",
}


def read_dcat(url: str, get: Callable[[str], Fetched]) -> Iterator[Read]:
    """Give every dataset of the feed at ``url``, or a finding for what is left out. Raises `HarvestStoppedError`."""
    here = urlsplit(url)
    waiting, read, number = url, set(), 0
    for _page in range(MAX_PAGES):
        fetched = get(waiting)
        read |= {waiting, fetched.url}
        graph = graph_of(fetched)
        subjects = sorted(set(graph.subjects(RDF.type, DCAT.Dataset)), key=str)
        if not subjects and (None, RDF.type, DCAT.Catalog) not in graph:
            raise HarvestStoppedError("not_a_catalogue")
        for subject in subjects:
            number += 1
            yield dataset_of(graph, subject, number)
        following = _next(graph)
        if not following:
            return
        there = urlsplit(following)
        if following in read or (there.scheme, there.netloc) != (here.scheme, here.netloc):
            raise HarvestStoppedError("elsewhere")
        waiting = following
    raise HarvestStoppedError("too_many")


def graph_of(fetched: Fetched) -> Graph:
    """Parse an answer. Raises `HarvestStoppedError` for what cannot be read or would lead elsewhere."""
    kind = _KINDS.get(fetched.media_type) or _by_suffix(fetched.url) or _by_look(fetched.body)
    if kind == "xml":
        _refuse_entities(fetched.body)
    graph = Graph(bind_namespaces="none")
    content = _json_of(fetched.body) if kind == "json-ld" else None
    try:
        if content is not None:
            to_rdf(content, graph, base=fetched.url)
        else:
            graph.parse(data=fetched.body, format=kind, publicID=fetched.url)
    except Exception as error:  # noqa: BLE001 - three parsers raise what they please over what a stranger wrote
        raise HarvestStoppedError("broken", f"{kind} {type(error).__name__}") from None
    return graph


def _by_suffix(url: str) -> str:
    path = urlsplit(url).path.lower()
    return next((kind for suffix, kind in _SUFFIXES.items() if path.endswith(suffix)), "")


def _by_look(body: bytes) -> str:
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in {b"{", b"["}:
        return "json-ld"
    return "xml" if start.startswith((b"<?xml", b"<rdf:RDF")) else "turtle"


def _refuse_entities(body: bytes) -> None:
    """Refuse XML that declares a document type: entities open files and grow without end (CWE-611, CWE-776)."""

    def refuse(*_given: Any) -> None:
        raise HarvestStoppedError("entities")

    parser = xml.parsers.expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except xml.parsers.expat.ExpatError:
        raise HarvestStoppedError("broken", "XML") from None


def _json_of(body: bytes) -> Any:
    """Give JSON-LD as Python holds it; refuse what names a context to be fetched."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise HarvestStoppedError("broken", "JSON") from None
    waiting: list[Any] = [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            context = one.get("@context")
            named = context if isinstance(context, list) else [context]
            if "@import" in one or any(isinstance(part, str) for part in named):
                raise HarvestStoppedError("remote_context")
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return content


def _next(graph: Graph) -> str:
    for predicate in (HYDRA.next, HYDRA.nextPage):
        found = sorted(str(one) for one in graph.objects(None, predicate) if str(one))
        if found:
            return found[0]
    return ""


def dataset_of(graph: Graph, subject: Any, number: int) -> Read:
    """Give a ``dcat:Dataset`` as a dataset."""
    identifier = clean(str(subject), MAX_TITLE) if isinstance(subject, URIRef) else ""
    identifier = clean(_first(graph, subject, DCTERMS.identifier), MAX_TITLE) or identifier
    if not identifier:
        return skip("no_identifier", number)
    title = _texts(graph, subject, DCTERMS.title, MAX_TITLE)
    if not title:
        return skip("no_title", number)
    issued = moment(_value(graph, subject, DCTERMS.issued))
    return Dataset(
        identifier=identifier,
        title=title,
        summary=_texts(graph, subject, DCTERMS.description, MAX_SUMMARY),
        publisher=_name(graph, graph.value(subject, DCTERMS.publisher)),
        licence=_name(graph, graph.value(subject, DCTERMS.license)),
        landing_page=clean_url(_first(graph, subject, DCAT.landingPage)) or clean_url(str(subject)),
        cycle=_cycle(graph, subject),
        issued=issued.date().isoformat() if issued else "",
        modified_at=moment(_value(graph, subject, DCTERMS.modified)),
        tags=_tags(graph, subject),
        files=tuple(_files(graph, subject)),
    )


def _first(graph: Graph, subject: Any, predicate: URIRef) -> str:
    found = sorted(str(one) for one in graph.objects(subject, predicate) if not isinstance(one, BNode))
    return found[0] if found else ""


def _value(graph: Graph, subject: Any, predicate: URIRef) -> Any:
    found = graph.value(subject, predicate, any=True)
    return found.toPython() if isinstance(found, Literal) and found.value is not None else str(found or "")


def _texts(graph: Graph, subject: Any, predicate: URIRef, most: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in sorted(graph.objects(subject, predicate), key=str)[:20]:
        if isinstance(one, Literal):
            found.setdefault(one.language or "", clean(str(one), most))
    return in_languages(found)


def _name(graph: Graph, node: Any) -> str:
    """Give what something is called: its name or title, else its address."""
    if node is None:
        return ""
    if isinstance(node, Literal):
        return clean(str(node), MAX_TITLE)
    for predicate in (FOAF.name, DCTERMS.title, SKOS.prefLabel, RDFS.label):
        found = _texts(graph, node, predicate, MAX_TITLE)
        if found:
            return next(iter(found.values()))
    return clean_url(str(node)) if isinstance(node, URIRef) else ""


def _cycle(graph: Graph, subject: Any) -> str:
    last = _first(graph, subject, DCTERMS.accrualPeriodicity).rstrip("/").replace("#", "/").rpartition("/")[2]
    return _CYCLES.get(last.upper(), "")


def _tags(graph: Graph, subject: Any) -> tuple[str, ...]:
    found = {clean(str(one), MAX_TAG) for one in graph.objects(subject, DCAT.keyword) if isinstance(one, Literal)}
    return tuple(sorted(found - {""}))[:MAX_TAGS]


def _files(graph: Graph, subject: Any) -> Iterator[File]:
    for one in sorted(graph.objects(subject, DCAT.distribution), key=str)[:MAX_FILES]:
        url = clean_url(_first(graph, one, DCAT.downloadURL)) or clean_url(_first(graph, one, DCAT.accessURL))
        if not url:
            continue
        title = _texts(graph, one, DCTERMS.title, MAX_TITLE)
        kind = _first(graph, one, DCTERMS["format"])
        media_type = _first(graph, one, DCAT.mediaType)
        yield File(
            url=url,
            title=next(iter(title.values()), ""),
            format=clean_format(kind) or clean_format(media_type),
            media_type=clean("/".join(media_type.rsplit("/", 2)[-2:]), 100) if media_type else "",
        )
