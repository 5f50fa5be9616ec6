"""Divisions and organisations as a pack writes them: reading, checking and importing.

``divisions/CODE/divisions.csv`` lists the divisions in force and ``changes.csv`` beside it what became of earlier ones.
``organizations/DEPARTMENT.yaml`` names organisations by a pattern per level, which the import expands over all divisions, and by
name where a pattern does not fit; it also lists the kinds of post and their rights.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from furong.foundation.access.values import RIGHTS
from furong.foundation.codes.credit_codes import make_credit_code
from furong.foundation.organizations.values import Level, Reach
from furong.foundation.packs.values import (
    CODE,
    Bool,
    Finding,
    Frame,
    Int,
    ListOf,
    MapOf,
    OneOf,
    Pack,
    Parsed,
    Report,
    Str,
    Text,
    Texts,
    both,
    in_order,
    optional,
    required,
    yaml_parse,
)

CSV = "text/csv"
LEVELS = {level.name.lower(): level for level in Level}
# Registrar and kind of GB 32100: organs and public institutions are registered by the establishment office.
KINDS = {"organ": ("1", "1"), "institution": ("1", "2"), "group": ("1", "3"), "other": ("1", "9")}
PLACES = ("name", "short", "province", "province_short", "city", "city_short", "county", "county_short", "above")

_DIVISION_COLUMNS = (
    "code",
    "parent",
    "level",
    "kind",
    "name",
    "en",
    "short",
    "short_en",
    "pinyin",
    "valid_from",
    "predecessor",
)
_CHANGE_COLUMNS = ("year", "kind", "level", "old_code", "old_name", "new_code", "new_name", "document")
_CODE_PATTERN = re.compile(r"[0-9A-Za-z]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DivisionLine:
    """One line of ``divisions.csv``."""

    code: str
    parent: str
    level: int
    kind: str
    name: str
    en: str
    short: str
    short_en: str
    pinyin: str
    valid_from: date | None
    predecessor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """One line of ``changes.csv``."""

    year: int
    kind: str
    level: int
    old_code: str
    old_name: str
    new_code: str
    new_name: str
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationLine:
    """An organisation that a pattern or a name in the pack gives."""

    key: str
    department: str
    division_code: str
    level: int
    name: str
    en: str
    short: str
    code: str
    parent_key: str


@dataclass(slots=True)
class _Lines:
    """Reads a CSV file line by line into findings and rows."""

    file: str
    columns: tuple[str, ...]
    findings: list[Finding] = field(default_factory=list)

    def add(self, line: int, element: str, rule: str, message: Text, mend: Text) -> None:
        self.findings.append(Finding(file=self.file, line=line, element=element, rule=rule, message=message, mend=mend))

    def rows(self, content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            line = content[: exc.start].count(b"\n") + 1
            self.add(line, "-", "csv.not_utf8", both("文件不是 UTF-8 编码。", "The file is not UTF-8."), _MEND)
            return
        reader = csv.reader(io.StringIO(text), strict=True)
        try:
            head = next(reader, [])
            if tuple(head) != self.columns:
                self.add(
                    1,
                    "-",
                    "csv.columns",
                    both("列名不符。", "The columns are not those expected."),
                    both(f"应为：{','.join(self.columns)}", f"Write: {','.join(self.columns)}"),
                )
                return
            for row in reader:
                if len(row) != len(self.columns):
                    self.add(
                        reader.line_num,
                        "-",
                        "csv.width",
                        both("本行的列数不对。", "The line has too few or too many columns."),
                        _MEND,
                    )
                    continue
                yield reader.line_num, {k: v.strip() for k, v in zip(self.columns, row, strict=True)}
        except csv.Error:
            self.add(reader.line_num, "-", "csv.syntax", both("CSV 语法有误。", "This is not CSV."), _MEND)

    def level(self, line: int, text: str) -> int | None:
        if text.isdigit() and int(text) in set(Level):
            return int(text)
        self.add(line, "level", "division.level", both("级别应为 1 至 6。", "A level is 1 to 6."), _MEND)
        return None


_MEND = both("请改正该行。", "Correct the line.")


def parse_divisions(content: bytes, file: str, frame: Frame) -> tuple[list[DivisionLine] | None, list[Finding]]:
    """Read ``divisions.csv``: its lines (None when one is wrong) and findings with file and line."""
    lines = _Lines(file, _DIVISION_COLUMNS)
    found: dict[str, DivisionLine] = {}
    places: dict[str, int] = {}
    for number, row in lines.rows(content):
        level = lines.level(number, row["level"])
        since: date | None = None
        if row["valid_from"]:
            try:
                since = date.fromisoformat(row["valid_from"])
            except ValueError:
                lines.add(number, "valid_from", "schema.type", both("日期有误。", "This is not a date."), _MEND)
        if not _CODE_PATTERN.fullmatch(row["code"]) or not row["name"]:
            lines.add(
                number,
                "code",
                "division.code",
                both("缺少代码或名称，或代码有误。", "Code or name is missing, or the code is not one."),
                _MEND,
            )
            continue
        if row["code"] in found:
            lines.add(
                number,
                row["code"],
                "schema.duplicate",
                both(
                    f"代码 {row['code']} 已在第 {places[row['code']]} 行出现。",
                    f"The code {row['code']} stands in line {places[row['code']]} already.",
                ),
                both("请删除其中一行。", "Remove one of them."),
            )
            continue
        places[row["code"]] = number
        found[row["code"]] = DivisionLine(
            **{k: row[k] for k in ("code", "parent", "kind", "name", "en", "pinyin", "predecessor")},
            short=row["short"] or row["name"],
            short_en=row["short_en"] or row["en"],
            level=level or 1,
            valid_from=since,
        )
    for code, one in found.items():
        above = found.get(one.parent)
        if one.parent and (above is None or above.level >= one.level):
            lines.add(
                places[code],
                "parent",
                "division.parent",
                both(
                    f"上级 {one.parent} 不存在或级别不高于本级。", f"The parent {one.parent} is missing, or not above."
                ),
                _MEND,
            )
    return (None if lines.findings else list(found.values())), lines.findings


def parse_changes(content: bytes, file: str, frame: Frame) -> tuple[list[ChangeLine] | None, list[Finding]]:
    """Read ``changes.csv``: its lines (None when one is wrong) and findings with file and line."""
    lines = _Lines(file, _CHANGE_COLUMNS)
    found: list[ChangeLine] = []
    for number, row in lines.rows(content):
        level = lines.level(number, row["level"])
        if not re.fullmatch(r"(19|20)\d\d", row["year"]):
            lines.add(number, "year", "schema.type", both("年份有误。", "This is not a year."), _MEND)
            continue
        if not row["old_code"] and not row["new_code"]:
            lines.add(
                number, "old_code", "division.change", both("新旧代码都缺失。", "Neither an old nor a new code."), _MEND
            )
            continue
        found.append(
            ChangeLine(
                **{k: row[k] for k in ("kind", "old_code", "old_name", "new_code", "new_name", "document")},
                year=int(row["year"]),
                level=level or 1,
            )
        )
    return (None if lines.findings else found), lines.findings


def _check_name(parsed: Parsed, report: Report, path: str) -> None:
    for language, value in parsed["name"].values:
        try:
            used = [name for _, name, _, _ in string.Formatter().parse(value) if name is not None]
        except ValueError:
            used = ["{"]
        for name in used:
            if name not in PLACES:
                report.add(
                    parsed.line_of("name"),
                    f"{path}.name.{language}",
                    "organization.placeholder",
                    both(f"不认识的占位符 {{{name}}}。", f"Unknown placeholder {{{name}}}."),
                    both(f"可用：{'、'.join(PLACES)}。", f"Use one of {', '.join(PLACES)}."),
                )


def _check_rights(parsed: Parsed, report: Report, path: str) -> None:
    for index, grant in enumerate(parsed["rights"]):
        if grant["right"] not in RIGHTS:
            report.add(
                grant.line,
                f"{path}.rights[{index}].right",
                "organization.right",
                both(f"没有模块登记权限 {grant['right']}。", f"No room registered the right {grant['right']}."),
                both(f"可用：{'、'.join(sorted(RIGHTS))}。", f"Use one of {', '.join(sorted(RIGHTS))}."),
            )


_PATTERN = MapOf(
    {
        "level": required(OneOf(values=tuple(LEVELS))),
        "kinds": optional(ListOf(CODE), default=list),
        "name": required(Texts(max_length=100)),
        "short": optional(Str(max_length=60), default=""),
    },
    check=_check_name,
)
_NAMED = MapOf(
    {
        "key": required(CODE),
        "division": required(Str(pattern=_CODE_PATTERN.pattern)),
        "name": required(Texts(max_length=100)),
        "short": optional(Str(max_length=60), default=""),
        "code": optional(Str(pattern="[0-9A-Z]{18}"), default=""),
        "parent": optional(Str(max_length=80), default=""),
    }
)
_GRANT = MapOf(
    {
        "right": required(Str(pattern=r"[a-z_]+\.[a-z_]+")),
        "reach": optional(OneOf(values=tuple(Reach)), default=Reach.ORGANIZATION.value),
    }
)
_POST = MapOf(
    {
        "code": required(Str(pattern=r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", max_length=80)),
        "title": required(Texts(max_length=100)),
        "levels": optional(ListOf(OneOf(values=tuple(LEVELS))), default=list),
        "rights": optional(ListOf(_GRANT), default=list),
    },
    check=_check_rights,
)
DEPARTMENT = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts(max_length=100)),
        "sort": optional(Int(minimum=0, maximum=9999), default=100),
        "kind": optional(OneOf(values=tuple(KINDS)), default="organ"),
        "parent": optional(CODE, default=""),
        "credit_codes": optional(Bool(), default=True),
        "patterns": optional(ListOf(_PATTERN), default=list),
        "named": optional(ListOf(_NAMED, unique="key"), default=list),
        "posts": optional(ListOf(_POST, unique="code"), default=list),
    }
)

parse_department = yaml_parse(DEPARTMENT)


def check_departments(pack: Pack) -> list[Finding]:
    """Check departments against each other and against the pack's divisions."""
    departments = pack.values("organization")
    known = {line.code for lines in pack.values("division").values() for line in lines}
    findings: list[Finding] = []
    for code, file in pack.of("organization").items():
        report = Report(file.shown, pack.frame.languages)
        if file.value["parent"] and file.value["parent"] not in departments:
            report.add(
                file.value.line_of("parent"),
                "parent",
                "organization.parent",
                both(f"没有部门 {file.value['parent']}。", f"There is no department {file.value['parent']}."),
                both("请改正上级部门。", "Name another department."),
            )
        for index, named in enumerate(file.value["named"]):
            if known and named["division"] not in known:
                report.add(
                    named.line_of("division"),
                    f"named[{index}].division",
                    "organization.division",
                    both(f"没有行政区划 {named['division']}。", f"There is no division {named['division']}."),
                    both("请改正代码。", "Correct the code."),
                )
        for post in file.value["posts"]:
            if not post["code"].startswith(f"{code}."):
                report.add(
                    post.line_of("code"),
                    "posts",
                    "organization.post_code",
                    both("岗位代码应以部门代码开头。", "A post's code begins with its department's."),
                    both(f"请写 {code}.…", f"Write {code}.…"),
                )
        findings.extend(report.findings)
    return in_order(findings)


