"""Rows that a pack brings along for a resource: ``resources/DEPARTMENT/CODE.csv`` beside its definition.

The file begins with lines ``# key: value`` that say where the rows come from (``source.zh``, ``source.en``, ``as_of``,
``licence``); then follows CSV after RFC 4180 in UTF-8, its first record the codes of items. Values are checked against the
items' types.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from furong.domains.catalogue.resources.reading import ResolvedItem, ResolvedResource, catalog_of
from furong.domains.catalogue.resources.values import ItemType, Openness
from furong.foundation.packs.values import Finding, Frame, Kind, Pack, Severity, Text, both, register_kind

KIND = "resource_data"
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 20_000
_MOST = 20  # findings of one file; the rest is counted
_HEAD = re.compile(r"#\s*([a-z_.]+)\s*:\s*(.*)")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,18})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?")
_TRUE, _FALSE = frozenset({"true", "1", "是"}), frozenset({"false", "0", "否"})
_NUMBERS = frozenset({ItemType.NUMBER, ItemType.DOUBLE, ItemType.FLOAT})
_WHOLE = frozenset({ItemType.INTEGER, ItemType.MONEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file of rows as read: where they come from, the codes of its columns, and the rows with their lines."""

    source: Text
    as_of: date
    licence: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]


class NotOfTypeError(Exception):
    """A value that is none of its item's type."""


def typed(text: str, type_: ItemType) -> Any:
    """Give the value that a cell holds: None for an empty one. Raises `NotOfTypeError`.

    Whole numbers and money (in fen) are ints, other numbers floats, dates and moments as ISO 8601 writes them (moments aware).
    """
    if text == "":
        return None
    try:
        if type_ in _WHOLE:
            if _INTEGER.fullmatch(text):
                return int(text)
        elif type_ in _NUMBERS:
            if _NUMBER.fullmatch(text):
                return float(text)
        elif type_ is ItemType.DATE:
            if len(text) == 10:
                return date.fromisoformat(text)
        elif type_ is ItemType.DATETIME:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                return moment
        elif type_ is ItemType.LOGICAL:
            if text.lower() in _TRUE | _FALSE:
                return text.lower() in _TRUE
        else:
            return text
    except ValueError:
        pass
    raise NotOfTypeError


def _finding(
    file: str,
    line: int,
    element: str,
    rule: str,
    message: Text,
    mend: Text,
    severity: Severity = Severity.ERROR,
) -> Finding:
    return Finding(
        file=file,
        line=line,
        element=element,
        rule=f"resource_data.{rule}",
        message=message,
        mend=mend,
        severity=severity,
    )


def parse_rows(content: bytes, shown: str, frame: Frame) -> tuple[DataFile | None, list[Finding]]:
    """Read a file of rows. Gives None and findings when it cannot be read; never raises. Bounded in rows, columns and cells."""
    del frame

    def refuse(line: int, rule: str, message: tuple[str, str], mend: tuple[str, str]) -> tuple[None, list[Finding]]:
        return None, [_finding(shown, line, "-", rule, both(*message), both(*mend))]

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return refuse(
            1, "encoding", ("文件不是 UTF-8。", "The file is not UTF-8."), ("请另存为 UTF-8。", "Save it as UTF-8.")
        )
    head: dict[str, str] = {}
    lines = text.splitlines(keepends=True)
    start = 0
    while start < len(lines) and lines[start].startswith("#"):
        if (found := _HEAD.match(lines[start].strip())) is not None:
            head[found[1]] = found[2].strip()
        start += 1
    try:
        as_of = date.fromisoformat(head.get("as_of", ""))
    except ValueError:
        as_of = None
    if not head.get("source.zh") or as_of is None:
        return refuse(
            1,
            "source",
            (
                "没有写明数据来源（# source.zh:）和截止日期（# as_of: 年-月-日）。",
                "The source (# source.zh:) or the day the data stand for (# as_of: YYYY-MM-DD) is not named.",
            ),
            ("请在文件开头补充。", "Add them at the top of the file."),
        )
    reader = csv.reader(io.StringIO("".join(lines[start:]), newline=""), strict=True)
    rows: list[tuple[str, ...]] = []
    numbers: list[int] = []
    columns: tuple[str, ...] = ()
    try:
        for row in reader:
            line = start + reader.line_num
            if not columns:
                columns = tuple(name.strip() for name in row)
                if len(columns) > MAX_COLUMNS or len(set(columns)) != len(columns) or not all(columns):
                    return refuse(
                        line,
                        "columns",
                        ("列名重复、为空或过多。", "Column names repeat, are empty or too many."),
                        ("请每列写一个信息项代码。", "Name each column by the code of an item."),
                    )
                continue
            if not row:
                continue
            if len(row) != len(columns) or any(len(cell) > MAX_CELL or "\0" in cell for cell in row):
                return refuse(
                    line,
                    "shape",
                    (
                        f"这一行有 {len(row)} 列，应为 {len(columns)} 列，或单元格过长。",
                        f"The row has {len(row)} cells instead of {len(columns)}, or one is too long.",
                    ),
                    ("请改正这一行。", "Correct the row."),
                )
            rows.append(tuple(row))
            numbers.append(line)
            if len(rows) > MAX_ROWS:
                return refuse(
                    line,
                    "too_many",
                    (f"超过 {MAX_ROWS} 行。", f"There are more than {MAX_ROWS} rows."),
                    ("请改由接口提供。", "Provide it by an interface instead."),
                )
    except csv.Error as error:
        line = start + reader.line_num
        return refuse(
            line, "csv", (f"不是 CSV：{error}。", f"Not CSV: {error}."), ("请改正这一行。", "Correct the row.")
        )
    if not columns:
        return refuse(
            start + 1, "columns", ("没有列名。", "There is no header."), ("请补充列名。", "Add the codes of the items.")
        )
    source = Text(
        (("zh", head["source.zh"]), *([("en", head["source.en"])] if head.get("source.en") else [])),
    )
    return (
        DataFile(
            source=source,
            as_of=as_of,
            licence=head.get("licence", ""),
            columns=columns,
            rows=tuple(rows),
            lines=tuple(numbers),
        ),
        [],
    )


