"""What a page is, which files become pages, what is refused and why. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from uuid import UUID

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_MARKUP_BYTES = 16 * 1024 * 1024  # HTML and text become a tree in memory; a page that people read has kilobytes
MAX_UNPACKED_BYTES = 256 * 1024 * 1024  # what an office file, itself an archive, may unpack to
MAX_RATIO = 200  # no text or picture packs better; more is a bomb
MAX_TEXT = 200_000  # characters kept; the rest of a book is not searched
MAX_TITLE = 300
MAX_HEADINGS = 100
MAX_SUMMARY = 500
MAX_ADDRESS = 2000
MAX_PDF_PAGES = 1000

EARLIEST = date(1949, 10, 1)  # nothing on a site of this government is older

_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class Kind(StrEnum):
    """What a reader meets: a page of a site, or a file that a page links to."""

    PAGE = "page"
    DOCUMENT = "document"


class Reason(StrEnum):
    """Why a file did not become a page, or what of a page was not believed. The words are in the reference."""

    TOO_LARGE = "too_large"
    EMPTY = "empty"
    NO_TEXT = "no_text"
    SCRIPT = "script"
    KIND_UNKNOWN = "kind_unknown"
    OLD_OFFICE = "old_office"
    PICTURE = "picture"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    BOMB = "bomb"
    TOO_SLOW = "too_slow"
    TOO_MUCH_MEMORY = "too_much_memory"
    CHARSET = "charset"
    PATH_OUTSIDE = "path_outside"
    LINK = "link"
    NO_ADDRESS = "no_address"
    ADDRESS_TWICE = "address_twice"
    KEPT_OUT = "kept_out"
    MISSING = "missing"
    # What follows is said of a page that was taken.
    DATE_REFUSED = "date_refused"
    CUT = "cut"
    KEPT_OLDER = "kept_older"

    @property
    def is_rejection(self) -> bool:
        """Whether the file did not become a page."""
        return self not in (Reason.DATE_REFUSED, Reason.CUT, Reason.KEPT_OLDER)

    @property
    def keeps_older(self) -> bool:
        """Whether the file is broken rather than no page any more: then what was taken from it earlier stays."""
        return self in _BROKEN


_BROKEN = frozenset(
    {
        Reason.TOO_LARGE,
        Reason.EMPTY,
        Reason.ENCRYPTED,
        Reason.DAMAGED,
        Reason.BOMB,
        Reason.TOO_SLOW,
        Reason.TOO_MUCH_MEMORY,
        Reason.CHARSET,
    }
)

WORDS: dict[Reason, str] = {
    Reason.TOO_LARGE: "larger than is read",
    Reason.EMPTY: "an empty file",
    Reason.NO_TEXT: "has no text",
    Reason.SCRIPT: "is a script, not a page; nothing of it was run",
    Reason.KIND_UNKNOWN: "of a kind that is not read",
    Reason.OLD_OFFICE: "an old office file (.doc, .xls, .ppt); save it as .docx, .xlsx or .pptx, or as PDF",
    Reason.PICTURE: "a picture",
    Reason.ENCRYPTED: "encrypted; it opens with a password only",
    Reason.DAMAGED: "damaged or not what its name says",
    Reason.BOMB: "unpacks to more than it can honestly hold",
    Reason.TOO_SLOW: "took longer than is allowed",
    Reason.TOO_MUCH_MEMORY: "needed more memory than is allowed",
    Reason.CHARSET: "written in no character set that could be told",
    Reason.PATH_OUTSIDE: "its path leads out of the archive",
    Reason.LINK: "a link or device, not a file",
    Reason.NO_ADDRESS: "has no address: give a manifest or --base-address",
    Reason.ADDRESS_TWICE: "another file has the same address; the first counts",
    Reason.KEPT_OUT: "an editor removed it; it stays out until it is let in again",
    Reason.MISSING: "the manifest names it, the source lacks it",
    Reason.DATE_REFUSED: "its date cannot be right; taken without it",
    Reason.CUT: "longer than is kept; the end is not searched",
    Reason.KEPT_OLDER: "what was taken from it earlier stays",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file of the source: its path there, and what the manifest says of it (``said``: column to value)."""

    path: str
    size: int
    said: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What the child read from a file. ``notes`` are reasons that do not refuse it; dates are texts as the file has them."""

    kind: str
    media_type: str
    title: str = ""
    headings: tuple[str, ...] = ()
    summary: str = ""
    body: str = ""
    language: str = ""
    author: str = ""
    department: str = ""
    column: str = ""
    keywords: tuple[str, ...] = ()
    canonical: str = ""
    published: str = ""
    modified: str = ""
    charset: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A line of an import's notes: which file, which reason, and a word more where there is one."""

    path: str
    reason: Reason
    detail: str = ""

    @property
    def words(self) -> str:
        """What a person reads."""
        return f"{WORDS[self.reason]}{f' ({self.detail})' if self.detail else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How an import went, in files."""

    files: int = 0
    added: int = 0
    changed: int = 0
    same: int = 0
    removed: int = 0
    refused: int = 0
    noted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A page as an import hands it over to be kept: the extract with what manifest and site say, dates believed."""

    path: str
    address: str
    digest: str
    size: int
    kind: Kind
    media_type: str
    title: str
    headings: tuple[str, ...]
    summary: str
    body: str
    language: str
    department: str
    author: str
    column: str
    keywords: tuple[str, ...]
    numbers: tuple[str, ...]
    published_on: date | None
    modified_on: date | None
    charset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What an import says of its site. What is empty stays as it was."""

    code: str
    name: str = ""
    base_address: str = ""
    department: str = ""
    division_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """A run of an import. ``ended_at`` is None while it runs, or when it was killed."""

    id: UUID
    site: str
    source: str
    began_at: datetime
    ended_at: datetime | None
    finding: str
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """A page as search and staff see it. ``body`` is plain text, paragraphs by line; dates are local days or None."""

    id: UUID
    site: str
    site_name: str
    address: str
    path: str
    kind: Kind
    media_type: str
    title: str
    headings: tuple[str, ...]
    summary: str
    body: str
    language: str
    department: str
    division_code: str
    column: str
    keywords: tuple[str, ...]
    numbers: tuple[str, ...]
    published_on: date | None
    modified_on: date | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOutView:
    """An address that an editor removed, and why."""

    address: str
    site: str
    title: str
    why: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLine:
    """A page in a list."""

    id: UUID
    title: str
    address: str
    kind: Kind
    language: str
    size: int
    published_on: date | None
    imported_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """A site whose pages are kept."""

    code: str
    name: str
    base_address: str
    department: str
    division_code: str
    pages: int