def expand(*, departments: Mapping[str, Any], divisions: Iterable[DivisionLine]) -> list[OrganizationLine]:
    """Expand the departments' patterns over the divisions: the organisations of the pack, from the top down.

    Codes are invented, valid (GB 32100) and stable: they are made of the department and the place alone.
    """
    places = {one.code: one for one in divisions}
    made: dict[str, OrganizationLine] = {}
    taken: set[str] = set()
    ordered = sorted(places.values(), key=lambda one: (one.level, one.code))
    for department in _parents_first(departments):
        by_level: dict[int, list[Any]] = {}
        for pattern in department["patterns"]:
            by_level.setdefault(int(LEVELS[pattern["level"]]), []).append(pattern)
        above_department = department["parent"] or department["code"]
        for place in ordered:
            for pattern in by_level.get(place.level, ()):
                if pattern["kinds"] and place.kind not in pattern["kinds"]:
                    continue
                start = place.code if department["parent"] else place.parent
                _put(made, taken, department, place, places, pattern, _above(made, places, above_department, start))
                break
        for named in department["named"]:
            place = places[named["division"]]
            parent = made.get(named["parent"]) or _above(made, places, above_department, place.code)
            _put(made, taken, department, place, places, named, parent)
    return list(made.values())


def _parents_first(departments: Mapping[str, Any]) -> list[Any]:
    done: dict[str, Any] = {}
    waiting = dict(sorted(departments.items()))
    while waiting:
        ready = [code for code, one in waiting.items() if not one["parent"] or one["parent"] in done]
        for code in ready or list(waiting):  # a circle of parents: any order, parents stay empty
            done[code] = waiting.pop(code)
    return list(done.values())


