"""Typesetting: a template and plain data become a PDF (PDF/A-2a and PDF/UA-1) by typst.

One compiler a process, reused: fonts and imports stay in memory. It may be used by one thread at a time, so a lock guards it; a
page takes a few milliseconds. Data travels as JSON in ``sys.inputs.data`` and is never put into the source of a template.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

import typst

from . import fonts
from .errors import GlyphMissingError, TypesettingError

log = logging.getLogger(__name__)

STANDARDS: list[Literal["a-2a", "ua-1"]] = ["a-2a", "ua-1"]
_LIBRARY = Path(__file__).parent / "typst"
_lock = threading.Lock()


@cache
def library() -> Mapping[str, bytes]:
    """Return the files that every template may import: ``/furong.typ`` with seal, border, page and dates."""
    return {path.name: path.read_bytes() for path in sorted(_LIBRARY.glob("*.typ"))}


@cache
def _compiler(with_system_fonts: bool) -> typst.Compiler:
    book = typst.Fonts(
        include_system_fonts=with_system_fonts,
        include_embedded_fonts=True,
        font_paths=[str(folder) for folder in fonts.own_folders()],
    )
    return typst.Compiler(font_paths=book)


def typeset(
    *, template: bytes, data: Mapping[str, Any], files: Mapping[str, bytes] | None = None, now: datetime
) -> bytes:
    """Return the PDF of ``template`` with ``data``.

    ``files`` are further files the template may import or show (a pack's library, a QR code). ``now`` is the document's date.
    Every character of the data and of the sources is looked up in the fonts first. Raises `GlyphMissingError` when no font
    shows one, and `TypesettingError` when the template does not compile. 3 to 15 ms.
    """
    extended = _needs_system_fonts(data, template)
    sources = {**library(), **(files or {}), "main.typ": template}
    try:
        with _lock:
            made = _compiler(extended).compile(
                input=sources,  # type: ignore[type-var]  # a map of files, which the stubs do not know yet
                format="pdf",
                sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
                pdf_standards=list(STANDARDS),
                timestamp=now.replace(microsecond=0),
            )
    except typst.TypstError as exc:
        # The compiler's message may quote the data: the log names the place, the exception the kind of fault.
        log.error("licences.typesetting_failed", extra={"place": _place(exc)})
        raise TypesettingError(f"The template does not compile: {_kind(exc)}.") from None
    if not isinstance(made, bytes):
        raise TypesettingError("The template gave no PDF.")
    return made


def _needs_system_fonts(data: Mapping[str, Any], template: bytes) -> bool:
    lacking = fonts.missing((*_texts(data), template.decode("utf-8", "replace")))
    if not lacking:
        return False
    nowhere = fonts.missing_everywhere(lacking)
    if nowhere:
        points = fonts.code_points(nowhere)
        log.error("licences.glyph_missing", extra={"characters": points})
        raise GlyphMissingError(points)
    log.warning("licences.glyph_from_system", extra={"characters": fonts.code_points(lacking)})
    return True


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _place(exc: typst.TypstError) -> str:
    for line in str(getattr(exc, "diagnostic", "")).splitlines():
        if ".typ:" in line:
            return line.strip(" ┌─│")
    return "main.typ"


def _kind(exc: typst.TypstError) -> str:
    text = str(getattr(exc, "message", exc))
    return text.split("`")[0].split('"')[0].strip()[:120] or "unknown"
