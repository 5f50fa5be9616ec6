"""``pack.toml``: the frame of a pack."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from furong.foundation.packs.values import Finding, Frame, Text, both

CODE_PATTERN = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")

FALLBACK = Frame(
    code="unknown",
    name=both("未命名", "Unnamed"),
    languages=("zh", "en"),
    time_zone="UTC",
    in_force_from=date(2000, 1, 1),
)


def parse_frame(content: bytes) -> Frame:
    """Read the frame of a published ``pack.toml``, which had no errors when it was imported."""
    return read_frame(content, "pack.toml", [])


def read_frame(content: bytes, shown: str, findings: list[Finding]) -> Frame:
    """Read ``pack.toml``; what is wrong is added to ``findings`` and replaced by a default."""

    def add(line: int, element: str, rule: str, zh: str, en: str, mend_zh: str, mend_en: str) -> None:
        findings.append(
            Finding(
                file=shown,
                line=line,
                element=element,
                rule=rule,
                message=both(zh, en),
                mend=both(mend_zh, mend_en),
            )
        )

    try:
        source = content.decode()
        table = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        found = re.search(r"line (\d+)", str(exc))
        add(
            int(found.group(1)) if found else 1,
            "-",
            "toml.syntax",
            "pack.toml 语法有误。",
            "pack.toml is not TOML.",
            "请改正语法。",
            "Correct the syntax.",
        )
        return FALLBACK

    def line_of(key: str) -> int:
        for number, line in enumerate(source.splitlines(), 1):
            if re.match(rf"\s*\[?{re.escape(key)}\b", line):
                return number
        return 1

    code, name, languages = table.pop("code", None), table.pop("name", None), table.pop("languages", None)
    zone, since = table.pop("time_zone", None), table.pop("in_force_from", None)
    correct = ("请改正该值。", "Correct the value.")
    if not (isinstance(code, str) and CODE_PATTERN.fullmatch(code)):
        add(line_of("code"), "code", "schema.type", "code 应当是代码。", "code must be a code.", *correct)
        code = FALLBACK.code
    if not (
        isinstance(languages, list)
        and languages
        and all(isinstance(x, str) and re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", x) for x in languages)
    ):
        add(
            line_of("languages"),
            "languages",
            "schema.type",
            "languages 应当是语言代码列表。",
            "languages must be a list of language codes.",
            *correct,
        )
        languages, name = list(FALLBACK.languages), {FALLBACK.languages[0]: str(code)}
    if not (
        isinstance(name, dict)
        and name.get(languages[0])
        and all(isinstance(v, str) for v in name.values())
        and set(name) <= set(languages)
    ):
        add(
            line_of("name"),
            "name",
            "text.missing",
            "name 应当含有第一语言的名称。",
            "name must have a text in the first language.",
            *correct,
        )
        name = {languages[0]: str(code)}
    try:
        ZoneInfo(zone if isinstance(zone, str) else "/")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        add(
            line_of("time_zone"),
            "time_zone",
            "schema.type",
            "time_zone 应当是 IANA 时区名。",
            "time_zone must be an IANA time zone.",
            *correct,
        )
        zone = "UTC"
    if not isinstance(since, date):
        add(
            line_of("in_force_from"),
            "in_force_from",
            "schema.type",
            "in_force_from 应当是日期。",
            "in_force_from must be a date.",
            *correct,
        )
        since = FALLBACK.in_force_from
    for key, value in table.items():
        if not isinstance(value, dict):
            add(
                line_of(key),
                key,
                "schema.unknown_key",
                f"不认识的键 {key[:60]}。",
                f"Unknown key {key[:60]}.",
                "请删除它，或放进所属模块的表。",
                "Remove it, or put it into its room's table.",
            )
    return Frame(
        code=code,
        name=Text.of({k: name[k] for k in languages if k in name}),
        languages=tuple(languages),
        time_zone=str(zone),
        in_force_from=since,
        settings=table,
    )
