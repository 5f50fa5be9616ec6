"""The kinds of definitions that the catalogue owns: data elements, classes of resources, resources."""

from __future__ import annotations

from collections.abc import Iterable

from furong.domains.catalogue.grants import flow
from furong.domains.catalogue.resources.builtin import built_in_files
from furong.domains.catalogue.resources.checks import check_resources
from furong.domains.catalogue.resources.shapes import CLASSES, RESOURCE, build_classes, build_resource
from furong.domains.catalogue.resources.values import Resource
from furong.domains.catalogue.values import GROUP, DataElement, Dictionary, ElementGroup, build_group
from furong.foundation.codes.errors import UnknownCodeTable
from furong.foundation.codes.queries import get_table
from furong.foundation.packs.values import Finding, ImportContext, Kind, Pack, Text, both, register_kind, yaml_parse
from furong.foundation.packs.values.kinds import XML


def dictionary_of(pack: Pack) -> Dictionary:
    """Give the dictionary of data elements of a pack that was read."""
    return Dictionary(_elements(pack))


def _elements(pack: Pack) -> Iterable[DataElement]:
    groups: dict[str, ElementGroup] = pack.values("data_element")
    for _, group in sorted(groups.items()):
        yield from group.elements


def check_elements(pack: Pack) -> Iterable[Finding]:
    """Find elements declared twice (second source, second owner), two elements for one thing, unknown code tables."""
    every = list(_elements(pack))
    by_code: dict[str, DataElement] = {}
    by_source: dict[tuple[str, str, str], DataElement] = {}
    by_name: dict[str, DataElement] = {}
    declared = {element.code: element for element in reversed(every)}
    for element in every:
        first = by_code.setdefault(element.code, element)
        if first is not element:
            yield from _twice(first, element)
            continue
        if element.source.kind == "register":
            key = (element.source.name, element.source.field, element.source.of)
            same = by_source.setdefault(key, element)
            if same is not element:
                yield _finding(
                    element,
                    "catalogue.same_source",
                    both(
                        f"与数据元 {same.code}（{same.file}:{same.line}）取自同一字段。",
                        f"It is the same field of the same register as {same.code} ({same.file}:{same.line}).",
                    ),
                    both("请使用已有的数据元。", "Use the element that exists."),
                )
        *outer, _last = element.code.split(".")
        for length in range(2, len(outer) + 1):
            if (above := declared.get(".".join(outer[:length]))) is not None:
                yield _finding(
                    element,
                    "catalogue.within",
                    both(
                        f"代码在数据元 {above.code} 之内，表达式无法区分。",
                        f"Its code lies within the element {above.code}, so expressions cannot tell them apart.",
                    ),
                    both("请改代码。", "Give it another code."),
                )
        named = by_name.setdefault(element.name.primary, element)
        if named is not element:
            yield _finding(
                element,
                "catalogue.same_name",
                both(
                    f"与数据元 {named.code}（{named.file}:{named.line}）同名。",
                    f"It has the name of {named.code} ({named.file}:{named.line}).",
                ),
                both(
                    "若是同一事实，请使用已有的数据元；否则请改名。",
                    "If it is the same fact, use that element; else give it its own name.",
                ),
            )
        if element.code_table is not None:
            try:
                get_table(name=element.code_table)
            except UnknownCodeTable:
                yield _finding(
                    element,
                    "catalogue.code_table",
                    both(f"没有代码表 {element.code_table}。", f"There is no code table {element.code_table}."),
                    both("请使用平台的代码表，或写出 codes:。", "Use a table of the platform, or list codes:."),
                )
        if element.type == "code" and not element.code_table and not element.codes:
            yield _finding(
                element,
                "catalogue.no_codes",
                both("代码型数据元没有代码表。", "An element of type code has no table."),
                both("请写明 code_table: 或 codes:。", "Name code_table: or list codes:."),
            )


def _twice(first: DataElement, second: DataElement) -> Iterable[Finding]:
    place = f"{first.file}:{first.line}"
    if second.source != first.source:
        yield _finding(
            second,
            "catalogue.second_source",
            both(
                f"数据元已有权威来源 {first.source.name}（{place}），不能再有第二个（一数一源）。",
                f"The element has its source {first.source.name} ({place}) already; a second is refused.",
            ),
            both("请删除第二个来源。", "Remove the second source."),
        )
    if second.owner != first.owner:
        yield _finding(
            second,
            "catalogue.two_owners",
            both(
                f"数据元已由 {first.owner} 负责（{place}），不能再由 {second.owner} 负责。",
                f"The element is owned by {first.owner} ({place}); {second.owner} cannot own it too.",
            ),
            both("请只保留一个责任部门。", "Keep one owner."),
        )
    if second.source == first.source and second.owner == first.owner:
        yield _finding(
            second,
            "catalogue.duplicate",
            both(f"数据元重复，首次出现在 {place}。", f"The element is declared twice, first at {place}."),
            both("请删除其中一个。", "Remove one of them."),
        )


def _finding(element: DataElement, rule: str, message: Text, mend: Text) -> Finding:
    return Finding(file=element.file, line=element.line, element=element.code, rule=rule, message=message, mend=mend)


def _index(context: ImportContext) -> None:
    from furong.domains.catalogue.indexing import index_resources  # its tables: Django must be ready

    index_resources(context)


def _group(resource: Resource) -> str:
    return resource.provider.department


register_kind(
    Kind(
        name="data_element",
        folder="data_elements",
        parse=yaml_parse(GROUP, build_group),
        cross_check=check_elements,
        order=20,
    )
)
register_kind(
    Kind(name="resource_class", folder="resource_classes", parse=yaml_parse(CLASSES, build_classes), order=21)
)
register_kind(
    Kind(
        name="resource",
        folder="resources",
        parse=yaml_parse(RESOURCE, build_resource),
        cross_check=check_resources,
        group_of=_group,
        built_in=built_in_files,
        importer=_index,
        on_publish=True,
        order=22,
    )
)
register_kind(
    Kind(
        name=flow.KIND,
        folder="approvals",
        file="process.bpmn",
        media_type=XML,
        parse=flow.parse_process,
        built_in=flow.built_in_files,
        order=23,
    )
)