def _above(
    made: Mapping[str, OrganizationLine], places: Mapping[str, DivisionLine], department: str, code: str
) -> OrganizationLine | None:
    for _ in range(8):
        found = made.get(f"{department}/{code}")
        if found is not None or not code:
            return found
        code = places[code].parent if code in places else ""
    return None


def _put(
    made: dict[str, OrganizationLine],
    taken: set[str],
    department: Any,
    place: DivisionLine,
    places: Mapping[str, DivisionLine],
    given: Any,
    parent: OrganizationLine | None,
) -> None:
    key = f"{department['code']}/{given.get('key') or place.code}"
    name: Text = given["name"]
    names = _names(place, places, parent)
    code = given.get("code") or _code(key, place.code, department, taken)
    taken.add(code)
    made[key] = OrganizationLine(
        key=key,
        department=department["code"],
        division_code=place.code,
        level=place.level,
        name=name.primary.format_map({k: v[0] for k, v in names.items()}),
        en=(dict(name.values).get("en", "") if len(name.values) > 1 else "").format_map(
            {k: v[1] for k, v in names.items()}
        ),
        short=given["short"].format_map({k: v[0] for k, v in names.items()}),
        code=code,
        parent_key=parent.key if parent else "",
    )


def _names(
    place: DivisionLine, places: Mapping[str, DivisionLine], parent: OrganizationLine | None
) -> dict[str, tuple[str, str]]:
    names = {"name": (place.name, place.en), "short": (place.short, place.short_en)}
    step: DivisionLine | None = place
    while step is not None:
        word = Level(step.level).name.lower()
        names[word], names[f"{word}_short"] = (step.name, step.en), (step.short, step.short_en)
        step = places.get(step.parent)
    names["above"] = (parent.name, parent.en) if parent else ("", "")
    for word in PLACES:
        names.setdefault(word, ("", ""))
    return names


def _code(key: str, division: str, department: Any, taken: set[str]) -> str:
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    if not (department["credit_codes"] and re.fullmatch(r"\d{6}(\d{3}|\d{6})?", division)):
        return hashlib.sha256(key.encode()).hexdigest()[:18].upper()
    registrar, kind = KINDS[department["kind"]]
    while True:
        code = make_credit_code(registrar, kind, division[:6], number % 100_000_000)
        if code not in taken:
            return code
        number += 1
