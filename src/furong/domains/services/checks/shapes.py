"""Shapes and clusters: every item's shape is there and whole, every item lies in a cluster that is for whom it serves."""

from __future__ import annotations

from furong.domains.catalogue.values import ElementType
from furong.domains.services.checks.scope import Scope
from furong.domains.services.values.clusters import AUDIENCE_OF, ClusterAudience
from furong.domains.services.values.items import ITEM_TYPES, Item
from furong.domains.services.values.shapes import Shape

# What a form can neither ask nor show.
_NOT_ON_FORMS = frozenset({ElementType.ID, ElementType.RECORD, ElementType.FILE})


def check_shapes(scope: Scope) -> None:
    """Find shapes that ask who applies, that nobody can run, and items that a shape is not for."""
    for code, shape in scope.shapes.items():
        file = scope.shown("shape", code)
        _applicants(scope, shape, file)
        if not scope.pack.knows("shape_process", code):
            scope.add(
                file,
                1,
                code,
                "shape.no_process",
                ("旁边没有 process.bpmn。", "There is no process.bpmn beside it."),
                ("请补充流程。", "Add the process."),
            )
    for code, item in scope.items.items():
        if item.shape is not None:
            _of_shape(scope, item, scope.shown("item", code))


def _applicants(scope: Scope, shape: Shape, file: str) -> None:
    for ref in (*shape.person, *shape.enterprise):
        element = scope.dictionary.get(ref)
        if element is None:
            scope.add(
                file,
                ref.line,
                ref,
                "element.unknown",
                (f"没有数据元 {ref}。", f"There is no data element {ref}."),
                ("请改正代码，或在 data_elements/ 中定义它。", "Correct the code, or define it in data_elements/."),
            )
        elif not element.source.is_held:
            scope.add(
                file,
                ref.line,
                ref,
                "shape.asks_who",
                ("申请人是谁，由登记库说明，不得询问。", "Registers say who applies; nobody is asked."),
                ("请使用有登记来源的数据元。", "Use an element that a register holds."),
            )


def _of_shape(scope: Scope, item: Item, file: str) -> None:
    shape = scope.shapes.get(str(item.shape))
    if shape is None:
        if not scope.pack.knows("shape", str(item.shape)):
            scope.add(
                file,
                item.line_of("shape"),
                "shape",
                "item.shape_unknown",
                (f"没有办理模式 {item.shape}。", f"There is no shape {item.shape}."),
                ("请使用 shapes/ 中的代码。", "Use a code of shapes/."),
            )
        return
    if item.type not in shape.types:
        usual = "、".join(ITEM_TYPES[t].pick("zh") for t in shape.types)
        scope.add(
            file,
            item.line_of("shape"),
            "shape",
            "item.shape_type",
            (
                f"办理模式 {shape.code} 用于{usual}，本事项是{ITEM_TYPES[item.type].pick('zh')}。",
                f"The shape {shape.code} is not for an item of type {item.type} ({ITEM_TYPES[item.type].pick('en')}).",
            ),
            ("请改用合适的 shape 或改正 type。", "Use a fitting shape, or correct the type."),
        )
    for ref in (*item.fields, *item.optional_fields):
        element = scope.dictionary.get(ref)
        if element is not None and element.type in _NOT_ON_FORMS:
            scope.add(
                file,
                ref.line,
                ref,
                "item.field_type",
                (f"{element.type} 类型的数据元不能填写。", f"An element of type {element.type} cannot be filled in."),
                ("请从 fields 删除；文件写在 materials 中。", "Remove it from fields; a file is a material."),
            )
    for material in item.materials:
        element = scope.dictionary.get(material.upload) if material.upload in item.inputs else None
        if element is not None and element.type is not ElementType.FILE:
            scope.add(
                file,
                material.line,
                material.upload,
                "material.element",
                (f"数据元 {material.upload} 不是文件。", f"The element {material.upload} is no file."),
                ("请改正 element:。", "Correct element:."),
            )


def check_clusters(scope: Scope) -> None:
    """Find items that no cluster shows, clusters that are empty, without an owner, or for others than their items serve."""
    if not scope.clusters:
        return
    filled: set[str] = set()
    for code, item in scope.items.items():
        _clusters_of(scope, item, scope.shown("item", code))
        filled |= {str(one) for one in item.clusters}
    departments = scope.pack.of("organization")
    for code, cluster in scope.clusters.items():
        file = scope.shown("cluster", code)
        if code not in filled:
            scope.add(
                file,
                cluster.line,
                code,
                "cluster.empty",
                ("没有事项在这个服务集群中。", "No item lies in the cluster."),
                ("请在事项的 clusters: 中写上它，或删除它。", "Name it in an item's clusters:, or remove it."),
            )
        if departments and cluster.owner not in departments:
            scope.add(
                file,
                cluster.lines.get("owner", cluster.line),
                "owner",
                "cluster.owner",
                (f"没有部门 {cluster.owner}。", f"There is no department {cluster.owner}."),
                ("请使用 organizations/ 中的代码。", "Use a code of organizations/."),
            )
    for audience in ClusterAudience:
        if not any(audience in one.audiences for one in scope.clusters.values()):
            scope.add(
                scope.pack.frame.code,
                1,
                audience,
                "cluster.no_audience",
                (f"没有面向 {audience} 的服务集群。", f"No cluster is for the audience {audience}."),
                ("请补充。", "Add one."),
            )


def _clusters_of(scope: Scope, item: Item, file: str) -> None:
    serves = {AUDIENCE_OF[one] for one in item.service_objects}
    met: set[ClusterAudience] = set()
    for ref in item.clusters:
        cluster = scope.clusters.get(ref)
        if cluster is None:
            if not scope.pack.knows("cluster", ref):
                scope.add(
                    file,
                    ref.line,
                    ref,
                    "item.cluster_unknown",
                    (f"没有服务集群 {ref}。", f"There is no cluster {ref}."),
                    ("请使用 clusters/ 中的代码。", "Use a code of clusters/."),
                )
            return
        met |= serves & set(cluster.audiences)
    if met != serves:
        missing = "、".join(sorted(serves - met))
        scope.add(
            file,
            item.line_of("clusters") if item.clusters else item.line,
            "clusters",
            "item.no_cluster",
            (f"面向 {missing} 的门户找不到本事项。", f"It cannot be found at the door for {missing}."),
            ("请在 clusters: 中写上面向他们的服务集群。", "Name a cluster for them in clusters:."),
        )
