"""Reads a CKAN catalogue by its action API, page by page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from furong.domains.catalogue.harvest.errors import HarvestStoppedError
from furong.domains.catalogue.harvest.fetching import Fetched
from furong.domains.catalogue.harvest.values import (
    MAX_DATASETS,
    MAX_FILES,
    MAX_PAGES,
    MAX_SUMMARY,
    MAX_TAG,
    MAX_TAGS,
    MAX_TITLE,
    Dataset,
    File,
    HarvestFinding,
    clean,
    clean_format,
    clean_url,
    in_languages,
    moment,
    skip,
)

ROWS = 100
ACCEPT = "application/json"
Read = Dataset | HarvestFinding


def read_ckan(url: str, get: Callable[[str], Fetched]) -> Iterator[Read]:
    """Give every dataset of the CKAN at ``url``, or a finding for what is left out. Raises `HarvestStoppedError`."""
    start, number = 0, 0
    for _page in range(MAX_PAGES):
        query = urlencode({"q": "*:*", "sort": "name asc", "rows": ROWS, "start": start})
        count, results = _page_of(get(f"{url.rstrip('/')}/api/3/action/package_search?{query}").body)
        if count > MAX_DATASETS:
            raise HarvestStoppedError("too_many", str(min(count, 10**9)))
        for one in results:
            number += 1
            yield dataset_of(one, number, url)
        start += len(results)
        if not results or start >= count:
            return
    raise HarvestStoppedError("too_many")


def _page_of(body: bytes) -> tuple[int, list[Any]]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise HarvestStoppedError("broken", "JSON") from None
    result = answer.get("result") if isinstance(answer, dict) and answer.get("success") is True else None
    if not isinstance(result, dict):
        raise HarvestStoppedError("not_a_catalogue")
    count, results = result.get("count"), result.get("results")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0 or not isinstance(results, list):
        raise HarvestStoppedError("not_a_catalogue")
    return count, results[: ROWS * 10]


def dataset_of(given: Any, number: int, url: str) -> Read:
    """Give a package as a dataset."""
    if not isinstance(given, dict):
        return skip("shape", number)
    if given.get("private") is True or given.get("state", "active") != "active":
        return skip("not_public", number)
    identifier = clean(given.get("id") or given.get("name"), MAX_TITLE)
    if not identifier:
        return skip("no_identifier", number)
    title = _texts(given, "title", MAX_TITLE) or _texts(given, "name", MAX_TITLE)
    if not title:
        return skip("no_title", number)
    name = clean(given.get("name"), 100)
    organization = given.get("organization")
    publisher = clean(organization.get("title"), MAX_TITLE) if isinstance(organization, dict) else ""
    issued = moment(given.get("metadata_created"))
    return Dataset(
        identifier=identifier,
        title=title,
        summary=_texts(given, "notes", MAX_SUMMARY),
        publisher=publisher,
        licence=clean(given.get("license_title") or given.get("license_id"), MAX_TITLE),
        landing_page=clean_url(given.get("url")) or clean_url(f"{url.rstrip('/')}/dataset/{name}"),
        issued=issued.date().isoformat() if issued else "",
        modified_at=moment(given.get("metadata_modified")),
        tags=_tags(given.get("tags")),
        files=tuple(_files(given.get("resources"))),
    )


def _texts(given: dict[str, Any], key: str, most: int) -> dict[str, str]:
    translated = given.get(f"{key}_translated")
    if isinstance(translated, dict):
        found = in_languages({str(tag): clean(text, most) for tag, text in list(translated.items())[:20]})
        if found:
            return found
    return in_languages({"": clean(given.get(key), most)})


def _tags(given: Any) -> tuple[str, ...]:
    tags: dict[str, None] = {}
    for one in given[: MAX_TAGS * 2] if isinstance(given, list) else ():
        name = clean(one.get("display_name") or one.get("name") if isinstance(one, dict) else one, MAX_TAG)
        if name:
            tags[name] = None
    return tuple(tags)[:MAX_TAGS]


def _files(given: Any) -> Iterator[File]:
    for one in given[:MAX_FILES] if isinstance(given, list) else ():
        if isinstance(one, dict) and (url := clean_url(one.get("url"))):
            yield File(
                url=url,
                title=clean(one.get("name"), MAX_TITLE),
                format=clean_format(one.get("format")),
                media_type=clean(one.get("mimetype"), 100),
            )
