"""What a file says: HTML, PDF, office files, plain text. Pure; runs in the child process, for what it reads is a stranger's."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from furong.domains.search.store.charsets import decode, language_of
from furong.domains.search.store.markup import read_markup
from furong.domains.search.store.values import (
    MAX_FILE_BYTES,
    MAX_HEADINGS,
    MAX_MARKUP_BYTES,
    MAX_PDF_PAGES,
    MAX_RATIO,
    MAX_TEXT,
    MAX_TITLE,
    MAX_UNPACKED_BYTES,
    Extract,
    Kind,
    Reason,
    readable_name,
)

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_MARKUP = frozenset([".html", ".htm", ".shtml", ".xhtml", ".jhtml", ".jsp", ".jspx", ".asp", ".aspx", ".php", ".do"])
_SCRIPTS = frozenset([".js", ".mjs", ".css", ".json", ".xml", ".wasm", ".vbs", ".sh", ".bat", ".ps1", ".py"])
_PICTURES = frozenset(
    [".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".svg", ".ico", ".tif", ".tiff", ".heic", ".avif"]
)


def media_kind(path: str, head: bytes) -> str | Reason:
    """Say what a file is by its first bytes and, where they leave it open, its name: a kind `read_file` knows, or a reason.

    An address of a page often has no ending or that of a program (`info.jsp?id=1`), so markup is told by what it begins with.
    """
    ending = PurePosixPath(path.split("?")[0]).suffix.lower()
    start = head[:1024].lstrip(b"\xef\xbb\xbf\xff\xfe\r\n\t ")
    if start.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return "office"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return Reason.OLD_OFFICE
    if head[:4] in (b"\x89PNG", b"GIF8", b"RIFF") or head.startswith(b"\xff\xd8\xff") or ending in _PICTURES:
        return Reason.PICTURE
    if ending in (".doc", ".xls", ".ppt") and b"\x00" in head[:512]:
        return Reason.OLD_OFFICE
    if ending in _SCRIPTS or start.startswith(b"#!"):
        return Reason.SCRIPT if ending not in (".xml", ".json") else Reason.KIND_UNKNOWN
    if re.match(rb"(?is)(<!doctype\s+html|<html|<head|<body|<!--|<\?xml[^>]*>\s*(<!doctype\s+html|<html))", start):
        return "html"
    if b"\x00" in head[:1024] and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return (
            Reason.DAMAGED
            if ending in _MARKUP | {".pdf", ".docx", ".xlsx", ".pptx", ".txt", ".md", ".csv"}
            else (Reason.KIND_UNKNOWN)
        )
    if ending in (".pdf", ".docx", ".xlsx", ".pptx"):
        return Reason.DAMAGED
    if ending in _MARKUP:
        return "html"
    if ending in (".txt", ".md", ".markdown", ".text"):
        return "text"
    if ending == ".csv":
        return "csv"
    return "html" if re.search(rb"(?i)<(html|body|div|p|meta|title)\b", head) else Reason.KIND_UNKNOWN


def read_file(data: bytes, *, path: str, charset: str = "", address: str = "") -> Extract | Reason:
    """Give what a file says, or the reason why it says nothing.

    ``charset`` is what the manifest declares. It never raises for what is in a file; memory and time are bounded by the process
    around it.
    """
    if not data:
        return Reason.EMPTY
    if len(data) > MAX_FILE_BYTES:
        return Reason.TOO_LARGE
    kind = media_kind(path, data[:4096])
    if isinstance(kind, Reason):
        return kind
    if kind in ("html", "text", "csv"):
        if len(data) > MAX_MARKUP_BYTES:
            return Reason.TOO_LARGE
        decoded = decode(data, declared=charset)
        if decoded is None:
            return Reason.CHARSET
        text, name = decoded
        found = (
            read_markup(text, address=address)
            if kind == "html"
            else _plain(text, path)
            if kind == "text"
            else _table(text, path)
        )
        if isinstance(found, Reason):
            return found
        found = replace(found, charset=name)
    else:
        found_or = _guarded(lambda: _pdf(data) if kind == "pdf" else _office(data))
        if isinstance(found_or, Reason):
            return found_or
        found = found_or
    found = replace(found, body=_clean(found.body))
    if not found.body:
        return Reason.NO_TEXT
    title = _clean(found.title) or _first_line(found.body, path)
    return replace(
        found,
        title=title,
        language=language_of(f"{title}\n{found.body}", declared=found.language),
    )


def _guarded(read: Callable[[], Extract | Reason]) -> Extract | Reason:
    """Read a file of a library's; whatever the library raises over a stranger's bytes says that they are damaged."""
    try:
        return read()
    except MemoryError:
        return Reason.TOO_MUCH_MEMORY
    except Exception:  # noqa: BLE001 - parsers of such files raise anything at all; each means the same
        return Reason.DAMAGED


def _pdf(data: bytes) -> Extract | Reason:
    import logging

    from pypdf import PdfReader
    from pypdf.errors import LimitReachedError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return Reason.ENCRYPTED
        return _pdf_text(reader)
    except LimitReachedError:
        return Reason.BOMB


def _pdf_text(reader: Any) -> Extract | Reason:
    pieces: list[str] = []
    size, cut = 0, False
    for index, page in enumerate(reader.pages):
        if index == MAX_PDF_PAGES or size > MAX_TEXT:
            cut = True
            break
        text = _joined(page.extract_text() or "")
        pieces.append(text)
        size += len(text)
    info = reader.metadata
    outline = list(_outline(reader))[:MAX_HEADINGS]
    return Extract(
        kind=Kind.DOCUMENT,
        media_type="application/pdf",
        title=_said_title(str((info.title if info else "") or "")),
        headings=tuple(outline),
        body="\n".join(pieces)[:MAX_TEXT],
        author=str((info.author if info else "") or "")[:100],
        published=_pdf_date(info, "/CreationDate"),
        modified=_pdf_date(info, "/ModDate"),
        language=str(reader.trailer.get("/Root", {}).get("/Lang", "") or ""),
        notes=(Reason.CUT,) if cut or size > MAX_TEXT else (),
    )


def _pdf_date(info: Any, name: str) -> str:
    found = re.match(r"(?:D:)?(\d{4})(\d{2})(\d{2})", str((info or {}).get(name, "")))
    return "-".join(found.groups()) if found else ""


def _outline(reader: Any) -> Iterator[str]:
    try:
        waiting = list(reader.outline)
    except Exception:  # noqa: BLE001 - a broken outline is no reason to lose the text
        return
    for one in waiting[:MAX_HEADINGS]:
        if not isinstance(one, list) and one.title:
            yield _spaces(str(one.title))[:MAX_TITLE]


def _joined(text: str) -> str:
    """Join lines that a page of print broke inside of a sentence of Han characters."""
    return re.sub(r"(?<=[\u4e00-\u9fff，、；：])[ \t]*\n[ \t]*(?=[\u4e00-\u9fff])", "", text)


def _office(data: bytes) -> Extract | Reason:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile:
        return Reason.DAMAGED
    parts = archive.infolist()
    total = sum(one.file_size for one in parts)
    packed = sum(one.compress_size for one in parts)
    if len(parts) > 20_000 or total > MAX_UNPACKED_BYTES or (total > 10_000_000 and total > MAX_RATIO * max(packed, 1)):
        return Reason.BOMB
    if any(one.flag_bits & 1 for one in parts):
        return Reason.ENCRYPTED
    names = {one.filename for one in parts}
    if "word/document.xml" in names:
        return _word(data)
    if "xl/workbook.xml" in names:
        return _sheet(data)
    if "ppt/presentation.xml" in names:
        return _slides(data)
    return Reason.KIND_UNKNOWN


def _described(found: Extract, properties: Any) -> Extract:
    """Add what a file's properties say to what it says itself."""

    def day(value: Any) -> str:
        return value.date().isoformat() if value is not None and hasattr(value, "date") else ""

    author = str(getattr(properties, "author", None) or getattr(properties, "creator", None) or "")
    return replace(
        found,
        title=found.title or _said_title(str(properties.title or "")),
        author=author[:100],
        published=day(properties.created),
        modified=day(properties.modified),
        language=str(properties.language or ""),
    )


