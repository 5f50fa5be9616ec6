"""Shapes: what a file of a kind may hold. Reading a tree with a shape gives plain values and findings, never an exception.

A map becomes a `Parsed` (a dict that knows its lines), a list a `ParsedList`, so that a later check can still name the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from furong.foundation.packs.values.findings import Finding, Severity
from furong.foundation.packs.values.source import ListNode, MapNode, ScalarNode, SourceNode
from furong.foundation.packs.values.text import Text, both

# What a shape expects, as its findings say it.
_VALUE = both("一个值", "a value")
_TEXT = both("文字", "a text")
_TEXTS = both("各语言文字，如 {zh: 姓名, en: Name}", "texts by language, such as {zh: 姓名, en: Name}")
_INTEGER = both("整数", "a whole number")
_NUMBER = both("数字", "a number")
_BOOLEAN = both("true 或 false", "true or false")
_DATE = both("日期，如 2026-01-01", "a date such as 2026-01-01")
_FEEL = both("FEEL 表达式", "a FEEL expression")
_LIST = both("列表", "a list")
_MAP = both("一组键值", "a map of keys")
_TABLE = both("一组键值", "a map of keys")


class Parsed(dict[str, Any]):
    """A map that was read, with its line and the line of each key."""

    __slots__ = ("line", "lines")

    def __init__(self, values: Mapping[str, Any] = {}, *, line: int = 1, lines: Mapping[str, int] = {}) -> None:
        super().__init__(values)
        self.line = line
        self.lines = dict(lines)

    def line_of(self, key: str) -> int:
        return self.lines.get(key, self.line)


class ParsedList(list[Any]):
    """A list that was read, with the line of each entry."""

    __slots__ = ("line", "lines")

    def __init__(self, values: Iterable[Any] = (), *, line: int = 1, lines: Iterable[int] = ()) -> None:
        super().__init__(values)
        self.line = line
        self.lines = list(lines)

    def line_of(self, index: int) -> int:
        return self.lines[index] if index < len(self.lines) else self.line


@dataclass
class Report:
    """Collects the findings of one file. ``languages``: the pack's, the first one is required in every text."""

    file: str
    languages: tuple[str, ...] = ("zh", "en")
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> int:
        return sum(finding.is_error for finding in self.findings)

    def add(
        self,
        line: int,
        element: str,
        rule: str,
        message: Text,
        mend: Text,
        *,
        severity: Severity = Severity.ERROR,
    ) -> None:
        self.findings.append(
            Finding(
                file=self.file,
                line=line,
                element=element or "-",
                rule=rule,
                message=message,
                mend=mend,
                severity=severity,
            )
        )


class Shape:
    """What a node may be. `read` gives the value, or None after adding findings."""

    expected: Text = _VALUE

    def read(self, node: SourceNode, report: Report, path: str) -> Any:
        raise NotImplementedError

    def wrong(self, node: SourceNode, report: Report, path: str, rule: str = "schema.type") -> None:
        report.add(
            node.line,
            path,
            rule,
            both(f"这里应当是{self.expected.pick('zh')}。", f"This must be {self.expected.pick('en')}."),
            both("请改正该值。", "Correct the value."),
        )


@dataclass
class Str(Shape):
    """A string, optionally matching ``pattern``. Plain numbers are taken as they were written."""

    pattern: str | None = None
    max_length: int = 4000
    expected: Text = _TEXT

    def read(self, node: SourceNode, report: Report, path: str) -> str | None:
        if not isinstance(node, ScalarNode) or node.is_null:
            self.wrong(node, report, path)
            return None
        value = node.text.strip()
        if not value or len(value) > self.max_length:
            report.add(
                node.line,
                path,
                "schema.length",
                both(
                    f"文字应当有 1 至 {self.max_length} 个字符。",
                    f"The text must have 1 to {self.max_length} characters.",
                ),
                both("请改写。", "Write it shorter, or fill it in."),
            )
            return None
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            report.add(
                node.line,
                path,
                "schema.pattern",
                both(
                    f"{value[:60]} 不符合格式 {self.pattern}。",
                    f"{value[:60]} does not match {self.pattern}.",
                ),
                both("请改正该值。", "Correct the value."),
            )
            return None
        return value


class Ref(str):
    """A code that names something, with the line where it stands."""

    __slots__ = ("line",)
    line: int

    @classmethod
    def at(cls, value: str, line: int) -> Ref:
        made = cls(value)
        made.line = line
        return made


@dataclass
class RefTo(Shape):
    """A reference by code; gives a `Ref`."""

    pattern: str = r"[a-z][a-z0-9_]*([.-][a-z0-9_]+)*"
    expected: Text = _TEXT

    def read(self, node: SourceNode, report: Report, path: str) -> Ref | None:
        value = Str(pattern=self.pattern, max_length=200).read(node, report, path)
        return None if value is None else Ref.at(value, node.line)


