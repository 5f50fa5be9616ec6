"""Text and structure of an HTML page: its title, headings and main part, without navigation and without anything that runs. Pure.

Nothing is fetched and nothing executed: the page is parsed, scripts and styles are thrown away. The metadata are those that sites
of Chinese government carry (《政府网站发展指引》 annex 2: ArticleTitle, PubDate, ContentSource, ColumnName…), and beside them
Dublin Core, Open Graph and JSON-LD.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from lxml import etree, html

from furong.domains.search.store.values import MAX_HEADINGS, MAX_SUMMARY, MAX_TEXT, MAX_TITLE, Extract, Kind, Reason

_GONE = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "iframe",
        "frame",
        "object",
        "embed",
        "applet",
        "svg",
        "canvas",
        "math",
        "audio",
        "video",
        "map",
        "select",
        "button",
        "datalist",
        "nav",
        "dialog",
        "input",
        "textarea",
        "head",
    ]
)
_ROLES = frozenset(
    [
        "navigation",
        "banner",
        "contentinfo",
        "search",
        "menu",
        "menubar",
        "toolbar",
        "dialog",
        "alertdialog",
        "complementary",
    ]
)
_FURNITURE = re.compile(
    r"(^|[-_ ])(nav|navbar|navigation|menu|submenu|topbar|crumbs?|breadcrumbs?|location|position|footer|foot"
    r"|copyright|share|sharing|bshare|bdsharebuttonbox|jiathis|sidebar|side|pagination|pager|qrcode|ewm|search|searchbox|tools?bar|fontsize|friendlinks?"
    r"|links|login|banner|header|hd|top|skip|toptools|related|recommend)([-_ ]|\d*$)",
    re.IGNORECASE,
)
_MAIN = re.compile(
    r"^(ucap-content|zoom|trs_editor|trs_ueditor|article|article-?(content|body|con)|content|main-?content|con_?text|text_?con"
    r"|news_?(content|con|text)|view|pages_content|detail|js_content)$",
    re.IGNORECASE,
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "ol",
        "option",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "title",
        "tr",
        "ul",
    ]
)
_HEADINGS = frozenset(["h1", "h2", "h3", "h4"])
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\f\v\u00a0\u3000]+")
_PUBLISHED = re.compile(
    r"(?:发布|发文|成文|公开|印发|刊登|更新)?(?:日期|时间)\s*[:：]\s*(\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2})"
)
_SOURCE = re.compile(
    r"(?:信息来源|文章来源|稿件来源|来源|发布机构|发文机关|发布单位)\s*[:：]\s*([^\s|【】\[\]：:]{2,40})"
)
_BEHIND = re.compile(r"\s*(?:[_|—–]|\s-\s|--)\s*")


def read_markup(text: str, *, address: str = "") -> Extract | Reason:
    """Give what a page says, or why it says nothing.

    ``address`` makes a relative canonical address whole. The cost grows with the length of ``text``.
    """
    try:
        root = html.document_fromstring(text.replace("\x00", ""), parser=_parser())
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return Reason.NO_TEXT
    meta = _meta(root)
    data = _linked_data(root)
    title_tag = _line(root.findtext(".//title") or "")
    canonical = next((one.get("href", "") for one in root.iterfind(".//link[@rel='canonical']")), "")
    language = root.get("lang", "") or meta.get("content-language", "")
    scripts = sum(1 for _ in root.iter("script"))
    whole = _Cut(root)
    main = _main_part(root)
    body, headings, cut = _text(main)
    if len(body) < 30 and main is not root:
        body, headings, cut = _text(root)
    title = _title(meta, data, root, title_tag)
    if not body and not title:
        return Reason.SCRIPT if scripts else Reason.NO_TEXT
    if not body and scripts and not whole.removed_text:
        return Reason.SCRIPT
    head = _line(whole.head_text)
    return Extract(
        kind=Kind.PAGE,
        media_type="text/html",
        title=title,
        headings=tuple(headings[:MAX_HEADINGS]),
        summary=_line(meta.get("description", ""))[:MAX_SUMMARY],
        body=body or title,
        language=language,
        author=_line(meta.get("author", "") or meta.get("dc.creator", ""))[:100],
        department=(
            _line(meta.get("contentsource", "") or meta.get("source", "") or meta.get("dc.publisher", ""))
            or _first(_SOURCE, head)
        )[:100],
        column=_line(meta.get("columnname", ""))[:100],
        keywords=tuple(one for one in re.split(r"[,，;；、\s|]+", meta.get("keywords", "")) if 1 < len(one) <= 40)[:30],
        canonical=urljoin(address, (meta.get("url", "") or canonical).strip()) if meta.get("url") or canonical else "",
        published=_any(
            meta,
            "pubdate",
            "publishdate",
            "article:published_time",
            "dc.date",
            "dc.date.issued",
            "date",
            "dcterms.issued",
        )
        or str(data.get("datePublished", ""))
        or _time_of(root)
        or _first(_PUBLISHED, head),
        modified=_any(meta, "article:modified_time", "dcterms.modified", "lastmodified", "last-modified")
        or str(data.get("dateModified", "")),
        notes=(Reason.CUT,) if cut else (),
    )


def _parser() -> html.HTMLParser:
    # No network, no entities of its own; libxml2 stops at a depth of 256, so that a page of a million <div> is cut, not a crash.
    return html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, recover=True)


class _Cut:
    """Removes what is no text from a tree, in one pass, and keeps the first words of the page, where date and source stand."""

    def __init__(self, root: Any) -> None:
        self.removed_text = False
        for node in list(root.iter("script", "style", "head", "template", "noscript")):
            _drop(node)
        self.head_text = " ".join(_pieces(root, 20_000))
        doomed = [
            one
            for one in root.iter()
            if isinstance(one.tag, str) and (one.tag in _GONE or _is_hidden(one) or _is_furniture(one))
        ]
        for node in doomed:
            if node.getparent() is not None and node.tag != "body":
                self.removed_text = self.removed_text or bool((node.text or "").strip())
                _drop(node)


def _pieces(root: Any, limit: int) -> Iterator[str]:
    size = 0
    for one in root.itertext():
        if one.strip():
            yield one
            size += len(one)
            if size > limit:
                return


def _drop(node: Any) -> None:
    """Remove a node and keep the text behind it."""
    parent, tail = node.getparent(), node.tail
    if parent is None:
        return
    if tail:
        before = node.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
    parent.remove(node)


def _is_hidden(node: Any) -> bool:
    return (
        node.get("hidden") is not None
        or node.get("aria-hidden") == "true"
        or _HIDDEN.search(node.get("style", "")) is not None
    )


def _is_furniture(node: Any) -> bool:
    if node.get("role", "").lower() in _ROLES:
        return True
    if node.tag in ("header", "footer", "aside"):
        # A header inside of an article holds its title; one of the page holds its menu.
        return not any(one.tag in ("article", "main") for one in node.iterancestors())
    if node.tag in ("html", "body", "main", "article", "h1", "h2", "h3", "p", "td", "tr", "tbody", "table", "form"):
        return False
    names = f"{node.get('id', '')} {node.get('class', '')}".strip()
    if not names or not _FURNITURE.search(names) or node.find(".//h1") is not None:
        return False
    # A name alone does not throw text away: furniture is links, or short.
    size = linked = 0
    for one in node.iter():
        if isinstance(one.tag, str):
            count = len((one.text or "").strip())
            size += count
            if one.tag == "a" or any(up.tag == "a" for up in _few(one.iterancestors(), 3)):
                linked += count
        if one is not node:
            size += len((one.tail or "").strip())
    return size < 120 or linked * 2 > size


def _few(nodes: Iterator[Any], count: int) -> Iterator[Any]:
    for _ in range(count):
        one = next(nodes, None)
        if one is None:
            return
        yield one


def _main_part(root: Any) -> Any:
    """Choose the node that holds what the page is for: as the page says, or where most text is that is no link."""
    for path in (".//main", ".//*[@role='main']", ".//article"):
        found = root.findall(path)
        if len(found) == 1 and _weight(found[0]) > 50:
            return found[0]
    named = [
        one
        for one in root.iter("div", "td", "section")
        if _MAIN.match(one.get("id", "") or "") or any(_MAIN.match(name) for name in one.get("class", "").split())
    ]
    total = _weight(root)
    best = max(named, key=_weight, default=None)
    if best is not None and _weight(best) >= 0.4 * total > 0:
        return best
    # Go down while one child holds nearly everything.
    node = root
    while True:
        heavy = next(
            (one for one in node if isinstance(one.tag, str) and one.tag in _BLOCKS and _weight(one) >= 0.85 * total),
            None,
        )
        if heavy is None or heavy.tag in ("p", "table", "ul", "ol", "dl"):
            return node
        node = heavy


def _weight(node: Any) -> int:
    """Count the characters of a node that are no link's."""
    size = 0
    inside: Any = None
    for event, one in etree.iterwalk(node, events=("start", "end")):
        if not isinstance(one.tag, str):
            continue
        if event == "start":
            if one.tag == "a" and inside is None:
                inside = one
            if inside is None:
                size += len((one.text or "").strip())
        else:
            if one is inside:
                inside = None
            if inside is None and one is not node:
                size += len((one.tail or "").strip())
    return size


