"""Rules about expressions, variables, people and deadlines."""

from __future__ import annotations

from furong.domains.processes.values.rule import Rule
from furong.foundation.packs.values.findings import Severity

RULES: dict[str, Rule] = {
    "bpmn.feel": Rule(
        "{what} 不是有效的 FEEL 表达式：{why}",
        "The {what} is not valid FEEL: {why}",
        "按 DMN 1.5 的 FEEL 语法改写，例如 amount > 100。",
        "Write it in FEEL of DMN 1.5, such as amount > 100.",
    ),
    "furong.attribute_unknown": Rule(
        "属性 furong:{name} 不适用于此元素。",
        "The attribute furong:{name} means nothing on this element.",
        "参见 docs/reference/bpmn.md 中的扩展属性。",
        "See the extension attributes in docs/reference/bpmn.md.",
    ),
    "furong.attribute_value": Rule(
        "属性 furong:{name} 的值 {value} 无效：{why}",
        "The attribute furong:{name} has the value {value}: {why}",
        "参见 docs/reference/bpmn.md 中的扩展属性。",
        "See the extension attributes in docs/reference/bpmn.md.",
    ),
    "furong.handler_missing": Rule(
        "服务任务没有 furong:handler。",
        "The service task has no furong:handler.",
        '写明处理程序，例如 furong:handler="population.register_birth"。',
        'Name a handler, such as furong:handler="population.register_birth".',
        Severity.WARNING,
        to_publish=True,
    ),
    "furong.handler_unknown": Rule(
        "处理程序 {name} 未注册。",
        "No handler is registered by the name {name}.",
        "可用的有：{known}。",
        "Those that are: {known}.",
    ),
    "furong.decision_missing": Rule(
        "业务规则任务没有 furong:decision。",
        "The business rule task has no furong:decision.",
        "写明 DMN 文件与决策的 id，形如 rules#decision。",
        "Name the DMN file and the id of the decision, as rules#decision.",
        Severity.WARNING,
        to_publish=True,
    ),
    "furong.decision_unknown": Rule(
        "决策 {name} 不存在。",
        "There is no decision {name}.",
        "可用的有：{known}。",
        "Those that are: {known}.",
    ),
    "furong.element_unknown": Rule(
        "{tag} 的扩展元素 furong:{name} 没有意义。",
        "The extension element furong:{name} means nothing in a {tag}.",
        "参见 docs/reference/bpmn.md 中的扩展元素。",
        "See the extension elements in docs/reference/bpmn.md.",
    ),
}
