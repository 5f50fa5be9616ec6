"""Forms against the dictionary and their item: types, options, what the department may see, conditions."""

from __future__ import annotations

from collections.abc import Iterator

from furong.domains.catalogue.values import ElementType
from furong.domains.services.checks.paths import may_be_boolean, syntax_problem, unknown_elements
from furong.domains.services.checks.scope import Scope
from furong.domains.services.values.forms import HOLDS, FieldType, Form, FormField
from furong.foundation.codes.errors import UnknownCodeTable
from furong.foundation.codes.queries import get_table
from furong.foundation.packs.values import Expression


def check_forms(scope: Scope) -> None:
    """Find fields that do not fit their element, that the item does not declare, and conditions on what nobody knows."""
    for code, form in scope.forms.items():
        item = scope.items.get(code)
        if item is None:
            if not scope.pack.knows("item", code):
                scope.add(
                    scope.shown("form", code),
                    1,
                    code,
                    "form.no_item",
                    ("表单旁边没有 item.yaml。", "There is no item.yaml beside the form."),
                    ("请补充事项文件。", "Add the item's file."),
                )
            continue
        inputs = {str(e) for e in item.inputs}
        for one in form.fields():
            _field(scope, one)
            if one.element not in inputs and one.element in scope.dictionary:
                scope.add(
                    one.file,
                    one.line,
                    one.element,
                    "form.not_an_input",
                    (
                        "事项没有把该数据元列入 inputs，承办部门看不到它。",
                        "The item does not list the element among its inputs, so its department never sees it.",
                    ),
                    ("请列入 item.yaml 的 inputs，或从表单删除。", "List it in item.yaml, or remove it from the form."),
                )
        known = frozenset(inputs | form.elements())
        for expression, element, is_condition in conditions_of(form):
            file = scope.shown("form", code)
            if _condition(scope, file, expression, element, known) and is_condition:
                _boolean(scope, file, expression, element)
    for code, item in scope.items.items():
        for material in item.materials:
            if material.when is not None:
                file = scope.shown("item", code)
                if _condition(scope, file, material.when, material.code, frozenset(str(e) for e in item.inputs)):
                    _boolean(scope, file, material.when, material.code)


def conditions_of(form: Form) -> Iterator[tuple[Expression, str, bool]]:
    """Give every FEEL expression of a form, the element or page it stands at, and whether it must be true or false."""
    for page in form.pages:
        if page.show_if:
            yield page.show_if, page.code, True
        for group in page.groups:
            if group.show_if:
                yield group.show_if, group.code or page.code, True
            for one in group.fields:
                for expression in (one.show_if, one.require_if, *(o.show_if for o in one.options)):
                    if expression:
                        yield expression, str(one.element), True
                for expression in (one.earliest, one.latest):
                    if expression:
                        yield expression, str(one.element), False
    for check in form.checks:
        yield check.ensure, str(check.element), True


def _boolean(scope: Scope, file: str, expression: Expression, element: str) -> None:
    booleans = frozenset(c for c, e in scope.dictionary.items() if e.type is ElementType.BOOLEAN)
    others = frozenset(scope.dictionary) - booleans
    if not may_be_boolean(expression.text, booleans=booleans, others=others):
        scope.add(
            file,
            expression.line,
            element,
            "feel.not_boolean",
            ("条件的结果不是“真”或“假”。", "The condition is never true or false."),
            ("请写成比较，例如 = 或 != null。", "Write a comparison, such as = or != null."),
        )


def _condition(scope: Scope, file: str, expression: Expression, element: str, known: frozenset[str]) -> bool:
    """Check syntax and names; gives whether the expression can be looked at further."""
    if problem := syntax_problem(expression.text):
        scope.add(
            file,
            expression.line,
            element,
            "feel.syntax",
            (f"不是 FEEL 表达式：{problem}", f"This is not FEEL: {problem}"),
            (
                '请改写条件，例如 newborn.household_with = "father"。',
                'Write it such as newborn.household_with = "father".',
            ),
        )
        return False
    from furong.domains.services.forms.conditions import lookups

    for name in sorted(lookups([expression]) - scope.roles):
        scope.add(
            file,
            expression.line,
            element,
            "feel.name",
            (f"条件中的 {name} 不是数据元。", f"The condition names {name}, which is no data element."),
            ("条件只能使用本事项 inputs 中的数据元。", "Use data elements of the item's inputs."),
        )
    for path in unknown_elements(expression.text, known=known, roles=scope.roles):
        scope.add(
            file,
            expression.line,
            element,
            "feel.element",
            (
                f"条件使用的 {path} 不在表单和事项的 inputs 中。",
                f"The condition uses {path}, which is neither in the form nor among the item's inputs.",
            ),
            ("请改正代码，或列入 inputs。", "Correct the code, or list it among the inputs."),
        )
    return True


def _field(scope: Scope, one: FormField) -> None:
    element = scope.dictionary.get(one.element)
    if element is None:
        return
    if element.type not in HOLDS[one.type]:
        scope.add(
            one.file,
            one.line,
            one.element,
            "form.type",
            (
                f"数据元的类型是 {element.type}，不能用 {one.type} 字段。",
                f"The element's type is {element.type}; a field of type {one.type} cannot hold it.",
            ),
            ("请改用合适的字段类型。", "Use a fitting type of field."),
        )
    if one.code_table is not None:
        try:
            get_table(name=one.code_table)
        except UnknownCodeTable:
            scope.add(
                one.file,
                one.line,
                one.element,
                "form.code_table",
                (f"没有代码表 {one.code_table}。", f"There is no code table {one.code_table}."),
                ("请使用平台的代码表，或写出 options:。", "Use a table of the platform, or list options:."),
            )
        if element.code_table is not None and one.code_table != element.code_table:
            scope.add(
                one.file,
                one.line,
                one.element,
                "form.options",
                (
                    f"数据元的代码表是 {element.code_table}，不是 {one.code_table}。",
                    f"The element's table is {element.code_table}, not {one.code_table}.",
                ),
                ("请使用数据元的代码表。", "Use the element's table."),
            )
    if one.type in {FieldType.CHOICE, FieldType.CHOICES} and one.options and element.codes:
        known = {c.code for c in element.codes}
        for option in one.options:
            if option.code not in known:
                scope.add(
                    one.file,
                    one.line,
                    one.element,
                    "form.options",
                    (
                        f"选项 {option.code} 不在数据元的代码中（{'、'.join(sorted(known))}）。",
                        f"The option {option.code} is none of the element's codes ({', '.join(sorted(known))}).",
                    ),
                    ("请改正选项的代码。", "Correct the option's code."),
                )
    if one.max_length is not None and element.max_length is not None and one.max_length > element.max_length:
        scope.add(
            one.file,
            one.line,
            one.element,
            "form.length",
            (
                f"最多 {one.max_length} 个字符，超过数据元的 {element.max_length}。",
                f"It allows {one.max_length} characters, more than the element's {element.max_length}.",
            ),
            ("请缩短 max_length。", "Make max_length shorter."),
        )
