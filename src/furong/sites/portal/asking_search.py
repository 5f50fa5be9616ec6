"""A question as its address says it, and addresses of neighbouring questions. What is strange in an address is left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import unquote_to_bytes, urlencode

from django.http import QueryDict

from furong.domains.search.values import MAX_FIRST, Kind, Query

PAGE_SIZE = 10
_MOST_TYPED = 12_000
_LISTS = ("kind", "site", "department", "audience", "language", "year")
_LONGEST_VALUE = 200
_LOST = "\ufffd"  # stands for bytes that are no UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address of a page of results says."""

    words: str = ""
    chosen: tuple[tuple[str, str], ...] = ()  # facet and value
    page: int = 1
    as_typed: bool = False

    def value(self, facet: str) -> str:
        """Give the chosen value of a facet, empty for none."""
        return dict(self.chosen).get(facet, "")

    def link(self, **changes: object) -> str:
        """Give the address of the same question with something else; a new narrowing begins at the first page."""
        other = replace(self, page=1, **changes) if changes else self  # type: ignore[arg-type]
        parts = [("q", other.words), *other.chosen]
        if other.page > 1:
            parts.append(("page", str(other.page)))
        if other.as_typed:
            parts.append(("exact", "1"))
        return "?" + urlencode([(name, value) for name, value in parts if value])

    def with_value(self, facet: str, value: str) -> str:
        """Give the address with another value of a facet, or without it when it is empty."""
        chosen = tuple(one for one in self.chosen if one[0] != facet)
        return self.link(chosen=(*chosen, (facet, value)) if value else chosen)

    def at_page(self, page: int) -> str:
        """Give the address of another page of the same results."""
        return replace(self, page=page).link()

    def query(self, *, today: date, places: tuple[str, ...] = (), shown_in: str = "zh") -> Query:
        """Give the question to the search. ``shown_in``: the language that titles and snippets come in, where they have it."""
        year = self.value("year")

        def one(name: str) -> tuple[str, ...]:
            value = self.value(name)
            return (value,) if value else ()

        return Query(
            text=self.words,
            today=today,
            kinds=one("kind"),
            sites=one("site"),
            departments=one("department"),
            audiences=one("audience"),
            languages=one("language"),
            years=(int(year),) if year else (),
            places=places,
            first=(self.page - 1) * PAGE_SIZE,
            size=PAGE_SIZE,
            shown_in=shown_in,
        )


def _in_gb18030(raw: str) -> str:
    """Words whose bytes are no UTF-8 but GB 18030, as links of old sites have them; empty when they are neither."""
    for part in raw.split("&"):
        name, _, value = part.partition("=")
        if name == "q":
            try:
                return unquote_to_bytes(value[: 6 * _MOST_TYPED].replace("+", " ")).decode("gb18030")
            except UnicodeDecodeError:
                return ""
    return ""


def asked(given: QueryDict, *, raw: str = "") -> Asked:
    """Read the address; ``raw`` is it as it came, for words in the character set of old sites. Never raises."""
    words = given.get("q", "")
    if _LOST in words:
        words = _in_gb18030(raw) or words
    chosen = []
    for name in _LISTS:
        value = given.get(name, "").strip()[:_LONGEST_VALUE]
        if not value or (name == "kind" and value not in set(Kind)):
            continue
        if name == "year" and not (len(value) == 4 and value.isascii() and value.isdigit()):
            continue
        chosen.append((name, value))
    page = given.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 5 else 1
    return Asked(
        words=words.strip()[:_MOST_TYPED],
        chosen=tuple(chosen),
        page=min(max(number, 1), MAX_FIRST // PAGE_SIZE),
        as_typed=given.get("exact", "") == "1",
    )
