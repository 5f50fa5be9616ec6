"""On which licence the pack gives out its open data: ``[opendata.licence]`` of ``pack.toml``. Without it none is claimed.

[opendata.licence]
code = "CC-BY-4.0"
name = { zh = "…", en = "…" }
url = "https://…"
conforms = true
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from furong.foundation.packs import queries as packs
from furong.foundation.packs.errors import DefinitionMissing
from furong.foundation.packs.values import Finding, Frame, both

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_KEYS = {"code", "name", "url", "conforms"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A licence: its short code, its name as ``{zh, en}``, where its text stands, whether it meets the Open Definition."""

    code: str
    name: Mapping[str, str]
    url: str
    conforms: bool = False


def licence_of(frame: Frame) -> Licence | None:
    """Give the licence that a pack's frame names, or None. What is wrong with it is `check_licence`'s to say."""
    given = frame.setting("opendata", "licence")
    if given is None or any(True for _ in _faults(given, frame)):
        return None
    return Licence(
        code=given["code"],
        name={language: given["name"][language] for language in frame.languages if language in given["name"]},
        url=given["url"],
        conforms=given.get("conforms", False),
    )


def check_licence(frame: Frame, shown: str) -> Iterator[Finding]:
    """Find what is wrong with ``[opendata.licence]``."""
    given: Any = frame.setting("opendata", "licence")
    for key, zh, en in _faults(given, frame) if given is not None else ():
        yield Finding(
            file=shown,
            line=1,
            element=f"opendata.licence.{key}" if key else "opendata.licence",
            rule="opendata.licence",
            message=both(zh, en),
            mend=both("请改正 pack.toml。", "Correct pack.toml."),
        )


def current_licence(*, on: date) -> Licence | None:
    """Give the licence of the open data on the local day ``on``; None without one. Read once while releases stay the same."""

    def make() -> Licence | None:
        try:
            return licence_of(packs.get_frame())
        except DefinitionMissing:
            return None

    found: Licence | None = packs.derive("catalogue.licence", on=on, make=make)
    return found


def _faults(given: Any, frame: Frame) -> Iterator[tuple[str, str, str]]:
    if not isinstance(given, Mapping):
        yield "", "licence 应当是表。", "licence must be a table."
        return
    if not (isinstance(given.get("code"), str) and _CODE.fullmatch(given["code"])):
        yield "code", "code 应当是简短的代码。", "code must be a short code."
    name = given.get("name")
    if not (
        isinstance(name, Mapping)
        and name.get(frame.languages[0])
        and all(isinstance(one, str) for one in name.values())
        and set(name) <= set(frame.languages)
    ):
        yield "name", "name 应当含有第一语言的名称。", "name must have a text in the first language."
    url = given.get("url")
    if not (isinstance(url, str) and urlsplit(url).scheme in {"http", "https"} and urlsplit(url).netloc):
        yield "url", "url 应当是许可全文的网址。", "url must be the address of the licence's text."
    if not isinstance(given.get("conforms", False), bool):
        yield "conforms", "conforms 应当是 true 或 false。", "conforms must be true or false."
    for key in sorted(set(given) - _KEYS):
        yield str(key)[:60], f"不认识的键 {str(key)[:60]}。", f"Unknown key {str(key)[:60]}."
