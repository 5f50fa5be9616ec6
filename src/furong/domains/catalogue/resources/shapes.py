"""What a file ``resources/GROUP/CODE.yaml`` and ``resource_classes/KIND.yaml`` may hold."""

from __future__ import annotations

from calendar import monthrange
from typing import Any

from furong.domains.catalogue.resources.values import (
    FORMATS,
    NATIONAL_ITEMS,
    ClassGroup,
    ClassItem,
    ClassKind,
    ClassList,
    CollectedFrom,
    CollectionDuty,
    CollectionWindow,
    Cycle,
    Entry,
    Format,
    FormatClass,
    ItemType,
    OpenException,
    Openness,
    OpenTerms,
    Provider,
    Resource,
    ResourceClass,
    ResourceItem,
    Sharing,
    SharingMethod,
    SharingType,
)
from furong.domains.catalogue.values import ELEMENT_PATTERN, LEGAL_BASIS
from furong.foundation.packs.values import (
    CODE,
    Bool,
    Day,
    Int,
    ListNode,
    ListOf,
    MapOf,
    OneOf,
    Parsed,
    RefTo,
    Report,
    Shape,
    SourceNode,
    Str,
    Text,
    Texts,
    both,
    optional,
    record,
    required,
)

LEVELS = ("province", "city", "county", "town")
RESOURCE_CODE = Str(pattern=r"[a-z][a-z0-9_]{0,63}", expected=both("小写代码", "a code in lower case"))
NUMBER = RefTo(pattern=r"[123][0-9]{5,12}/[0-9]{1,12}")


