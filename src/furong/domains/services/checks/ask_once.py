"""Ask once: a form asks only for what no body of government holds (State Council Order 716, art. 10; Order 809, art. 19)."""

from __future__ import annotations

from furong.domains.catalogue.resources.reading import Supply
from furong.domains.catalogue.resources.values import SharingType
from furong.domains.catalogue.values import DataElement, SourceKind
from furong.domains.services.checks.scope import Scope
from furong.domains.services.values.forms import FieldType, FormField
from furong.domains.services.values.items import Channel
from furong.foundation.packs.values import Severity


def check_ask_once(scope: Scope) -> None:
    """Find every question that a register, the platform, or another item's output answers, and every upload of what is held."""
    for code, form in scope.forms.items():
        for one in form.fields():
            element = scope.dictionary.get(one.element)
            if element is None:
                scope.add(
                    one.file,
                    one.element.line,
                    one.element,
                    "element.unknown",
                    (f"没有数据元 {one.element}。", f"There is no data element {one.element}."),
                    ("请改正代码，或在 data_elements/ 中定义它。", "Correct the code, or define it in data_elements/."),
                )
                continue
            supply = None if element.source.is_held else _supply(scope, code, element)
            if one.is_asked and (element.source.is_held or supply is not None):
                _asked(scope, code, one, element, supply)
            elif one.ask_because is not None:
                scope.add(
                    one.file,
                    one.ask_because.line,
                    one.element,
                    "ask_once.needless_reason",
                    ("没有部门掌握该数据元，无需说明理由。", "No body holds this element; no reason is needed."),
                    ("请删除 ask_because。", "Remove ask_because."),
                    severity=Severity.WARNING,
                )
            _shown(scope, code, one, element)
        _uploads(scope, code)


def _holder(scope: Scope, code: str, element: DataElement) -> tuple[str, str]:
    source, at = element.source, f"{element.file}:{element.line}"
    if source.kind is SourceKind.REGISTER:
        return (
            f"{element.owner} 的登记库 {source.name}（字段 {source.field}，见 {at}）已有该数据元",
            f"the register {source.name} of {element.owner} holds it (field {source.field}, {at})",
        )
    if source.kind is SourceKind.ITEM:
        together = [e.code for e in scope.events_with(code) if source.name in e.item_codes()]
        if together:
            return (
                f"同一件事 {together[0]} 中的事项 {source.name} 产生该数据元（见 {at}）",
                f"the item {source.name} of the same life event {together[0]} supplies it ({at})",
            )
        return (
            f"事项 {source.name} 的办理结果已有该数据元（见 {at}）",
            f"the results of the item {source.name} hold it ({at})",
        )
    return (f"平台已有该数据元（{source.name}，见 {at}）", f"the platform holds it ({source.name}, {at})")


def _supply(scope: Scope, code: str, element: DataElement) -> Supply | None:
    """A resource that supplies what only persons declare: somebody collected it before.

    A resource that is collected by this very form, or by one of the same life event (which asks once for both), and one that is
    not shared supply nothing to it.
    """
    together = {code, *(item for event in scope.events_with(code) for item in event.item_codes())}
    for one in scope.catalog.supply.get(element.code, ()):
        collected_here = any(
            duty.service in together and one.item.code in {str(item) for item in duty.items}
            for duty in one.resource.resource.collection
        )
        if not collected_here and one.item.sharing.type is not SharingType.NONE:
            return one
    return None


def _resource_words(scope: Scope, element: DataElement) -> tuple[str, str]:
    found = next(iter(scope.catalog.sources(element.code)), None)
    if found is None:
        return "", ""
    name = found.resource.resource.name
    return (
        f"，由信息资源“{name.primary}”（{found.resource.code}）提供",
        f"; the resource {found.resource.code} supplies it",
    )


