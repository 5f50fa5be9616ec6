"""YAML with line numbers, and shapes: everything wrong is a finding with its line, and nothing is read as what it is not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from furong.foundation.packs.values import (
    CODE,
    Bool,
    Day,
    Dec,
    Finding,
    Int,
    ListNode,
    ListOf,
    MapNode,
    MapOf,
    OneOf,
    Report,
    ScalarNode,
    SourceNode,
    SourceRefused,
    Str,
    Table,
    Text,
    Texts,
    both,
    optional,
    parse_yaml,
    required,
)
from furong.foundation.packs.values.source import MAX_BYTES, MAX_DEPTH


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


SHAPE = MapOf(
    {
        "code": required(CODE),
        "name": required(Texts()),
        "number": optional(Str(pattern="[0-9]{4}")),
        "count": optional(Int(0, 10)),
        "size": optional(Dec()),
        "open": optional(Bool(), False),
        "since": optional(Day()),
        "colour": optional(OneOf(values=tuple(Colour))),
        "parts": optional(ListOf(MapOf({"code": required(CODE)}), unique="code"), list),
        "texts": optional(Table(Texts())),
    }
)


def read(text: str) -> tuple[Any, list[Finding]]:
    report = Report("file.yaml", ("zh", "en"))
    value = SHAPE.read(parse_yaml(text.encode(), file="file.yaml"), report, "")
    return value, report.findings


def refusal(data: bytes) -> Finding:
    with pytest.raises(SourceRefused) as refused:
        parse_yaml(data, file="file.yaml")
    return refused.value.findings[0]


def test_every_node_knows_its_line() -> None:
    node = parse_yaml(b"a: 1\nb:\n  - x\n  - y: 2\n\nc: 'z'\n", file="f")
    assert isinstance(node, MapNode)
    b = node["b"]
    assert isinstance(b, ListNode)
    assert [node.line_of(k) for k in "abc"] == [1, 2, 6]
    assert [i.line for i in b.items] == [3, 4]


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("a: 1\nb: [1, 2\n", "yaml.syntax", 3),
        ("a: 1\na: 2\n", "yaml.duplicate_key", 2),
        ("a: &x 1\nb: 2\n", "yaml.alias", 1),
        ("a: 1\nb: *x\n", "yaml.alias", 2),
        ("a: 1\nb: !!python/object:os.system x\n", "yaml.tag", 2),
        ("a: 1\n---\nb: 2\n", "yaml.documents", 2),
        ("", "yaml.empty", 1),
        ("? [a, b]\n: 1\n", "yaml.key", 1),
        ("a: \x07\n", "yaml.characters", 1),
        ("a:\n\t- b\n", "yaml.syntax", 2),
    ],
)
def test_what_a_pack_may_not_hold_is_refused_with_its_line(text: str, rule: str, line: int) -> None:
    found = refusal(text.encode())
    assert (found.rule, found.line) == (rule, line)


def test_a_file_that_is_not_utf8_names_the_line() -> None:
    assert (refusal(b"a: 1\nb: \xff\n").rule, refusal(b"a: 1\nb: \xff\n").line) == ("yaml.not_utf8", 2)


def test_a_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert refusal("\n".join(lines).encode()).rule == "yaml.alias"
    assert refusal(b"[" * (MAX_DEPTH + 5)).rule == "pack.too_deep"
    assert refusal(b"a: '" + b"x" * MAX_BYTES + b"'").rule == "pack.too_large"
    assert refusal(b"[" + b"1," * 600_000 + b"]").rule == "pack.too_large"


def test_scalars_mean_what_the_shape_says_and_nothing_else() -> None:
    value, findings = read(
        "code: abc\nname: {zh: 名, en: no}\nnumber: 0123\ncount: 7\nsize: 1.50\nopen: true\nsince: 2026-01-31\ncolour: red\n"
    )
    assert findings == []
    assert (value["number"], value["count"], value["size"]) == ("0123", 7, Decimal("1.50"))
    assert (value["open"], value["since"], value["colour"]) == (True, date(2026, 1, 31), Colour.RED)
    assert isinstance(value["colour"], Colour)
    assert value["name"].pick("en") == "no"


@pytest.mark.parametrize(
    ("line", "rule", "element"),
    [
        ("count: 07", "schema.type", "count"),
        ("count: 11", "schema.range", "count"),
        ("count: yes", "schema.type", "count"),
        ("open: yes", "schema.type", "open"),
        ("open: 'true'", "schema.type", "open"),
        ("since: 2026-02-30", "schema.type", "since"),
        ("size: .inf", "schema.type", "size"),
        ("size: NaN", "schema.type", "size"),
        ("number: 12345", "schema.pattern", "number"),
        ("colour: green", "schema.choice", "colour"),
        ("colour: [red]", "schema.choice", "colour"),
        ("parts: {code: a}", "schema.type", "parts"),
        ("parts: [{code: a}, {code: a}]", "schema.duplicate", "parts[1]"),
        ("parts: [{cod: a}]", "schema.unknown_key", "parts[0].cod"),
        ("nmae: x", "schema.unknown_key", "nmae"),
        ("texts: {a: {en: x}}", "text.missing", "texts.a"),
    ],
)
def test_what_does_not_fit_is_a_finding_on_its_line(line: str, rule: str, element: str) -> None:
    _, findings = read(f"code: abc\nname: {{zh: 名}}\n{line}\n")
    assert (rule, element, 3) in {(f.rule, f.element, f.line) for f in findings}


def test_an_unknown_key_is_told_the_nearest_known_one() -> None:
    _, findings = read("code: abc\nname: {zh: 名}\ncolor: red\n")
    assert findings[0].mend.pick("en") == "Did you mean colour?"


def test_a_missing_key_is_named() -> None:
    _, findings = read("name: {zh: 名}\n")
    assert [(f.rule, f.element) for f in findings] == [("schema.missing", "code")]


def test_a_finding_is_one_line_in_both_languages() -> None:
    finding = Finding(
        file="f.yaml", line=3, element="a.b", rule="r.x", message=both("错。", "Wrong."), mend=both("改。", "Mend it.")
    )
    assert finding.format() == "f.yaml:3: a.b: r.x: Wrong. Mend it."
    assert finding.format(language="zh") == "f.yaml:3: a.b: r.x: 错。 改。"


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh-hans", "名"), ("zh_CN", "名"), ("en-GB", "name"), ("fr", "名"), (None, "名"), ("EN", "name")],
)
def test_a_text_is_picked_by_language_and_falls_back_to_the_packs_own(language: str | None, text: str) -> None:
    assert Text.of({"zh": "名", "en": "name"}).pick(language) == text


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_and_never_raises_anything_else(text: str) -> None:
    try:
        node = parse_yaml(text.encode("utf-8", "surrogatepass"), file="f")
    except SourceRefused as refused:
        findings = list(refused.findings)
    else:
        report = Report("f", ("zh", "en"))
        SHAPE.read(node, report, "")
        findings = report.findings
    assert findings
    assert all(f.line >= 1 for f in findings)


PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.text(alphabet="abc 中文0:#-", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet="abc", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
@settings(max_examples=100, deadline=None)
def test_what_is_written_as_yaml_comes_back_the_same(value: Any) -> None:
    import json

    def plain(node: SourceNode) -> Any:
        if isinstance(node, MapNode):
            return {k: plain(v) for k, v in node.entries.items()}
        if isinstance(node, ListNode):
            return [plain(v) for v in node.items]
        assert isinstance(node, ScalarNode)
        return node.text

    assert plain(parse_yaml(json.dumps(value, ensure_ascii=False).encode(), file="f")) == value
