"""Pages as documents of the index: the source with the prefix ``page``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from furong.domains.search.store import queries
from furong.domains.search.store.commands import key_of
from furong.domains.search.store.values import Kind as PageKind
from furong.domains.search.store.values import PageView
from furong.domains.search.values import MAX_INDEXED, MAX_TITLE, Document, Kind
from furong.foundation.access.values import Actor

_MAX_KEYWORDS = 60


class PageSource:
    """Gives the index what the page store keeps. Everything in it is public."""

    prefix = "page"

    def documents(self, keys: Sequence[str]) -> dict[str, Document]:
        """Return the documents of these keys; a key without a page is left out."""
        ids = {one: found for one in keys if (found := _id(one)) is not None}
        return {key_of(page.id): document_of(page) for page in queries.list_pages(page_ids=list(ids.values()))}

    def keys(self) -> Iterator[str]:
        """Give the key of every page."""
        for page_id in queries.each_page_id():
            yield key_of(page_id)

    def visible(self, keys: Collection[str], *, actor: Actor) -> set[str]:
        """Say which of these keys the actor may see: those that are still there."""
        ids = [found for one in keys if (found := _id(one)) is not None]
        return {key_of(one) for one in queries.list_page_ids(page_ids=ids)}


def document_of(page: PageView) -> Document:
    """Make the index's document of a page."""
    summary = f"{page.summary}\n" if page.summary and page.summary not in page.body[:2000] else ""
    return Document(
        key=key_of(page.id),
        kind=Kind.PAGE if page.kind is PageKind.PAGE else Kind.DOCUMENT,
        title=page.title[:MAX_TITLE],
        address=page.address,
        text=f"{summary}{page.body}"[:MAX_INDEXED],
        language="zh" if page.language.startswith("zh") else page.language or "und",
        site=page.site_name,
        department=page.department,
        divisions=(page.division_code,) if page.division_code else (),
        keywords=tuple(dict.fromkeys((*page.keywords, *page.headings)))[:_MAX_KEYWORDS],
        numbers=page.numbers,
        published_on=page.published_on,
    )


def _id(key: str) -> UUID | None:
    prefix, _, rest = key.partition(":")
    try:
        return UUID(rest) if prefix == PageSource.prefix else None
    except ValueError:
        return None