def _asked(scope: Scope, code: str, one: FormField, element: DataElement, supply: Supply | None) -> None:
    if supply is not None:
        resource, at = supply.resource.resource, f"{supply.resource.resource.file}:{supply.item.item.line}"
        zh = f"{supply.resource.provider.department} 的信息资源“{resource.name.primary}”（{resource.code}，{at}）已有该数据元"
        en = f"the resource {resource.code} of {supply.resource.provider.department} supplies it ({at})"
    else:
        zh, en = _holder(scope, code, element)
        more = _resource_words(scope, element)
        zh, en = zh + more[0], en + more[1]
    rule = {
        SourceKind.REGISTER: "ask_once.register",
        SourceKind.ITEM: "ask_once.item",
        SourceKind.PLATFORM: "ask_once.platform",
        SourceKind.DECLARED: "ask_once.resource",
    }[element.source.kind]
    if one.ask_because is not None:
        basis = one.ask_because.legal_basis[0]
        scope.add(
            one.file,
            one.ask_because.line,
            one.element,
            "ask_once.exception",
            (
                f"{zh}，但依据{basis.law.primary}{basis.clause.primary}仍要填写。",
                f"{en[0].upper()}{en[1:]}, yet it is asked by {basis.law.pick('en')}, {basis.clause.pick('en')}.",
            ),
            ("请确认依据仍然有效。", "See that the basis still holds."),
            severity=Severity.WARNING,
        )
        return
    scope.add(
        one.file,
        one.line,
        one.element,
        rule,
        (f"{zh}，不得要求申请人填写。", f"{en[0].upper()}{en[1:]}; nobody may be asked for it."),
        (
            "请改为 prefill: show，或以 ask_because: 写明法律依据。",
            "Write prefill: show, or name the legal basis in ask_because:.",
        ),
    )


def _shown(scope: Scope, code: str, one: FormField, element: DataElement) -> None:
    if one.prefill is None:
        return
    if not element.source.is_held:
        scope.add(
            one.file,
            one.line,
            one.element,
            "form.nothing_to_show",
            ("没有部门掌握该数据元，无法预填。", "No body holds this element, so there is nothing to show."),
            ("请删除 prefill。", "Remove prefill."),
        )
    elif element.source.kind is SourceKind.ITEM and (
        element.source.name == code or any(element.source.name in e.item_codes() for e in scope.events_with(code))
    ):
        scope.add(
            one.file,
            one.line,
            one.element,
            "form.shown_too_early",
            (
                f"填表时事项 {element.source.name} 还没有办结，无法展示其结果。",
                f"When the form is filled in, the item {element.source.name} has not ended; its result cannot be shown.",
            ),
            ("请从表单中删除。", "Remove it from the form."),
        )


def _uploads(scope: Scope, code: str) -> None:
    form, item = scope.forms[code], scope.items.get(code)
    if item is None:
        return
    materials = {m.code: m for m in item.materials}
    uploaded = set()
    for one in form.fields():
        if one.type is not FieldType.UPLOAD or one.material is None:
            continue
        uploaded.add(one.material)
        material = materials.get(one.material)
        if material is None:
            scope.add(
                one.file,
                one.line,
                one.element,
                "material.unknown",
                (f"事项没有材料 {one.material}。", f"The item has no material {one.material}."),
                ("请改正 material:。", "Correct material:."),
            )
        elif material.source.channel is not Channel.APPLICANT:
            scope.add(
                one.file,
                one.line,
                one.element,
                "material.upload_of_held",
                (
                    f"材料 {material.code} 由 {material.source.channel} 提供（{material.source.name or '—'}），不得要求上传。",
                    f"The material {material.code} comes from {material.source.channel} ({material.source.name or '–'}); "
                    "nobody may be asked to upload it.",
                ),
                ("请删除上传字段。", "Remove the upload."),
            )
    for material in item.materials:
        if material.source.channel is Channel.APPLICANT and material.form != "paper" and material.code not in uploaded:
            scope.add(
                scope.shown("item", code),
                material.line,
                material.code,
                "material.no_upload",
                (
                    "材料由申请人提供，但表单没有上传字段。",
                    "The applicant supplies it, and the form has no upload for it.",
                ),
                ("请在表单中添加 upload 字段并写明 material:。", "Add an upload with material: to the form."),
            )
