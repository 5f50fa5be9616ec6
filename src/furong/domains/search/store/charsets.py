"""Which character set a page is written in, and its text. Pure.

What a page declares is often wrong on older sites, so a declaration counts only when the bytes agree with it.
"""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_ALLOWED_BAD = 0.002  # a few broken characters do not make a page unreadable
_CHINESE = {"gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030", "hz": "hz"}


def decode(data: bytes, *, declared: str = "") -> tuple[str, str] | None:
    """Give the text of ``data`` and the name of its character set, or None when none fits.

    In this order: a byte order mark; what ``declared`` (the manifest) or the page itself says, when the bytes agree; UTF-8;
    GB18030 with GBK and GB2312 in it (GB 18030-2022), when what comes out is Chinese; Big5; a guess of charset-normalizer.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            text = _lenient(data[len(mark) :], name)
            return (text, name) if text is not None else None
    head = data[:4096]
    for claim in (declared.encode("ascii", "ignore"), *(m[1] for m in (_META.search(head), _XML.search(head)) if m)):
        known = _known(claim.decode("ascii"))
        if known and not known.startswith(("utf-16", "utf-32")):
            text = _lenient(data, known)
            if text is not None and not (known != "utf-8" and _is_chinese_utf8(data)):
                return text, known
    if _is_utf8(data):
        return data.decode("utf-8", "replace"), "utf-8"
    for name in ("gb18030", "big5"):
        text = _lenient(data, name)
        if text is not None and _reads_chinese(text):
            return text, name
    return _guess(data)


def language_of(text: str, *, declared: str = "") -> str:
    """Give the language of a text as BCP 47 has it: zh-Hans, zh-Hant, en or another that the page declares; und when unknown.

    Han text is told simplified or traditional by the characters that only one of GB 2312 and Big5 has.
    """
    sample = text[:5000]
    han = [one for one in sample if "\u4e00" <= one <= "\u9fff"]
    letters = sum(one.isascii() and one.isalpha() for one in sample)
    if len(han) * 4 >= max(letters, 1):
        simple = sum(_has(one, "gb2312") and not _has(one, "big5") for one in han)
        full = sum(_has(one, "big5") and not _has(one, "gb2312") for one in han)
        return "zh-Hant" if full > simple else "zh-Hans"
    tag = declared.strip().replace("_", "-")
    if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag) and not tag.lower().startswith("zh"):
        return tag.split("-")[0].lower()
    return "en" if letters >= 20 else "und"


def _known(name: str) -> str:
    low = name.strip().lower()
    if low in _CHINESE:
        return _CHINESE[low]
    try:
        found = codecs.lookup(low).name
    except LookupError:
        return ""
    # Codecs that turn bytes into bytes (zip, base64) are none of a page's.
    return found if getattr(codecs.lookup(low), "_is_text_encoding", True) else ""


def _lenient(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeDecodeError, UnicodeError):
        pass
    try:
        text = data.decode(name, "replace")
    except (UnicodeError, ValueError):
        return None
    return text if text.count("\ufffd") <= max(1, len(text) * _ALLOWED_BAD) else None


def _is_utf8(data: bytes) -> bool:
    if not any(byte > 0x7F for byte in data[:1_000_000]):
        return True
    text = _lenient(data, "utf-8")
    return text is not None


def _is_chinese_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8 with Chinese in it: few words in GBK are UTF-8 too, and then of Latin and Greek letters."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return any("\u4e00" <= one <= "\u9fff" for one in text)


def _has(character: str, charset: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _reads_chinese(text: str) -> bool:
    """Whether the characters outside ASCII are those that Chinese is written in."""
    outside = [one for one in text[:20_000] if ord(one) > 0x7F]
    if not outside:
        return True
    common = sum(_has(one, "gb2312") or _has(one, "big5") for one in outside)
    private = sum("\ue000" <= one <= "\uf8ff" for one in outside)
    return common >= 0.9 * len(outside) and private <= 0.01 * len(outside)


def _guess(data: bytes) -> tuple[str, str] | None:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:65_536]).best()
    if best is None:
        return None
    text = _lenient(data, best.encoding)
    return (text, best.encoding) if text is not None else None