def _text(node: Any) -> tuple[str, list[str], bool]:
    """Give the text of a node by lines (a table's row is one, its cells parted by tabs), its headings, and whether it was cut."""
    lines: list[str] = []
    headings: list[str] = []
    current: list[str] = []
    heading_from: int | None = None
    size = 0

    def close() -> None:
        nonlocal size
        line = "\t".join(_line(part) for part in "".join(current).split("\t")).strip()
        current.clear()
        if line:
            lines.append(line)
            size += len(line) + 1

    for event, one in etree.iterwalk(node, events=("start", "end")):
        if not isinstance(one.tag, str):
            continue
        is_block = one.tag in _BLOCKS and not (one.tag in ("p", "div") and _in_cell(one))
        if event == "start":
            if is_block:
                close()
            elif one.tag == "br":
                close() if not _in_cell(one) else current.append(" ")
            if one.tag in _HEADINGS:
                heading_from = len(lines)
            if one.tag not in _GONE:
                current.append(_soft(one.text))
        else:
            if is_block:
                close()
            elif one.tag in ("td", "th"):
                current.append("\t")
            if one.tag in _HEADINGS and heading_from is not None:
                words = _line(" ".join(lines[heading_from:]))
                if words and len(words) <= MAX_TITLE:
                    headings.append(words)
                heading_from = None
            if one is not node:
                current.append(_soft(one.tail))
        if size > MAX_TEXT:
            return "\n".join(lines)[:MAX_TEXT], headings, True
    close()
    text = "\n".join(lines)
    return text[:MAX_TEXT], headings, len(text) > MAX_TEXT


