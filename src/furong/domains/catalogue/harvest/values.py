"""What a harvest reads and finds. Frozen and pure: what a source sends is cleaned here before anything else sees it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from furong.foundation.packs.values import Text, both

MAX_PAGE_BYTES = 20 * 1024 * 1024
MAX_PAGES = 500
MAX_DATASETS = 20_000
MAX_SECONDS = 900
MAX_FINDINGS = 100
MAX_TITLE, MAX_SUMMARY, MAX_TAG, MAX_URL = 300, 5_000, 60, 2_000
MAX_TAGS, MAX_FILES = 30, 100
# A catalogue that had this many and comes back with less than half of them is not believed at once.
SHRINKS_FROM = 20


class SourceKind(StrEnum):
    """How a source is read: a DCAT feed, or CKAN's action API."""

    DCAT = "dcat"
    CKAN = "ckan"


# What stops a harvest, and what the operator does about it.
STOPS: Mapping[str, tuple[Text, Text]] = {
    "address": (
        both("地址不是 http 或 https，或带有用户名。", "The address is not http or https, or it names a user."),
        both("请改正来源地址。", "Correct the source's address."),
    ),
    "private": (
        both("地址指向内部网络，不予访问。", "The address leads into a private network and is not opened."),
        both(
            "确属政务内网时，请在 FURONG_HARVEST_NETWORKS 中列出该网段。",
            "If it is a network of government, name it in FURONG_HARVEST_NETWORKS.",
        ),
    ),
    "unknown_host": (
        both("找不到这个主机。", "The host cannot be found."),
        both("请核对地址；来源可能已停用。", "Check the address; the source may be gone."),
    ),
    "unreachable": (
        both("连接不上，或中途断开。", "It cannot be reached, or breaks off."),
        both("稍后会再试；多次如此请联系来源方。", "It is tried again; if it stays so, ask the source."),
    ),
    "slow": (
        both("来源太慢，超过时限。", "The source is slower than the limit."),
        both("稍后会再试。", "It is tried again."),
    ),
    "gone": (
        both("来源回答说没有这个地址。", "The source says that there is nothing at this address."),
        both("请核对地址，或删除来源。", "Check the address, or remove the source."),
    ),
    "status": (
        both("来源回答了错误。", "The source answers with an error."),
        both("稍后会再试；多次如此请联系来源方。", "It is tried again; if it stays so, ask the source."),
    ),
    "redirects": (
        both("转向太多，或转回不加密的地址。", "It redirects too often, or from https to http."),
        both("请填写最终地址。", "Give the final address."),
    ),
    "too_large": (
        both("一页超过允许的大小。", "A page is larger than allowed."),
        both("请让来源方分页。", "Ask the source for pages."),
    ),
    "too_many": (
        both("数据集或页数超过上限。", "There are more datasets or pages than allowed."),
        both("请只采集需要的部分。", "Harvest the part that is needed."),
    ),
    "encoding": (
        both("压缩方式不认识，或解压后过大。", "It is packed in an unknown way, or grows too large when unpacked."),
        both("请联系来源方。", "Ask the source."),
    ),
    "entities": (
        both("XML 含有文档类型或实体声明，不予解析。", "The XML declares a document type or entities and is not read."),
        both("请让来源方去掉 DOCTYPE。", "Ask the source to leave DOCTYPE out."),
    ),
    "remote_context": (
        both(
            "JSON-LD 引用了外部上下文，不予下载。", "The JSON-LD refers to a context elsewhere, which is not fetched."
        ),
        both("请让来源方写入上下文，或改用 Turtle。", "Ask for an inline context, or for Turtle."),
    ),
    "broken": (
        both("内容无法解析。", "What it sends cannot be read."),
        both("请联系来源方。", "Ask the source."),
    ),
    "not_a_catalogue": (
        both("读到的内容不是数据目录。", "What it sends is no catalogue."),
        both("请核对地址和类型。", "Check address and kind."),
    ),
    "elsewhere": (
        both("下一页指向另一个网站，或转回已读的页。", "The next page lies on another site, or is one that was read."),
        both("请联系来源方。", "Ask the source."),
    ),
    "shrunk": (
        both("数据集比上次少了一半以上，暂不更新。", "Less than half of the datasets are left; nothing was changed."),
        both(
            "确属如此时，请在工作台的来源页面确认，或用 furong harvest run --allow-shrink。",
            "If that is right: confirm it on the source's page of the workbench, or furong harvest run --allow-shrink.",
        ),
    ),
}
# What leaves one dataset out.
SKIPS: Mapping[str, Text] = {
    "no_identifier": both("没有标识。", "It has no identifier."),
    "no_title": both("没有标题。", "It has no title."),
    "twice": both("标识重复。", "Its identifier comes twice."),
    "not_public": both("不是公开的数据集。", "It is not public."),
    "shape": both("结构不对。", "It has another shape than it should."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a dataset where its source has it."""

    url: str
    title: str = ""
    format: str = ""
    media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A dataset as a source describes it, cleaned. ``title`` and ``summary`` are ``{zh, en}``, at least one of them."""

    identifier: str
    title: Mapping[str, str]
    summary: Mapping[str, str] = field(default_factory=dict)
    publisher: str = ""
    licence: str = ""
    landing_page: str = ""
    cycle: str = ""
    issued: str = ""
    modified_at: datetime | None = None
    tags: tuple[str, ...] = ()
    files: tuple[File, ...] = ()

    def detail(self) -> dict[str, Any]:
        """Give what is kept beside the columns."""
        return {
            "identifier": self.identifier,
            "summary": dict(self.summary),
            "publisher": self.publisher,
            "licence": self.licence,
            "landing_page": self.landing_page,
            "issued": self.issued,
            "distributions": [
                {"url": one.url, "title": one.title, "format": one.format, "media_type": one.media_type}
                for one in self.files
            ],
        }

    def formats(self) -> list[str]:
        """Give the formats of its files, each once."""
        return sorted({one.format for one in self.files if one.format})

    def digest(self) -> str:
        """Give a digest of all that is shown of it."""
        parts = [self.detail(), dict(self.title), self.cycle, str(self.modified_at), list(self.tags)]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class HarvestFinding:
    """Why a harvest stopped or left a dataset out; ``place`` says which, by its number in the order read."""

    code: str
    place: str
    message: Text
    mend: Text | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give it as a run keeps it."""
        found: dict[str, Any] = {"code": self.code, "place": self.place, "message": self.message.as_dict()}
        return {**found, "mend": self.mend.as_dict()} if self.mend is not None else found


def stop(code: str, detail: str = "") -> HarvestFinding:
    """Give the finding of what stopped a harvest."""
    message, mend = STOPS[code]
    return HarvestFinding(code=code, place=detail[:200], message=message, mend=mend)


def skip(code: str, number: int) -> HarvestFinding:
    """Give the finding of a dataset that is left out."""
    return HarvestFinding(code=code, place=f"#{number}", message=SKIPS[code])


# --- cleaning -------------------------------------------------------------------------------------------------------------------

_HAN = re.compile(r"[㐀-鿿]")
_TAGS = re.compile(r"<[^<>]{0,500}>")
_FORMAT = re.compile(r"[^A-Z0-9.+ -]")


def clean(value: Any, most: int) -> str:
    """Give a text of one line without control characters, marks of direction and tags, at most ``most`` characters long."""
    if not isinstance(value, str):
        return ""
    text = "".join(c if c.isprintable() else " " for c in value[: most * 4])
    return " ".join(_TAGS.sub(" ", text).split())[:most]


def clean_url(value: Any) -> str:
    """Give an http or https address, or nothing: a script, a local file and a user's name are none."""
    if not isinstance(value, str) or len(value) > MAX_URL or any(ord(c) < 33 for c in value):
        return ""
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.username is None and "\\" not in value
    except ValueError:
        return ""
    return value if good else ""


def clean_format(value: Any) -> str:
    """Give a format's short name in capitals: of a media type its last part, of an address its last step."""
    text = clean(value, 200).rstrip("/")
    text = re.split(r"[/#]", text)[-1].upper().removeprefix("VND.").removeprefix("X-")
    known = {"VND.OPENXMLFORMATS-OFFICEDOCUMENT.SPREADSHEETML.SHEET": "XLSX", "MS-EXCEL": "XLS", "GEO+JSON": "GEOJSON"}
    known |= {"OPENXMLFORMATS-OFFICEDOCUMENT.SPREADSHEETML.SHEET": "XLSX", "APACHE.PARQUET": "PARQUET"}
    return known.get(text, _FORMAT.sub("", text))[:20].strip()


def in_languages(values: Mapping[str, str]) -> dict[str, str]:
    """Give texts by language tag as ``{zh, en}``: what has no tag, or another, is Chinese when it holds Chinese characters."""
    found: dict[str, str] = {}
    for tag, value in sorted(values.items()):
        if value:
            stem = tag.lower().partition("-")[0]
            key = stem if stem in {"zh", "en"} else "zh" if _HAN.search(value) else "en"
            if stem in {"zh", "en"} or key not in found:
                found[key] = value
    return {key: found[key] for key in ("zh", "en") if key in found}


def moment(value: Any) -> datetime | None:
    """Give an aware moment of a date, a moment or ISO 8601; None for anything else, and for years that cannot be."""
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, date):
            found = datetime(value.year, value.month, value.day, tzinfo=UTC)
        elif isinstance(value, str) and 4 <= len(value) <= 40:
            found = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        else:
            return None
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if 1900 <= found.year <= 2200 else None


def name_of(source: str, identifier: str) -> str:
    """Give the name that a dataset keeps here as long as its source calls it the same."""
    return f"harvested-{source}-{hashlib.sha256(identifier.encode()).hexdigest()[:12]}"
