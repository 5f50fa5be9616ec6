"""What a stored file is, and what kind of file some bytes are. Pure."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from django.utils.translation import gettext_noop

HEAD_BYTES = 4096

PDF = "application/pdf"
JPEG = "image/jpeg"
PNG = "image/png"
GIF = "image/gif"
WEBP = "image/webp"
HEIC = "image/heic"
AVIF = "image/avif"
TIFF = "image/tiff"
ZIP = "application/zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
OFD = "application/ofd"
DOC = "application/x-ole-storage"
TEXT = "text/plain"
UNKNOWN = "application/octet-stream"

# What people call these kinds, for messages; message ids.
KIND_NAMES = {
    PDF: gettext_noop("a PDF document"),
    JPEG: gettext_noop("a JPEG picture"),
    PNG: gettext_noop("a PNG picture"),
    GIF: gettext_noop("a GIF picture"),
    WEBP: gettext_noop("a WebP picture"),
    HEIC: gettext_noop("a HEIC picture"),
    AVIF: gettext_noop("an AVIF picture"),
    TIFF: gettext_noop("a TIFF picture"),
    ZIP: gettext_noop("a ZIP archive"),
    DOCX: gettext_noop("a Word document"),
    XLSX: gettext_noop("an Excel table"),
    PPTX: gettext_noop("a PowerPoint presentation"),
    OFD: gettext_noop("an OFD document"),
    DOC: gettext_noop("an old Office document"),
    TEXT: gettext_noop("a text file"),
    UNKNOWN: gettext_noop("a file of an unknown kind"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file in the store. ``digest`` is SHA-256 in lower-case hexadecimal, ``size`` in bytes."""

    digest: str
    size: int
    media_type: str


def kind_name(media_type: str) -> str:
    """Give the message id that names this kind of file to a person."""
    return KIND_NAMES.get(media_type, KIND_NAMES[UNKNOWN])


def sniff(data: bytes) -> str:
    """Say by its first bytes what kind of file ``data`` is (its first 4 KB are enough): a media type, `UNKNOWN` when none fits.

    A ZIP is looked into for what lies in it: `sniff_archive` is surer when the whole file is at hand.
    """
    if data[:1024].lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"%PDF-"):
        return PDF
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return GIF
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp":
        brands = {data[8:12], *(data[i : i + 4] for i in range(16, min(len(data), 64, _box_size(data)), 4))}
        if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}:
            return HEIC
        if b"avif" in brands:
            return AVIF
        return HEIC if b"mif1" in brands else UNKNOWN
    if data[:4] in (b"II*\0", b"MM\0*"):
        return TIFF
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip_by_first_names(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return DOC
    return TEXT if data and _is_text(data[:HEAD_BYTES]) else UNKNOWN


def _box_size(data: bytes) -> int:
    return max(16, int.from_bytes(data[:4], "big"))


def _zip_by_first_names(data: bytes) -> str:
    """A ZIP's kind by the names near its beginning: Office and OFD writers put theirs first."""
    if b"word/" in data:
        return DOCX
    if b"xl/" in data:
        return XLSX
    if b"ppt/" in data:
        return PPTX
    return OFD if b"OFD.xml" in data else ZIP


def sniff_archive(file: io.BufferedIOBase | io.BytesIO) -> str:
    """Say by its table of contents what kind of ZIP ``file`` is; `UNKNOWN` when the table cannot be read."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return UNKNOWN
    if "OFD.xml" in names:
        return OFD
    if "[Content_Types].xml" in names:
        for folder, kind in (("word/", DOCX), ("xl/", XLSX), ("ppt/", PPTX)):
            if any(name.startswith(folder) for name in names):
                return kind
    return ZIP


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as exc:
            if exc.end < len(data) - 4:  # cut in the middle of a character is no fault
                continue
            text = data[: exc.start].decode(encoding)
        return all(c.isprintable() or c in "\r\n\t\f\ufeff\u3000" for c in text)
    return False
