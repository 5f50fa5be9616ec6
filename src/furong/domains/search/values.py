"""What goes into the index, what is asked of it, and what comes back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256

from furong.foundation.access.values import register_right

MANAGE = register_right("search.manage", zh="管理搜索", en="Look after the search")

PUBLIC = "public"  # the right that everybody has
STAFF = "staff"  # the right of everybody who works in a member organisation

MAX_QUERY_CHARACTERS = 200  # what is looked for; the rest of a longer question is left out, and the page says so
MAX_PAGE_SIZE = 100
MAX_FIRST = 1000  # nobody reads the hundredth page; an engine should not sort it
MAX_TITLE = 500
MAX_INDEXED = 200_000  # characters of a text that are found
MAX_STORED = 6_000  # characters of a text that a snippet is cut from

FACETS = ("kind", "site", "department", "audience", "language", "year")


class Kind(StrEnum):
    """What a document is, in the order in which a page of results names them."""

    SERVICE = "service"
    PAGE = "page"
    RESOURCE = "resource"
    DOCUMENT = "document"
    OFFICE = "office"
    QUESTION = "question"
    DEMAND = "demand"  # data that a department needs and nobody supplies: its two sides and the data authority find it


# A page, an answer and a notice grow old; a service, an office and a rule in force do not. Days until half is left.
HALF_LIFE_DAYS: Mapping[Kind, int] = {Kind.PAGE: 730, Kind.QUESTION: 1095}
OLDEST = 0.55  # what age leaves of a score at least: the only page that answers is still found


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One thing that a search can find.

    ``key`` is unique over all kinds (``service:birth_certificate``). ``department`` is the label that a facet shows.
    ``divisions`` are the codes of the places it is for; empty: for all. ``keywords`` are further names (aliases, headings),
    ``numbers`` exact identifiers that the text does not hold (those in title and text are found by themselves). ``boost``
    multiplies the score (0.25 to 4). ``address`` is a path of this site or an absolute http(s) address. ``title_en`` and
    ``text_en`` are found as the others are, and shown to those who read English.
    """

    key: str
    kind: Kind
    title: str
    address: str
    text: str = ""
    language: str = "zh"
    site: str = ""
    department: str = ""
    audience: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    published_on: date | None = None
    rights: tuple[str, ...] = (PUBLIC,)
    boost: float = 1.0
    title_en: str = ""
    text_en: str = ""

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it."""
        return PUBLIC in self.rights


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked. ``rights`` are the asker's; ``today`` ages pages; ``places`` are the division codes of the asker,
    the nearest first.

    Within one facet any value will do, over facets all must hold. ``hidden`` are keys that the database refused meanwhile.
    Without ``with_count`` only the best are counted, and there are no facets.
    ``shown_in`` is the reader's language (``zh``, ``en``): of a document that has both, titles and snippets come in it.
    """

    text: str
    today: date
    rights: frozenset[str] = frozenset({PUBLIC})
    kinds: tuple[str, ...] = ()
    not_kinds: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    since: date | None = None
    until: date | None = None  # exclusive
    places: tuple[str, ...] = ()
    first: int = 0
    size: int = 10
    with_facets: bool = True
    with_snippets: bool = True
    with_count: bool = True
    hidden: frozenset[str] = frozenset()
    shown_in: str = "zh"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of shown text, and whether it is what was looked for. Not escaped: the template does that."""

    text: str
    is_match: bool = False


Marked = tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A document that was found. ``is_named``: its title, in one of its languages, holds something that was said."""

    key: str
    kind: Kind
    title: str
    address: str
    score: float
    site: str = ""
    department: str = ""
    language: str = "zh"
    published_on: date | None = None
    marked_title: Marked = ()
    snippet: Marked = ()
    is_named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    """A value of a facet, and how many of the documents found carry it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of results. ``whole`` hold enough of what was said; ``is_broad``: so few did that less was enough.

    ``is_estimate``: total and facets are told from a sample, rounded to two digits (within about a seventh).
    """

    hits: tuple[Hit, ...] = ()
    total: int = 0
    whole: int = 0
    facets: Mapping[str, tuple[FacetValue, ...]] = field(default_factory=dict)
    is_broad: bool = False
    is_estimate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A phrase offered while somebody types."""

    text: str
    kind: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """How an index stands: what it is made with, and how much it holds."""

    generation: str
    recipe: str
    public: int
    inner: int
    bytes: int


def recipe_of(*parts: str) -> str:
    """Name how texts are analysed: an index made with another recipe has to be rebuilt."""
    return sha256("\x1f".join(parts).encode()).hexdigest()[:16]
