"""Reads the cases of the DMN Technology Compatibility Kit: models, inputs, expected results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

from furong.foundation.feel import YearsMonths, compile_expression

LEVELS = ("compliance-level-2", "compliance-level-3")
_NS = "{http://www.omg.org/spec/DMN/20160719/testcase}"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_TEMPORAL = {"date": "date(x)", "time": "time(x)", "dateTime": "date and time(x)", "duration": "duration(x)"}
_NUMBERS = frozenset(("decimal", "double", "integer"))


@dataclass(frozen=True)
class Case:
    """One expected result: of ``name``, when ``asked`` (the decision itself, or a service) runs on ``inputs``."""

    label: str
    model: Path
    asked: str
    name: str
    inputs: dict[str, object]
    texts: dict[str, object]  # the same as JSON has it: dates, times and durations as texts
    expected: object
    is_error: bool


def cases(folder: Path) -> Iterator[Case]:
    """Give the cases of one folder of the kit."""
    for file in sorted(folder.glob("*-test-*.xml")):
        root = ElementTree.parse(file).getroot()  # noqa: S314  a kit that whoever runs this chose
        model = folder / (root.findtext(f"{_NS}modelName") or "").strip()
        if not model.is_file():
            model = folder / f"{folder.name}.dmn"
        for case in root.findall(f"{_NS}testCase"):
            service = case.get("invocableName") if case.get("type") == "decisionService" else None
            nodes = case.findall(f"{_NS}inputNode")
            for result in case.findall(f"{_NS}resultNode"):
                name = result.get("name", "")
                yield Case(
                    label=f"{folder.name} {case.get('id')} {name}",
                    model=model,
                    asked=service or name,
                    name=name,
                    inputs={node.get("name", ""): _value(node) for node in nodes},
                    texts={node.get("name", ""): _value(node, texts=True) for node in nodes},
                    expected=_value(result.find(f"{_NS}expected")),
                    is_error=result.get("errorResult") == "true",
                )


def _value(element: ElementTree.Element | None, *, texts: bool = False) -> object:
    if element is None or element.get(f"{_XSI}nil") == "true":
        return None
    values = element.find(f"{_NS}list")
    if values is not None:
        return [_value(one, texts=texts) for one in values.findall(f"{_NS}item")] if not _nil(values) else None
    components = element.findall(f"{_NS}component")
    if components:
        return {one.get("name", ""): _value(one, texts=texts) for one in components}
    value = element.find(f"{_NS}value")
    if value is None or _nil(value):
        return None
    kind, text = (value.get(f"{_XSI}type") or "").rpartition(":")[2], value.text or ""
    if kind == "boolean":
        return text.strip() == "true"
    if kind in _NUMBERS:
        return Decimal(text.strip())
    if kind in _TEMPORAL and not texts:
        return compile_expression(_TEMPORAL[kind], known_names=("x",)).evaluate({"x": text.strip()})
    return text.strip() if kind in _TEMPORAL else text


def _nil(element: ElementTree.Element) -> bool:
    return element.get(f"{_XSI}nil") == "true"


def same(actual: object, expected: object) -> bool:
    """Whether a result is what the kit expects; numbers to eight digits, as its own runners compare."""
    if isinstance(expected, list):
        return isinstance(actual, list) and len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and actual.keys() == expected.keys()
            and all(same(actual[key], one) for key, one in expected.items())
        )
    if isinstance(expected, Decimal) and isinstance(actual, Decimal):
        return abs(actual - expected) <= Decimal("1e-8") * max(1, abs(expected))
    return type(actual) is type(expected) and actual == expected


def same_json(actual: object, expected: object) -> bool:
    """Whether JSON that was printed is what the kit expects; texts of dates and durations are compared as values."""
    if isinstance(expected, list):
        return isinstance(actual, list) and len(actual) == len(expected) and all(map(same_json, actual, expected))
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and actual.keys() == expected.keys()
            and all(same_json(actual[key], one) for key, one in expected.items())
        )
    if expected is None or isinstance(expected, str | bool | Decimal):
        return same(actual, expected)
    kinds = {
        date: "date", time: "time", datetime: "dateTime", timedelta: "duration", YearsMonths: "duration",
    }  # fmt: skip
    kind = kinds.get(type(expected)) or {"WideDate": "date", "WideTime": "time"}.get(
        type(expected).__name__, "dateTime"
    )
    read = compile_expression(_TEMPORAL[kind], known_names=("x",)).evaluate({"x": actual})
    return same(read, expected)