def check_data(pack: Pack) -> Iterable[Finding]:
    """Find rows without a resource, of a resource that is not open, and values that are not what their item says."""
    catalog = catalog_of(pack)
    for code, file in sorted(pack.of(KIND).items()):
        resolved = catalog.resources.get(code)
        if resolved is None:
            yield _finding(
                file.shown,
                1,
                code,
                "no_resource",
                both(f"没有信息资源 {code}。", f"There is no resource {code}."),
                both("请先编制信息资源，或改文件名。", "Define the resource, or rename the file."),
            )
            continue
        yield from _of_resource(file.shown, file.value, resolved)


def _of_resource(shown: str, data: DataFile, resolved: ResolvedResource) -> Iterator[Finding]:
    if resolved.resource.openness.type is not Openness.OPEN:
        yield _finding(
            shown,
            1,
            resolved.code,
            "not_open",
            both(
                "该信息资源不向社会开放，数据不能放在包里。",
                "The resource is not open: its rows do not belong into a pack.",
            ),
            both("请删除这个文件。", "Remove the file."),
        )
        return
    items = {item.code: item for item in resolved.items}
    header = data.lines[0] - 1 if data.lines else 1
    for column in data.columns:
        item = items.get(column)
        if item is None:
            yield _finding(
                shown,
                header,
                column[:64],
                "column",
                both(f"信息资源没有信息项 {column[:64]}。", f"The resource has no item {column[:64]}."),
                both("请用信息项的代码作列名。", "Name columns by the codes of its items."),
            )
            return
        if item.openness.type is not Openness.OPEN:
            yield _finding(
                shown,
                header,
                column,
                "column_not_open",
                both(
                    f"信息项 {column} 不开放，这一列不会公布。",
                    f"The item {column} is not open: its column is not published.",
                ),
                both("请删除这一列。", "Remove the column."),
                Severity.WARNING,
            )
    for item in resolved.items:
        needed = item.item.key or not item.item.nullable
        if needed and item.openness.type is Openness.OPEN and item.code not in data.columns:
            yield _finding(
                shown,
                header,
                item.code,
                "column_missing",
                both(f"缺少信息项 {item.code}。", f"The item {item.code} is missing."),
                both("请补充这一列。", "Add its column."),
            )
    found = list(_values(shown, data, [items[column] for column in data.columns]))
    yield from found[:_MOST]
    if len(found) > _MOST:
        yield _finding(
            shown,
            header,
            resolved.code,
            "more",
            both(f"另有 {len(found) - _MOST} 处错误。", f"There are {len(found) - _MOST} more mistakes."),
            both("改正以上各处后再检查。", "Correct those above and check again."),
        )


def _values(shown: str, data: DataFile, items: Sequence[ResolvedItem]) -> Iterator[Finding]:
    keys = [place for place, item in enumerate(items) if item.item.key]
    seen: dict[tuple[str, ...], int] = {}
    for line, row in zip(data.lines, data.rows, strict=True):
        for item, cell in zip(items, row, strict=True):
            if cell == "":
                if item.item.key or not item.item.nullable:
                    yield _wrong(shown, line, item, "empty", ("不能为空。", "It must not be empty."))
                continue
            try:
                typed(cell, item.type)
            except NotOfTypeError:
                yield _wrong(
                    shown,
                    line,
                    item,
                    "type",
                    (f"不是类型 {item.type.value} 的值。", f"It is no value of type {item.type.value}."),
                )
                continue
            if item.length is not None and item.type in {ItemType.TEXT, ItemType.MEMO} and len(cell) > item.length:
                yield _wrong(
                    shown,
                    line,
                    item,
                    "length",
                    (f"超过 {item.length} 个字符。", f"It is longer than {item.length} characters."),
                )
        if keys:
            key = tuple(row[place] for place in keys)
            if (first := seen.setdefault(key, line)) != line:
                yield _wrong(
                    shown,
                    line,
                    items[keys[0]],
                    "key",
                    (f"键与第 {first} 行重复。", f"The key is that of line {first}."),
                )


def _wrong(shown: str, line: int, item: ResolvedItem, rule: str, message: tuple[str, str]) -> Finding:
    return _finding(shown, line, item.code, rule, both(*message), both("请改正这一格。", "Correct the cell."))


def rows_of(data: DataFile, types: Mapping[str, ItemType]) -> list[dict[str, Any]]:
    """Give the rows as mappings of item code to value, of the columns in ``types`` only."""
    wanted = [(place, column, types[column]) for place, column in enumerate(data.columns) if column in types]
    return [{column: typed(row[place], type_) for place, column, type_ in wanted} for row in data.rows]


register_kind(
    Kind(
        name=KIND,
        folder="resources",
        suffix=".csv",
        media_type="text/csv",
        group_of=lambda _: "",  # the department's folder is that of the resource
        parse=parse_rows,
        cross_check=check_data,
        order=23,
    )
)