def check_code(code: str) -> bool:
    """Say whether ``code`` can name a site."""
    return _CODE.fullmatch(code) is not None


def check_address(address: str) -> str:
    """Give an address in the form in which two ways of writing the same page are one; empty when it is no web address.

    The host in small letters, no port that goes without saying, no fragment, characters outside ASCII escaped (RFC 3986 6.2.2).
    """
    address = address.strip()
    if not address or len(address) > MAX_ADDRESS or re.search(r"[\x00-\x20\x7f\\]", address):
        return ""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme.lower() not in ("http", "https") or not host or parts.username or parts.password is not None:
        return ""
    try:
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        return ""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+", host):
        return ""
    shown = f"[{host}]" if ":" in host else host
    scheme = parts.scheme.lower()
    if port is not None and port != {"http": 80, "https": 443}[scheme]:
        shown = f"{shown}:{port}"
    return urlunsplit(
        (
            scheme,
            shown,
            quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._"),
            quote(parts.query, safe="/?%:@!$&'()*+,;=~-._"),
            "",
        )
    )


def address_of(path: str, *, base_address: str) -> str:
    """Give the address of a file without one in the manifest: below ``base_address``, or as its first folder names a host.

    A mirror keeps pages under their host (`www.changsha.gov.cn/szf/1.html`), so a first folder with a dot is taken for one when
    there is no ``base_address``. `index.html` is the folder itself. Empty when neither says anything.
    """
    pure = PurePosixPath(path)
    parts = pure.parts
    if base_address:
        base = base_address if base_address.endswith("/") else f"{base_address}/"
        inside = parts
    elif len(parts) > 1 and re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?", parts[0]):
        base, inside = f"https://{parts[0]}/", parts[1:]
    else:
        return ""
    if inside and inside[-1].lower() in ("index.html", "index.htm"):
        tail = "/".join(quote(one) for one in inside[:-1])
        return check_address(f"{base}{tail}/" if tail else base)
    return check_address(base + "/".join(quote(one) for one in inside))


def host_of(address: str) -> str:
    """Give the host of an address, in small letters."""
    return (urlsplit(address).hostname or "").lower()


def readable_name(path: str) -> str:
    """Give the name of a file as a title of last resort: without folders, ending and underscores."""
    return re.sub(r"[_\s]+", " ", unquote(PurePosixPath(path).stem)).strip()[:MAX_TITLE]


def believable(claimed: str, *, today: date) -> tuple[date | None, bool]:
    """Read a date as pages claim it, and say whether it had to be refused.

    Gives ``(date, False)``, ``(None, False)`` when nothing is claimed, and ``(None, True)`` when the claim is no date, lies after
    ``today`` (a page is not of the future) or before the People's Republic.
    """
    claimed = claimed.strip()
    if not claimed:
        return None, False
    found = _DATE.search(claimed)
    if found is None:
        return None, True
    try:
        year, month, number = (found[one] or found[f"{one}8"] for one in ("year", "month", "day"))
        day = date(int(year), int(month), int(number))
    except ValueError:
        return None, True
    return (day, False) if EARLIEST <= day <= today else (None, True)


_DATE = re.compile(
    r"(?<!\d)(?P<year>\d{4})\s*(?:[-/.年]\s*)?(?P<month>0?[1-9]|1[0-2])\s*(?:[-/.月]\s*)?(?P<day>3[01]|[12]\d|0?[1-9])(?!\d)"
    # as machines write it, with the time behind: 20240506120000
    r"|(?<!\d)(?P<year8>\d{4})(?P<month8>\d{2})(?P<day8>\d{2})\d{4,6}(?!\d)"
)

_NUMBER = re.compile(
    r"(?P<who>[\u4e00-\u9fff]{1,12})\s*[〔\[［(（【]\s*(?P<year>(?:19|20)\d{2})\s*[〕\]］)）】]\s*(?:第\s*)?(?P<number>\d{1,5})\s*号"
)


def document_numbers(text: str) -> tuple[str, ...]:
    """Give a text's document numbers in their one form, 湘政发〔2024〕5号 (GB/T 9704-2012 7.2.5): at most twenty."""
    found: dict[str, None] = {}
    for one in _NUMBER.finditer(text):
        who = re.split(r"[据按照根和及与由经的《》]", one["who"])[-1]
        if who:
            found.setdefault(f"{who}〔{one['year']}〕{int(one['number'])}号")
        if len(found) == 20:
            break
    return tuple(found)
