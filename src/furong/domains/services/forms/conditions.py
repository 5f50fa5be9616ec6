"""Conditions of forms: FEEL over the answers, where ``newborn.name`` is a path into nested contexts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django.utils import timezone

from furong.domains.services.values.forms import FieldType, Form, Prefill
from furong.foundation.feel import CompiledExpression, compile_expression
from furong.foundation.packs.values import Expression


@lru_cache(maxsize=4096)
def compiled(text: str) -> CompiledExpression:
    """Compile a condition once a process."""
    return compile_expression(text)


def holds(expression: Expression | None, context: Mapping[str, Any], *, now: datetime | None = None) -> bool:
    """Say whether a condition is true; no condition is. What FEEL makes null is not true."""
    return expression is None or compiled(expression.text).evaluate(context, now=now) is True


def value_of(expression: Expression | None, context: Mapping[str, Any], *, now: datetime | None = None) -> Any:
    """Give what an expression is, or None without one."""
    return None if expression is None else compiled(expression.text).evaluate(context, now=now)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn ``{"newborn.name": x}`` into ``{"newborn": {"name": x}}``, which is how FEEL, BPMN and DMN see elements."""
    result: dict[str, Any] = {}
    for code, value in values.items():
        *path, last = code.split(".")
        place = result
        for step in path:
            inner = place.get(step)
            if not isinstance(inner, dict):
                inner = {} if inner is None else {"value": inner}
                place[step] = inner
            place = inner
        place[last] = value
    return result


def python_value(kind: FieldType | None, value: Any) -> Any:
    """Turn an answer as JSON keeps it into the value that FEEL compares: dates, decimals."""
    if value is None or value == "":
        return None
    if kind is FieldType.DATE and isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return None
        return timezone.localtime(found).date() if found.tzinfo is not None else found.date()
    if kind is FieldType.DATE and isinstance(value, datetime):
        return timezone.localtime(value).date() if value.tzinfo is not None else value.date()
    if kind is FieldType.DECIMAL and isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            return None
    return value


# By the form's identity: a compiled form lives as long as its process, and is asked several times a page.
_SHAPES: dict[int, tuple[Form, dict[str, FieldType], frozenset[str]]] = {}
_MOST_SHAPES = 500


def _shape_of(form: Form) -> tuple[dict[str, FieldType], frozenset[str]]:
    """Give the type of each element of a form, and the elements that it may ask."""
    found = _SHAPES.get(id(form))
    if found is None or found[0] is not form:
        if len(_SHAPES) >= _MOST_SHAPES:
            _SHAPES.clear()
        asked = {str(f.element) for f in form.fields() if f.prefill is not Prefill.SHOW}
        found = (form, {str(f.element): f.type for f in form.fields()}, frozenset(asked | form.repeated()))
        _SHAPES[id(form)] = found
    return found[1], found[2]


def context_of(form: Form, answers: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give the FEEL context of a form: every element of it (null when unanswered), the answers, and what registers hold.

    What a register holds stands, whatever an answer says, and an answer counts only where the form asks.
    """
    kinds, may_ask = _shape_of(form)
    values: dict[str, Any] = dict.fromkeys(kinds)
    given = {code: value for code, value in answers.items() if code in may_ask}
    held = {code: value for code, value in (known or {}).items() if value not in (None, "")}
    for source in (given, held):
        for code, value in source.items():
            values[code] = python_value(kinds.get(code), value)
    return nested(values)


def json_value(value: Any) -> Any:
    """Turn a cleaned value into what a draft keeps as JSON."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [json_value(v) for v in value]
    return value


def lookups(expressions: Iterable[Expression | None]) -> frozenset[str]:
    """Give the first names (``newborn`` of ``newborn.name``) that expressions use."""
    return frozenset(name for e in expressions if e is not None for name in compiled(e.text).names)