class OneOrMore(Shape):
    """One value of a shape, or a list of them."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.expected = both("一个代码，或代码的列表", "a code, or a list of codes")

    def read(self, node: SourceNode, report: Report, path: str) -> tuple[Any, ...] | None:
        if isinstance(node, ListNode):
            found = ListOf(self.shape, minimum=1, unique="").read(node, report, path)
            return None if found is None else tuple(found)
        value = self.shape.read(node, report, path)
        return None if value is None else (value,)


def _check_provider(parsed: Parsed, report: Report, path: str) -> None:
    named = [key for key in ("department", "organization", "role") if parsed.get(key)]
    if len(named) != 1 or (parsed.get("level") and named != ["department"]):
        report.add(
            parsed.line,
            path,
            "resource.provider",
            both(
                "提供方应当是一个部门、一个机构或平台的一个角色。",
                "A provider is a department, an organisation or a platform's role.",
            ),
            both(
                "请写明 department（可加 level）、organization 或 role 之一。",
                "Name one of department (with level), organization and role.",
            ),
        )


def _build_provider(parsed: Parsed) -> Provider:
    return Provider(**{k: parsed[k] or "" for k in ("department", "level", "organization", "role")}, line=parsed.line)


PROVIDER = MapOf(
    {
        "department": optional(CODE),
        "level": optional(OneOf(values=LEVELS)),
        "organization": optional(Str(pattern=r"[0-9A-Z]{18}")),
        "role": optional(CODE),
    },
    check=_check_provider,
    build=_build_provider,
)


def _check_class(parsed: Parsed, report: Report, path: str) -> None:
    known = NATIONAL_ITEMS[ClassKind(parsed["kind"])]
    if known and parsed["item"] not in known:
        report.add(
            parsed.line_of("item"),
            f"{path}.item",
            "resource.class_unknown",
            both(
                f"{parsed['kind']} 类没有项 {parsed['item']}。",
                f"The class {parsed['kind']} has no item {parsed['item']}.",
            ),
            both(f"可用：{'、'.join(known)}。", f"Use one of {', '.join(known)}."),
        )


_CLASS = MapOf(
    {
        "kind": required(OneOf(values=tuple(ClassKind))),
        "item": required(CODE),
        "group": required(Str(pattern=r"[0-9]{3}")),
        "detail": optional(Str(pattern=r"[0-9]{1,6}"), ""),
        "sequence": required(Int(1, 999_999)),
    },
    check=_check_class,
    build=record(ResourceClass),
)


def _check_format(parsed: Parsed, report: Report, path: str) -> None:
    known = FORMATS[FormatClass(parsed["kind"])]
    if known and parsed["format"] not in known:
        report.add(
            parsed.line_of("format"),
            f"{path}.format",
            "resource.format",
            both(
                f"{parsed['format']} 不是 {parsed['kind']} 类的格式。",
                f"{parsed['format']} is no format of {parsed['kind']}.",
            ),
            both(f"可用：{'、'.join(known)}。", f"Use one of {', '.join(known)}."),
        )


_FORMAT = MapOf(
    {
        "kind": required(OneOf(values=tuple(FormatClass))),
        "format": required(Str(pattern=r"[a-z][a-z0-9_]*", max_length=40)),
    },
    check=_check_format,
    build=record(Format),
)


def _check_sharing(parsed: Parsed, report: Report, path: str) -> None:
    if parsed["type"] == SharingType.CONDITIONAL and parsed["condition"] is None:
        report.add(
            parsed.line,
            path,
            "resource.no_condition",
            both("有条件共享没有写明条件。", "It is shared on condition, and no condition is stated."),
            both("请补充 condition:。", "Add condition: to it."),
        )
    if parsed["type"] == SharingType.NONE and not parsed["legal_basis"]:
        report.add(
            parsed.line,
            path,
            "resource.no_basis",
            both("不予共享没有写明法律、行政法规或者党中央、国务院政策依据。", "It is not shared, and no law says so."),
            both("请补充 legal_basis:，或改为可以共享。", "Add legal_basis:, or share it."),
        )
    if parsed["type"] == SharingType.UNCONDITIONAL and parsed["condition"] is not None:
        report.add(
            parsed.line_of("condition"),
            f"{path}.condition",
            "resource.condition_needless",
            both("无条件共享不能附条件。", "What is shared unconditionally has no condition."),
            both("请删除条件，或改为 conditional。", "Remove the condition, or write conditional."),
        )


_TERMS = {
    "type": required(OneOf(values=tuple(SharingType))),
    "condition": optional(Texts(max_length=500)),
    "legal_basis": optional(ListOf(LEGAL_BASIS, minimum=1), list),
}
_SHARING = MapOf(
    {**_TERMS, "methods": required(ListOf(OneOf(values=tuple(SharingMethod)), minimum=1, unique=""))},
    check=_check_sharing,
    build=record(Sharing),
)
_ITEM_SHARING = MapOf(_TERMS, check=_check_sharing, build=record(Sharing))


def _check_openness(parsed: Parsed, report: Report, path: str) -> None:
    if parsed["type"] != Openness.OPEN and not parsed["exceptions"]:
        report.add(
            parsed.line,
            path,
            "resource.no_exception",
            both("以公开为原则：不开放或有条件开放没有写明条款。", "Open is the rule; this exception cites no clause."),
            both("请在 exceptions: 中写明理由、法律和条款。", "State reason, law and clause in exceptions:."),
        )
    if parsed["type"] == Openness.CONDITIONAL and parsed["condition"] is None:
        report.add(
            parsed.line,
            path,
            "resource.no_open_condition",
            both("有条件开放没有写明条件。", "It is open on condition, and no condition is stated."),
            both("请补充 condition:。", "Add condition: to it."),
        )
    if parsed["type"] == Openness.OPEN and (parsed["exceptions"] or parsed["condition"]):
        report.add(
            parsed.line,
            path,
            "resource.exception_needless",
            both("开放的资源没有条件和例外。", "What is open has neither condition nor exception."),
            both("请删除，或改为 conditional、closed。", "Remove them, or write conditional or closed."),
        )


_OPENNESS = MapOf(
    {
        "type": required(OneOf(values=tuple(Openness))),
        "condition": optional(Texts(max_length=500)),
        "exceptions": optional(
            ListOf(
                MapOf(
                    {
                        "reason": required(Texts(max_length=300)),
                        "law": required(Texts(max_length=200)),
                        "clause": required(Texts(max_length=200)),
                    },
                    build=record(OpenException),
                ),
                minimum=1,
            ),
            list,
        ),
    },
    check=_check_openness,
    build=record(OpenTerms),
)


def _build_item(parsed: Parsed) -> ResourceItem:
    return ResourceItem(
        code=parsed["code"],
        name=parsed["name"],
        type=None if parsed["type"] is None else ItemType(parsed["type"]),
        length=parsed["length"],
        elements=parsed["element"] or (),
        field=parsed["field"] or "",
        source=parsed["source"],
        key=parsed["key"],
        nullable=not parsed["key"] if parsed["nullable"] is None else parsed["nullable"],
        sensitive=parsed["sensitive"],
        sharing=parsed["sharing"],
        openness=parsed["openness"],
        note=parsed["note"],
        line=parsed.line,
    )


_ITEM = MapOf(
    {
        "code": required(Str(pattern=r"[a-z][a-z0-9_]{0,63}")),
        "name": optional(Texts(max_length=100)),
        "type": optional(OneOf(values=tuple(ItemType))),
        "length": optional(Int(1, 100_000_000)),
        "element": optional(OneOrMore(RefTo(pattern=ELEMENT_PATTERN))),
        "field": optional(Str(pattern=r"[a-z][a-z0-9_.]*", max_length=100)),
        "source": optional(Bool()),
        "key": optional(Bool(), False),
        "nullable": optional(Bool()),
        "sensitive": optional(Bool()),
        "sharing": optional(_ITEM_SHARING),
        "openness": optional(_OPENNESS),
        "note": optional(Texts(max_length=500)),
    },
    build=_build_item,
)


_DAY_OF_YEAR = Str(
    pattern=r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", expected=both("月-日，例如 06-30", "month-day, as 06-30")
)


def _check_window(parsed: Parsed, report: Report, path: str) -> None:
    if parsed["opens"] > parsed["closes"] or not all(_is_day(parsed[key]) for key in ("opens", "closes")):
        report.add(
            parsed.line,
            path,
            "resource.collection_time",
            both("采集窗口不是一年之内的一段日期。", "The window is no span of days within a year."),
            both("请改正 opens: 和 closes:。", "Correct opens: and closes:."),
        )


def _is_day(month_day: str) -> bool:
    month, _dash, day = month_day.partition("-")
    return int(day) <= monthrange(2001, int(month))[1]  # a day that every year has


_WINDOW = MapOf(
    {"opens": required(_DAY_OF_YEAR), "closes": required(_DAY_OF_YEAR)},
    check=_check_window,
    build=record(CollectionWindow),
)


def _check_duty(parsed: Parsed, report: Report, path: str) -> None:
    asked = parsed["from"] in {CollectedFrom.PERSON, CollectedFrom.ENTERPRISE}
    if asked and parsed["service"] is None and parsed["form"] is None:
        report.add(
            parsed.line,
            path,
            "resource.collection_no_form",
            both(
                "向个人或企业采集，没有写明用哪个事项的表单或哪种报表。",
                "It is asked of persons or enterprises, and nothing says by which service or form.",
            ),
            both("请补充 service: 或 form:。", "Add service: or form: to it."),
        )
    wrong = ""
    if parsed["window"] is not None and parsed["cycle"] != Cycle.YEARLY:
        wrong = "window"
    elif parsed["due_days"] is not None and parsed["cycle"] not in {Cycle.MONTHLY, Cycle.QUARTERLY, Cycle.HALF_YEARLY}:
        wrong = "due_days"
    if wrong:
        report.add(
            parsed.line_of(wrong),
            f"{path}.{wrong}",
            "resource.collection_time",
            both(
                f"{wrong} 与采集周期 {parsed['cycle']} 不符。",
                f"{wrong} does not fit what is collected {parsed['cycle']}.",
            ),
            both(
                "按年采集写 window:，按月、季、半年采集写 due_days:。",
                "Write window: for what is yearly, due_days: for what is monthly, quarterly or half-yearly.",
            ),
        )


def _build_duty(parsed: Parsed) -> CollectionDuty:
    return CollectionDuty(
        items=tuple(parsed["items"]),
        collected_from=CollectedFrom(parsed["from"]),
        cycle=Cycle(parsed["cycle"]),
        service=parsed["service"],
        form=parsed["form"],
        window=parsed["window"],
        due_days=parsed["due_days"],
        legal_basis=tuple(parsed["legal_basis"]),
        note=parsed["note"],
        line=parsed.line,
    )


_DUTY = MapOf(
    {
        "items": required(ListOf(RefTo(pattern=r"[a-z][a-z0-9_]*"), minimum=1, unique="")),
        "from": required(OneOf(values=tuple(CollectedFrom))),
        "cycle": required(OneOf(values=tuple(Cycle))),
        "service": optional(RefTo(pattern=r"[a-z][a-z0-9_]*")),
        "form": optional(Texts(max_length=200)),
        "window": optional(_WINDOW),
        "due_days": optional(Int(1, 180)),
        "legal_basis": optional(ListOf(LEGAL_BASIS, minimum=1), list),
        "note": optional(Texts(max_length=500)),
    },
    check=_check_duty,
    build=_build_duty,
)


def _check_resource(parsed: Parsed, report: Report, path: str) -> None:
    if parsed["cycle"] == Cycle.OTHER and parsed["cycle_note"] is None:
        report.add(
            parsed.line_of("cycle"),
            "cycle",
            "resource.cycle",
            both("更新周期为“其他”，没有说明。", "The cycle is “other”, and nothing says which."),
            both("请补充 cycle_note:。", "Add cycle_note: to it."),
        )


RESOURCE = MapOf(
    {
        "code": required(RESOURCE_CODE),
        "name": required(Texts(max_length=100)),
        "summary": required(Texts(max_length=1000)),
        "keywords": optional(ListOf(Str(max_length=40), unique=""), list),
        "class": required(_CLASS),
        "number": optional(NUMBER),
        "provider": required(PROVIDER),
        "format": required(_FORMAT),
        "sharing": required(_SHARING),
        "openness": optional(_OPENNESS),
        "cycle": required(OneOf(values=tuple(Cycle))),
        "cycle_note": optional(Texts(max_length=200)),
        "published_on": optional(Day()),
        "register": optional(CODE),
        "related": optional(ListOf(RefTo(pattern=r"[a-z][a-z0-9_]*"), unique=""), list),
        "items": required(ListOf(_ITEM, minimum=1, maximum=2000, unique="code")),
        "collection": optional(ListOf(_DUTY), list),
        "entry": optional(OneOf(values=tuple(Entry)), Entry.APPROVED),
    },
    check=_check_resource,
)


def build_resource(parsed: Any, report: Report) -> Resource:
    """Turn a file into a resource; openness that is not stated is open."""
    return Resource(
        code=parsed["code"],
        name=parsed["name"],
        summary=parsed["summary"],
        class_=parsed["class"],
        number=parsed["number"],
        provider=parsed["provider"],
        format=parsed["format"],
        sharing=parsed["sharing"],
        openness=parsed["openness"] or OpenTerms(line=parsed.line),
        cycle=Cycle(parsed["cycle"]),
        cycle_note=parsed["cycle_note"],
        published_on=parsed["published_on"],
        register=parsed["register"] or "",
        related=tuple(parsed["related"]),
        items=tuple(parsed["items"]),
        collection=tuple(parsed["collection"]),
        entry=Entry(parsed["entry"]),
        keywords=tuple(parsed["keywords"]),
        file=report.file,
        lines=parsed.lines,
    )


CLASSES = MapOf(
    {
        "code": required(OneOf(values=tuple(ClassKind))),
        "items": required(
            ListOf(
                MapOf(
                    {
                        "item": required(CODE),
                        "number": optional(Str(pattern=r"[0-9]{2}")),
                        "groups": required(
                            ListOf(
                                MapOf(
                                    {
                                        "code": required(Str(pattern=r"[0-9]{3}")),
                                        "name": required(Texts(max_length=100)),
                                    },
                                    build=record(ClassGroup),
                                ),
                                minimum=1,
                                unique="code",
                            )
                        ),
                    }
                ),
                minimum=1,
                unique="item",
            )
        ),
    }
)


def build_classes(parsed: Any, report: Report) -> ClassList:
    """Turn a file of classes into values; the guide's own items have the guide's numbers."""
    kind = ClassKind(parsed["code"])
    national = NATIONAL_ITEMS[kind]
    seen: dict[str, str] = {}
    items = []
    for entry in parsed["items"]:
        known = national.get(entry["item"])
        number = known.number if known else entry["number"]
        wrong: Text | None = None
        if national and known is None:
            wrong = both(f"{kind} 类没有项 {entry['item']}。", f"The class {kind} has no item {entry['item']}.")
        elif number is None:
            wrong = both("部门类的项没有两位数字。", "A department's item has no number of two digits.")
        elif known is not None and entry["number"] not in {None, number}:
            wrong = both(f"该项的国家编号是 {number}。", f"The guide's number of this item is {number}.")
        elif number in seen:
            wrong = both(
                f"编号 {number} 已属于 {seen[number]}。", f"The number {number} belongs to {seen[number]} already."
            )
        if wrong is not None:
            report.add(
                entry.line,
                entry["item"],
                "resource.class_unknown",
                wrong,
                both("请按编制指南改正。", "Correct it by the guide."),
            )
            continue
        seen[number] = entry["item"]
        items.append(
            ClassItem(
                item=entry["item"], number=number, groups=tuple(entry["groups"]), file=report.file, line=entry.line
            )
        )
    return ClassList(code=parsed["code"], items=tuple(items))