def _word(data: bytes) -> Extract:
    from docx import Document
    from docx.table import Table

    document = Document(io.BytesIO(data))
    lines = _Lines()
    headings: list[str] = []
    title = ""
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            for row in block.rows:
                cells: list[str] = []
                for cell in row.cells:
                    words = _spaces(cell.text)
                    if not cells or cells[-1] != words:  # a cell over several columns is given for each of them
                        cells.append(words)
                if not lines.add("\t".join(cells)):
                    break
        else:
            words = _spaces(block.text)
            style = (block.style.name if block.style is not None else "") or ""
            if words and style == "Title" and not title:
                title = words
            elif words and style.startswith(("Heading", "标题")):
                headings.append(words[:MAX_TITLE])
            lines.add(words)
        if lines.is_full:
            break
    found = Extract(
        kind=Kind.DOCUMENT,
        media_type=_WORD,
        title=title[:MAX_TITLE],
        body=lines.text,
        headings=tuple(headings[:MAX_HEADINGS]),
        notes=lines.notes,
    )
    return _described(found, document.core_properties)


def _sheet(data: bytes) -> Extract:
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    lines = _Lines()
    names: list[str] = []
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        names.append(sheet.title[:MAX_TITLE])
        lines.add(sheet.title)
        for row in sheet.iter_rows(values_only=True):
            if not lines.add("\t".join(_spaces(str(one)) for one in row if one is not None and one != "")):
                break
    found = Extract(
        kind=Kind.DOCUMENT,
        media_type=_SHEET,
        body=lines.text,
        headings=tuple(names[:MAX_HEADINGS]),
        notes=lines.notes,
    )
    return _described(found, book.properties)