def record(cls: type[Any]) -> Callable[[Parsed], Any]:
    """Make a ``build`` for a frozen dataclass whose fields are the map's keys; a field ``line`` gets the map's line."""
    names = {f.name for f in fields(cls)}

    def build(parsed: Parsed) -> Any:
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in parsed.items() if k in names}
        if "line" in names:
            values["line"] = parsed.line
        if "lines" in names:
            values["lines"] = parsed.lines
        return cls(**values)

    return build


CODE = Str(pattern=r"[a-z][a-z0-9_]{0,63}", expected=both("小写代码", "a code in lower case"))


@dataclass
class Texts(Shape):
    """A text in the pack's languages; the pack's first language is required (rule ``text.missing``)."""

    expected: Text = _TEXTS
    max_length: int = 4000

    def read(self, node: SourceNode, report: Report, path: str) -> Text | None:
        if not isinstance(node, MapNode):
            self.wrong(node, report, path)
            return None
        values: dict[str, str] = {}
        for language, child in node.entries.items():
            if language not in report.languages:
                report.add(
                    node.line_of(language),
                    f"{path}.{language}",
                    "text.language",
                    both(f"本包不使用语言 {language[:20]}。", f"The pack does not use the language {language[:20]}."),
                    both(f"可用语言：{'、'.join(report.languages)}。", f"Use {', '.join(report.languages)}."),
                )
                continue
            value = Str(max_length=self.max_length).read(child, report, f"{path}.{language}")
            if value is not None:
                values[language] = value
        first = report.languages[0]
        if first not in node.entries:
            report.add(
                node.line,
                path,
                "text.missing",
                both(f"缺少{_language_name(first)}文字。", f"The text in {first} is missing."),
                both(f"请补充 {first}:。", f"Add {first}: to it."),
            )
        if first not in values:
            return None
        return Text.of({k: values[k] for k in report.languages if k in values})


def _language_name(code: str) -> str:
    return {"zh": "中文", "en": "英文"}.get(code, f" {code} ")


@dataclass
class Int(Shape):
    minimum: int | None = None
    maximum: int | None = None
    expected: Text = _INTEGER

    def read(self, node: SourceNode, report: Report, path: str) -> int | None:
        if not isinstance(node, ScalarNode) or node.quoted or not re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", node.text):
            self.wrong(node, report, path)
            return None
        value = int(node.text)
        if (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum):
            report.add(
                node.line,
                path,
                "schema.range",
                both(
                    f"{value} 超出范围（{self.minimum} 至 {self.maximum}）。",
                    f"{value} is out of range ({self.minimum} to {self.maximum}).",
                ),
                both("请改正该值。", "Correct the value."),
            )
            return None
        return value


@dataclass
class Dec(Shape):
    expected: Text = _NUMBER

    def read(self, node: SourceNode, report: Report, path: str) -> Decimal | None:
        if isinstance(node, ScalarNode) and not node.quoted and len(node.text) <= 40:
            try:
                value = Decimal(node.text)
            except InvalidOperation:
                pass
            else:
                if value.is_finite():
                    return value
        self.wrong(node, report, path)
        return None


@dataclass
class Bool(Shape):
    expected: Text = _BOOLEAN

    def read(self, node: SourceNode, report: Report, path: str) -> bool | None:
        if isinstance(node, ScalarNode) and not node.quoted and node.text in {"true", "false"}:
            return node.text == "true"
        self.wrong(node, report, path)
        return None


@dataclass
class Day(Shape):
    """A date as ISO 8601 writes it."""

    expected: Text = _DATE

    def read(self, node: SourceNode, report: Report, path: str) -> date | None:
        if isinstance(node, ScalarNode) and re.fullmatch(r"\d{4}-\d\d-\d\d", node.text):
            try:
                return date.fromisoformat(node.text)
            except ValueError:
                pass
        self.wrong(node, report, path)
        return None


@dataclass
class OneOf(Shape):
    """One of a few codes."""

    values: Sequence[str] = ()

    def read(self, node: SourceNode, report: Report, path: str) -> str | None:
        if isinstance(node, ScalarNode):
            for value in self.values:
                if value == node.text:
                    return value  # the member itself when the values are those of a StrEnum
        written = node.text[:60] if isinstance(node, ScalarNode) else "…"
        report.add(
            node.line,
            path,
            "schema.choice",
            both(f"{written} 不是可用的值。", f"{written} is not one of the values."),
            both(f"可用：{'、'.join(self.values)}。", f"Use one of {', '.join(self.values)}."),
        )
        return None


@dataclass(frozen=True, slots=True)
class Expression:
    """A FEEL expression as written, with its place. Compiled by `furong.foundation.feel`."""

    text: str
    line: int = field(compare=False, default=1)


@dataclass
class Feel(Shape):
    expected: Text = _FEEL

    def read(self, node: SourceNode, report: Report, path: str) -> Expression | None:
        if not isinstance(node, ScalarNode) or not node.text.strip() or len(node.text) > 2000:
            self.wrong(node, report, path)
            return None
        return Expression(node.text.strip(), node.line)


