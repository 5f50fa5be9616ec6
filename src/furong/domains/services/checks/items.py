"""Items against the rest of the pack: clocks, data elements, materials, results, overrides."""

from __future__ import annotations

import re

from furong.domains.catalogue.values import SourceKind
from furong.domains.services.checks.limits import promised_within
from furong.domains.services.checks.scope import Scope
from furong.domains.services.values.items import Channel, Item, Material, ProjectType, ResultKind
from furong.foundation.packs.values import Ref


def check_items(scope: Scope) -> None:
    """Find items without a clock, elements that are unknown or another's, materials from nowhere."""
    for code, item in scope.items.items():
        file = scope.shown("item", code)
        _clock(scope, item, file)
        _elements(scope, item, file)
        _code(scope, item, file)
        _result(scope, item, file)
        for material in item.materials:
            _material(scope, item, material, file)
        if item.fee.charged and not item.fee.items:
            scope.add(
                file,
                item.fee.line,
                "fee",
                "item.fee",
                ("收费但没有列出收费项目和依据。", "It charges and does not list what and by which law."),
                ("请列出 items:。", "List items:."),
            )
        if scope.pack.of("organization") and item.department not in scope.pack.of("organization"):
            scope.add(
                file,
                item.line_of("department"),
                "department",
                "item.department",
                (f"没有部门 {item.department}。", f"There is no department {item.department}."),
                ("请使用 organizations/ 中的代码。", "Use a code of organizations/."),
            )
    _sources(scope)


def _clock(scope: Scope, item: Item, file: str) -> None:
    if item.clock is None or (item.clock.promised is None and item.project_type is ProjectType.PROMISED):
        scope.add(
            file,
            item.line if item.clock is None else item.clock.line,
            "clock",
            "item.no_clock",
            ("事项没有办理时限。", "The item has no limit of time."),
            ("请写明 clock: 的 statutory 和 promised。", "Name statutory and promised under clock:."),
        )
    elif item.clock.promised is not None:
        promised_within(scope, item.clock.promised, item.clock.statutory, file, "clock.promised")


def _elements(scope: Scope, item: Item, file: str) -> None:
    for ref in (*item.inputs, *item.outputs, *([item.once_for] if item.once_for is not None else [])):
        if ref not in scope.dictionary:
            _unknown(scope, file, ref)
    for ref in item.outputs:
        element = scope.dictionary.get(ref)
        if element is not None and (element.source.kind is not SourceKind.ITEM or element.source.name != item.code):
            scope.add(
                file,
                ref.line,
                ref,
                "item.output_of_another",
                (
                    f"该数据元的权威来源是 {element.source.name}（{element.file}:{element.line}），不是本事项。",
                    f"The element's source is {element.source.name} ({element.file}:{element.line}), not this item.",
                ),
                ("请从 outputs 删除，或改正数据元的来源。", "Remove it from outputs, or correct the element's source."),
            )


def _unknown(scope: Scope, file: str, ref: Ref) -> None:
    scope.add(
        file,
        ref.line,
        ref,
        "element.unknown",
        (f"没有数据元 {ref}。", f"There is no data element {ref}."),
        ("请改正代码，或在 data_elements/ 中定义它。", "Correct the code, or define it in data_elements/."),
    )


def _code(scope: Scope, item: Item, file: str) -> None:
    pattern = scope.pack.frame.setting("services", "basic_code_pattern")
    if isinstance(pattern, str) and not re.fullmatch(pattern, item.basic_code):
        scope.add(
            file,
            item.line_of("basic_code"),
            "basic_code",
            "item.basic_code",
            (
                f"基本编码 {item.basic_code} 不符合 {pattern}。",
                f"The basic code {item.basic_code} does not match {pattern}.",
            ),
            ("请改正编码。", "Correct the code."),
        )
    same = next((o for o in scope.by_basic_code[item.basic_code] if o.code < item.code), None)
    if same is not None:
        scope.add(
            file,
            item.line_of("basic_code"),
            "basic_code",
            "item.basic_code_taken",
            (f"基本编码已由事项 {same.code} 使用。", f"The basic code is that of the item {same.code}."),
            ("请改正编码。", "Correct the code."),
        )


def _result(scope: Scope, item: Item, file: str) -> None:
    if item.result.kind is ResultKind.LICENCE and item.result.licence_type is None:
        scope.add(
            file,
            item.result.line,
            "result",
            "item.licence_type",
            ("证照结果没有写明证照类型。", "The result is a licence and names no type."),
            ("请写明 licence_type:。", "Name licence_type:."),
        )
    elif (
        item.result.licence_type is not None
        and scope.pack.of("licence_type")
        and not scope.pack.knows("licence_type", item.result.licence_type)
    ):
        scope.add(
            file,
            item.result.line,
            "result.licence_type",
            "item.licence_type",
            (f"没有证照类型 {item.result.licence_type}。", f"There is no licence type {item.result.licence_type}."),
            ("请使用 licence_types/ 中的代码。", "Use a code of licence_types/."),
        )


def _material(scope: Scope, item: Item, material: Material, file: str) -> None:
    source = material.source
    wrong: tuple[str, str] | None = None
    if source.channel in {Channel.REGISTER, Channel.ITEM, Channel.LICENCE} and source.name is None:
        wrong = ("材料没有写明来源。", "The material does not name its source.")
    elif source.channel is Channel.REGISTER and source.name is not None:
        element = scope.dictionary.get(source.name)
        if element is None or element.source.kind is not SourceKind.REGISTER:
            wrong = (f"{source.name} 不是登记库的数据元。", f"{source.name} is no element of a register.")
        elif source.name not in item.inputs:
            wrong = (f"inputs 没有列出 {source.name}。", f"The inputs do not list {source.name}.")
    elif source.channel is Channel.ITEM and source.name is not None:
        if not scope.pack.knows("item", source.name):
            wrong = (f"没有事项 {source.name}。", f"There is no item {source.name}.")
        elif source.name == item.code:
            wrong = ("事项不能以自己的结果为材料。", "An item cannot want its own result.")
    elif (
        source.channel is Channel.LICENCE
        and scope.pack.of("licence_type")
        and not scope.pack.knows("licence_type", source.name or "")
    ):
        wrong = (f"没有证照类型 {source.name}。", f"There is no licence type {source.name}.")
    if wrong is not None:
        scope.add(file, source.line, material.code, "material.source", wrong, ("请改正 source:。", "Correct source:."))
    if material.necessity == "conditional" and material.when is None:
        scope.add(
            file,
            material.line,
            material.code,
            "material.when",
            ("条件性材料没有写明条件。", "A conditional material does not say when."),
            ("请写明 when:。", "Name when:."),
        )


def _sources(scope: Scope) -> None:
    """Elements that name an item as their source: the item must be there and say so."""
    for element in scope.dictionary.values():
        if element.source.kind is not SourceKind.ITEM:
            continue
        item = scope.items.get(element.source.name)
        if item is None and scope.pack.knows("item", element.source.name):
            continue
        if item is None or element.code not in item.outputs:
            scope.add(
                element.file,
                element.line,
                element.code,
                "element.no_such_output",
                (f"事项 {element.source.name} 没有产生该数据元。", f"No item {element.source.name} has this output."),
                ("请列入该事项的 outputs，或改正来源。", "List it among the item's outputs, or correct the source."),
            )