def _slides(data: bytes) -> Extract:
    from pptx import Presentation

    show = Presentation(io.BytesIO(data))
    lines = _Lines()
    headings: list[str] = []
    for slide in show.slides:
        if slide.shapes.title is not None and slide.shapes.title.has_text_frame:
            words = _spaces(slide.shapes.title.text_frame.text)
            if words:
                headings.append(words[:MAX_TITLE])
        waiting = list(slide.shapes)
        while waiting:
            shape: Any = waiting.pop(0)
            if hasattr(shape, "shapes"):
                waiting = [*shape.shapes, *waiting]
            elif getattr(shape, "has_table", False):
                for row in shape.table.rows:
                    lines.add("\t".join(_spaces(cell.text) for cell in row.cells))
            elif shape.has_text_frame:
                for paragraph in shape.text_frame.paragraphs:
                    lines.add(_spaces(paragraph.text))
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            lines.add(_spaces(slide.notes_slide.notes_text_frame.text))
        if lines.is_full:
            break
    found = Extract(
        kind=Kind.DOCUMENT,
        media_type=_SLIDES,
        body=lines.text,
        headings=tuple(headings[:MAX_HEADINGS]),
        notes=lines.notes,
    )
    found = _described(found, show.core_properties)
    return found if found.title or not headings else replace(found, title=headings[0])


def _plain(text: str, path: str) -> Extract:
    headings = [one[1].strip()[:MAX_TITLE] for one in re.finditer(r"(?m)^#{1,4}\s+(\S.*)$", text[:MAX_TEXT])]
    is_markdown = PurePosixPath(path).suffix.lower() in (".md", ".markdown")
    if is_markdown:
        text = re.sub(r"(?m)^#{1,6}\s+", "", text)
        text = re.sub(r"!?\[([^\]]*)\]\([^)\s]*\)", r"\1", text)
        text = re.sub(r"(\*\*|__|`)", "", text)
    return Extract(
        kind=Kind.DOCUMENT,
        media_type="text/markdown" if is_markdown else "text/plain",
        title=headings[0] if is_markdown and headings else "",
        headings=tuple(headings[:MAX_HEADINGS]) if is_markdown else (),
        body=text[:MAX_TEXT],
        notes=(Reason.CUT,) if len(text) > MAX_TEXT else (),
    )


def _table(text: str, path: str) -> Extract:
    lines = _Lines()
    try:
        for row in csv.reader(io.StringIO(text)):
            if not lines.add("\t".join(_spaces(one) for one in row)):
                break
    except csv.Error:
        lines = _Lines()
        for line in text.splitlines():
            if not lines.add(_spaces(line)):
                break
    return Extract(
        kind=Kind.DOCUMENT,
        media_type="text/csv",
        title=readable_name(path),
        body=lines.text,
        notes=lines.notes,
    )


class _Lines:
    """Lines up to the length that is kept."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = 0

    def add(self, line: str) -> bool:
        line = line.strip()
        if line and not self.is_full:
            self._lines.append(line)
            self._size += len(line) + 1
        return not self.is_full

    @property
    def is_full(self) -> bool:
        return self._size > MAX_TEXT

    @property
    def text(self) -> str:
        return "\n".join(self._lines)[:MAX_TEXT]

    @property
    def notes(self) -> tuple[str, ...]:
        return (Reason.CUT,) if self.is_full else ()


def _said_title(title: str) -> str:
    """Give a title out of a file's properties, or nothing where a program wrote its own words there."""
    words = _spaces(title)[:MAX_TITLE]
    if re.match(
        r"(?i)(microsoft (word|excel|powerpoint)|powerpoint|untitled|无标题|文档\s?\d|幻灯片\s?\d|document\d)", words
    ):
        return ""
    return "" if re.search(r"(?i)\.(docx?|xlsx?|pptx?|pdf|wps|et)$", words) else words


def _first_line(body: str, path: str) -> str:
    """Give the first line with words as the title, where it can be one; the name of the file otherwise."""
    for line in body.split("\n", 12)[:12]:
        words = _spaces(line)
        if 4 <= len(words) <= 80 and not words.endswith(("。", "；", "，", "：", ".")):
            return words
    return readable_name(path) or _spaces(body)[:60]


def _spaces(text: str) -> str:
    return re.sub(r"[\s\u00a0\u3000]+", " ", text).strip()


def _clean(text: str) -> str:
    """Remove what no database and no index keeps: control characters, halves of surrogate pairs, runs of empty lines."""
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", "", text)
    return re.sub(r"[ \t]*\n\s*\n+", "\n", text).strip()
