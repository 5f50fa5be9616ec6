"""What only all resources of a pack together show: owners, sources, classes, numbers, terms that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable

from furong.domains.catalogue.licence import check_licence
from furong.domains.catalogue.resources.builtin import check_providers
from furong.domains.catalogue.resources.reading import (
    Catalog,
    ResolvedItem,
    ResolvedResource,
    Supply,
    catalog_of,
    narrower_openness,
    narrower_sharing,
)
from furong.domains.catalogue.resources.values import (
    TYPES_OF,
    ClassKind,
    CollectedFrom,
    Cycle,
    FormatClass,
    Openness,
    SharingMethod,
    SharingType,
)
from furong.domains.catalogue.values import DataElement, SourceKind
from furong.foundation.packs.values import Finding, Pack, Severity, both

_OFF_PLATFORM = {SharingMethod.MAIL, SharingMethod.MEDIA}


def check_resources(pack: Pack) -> Iterable[Finding]:
    """Find everything about the resources of a pack that contradicts the guide, the law, the dictionary or each other."""
    files = [file for file in pack.files if file.kind == "resource"]
    departments = frozenset(pack.values("organization"))
    shown = f"{pack.root}/pack.toml" if pack.root else "pack.toml"
    yield from check_providers(pack.frame, shown, departments)
    yield from check_licence(pack.frame, shown)
    if not files:
        return
    check = _Check(pack, catalog_of(pack), departments)
    check.all()
    yield from check.findings


class _Check:
    def __init__(self, pack: Pack, catalog: Catalog, departments: frozenset[str]) -> None:
        self.pack, self.catalog, self.departments = pack, catalog, departments
        self.findings: list[Finding] = []
        # A file that could not be read would make everything that names it look wrong.
        self.whole = {
            kind: all(f.value is not None for f in pack.files if f.kind == kind)
            for kind in ("data_element", "resource_class", "resource", "organization", "item")
        }

    def add(
        self,
        resource: ResolvedResource,
        line: int,
        element: str,
        rule: str,
        message: tuple[str, str],
        mend: tuple[str, str],
        severity: Severity = Severity.ERROR,
    ) -> None:
        self.findings.append(
            Finding(
                file=resource.resource.file,
                line=line,
                element=element,
                rule=f"resource.{rule}",
                message=both(*message),
                mend=both(*mend),
                severity=severity,
            )
        )

    def all(self) -> None:
        numbers: dict[str, ResolvedResource] = {}
        for one in self.catalog.resources.values():
            self.provider(one)
            self.class_(one, numbers)
            self.terms(one)
            self.related(one)
            for item in one.items:
                self.item(one, item)
        self.sources()
        self.cycles()
        self.collection()

    # --- the resource as a whole ---------------------------------------------------------------------------------------

    def provider(self, one: ResolvedResource) -> None:
        given, line = one.resource.provider, one.resource.line_of("provider")
        if given.role and not one.provider.department:
            self.add(
                one,
                line,
                "provider.role",
                "provider_unknown",
                (f"包没有绑定平台角色 {given.role}。", f"The pack binds the platform's role {given.role} to nobody."),
                (
                    f"请在 pack.toml 的 [catalogue.providers] 中写明 {given.role}。",
                    f"Bind {given.role} in [catalogue.providers] of pack.toml.",
                ),
            )
        department = one.provider.department
        if department and department not in self.departments and self.whole["organization"]:
            self.add(
                one,
                line,
                "provider.department",
                "provider_unknown",
                (f"没有部门 {department}。", f"There is no department {department}."),
                ("请改正代码，或在 organizations/ 中定义它。", "Correct the code, or define it in organizations/."),
            )

    def class_(self, one: ResolvedResource, numbers: dict[str, ResolvedResource]) -> None:
        placed = one.resource.class_
        if placed.kind is ClassKind.DEPARTMENT and one.provider.department and placed.item != one.provider.department:
            self.add(
                one,
                placed.line,
                "class.item",
                "class_of_another",
                (
                    f"部门类资源由 {one.provider.department} 提供，却列在 {placed.item} 之下。",
                    f"{one.provider.department} provides it, and it stands in the class of {placed.item}.",
                ),
                ("请改正 class.item 或 provider。", "Correct class.item or the provider."),
            )
        if not one.number:
            if self.whole["resource_class"]:
                at = f"{placed.kind}/{placed.item}/{placed.group}"
                self.add(
                    one,
                    placed.line,
                    "class",
                    "class_unknown",
                    (f"没有类目 {at}。", f"There is no class {at}."),
                    (
                        f"请改正，或在 resource_classes/{placed.kind}.yaml 中定义它。",
                        f"Correct it, or define it in resource_classes/{placed.kind}.yaml.",
                    ),
                )
            return
        stated = one.resource.number
        if stated is not None and str(stated) != one.number:
            self.add(
                one,
                stated.line,
                "number",
                "number",
                (f"资源代码应当是 {one.number}，不是 {stated}。", f"The resource code is {one.number}, not {stated}."),
                ("请改正或删除 number:。", "Correct number:, or remove it."),
            )
        first = numbers.setdefault(one.number, one)
        if first is not one:
            self.add(
                one,
                placed.line,
                "class.sequence",
                "number_twice",
                (
                    f"资源代码 {one.number} 已属于 {first.code}（{first.resource.file}）。",
                    f"The resource code {one.number} belongs to {first.code} ({first.resource.file}) already.",
                ),
                ("请改用别的 sequence。", "Take another sequence."),
            )

    def terms(self, one: ResolvedResource) -> None:
        resource = one.resource
        if resource.class_.kind is ClassKind.BASE and resource.sharing.type is not SharingType.UNCONDITIONAL:
            self.add(
                one,
                resource.sharing.lines.get("type", resource.sharing.line),
                "sharing.type",
                "base_not_unconditional",
                (
                    "基础信息资源应当无条件共享（国发〔2016〕51号第九条）。",
                    "Base resources are shared unconditionally (State Council Issue 2016 No. 51, art. 9).",
                ),
                ("请写 type: unconditional，或改为部门类。", "Write type: unconditional, or make it a department's."),
            )
        methods = set(resource.sharing.methods)
        is_database = resource.format.kind is FormatClass.DATABASE
        wrong = methods & ({SharingMethod.FILE} if is_database else {SharingMethod.DATABASE, SharingMethod.INTERFACE})
        if wrong:
            named = "、".join(sorted(wrong))
            self.add(
                one,
                resource.sharing.lines.get("methods", resource.sharing.line),
                "sharing.methods",
                "method",
                (
                    f"格式为{'数据库，应当以库表或接口共享' if is_database else '文件，应当以文件共享'}，不能用 {named}。",
                    f"A {'database is shared as database or interface' if is_database else 'file is shared as file'}, "
                    f"not as {', '.join(sorted(wrong))}.",
                ),
                (
                    f"请改为 {'database 或 interface' if is_database else 'file'}（发改高技〔2017〕1272号）。",
                    f"Write {'database or interface' if is_database else 'file'} (guide of 2017).",
                ),
            )
        if resource.openness.type is not Openness.CLOSED and resource.sharing.type is SharingType.NONE:
            self.add(
                one,
                resource.openness.line,
                "openness.type",
                "open_not_shared",
                (
                    "对部门不予共享的资源不能向社会开放。",
                    "What is not shared with departments cannot be open to the public.",
                ),
                ("请改正 sharing 或 openness。", "Correct sharing or openness."),
            )

    def related(self, one: ResolvedResource) -> None:
        for code in one.resource.related:
            if str(code) == one.code:
                message = ("资源与自身关联。", "The resource is related to itself.")
            elif str(code) in self.catalog.resources or not self.whole["resource"]:
                continue
            else:
                message = (f"没有信息资源 {code}。", f"There is no resource {code}.")
            self.add(one, code.line, "related", "related_unknown", message, ("请改正或删除。", "Correct or remove it."))

    # --- items ---------------------------------------------------------------------------------------------------------

    def item(self, one: ResolvedResource, item: ResolvedItem) -> None:
        resource, given, line = one.resource, item.item, item.item.line
        for code in given.elements:
            if str(code) not in self.catalog.dictionary and self.whole["data_element"]:
                self.add(
                    one,
                    code.line,
                    str(code),
                    "element_unknown",
                    (f"没有数据元 {code}。", f"There is no data element {code}."),
                    ("请改正代码，或在 data_elements/ 中定义它。", "Correct the code, or define it in data_elements/."),
                )
        by_itself = not given.elements and not resource.register
        if (
            not item.elements
            and (given.name is None or given.type is None)
            and (by_itself or self.whole["data_element"])
        ):
            self.add(
                one,
                line,
                given.code,
                "item_incomplete",
                (
                    f"没有数据元取自 {resource.register or '—'} 的字段 {given.field or given.code}，信息项缺名称或类型。",
                    f"No element has the field {given.field or given.code} of {resource.register or '–'}; "
                    "the item lacks a name or a type.",
                ),
                ("请补充 name: 和 type:，或改正 field:。", "Add name: and type:, or correct field:."),
            )
        for element in self.elements(item):
            self.element(one, item, element)
        if not narrower_sharing(item.sharing.type, resource.sharing.type) or not narrower_openness(
            item.openness.type, resource.openness.type
        ):
            self.add(
                one,
                (given.sharing or given.openness or resource.sharing).line,
                given.code,
                "item_wider",
                ("信息项的共享或开放条件不能比资源更宽。", "The item's own terms are wider than its resource's."),
                ("请删除，或改为更严的条件。", "Remove them, or make them narrower."),
            )
        if item.openness.type is Openness.OPEN and (item.is_sensitive or given.sensitive):
            self.add(
                one,
                line,
                given.code,
                "open_sensitive",
                (
                    f"资源向社会开放，却含有涉及个人的信息项“{item.name.primary}”。",
                    f"The resource is open to the public, and its item “{item.name.pick('en')}” is about persons.",
                ),
                (
                    "请对该项写 openness: closed 并注明条款，或不开放整个资源。",
                    "Close the item (openness:, with its clause), or the whole resource.",
                ),
            )

    def elements(self, item: ResolvedItem) -> list[DataElement]:
        return [self.catalog.dictionary[code] for code in item.elements if code in self.catalog.dictionary]

    def element(self, one: ResolvedResource, item: ResolvedItem, element: DataElement) -> None:
        line = next((c.line for c in item.item.elements if str(c) == element.code), item.item.line)
        owner, mine = element.owner, one.provider.department
        if element.code in item.source_of and mine and owner != mine:
            self.add(
                one,
                line,
                element.code,
                "element_of_another",
                (
                    f"数据元由 {owner} 负责（{element.file}:{element.line}），{mine} 不能作为来源（一数一源）。",
                    f"{owner} owns the element ({element.file}:{element.line}); {mine} cannot be its source.",
                ),
                ("请删除 source: true，该项即为引用。", "Remove source: true, so that the item only refers to it."),
            )
        elif element.code in item.source_of and not element.source.is_held:
            self.add(
                one,
                line,
                element.code,
                "source_declared",
                (
                    "该数据元由申请人申报，没有部门掌握，不能标为来源。",
                    "Persons declare this element and no body holds it, so no item is its source.",
                ),
                ("请删除 source: true，或改正数据元的来源。", "Remove source: true, or correct the element's source."),
            )
        if item.type not in TYPES_OF[element.type]:
            allowed = "、".join(TYPES_OF[element.type])
            self.add(
                one,
                line,
                element.code,
                "type",
                (
                    f"数据类型 {item.type} 与数据元的类型 {element.type} 不符。",
                    f"The type {item.type} does not fit the element's, {element.type}.",
                ),
                (f"可用：{allowed}。", f"Use one of {', '.join(TYPES_OF[element.type])}."),
            )
        if item.item.sensitive is False and item.is_sensitive:
            self.add(
                one,
                line,
                element.code,
                "sensitive",
                (
                    "数据元涉及个人，不能标为不敏感。",
                    "The element is about persons; the item cannot be marked as not sensitive.",
                ),
                ("请删除 sensitive: false。", "Remove sensitive: false."),
            )

    # --- all resources together ----------------------------------------------------------------------------------------

    def sources(self) -> None:
        for code, element in self.catalog.dictionary.items():
            if not element.source.is_held:
                continue
            own = [s for s in self.catalog.sources(code) if s.resource.provider.department == element.owner]
            for second in own[1:]:
                first = own[0]
                self.add(
                    second.resource,
                    second.item.item.line,
                    code,
                    "second_source",
                    (
                        f"来源已是 {first.resource.code} 的 {first.item.code}（{_at(first)}），不能再有第二个（一数一源）。",
                        f"The item {first.item.code} of {first.resource.code} ({_at(first)}) is its source already; "
                        "a second is refused.",
                    ),
                    ("若只是引用，请写 source: false。", "If it only refers to it, write source: false."),
                )
            # What an item puts out, the case holds and its department may catalogue; what a register holds, it must.
            if not own and element.source.kind is SourceKind.REGISTER and self.whole["resource"]:
                self.findings.append(
                    Finding(
                        file=element.file,
                        line=element.line,
                        element=code,
                        rule="resource.no_source",
                        message=both(
                            f"{element.owner} 掌握该数据元，却没有信息资源提供它。",
                            f"{element.owner} holds this element, and no resource of theirs supplies it.",
                        ),
                        mend=both("请在 resources/ 中编目。", "Put it into a resource."),
                        severity=Severity.WARNING,
                    )
                )

    def cycles(self) -> None:
        registers: dict[tuple[str, str], ResolvedResource] = {}
        for one in self.catalog.resources.values():
            register = one.resource.register
            if register:
                first = registers.setdefault((register, one.provider.department), one)
                if first.resource.cycle is not one.resource.cycle:
                    self.add(
                        one,
                        one.resource.line_of("cycle"),
                        "cycle",
                        "cycle",
                        (
                            f"与同一登记库 {register} 的 {first.code} 更新周期不同（{first.resource.cycle}）。",
                            f"{first.code} of the same register {register} has another cycle ({first.resource.cycle}).",
                        ),
                        ("请统一更新周期。", "Give both the same cycle."),
                    )
            slowest = self.slowest_source(one)
            mine = one.resource.cycle.rank
            if slowest is not None and mine is not None and mine < (slowest.resource.resource.cycle.rank or 0):
                source: Cycle = slowest.resource.resource.cycle
                self.add(
                    one,
                    one.resource.line_of("cycle"),
                    "cycle",
                    "cycle",
                    (
                        f"承诺 {one.resource.cycle}，但 {slowest.item.code} 的来源 {slowest.resource.code} 只按 {source} 更新。",
                        f"It promises {one.resource.cycle}, and {slowest.resource.code}, the source of "
                        f"{slowest.item.code}, is updated {source}.",
                    ),
                    ("请放宽更新周期。", "Promise a longer cycle."),
                )

    def slowest_source(self, one: ResolvedResource) -> Supply | None:
        """The source, outside of this resource, that is updated least often of those that its items refer to."""
        found = [
            source
            for item in one.items
            for element in item.elements
            if element not in item.source_of
            for source in self.catalog.sources(element)
            if source.resource is not one
            and source.resource.resource.cycle.rank is not None
            and source.resource.provider.department == self.catalog.dictionary[element].owner
        ]
        return max(found, key=lambda s: s.resource.resource.cycle.rank or 0, default=None)

    def collection(self) -> None:
        collected: dict[str, tuple[ResolvedResource, int]] = {}
        alike: dict[tuple[CollectedFrom, str], tuple[ResolvedResource, int]] = {}
        asked: list[tuple[bool, ResolvedResource, DataElement, int]] = []
        for one in self.catalog.resources.values():
            items = {item.code: item for item in one.items}
            for duty in one.resource.collection:
                for code in duty.items:
                    if str(code) not in items:
                        self.add(
                            one,
                            code.line,
                            "collection.items",
                            "collection_unknown",
                            (f"资源没有信息项 {code}。", f"The resource has no item {code}."),
                            ("请改正。", "Correct it."),
                        )
                        continue
                    if duty.collected_from is CollectedFrom.DEPARTMENT:
                        continue
                    item = items[str(code)]
                    asked += [(e.code not in item.source_of, one, e, code.line) for e in self.elements(item)]
                    if not item.elements and duty.collected_from is not CollectedFrom.DEVICE:
                        self.collected_alike(one, item, duty.collected_from, code.line, alike)
                if duty.service is not None and not self.pack.knows("item", str(duty.service)) and self.whole["item"]:
                    self.add(
                        one,
                        duty.service.line,
                        "collection.service",
                        "collection_unknown",
                        (f"没有事项 {duty.service}。", f"There is no service item {duty.service}."),
                        ("请改正或删除。", "Correct or remove it."),
                    )
        for _refers, one, element, line in sorted(asked, key=lambda each: each[0]):  # the source collects first
            self.collected_once(one, element, line, collected)

    def collected_alike(
        self,
        one: ResolvedResource,
        item: ResolvedItem,
        collected_from: CollectedFrom,
        line: int,
        alike: dict[tuple[CollectedFrom, str], tuple[ResolvedResource, int]],
    ) -> None:
        """What has no data element is compared by name: two departments that ask the same people for it may ask twice."""
        by, at = alike.setdefault((collected_from, item.name.primary), (one, line))
        if by.provider.department == one.provider.department:
            return
        self.add(
            one,
            line,
            item.code,
            "collected_alike",
            (
                f"{by.provider.department} 的 {by.code}（{by.resource.file}:{at}）"
                f"向同类对象采集同名信息项“{item.name.primary}”。",
                f"{by.code} of {by.provider.department} ({by.resource.file}:{at}) asks the same kind of subject for "
                f"“{item.name.pick('en')}” too.",
            ),
            (
                "若是同一事实，请定义数据元并通过共享取得；否则请改名。",
                "If it is the same fact, make it a data element and share it; else give it its own name.",
            ),
            Severity.WARNING,
        )

    def collected_once(
        self,
        one: ResolvedResource,
        element: DataElement,
        line: int,
        collected: dict[str, tuple[ResolvedResource, int]],
    ) -> None:
        if (
            element.source.kind in {SourceKind.REGISTER, SourceKind.PLATFORM}
            and one.provider.department != element.owner
        ):
            first = next(iter(self.catalog.sources(element.code)), None)
            held = first.resource.code if first is not None else element.source.name
            message = (
                f"{element.owner} 已掌握该数据元（{held}），{one.provider.department} 不得再次采集。",
                f"{element.owner} holds this element ({held}); {one.provider.department} must not collect it again.",
            )
        else:
            by, at = collected.setdefault(element.code, (one, line))
            if by is one:
                return
            message = (
                f"{by.code}（{by.resource.file}:{at}）已采集该数据元，不得重复采集。",
                f"{by.code} ({by.resource.file}:{at}) collects this element already; a second collector is refused.",
            )
        self.add(
            one,
            line,
            element.code,
            "second_collector",
            message,
            ("请通过共享取得（第809号令第十九条）。", "Get it by sharing (Order 809, art. 19)."),
        )


def _at(supply: Supply) -> str:
    return f"{supply.resource.resource.file}:{supply.item.item.line}"