@dataclass
class ListOf(Shape):
    """A list of one shape. ``unique``: a key (or the value itself, ``""``) that may stand once."""

    shape: Shape
    minimum: int = 0
    maximum: int = 20_000
    unique: str | None = None
    expected: Text = _LIST

    def read(self, node: SourceNode, report: Report, path: str) -> ParsedList | None:
        if not isinstance(node, ListNode):
            self.wrong(node, report, path)
            return None
        if not self.minimum <= len(node.items) <= self.maximum:
            report.add(
                node.line,
                path,
                "schema.count",
                both(
                    f"应当有 {self.minimum} 至 {self.maximum} 项。",
                    f"There must be {self.minimum} to {self.maximum} entries.",
                ),
                both("请增减。", "Add or remove some."),
            )
        values, lines, seen = ParsedList(line=node.line), [], dict[str, int]()
        for index, child in enumerate(node.items):
            value = self.shape.read(child, report, f"{path}[{index}]")
            if value is None:
                continue
            if self.unique is not None:
                key = _key_of(value, self.unique)
                if key in seen:
                    report.add(
                        child.line,
                        f"{path}[{index}]",
                        "schema.duplicate",
                        both(
                            f"{key} 重复，首次出现在第 {seen[key]} 行。",
                            f"{key} stands twice, first in line {seen[key]}.",
                        ),
                        both("请删除其中一个或改代码。", "Remove one, or change its code."),
                    )
                    continue
                if key is not None:
                    seen[key] = child.line
            values.append(value)
            lines.append(child.line)
        values.lines = lines
        return values


def _key_of(value: Any, name: str) -> Any:
    if name == "":
        return value
    return value.get(name) if isinstance(value, dict) else getattr(value, name)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a map: its shape, whether it must be there, its default."""

    shape: Shape
    required: bool = False
    default: Any = None


def required(shape: Shape) -> Key:
    """Make a key that must be there."""
    return Key(shape, required=True)


def optional(shape: Shape, default: Any = None) -> Key:
    """Make a key that may be left out."""
    return Key(shape, default=default)


@dataclass
class MapOf(Shape):
    """A map with known keys; an unknown key is a finding that names the nearest known one.

    ``check`` may add findings; ``build`` (`record`, say) turns a map without errors into a value.
    """

    keys: Mapping[str, Key] = field(default_factory=dict)
    check: Callable[[Parsed, Report, str], None] | None = None
    build: Callable[[Parsed], Any] | None = None
    expected: Text = _MAP

    def read(self, node: SourceNode, report: Report, path: str) -> Any:
        if not isinstance(node, MapNode):
            self.wrong(node, report, path)
            return None
        before = report.errors
        values: dict[str, Any] = {}
        for name, child in node.entries.items():
            where = f"{path}.{name}" if path else name
            key = self.keys.get(name)
            if key is None:
                _unknown_key(self.keys, name, node.line_of(name), report, where)
                continue
            if isinstance(child, ScalarNode) and child.is_null and not key.required:
                continue
            values[name] = key.shape.read(child, report, where)
        for name, key in self.keys.items():
            if key.required and name not in node.entries:
                report.add(
                    node.line,
                    f"{path}.{name}" if path else name,
                    "schema.missing",
                    both(f"缺少 {name}。", f"{name} is missing."),
                    both(f"请补充 {name}:。", f"Add {name}: to it."),
                )
            if values.get(name) is None:
                values[name] = key.default() if callable(key.default) else key.default
        parsed = Parsed(values, line=node.line, lines=node.key_lines)
        if self.check is not None and report.errors == before:
            self.check(parsed, report, path)
        if self.build is None:
            return parsed
        return self.build(parsed) if report.errors == before else None


def _unknown_key(keys: Mapping[str, Key], name: str, line: int, report: Report, path: str) -> None:
    import difflib

    near = difflib.get_close_matches(name, keys, n=1)
    mend = both(f"是否想写 {near[0]}？", f"Did you mean {near[0]}?") if near else both("请删除它。", "Remove it.")
    report.add(line, path, "schema.unknown_key", both(f"不认识的键 {name[:60]}。", f"Unknown key {name[:60]}."), mend)


@dataclass
class Table(Shape):
    """A map with free keys (matching ``pattern``) and values of one shape."""

    shape: Shape
    pattern: str = r"[A-Za-z0-9_.-]{1,64}"
    expected: Text = _TABLE

    def read(self, node: SourceNode, report: Report, path: str) -> Parsed | None:
        if not isinstance(node, MapNode):
            self.wrong(node, report, path)
            return None
        values: dict[str, Any] = {}
        for name, child in node.entries.items():
            where = f"{path}.{name}"
            if not re.fullmatch(self.pattern, name):
                report.add(
                    node.line_of(name),
                    where,
                    "schema.pattern",
                    both(
                        f"键 {name[:60]} 不符合格式 {self.pattern}。",
                        f"The key {name[:60]} does not match {self.pattern}.",
                    ),
                    both("请改正键。", "Correct the key."),
                )
                continue
            value = self.shape.read(child, report, where)
            if value is not None:
                values[name] = value
        return Parsed(values, line=node.line, lines=node.key_lines)
