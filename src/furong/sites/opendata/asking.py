"""What a reader asks for in an address: words, facets, order and page, and the links that add or take one away. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import QueryDict

from furong.domains.catalogue.published import SORTS, Wanted

PAGE_SIZE = 20
MOST_PAGES = 1000
# Facets by their name in the address.
FACETS: Mapping[str, str] = {
    "class": "class_kind",
    "subject": "class_item",
    "department": "department",
    "cycle": "cycle",
    "format": "format",
    "rows": "has_data",
}
_SORTS = {"": "relevance", "name": "name", "changed": "changed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A search as a reader asks for it."""

    words: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)  # name in the address → value
    sort: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        """Read an address; what cannot be read is left out."""
        page = query.get("page", "1")
        return cls(
            words=query.get("q", "").strip()[:100],
            chosen={name: value[:200] for name in FACETS if (value := query.get(name, ""))},
            sort=query.get("sort", "") if query.get("sort", "") in _SORTS else "",
            page=max(1, min(int(page), MOST_PAGES)) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )

    def wanted(self) -> Wanted:
        """Give it as a search of the catalogue."""
        return Wanted(
            text=self.words,
            only=tuple((FACETS[name], frozenset({value})) for name, value in self.chosen.items()),
            sort=_SORTS[self.sort],
            start=(self.page - 1) * PAGE_SIZE,
            rows=PAGE_SIZE,
            facets=tuple(FACETS.values()),
        )

    def link(self, **changes: str | int) -> str:
        """Give the query string of this search with changes; the page is the first unless it is named."""
        values: dict[str, str | int] = {"q": self.words, **self.chosen, "sort": self.sort, "page": 1, **changes}
        return "?" + urlencode({name: value for name, value in values.items() if value not in ("", 1)})


assert set(_SORTS.values()) <= set(SORTS)  # noqa: S101 - a slip of ours, found at import