def _in_cell(node: Any) -> bool:
    return any(one.tag in ("td", "th") for one in _few(node.iterancestors(), 4)) and _cell_is_small(node)


def _cell_is_small(node: Any) -> bool:
    """Whether the cell around a node is one of a table of data, and not the layout of an older page."""
    for one in node.iterancestors():
        if one.tag in ("td", "th"):
            return sum(1 for _ in _few(one.iter("p", "div", "br"), 6)) < 5
    return False


def _soft(text: str | None) -> str:
    return (text or "").replace("\t", " ").replace("\n", " ")


def _line(text: str) -> str:
    return _SPACE.sub(" ", text.replace("\n", " ").replace("\u200b", "").replace("\ufeff", "")).strip()


def _title(meta: dict[str, str], data: dict[str, Any], root: Any, title_tag: str) -> str:
    """Give the page's title: as its metadata say, else its one first heading, else the window's title without the site."""
    said = _line(meta.get("articletitle", "") or meta.get("og:title", "") or str(data.get("headline", "")))
    if said:
        return said[:MAX_TITLE]
    tops = [
        words for words in (_line(" ".join(one.itertext())) for one in root.iter("h1")) if 1 < len(words) <= MAX_TITLE
    ]
    if len(tops) == 1 and len(tops[0]) >= 4:
        return tops[0]
    parts = [one for one in _BEHIND.split(title_tag) if one]
    return (parts[0] if parts and len(parts[0]) >= 4 else title_tag or (tops[0] if tops else ""))[:MAX_TITLE]


def _meta(root: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in root.iter("meta"):
        name = (one.get("name") or one.get("property") or one.get("http-equiv") or "").strip().lower()
        content = one.get("content", "").strip()
        if name and content and len(content) <= 2000:
            found.setdefault(name, content)
    return found


def _linked_data(root: Any) -> dict[str, Any]:
    for one in root.iter("script"):
        if one.get("type", "").strip().lower() == "application/ld+json" and one.text and len(one.text) < 50_000:
            try:
                data = json.loads(one.text)
            except (ValueError, RecursionError):
                continue
            if isinstance(data, list):
                data = next((part for part in data if isinstance(part, dict)), {})
            if isinstance(data, dict):
                return {key: value for key, value in data.items() if isinstance(value, str)}
    return {}


def _any(meta: dict[str, str], *names: str) -> str:
    return next((meta[name] for name in names if meta.get(name)), "")


def _time_of(root: Any) -> str:
    for one in root.iter("time"):
        if one.get("datetime"):
            return str(one.get("datetime"))
    return ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip() if found else ""
