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
    "bpmn.expression_language": Rule(
        "{what} 用 {language} 写成；只执行 FEEL。",
        "The {what} is written in {language}; FEEL alone is run.",
        "用 FEEL 改写，例如 approved = true。",
        "Write it in FEEL, such as approved = true.",
    ),
    "bpmn.condition_type": Rule(
        "{what} 不会得出真或假：{why_zh}。",
        "The {what} never gives true or false: {why_en}.",
        "写成比较，例如 amount > 100。",
        "Write a comparison, such as amount > 100.",
    ),
    "bpmn.expression_type": Rule(
        "{what} 的类型不对：{why_zh}。",
        "The {what} mixes types: {why_en}.",
        "更正变量或值；日期等变量是文本，用 date(x) 读取。",
        "Correct the variable or the value; variables that are dates are texts, read them with date(x).",
    ),
    "bpmn.variable_unknown": Rule(
        "流程中没有谁给出变量 {name}，它必须在启动时给出。",
        "Nothing in the process gives the variable {name}, so it must be given when it starts.",
        "更正名称，或用 furong:variable 声明它。",
        "Correct the name, or declare it with furong:variable.",
        Severity.WARNING,
    ),
    "bpmn.variable_undeclared": Rule(
        "变量 {name} 既未声明，流程中也没有谁给出。",
        "The variable {name} is not declared, and nothing in the process gives it.",
        "更正名称，或用 furong:variable 声明它。",
        "Correct the name, or declare it with furong:variable.",
    ),
    "bpmn.outcome_unknown": Rule(
        "{name} 不会是“{value}”，只会是：{known}。",
        "{name} is never {value}; it may be: {known}.",
        "更正该值，或在 furong:outcomes 中添加它。",
        "Correct the value, or add it to furong:outcomes.",
    ),
    "bpmn.outcome_open": Rule(
        "{name} 为 {values} 时没有出口，也没有默认流。",
        "There is no way out when {name} is {values}, and no default.",
        "为其添加出口，或设置默认流。",
        "Add a way for it, or a default.",
        Severity.WARNING,
    ),
    "furong.variable": Rule(
        "变量声明 {name} 无效：{why}",
        "The declaration of the variable {name} is not valid: {why}",
        '写明 name，以及 FEEL 的类型，例如 type="number"。',
        'Give a name and a type of FEEL, such as type="number".',
    ),
    "furong.lane_holder": Rule(
        "泳道没有写明由谁办理，其中的用户任务 {tasks} 也没有。",
        "The lane names no holder, and neither do its user tasks {tasks}.",
        "在泳道或任务上写 furong:department 或 furong:post_right。",
        "Give the lane or the tasks furong:department or furong:post_right.",
        Severity.WARNING,
    ),
    "furong.department_unknown": Rule(
        "没有名为 {name} 的部门类别。",
        "There is no kind of department named {name}.",
        "可用的有：{known}。",
        "Those that are: {known}.",
    ),
    "furong.task_clock": Rule(
        "受理、决定或事项的用户任务没有办理期限。",
        "A user task that accepts, decides or belongs to a service item has no deadline.",
        "按承诺时限写 furong:due，例如 P5D。",
        "Give furong:due as promised to the public, such as P5D.",
        Severity.WARNING,
    ),
}
